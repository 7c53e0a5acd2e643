"""The page of releases in a real browser: what it shows, what its buttons do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.serving import make_server

from shizi.core.config import Settings
from shizi.core.sections import ReleaseSettings, RoutingSettings
from shizi.core.types import PageResult, Quad, TextLine
from shizi.release.controller import Controller
from shizi.release.document import Document, Phase
from shizi.release.filestore import FileStore
from shizi.release.pairs import PairBox
from shizi.server.app import create_app
from tests.browser import keep_picture
from tests.fakes import FakeReader
from tests.program import RECEIPT
from tests.unit.release.world import SHORT, Clock, Host, begin

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
expect = sync_api.expect

pytestmark = pytest.mark.acceptance


class _World:
    """A store with a release that is taken along, and a server in front of it."""

    def __init__(self, folder: Path) -> None:
        self.clock = Clock()
        self.store = FileStore(folder / "store")
        self.host = Host(self.store, self.clock)
        self.controller = Controller(self.store, self.clock, self.clock)
        self.box = PairBox(folder / "pairs")
        releases = ReleaseSettings(store=str(folder / "store"), spot_checks=folder / "pairs")
        app = create_app(replace(Settings(), releases=releases), FakeReader())
        self.server = make_server("127.0.0.1", 0, app, threaded=True)
        self.url = f"http://127.0.0.1:{self.server.server_port}"

    def until(self, phase: Phase) -> Document:
        for _ in range(60):
            self.clock.now_s += 1
            self.host.live()
            document = self.controller.look(RoutingSettings())
            assert document
            if document.phase is phase:
                return document
        raise AssertionError(phase)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[_World]:
    world = _World(tmp_path)
    thread = threading.Thread(target=world.server.serve_forever)
    thread.start()
    yield world
    world.server.shutdown()
    thread.join()
    world.server.server_close()


@pytest.fixture
def page(browser: sync_api.Browser, world: _World) -> Iterator[sync_api.Page]:
    context = browser.new_context(locale="zh-CN", viewport={"width": 1180, "height": 1400})
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda m: problems.append(m.text) if "Content Security" in m.text else None)
    page.goto(f"{world.url}/releases")
    yield page
    context.close()
    assert problems == []


def _sure(page: sync_api.Page) -> None:
    page.locator("#sure").get_by_role("button", name="确定").click()


def test_a_release_is_begun_on_the_page(world: _World, page: sync_api.Page) -> None:
    page.locator("#start-version").select_option(label="ppocr-v6-small@6.0")
    page.locator("#start-reason").fill("新模型")
    page.get_by_role("button", name="开始发布").click()

    expect(page.locator("#verdict")).to_have_text("加载")
    document = world.store.read()
    assert document
    assert (document.actor, document.reason) == ("the page", "新模型")


def test_phases_curves_and_guards_are_shown(world: _World, page: sync_api.Page) -> None:
    begin(world.store, replace(SHORT, soak_s=1_000))
    world.until(Phase.SOAK)

    expect(page.locator("#rail [aria-current]")).to_have_text("观察")
    expect(page.locator("#share")).to_have_text("100 %")
    expect(page.locator("#guards tr")).to_have_count(12)
    expect(page.locator("#guards .state-holds")).to_have_count(4)
    expect(page.locator("#guards .state-few")).to_have_count(8)
    expect(page.locator("#curves path.c").first).to_be_attached()
    expect(page.locator("#log li")).to_have_count(6)
    keep_picture(page, "releases")
    page.get_by_role("button", name="English").click()
    expect(page.locator("#rail [aria-current]")).to_have_text("soak")
    expect(page.locator("#guards tr").first).to_contain_text("Loading and verification")
    page.set_viewport_size({"width": 360, "height": 800})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    keep_picture(page, "releases-phone")


def test_the_buttons_move_it(world: _World, page: sync_api.Page) -> None:
    begin(world.store)
    world.until(Phase.CANARY)
    expect(page.locator("#verdict")).to_have_text("灰度")
    page.get_by_label("手动比例").fill("42.5")
    page.get_by_role("button", name="设定").click()
    _sure(page)
    expect(page.locator("#share")).to_have_text("42.5 %")
    page.get_by_role("button", name="继续").click()
    _sure(page)
    expect(page.locator("#verdict")).to_have_text("灰度")
    page.get_by_role("button", name="回滚").click()
    page.locator("#sure-reason").fill("不好")
    _sure(page)
    expect(page.locator("#verdict")).to_have_text("已回滚")

    expect(page.get_by_role("button", name="立即转正")).to_be_disabled()
    last = world.store.entries()[-1]
    assert (last.phase, last.reason, last.actor) == (Phase.ROLLED_BACK, "不好", "the page")


def test_what_changed_meanwhile_is_not_moved(world: _World, page: sync_api.Page) -> None:
    begin(world.store)
    expect(page.locator("#verdict")).to_have_text("加载")
    page.get_by_role("button", name="回滚").click()
    world.until(Phase.VERIFY)
    _sure(page)

    expect(page.locator("#problem")).to_contain_text("any more")
    document = world.store.read()
    assert document
    assert document.phase is Phase.VERIFY


def test_pairs_are_judged(world: _World, page: sync_api.Page) -> None:
    document = begin(world.store)

    def read(text: str) -> list[PageResult]:
        return [PageResult(1, 9, 9, (TextLine(text, 0.9, Quad.from_rect(0, 0, 5, 5)),))]

    world.box.keep(document, RECEIPT.read_bytes(), read("<b>发票</b>"), read("发漂"))
    expect(page.locator("#pair pre")).to_have_count(2)
    texts = page.locator("#pair pre").all_text_contents()
    assert sorted(texts) == ["<b>发票</b>", "发漂"]
    assert (
        page.locator("#pair img").evaluate("image => image.decode().then(() => image.width)") > 50
    )
    keep_picture(page, "releases-pair")
    page.get_by_role("button", name="这个更对").first.click()

    expect(page.locator("#pair")).to_have_text("暂无需要判断的图片。")


def test_without_a_store_it_says_what_to_set(browser: sync_api.Browser) -> None:
    server = make_server("127.0.0.1", 0, create_app(Settings(), FakeReader()), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    context = browser.new_context(locale="en-US")
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.server_port}/releases")
    expect(page.locator("#problem")).to_contain_text("releases.store")
    expect(page.locator("#start-part")).to_be_hidden()
    context.close()
    server.shutdown()
    thread.join()
    server.server_close()
