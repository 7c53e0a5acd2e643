"""The service over HTTP, on a reader that reads nothing."""

from __future__ import annotations

import io
import logging
import re
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

import shizi.server
from shizi.core.config import load
from shizi.core.errors import Busy, CorruptImage, EncryptedPdf, ModelError, TooLarge
from shizi.core.options import Decoder, Effort
from shizi.server.app import create_app
from tests.fakes import FakeReader, one_page

STATIC = Path(shizi.server.__file__).parent / "static"


def _client(reader: FakeReader | None = None, **flags: Any) -> FlaskClient:
    settings = load({k.replace("__", "."): v for k, v in flags.items()}, environ={}).settings
    return create_app(settings, reader or FakeReader()).test_client()


def _post(
    client: FlaskClient, field: str = "image", body: bytes = b"x", **form: str
) -> TestResponse:
    return client.post("/ocr", data={field: (io.BytesIO(body), "page.png"), **form})


@pytest.mark.parametrize("field", ["image", "file", "image_file"])
def test_a_picture_is_read_under_any_of_its_field_names(field: str) -> None:
    reader = FakeReader([one_page("发票", "Total 5")])

    answer = _post(_client(reader), field, b"picture")

    assert answer.status_code == 200
    assert answer.json is not None
    assert answer.json["success"] is True
    assert [line["text"] for line in answer.json["results"]] == ["发票", "Total 5"]
    assert answer.json["results"][0]["box"] == [[10, 0], [200, 0], [200, 16], [10, 16]]
    assert answer.json["total_time"] >= 0
    assert "发票" in answer.get_data(as_text=True)
    assert answer.headers["Cache-Control"] == "no-store"
    assert reader.calls[0][0] == b"picture"


def test_form_fields_choose_options() -> None:
    reader = FakeReader()

    _post(_client(reader), dpi="300", steps="grayscale,clahe", password="pw", chars="true")
    _post(_client(reader), effort="balanced")
    _post(_client(reader), decoder="greedy")
    _post(_client(reader), words="张筠\nKBE-37\n")

    options = reader.calls[0][1]
    assert options.decode.pdf_dpi == 300
    assert options.decode.password == "pw"
    assert options.steps == ("grayscale", "clahe")
    assert options.characters
    assert options.effort is Effort.FAST
    assert reader.calls[1][1].effort is Effort.BALANCED
    assert reader.calls[2][1].decoder is Decoder.GREEDY
    assert reader.calls[3][1].words == ("张筠", "KBE-37")


def test_settings_reach_the_reader() -> None:
    reader = FakeReader()

    _post(_client(reader, reader__pdf_dpi=150, limits__max_pages=3))

    assert reader.calls[0][1].decode.pdf_dpi == 150
    assert reader.calls[0][1].limits.max_pages == 3


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"dip": "300"}, "did you mean 'dpi'?"),
        ({"dpi": "9"}, "dpi is 9"),
        ({"chars": "perhaps"}, "say true or false"),
        ({"effort": "best"}, "one of fast, balanced, accurate"),
        ({"decoder": "wide"}, "one of beam, greedy"),
    ],
)
def test_a_wrong_option_is_refused_and_nothing_read(form: dict[str, str], told: str) -> None:
    reader = FakeReader()

    answer = _post(_client(reader), **form)

    _assert_failed(answer, 422, "bad_option")
    assert answer.json is not None
    assert told in answer.json["error"]["message"]
    assert not reader.calls


def test_an_unknown_query_is_refused_too() -> None:
    answer = _client().post("/ocr?compat=x", data={"image": (io.BytesIO(b"x"), "a.png")})

    _assert_failed(answer, 422, "bad_option")


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (CorruptImage("cut short"), 422),
        (EncryptedPdf("locked"), 422),
        (TooLarge("max_pixels", 1, 2), 413),
        (ModelError("failed"), 500),
    ],
)
def test_an_error_of_the_tree_keeps_its_status_and_advice(error: Any, status: int) -> None:
    answer = _post(_client(FakeReader(error)))

    _assert_failed(answer, status, error.code)
    assert answer.json is not None
    assert answer.json["error"] == {
        "code": error.code,
        "message": error.detail,
        "advice": error.advice,
    }


def test_busy_says_when_to_come_back() -> None:
    answer = _post(_client(FakeReader(Busy(2.6))))

    _assert_failed(answer, 503, "busy")
    assert answer.headers["Retry-After"] == "3"


def test_a_bug_is_answered_without_its_details(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        answer = _post(_client(FakeReader(RuntimeError("inner workings"))))

    _assert_failed(answer, 500, "error")
    assert "inner workings" not in answer.get_data(as_text=True)
    assert "unexpected error while reading" in caplog.text


def test_a_request_without_a_picture_is_refused() -> None:
    client = _client()

    _assert_failed(client.post("/ocr"), 400, "missing_image")
    _assert_failed(client.post("/ocr", data={"image": "text"}), 400, "missing_image")
    _assert_failed(client.post("/ocr", json={"a": 1}), 400, "missing_image")


def test_a_large_body_is_refused_before_it_is_read() -> None:
    class Unread(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise AssertionError("the body was read")

    answer = _client(server__max_body_bytes=1000).post(
        "/ocr",
        input_stream=Unread(),
        environ_overrides={"CONTENT_LENGTH": "2000"},
        content_type="multipart/form-data; boundary=x",
    )

    _assert_failed(answer, 413, "too_large")
    assert answer.json is not None
    assert answer.json["error"]["message"] == "max_body_bytes is 1,000 and the input has 2,000"
    assert answer.headers["Connection"] == "close"


def test_unknown_routes_and_methods_answer_in_json() -> None:
    client = _client()

    _assert_failed(client.get("/nowhere"), 404, "not_found")
    refused = client.get("/ocr")
    _assert_failed(refused, 405, "method_not_allowed")
    assert "POST" in refused.headers["Allow"]


def test_health() -> None:
    answer = _client().get("/healthz")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/", "/static/app.js", "/static/style.css", "/ocr", "/nowhere"])
def test_every_answer_carries_the_security_headers(path: str) -> None:
    with _client().get(path) as answer:
        headers = answer.headers

    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["X-Frame-Options"] == "DENY"


def test_the_page_has_the_button_and_fetches_nothing_from_elsewhere() -> None:
    with _client().get("/") as answer:
        page = answer.get_data(as_text=True)

    assert "开始高精度识别" in page
    for file in STATIC.rglob("*.*"):
        text = file.read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?:|//[a-z]+\.", text), file.name
    assert not re.search(r"<script(?![^>]*src)|<style|\son\w+=|style=", page)


def test_the_recognized_text_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        _post(_client(FakeReader([one_page("CANARY-4711")])))

    assert "CANARY" not in caplog.text


def _assert_failed(answer: TestResponse, status: int, code: str) -> None:
    assert answer.status_code == status
    assert answer.json is not None
    assert answer.json["success"] is False
    assert answer.json["results"] == []
    assert answer.json["error"]["code"] == code
    assert answer.json["error"]["advice"]
