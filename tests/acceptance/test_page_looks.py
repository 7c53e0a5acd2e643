"""How the page looks: on a phone, in the dark, and to who cannot see it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from tests.browser import choose, keep_picture, picture, read
from tests.marks import ONE_WORKER

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = [pytest.mark.acceptance, ONE_WORKER]

_PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}}

# Of text, by element: its colour and that of what lies behind it.
_COLOURS = """() => [...document.querySelectorAll("body *")]
  .filter((one) => one.checkVisibility() && !one.closest("svg, #status, :disabled")
    && [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim()))
  .map((one) => {
    let behind = one;
    const back = (place) => getComputedStyle(place).backgroundColor;
    while (behind && /, 0\\)$|transparent/.test(back(behind))) behind = behind.parentElement;
    const said = one.textContent.slice(0, 20);
    return [said, getComputedStyle(one).color, back(behind ?? document.body)];
  })"""


def _brightness(colour: str) -> float:
    parts = [int(part) / 255 for part in re.findall(r"\d+", colour)[:3]]
    linear = [p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _expect_readable(page: sync_api.Page) -> None:
    for text, ink, paper in page.evaluate(_COLOURS):
        dark, bright = sorted((_brightness(ink), _brightness(paper)))
        assert (bright + 0.05) / (dark + 0.05) >= 4.5, (text, ink, paper)


def _expect_no_overflow(page: sync_api.Page) -> None:
    width = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert width <= 0


@pytest.mark.profile(**_PHONE)
def test_a_phone_is_wide_enough(page: sync_api.Page) -> None:
    _expect_no_overflow(page)
    keep_picture(page, "phone-empty")
    read(page, picture("a-very-long-name-of-a-file-that-nobody-would-type.png"))
    expect(page.locator("#lines li").first).to_be_visible()
    _expect_no_overflow(page)
    keep_picture(page, "phone-lines")
    page.locator("#lines li").nth(5).click()
    expect(page.locator("#lines li").nth(5)).to_be_in_viewport()
    keep_picture(page, "phone-line-chosen")
    page.get_by_role("button", name="English").click()
    _expect_no_overflow(page)
    page.locator("#open-help").click()
    keep_picture(page, "phone-help")


@pytest.mark.profile(**_PHONE, has_touch=True, is_mobile=True)
def test_a_finger_does_what_a_mouse_does(page: sync_api.Page) -> None:
    expect(page.locator("#camera")).to_be_visible()
    read(page, picture("a.png"))
    page.locator("#boxes .box").nth(3).tap()
    chosen = page.locator("#lines li.active")
    expect(chosen).to_be_in_viewport()
    chosen.get_by_role("button", name="修改").tap()
    expect(page.get_by_label("修改这一行")).to_be_focused()


@pytest.mark.profile(viewport={"width": 900, "height": 1100})
def test_a_tablet_has_two_columns(page: sync_api.Page) -> None:
    read(page, picture("a.png"))
    _expect_no_overflow(page)
    keep_picture(page, "tablet")
    viewer, result = (page.locator(place).bounding_box() for place in ("#viewer", "#result"))
    assert viewer is not None
    assert result is not None
    assert viewer["y"] == result["y"]


def test_text_is_readable_in_the_light(page: sync_api.Page) -> None:
    _expect_readable(page)
    read(page, picture("a.png"))
    page.locator("#lines li").nth(2).click()
    _expect_readable(page)


@pytest.mark.profile(color_scheme="dark")
def test_text_is_readable_in_the_dark(page: sync_api.Page) -> None:
    keep_picture(page, "dark-empty")
    _expect_readable(page)
    read(page, picture("a.png"), picture("b.png"))
    page.locator("#lines li").nth(2).click()
    keep_picture(page, "dark-lines")
    _expect_readable(page)
    paper = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert _brightness(paper) < 0.05


def test_every_control_has_a_name(page: sync_api.Page) -> None:
    read(page, picture("a.png"))
    page.locator("#lines li").nth(1).click()
    nameless = page.evaluate(
        """() => [...document.querySelectorAll("button, input, select, textarea")]
          .filter((one) => one.checkVisibility() && !one.hidden)
          .filter((one) => !one.textContent.trim() && !one.ariaLabel && !one.labels?.length)
          .map((one) => one.outerHTML)"""
    )

    assert nameless == []


def test_nothing_moves_where_it_was_asked_not_to(page: sync_api.Page) -> None:
    page.emulate_media(reduced_motion="reduce")
    page.route("**/ocr", lambda _: None)
    choose(page, picture("a.png"))
    page.get_by_role("button", name="开始高精度识别").click()
    bone = page.locator(".bone").first
    expect(bone).to_be_visible()

    assert float(bone.evaluate("one => parseFloat(getComputedStyle(one).animationDuration)")) < 0.01
