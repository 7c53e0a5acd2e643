"""What the page says and does where a reading fails: in words, with a way on."""

from __future__ import annotations

import re
from typing import Any

import pytest

from shizi.core import errors
from tests.browser import answer, answer_with, choose, fail_with, keep_picture, line, read, start
from tests.marks import ONE_WORKER
from tests.program import RECEIPT
from tests.unit.imaging.documents import encrypted_pdf

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = [pytest.mark.acceptance, ONE_WORKER]


def _legacy(code: str) -> dict[str, Any]:
    told = {"code": code, "message": "the detail", "advice": "the advice"}
    return {"success": False, "error": told, "results": [], "request_id": "r-7"}


def _problem(code: str) -> dict[str, Any]:
    told = {"type": f"/errors/{code}", "title": "a title", "detail": "the detail"}
    return {**told, "code": code, "advice": "the advice", "request_id": "r-7"}


def test_a_wrong_file_shows_what_is_wrong(page: sync_api.Page) -> None:
    read(page, {"name": "notes.png", "mimeType": "image/png", "buffer": b"only words"})

    note = page.locator("#note.failed")
    expect(note).to_contain_text("不支持这种文件格式")
    expect(note).to_contain_text("no picture or document of a known format")
    expect(note.locator(".small").last).to_have_text(re.compile(r"^请求编号：\S+$"))
    expect(page.locator("#files .state")).to_contain_text("失败 · 不支持这种文件格式")
    expect(page.locator("#lines")).to_be_hidden()
    keep_picture(page, "failed")
    page.get_by_role("button", name="English").click()
    expect(note).to_contain_text("This format is not supported.")


@pytest.mark.parametrize("shape", [_legacy, _problem])
def test_both_shapes_of_an_error_are_understood(page: sync_api.Page, shape: Any) -> None:
    fail_with(page, 413, shape("too_large"))
    read(page, RECEIPT)

    expect(page.locator("#note .what")).to_contain_text("文件太大")
    expect(page.locator("#note .small")).to_have_text(["服务器说明：the detail", "请求编号：r-7"])


def test_an_error_of_a_later_version_is_told_in_its_own_words(page: sync_api.Page) -> None:
    fail_with(page, 422, _problem("newly_named"))
    read(page, RECEIPT)

    expect(page.locator("#note .what")).to_have_text("the detail\nthe advice")


def test_every_error_has_words_in_both_languages(page: sync_api.Page) -> None:
    words = page.evaluate(
        """async () => {
          const { ZH } = await import("/static/js/words_zh.js");
          const { EN } = await import("/static/js/words_en.js");
          return [ZH.errors, EN.errors].map((set) => Object.keys(set));
        }"""
    )
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type)]
    codes = {kind.code for kind in kinds if issubclass(kind, errors.ShiziError)}

    assert codes <= set(words[0])
    assert codes <= set(words[1])


def test_an_answer_that_is_none_is_told(page: sync_api.Page) -> None:
    page.route("**/ocr", lambda route: route.fulfill(status=200, body="<html>a proxy</html>"))
    read(page, RECEIPT)

    expect(page.locator("#note .what")).to_contain_text("服务器的回答无法理解")


def test_a_service_that_is_gone_is_told_and_asked_again(page: sync_api.Page) -> None:
    page.route("**/ocr", lambda route: route.abort())
    read(page, RECEIPT)
    expect(page.locator("#note .what")).to_contain_text("无法连接服务")
    expect(page.locator("#picture")).to_be_visible()

    page.unroute_all()
    answer_with(page, answer(line("文字")))
    page.locator("#note").get_by_role("button", name="重试").click()
    expect(page.locator("#lines .text")).to_have_text("文字")


@pytest.mark.parametrize(("status", "code"), [(503, "busy"), (429, "rate_limited")])
def test_a_busy_service_is_asked_again_when_it_says(
    page: sync_api.Page, status: int, code: str
) -> None:
    page.clock.install()
    fail_with(page, status, _legacy(code), Retry_After="60")
    choose(page, RECEIPT)
    start(page)
    state = page.locator("#files .state")
    expect(state).to_contain_text("秒后自动重试（第 1 次，共 3 次）")
    keep_picture(page, "busy")

    page.unroute_all()
    answer_with(page, answer(line("文字")))
    page.clock.fast_forward(61_000)
    expect(state).to_have_text("完成 · 1 行")


def test_a_service_that_stays_busy_is_not_asked_for_ever(page: sync_api.Page) -> None:
    page.clock.install()
    fail_with(page, 503, _legacy("busy"), Retry_After="60")
    choose(page, RECEIPT)
    start(page)
    for attempt in (1, 2, 3):
        expect(page.locator("#files .state")).to_contain_text(f"（第 {attempt} 次，共 3 次）")
        page.clock.fast_forward(61_000)

    expect(page.locator("#note.failed .what")).to_contain_text("服务繁忙")


def test_a_long_wait_is_told_instead_of_waited(page: sync_api.Page) -> None:
    fail_with(page, 429, _legacy("rate_limited"), Retry_After="3600")
    read(page, RECEIPT)

    expect(page.locator("#note.failed .what")).to_contain_text("请求太频繁")


def test_a_key_is_asked_for_kept_in_the_tab_and_forgotten(page: sync_api.Page) -> None:
    keys: list[str | None] = []

    def give(route: sync_api.Route) -> None:
        keys.append(route.request.headers.get("x-api-key"))
        known = keys[-1] == "right"
        content = answer(line("文字")) if known else _legacy("unauthorized")
        route.fulfill(status=200 if known else 401, json=content)

    page.route("**/ocr", give)
    choose(page, RECEIPT)
    start(page)
    field = page.get_by_label("访问密钥", exact=True)
    field.fill("wrong")
    page.keyboard.press("Enter")
    expect(page.locator("#ask-text")).to_contain_text("密钥不被接受")
    keep_picture(page, "key")
    field.fill("right")
    page.keyboard.press("Enter")

    expect(page.locator("#lines .text")).to_have_text("文字")
    assert keys == [None, "wrong", "right"]
    assert page.evaluate("Object.values({...sessionStorage})") == ["right"]
    assert page.evaluate("Object.values({...localStorage})") == []
    page.get_by_role("button", name="忘记密钥").click()
    assert page.evaluate("sessionStorage.length") == 0


def test_the_password_of_a_document_is_asked_for(page: sync_api.Page) -> None:
    document = {"name": "a.pdf", "mimeType": "application/pdf", "buffer": encrypted_pdf()}
    choose(page, document)
    start(page)
    field = page.locator("#ask-value")
    expect(page.locator("#ask-text")).to_have_text("请输入「a.pdf」的密码：")
    keep_picture(page, "password")
    field.fill("wrong")
    page.get_by_role("button", name="确定").click()
    expect(page.locator("#ask-text")).to_contain_text("密码不对")
    field.fill("shizi")
    page.get_by_role("button", name="确定").click()

    # The document holds a red block and no text.
    expect(page.locator("#note")).to_contain_text("没有找到文字", timeout=30_000)
    assert page.evaluate("sessionStorage.length + localStorage.length") == 0


def test_giving_no_password_says_what_is_missing(page: sync_api.Page) -> None:
    fail_with(page, 422, _legacy("encrypted_pdf"))
    choose(page, {"name": "a.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-"})
    start(page)
    expect(page.locator("#ask")).to_be_visible()
    page.keyboard.press("Escape")

    expect(page.locator("#note.failed .what")).to_contain_text("PDF 已加密")
