"""The routes: the page, the reading of one picture, and whether the service lives."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Protocol

from flask import Blueprint, Response, current_app, request

from shizi.core.config import Settings
from shizi.core.errors import ShiziError
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.formats import pages_to_dict
from shizi.server.schema import UPLOAD_FIELDS, fields_to_options


class PageReader(Protocol):
    """What the service needs of a reader; threads share it."""

    def read(self, source: bytes, options: ReadOptions, /) -> list[PageResult]:
        """Read all pages of an encoded picture or document."""
        ...


class MissingUpload(ShiziError):
    """The request holds no picture."""

    code = "missing_image"
    http_status = 400
    advice = "Send the picture as multipart/form-data, in a file field named `image`."


def create_api(settings: Settings, reader: PageReader) -> Blueprint:
    """Make the routes on a reader."""
    api = Blueprint("api", __name__)
    defaults = settings.read_options()

    @api.get("/")
    def page() -> Response:
        return current_app.send_static_file("index.html")

    @api.get("/healthz")
    def health() -> Response:
        return reply({"status": "ok"})

    @api.post("/ocr")
    def ocr() -> Response:
        started = time.perf_counter()
        data = _uploaded_bytes()
        options = fields_to_options({**request.args, **request.form}, defaults)
        pages = reader.read(data, options)
        return reply(pages_to_dict(pages, time.perf_counter() - started))

    return api


def reply(content: Mapping[str, object], status: int = 200) -> Response:
    """Answer with JSON, Chinese as it is; no cache may keep what a document says."""
    response = Response(
        json.dumps(content, ensure_ascii=False) + "\n", status, mimetype="application/json"
    )
    response.headers["Cache-Control"] = "no-store"
    return response


def _uploaded_bytes() -> bytes:
    for name in UPLOAD_FIELDS:
        if (upload := request.files.get(name)) is not None:
            data: bytes = upload.read()
            return data
    raise MissingUpload("the request has no file field named `image`")
