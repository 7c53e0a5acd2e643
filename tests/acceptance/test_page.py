"""The page as a person meets it, in a real browser: from a picture to its lines."""

from __future__ import annotations

import io

import pytest
from PIL import Image

from tests.browser import READ_MS, answer, answer_with, choose, keep_picture, line, read, start
from tests.program import RECEIPT

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = pytest.mark.acceptance


def _two_frames(kind: str) -> bytes:
    with Image.open(RECEIPT) as image:
        picture, buffer = image.convert("RGB"), io.BytesIO()
    picture.save(buffer, kind, save_all=True, append_images=[picture])
    return buffer.getvalue()


def test_a_picture_is_uploaded_and_its_lines_are_seen(page: sync_api.Page) -> None:
    keep_picture(page, "empty-zh")
    choose(page, RECEIPT)
    expect(page.locator("#picture")).to_be_visible()
    start(page)

    expect(page.locator("#lines .text").first).to_have_text("杭州西溪书店", timeout=READ_MS)
    lines = page.locator("#lines li").count()
    assert lines == page.locator("#boxes polygon").count() > 15
    assert page.locator("#lines .confidence").first.inner_text().endswith("%")
    assert page.locator("#summary").inner_text().startswith(f"{lines} 行，")
    keep_picture(page, "lines-zh")


def test_nothing_is_sent_before_the_button(page: sync_api.Page) -> None:
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))

    choose(page, RECEIPT)
    expect(page.locator("#picture")).to_be_visible()

    assert "POST" not in sent


def test_time_and_model_are_told(page: sync_api.Page) -> None:
    read(page, RECEIPT)
    page.get_by_text("用时与模型").click()

    told = page.locator("#details-list")
    for word in ("解码", "预处理", "检测", "识别", "总计", "模型"):
        expect(told).to_contain_text(word)
    expect(told).to_contain_text("crnn-s")


def test_confidence_is_told_by_colour_and_number(page: sync_api.Page) -> None:
    doubts = [line("一", 1, confidence=0.99), line("二", 2, confidence=0.85)]
    answer_with(page, answer(*doubts, line("三", 3, confidence=0.4)))
    read(page, RECEIPT)

    told = page.locator("#lines .confidence")
    expect(told).to_have_text(["99.0%", "85.0%", "40.0%"])
    colours = told.evaluate_all("all => all.map((one) => getComputedStyle(one).color)")
    assert len(set(colours)) == 3


@pytest.mark.parametrize(
    ("name", "kind", "type_"),
    [("two.tif", "TIFF", "image/tiff"), ("two.pdf", "PDF", "application/pdf")],
)
def test_pages_of_a_document_lie_on_blank_sheets(
    page: sync_api.Page, name: str, kind: str, type_: str
) -> None:
    read(page, {"name": name, "mimeType": type_, "buffer": _two_frames(kind)})

    expect(page.locator("#lines li.page")).to_have_text(["第 1 页", "第 2 页"])
    expect(page.locator("#picture")).to_be_hidden()
    expect(page.locator("#sheet-note")).to_be_visible()
    expect(page.locator("#boxes text").first).to_have_text("杭州西溪书店")
    expect(page.locator("#page-now")).to_have_text("1 / 2 页")
    page.get_by_role("button", name="下一页").click()
    expect(page.locator("#page-now")).to_have_text("2 / 2 页")
    assert page.locator("#boxes polygon").count() > 15
    keep_picture(page, f"sheet-{kind.lower()}")


def test_pages_that_were_lost_are_stepped_over(page: sync_api.Page) -> None:
    lost = {"code": "pages_lost", "detail": "1 page", "page": 2}
    answer_with(page, answer(line("甲"), line("乙", page=3), warnings=[lost]))
    read(page, RECEIPT)

    page.get_by_role("button", name="下一页").click()

    expect(page.locator("#page-now")).to_have_text("3 / 3 页")
    expect(page.locator("#boxes .box")).to_have_count(1)
    expect(page.locator("#warnings li")).to_have_text("第 2 页: 有页面损坏，未能读取 (1 page)")


def test_a_picture_without_text_says_so(page: sync_api.Page) -> None:
    answer_with(page, answer())
    read(page, RECEIPT)

    expect(page.locator("#note")).to_contain_text("没有找到文字")


def test_text_of_a_document_is_never_taken_for_markup(page: sync_api.Page) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    answer_with(page, answer(line(hostile, confidence=0.5)))
    read(page, {"name": f"{hostile}.tif", "mimeType": "image/tiff", "buffer": b"II*\0"})

    expect(page.locator("#lines .text")).to_have_text(hostile)
    expect(page.locator("#boxes text")).to_have_text(hostile)
    expect(page.locator("#files .name")).to_have_text(f"{hostile}.tif")
    expect(page.locator("#lines .confidence")).to_have_class("confidence low")
    assert page.locator("img[src=x]").count() == 0


def test_the_language_is_switched_with_the_result_in_place(page: sync_api.Page) -> None:
    read(page, RECEIPT)
    page.get_by_role("button", name="English").click()

    assert page.locator("#start").inner_text() == "Start high-accuracy reading"
    assert "lines, " in page.locator("#summary").inner_text()
    assert page.locator("html").get_attribute("lang") == "en"
    page.get_by_role("button", name="中文").click()
    assert page.locator("#start").inner_text() == "开始高精度识别"


@pytest.mark.profile(locale="en-GB")
def test_the_page_speaks_the_language_of_the_browser(page: sync_api.Page) -> None:
    expect(page.locator("#start")).to_have_text("Start high-accuracy reading")
    keep_picture(page, "empty-en")
    read(page, RECEIPT, language="en")
    expect(page.locator("#lines .text").first).to_have_text("杭州西溪书店")
    keep_picture(page, "lines-en")


def test_both_languages_have_the_same_words(page: sync_api.Page) -> None:
    keys = page.evaluate(
        """async () => {
          const keys = (set, path = "") => Object.entries(set).flatMap(([key, value]) =>
            typeof value === "object" ? keys(value, `${path}${key}.`) : [path + key]);
          const { ZH } = await import("/static/js/words_zh.js");
          const { EN } = await import("/static/js/words_en.js");
          return [keys(ZH), keys(EN)];
        }"""
    )

    assert keys[0] == keys[1]
    assert len(keys[0]) > 100


def test_no_word_is_missing_where_the_markup_names_one(page: sync_api.Page) -> None:
    missing = page.evaluate(
        """async () => {
          const { hasWord } = await import("/static/js/words.js");
          const named = [...document.querySelectorAll("[data-text], [data-label], [data-hint]")];
          return named.flatMap(({ dataset: { text, label, hint } }) => [text, label, hint])
            .filter((key) => key && !hasWord(key));
        }"""
    )

    assert missing == []
