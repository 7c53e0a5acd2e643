"""Umi-OCR's clients find what they know at their own address."""

from __future__ import annotations

import time
from typing import Any

import pytest

from shizi.core.errors import CorruptImage
from shizi.core.options import Effort
from tests.fakes import FakeReader, one_page
from tests.unit.server.calls import b64, client_of, content_of


def _ask(reader: FakeReader | None = None, **options: Any) -> Any:
    reader = reader or FakeReader([one_page("第一行", "and two", "three")])
    answer = client_of(reader).post("/api/ocr", json={"base64": b64(), "options": options})
    assert answer.status_code == 200
    return content_of(answer)


def test_lines_as_umi_has_them() -> None:
    before = time.time()

    content = _ask()

    assert content["code"] == 100
    assert content["data"][0] == {
        "text": "第一行",
        "score": 0.9,
        "box": [[10, 0], [200, 0], [200, 16], [10, 16]],
        "end": "\n",
    }
    assert content["text"] == ["第一行", "and two", "three"]
    assert isinstance(content["time"], float)
    assert before <= content["timestamp"] <= time.time()


def test_as_text() -> None:
    assert _ask(**{"data.format": "text"})["data"] == "第一行\nand two\nthree\n"


def test_lines_that_are_joined() -> None:
    content = _ask(**{"data.format": "text", "tbpu.parser": "multi_none"})

    assert content["data"] == "第一行and two three\n"


def test_lines_within_an_ignored_area_are_left_out() -> None:
    whole, part = [[0, 15], [300, 40]], [[0, 0], [100, 100]]

    assert _ask(**{"tbpu.ignoreArea": [whole, part]})["text"] == ["第一行", "three"]


def test_no_text_has_its_own_code() -> None:
    content = _ask(FakeReader([one_page()]))

    assert content["code"] == 101
    assert isinstance(content["data"], str)
    assert content["text"] == []


def test_our_options_work_beside_theirs() -> None:
    reader = FakeReader()

    _ask(reader, **{"ocr.cls": True, "ocr.limit_side_len": 960, "effort": "balanced"})

    assert reader.calls[0][1].effort is Effort.BALANCED


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ({"base64": "!"}, "no valid base64"),
        ({"base64": b64(), "options": {"data.fromat": "text"}}, "did you mean 'data.format'?"),
        ({"base64": b64(), "options": {"data.format": "xml"}}, "one of dict, text"),
        ({"base64": b64(), "options": {"tbpu.parser": ["x"]}}, "one of multi_para"),
        ({"base64": b64(), "options": {"tbpu.ignoreArea": [[1]]}}, "is a list of"),
        ({"base64": b64(), "options": []}, ""),
        ({"base64": b64(), "options": "x"}, "no object"),
        ({"base64": b64(), "option": {}}, "did you mean 'options'?"),
    ],
)
def test_a_failure_is_told_in_the_body(body: Any, told: str) -> None:
    answer = client_of().post("/api/ocr", json=body)

    content = content_of(answer)
    assert answer.status_code == 200
    if told:
        assert content["code"] not in (100, 101)
        assert told in content["data"]


def test_a_picture_that_cannot_be_read() -> None:
    assert _ask(FakeReader(CorruptImage("cut short")))["code"] == 301


def test_the_options_are_listed() -> None:
    content = content_of(client_of().get("/api/ocr/get_options"))

    assert content["data.format"]["default"] == "dict"
    for option in content.values():
        assert option["type"] in ("enum", "var", "boolean", "number", "text")
        assert "default" in option
        assert option["title"]
