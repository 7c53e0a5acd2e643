"""The pages of a PDF, drawn by PDFium, and their text; the only module that imports pypdfium2."""

from __future__ import annotations

import ctypes
import math
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import numpy as np
import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from shizi.core.errors import CorruptImage, EncryptedPdf, OptionError, ShiziError
from shizi.core.options import DecodeOptions, Limits, PdfText
from shizi.core.pixels import RgbImage
from shizi.core.types import Frame, Notice, Page, TextLayer
from shizi.imaging.bounds import check_pixels, downscaled, fit_size, select_pages
from shizi.imaging.textlayer import (
    MANY_SHAPES,
    Glyph,
    Rect,
    Sight,
    judge_layer,
    take_layer,
)

POINTS_PER_INCH: Final = 72.0
#: PDFium may be entered by one thread at a time. Reentrant, because the garbage collector may
#: close an abandoned document in the very thread that is drawing another one.
_PDFIUM: Final = threading.RLock()
_FORM_DEPTH: Final = 8
#: Sides are rounded up, and 86.4 points are a float32 a trifle above: 121 pixels for 120.
_ROUNDING_GUARD: Final = 1 - 1e-6
#: Of PDFium's whole pixels, for places between them.
_FINE: Final = 64
_FAR_PT: Final = 1000.0
_BLANK: Final = np.full((1, 1, 3), 255, np.uint8)
_LINE_ENDS: Final = frozenset({0x0A, 0x0D})
#: A hyphen at the end of a line, as PDFium marks it, and one that is seen only there.
_HYPHENS: Final = frozenset({0x02, 0xAD, 0xFFFE})
#: A page with more of them is drawn by a program; the first tell what it is like.
_MOST_OBJECTS: Final = 20_000
_LETTER_EDGES: Final = 6
_LETTER_PT: Final = (3.0, 80.0)
_WRITTEN_ON: Final = frozenset(
    {
        pdfium_c.FPDF_ANNOT_FREETEXT,
        pdfium_c.FPDF_ANNOT_STAMP,
        pdfium_c.FPDF_ANNOT_INK,
        pdfium_c.FPDF_ANNOT_WIDGET,
    }
)
_LOCKED_CODES: Final = frozenset({pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY})


