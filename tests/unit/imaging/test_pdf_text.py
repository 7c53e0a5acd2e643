"""Text that a PDF holds: where it stands, and what is not to be trusted."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pikepdf
import pytest

from shizi.core.options import DecodeOptions, PdfText
from shizi.core.types import Page, PageResult, Quad, TextLine
from shizi.formats import FORMATS, Document, PdfSource
from shizi.imaging import pdf
from shizi.imaging.decode import open_document
from shizi.imaging.textlayer import Glyph
from tests.unit.imaging.documents import RED_BLOCK, make_pdf, picture_object

HELVETICA = b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>"


HELLO = "BT /F 20 Tf 20 60 Td (Hello PDF) Tj ET"


def _with_text(content: str = HELLO, rotate: int = 0) -> bytes:
    data = make_pdf(("0 0 200 100", content), extra=(HELVETICA,))
    data = data.replace(b"/XObject<</X 3 0 R>>", b"/Font<</F 3 0 R>>   ")
    return data.replace(b"/Resources", b"/Rotate %d/Resources" % rotate)


def _texts(page: Page) -> list[str]:
    return [] if page.layer is None else [line.text for line in page.layer.lines]


def test_a_page_of_text_is_not_drawn() -> None:
    (page,) = open_document(_with_text(), DecodeOptions(pdf_dpi=144))

    assert _texts(page) == ["Hello PDF"]
    assert page.layer is not None
    assert page.layer.whole
    assert (page.size, page.image.shape) == ((400, 200), (1, 1, 3))
    left, top, right, bottom = page.layer.lines[0].box.bounds
    assert left == pytest.approx(40, abs=4)
    assert right == pytest.approx(240, abs=30)
    # The baseline is 60 points above the foot of the page, 40 below its head.
    assert top < 80 < bottom < 100


def test_text_may_be_ignored_or_taken_as_it_is() -> None:
    (drawn,) = open_document(_with_text(), DecodeOptions(pdf_dpi=72, pdf_text=PdfText.NEVER))
    (taken,) = open_document(_with_text(), DecodeOptions(pdf_dpi=72, pdf_text=PdfText.ALWAYS))
    (empty,) = open_document(
        make_pdf(("0 0 100 80", RED_BLOCK)), DecodeOptions(pdf_text=PdfText.ALWAYS)
    )

    assert (drawn.layer, drawn.image.shape) == (None, (100, 200, 3))
    assert _texts(taken) == ["Hello PDF"]
    assert empty.layer is None
    assert empty.image.shape[0] > 1


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
def test_text_stands_where_it_is_drawn_on_turned_pages(rotate: int) -> None:
    options = DecodeOptions(pdf_dpi=144)
    (drawn,) = open_document(_with_text(rotate=rotate), replace(options, pdf_text=PdfText.NEVER))
    (page,) = open_document(_with_text(rotate=rotate), options)
    assert page.layer is not None
    (line,) = page.layer.lines

    ink = np.argwhere(drawn.image.min(axis=2) < 128)
    left, top, right, bottom = line.box.bounds

    assert page.size == drawn.size
    assert (left - 3 <= ink[:, 1]).all()
    assert (ink[:, 1] <= right + 3).all()
    assert (top - 3 <= ink[:, 0]).all()
    assert (ink[:, 0] <= bottom + 3).all()
    assert math.remainder(line.box.angle_deg - rotate, 360) == pytest.approx(0, abs=1)


def test_a_page_with_a_picture_beside_its_text_is_drawn_too() -> None:
    picture = picture_object(2, 2, bytes(4))
    data = make_pdf(
        ("0 0 200 100", HELLO + " q 80 0 0 40 100 5 cm /X Do Q"), extra=(picture, HELVETICA)
    ).replace(b"/XObject<</X 3 0 R>>", b"/XObject<</X 3 0 R>>/Font<</F 4 0 R>>")

    (page,) = open_document(_repaired(data), DecodeOptions(pdf_dpi=72))

    assert _texts(page) == ["Hello PDF"]
    assert page.layer is not None
    assert not page.layer.whole
    assert page.image.shape == (100, 200, 3)


def _repaired(data: bytes) -> bytes:
    """Let pikepdf write the table of places anew."""
    out = io.BytesIO()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        pdf.save(out)
    return out.getvalue()


def test_a_picture_within_a_form_is_seen_where_it_stands() -> None:
    data = make_pdf(("0 0 200 100", HELLO + " q .5 0 0 .5 100 0 cm /G Do Q"), extra=(HELVETICA,))
    with pikepdf.open(io.BytesIO(data)) as pdf:
        picture = pdf.make_stream(bytes(4))
        picture.Type, picture.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
        picture.Width, picture.Height, picture.BitsPerComponent = 2, 2, 8
        picture.ColorSpace = pikepdf.Name.DeviceGray
        form = pdf.make_stream(b"q 100 0 0 60 0 0 cm /X Do Q")
        form.Type, form.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
        form.BBox = pikepdf.Array([0, 0, 200, 100])
        form.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(X=picture))
        font = pdf.make_indirect(pikepdf.Object.parse(HELVETICA))
        pdf.pages[0].Resources = pikepdf.Dictionary(
            Font=pikepdf.Dictionary(F=font), XObject=pikepdf.Dictionary(G=form)
        )
        out = io.BytesIO()
        pdf.save(out)

    (page,) = open_document(out.getvalue(), DecodeOptions(pdf_dpi=72))

    assert page.layer is not None
    assert not page.layer.whole


def test_a_filled_form_field_is_read_from_the_picture() -> None:
    data = _with_text()
    with pikepdf.open(io.BytesIO(data)) as pdf:
        field = pikepdf.Dictionary(
            Type=pikepdf.Name.Annot,
            Subtype=pikepdf.Name.Widget,
            FT=pikepdf.Name.Tx,
            T=pikepdf.String("name"),
            V=pikepdf.String("value"),
            Rect=pikepdf.Array([20, 5, 120, 25]),
        )
        field = pdf.make_indirect(field)
        pdf.pages[0].Annots = pikepdf.Array([field])
        pdf.Root.AcroForm = pikepdf.Dictionary(Fields=pikepdf.Array([field]))
        out = io.BytesIO()
        pdf.save(out)

    (page,) = open_document(out.getvalue(), DecodeOptions(pdf_dpi=72))

    assert page.layer is not None
    assert not page.layer.whole


def test_text_without_a_table_of_its_characters_is_told_and_the_page_drawn() -> None:
    line = TextLine("识字文档用来检查", 1.0, Quad.from_rect(10, 10, 180, 30))
    made = io.BytesIO()
    writer = FORMATS["pdf"].open(made)
    writer.begin(Document("a.pdf", PdfSource(make_pdf(("0 0 200 100", "")))))
    writer.add(PageResult(1, 200, 100, (line,)))
    writer.end(0.1)
    writer.close()
    (good,) = open_document(made.getvalue())
    with pikepdf.open(io.BytesIO(made.getvalue())) as pdf:
        for font in pdf.pages[0].Resources.Font.as_dict().values():
            del font["/ToUnicode"]
        out = io.BytesIO()
        pdf.save(out)

    (page,) = open_document(out.getvalue(), DecodeOptions(pdf_dpi=72))

    assert _texts(good) == ["识字文档用来检查"]
    assert page.layer is None
    assert [notice.code for notice in page.notices] == ["layer_unreadable"]
    assert page.image.shape == (100, 200, 3)


def test_halves_of_rare_characters_are_joined() -> None:
    box = (0.0, 0.0, 1.0, 1.0)
    halves = [Glyph(c, box) for c in ("\ud842", "\udfb7", "\udfb7", "a", "\ud842")]

    joined = [glyph.text for glyph in pdf._joined(halves) if glyph]

    assert joined == ["𠮷", "\ufffd", "a", "\ufffd"]
