"""Answers that are files: every format, by whichever way it is asked for, and what is refused."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
import zipfile
from typing import Any

import pytest
from werkzeug.test import TestResponse

from shizi.core.errors import CorruptImage, MissingExtra
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.formats import FORMATS, Format
from shizi.server.schema import RESULT_FORMATS
from tests.fakes import FakeReader, one_page
from tests.program import environment
from tests.unit.server.calls import b64, client_of, content_of, file

FILES = [name for name in RESULT_FORMATS if name != "json"]


def _echo(source: object, _: ReadOptions) -> list[PageResult]:
    assert isinstance(source, bytes)
    if source.startswith(b"bad"):
        raise CorruptImage("cut short")
    return [one_page(source.decode())]


def _post(reader: FakeReader, path: str = "/v1/ocr", **request: Any) -> TestResponse:
    return client_of(reader).post(path, **request)


def _plain(form: str, data: bytes) -> str:
    """Give the text of a file, whatever it is packed in."""
    if FORMATS[form].binary:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            data = b"".join(map(archive.read, archive.namelist()))
    return data.decode("utf-8", "replace")


@pytest.mark.parametrize("route", ["/v1/ocr", "/ocr"])
@pytest.mark.parametrize("form", FILES)
def test_a_picture_is_answered_with_a_file(route: str, form: str) -> None:
    answer = _post(FakeReader(_echo), f"{route}?format={form}", data={"file": file(b"one two")})

    assert answer.status_code == 200
    assert answer.content_type == FORMATS[form].content_type
    ending = FORMATS[form].ending
    assert answer.headers["Content-Disposition"] == f'attachment; filename="shizi.{ending}"'
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["X-Request-ID"]
    assert "X-Failed-Documents" not in answer.headers
    assert "one" in _plain(form, answer.data)
    assert "two" in _plain(form, answer.data)


@pytest.mark.parametrize(
    "request_",
    [
        {"data": {"file": file, "format": "txt"}},
        {"json": {"image": b64(), "options": {"format": "txt"}}},
        {"data": b"picture", "content_type": "image/png", "query_string": {"format": "txt"}},
        {"data": {"image_data": b64(), "format": "txt"}},
    ],
)
def test_it_is_asked_for_like_any_option(request_: dict[str, Any]) -> None:
    data = request_.get("data")
    if isinstance(data, dict):
        request_ = {"data": {k: v() if callable(v) else v for k, v in data.items()}}

    answer = _post(FakeReader(_echo), **request_)

    assert (answer.status_code, answer.text) == (200, "picture\n")


def test_several_pictures_are_in_one_file_under_their_names() -> None:
    sent = [
        (io.BytesIO(b"one"), "C/../一.png"),
        (io.BytesIO(b"bad"), "二.png"),
        (io.BytesIO(b"three"), ""),
    ]

    answer = _post(FakeReader(_echo), data={"file": sent, "format": "csv"})

    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))[1:]
    assert [(row[0], row[3]) for row in rows] == [("一.png", "one"), ("3", "three")]
    assert answer.headers["X-Failed-Documents"] == "2"


def test_formats_with_a_place_for_failures_tell_them() -> None:
    images = [b64(b"bad"), b64(b"two")]

    answer = _post(FakeReader(_echo), json={"images": images, "options": {"format": "jsonl"}})

    first, second = map(json.loads, answer.text.splitlines())
    assert (first["image"], first["error"]["code"]) == ("1", "corrupt")
    assert (second["image"], second["text"]) == ("2", "two")


def test_json_is_the_answer_of_the_address() -> None:
    def asked(path: str) -> Any:
        content = content_of(_post(FakeReader(_echo), path, data={"file": file(b"one")}))
        return {key for key in content if key not in ("total_time", "request_id")}

    for route in ("/v1/ocr", "/ocr"):
        assert asked(f"{route}?format=json") == asked(route)


def test_words_are_placed_by_their_characters() -> None:
    for form, listed in (("hocr", True), ("alto", True), ("csv", False)):
        reader = FakeReader()
        _post(reader, data={"file": file(), "format": form})

        assert reader.calls[0][1].characters is listed


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"format": "doc"}, "did you mean 'docx'"),
        ({"format": "pdf"}, "shizi convert"),
        ({"format": "csv", "coords": "relative"}, "is in pixels"),
    ],
)
def test_what_does_not_go_together_is_refused_unread(options: dict[str, str], told: str) -> None:
    reader = FakeReader()

    answer = _post(reader, data={"file": file(), **options})

    assert (answer.status_code, content_of(answer)["code"]) == (422, "bad_option")
    assert told in content_of(answer)["detail"]
    assert not reader.calls


def test_a_format_for_one_document_refuses_several() -> None:
    answer = _post(FakeReader(), data={"file": [file(), file()], "format": "alto"})

    assert answer.status_code == 422
    assert "holds one document" in content_of(answer)["detail"]


@pytest.mark.parametrize("path", ["/api/ocr", "/ocr?compat=cnocr"])
def test_an_address_with_a_form_of_its_own_refuses_it(path: str) -> None:
    answer = _post(FakeReader(), path, data={"image": file(), "format": "txt"})

    assert answer.status_code in (200, 422)
    assert "/v1/ocr takes formats" in answer.text


def test_the_only_picture_that_fails_is_told_as_ever() -> None:
    answer = _post(FakeReader(CorruptImage("cut short")), data={"file": file(), "format": "docx"})

    assert answer.status_code == 422
    assert answer.content_type == "application/problem+json"


def test_a_package_that_is_missing_is_told_before_anything_is_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(form: Format) -> None:
        raise MissingExtra(form.extra)

    monkeypatch.setattr(Format, "load", load)
    reader = FakeReader()

    answer = _post(reader, data={"file": file(), "format": "xlsx"})

    assert (answer.status_code, content_of(answer)["code"]) == (501, "missing_extra")
    assert "shizi[documents]" in content_of(answer)["detail"]
    assert not reader.calls


def test_no_file_costs_the_web_process_a_library_for_pictures() -> None:
    code = f"""
import sys
from shizi.core.config import Settings
from shizi.core.types import PageResult
from shizi.server.app import create_app
class Reader:
    def read(self, source, options):
        return [PageResult(1, 9, 9, ())]
client = create_app(Settings(), Reader()).test_client()
for form in {sorted(FILES, key=lambda name: FORMATS[name].binary)}:
    assert client.post("/v1/ocr?format=" + form, data=b"x").status_code == 200
    if form not in ("xlsx", "docx"):
        assert not {{"docx", "lxml", "xlsxwriter"}} & set(sys.modules), form
print({{"numpy", "cv2", "PIL", "onnxruntime", "pikepdf"}} & set(sys.modules))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False
    )

    assert done.stdout.strip() == "set()", done.stderr
