"""The page as a person meets it, in a real browser."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from tests.program import RECEIPT, Service

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

pytestmark = pytest.mark.acceptance

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]


@pytest.fixture(scope="module")
def browser() -> Iterator[sync_api.Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian package chromium)")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: sync_api.Browser, service: Service) -> Iterator[sync_api.Page]:
    """Open the page in Chinese; it may load nothing from elsewhere and break nothing."""
    context = browser.new_context(locale="zh-CN", viewport={"width": 1200, "height": 900})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: _expect_own(request.url, service.url, faults))
    page.goto(service.url)
    yield page
    context.close()
    assert not faults


def _expect_own(url: str, own: str, faults: list[str]) -> None:
    if not url.startswith((own, f"blob:{own}")):
        faults.append(url)


def _read(page: sync_api.Page, file: Path | dict[str, object]) -> None:
    page.set_input_files("#file", file)  # type: ignore[arg-type]
    page.get_by_role("button", name="开始高精度识别").click()


def test_a_picture_is_uploaded_and_its_lines_are_seen(page: sync_api.Page) -> None:
    _read(page, RECEIPT)

    sync_api.expect(page.locator("#lines .text").first).to_have_text("杭州西溪书店")
    lines = page.locator("#lines li").count()
    assert lines == page.locator("#boxes polygon").count() > 15
    assert page.locator("#lines .confidence").first.inner_text().endswith("%")
    assert page.locator("#summary").inner_text().startswith(f"{lines} 行，")


def test_a_line_and_its_box_light_up_together(page: sync_api.Page) -> None:
    _read(page, RECEIPT)
    page.locator("#lines li").nth(2).hover()

    sync_api.expect(page.locator("#boxes polygon").nth(2)).to_have_class("active")
    assert page.locator("#boxes polygon.active").count() == 1


def test_a_wrong_file_shows_what_is_wrong(page: sync_api.Page) -> None:
    _read(page, {"name": "notes.png", "mimeType": "image/png", "buffer": b"only words"})

    status = page.locator("#status.error")
    sync_api.expect(status).to_contain_text("no picture or document of a known format")
    sync_api.expect(status).to_contain_text("不支持这种文件格式")
    assert page.locator("#result").is_hidden()


def test_a_service_that_is_gone_is_told(page: sync_api.Page) -> None:
    page.route("**/ocr", lambda route: route.abort())
    _read(page, RECEIPT)

    sync_api.expect(page.locator("#status.error")).to_have_text("无法连接服务，请稍后再试。")
    assert page.locator("#preview").is_visible()


def test_an_answer_about_an_earlier_file_is_not_shown(page: sync_api.Page) -> None:
    held: list[sync_api.Route] = []
    page.route("**/ocr", lambda route: held.append(route))  # noqa: PLW0108 - it needs a function
    with page.expect_request("**/ocr"):
        _read(page, RECEIPT)
    page.set_input_files("#file", {"name": "b.pdf", "mimeType": "application/pdf", "buffer": b""})
    held[0].continue_()

    sync_api.expect(page.locator("#start")).to_be_enabled()
    assert page.locator("#result").is_hidden()
    assert page.locator("#status").inner_text() == ""


def test_the_next_picture_replaces_the_last(page: sync_api.Page) -> None:
    _read(page, RECEIPT)
    sync_api.expect(page.locator("#result")).to_be_visible()

    page.set_input_files("#file", {"name": "b.pdf", "mimeType": "application/pdf", "buffer": b""})

    sync_api.expect(page.locator("#result")).to_be_hidden()
    assert page.locator("#chosen").inner_text() == "b.pdf"


def test_the_language_is_switched_with_the_result_in_place(page: sync_api.Page) -> None:
    _read(page, RECEIPT)
    sync_api.expect(page.locator("#result")).to_be_visible()
    page.get_by_role("button", name="English").click()

    assert page.locator("#start").inner_text() == "Start high-accuracy reading"
    assert "lines, " in page.locator("#summary").inner_text()


def test_pages_of_a_document_are_told_apart(page: sync_api.Page) -> None:
    with Image.open(RECEIPT) as picture:
        buffer = io.BytesIO()
        picture.save(buffer, "TIFF", save_all=True, append_images=[picture])
    _read(page, {"name": "two.tif", "mimeType": "image/tiff", "buffer": buffer.getvalue()})

    headings = page.locator("#lines li.page")
    sync_api.expect(headings).to_have_text(["第 1 页", "第 2 页"])
    # The browser cannot draw a TIFF: the text takes the whole width instead.
    assert page.locator("#preview").is_hidden()
    result, form = (page.locator(place).bounding_box() for place in ("#result", "#upload"))
    assert result is not None
    assert form is not None
    assert result["width"] == form["width"]


def test_text_of_a_document_is_never_taken_for_markup(page: sync_api.Page) -> None:
    answer = (
        '{"success": true, "results": [{"text": "<img src=x onerror=alert(1)>", '
        '"confidence": 0.5, "box": [[0,0],[9,0],[9,9],[0,9]], "page": 1}], "total_time": 1, '
        '"pages": [{"page": 1, "width": 9, "height": 9}], "warnings": []}'
    )
    page.route("**/ocr", lambda route: route.fulfill(body=answer, content_type="application/json"))
    _read(page, RECEIPT)

    sync_api.expect(page.locator("#lines .text")).to_have_text("<img src=x onerror=alert(1)>")
    sync_api.expect(page.locator("#lines .confidence")).to_have_class("confidence low")
