"""The lines and their boxes on the page: chosen from either side, changed, copied."""

from __future__ import annotations

import pytest

from tests.browser import answer, answer_with, clipboard, keep_picture, line, picture, read
from tests.marks import ONE_WORKER

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = [pytest.mark.acceptance, ONE_WORKER]

_LINES = answer(line("第一行的文字很长，写满了整行", 1), line("second", 2), line("third", 3))


@pytest.fixture(autouse=True)
def _read(page: sync_api.Page) -> None:
    answer_with(page, _LINES)
    read(page, picture("a.png"))


def _change(page: sync_api.Page, index: int, text: str) -> None:
    page.locator("#lines li").nth(index).dblclick()
    page.get_by_label("修改这一行").fill(text)
    page.keyboard.press("Enter")


def test_a_line_and_its_box_light_up_together(page: sync_api.Page) -> None:
    page.locator("#lines li").nth(2).hover()
    expect(page.locator("#boxes .box.hover")).to_have_attribute("data-index", "2")

    page.locator("#boxes [data-index='1'] polygon").hover()
    expect(page.locator("#lines li.hover .text")).to_have_text("second")


def test_a_click_on_either_chooses_both(page: sync_api.Page) -> None:
    page.locator("#lines li").nth(1).click()
    expect(page.locator("#boxes .box.active")).to_have_attribute("data-index", "1")

    page.locator("#boxes [data-index='2'] polygon").click()
    expect(page.locator("#lines li.active .text")).to_have_text("third")
    expect(page.locator("#lines li[aria-selected=true]")).to_have_count(1)
    keep_picture(page, "line-chosen")


def test_a_changed_line_is_marked_and_undone(page: sync_api.Page) -> None:
    undo = page.get_by_role("button", name="撤销修改")
    expect(undo).to_be_disabled()
    _change(page, 1, "2nd")
    _change(page, 1, "zwei")
    expect(page.locator("#lines .text").nth(1)).to_have_text("zwei")
    expect(page.locator("#lines li.edited .mark")).to_have_text("已改")
    expect(page.locator("#lines li.edited .mark")).to_have_attribute("title", "原文：second")
    keep_picture(page, "line-edited")

    page.keyboard.press("Control+z")
    expect(page.locator("#lines .text").nth(1)).to_have_text("2nd")
    undo.click()
    expect(page.locator("#lines .text").nth(1)).to_have_text("second")
    expect(page.locator("#lines li.edited")).to_have_count(0)
    expect(undo).to_be_disabled()


def test_while_a_release_is_on_changed_lines_are_counted_for_it(page: sync_api.Page) -> None:
    model = {"name": "crnn-s", "version": "0.4.0", "epoch": 7}
    told: list[object] = []

    def take(route: sync_api.Route) -> None:
        told.append(route.request.post_data_json)
        route.fulfill(json={"counted": True})

    page.route("**/v1/releases/corrections", take)
    _change(page, 1, "before any release")
    answer_with(page, {**_LINES, "model": model})
    read(page, picture("b.png"))
    page.locator("#files .name", has_text="b.png").click()
    for index, text in ((0, "eins"), (0, "ein"), (2, "drei")):
        _change(page, index, text)
        expect(page.locator("#lines .text").nth(index)).to_have_text(text)
    page.keyboard.press("Control+z")
    # The same line changed twice is one line, and what is taken back was not read right either.
    assert told == [{"version": "crnn-s@0.4.0", "lines": 1}] * 2


def test_escape_abandons_a_change(page: sync_api.Page) -> None:
    page.locator("#lines li").nth(1).dblclick()
    page.get_by_label("修改这一行").fill("abandoned")
    keep_picture(page, "line-editing")
    page.keyboard.press("Escape")

    expect(page.locator("#lines .text").nth(1)).to_have_text("second")


@pytest.mark.parametrize("breaks", ["保留换行", "合并段落"])
def test_leaving_the_field_saves(page: sync_api.Page, breaks: str) -> None:
    page.get_by_text(breaks).click()
    page.locator("#lines li").nth(1).dblclick()
    page.get_by_label("修改这一行").fill("left")
    page.locator("#lines li").nth(2).click()

    expect(page.locator("#lines .text").nth(1)).to_have_text("left")
    expect(page.locator("#lines li.active .text")).to_have_text("third")


def test_no_line_moves_when_one_is_chosen_or_changed(page: sync_api.Page) -> None:
    def top() -> float:
        return float(page.locator("#lines li").nth(2).evaluate("row => row.offsetTop"))

    before = top()
    page.locator("#lines li").nth(0).click()
    assert top() == before
    page.locator("#lines li").nth(0).dblclick()
    expect(page.get_by_label("修改这一行")).to_be_focused()
    assert abs(top() - before) <= 1


def test_changed_text_is_never_taken_for_markup(page: sync_api.Page) -> None:
    _change(page, 1, "<b onmouseover=alert(1)>x</b>")

    expect(page.locator("#lines .text").nth(1)).to_have_text("<b onmouseover=alert(1)>x</b>")
    assert page.locator("#lines b, #boxes b").count() == 0


def test_one_line_or_all_are_copied(page: sync_api.Page) -> None:
    _change(page, 1, "changed")
    page.locator("#lines li").nth(1).click()
    page.locator("#lines li.active").get_by_role("button", name="复制").click()
    expect(page.locator("#status")).to_have_text("已复制这一行")
    assert clipboard(page) == "changed"

    page.get_by_role("button", name="复制全部").click()
    expect(page.locator("#status")).to_have_text("已复制")
    assert clipboard(page) == "第一行的文字很长，写满了整行\nchanged\nthird"


def test_paragraphs_are_merged_where_asked_for(page: sync_api.Page) -> None:
    page.get_by_text("合并段落").click()
    page.get_by_role("button", name="复制全部").click()

    expect(page.locator("#status")).to_have_text("已复制")
    assert clipboard(page) == "第一行的文字很长，写满了整行second third"


def test_the_picture_is_enlarged_and_fitted_again(page: sync_api.Page) -> None:
    def width() -> float:
        return float(page.locator("#sheet").evaluate("sheet => sheet.offsetWidth"))

    fitted = width()
    page.get_by_role("button", name="放大").click()
    assert width() > fitted
    page.get_by_role("button", name="实际大小").click()
    expect(page.locator("#zoom-now")).to_have_text("100%")
    assert width() == 720
    page.get_by_role("button", name="适应").click()
    assert width() == fitted


def test_dragging_moves_the_picture_and_chooses_nothing(page: sync_api.Page) -> None:
    for _ in range(5):
        page.get_by_role("button", name="放大").click()
    stage = page.locator("#stage")
    before = stage.evaluate("stage => stage.scrollLeft")
    frame = stage.bounding_box()
    assert frame is not None
    x, y = frame["x"] + frame["width"] / 2, frame["y"] + frame["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x - 60, y - 30, steps=4)
    page.mouse.up()

    assert stage.evaluate("stage => stage.scrollLeft") == before + 60
    expect(page.locator("#lines li.active")).to_have_count(0)
