"""Clients of Baidu's text recognition need but another address."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shizi.core.errors import Busy, CorruptImage, ModelError, TooLarge, UnsupportedFormat
from shizi.core.options import Effort
from shizi.core.types import Character, PageResult, Quad
from tests.fakes import FakeReader, one_page
from tests.unit.server.calls import b64, client_of, content_of, file

PREFIX = "/rest/2.0/ocr/v1/"


def _page() -> PageResult:
    page = one_page("发票")
    characters = tuple(
        Character(text, confidence, Quad.from_rect(10 + 20 * k, 0, 30 + 20 * k, 16))
        for k, (text, confidence) in enumerate([("发", 0.9), ("票", 0.7)])
    )
    return replace(page, lines=(replace(page.lines[0], characters=characters),))


def _ask(kind: str = "general_basic", reader: FakeReader | None = None, **form: Any) -> Any:
    reader = reader or FakeReader([_page()])
    answer = client_of(reader).post(f"{PREFIX}{kind}?access_token=x", data={"image": b64(), **form})
    assert answer.status_code == 200
    return content_of(answer)


def test_words_alone() -> None:
    content = _ask()

    assert content["words_result"] == [{"words": "发票"}]
    assert content["words_result_num"] == 1
    assert isinstance(content["log_id"], int)
    assert 0 <= content["log_id"] < 2**63


@pytest.mark.parametrize("kind", ["general", "accurate"])
def test_words_and_their_places(kind: str) -> None:
    (line,) = _ask(kind, vertexes_location="true", probability="true")["words_result"]

    assert line["location"] == {"left": 10, "top": 0, "width": 190, "height": 16}
    assert line["vertexes_location"][2] == {"x": 200, "y": 16}
    assert line["probability"] == {"average": 0.8, "min": 0.7, "variance": 0.01}
    assert "chars" not in line


def test_characters_and_paragraphs() -> None:
    content = _ask(
        "general", recognize_granularity="small", paragraph="true", detect_direction="true"
    )

    assert content["words_result"][0]["chars"][1] == {
        "char": "票",
        "location": {"left": 30, "top": 0, "width": 20, "height": 16},
    }
    assert content["paragraphs_result"] == [{"words_result_idx": [0]}]
    assert content["paragraphs_result_num"] == 1
    assert content["direction"] == 0


@pytest.mark.parametrize(
    ("kind", "effort"), [("general_basic", Effort.FAST), ("accurate_basic", Effort.ACCURATE)]
)
def test_accurate_takes_the_larger_model(kind: str, effort: Effort) -> None:
    reader = FakeReader()

    _ask(kind, reader)

    assert reader.calls[0][1].effort is effort


def test_plus_signs_that_were_not_escaped_are_put_back() -> None:
    reader = FakeReader()
    data = bytes([0xFB, 0xEF, 0xBE])

    client_of(reader).post(
        f"{PREFIX}general",
        data=b"image=" + b64(data).encode(),
        content_type="application/x-www-form-urlencoded",
    )

    assert "+" in b64(data)
    assert reader.calls[0][0] == data


def test_a_page_of_a_pdf() -> None:
    reader = FakeReader()

    client_of(reader).post(PREFIX + "general", data={"pdf_file": b64(), "pdf_file_num": "3"})

    assert reader.calls[0][1].decode.first_page == reader.calls[0][1].decode.last_page == 3


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (CorruptImage("x"), 216201),
        (UnsupportedFormat("x"), 216201),
        (TooLarge("max_pixels", 1, 2), 216202),
        (Busy(1), 18),
        (ModelError("x"), 282000),
    ],
)
def test_a_failure_is_told_in_the_body(error: Exception, code: int) -> None:
    content = _ask(reader=FakeReader(error))

    assert content["error_code"] == code
    assert isinstance(content["error_msg"], str)
    assert "words_result" not in content


@pytest.mark.parametrize(
    ("path", "form", "code"),
    [
        ("general", {}, 216101),
        ("general", {"url": "http://a.example/a.png"}, 216101),
        ("general", {"image": "!"}, 216200),
        ("general", {"image": b64(), "imagee": "x"}, 216100),
        ("general", {"image": b64(), "paragraph": "perhaps"}, 216100),
        ("general", {"image": b64(), "pdf_file": b64()}, 216100),
        ("general?image=1", {"image": [b64(), b64()]}, 216100),
        ("handwriting", {"image": b64()}, 3),
    ],
)
def test_a_wrong_request_is_told_in_the_body(path: str, form: Any, code: int) -> None:
    answer = client_of().post(PREFIX + path, data=form)

    assert answer.status_code == 200
    assert content_of(answer)["error_code"] == code


def test_files_of_a_form_are_taken_too() -> None:
    answer = client_of().post(PREFIX + "general_basic", data={"image": file()})

    assert content_of(answer)["words_result_num"] == 1
