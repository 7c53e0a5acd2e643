"""The keyboard on the page: all of it without a mouse."""

from __future__ import annotations

import pytest

from tests.browser import answer, answer_with, choose, clipboard, keep_picture, line, picture, read
from tests.marks import ONE_WORKER

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = [pytest.mark.acceptance, ONE_WORKER]


@pytest.fixture(autouse=True)
def _answers(page: sync_api.Page) -> None:
    answer_with(page, answer(line("one"), line("two", 2), line("three", 1, page=2)))


def test_reading_is_started(page: sync_api.Page) -> None:
    choose(page, picture("a.png"))
    page.keyboard.press("Control+Enter")

    expect(page.locator("#lines .text").first).to_have_text("one")


def test_reading_is_started_where_words_are_typed(page: sync_api.Page) -> None:
    choose(page, picture("a.png"))
    page.get_by_text("选项", exact=True).click()
    page.get_by_label("常用词").fill("KBE")
    page.keyboard.press("Control+Enter")

    expect(page.locator("#lines .text").first).to_have_text("one")


def test_lines_are_walked_changed_and_copied(page: sync_api.Page) -> None:
    read(page, picture("a.png"))
    chosen = page.locator("#lines li.active .text")
    page.keyboard.press("ArrowDown")
    expect(chosen).to_have_text("one")
    page.keyboard.press("ArrowDown")
    expect(chosen).to_have_text("two")
    expect(page.locator("#lines li.active")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.type("zwei")
    page.keyboard.press("Enter")
    expect(chosen).to_have_text("zwei")
    page.keyboard.press("Control+c")
    assert clipboard(page) == "zwei"
    page.keyboard.press("Control+z")
    expect(chosen).to_have_text("two")
    page.keyboard.press("F2")
    page.keyboard.type("abandoned")
    page.keyboard.press("Escape")
    expect(chosen).to_have_text("two")
    page.keyboard.press("Escape")
    expect(chosen).to_have_count(0)


def test_a_line_of_another_page_turns_to_it(page: sync_api.Page) -> None:
    read(page, picture("a.png"))
    page.keyboard.press("ArrowUp")

    expect(page.locator("#lines li.active .text")).to_have_text("three")
    expect(page.locator("#page-now")).to_have_text("2 / 2 页")
    page.keyboard.press("[")
    expect(page.locator("#page-now")).to_have_text("1 / 2 页")
    page.keyboard.press("]")
    expect(page.locator("#page-now")).to_have_text("2 / 2 页")


@pytest.mark.parametrize(("on", "back"), [("ArrowRight", "ArrowLeft"), ("d", "a")])
def test_files_are_walked(page: sync_api.Page, on: str, back: str) -> None:
    choose(page, picture("a.png"), picture("b.png"))
    title = page.locator("#viewer-title")
    page.keyboard.press(on)
    expect(title).to_have_text("b.png")
    page.keyboard.press(on)
    expect(title).to_have_text("b.png")
    page.keyboard.press(back)
    expect(title).to_have_text("a.png")


def test_the_picture_is_enlarged_and_fitted(page: sync_api.Page) -> None:
    choose(page, picture("a.png"))
    expect(page.locator("#picture")).to_be_visible()
    page.keyboard.press("1")
    expect(page.locator("#zoom-now")).to_have_text("100%")
    page.keyboard.press("+")
    expect(page.locator("#zoom-now")).to_have_text("125%")
    page.keyboard.press("-")
    expect(page.locator("#zoom-now")).to_have_text("100%")
    page.keyboard.press("0")
    expect(page.locator("#zoom-now")).not_to_have_text("100%")


def test_help_is_shown_and_closed(page: sync_api.Page) -> None:
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    keep_picture(page, "help")
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()


def test_single_keys_can_be_switched_off(page: sync_api.Page) -> None:
    choose(page, picture("a.png"), picture("b.png"))
    page.keyboard.press("?")
    page.get_by_label("启用单键快捷键").uncheck()
    page.keyboard.press("Escape")
    page.keyboard.press("d")
    page.keyboard.press("?")

    expect(page.locator("#viewer-title")).to_have_text("a.png")
    expect(page.locator("#help")).to_be_hidden()


def test_the_tab_key_comes_to_every_part_and_focus_is_seen(page: sync_api.Page) -> None:
    read(page, picture("a.png"))
    page.locator("body").click(position={"x": 2, "y": 2})
    seen: list[str] = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.tagName"))
        if seen[-1] == "LI":
            break

    assert {"open-history", "language", "file", "zoom-in", "stage", "copy", "keep"} <= set(seen)
    assert seen[-1] == "LI"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