def pdf_pages(data: bytes, options: DecodeOptions, limits: Limits) -> Iterator[Page]:
    """Give the pages of a PDF one after another: the text alone where that is all of a page.

    Other pages are drawn, form fields and annotations included.

    Args:
        data: the whole file.
        options: dpi, budget of a page, password, range of pages, what becomes of its text.
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
                page = _read_page(document, number, options, limits)
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


def _read_page(
    document: pdfium.PdfDocument, number: int, options: DecodeOptions, limits: Limits
) -> Page:
    """Give page `number` (1-based): its text where that is all of it, else its picture too."""
    with _translated(f"page {number} of the PDF"):
        page = document[number - 1]
        try:
            points = _page_points(page, number)
            scale = options.pdf_dpi / POINTS_PER_INCH * _ROUNDING_GUARD
            size = math.ceil(points[0] * scale), math.ceil(points[1] * scale)
            layer, notices = _find_layer(page, number, size, options.pdf_text)
            if layer is not None and layer.whole:
                return Page(_BLANK, number, size=size, notices=notices, layer=layer)
            _check_pictures(page, limits)
            image = _render(page, fitting_scale(points, scale, options.page_pixels))
        finally:
            page.close()
    shown = image.shape[1], image.shape[0]
    return Page(
        image=image,
        number=number,
        frame=Frame.scaling(size[0] / shown[0], size[1] / shown[1]),
        size=size,
        notices=downscaled(number, size, shown) + notices,
        layer=layer,
    )


def _find_layer(
    page: pdfium.PdfPage, number: int, size: tuple[int, int], wanted: PdfText
) -> tuple[TextLayer | None, tuple[Notice, ...]]:
    """Take the text of a page, and tell where it has one that nobody can read."""
    if wanted is PdfText.NEVER:
        return None, ()
    frame = _frame(page, size)
    glyphs = _glyphs(page, frame)
    if wanted is PdfText.ALWAYS:
        return take_layer(glyphs, size), ()
    if not any(glyph is not None and not glyph.text.isspace() for glyph in glyphs):
        return None, ()
    layer = judge_layer(glyphs, _sight(page, frame), size)
    if layer is None:
        detail = "the text that the document holds cannot be read; its picture was"
        return None, (Notice("layer_unreadable", detail, number),)
    return layer, ()


def _frame(page: pdfium.PdfPage, size: tuple[int, int]) -> Frame:
    """Map points of a page, y up, to its pixels as it is shown: turned, and cut to its crop box."""
    x, y = ctypes.c_int(), ctypes.c_int()
    grid = size[0] * _FINE, size[1] * _FINE
    ends = []
    for point in ((0.0, 0.0), (_FAR_PT, 0.0), (0.0, _FAR_PT)):
        pdfium_c.FPDF_PageToDevice(page, 0, 0, *grid, 0, *point, x, y)
        ends.append((x.value / _FINE, y.value / _FINE))
    (c, f), right, up = ends
    return Frame(
        (
            (right[0] - c) / _FAR_PT,
            (up[0] - c) / _FAR_PT,
            c,
            (right[1] - f) / _FAR_PT,
            (up[1] - f) / _FAR_PT,
            f,
        )
    )


def _glyphs(page: pdfium.PdfPage, frame: Frame) -> list[Glyph | None]:
    """List the characters of a page; None ends a line."""
    textpage = page.get_textpage()
    try:
        raw = textpage.raw
        count = pdfium_c.FPDFText_CountChars(raw)
        turn = _turn_of(frame)
        return list(_joined(_glyph(raw, index, frame, turn) for index in range(count)))
    finally:
        textpage.close()


def _joined(glyphs: Iterable[Glyph | None]) -> Iterator[Glyph | None]:
    """Join the halves that PDFium makes of characters beyond the first 65,536."""
    high: Glyph | None = None
    for glyph in glyphs:
        if high is not None and glyph is not None and "\udc00" <= glyph.text <= "\udfff":
            pair = (high.text + glyph.text).encode("utf-16-le", "surrogatepass")
            yield replace(high, text=pair.decode("utf-16-le"))
            high = None
            continue
        if high is not None:
            yield replace(high, text="\ufffd")
        high = glyph if glyph is not None and "\ud800" <= glyph.text <= "\udbff" else None
        if high is None:
            yield _whole(glyph)
    if high is not None:
        yield replace(high, text="\ufffd")


def _whole(glyph: Glyph | None) -> Glyph | None:
    alone = glyph is not None and "\udc00" <= glyph.text <= "\udfff"
    return replace(glyph, text="\ufffd") if glyph is not None and alone else glyph


def _glyph(raw: object, index: int, frame: Frame, turn: float) -> Glyph | None:
    code = pdfium_c.FPDFText_GetUnicode(raw, index)
    if code in _LINE_ENDS:
        return None
    if code in _HYPHENS:
        code = ord("-")
    text = chr(code) if 0 < code <= 0x10FFFF else "\ufffd"
    if text.isspace():
        return Glyph(" ", (0.0, 0.0, 0.0, 0.0))
    rect = pdfium_c.FS_RECTF()
    pdfium_c.FPDFText_GetLooseCharBox(raw, index, rect)
    # Clockwise, as pixels are counted.
    angle = pdfium_c.FPDFText_GetCharAngle(raw, index) + turn
    broken = pdfium_c.FPDFText_HasUnicodeMapError(raw, index) == 1
    box = _to_pixels((rect.left, rect.bottom, rect.right, rect.top), frame)
    return Glyph(text, box, math.remainder(angle, math.tau), broken)


def _turn_of(frame: Frame) -> float:
    """Tell how far a page is turned when it is shown, radians clockwise."""
    a, _, _, d, _, _ = frame.matrix
    return math.atan2(d, a)


def _to_pixels(rect: Rect, frame: Frame) -> Rect:
    """Carry an upright box of a page's points to its pixels."""
    (x1, y1), (x2, y2) = frame.map((rect[0], rect[1])), frame.map((rect[2], rect[3]))
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def _sight(page: pdfium.PdfPage, frame: Frame) -> Sight:
    """Find what a page shows beside its text."""
    pictures: list[Rect] = []
    shapes = 0
    for item, place in _walk(_objects(page), frame, _FORM_DEPTH):
        kind = pdfium_c.FPDFPageObj_GetType(item)
        if kind == pdfium_c.FPDF_PAGEOBJ_IMAGE:
            pictures.append(_unit_square(place.after(_matrix(item))))
        elif kind == pdfium_c.FPDF_PAGEOBJ_PATH and _is_letter_like(item, place):
            shapes += 1
            if shapes >= MANY_SHAPES:
                break
    return Sight((*pictures, *_fields(page, frame)), shapes)


