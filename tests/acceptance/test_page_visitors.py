"""Who visits the page: in two languages, in the dark, on a phone, with a keyboard alone."""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from tests.acceptance.visitor import made_up, read, upload
from tests.program import RECEIPT

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.acceptance

expect = api.expect
Keep = Callable[[api.Page], None]


def _looked_at(**options: object) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("context_options", [options], ids=[next(iter(options))])


DESK = {"width": 1200, "height": 900}


@_looked_at(locale="en-US", viewport=DESK)
def test_the_page_speaks_the_language_of_the_browser(page: api.Page, keep: Keep) -> None:
    read(page, RECEIPT)
    expect(page.locator("#summary")).to_contain_text("lines, ")
    assert page.locator("#start").inner_text() == "Start high-accuracy reading"
    keep(page)

    page.get_by_role("button", name="中文").click()
    assert page.locator("#start").inner_text() == "开始高精度识别"
    expect(page.locator("#summary")).to_contain_text(" 行，")


@_looked_at(locale="zh-CN", viewport=DESK, color_scheme="dark")
def test_the_page_is_dark_in_the_dark(page: api.Page, keep: Keep) -> None:
    read(page, RECEIPT)
    expect(page.locator("#lines .text").first).to_have_text("杭州西溪书店")
    keep(page)

    color = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(","))) < 150


@_looked_at(locale="zh-CN", viewport={"width": 360, "height": 740}, has_touch=True)
def test_the_page_fits_a_phone(page: api.Page, keep: Keep) -> None:
    read(page, RECEIPT)
    expect(page.locator("#lines .text").first).to_have_text("杭州西溪书店")
    keep(page)

    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    for place in ("#start", "#copy", "#language"):
        box = page.locator(place).bounding_box()
        assert box is not None
        assert box["height"] >= 32


def test_everything_is_done_from_the_keyboard(page: api.Page) -> None:
    page.route("**/ocr", lambda route: route.fulfill(json=made_up("one", "two", "three")))
    page.set_input_files(
        "#file",
        [upload(name, RECEIPT.read_bytes()) for name in ("a.png", "b.png")],  # type: ignore[arg-type]
    )
    page.keyboard.press("Control+Enter")
    expect(page.locator("#files [data-state=done]")).to_have_count(2)

    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(page.locator("#lines .active")).to_have_attribute("data-index", "1")
    page.keyboard.press("Enter")
    page.keyboard.type("changed")
    page.keyboard.press("Enter")
    expect(page.locator("#lines .active .text")).to_have_text("changed")
    page.keyboard.press("Escape")
    expect(page.locator("#lines .active")).to_have_count(0)
    page.keyboard.press("d")
    expect(page.locator("#viewer-title")).to_have_text("b.png")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()


def test_a_picture_is_pasted(page: api.Page) -> None:
    data = base64.b64encode(RECEIPT.read_bytes()).decode()
    page.evaluate(
        """data => {
            const bytes = Uint8Array.from(atob(data), (c) => c.charCodeAt(0));
            const transfer = new DataTransfer();
            transfer.items.add(new File([bytes], "image.png", { type: "image/png" }));
            document.dispatchEvent(
                new ClipboardEvent("paste", { clipboardData: transfer, bubbles: true }));
        }""",
        data,
    )
    expect(page.locator("#files .name")).to_contain_text("粘贴-")
    page.locator("#start").click()

    expect(page.locator("#lines .text").first).to_have_text("杭州西溪书店")


def test_the_picture_is_looked_at_closely(page: api.Page) -> None:
    read(page, RECEIPT)
    expect(page.locator("#lines .text").first).to_have_text("杭州西溪书店")
    fitted = page.locator("#zoom-now").inner_text()
    page.locator("#zoom-in").click()
    expect(page.locator("#zoom-now")).not_to_have_text(fitted)
    page.locator("#zoom-full").click()
    expect(page.locator("#zoom-now")).to_have_text("100%")
    page.locator("#zoom-fit").click()
    expect(page.locator("#zoom-now")).to_have_text(fitted)


def test_no_history_is_kept_unless_it_is_wanted(page: api.Page) -> None:
    page.route("**/ocr", lambda route: route.fulfill(json=made_up("secret")))
    read(page, RECEIPT)
    expect(page.locator("#lines .text")).to_have_text("secret")
    assert page.evaluate("localStorage.length") == 0

    page.locator("#open-history").click()
    page.locator("#history-on").check()
    page.keyboard.press("Escape")
    read(page, upload("kept.png", RECEIPT.read_bytes()))
    expect(page.locator("#files [data-state=done]")).to_have_count(2)
    page.reload()
    page.locator("#open-history").click()
    expect(page.locator("#history-list strong")).to_have_text("kept.png")
    expect(page.locator("#history-list p")).to_have_text("secret")

    page.locator("#history-clear").click()
    expect(page.locator("#history-list li")).to_have_count(0)
    page.locator("#history-on").uncheck()
    assert page.evaluate("localStorage.length") == 0
