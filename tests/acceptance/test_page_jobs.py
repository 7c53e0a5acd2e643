"""Jobs on the page: many files at once, how far they are, cancel, download, remove."""

from __future__ import annotations

import io
import zipfile
from typing import Any

import pytest

from tests.browser import READ_MS, keep_picture, picture
from tests.program import RECEIPT

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = pytest.mark.acceptance


def _open(page: sync_api.Page, name: str = "任务") -> None:
    page.get_by_role("button", name=name, exact=True).click()


def _archive() -> dict[str, Any]:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("一/小票.png", RECEIPT.read_bytes())
        archive.writestr("notes.txt", "no picture")
    return {"name": "all.zip", "mimeType": "application/zip", "buffer": buffer.getvalue()}


def test_a_job_from_the_upload_to_its_removal(page: sync_api.Page) -> None:
    _open(page)
    expect(page.locator("#jobs-empty")).to_be_visible()
    page.set_input_files("#jobs-file", [picture("a.png"), _archive()])

    entry = page.locator("#jobs-list li")
    expect(entry.locator("strong")).to_have_text("2 个文件")
    expect(entry.locator("p")).to_contain_text("完成", timeout=READ_MS)
    expect(entry.locator("p")).to_contain_text("1 个文件失败")
    keep_picture(page, "jobs")
    with page.expect_download() as got:
        entry.get_by_role("button", name="TXT").click()
    text = got.value.path().read_text(encoding="utf-8")
    assert got.value.suggested_filename == "2 个文件.txt"
    assert text.count("杭州西溪书店") == 2

    page.reload()
    _open(page)
    expect(entry.locator("p")).to_contain_text("完成")
    entry.get_by_role("button", name="移除").click()
    expect(page.locator("#jobs-empty")).to_be_visible()
    assert page.evaluate("localStorage.getItem('shizi.jobs')") == "[]"


def test_a_job_is_canceled(page: sync_api.Page) -> None:
    _open(page)
    page.set_input_files("#jobs-file", [picture(f"{k}.png") for k in range(30)])
    entry = page.locator("#jobs-list li")
    entry.get_by_role("button", name="取消").click()

    expect(entry.locator("p")).to_contain_text("已取消")
    expect(entry.locator("progress")).to_be_hidden()


def test_what_is_wrong_is_told(page: sync_api.Page) -> None:
    _open(page)
    bad = {"name": "x.zip", "mimeType": "application/zip", "buffer": b"PK\x03\x04 broken"}
    page.set_input_files("#jobs-file", [bad])

    expect(page.locator("#jobs-problem")).to_contain_text("ZIP 压缩包已损坏")
    expect(page.locator("#jobs-list li")).to_have_count(0)


@pytest.mark.profile(locale="en-US")
def test_names_are_text_and_a_job_that_is_gone_is_told(page: sync_api.Page) -> None:
    entry = {"id": "0" * 32, "name": "<b>x</b>", "time": 0}
    page.evaluate("entry => localStorage.setItem('shizi.jobs', JSON.stringify([entry]))", entry)
    _open(page, "Jobs")

    shown = page.locator("#jobs-list li")
    expect(shown.locator("strong")).to_have_text("<b>x</b>")
    expect(shown.locator("p")).to_have_text("No longer on the server")
