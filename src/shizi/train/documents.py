"""Text out of folders of documents: HTML by paragraphs, plain text by sentences."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

from shizi.text.charset import fold

# What these hold is no language.
_SILENT = ("script", "style", "pre", "code", "head")
_PARTS = ("p", "li", "td", "th", "h1", "h2", "h3", "h4", "h5", "dt", "dd", "div", "br", "tr")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+")


class _Paragraphs(HTMLParser):
    """Gathers the text of each part of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._part: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, _attrs: object) -> None:
        """Begin a part, or silence."""
        self._silent += tag in _SILENT
        if tag in _PARTS:
            self.end()

    def handle_endtag(self, tag: str) -> None:
        """End a part, or silence."""
        self._silent -= tag in _SILENT and self._silent > 0
        if tag in _PARTS:
            self.end()

    def handle_data(self, data: str) -> None:
        """Take text in."""
        if not self._silent:
            self._part.append(data)

    def end(self) -> None:
        """Close the part that is open."""
        text = fold("".join(self._part))
        self._part.clear()
        if text:
            self.found.append(text)


def read_documents(folder: Path) -> tuple[list[str], list[str]]:
    """Read all documents below a folder; equal parts count once.

    Args:
        folder: of `*.html` and `*.txt` files in UTF-8; other files are left alone.

    Returns:
        Paragraphs of HTML, and sentences of plain text, folded.
    """
    paragraphs: list[str] = []
    sentences: list[str] = []
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".html" and path.is_file():
            page = _Paragraphs()
            page.feed(path.read_text(encoding="utf-8", errors="ignore"))
            page.end()
            paragraphs += page.found
        elif path.suffix == ".txt" and path.is_file():
            text = " ".join(path.read_text(encoding="utf-8", errors="ignore").split())
            sentences += [fold(part) for part in _SENTENCE_END.split(text)]
    return list(dict.fromkeys(paragraphs)), list(dict.fromkeys(filter(None, sentences)))
