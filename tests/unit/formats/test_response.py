"""What the outside sees of a result."""

from __future__ import annotations

import json

import numpy as np
import pytest

from shizi.core.errors import TooLarge
from shizi.core.types import Character, Direction, Notice, Origin, PageResult, Quad, TextLine
from shizi.formats import (
    dict_to_json,
    dict_to_jsonl,
    dict_to_pages,
    error_to_dict,
    pages_to_dict,
    pages_to_text,
)


def _line(text: str, confidence: float = 0.98765, **more: object) -> TextLine:
    return TextLine(text, confidence, Quad.from_rect(1, 2.345, 30.004, 12.5), **more)  # type: ignore[arg-type]


def _page(number: int, *lines: TextLine, **more: object) -> PageResult:
    return PageResult(number, 640, 480, lines, **more)  # type: ignore[arg-type]


def test_text_keeps_the_order_and_parts_pages() -> None:
    pages = [_page(1, _line("发票"), _line("Total")), _page(2), _page(3, _line("end"))]

    assert pages_to_text(pages) == "发票\nTotal\n\f\fend\n"
    assert pages_to_text([]) == ""


def test_a_line_is_told_with_box_page_and_number() -> None:
    response = pages_to_dict([_page(1), _page(2, _line("a"), _line("b"))], 0.41239)

    assert response["success"] is True
    assert response["results"] == [
        {
            "text": text,
            "confidence": 0.9877,
            "box": [[1, 2.35], [30, 2.35], [30, 12.5], [1, 12.5]],
            "page": 2,
            "line": number,
            "direction": "h",
        }
        for number, text in ((1, "a"), (2, "b"))
    ]
    assert response["total_time"] == 0.4124
    assert response["schema"] == "1.0"


def test_no_text_is_a_success() -> None:
    response = pages_to_dict([_page(1)], 0.1)

    assert (response["success"], response["results"], response["text"]) == (True, [], "")
    assert pages_to_dict([], 0.1)["model"] == {"name": "", "version": ""}


def test_characters_are_listed_where_there_are_some() -> None:
    character = Character("你", 0.99, Quad.from_rect(0, 0, 9, 9))
    line = _line("你", direction=Direction.VERTICAL, characters=(character,))

    (result,) = pages_to_dict([_page(1, line)], 0.1)["results"]  # type: ignore[misc, attr-defined]

    assert result["direction"] == "v"
    assert result["chars"] == [
        {"text": "你", "confidence": 0.99, "box": [[0, 0], [9, 0], [9, 9], [0, 9]]}
    ]


def test_pages_warnings_model_and_timing() -> None:
    pages = [
        _page(
            1,
            notices=(Notice("downscaled", "halved", 1), Notice("other", "whole document")),
            timing_s=(("decode", 0.1), ("detect", 0.2)),
            angle_deg=-0.001,
            scale=0.5,
            steps=("deskew",),
            model="crnn-s",
        ),
        _page(2, timing_s=(("decode", 0.05),), model="crnn-s"),
    ]

    response = pages_to_dict(pages, 1)

    assert response["pages"] == [
        {"page": 1, "width": 640, "height": 480, "angle": 0, "scale": 0.5, "steps": ["deskew"]},
        {"page": 2, "width": 640, "height": 480, "angle": 0, "scale": 1.0, "steps": []},
    ]
    assert response["warnings"] == [
        {"code": "downscaled", "detail": "halved", "page": 1},
        {"code": "other", "detail": "whole document"},
    ]
    assert response["model"] == {"name": "crnn-s", "version": ""}
    assert response["timing"] == {"decode": 0.15, "detect": 0.2}


def test_a_line_of_the_documents_text_says_so_and_comes_back() -> None:
    page = _page(1, _line("a", origin=Origin.LAYER), _line("b"))

    response = pages_to_dict([page], 0.1)

    lines = response["results"]
    assert [entry.get("origin") for entry in lines] == ["layer", None]  # type: ignore[attr-defined]
    assert [line.origin for line in dict_to_pages(response)[0]] == [Origin.LAYER, Origin.PICTURE]


def test_numbers_of_numpy_are_written_as_numbers() -> None:
    box = Quad.from_array(np.float32([[0.1, 0], [9, 0], [9, 5], [0, 5]]))
    line = TextLine("x", float(np.float32(0.5)), box)

    text = dict_to_json(pages_to_dict([_page(1, line)], float(np.float64(0.25))))

    assert json.loads(text)["results"][0]["box"][0] == [0.1, 0]


def test_json_lines_begin_with_the_name_and_keep_chinese() -> None:
    text = dict_to_jsonl("发票.png", {"success": True})

    assert text == '{"image": "发票.png", "success": true}\n'


def test_an_error_carries_code_message_and_advice() -> None:
    response = error_to_dict(TooLarge("max_pixels", 10, 1200))

    assert response == {
        "success": False,
        "error": {
            "code": "too_large",
            "message": "max_pixels is 10 and the input has 1,200",
            "advice": TooLarge.advice,
        },
        "results": [],
    }


@pytest.mark.parametrize("value", [-0.0, 0.001, 5.0])
def test_whole_numbers_are_written_without_a_point(value: float) -> None:
    page = pages_to_dict([_page(1, angle_deg=value)], 0.1)["pages"][0]  # type: ignore[index]

    assert isinstance(page["angle"], int)


def test_boxes_may_be_parts_of_the_page() -> None:
    page = PageResult(1, 100, 50, (TextLine("a", 1.0, Quad.from_rect(10, 5, 50, 50)),))

    response = pages_to_dict([page], 0.0, relative=True)

    assert response["results"][0]["box"] == [[0.1, 0.1], [0.5, 0.1], [0.5, 1.0], [0.1, 1.0]]  # type: ignore[index]


def test_pages_come_back_from_their_response() -> None:
    characters = (Character("a", 0.25, Quad.from_rect(0, 0, 1, 1)),)
    pages = [
        _page(
            1,
            notices=(Notice("downscaled", "b", 1), Notice("c", "d")),
            angle_deg=1.5,
            scale=0.5,
            steps=("x",),
        ),
        _page(2, _line("a", 0.25, characters=characters, direction=Direction.VERTICAL), model=""),
    ]
    written = json.loads(json.dumps(pages_to_dict(pages, 0.0)))

    back = dict_to_pages(written)

    assert json.loads(json.dumps(pages_to_dict(back, 0.0))) == written
    assert back[1].lines[0].characters == characters
    assert back[1].lines[0].direction is Direction.VERTICAL
    assert back[0].notices == pages[0].notices
