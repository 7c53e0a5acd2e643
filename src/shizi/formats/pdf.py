"""Searchable PDF: each page as it was, its text unseen over it.

The pages of a PDF keep their content; a picture is put on a page of its own as it is encoded. See
`pdf_text` for how the text is laid, `pdf_font` for why it copies as what it is.
"""

from __future__ import annotations

import io
from itertools import count
from typing import BinaryIO, Final

import pikepdf
from pikepdf import Array, Dictionary, Name

from shizi.core.encoded import Coding, EncodedPicture
from shizi.core.errors import CorruptImage, EncryptedPdf, InputError, OptionError, ShiziError
from shizi.core.types import Frame, Origin, PageResult, TextLine
from shizi.formats.pdf_clean import drop_unseen_text
from shizi.formats.pdf_font import ASCENT, DESCENT, EM, Glyphs, font_file
from shizi.formats.pdf_text import text_operators
from shizi.formats.writing import Document, PdfSource, PictureSource

POINTS_PER_INCH: Final = 72.0
#: Of a picture that does not say; what screens and web pages take.
USUAL_DPI: Final = 96.0
_DPI_RANGE: Final = (50.0, 1200.0)
#: No page may be longer or shorter: what old readers bear.
_LONGEST_PT: Final = 14_400.0
_SHORTEST_PT: Final = 3.0
_FONT_NAME: Final = "/SHIZIB+ShiziBoxes"
_FONT: Final = "ShiziText"
_SPACES: Final = {1: Name.DeviceGray, 3: Name.DeviceRGB, 4: Name.DeviceCMYK}


class PdfWriter:
    """Writes a searchable PDF; it is put together in memory and written at the end.

    One PDF is written with all that belongs to it: pages that were not read, outline, attachments.
    Of several documents, the pages follow each other.

    Args:
        out: to write to.
        several: whether more than one document will come.
    """

    def __init__(self, out: BinaryIO, *, several: bool = False) -> None:
        self._out = out
        self._several = several
        self._target = pikepdf.new()
        self._glyphs = Glyphs()
        self._font: pikepdf.Object | None = None
        self._source: PdfSource | PictureSource | None = None
        self._first = 0

    def begin(self, document: Document) -> None:
        """Take in the pages of a PDF; those of a picture come with their results.

        Raises:
            OptionError: the document comes without its source.
            InputError: the PDF cannot be taken apart.
        """
        if document.source is None:
            raise OptionError(f"a searchable PDF shows the pages of {document.name}: give the file")
        self._source = document.source
        self._first = len(self._target.pages)
        if not isinstance(document.source, PdfSource):
            return
        opened = _open(document.source)
        if self._several:
            self._target.add_pages_from(opened)
        else:
            self._target = opened

    def add(self, page: PageResult) -> None:
        """Lay the text of a page over its picture."""
        if isinstance(self._source, PictureSource):
            self._add_picture(self._source.picture(page.number), page)
            return
        place = self._first + page.number - 1
        if place >= len(self._target.pages):
            raise InputError(f"the source has no page {page.number}; is it the file that was read?")
        shown = self._target.pages[place]
        read = tuple(line for line in page.lines if line.origin is Origin.PICTURE)
        if read and len(read) == len(page.lines):
            # All of the page was read: what an earlier reading left there would be found twice.
            drop_unseen_text(self._target, shown)
        self._lay_text(shown, read, _frame_of(shown, page))

    def end(self, total_time_s: float) -> None:
        """Keep the document for the end."""

    def fail(self, name: str, error: ShiziError) -> None:
        """Keep what was read; a PDF has no place for the error."""

    def close(self) -> None:
        """Write the file."""
        if self._font is not None:
            self._complete_font(self._font)
        if not self._target.pages:
            return
        self._target.save(self._out, encryption=self._target.is_encrypted)

    def _add_picture(self, picture: EncodedPicture, page: PageResult) -> None:
        width, height = _page_size(picture)
        self._target.add_blank_page(page_size=(width, height))
        shown = self._target.pages[-1]
        shown.Resources = Dictionary(XObject=Dictionary(Picture=self._image(picture)))
        matrix = " ".join(
            f"{value:.3f}" for value in _orienting(picture.orientation, width, height)
        )
        shown.Contents = self._target.make_stream(f"q {matrix} cm /Picture Do Q".encode())
        to_page = Frame((width / page.width, 0.0, 0.0, 0.0, -height / page.height, height))
        self._lay_text(shown, page.lines, to_page)

    def _image(self, picture: EncodedPicture) -> pikepdf.Stream:
        stream = pikepdf.Stream(self._target, picture.data)
        stream.Type, stream.Subtype = Name.XObject, Name.Image
        stream.Width, stream.Height = picture.size
        stream.BitsPerComponent = picture.bits
        stream.ColorSpace = _SPACES[picture.channels]
        if picture.palette:
            last = len(picture.palette) // 3 - 1
            palette = pikepdf.String(picture.palette)
            stream.ColorSpace = Array([Name.Indexed, Name.DeviceRGB, last, palette])
        if picture.inverted:
            stream.Decode = Array([1, 0] * picture.channels)
        if picture.coding is Coding.JPEG:
            stream.Filter = Name.DCTDecode
        else:
            stream.Filter = Name.FlateDecode
            stream.DecodeParms = Dictionary(
                Predictor=15,
                Colors=picture.channels,
                BitsPerComponent=picture.bits,
                Columns=picture.size[0],
            )
        return stream

    def _lay_text(self, shown: pikepdf.Page, lines: tuple[TextLine, ...], to_page: Frame) -> None:
        """Put the text before the page's own content, where no operator of that is in force."""
        if not lines:
            return
        if self._font is None:
            self._font = self._target.make_indirect(Dictionary())
        name = _free_name(shown)
        shown.add_resource(self._font, Name.Font, Name(f"/{name}"))
        operators = text_operators(lines, to_page, self._glyphs, name)
        shown.contents_add("\n".join(operators).encode("ascii"), prepend=True)

    def _complete_font(self, font: pikepdf.Object) -> None:
        """Tell of the characters that were used; only now are they all known."""
        target, glyphs = self._target, self._glyphs
        file = target.make_stream(font_file())
        file.Length1 = len(font_file())
        descriptor = Dictionary(
            Type=Name.FontDescriptor,
            FontName=Name(_FONT_NAME),
            Flags=4,
            FontBBox=Array([0, DESCENT, EM, ASCENT]),
            ItalicAngle=0,
            Ascent=ASCENT,
            Descent=DESCENT,
            CapHeight=ASCENT,
            StemV=80,
            FontFile2=file,
        )
        inner = Dictionary(
            Type=Name.Font,
            Subtype=Name.CIDFontType2,
            BaseFont=Name(_FONT_NAME),
            CIDSystemInfo=Dictionary(
                Registry=pikepdf.String("Adobe"),
                Ordering=pikepdf.String("Identity"),
                Supplement=0,
            ),
            FontDescriptor=target.make_indirect(descriptor),
            DW=EM,
            W=Array([1, Array(glyphs.widths())]),
            CIDToGIDMap=target.make_stream(glyphs.outlines()),
        )
        font.Type, font.Subtype = Name.Font, Name.Type0
        font.BaseFont, font.Encoding = Name(_FONT_NAME), Name("/Identity-H")
        font.DescendantFonts = Array([target.make_indirect(inner)])
        font.ToUnicode = target.make_stream(glyphs.to_unicode())


