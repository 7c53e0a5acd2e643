"""Which shape a request is answered in, told from its address before its body is read."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Request

from shizi.core.errors import OptionError
from shizi.server.compat.baidu import BAIDU, BAIDU_PREFIX
from shizi.server.compat.cnocr import CNOCR
from shizi.server.compat.paddlex import PADDLEX
from shizi.server.compat.rapidocr import RAPIDOCR
from shizi.server.shapes import DOCUMENTS, LINES, TEXTS, Shape

COMPAT: Mapping[str, Shape] = {"rapidocr": RAPIDOCR, "cnocr": CNOCR, "paddlex": PADDLEX}
COMPAT_PARAMETER = "compat"


def shape_of_request(request: Request) -> Shape:
    """Give the shape for a request, also for one that leads nowhere."""
    if request.path.startswith("/v1/"):
        return DOCUMENTS
    if request.path.startswith(BAIDU_PREFIX):
        return BAIDU
    if request.path == "/api/ocr":
        return TEXTS
    if request.path == "/ocr":
        return COMPAT.get(request.args.get(COMPAT_PARAMETER, ""), LINES)
    return LINES


def check_compat(request: Request) -> None:
    """Refuse a shape that is not there.

    Raises:
        OptionError: the address names one.
    """
    name = request.args.get(COMPAT_PARAMETER)
    if name is not None and name not in COMPAT:
        raise OptionError.unknown(name, COMPAT, "compat")
