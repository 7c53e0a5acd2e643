"""The files a person brings to the page: how they come in, wait, are read, and go."""

from __future__ import annotations

import base64
import re

import pytest

from tests.browser import (
    READ_MS,
    answer,
    answer_with,
    choose,
    keep_picture,
    line,
    picture,
    read,
    start,
)
from tests.marks import ONE_WORKER
from tests.program import RECEIPT

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = [pytest.mark.acceptance, ONE_WORKER]

_BRING = """([kind, name, picture]) => {
  const bytes = Uint8Array.from(atob(picture), (letter) => letter.charCodeAt(0));
  const brought = new DataTransfer();
  brought.items.add(new File([bytes], name, { type: "image/png" }));
  document.body.dispatchEvent(kind === "paste"
    ? new ClipboardEvent(kind, { clipboardData: brought, bubbles: true, cancelable: true })
    : new DragEvent(kind, { dataTransfer: brought, bubbles: true, cancelable: true }));
}"""


def _bring(page: sync_api.Page, kind: str, name: str) -> None:
    page.evaluate(_BRING, [kind, name, base64.b64encode(RECEIPT.read_bytes()).decode()])


def test_several_files_are_read_and_each_has_its_lines(page: sync_api.Page) -> None:
    answer_with(page, answer(line("甲")), answer(line("乙"), line("丙", 2)))
    choose(page, picture("a.png"), picture("b.png"))
    expect(page.locator("#files li")).to_have_count(2)
    expect(page.locator("#files .state").first).to_have_text("等待开始")
    expect(page.locator("#files img.thumb")).to_have_count(2)
    start(page)

    expect(page.locator("#run-count")).to_have_text("已处理 2 / 2 个文件")
    states = page.locator("#files .state")
    assert sorted(states.all_inner_texts()) == ["完成 · 1 行", "完成 · 2 行"]
    for name in ("a.png", "b.png"):
        page.get_by_role("button", name=name).first.click()
        expect(page.locator("#viewer-title")).to_have_text(name)
    keep_picture(page, "files")


def test_really_several_files(page: sync_api.Page) -> None:
    read(page, picture("a.png"), picture("b.png"), picture("c.png"))

    expect(page.locator("#files [data-state=done]")).to_have_count(3)


@pytest.mark.parametrize("kind", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted_anywhere(page: sync_api.Page, kind: str) -> None:
    _bring(page, kind, "brought.png")

    expect(page.locator("#files .name")).to_have_text("brought.png")
    expect(page.locator("#picture")).to_be_visible()


def test_a_picture_on_the_clipboard_is_pasted_by_its_keys(page: sync_api.Page) -> None:
    page.evaluate(
        """async () => {
          const canvas = Object.assign(document.createElement("canvas"), { width: 8, height: 8 });
          const blob = await new Promise((resolve) => canvas.toBlob(resolve));
          await navigator.clipboard.write([new ClipboardItem({ "image/png": blob })]);
        }"""
    )
    page.keyboard.press("Control+V")

    expect(page.locator("#files .name")).to_contain_text("粘贴-")


def test_a_photo_is_taken(page: sync_api.Page) -> None:
    page.get_by_role("button", name="拍照").click()
    page.get_by_role("button", name="拍下").click()

    expect(page.locator("#files .name")).to_have_text(re.compile(r"^照片-\d{6}\.jpg$"))
    expect(page.locator("#camera-dialog")).to_be_hidden()
    expect(page.locator("#picture")).to_be_visible()
    assert page.evaluate("document.getElementById('camera-view').srcObject") is None


def test_the_veil_shows_where_files_may_fall(page: sync_api.Page) -> None:
    _bring(page, "dragover", "a.png")
    expect(page.locator("#veil")).to_be_visible()
    _bring(page, "drop", "a.png")
    expect(page.locator("#veil")).to_be_hidden()


def test_a_file_in_work_is_canceled_and_its_answer_not_shown(page: sync_api.Page) -> None:
    held: list[sync_api.Route] = []
    page.route("**/ocr", lambda route: held.append(route))  # noqa: PLW0108 - it needs a function
    choose(page, RECEIPT)
    with page.expect_request("**/ocr"):
        start(page)
    keep_picture(page, "reading")
    page.get_by_role("button", name="取消：receipt.png").click()

    expect(page.locator("#files .state")).to_have_text("已取消")
    expect(page.locator("#lines")).to_be_hidden()
    page.unroute_all()
    start(page)
    expect(page.locator("#lines .text").first).to_be_visible(timeout=30_000)


def test_all_files_are_canceled_at_once(page: sync_api.Page) -> None:
    page.route("**/ocr", lambda _: None)
    choose(page, *(picture(f"{k}.png") for k in range(4)))
    start(page)
    expect(page.locator("#files [data-state=queued]")).to_have_count(2)
    page.get_by_role("button", name="全部取消").click()

    expect(page.locator("#files [data-state=cancelled]")).to_have_count(4)


def test_removed_files_are_gone(page: sync_api.Page) -> None:
    choose(page, picture("a.png"), picture("b.png"))
    page.get_by_role("button", name="移除：a.png").click()
    expect(page.locator("#files .name")).to_have_text(["b.png"])
    page.get_by_role("button", name="清空列表").click()

    expect(page.locator("#viewer")).to_be_hidden()
    expect(page.locator("body")).to_have_class("empty")


def test_options_are_sent_as_the_service_names_them(page: sync_api.Page) -> None:
    page.get_by_text("选项", exact=True).click()
    page.get_by_label("识别力度").select_option("balanced")
    page.get_by_label("语言模型").select_option("beam")
    page.get_by_label("常用词").fill("KBE-37")
    page.evaluate(
        """() => {
          const { send } = XMLHttpRequest.prototype;
          XMLHttpRequest.prototype.send = function (form) {
            window.sent = [...form].filter(([, value]) => typeof value === "string");
            send.call(this, form);
          };
        }"""
    )
    read(page, RECEIPT)

    sent = page.evaluate("window.sent")
    assert sent == [["effort", "balanced"], ["decoder", "beam"], ["words", "KBE-37"]]
    expect(page.locator("#files [data-state=done]")).to_be_visible()

    # The service takes no words with the other decoder.
    page.get_by_label("语言模型").select_option("greedy")
    expect(page.get_by_label("常用词")).to_be_disabled()
    with page.expect_response("**/ocr", timeout=READ_MS):
        page.get_by_role("button", name="重新识别：receipt.png").click()
    assert page.evaluate("window.sent") == [["effort", "balanced"], ["decoder", "greedy"]]
    expect(page.locator("#files [data-state=done]")).to_be_visible(timeout=READ_MS)
