"""The real program: run to its end, or kept running as a service; and a browser at its page."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.browser import CHROMIUM, FLAGS
from tests.program import Service, environment, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

Run = Callable[..., subprocess.CompletedProcess[bytes]]


@pytest.fixture(scope="session", params=["gthread", "gevent"])
def service(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Service]:
    """Share one service between the tests that only ask it; each runs with both workers."""
    with serving(tmp_path_factory.mktemp("service"), "--worker", request.param) as running:
        yield running


@pytest.fixture
def shizi(tmp_path: Path) -> Run:
    """Run the program with arguments in an empty folder; nothing may end in a traceback."""

    def run(
        *arguments: str | Path, data: bytes = b"", **variables: str
    ) -> subprocess.CompletedProcess[bytes]:
        done = subprocess.run(
            [sys.executable, "-m", "shizi", *map(str, arguments)],
            cwd=tmp_path,
            env=environment() | variables,
            input=data,
            capture_output=True,
            timeout=120,
            check=False,
        )
        assert b"Traceback" not in done.stderr, done.stderr.decode()
        return done

    return run


# Of a module, not of the session: while one runs, no other test may start one of its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Share one browser; each test has a profile of its own."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian package chromium)")
    with playwright.sync_playwright() as running:
        browser = running.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context(
    browser: Browser, request: pytest.FixtureRequest, service: Service
) -> Iterator[BrowserContext]:
    """Open a fresh profile, Chinese on a desk unless the test's mark `profile` says otherwise."""
    mark = request.node.get_closest_marker("profile")
    wishes = {"locale": "zh-CN", "viewport": {"width": 1280, "height": 860}}
    context = browser.new_context(**wishes | (mark.kwargs if mark else {}))
    context.grant_permissions(["clipboard-read", "clipboard-write"], origin=service.url)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, service: Service) -> Iterator[Page]:
    """Open the page; it may load nothing from elsewhere, break nothing, and offend no policy."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda asked: _expect_own(asked.url, service.url, faults))
    page.on("console", lambda told: _expect_policy(told.text, faults))
    page.goto(service.url)
    yield page
    assert not faults


def _expect_own(url: str, own: str, faults: list[str]) -> None:
    if not url.startswith((own, f"blob:{own}")):
        faults.append(url)


def _expect_policy(told: str, faults: list[str]) -> None:
    if "Content Security Policy" in told:
        faults.append(told)