def _objects(page: pdfium.PdfPage) -> Iterator[object]:
    count = min(pdfium_c.FPDFPage_CountObjects(page), _MOST_OBJECTS)
    return (pdfium_c.FPDFPage_GetObject(page, k) for k in range(count))


def _walk(items: Iterator[object], frame: Frame, depth: int) -> Iterator[tuple[object, Frame]]:
    """Walk objects, those within forms too, each with the map from its space to pixels."""
    for item in items:
        if pdfium_c.FPDFPageObj_GetType(item) != pdfium_c.FPDF_PAGEOBJ_FORM:
            yield item, frame
        elif depth:
            count = min(pdfium_c.FPDFFormObj_CountObjects(item), _MOST_OBJECTS)
            inner = (pdfium_c.FPDFFormObj_GetObject(item, k) for k in range(count))
            yield from _walk(inner, frame.after(_matrix(item)), depth - 1)


def _matrix(item: object) -> Frame:
    matrix = pdfium_c.FS_MATRIX()
    pdfium_c.FPDFPageObj_GetMatrix(item, matrix)
    return Frame((matrix.a, matrix.c, matrix.e, matrix.b, matrix.d, matrix.f))


def _unit_square(frame: Frame) -> Rect:
    corners = [frame.map(corner) for corner in ((0, 0), (1, 0), (1, 1), (0, 1))]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return min(xs), min(ys), max(xs), max(ys)


def _is_letter_like(item: object, frame: Frame) -> bool:
    """Tell a shape with as many edges, and as large, as a character may have."""
    if pdfium_c.FPDFPath_CountSegments(item) < _LETTER_EDGES:
        return False
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium_c.FPDFPageObj_GetBounds(item, left, bottom, right, top):
        return False
    box = _to_pixels((left.value, bottom.value, right.value, top.value), frame)
    scale = abs(frame.matrix[0]) + abs(frame.matrix[1])
    return all(
        _LETTER_PT[0] * scale <= side <= _LETTER_PT[1] * scale
        for side in (box[2] - box[0], box[3] - box[1])
    )


def _fields(page: pdfium.PdfPage, frame: Frame) -> Iterator[Rect]:
    """Give the places of form fields, stamps and notes, whose text is none of the page's."""
    rect = pdfium_c.FS_RECTF()
    for index in range(min(pdfium_c.FPDFPage_GetAnnotCount(page), _MOST_OBJECTS)):
        field = pdfium_c.FPDFPage_GetAnnot(page, index)
        if not field:
            continue
        if pdfium_c.FPDFAnnot_GetSubtype(field) in _WRITTEN_ON and pdfium_c.FPDFAnnot_GetRect(
            field, rect
        ):
            yield _to_pixels((rect.left, rect.bottom, rect.right, rect.top), frame)
        pdfium_c.FPDFPage_CloseAnnot(field)


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
