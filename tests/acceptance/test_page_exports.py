"""The files the page gives: what is in each."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.browser import answer, answer_with, line, picture, read
from tests.marks import ONE_WORKER

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = [pytest.mark.acceptance, ONE_WORKER]

_TEXTS = ["标题 *a* #1", '=cmd("x"),y', "# 1. <b>&"]
_ANSWER = answer(*(line(text, k) for k, text in enumerate(_TEXTS, 1)))


def _export(page: sync_api.Page, kind: str) -> tuple[str, str]:
    """Give the name and the content of an exported file."""
    with page.expect_download() as waited:
        page.get_by_role("button", name=kind, exact=True).click()
    given = waited.value
    return given.suggested_filename, Path(given.path()).read_bytes().decode()


@pytest.fixture
def _one(page: sync_api.Page) -> None:
    answer_with(page, _ANSWER)
    read(page, picture("票 据.png"))


@pytest.mark.usefixtures("_one")
def test_text(page: sync_api.Page) -> None:
    assert _export(page, "TXT") == ("票 据.txt", "\n".join(_TEXTS) + "\n")


@pytest.mark.usefixtures("_one")
def test_json_is_the_answer_with_the_changes(page: sync_api.Page) -> None:
    page.locator("#lines li").nth(1).dblclick()
    page.get_by_label("修改这一行").fill("changed")
    page.keyboard.press("Enter")

    name, text = _export(page, "JSON")
    content = json.loads(text)

    assert name == "票 据.json"
    changed = [_TEXTS[0], "changed", _TEXTS[2]]
    assert [each["text"] for each in content["results"]] == changed
    assert content["results"][1]["edited"] is True
    assert content["text"] == "\n".join(changed)
    assert content["results"][0] == _ANSWER["results"][0]
    assert content["model"]["name"] == "crnn-s"


@pytest.mark.usefixtures("_one")
def test_a_table_opens_as_text_and_nothing_else(page: sync_api.Page) -> None:
    name, text = _export(page, "CSV")
    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))

    assert name == "票 据.csv"
    assert text.startswith("\ufeff")
    assert [row["text"] for row in rows] == [_TEXTS[0], f"'{_TEXTS[1]}", _TEXTS[2]]
    assert rows[0]["file"] == "票 据.png"
    assert float(rows[0]["confidence"]) == 0.99
    assert [rows[0][f"{axis}{k}"] for k in (1, 3) for axis in "xy"] == ["20", "30", "420", "50"]


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_cell_is_run_as_a_formula(page: sync_api.Page, sign: str) -> None:
    cell = page.evaluate(
        'async (text) => (await import("/static/js/csv.js")).toCell(text)', f"{sign}1+1"
    )

    assert next(csv.reader(io.StringIO(cell, newline=""))) == [f"'{sign}1+1"]


@pytest.mark.usefixtures("_one")
def test_markdown_shows_the_text_as_it_is(page: sync_api.Page) -> None:
    name, text = _export(page, "Markdown")

    assert name == "票 据.md"
    assert text == '标题 \\*a\\* #1  \n\\=cmd("x"),y  \n\\# 1. \\<b\\>\\&\n'


def test_several_files_go_into_one(page: sync_api.Page) -> None:
    answer_with(page, answer(line("文字")))
    read(page, picture("a.png"), picture("b.png"))

    name, text = _export(page, "TXT")
    assert name == "shizi.txt"
    assert text == "===== a.png =====\n\n文字\n\n===== b.png =====\n\n文字\n"
    assert [each["image"] for each in json.loads(_export(page, "JSON")[1])] == ["a.png", "b.png"]
    assert _export(page, "Markdown")[1] == "# a.png\n\n文字\n\n# b.png\n\n文字\n"
    assert _export(page, "CSV")[1].count("\r\n") == 3
    page.get_by_label("范围").select_option("one")
    assert _export(page, "TXT") == ("a.txt", "文字\n")
