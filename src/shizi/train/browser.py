"""Draws pages with Chromium and tells where their characters stand."""

from __future__ import annotations

import base64
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.errors import MissingExtra
from shizi.core.pixels import RgbImage
from shizi.train.webpage import WebPage

# Every visible character with its box, and the element it is of.
_CHARACTERS = """
() => {
const found = [], range = document.createRange(), nodes = document.createTreeWalker(
  document.body, NodeFilter.SHOW_TEXT);
let element = 0;
while (nodes.nextNode()) {
  const node = nodes.currentNode, text = Array.from(node.data);
  element += 1;
  let place = 0;
  for (const char of text) {
    range.setStart(node, place);
    place += char.length;
    range.setEnd(node, place);
    const box = range.getBoundingClientRect();
    if (box.width > 0) found.push([char, element, box.left, box.top, box.right, box.bottom]);
  }
}
return found;
}
"""
MAX_HEIGHT_PX = 2400


@dataclass(frozen=True, slots=True)
class DrawnPage:
    """A page as pixels, and its text.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        chars: one string of N characters; white space included where it takes room.
        owners: (N,) int64, which element each character is of.
        boxes: (N, 4) float64, left, top, right, bottom in pixels of `image`.
    """

    image: RgbImage
    chars: str
    owners: NDArray[np.int64]
    boxes: NDArray[np.float64]


class Browser:
    """A headless Chromium; a context manager that ends it.

    Args:
        font_settings: Fontconfig settings the browser runs under.
        program: of Chromium.

    Raises:
        MissingExtra: the package `playwright` is not installed.
    """

    def __init__(self, font_settings: str, program: str = "/usr/bin/chromium") -> None:
        try:
            from playwright.sync_api import sync_playwright  # noqa: PLC0415 - for this part alone
        except ImportError as error:
            raise MissingExtra("train") from error
        self._folder = tempfile.TemporaryDirectory(prefix="shizi-pages-")
        settings = Path(self._folder.name) / "fonts.conf"
        settings.write_text(font_settings, encoding="utf-8")
        self._file = Path(self._folder.name) / "page.html"
        self._playwright = sync_playwright().start()
        flags = "no-sandbox disable-gpu disable-background-networking allow-file-access-from-files"
        self._browser = self._playwright.chromium.launch(
            executable_path=program,
            args=[f"--{flag}" for flag in flags.split()],
            env={"FONTCONFIG_FILE": str(settings), "HOME": self._folder.name},
        )
        self._tab = self._browser.new_page()
        # Playwright's own screenshots need a new window for each size, which takes a second.
        self._devtools = self._tab.context.new_cdp_session(self._tab)

    def __enter__(self) -> Self:
        """Give the browser, which runs already."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the browser."""
        self._browser.close()
        self._playwright.stop()
        self._folder.cleanup()

    def draw(self, page: WebPage) -> DrawnPage:
        """Draw a page; what lies below `MAX_HEIGHT_PX` CSS pixels is cut off."""
        self._file.write_text(page.html, encoding="utf-8")
        self._resize(page, 64)
        self._tab.goto(self._file.as_uri())
        self._tab.evaluate("document.fonts.ready.then(() => true)")
        height = self._tab.evaluate("document.documentElement.scrollHeight")
        self._resize(page, min(MAX_HEIGHT_PX, height))
        found: list[list[Any]] = self._tab.evaluate(_CHARACTERS)
        shot = self._devtools.send("Page.captureScreenshot", {"format": "png"})
        data = np.frombuffer(base64.b64decode(shot["data"]), np.uint8)
        pixels = np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)
        image = np.ascontiguousarray(pixels[:, :, ::-1])
        boxes = np.array([row[2:] for row in found], np.float64).reshape(-1, 4) * page.scale
        owners = np.array([row[1] for row in found], np.int64)
        return DrawnPage(image, "".join(row[0] for row in found), owners, boxes)

    def _resize(self, page: WebPage, height: int) -> None:
        size = {"width": page.width, "height": height}
        metrics = size | {"deviceScaleFactor": page.scale, "mobile": False}
        self._devtools.send("Emulation.setDeviceMetricsOverride", metrics)
