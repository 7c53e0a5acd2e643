"""Markdown and DOCX: paragraphs, and nothing in the text that means something there."""

from __future__ import annotations

import io

import docx
import pytest

from shizi.core.types import Direction
from shizi.formats import FORMATS, Document
from shizi.formats.md import escaped
from shizi.formats.paragraphs import join_lines, paragraphs
from tests.unit.formats.pages import line, page, stacked, written


def docx_texts(data: bytes) -> list[str]:
    return [paragraph.text for paragraph in docx.Document(io.BytesIO(data)).paragraphs]


def test_full_lines_below_each_other_are_one_paragraph() -> None:
    lines = [
        line("第一段的第一行，写到右边为", top=0),
        line("止，这里是第二行。", top=30, width=250),
        line("第二段。", top=60, width=120),
    ]

    groups = paragraphs(page(*lines))

    assert [join_lines(group) for group in groups] == [
        "第一段的第一行，写到右边为止，这里是第二行。",
        "第二段。",
    ]


def test_columns_of_vertical_text_run_from_right_to_left() -> None:
    vertical = Direction.VERTICAL
    lines = [
        line("竖排文字从上到下", left=200, top=0, width=24, height=400, direction=vertical),
        line("从右到左", left=170, top=0, width=24, height=200, direction=vertical),
    ]

    assert [join_lines(group) for group in paragraphs(page(*lines))] == ["竖排文字从上到下从右到左"]


@pytest.mark.parametrize(
    ("texts", "joined"),
    [
        (("recog-", "nition"), "recognition"),
        (("PP-", "OCR"), "PP- OCR"),
        (("plain", "words"), "plain words"),
        (("中文", "word"), "中文word"),
        (("word", "中文"), "word中文"),
        (("𠮷", "𠮷"), "𠮷𠮷"),
        (("a", " ", "b"), "a b"),
    ],
)
def test_lines_are_joined_as_they_would_have_been_written(
    texts: tuple[str, ...], joined: str
) -> None:
    assert join_lines(line(text) for text in texts) == joined


def test_items_of_a_list_stay_apart() -> None:
    lines = [line(f"{k}、事项", top=30 * k) for k in range(1, 4)]

    assert len(paragraphs(page(*lines))) == 3


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("*粗* _斜_ `码`", r"\*粗\* \_斜\_ \`码\`"),
        ("# 标题", r"\# 标题"),
        ("1. 一", r"1\. 一"),
        ("- 项", r"\- 项"),
        ("<script>", r"\<script\>"),
        ("a\\b | c", r"a\\b \| c"),
        ("2026 年", "2026 年"),
        ("两\n行", "两 行"),
    ],
)
def test_markdown_shows_text_as_it_is(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_markdown_parts_pages_and_names_several_documents() -> None:
    assert written("md", stacked("甲", "乙"), stacked("丙", number=2)).decode() == (
        "甲\n\n乙\n\n---\n\n丙\n"
    )
    out = io.BytesIO()
    writer = FORMATS["md"].open(out, several=True)
    for name in ("a_1.png", "b.png"):
        writer.begin(Document(name))
        writer.add(stacked("x"))
        writer.end(0.1)
    writer.close()
    assert out.getvalue().decode() == "# a\\_1.png\n\nx\n\n# b.png\n\nx\n"


def test_docx_has_a_paragraph_each_and_a_break_between_pages() -> None:
    data = written("docx", stacked("甲", "b < c & d"), stacked("丙", number=2))

    assert docx_texts(data) == ["甲", "b < c & d", "丙"]
    file = docx.Document(io.BytesIO(data))
    assert file.core_properties.title == "扫描 & <1>.png"
    assert file.core_properties.author == ""
    breaks = [p.paragraph_format.page_break_before for p in file.paragraphs]
    assert breaks == [None, None, True]


def test_docx_keeps_empty_pages() -> None:
    data = written("docx", stacked("甲"), page(number=2), stacked("丙", number=3))

    assert docx_texts(data) == ["甲", "", "丙"]


def test_docx_names_several_documents() -> None:
    out = io.BytesIO()
    writer = FORMATS["docx"].open(out, several=True)
    for name in ("a.png", "b.png"):
        writer.begin(Document(name))
        writer.add(stacked("x"))
        writer.end(0.1)
    writer.close()

    assert docx_texts(out.getvalue()) == ["a.png", "x", "b.png", "x"]


def test_docx_takes_what_xml_cannot_hold() -> None:
    assert docx_texts(written("docx", stacked("a\x00b\ud800")))[0] == "a\ufffdb\ufffd"
