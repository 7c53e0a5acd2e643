"""What is done with the lines on the page: changed, copied, taken away as files."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests.acceptance.visitor import made_up, read, upload
from tests.program import RECEIPT

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.acceptance

expect = api.expect
TEXTS = ("甲方：杭州西溪书店", "=cmd()|' /C calc'!A0", "# not a *heading*")


@pytest.fixture
def result(page: api.Page, context: api.BrowserContext) -> api.Page:
    """Give the page with an answer of three lines."""
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.route("**/ocr", lambda route: route.fulfill(json=made_up(*TEXTS)))
    read(page, RECEIPT)
    expect(page.locator("#lines .text")).to_have_text(list(TEXTS))
    return page


def _clipboard(page: api.Page) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def _export(page: api.Page, kind: str) -> tuple[str, str]:
    with page.expect_download() as download:
        page.locator(f"[data-export={kind}]").click()
    path = download.value.path()
    return download.value.suggested_filename, path.read_bytes().decode("utf-8")


def test_a_line_is_changed_in_its_place_and_back(result: api.Page) -> None:
    line = result.locator("#lines [data-index='0']")
    line.dblclick()
    result.locator(".editor").fill("乙方：北京")
    result.keyboard.press("Enter")
    expect(line.locator(".text")).to_have_text("乙方：北京")
    expect(line.locator(".mark")).to_have_text("已改")

    result.keyboard.press("Control+z")
    expect(line.locator(".text")).to_have_text(TEXTS[0])
    expect(line.locator(".mark")).to_have_count(0)


def test_a_change_is_abandoned_with_escape(result: api.Page) -> None:
    line = result.locator("#lines [data-index='1']")
    line.click()
    result.keyboard.press("F2")
    result.locator(".editor").fill("something else")
    result.keyboard.press("Escape")

    expect(line.locator(".text")).to_have_text(TEXTS[1])


def test_lines_are_copied_as_they_were_changed(result: api.Page) -> None:
    result.locator("#lines [data-index='2']").dblclick()
    result.locator(".editor").fill("changed")
    result.keyboard.press("Enter")
    result.get_by_role("button", name="复制全部").click()
    expect(result.locator("#status")).to_have_text("已复制")
    assert _clipboard(result) == "\n".join((*TEXTS[:2], "changed"))

    line = result.locator("#lines [data-index='0']")
    line.click()
    line.get_by_role("button", name="复制").click()
    expect(result.locator("#status")).to_have_text("已复制这一行")
    assert _clipboard(result) == TEXTS[0]


def test_text_and_json_are_exported(result: api.Page) -> None:
    name, text = _export(result, "txt")
    assert (name, text) == ("receipt.txt", "\n".join(TEXTS) + "\n")

    name, text = _export(result, "json")
    content = json.loads(text)
    assert name == "receipt.json"
    assert [line["text"] for line in content["results"]] == list(TEXTS)
    assert content["pages"][0]["width"] == 90


def test_a_spreadsheet_takes_no_line_for_a_formula(result: api.Page) -> None:
    name, text = _export(result, "csv")
    assert name == "receipt.csv"
    assert text.startswith("\ufeff")

    rows = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline="")))
    assert [row["text"] for row in rows] == [TEXTS[0], "'" + TEXTS[1], TEXTS[2]]
    assert (rows[0]["file"], rows[0]["x2"], rows[0]["confidence"]) == ("receipt.png", "90", "0.5")


def test_markdown_shows_the_lines_as_they_are(result: api.Page) -> None:
    name, text = _export(result, "md")

    assert name == "receipt.md"
    assert r"\# not a \*heading\*" in text


def test_several_files_go_into_one_export(result: api.Page) -> None:
    read(result, upload("second.png", RECEIPT.read_bytes()))
    expect(result.locator("#files [data-state=done]")).to_have_count(2)

    name, text = _export(result, "txt")
    assert name == "shizi.txt"
    assert text.count(TEXTS[0]) == 2
    assert "===== receipt.png =====" in text
    assert "===== second.png =====" in text


def test_paragraphs_are_merged_where_that_is_wanted(page: api.Page) -> None:
    lines = made_up(
        "the quick brown fox jumps over the", "lazy dog and runs away into the", "wood."
    )
    page.route("**/ocr", lambda route: route.fulfill(json=lines))
    read(page, RECEIPT)
    page.get_by_text("合并段落").click()

    _, text = _export(page, "txt")
    assert "over the lazy dog" in text
