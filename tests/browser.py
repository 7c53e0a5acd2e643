"""The page in a real browser: what its tests do and what they give it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.program import RECEIPT

if TYPE_CHECKING:
    from playwright.sync_api import Page, Route

CHROMIUM = Path("/usr/bin/chromium")
# The last two give a camera that shows a pattern, and leave to use it.
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]
START = {"zh": "开始高精度识别", "en": "Start high-accuracy reading"}
# How long a real reading may take on a machine that has other things to do.
READ_MS = 30_000


def choose(page: Page, *files: Path | dict[str, Any]) -> None:
    page.set_input_files("#file", list(files))  # type: ignore[arg-type]


def picture(name: str) -> dict[str, Any]:
    return {"name": name, "mimeType": "image/png", "buffer": RECEIPT.read_bytes()}


def read(page: Page, *files: Path | dict[str, Any], language: str = "zh") -> None:
    """Choose files, press the button, and wait until nothing is in work."""
    choose(page, *files)
    start(page, language)
    page.locator("#cancel-all").wait_for(state="hidden", timeout=READ_MS)


def start(page: Page, language: str = "zh") -> None:
    page.get_by_role("button", name=START[language]).click()


def line(text: str, number: int = 1, *, confidence: float = 0.99, page: int = 1) -> dict[str, Any]:
    """Give a line of an answer, 400 by 20 pixels, each 30 under the one before."""
    left, top, right, bottom = 20, 30 * number, 420, 30 * number + 20
    return {
        "text": text,
        "confidence": confidence,
        "box": [[left, top], [right, top], [right, bottom], [left, bottom]],
        "page": page,
        "line": number,
        "direction": "h",
    }


def answer(*lines: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Give an answer with these lines, on pages of the receipt's size."""
    numbers = sorted({each["page"] for each in lines} or {1})
    return {
        "success": True,
        "results": list(lines),
        "text": "\n".join(each["text"] for each in lines),
        "pages": [{"page": number, "width": 720, "height": 830} for number in numbers],
        "warnings": [],
        "model": {"name": "crnn-s"},
        "total_time": 1.5,
        "timing": {"decode": 0.1, "prepare": 0.2, "detect": 0.3, "recognize": 0.9},
        "schema": "1.0",
        "request_id": "r-1",
        **fields,
    }


def answer_with(page: Page, *contents: dict[str, Any]) -> None:
    """Let requests be answered with these, one after another, the last for all after it."""
    left = list(contents)

    def give(route: Route) -> None:
        route.fulfill(json=left.pop(0) if len(left) > 1 else left[0])

    page.route("**/ocr", give)


def fail_with(page: Page, status: int, content: dict[str, Any], **headers: str) -> None:
    """Let every request fail so."""
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    page.route(
        "**/ocr",
        lambda route: route.fulfill(
            status=status,
            body=json.dumps(content),
            headers={"Content-Type": "application/json", **names},
        ),
    )


def clipboard(page: Page) -> str:
    return str(page.evaluate("navigator.clipboard.readText()"))


def keep_picture(page: Page, name: str) -> None:
    """Keep what is seen for people to look at, where they said in which folder."""
    if folder := os.environ.get("SHIZI_TEST_ARTEFACTS"):
        Path(folder).mkdir(parents=True, exist_ok=True)
        page.screenshot(path=Path(folder) / f"{name}.png", animations="disabled")
