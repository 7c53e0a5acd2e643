"""What a visitor of the page does, and answers made up for him."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from playwright.sync_api import Page


def read(page: Page, *files: Path | dict[str, object]) -> None:
    uploads = [
        upload(file.name, file.read_bytes()) if isinstance(file, Path) else file for file in files
    ]
    page.set_input_files("#file", uploads)  # type: ignore[arg-type]
    page.locator("#start").click()


def upload(name: str, data: bytes, kind: str = "image/png") -> dict[str, object]:
    return {"name": name, "mimeType": kind, "buffer": data}


def made_up(*texts: str) -> dict[str, object]:
    """Make an answer of the service."""
    results = [
        {
            "text": text,
            "confidence": 0.5,
            "box": [[0, 9 * k], [90, 9 * k], [90, 9 * k + 8], [0, 9 * k + 8]],
            "page": 1,
            "line": k + 1,
            "direction": "h",
        }
        for k, text in enumerate(texts)
    ]
    return {
        "success": True,
        "results": results,
        "total_time": 1.0,
        "pages": [{"page": 1, "width": 90, "height": 9 * len(texts)}],
        "warnings": [],
        "model": {"name": "made up"},
        "timing": {},
    }
