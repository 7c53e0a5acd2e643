"""The page as a person meets it, in a real browser: files in, lines and boxes out."""

from __future__ import annotations

import io
import re
from collections.abc import Callable

import pytest
from PIL import Image

from tests.acceptance.visitor import made_up, read, upload
from tests.program import RECEIPT, ROOT

api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
pytestmark = pytest.mark.acceptance

expect = api.expect
Keep = Callable[[api.Page], None]
WORDS = ROOT / "src" / "shizi" / "server" / "static" / "js"


def two_pages(kind: str) -> bytes:
    with Image.open(RECEIPT) as picture:
        file, rgb = io.BytesIO(), picture.convert("RGB")
        rgb.save(file, kind, save_all=True, append_images=[rgb])
        return file.getvalue()


def test_a_picture_is_uploaded_and_its_lines_are_seen(page: api.Page, keep: Keep) -> None:
    read(page, RECEIPT)

    expect(page.locator("#lines .text").first).to_have_text("杭州西溪书店")
    lines = page.locator("#lines [data-index]").count()
    assert lines == page.locator("#boxes .box").count() > 15
    assert page.locator("#lines .confidence").first.inner_text().endswith("%")
    assert page.locator("#summary").inner_text().startswith(f"{lines} 行，")
    page.locator("#details summary").click()
    expect(page.locator("#details-list")).to_contain_text("crnn-s")
    keep(page)


def test_nothing_leaves_before_the_button_is_pressed(page: api.Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.set_input_files("#file", RECEIPT)
    expect(page.locator("#files [data-id]")).to_have_attribute("data-state", "waiting")

    assert "POST" not in sent


def test_several_files_are_read_each_for_itself(page: api.Page, keep: Keep) -> None:
    read(page, RECEIPT, upload("notes.png", b"only words"), upload("two.tif", two_pages("TIFF")))

    states = page.locator("#files [data-id]")
    for place, state in enumerate(("done", "failed", "done")):
        expect(states.nth(place)).to_have_attribute("data-state", state)
    expect(page.locator("#run-count")).to_have_text("已处理 3 / 3 个文件")
    states.nth(1).locator(".pick").click()
    expect(page.locator("#note")).to_contain_text("不支持这种文件格式")
    expect(page.locator("#note")).to_contain_text("请求编号：")
    keep(page)


def test_a_line_and_its_box_are_selected_from_either(page: api.Page) -> None:
    read(page, RECEIPT)
    page.locator("#lines [data-index='2']").click()
    expect(page.locator("#boxes .box.active")).to_have_attribute("data-index", "2")

    page.locator("#boxes .box[data-index='5'] polygon").click()
    expect(page.locator("#lines .active")).to_have_attribute("data-index", "5")
    page.locator("#lines [data-index='1']").hover()
    expect(page.locator("#boxes .box.hover")).to_have_attribute("data-index", "1")


def test_a_document_the_browser_cannot_draw_shows_its_lines_on_a_sheet(page: api.Page) -> None:
    read(page, upload("two.tif", two_pages("TIFF"), "image/tiff"))

    expect(page.locator("#lines .page")).to_have_text(["第 1 页", "第 2 页"])
    expect(page.locator("#boxes .box text").first).to_have_text("杭州西溪书店")
    first = page.locator("#boxes .box").first.get_attribute("data-index")
    page.locator("#page-on").click()
    expect(page.locator("#page-now")).to_have_text("2 / 2 页")
    assert page.locator("#boxes .box").first.get_attribute("data-index") != first


def test_a_service_that_is_gone_is_told_and_tried_again(page: api.Page) -> None:
    page.route("**/ocr", lambda route: route.abort())
    read(page, RECEIPT)
    expect(page.locator("#note")).to_contain_text("无法连接服务")

    page.unroute("**/ocr")
    page.locator("#note").get_by_role("button", name="重试").click()
    expect(page.locator("#lines .text").first).to_have_text("杭州西溪书店")


def test_a_busy_service_is_asked_again_when_it_said(page: api.Page) -> None:
    asked: list[int] = []

    def answer(route: api.Route) -> None:
        asked.append(1)
        if len(asked) > 1:
            route.continue_()
            return
        problem = {"code": "busy", "detail": "busy", "advice": "wait"}
        route.fulfill(status=503, headers={"Retry-After": "1"}, json=problem)

    page.route("**/ocr", answer)
    read(page, RECEIPT)

    expect(page.locator("#files .state")).to_contain_text("自动重试（第 1 次")
    expect(page.locator("#lines .text").first).to_have_text("杭州西溪书店")
    assert len(asked) == 2


def test_reading_can_be_given_up(page: api.Page) -> None:
    held: list[api.Route] = []
    page.route("**/ocr", lambda route: held.append(route))  # noqa: PLW0108 - it needs a function
    with page.expect_request("**/ocr"):
        read(page, RECEIPT)
    page.get_by_role("button", name="全部取消").click()
    expect(page.locator("#files [data-id]")).to_have_attribute("data-state", "cancelled")
    held[0].abort()

    expect(page.locator("#note")).to_contain_text("已取消")


def test_a_password_is_asked_for(page: api.Page) -> None:
    def answer(route: api.Route) -> None:
        if b'name="password"' in (route.request.post_data_buffer or b""):
            route.fulfill(json=made_up("opened"))
            return
        problem = {"code": "encrypted_pdf", "detail": "locked", "advice": "give it"}
        route.fulfill(status=422, json=problem)

    page.route("**/ocr", answer)
    read(page, upload("secret.pdf", b"%PDF-1.7", "application/pdf"))
    expect(page.locator("#ask-title")).to_have_text("PDF 已加密")
    page.locator("#ask-value").fill("letmein")
    page.get_by_role("button", name="确定").click()

    expect(page.locator("#lines .text")).to_have_text("opened")


def test_a_key_is_asked_for_and_kept_for_this_tab(page: api.Page) -> None:
    def answer(route: api.Route) -> None:
        if route.request.headers.get("x-api-key") == "right":
            route.fulfill(json=made_up("let in"))
        else:
            route.fulfill(status=401, json={"code": "unauthorized", "detail": "no key"})

    page.route("**/ocr", answer)
    read(page, RECEIPT)
    for key in ("wrong", "right"):
        page.locator("#ask-value").fill(key)
        page.get_by_role("button", name="确定").click()

    expect(page.locator("#lines .text")).to_have_text("let in")
    expect(page.locator("#key-note")).to_be_visible()
    page.locator("#forget-key").click()
    assert page.evaluate("sessionStorage.length") == 0


def test_text_of_a_document_is_never_taken_for_markup(page: api.Page) -> None:
    page.route("**/ocr", lambda route: route.fulfill(json=made_up("<img src=x onerror=alert(1)>")))
    read(page, RECEIPT)

    expect(page.locator("#lines .text")).to_have_text("<img src=x onerror=alert(1)>")
    expect(page.locator("#lines .confidence")).to_have_class("confidence low")
    assert page.locator("img[src=x]").count() == 0


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_error_of_the_service_has_its_words(language: str) -> None:
    documented = set(
        re.findall(r"^\| `\w+` \| `(\w+)`", (ROOT / "docs/errors.md").read_text(), re.MULTILINE)
    )
    source = (WORDS / f"words_{language}.js").read_text(encoding="utf-8")
    told = set(re.findall(r"^    (\w+):", source[source.index("errors: {") :], re.MULTILINE))

    assert documented <= told
