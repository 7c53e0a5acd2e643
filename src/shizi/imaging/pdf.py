"""The pages of a PDF, drawn by PDFium; the only module that imports pypdfium2."""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from shizi.core.errors import CorruptImage, EncryptedPdf, OptionError, ShiziError
from shizi.core.options import DecodeOptions, Limits
from shizi.core.pixels import RgbImage
from shizi.core.types import Frame, Page
from shizi.imaging.bounds import check_pixels, downscaled, fit_size, select_pages

POINTS_PER_INCH: Final = 72.0
#: PDFium may be entered by one thread at a time. Reentrant, because the garbage collector may
#: close an abandoned document in the very thread that is drawing another one.
_PDFIUM: Final = threading.RLock()
_FORM_DEPTH: Final = 8
#: Sides are rounded up, and 86.4 points are a float32 a trifle above: 121 pixels for 120.
_ROUNDING_GUARD: Final = 1 - 1e-6
_LOCKED_CODES: Final = frozenset({pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY})


def pdf_pages(data: bytes, options: DecodeOptions, limits: Limits) -> Iterator[Page]:
    """Draw the pages of a PDF one after another, form fields and annotations included.

    Args:
        data: the whole file.
        options: dpi, budget of a page, password, range of pages.
        limits: max_pages holds for the pages read, max_pixels for every picture on a page.

    Yields:
        Pages whose coordinates are pixels at options.pdf_dpi. One that has more of them than the
        budget is drawn at a smaller scale, with a notice.

    Raises:
        EncryptedPdf: the password is missing or wrong.
        CorruptImage: it is no readable PDF, or the page at hand is damaged.
        TooLarge: too many pages, or a picture on the page at hand has too many pixels.
        OptionError: the document ends before the first page asked for.
    """
    document = _open_pdf(data, options.password)
    try:
        with _PDFIUM:
            total = len(document)
        for number in select_pages(total, options, limits):
            with _PDFIUM:
                page = _draw_page(document, number, options, limits)
            yield page
    finally:
        with _PDFIUM:
            document.close()


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn PDFium's errors into ours."""
    try:
        yield
    except ShiziError:
        raise
    except MemoryError as error:
        raise CorruptImage(f"{what} asks for more memory than there is") from error
    except Exception as error:  # damaged documents fail in ways nobody listed
        text = " ".join(str(error).split())[:120]
        raise CorruptImage(f"{what} cannot be read: {text}") from error


def _open_pdf(data: bytes, password: str | None) -> pdfium.PdfDocument:
    """Open a document; the caller closes it."""
    try:
        (password or "").encode("utf-8")
    except UnicodeEncodeError as error:
        raise OptionError("the password is no valid text") from error
    with _PDFIUM, _translated("the PDF"):
        try:
            document = pdfium.PdfDocument(data, password=password)
        except pdfium.PdfiumError as error:
            # PDFium keeps its last error: for a document without pages it tells an older one.
            code = getattr(error, "err_code", None)
            if code not in _LOCKED_CODES or b"/Encrypt" not in data:
                raise
            reason = "needs a password" if password is None else "does not open with this password"
            raise EncryptedPdf(f"the PDF {reason}") from error
        document.init_forms()
        return document


def _draw_page(
    document: pdfium.PdfDocument, number: int, options: DecodeOptions, limits: Limits
) -> Page:
    """Draw page `number` (1-based) within its budget."""
    with _translated(f"page {number} of the PDF"):
        page = document[number - 1]
        try:
            points = _page_points(page, number)
            _check_pictures(page, limits)
            scale = options.pdf_dpi / POINTS_PER_INCH * _ROUNDING_GUARD
            size = math.ceil(points[0] * scale), math.ceil(points[1] * scale)
            image = _render(page, fitting_scale(points, scale, options.page_pixels))
        finally:
            page.close()
    shown = image.shape[1], image.shape[0]
    return Page(
        image=image,
        number=number,
        frame=Frame.scaling(size[0] / shown[0], size[1] / shown[1]),
        size=size,
        notices=downscaled(number, size, shown),
    )


def fitting_scale(points: tuple[float, float], scale: float, max_pixels: int) -> float:
    """Reduce a drawing scale until the drawn page, each side rounded up, fits the budget.

    Args:
        points: (width, height) of the page, > 0.
        scale: pixels a point wanted.
        max_pixels: budget for the product of the sides, >= 1.
    """
    wanted = points[0] * scale, points[1] * scale
    fitted = fit_size(*wanted, max_pixels)
    if fitted == (math.ceil(wanted[0]), math.ceil(wanted[1])):
        return scale
    return min(fitted[0] / points[0], fitted[1] / points[1], scale) * (1 - 1e-9)


def _page_points(page: pdfium.PdfPage, number: int) -> tuple[float, float]:
    """Read the size of a page in points; a page without a size cannot be drawn."""
    width, height = page.get_size()
    if not (math.isfinite(width) and math.isfinite(height) and width > 0 and height > 0):
        raise CorruptImage(f"page {number} of the PDF has an impossible size")
    return width, height


def _check_pictures(page: pdfium.PdfPage, limits: Limits) -> None:
    """Hold the pictures on a page against the limit before PDFium decodes them."""
    width, height = ctypes.c_uint(), ctypes.c_uint()
    for item in page.get_objects(filter=[pdfium_c.FPDF_PAGEOBJ_IMAGE], max_depth=_FORM_DEPTH):
        if pdfium_c.FPDFImageObj_GetImagePixelSize(item.raw, width, height):
            check_pixels(width.value, height.value, limits)


def _render(page: pdfium.PdfPage, scale: float) -> RgbImage:
    """Draw a page on white at `scale` pixels a point: (H, W, 3) uint8 RGB."""
    bitmap = page.render(scale=scale, rev_byteorder=True, limit_image_cache=True)
    try:
        return np.ascontiguousarray(bitmap.to_numpy()[:, :, :3])
    finally:
        bitmap.close()
