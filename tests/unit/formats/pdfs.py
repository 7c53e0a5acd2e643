"""PDF files written for the tests, and what readers of PDF find in them."""

from __future__ import annotations

import io
import subprocess
import zlib

import numpy as np
import pikepdf
import pypdfium2 as pdfium
from numpy.typing import NDArray

from shizi.core.encoded import Coding, EncodedPicture
from shizi.core.types import PageResult
from shizi.formats import Document, PictureSource
from tests.unit.formats.pages import written


def white_picture(width: int = 800, height: int = 1000, dpi: float = 72.0) -> EncodedPicture:
    rows = zlib.compress(b"".join(b"\0" + b"\xff" * width for _ in range(height)))
    return EncodedPicture(rows, Coding.PNG, (width, height), 1, dpi=(dpi, dpi))


WHITE = PictureSource(lambda _: white_picture())


def over_white(*pages: PageResult) -> bytes:
    return written("pdf", *pages, document=Document("a.png", WHITE))


def poppler(data: bytes, *options: str) -> str:
    """Give the text that Poppler reads; its complaints are a failure."""
    done = subprocess.run(
        ["pdftotext", "-enc", "UTF-8", *options, "-", "-"],
        input=data,
        capture_output=True,
        check=True,
    )
    assert done.stderr == b""
    return done.stdout.decode()


def chrome(data: bytes, number: int = 1) -> str:
    """Give the text that PDFium reads, which is Chrome's."""
    document = pdfium.PdfDocument(data)
    try:
        text: str = document[number - 1].get_textpage().get_text_range()
    finally:
        document.close()
    return text.replace("\r\n", "\n")


def drawn(data: bytes, number: int = 1) -> NDArray[np.uint8]:
    """Draw a page at a pixel a point."""
    document = pdfium.PdfDocument(data)
    try:
        return np.array(document[number - 1].render(scale=1).to_numpy()[:, :, :3])
    finally:
        document.close()


def pdf_of(*sizes: tuple[float, float], rotate: int = 0, text: str = "") -> bytes:
    """Make a PDF of empty pages."""
    pdf = pikepdf.new()
    for size in sizes:
        pdf.add_blank_page(page_size=size)
        pdf.pages[-1].obj.Rotate = rotate
        pdf.pages[-1].Contents = pdf.make_stream(text.encode())
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()
