"""The history of the page: in this browser alone, and only where it was asked for."""

from __future__ import annotations

import pytest

from tests.browser import answer, answer_with, clipboard, keep_picture, line, picture, read
from tests.marks import ONE_WORKER

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = [pytest.mark.acceptance, ONE_WORKER]


@pytest.fixture(autouse=True)
def _answers(page: sync_api.Page) -> None:
    answer_with(page, answer(line("机密 <b>一</b>")))


def _open(page: sync_api.Page) -> None:
    page.get_by_role("button", name="历史", exact=True).click()


def _close(page: sync_api.Page) -> None:
    page.locator("#history").get_by_role("button", name="关闭").click()


def _switch_on(page: sync_api.Page) -> None:
    _open(page)
    page.get_by_label("保存历史记录").check()
    _close(page)


def test_nothing_is_kept_unless_asked_for(page: sync_api.Page) -> None:
    read(page, picture("a.png"))
    _open(page)

    expect(page.get_by_label("保存历史记录")).not_to_be_checked()
    expect(page.locator("#history-empty")).to_have_text("历史记录已关闭。")
    assert page.evaluate("localStorage.length") == 0


def test_results_are_kept_where_it_is_switched_on(page: sync_api.Page) -> None:
    _switch_on(page)
    read(page, picture("a.png"))
    page.reload()
    _open(page)

    entry = page.locator("#history-list li")
    expect(entry.locator("strong")).to_have_text("a.png")
    expect(entry.locator("p")).to_have_text("机密 <b>一</b>")
    keep_picture(page, "history")
    entry.get_by_role("button", name="复制").click()
    expect(page.locator("#status")).to_have_text("已复制")
    assert clipboard(page) == "机密 <b>一</b>"


def test_switching_it_off_deletes_it(page: sync_api.Page) -> None:
    _switch_on(page)
    read(page, picture("a.png"))
    _open(page)
    page.get_by_label("保存历史记录").uncheck()

    expect(page.locator("#history-list li")).to_have_count(0)
    assert page.evaluate("localStorage.length") == 0


def test_it_is_cleared_and_goes_on(page: sync_api.Page) -> None:
    _switch_on(page)
    read(page, picture("a.png"))
    _open(page)
    page.locator("#history").get_by_role("button", name="清空").click()

    expect(page.locator("#history-empty")).to_have_text("还没有记录。")
    assert "机密" not in str(page.evaluate("({...localStorage})"))
    expect(page.get_by_label("保存历史记录")).to_be_checked()


def test_one_entry_is_removed_and_a_change_is_kept_too(page: sync_api.Page) -> None:
    _switch_on(page)
    read(page, picture("a.png"), picture("b.png"))
    page.locator("#lines li").dblclick()
    page.get_by_label("修改这一行").fill("changed")
    page.keyboard.press("Enter")
    _open(page)
    expect(page.locator("#history-list p", has_text="changed")).to_have_count(1)
    page.get_by_role("button", name="移除：b.png").last.click()

    expect(page.locator("#history-list strong")).to_have_text(["a.png"])
