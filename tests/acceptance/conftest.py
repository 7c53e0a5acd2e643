"""The real program: run to its end, or kept running as a service."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.program import Service, environment, serving

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

CHROMIUM = Path("/usr/bin/chromium")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
# Continuous integration keeps what is written there.
ARTEFACTS = os.environ.get("SHIZI_TEST_ARTEFACTS", "")

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
    """Give a real browser without a window."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian package chromium)")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def context_options() -> dict[str, object]:
    """Say how the page is looked at; tests override it."""
    return {"locale": "zh-CN", "viewport": {"width": 1200, "height": 900}}


@pytest.fixture
def context(browser: Browser, context_options: dict[str, object]) -> Iterator[BrowserContext]:
    """Give a visitor whom nobody has seen before."""
    context = browser.new_context(**context_options)  # type: ignore[arg-type]
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext, service: Service) -> Iterator[Page]:
    """Open the page; it may load nothing from elsewhere and break nothing."""
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: _expect_own(request.url, service.url, faults))
    page.goto(service.url)
    yield page
    assert not faults


def _expect_own(url: str, own: str, faults: list[str]) -> None:
    if not url.startswith((own, f"blob:{own}")):
        faults.append(url)


@pytest.fixture
def keep(request: pytest.FixtureRequest) -> Callable[[Page], None]:
    """Give what keeps a picture of the page, where somebody wants it."""

    def shoot(page: Page) -> None:
        if ARTEFACTS:
            folder = Path(ARTEFACTS)
            folder.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=folder / f"{request.node.name}.png")

    return shoot