def _open(source: PdfSource) -> pikepdf.Pdf:
    try:
        return pikepdf.open(io.BytesIO(source.data), password=source.password or "")
    except pikepdf.PasswordError as error:
        raise EncryptedPdf("the PDF does not open with this password") from error
    except pikepdf.PdfError as error:
        raise CorruptImage("the PDF cannot be taken apart to add text to it") from error


def _free_name(shown: pikepdf.Page) -> str:
    """Find a name for the font that nothing on the page has; it may have come from here before."""
    taken = {
        str(name)
        for group in shown.resources.as_dict().values()
        if isinstance(group, Dictionary)
        for name in group.keys()  # noqa: SIM118 - no mapping of Python's
    }
    return next(name for k in count() if f"/{(name := f'{_FONT}{k}')}" not in taken)


def _page_size(picture: EncodedPicture) -> tuple[float, float]:
    """Give the size of the page for a picture, in points, so that it prints as large as it was."""
    least, most = _DPI_RANGE
    dpi = picture.dpi or (USUAL_DPI, USUAL_DPI)
    if not all(least <= value <= most for value in dpi):
        dpi = (USUAL_DPI, USUAL_DPI)
    width, height = (
        side * POINTS_PER_INCH / value for side, value in zip(picture.size, dpi, strict=True)
    )
    shrink = min(1.0, _LONGEST_PT / max(width, height))
    size = max(_SHORTEST_PT, width * shrink), max(_SHORTEST_PT, height * shrink)
    return size[::-1] if picture.orientation >= 5 else size


def _orienting(orientation: int, w: float, h: float) -> tuple[float, ...]:
    """Map the unit square of a stored picture to a page of w x h points, upright."""
    return {
        1: (w, 0.0, 0.0, h, 0.0, 0.0),
        2: (-w, 0.0, 0.0, h, w, 0.0),
        3: (-w, 0.0, 0.0, -h, w, h),
        4: (w, 0.0, 0.0, -h, 0.0, h),
        5: (0.0, -h, -w, 0.0, w, h),
        6: (0.0, -h, w, 0.0, 0.0, h),
        7: (0.0, h, w, 0.0, 0.0, 0.0),
        8: (0.0, h, -w, 0.0, w, 0.0),
    }[orientation]


def _frame_of(shown: pikepdf.Page, page: PageResult) -> Frame:
    """Map pixels of a result to the points of its PDF page, whichever way the page is turned."""
    left, bottom, right, top = _visible(shown)
    turned = int(shown.obj.get("/Rotate", 0)) % 360
    width, height = right - left, top - bottom
    if turned in {90, 270}:
        width, height = height, width
    x, y = width / page.width, height / page.height
    return {
        90: Frame((0.0, y, left, x, 0.0, bottom)),
        180: Frame((-x, 0.0, right, 0.0, y, bottom)),
        270: Frame((0.0, -y, right, -x, 0.0, top)),
    }.get(turned, Frame((x, 0.0, left, 0.0, -y, top)))


def _visible(shown: pikepdf.Page) -> tuple[float, float, float, float]:
    """Give left, bottom, right, top of what a reader shows: the crop box within the media box."""
    media, crop = _sorted(shown.mediabox), _sorted(shown.cropbox)
    cut = (
        max(media[0], crop[0]),
        max(media[1], crop[1]),
        min(media[2], crop[2]),
        min(media[3], crop[3]),
    )
    return cut if cut[0] < cut[2] and cut[1] < cut[3] else media


def _sorted(box: pikepdf.Array) -> tuple[float, float, float, float]:
    x1, y1, x2, y2 = (float(value) for value in box)
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)
