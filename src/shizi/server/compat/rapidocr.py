"""Answers as RapidOCRAPI does: lines by their number, confidences as text."""

from __future__ import annotations

from collections.abc import Mapping

from shizi.core.choices import parse_flag
from shizi.core.errors import OptionError
from shizi.formats import Json, box_to_list
from shizi.server.reading import Answer
from shizi.server.shapes import LINES, Failure, Shape

_STAGES = ("use_det", "use_cls", "use_rec")


def take_rapidocr_fields(fields: Mapping[str, str]) -> dict[str, str]:
    """Take out the fields of RapidOCRAPI: every stage is always run here.

    Raises:
        OptionError: finding or reading of lines is asked to be left out.
    """
    for name in _STAGES:
        if name in fields and not parse_flag(name, fields[name]) and name != "use_cls":
            raise OptionError(f"{name} cannot be turned off")
    return {name: text for name, text in fields.items() if name not in _STAGES}


def _answer(answer: Answer) -> Json:
    lines = [line for page in answer.pages() for line in page]
    return {
        str(number): {
            "rec_txt": line.text,
            "dt_boxes": box_to_list(line.box),
            "score": f"{line.confidence:.4f}",
        }
        for number, line in enumerate(lines)
    }


def _failure(failure: Failure) -> tuple[Json, int]:
    content, status = LINES.failure(failure)
    return {"detail": failure.detail, **content}, status


RAPIDOCR = Shape(_answer, _failure, one=True)
