"""Pages of a PDF: sizes, budget, passwords, damage."""

from __future__ import annotations

import hashlib
import io
import math
import threading
import zlib
from dataclasses import replace

import numpy as np
import pikepdf
import pytest
from PIL import Image

from shizi.core.errors import CorruptImage, EncryptedPdf, InputError, OptionError, TooLarge
from shizi.core.options import DecodeOptions, Limits, PdfText
from shizi.core.types import Page, PageResult, Quad, TextLine
from shizi.formats import FORMATS, Document, PdfSource
from shizi.imaging import pdf
from shizi.imaging.bounds import MAX_SIDE_PX
from shizi.imaging.decode import open_document
from shizi.imaging.textlayer import Glyph


def make_pdf(*pages: tuple[str, str], extra: tuple[bytes, ...] = ()) -> bytes:
    """Put a PDF together: one (media box, content stream) a page; extra objects come first."""
    first = 3 + len(extra)
    kids = " ".join(f"{first + 2 * k} 0 R" for k in range(len(pages)))
    objects = [b"<</Type/Catalog/Pages 2 0 R>>"]
    objects.append(f"<</Type/Pages/Count {len(pages)}/Kids[{kids}]>>".encode())
    objects.extend(extra)
    for k, (box, content) in enumerate(pages):
        resources = "<</XObject<</X 3 0 R>>>>" if extra else "<<>>"
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[{box}]/Resources {resources}"
            f"/Contents {first + 2 * k + 1} 0 R>>".encode()
        )
        objects.append(f"<</Length {len(content)}>>stream\n{content}\nendstream".encode())
    out = io.BytesIO(b"%PDF-1.7\n")
    out.seek(0, 2)
    places = []
    for number, body in enumerate(objects, 1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%b\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(b"trailer<</Size %d/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF" % (len(objects) + 1, table))
    return out.getvalue()


def picture_object(width: int, height: int, data: bytes) -> bytes:
    packed = zlib.compress(data)
    head = f"<</Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceGray"
    return (
        head.encode()
        + b"/BitsPerComponent 8/Filter/FlateDecode/Length %d>>stream\n%b\nendstream"
        % (
            len(packed),
            packed,
        )
    )


RED_BLOCK = "1 0 0 rg 10 20 30 40 re f"


def test_draws_at_the_dpi_asked_for() -> None:
    (page,) = open_document(make_pdf(("0 0 100 80", RED_BLOCK)), DecodeOptions(pdf_dpi=144))
    assert page.image.shape == (160, 200, 3)
    assert page.size == (200, 160)
    assert page.image.dtype == np.uint8
    assert page.frame.map((5.0, 6.0)) == (5.0, 6.0)
    assert page.notices == ()
    assert page.image[80, 40].tolist() == [255, 0, 0]
    assert page.image[5, 5].tolist() == [255, 255, 255]


def test_gives_all_pages_lazily() -> None:
    data = make_pdf(*[(f"0 0 {50 + k} 40", "") for k in range(4)])
    options = DecodeOptions(pdf_dpi=72)
    assert [page.size for page in open_document(data, options)] == [(50 + k, 40) for k in range(4)]
    options = DecodeOptions(pdf_dpi=72, first_page=2, last_page=3)
    assert [page.number for page in open_document(data, options)] == [2, 3]


def test_turns_rotated_pages_upright() -> None:
    data = make_pdf(("0 0 100 50]/Rotate 90/Y[", ""))
    (page,) = open_document(data, DecodeOptions(pdf_dpi=72))
    assert page.size == (50, 100)


def test_draws_over_the_budget_at_a_smaller_scale() -> None:
    options = DecodeOptions(pdf_dpi=720, page_pixels=40_000)
    (page,) = open_document(make_pdf(("0 0 100 80", RED_BLOCK)), options)
    height, width = page.image.shape[:2]
    assert 36_000 < width * height <= 40_000
    assert page.size == (1000, 800)
    assert [(notice.code, notice.page) for notice in page.notices] == [("downscaled", 1)]
    ys, xs = np.nonzero(page.image[:, :, 1] < 128)
    left, top = page.frame.map((float(xs.min()), float(ys.min())))
    right, bottom = page.frame.map((float(xs.max() + 1), float(ys.max() + 1)))
    assert np.abs(np.array([left, top, right, bottom]) - [100, 200, 400, 600]).max() < 8


@pytest.mark.parametrize(
    "box",
    [
        "0 0 200000 200000",
        "0 0 1000000000 1",
        "0 0 1 1000000000",
        "0 0 0.001 0.001",
        "0 0 0 0",
        "100 100 50 50",
        "0 0 1e39 5",
        "0 0 -5 nan",
    ],
)
def test_survives_absurd_page_sizes(box: str) -> None:
    options = DecodeOptions(page_pixels=1_000_000)
    try:
        (page,) = open_document(make_pdf((box, "")), options)
    except InputError:
        return
    height, width = page.image.shape[:2]
    assert width * height <= 1_000_000
    assert max(width, height) <= MAX_SIDE_PX
    assert min(page.size) >= 1


def test_counts_pages_before_the_first() -> None:
    data = make_pdf(*[("0 0 50 40", "")] * 4)
    with pytest.raises(TooLarge) as caught:
        next(open_document(data, limits=Limits(max_pages=3)))
    assert (caught.value.limit_name, caught.value.actual) == ("max_pages", 4)
    with pytest.raises(OptionError, match="first_page"):
        next(open_document(data, DecodeOptions(first_page=5)))


def test_refuses_a_huge_picture_on_a_page_before_decoding_it() -> None:
    bomb = picture_object(30_000, 30_000, bytes(1000))
    data = make_pdf(("0 0 100 100", "q 100 0 0 100 0 0 cm /X Do Q"), extra=(bomb,))
    with pytest.raises(TooLarge, match="900,000,000"):
        next(open_document(data))


def test_draws_a_picture_on_a_page() -> None:
    small = picture_object(2, 1, b"\x00\xff")
    data = make_pdf(("0 0 100 100", "q 100 0 0 100 0 0 cm /X Do Q"), extra=(small,))
    (page,) = open_document(data, DecodeOptions(pdf_dpi=72))
    assert page.image[50, 10, 0] < 60
    assert page.image[50, 90, 0] > 200


def test_reads_what_pillow_writes() -> None:
    sink = io.BytesIO()
    pages = [Image.new("RGB", (120, 90), color) for color in ("red", "blue")]
    pages[0].save(sink, "PDF", save_all=True, append_images=pages[1:], resolution=100)
    first, second = open_document(sink.getvalue(), DecodeOptions(pdf_dpi=100))
    assert first.size == (120, 90)
    assert second.image.mean(axis=(0, 1)).round().tolist() == [0, 0, 254]


def test_asks_for_a_password() -> None:
    data = encrypted_pdf()
    with pytest.raises(EncryptedPdf, match="needs a password"):
        next(open_document(data))
    with pytest.raises(EncryptedPdf, match="does not open"):
        next(open_document(data, DecodeOptions(password="wrong")))
    with pytest.raises(OptionError, match="password"):
        next(open_document(data, DecodeOptions(password="\ud800")))
    (page,) = open_document(data, DecodeOptions(password="shizi", pdf_dpi=72))
    assert page.size == (100, 80)
    assert page.image[50, 20].tolist() == [255, 0, 0]


@pytest.mark.parametrize("data", [b"%PDF-1.7\n", b"%PDF-1.4\n%%EOF", b"%PDF-" + bytes(300)])
def test_names_a_damaged_file_corrupt(data: bytes) -> None:
    with pytest.raises(CorruptImage):
        next(open_document(data))


def test_names_an_empty_document_corrupt() -> None:
    with pytest.raises(CorruptImage):
        next(open_document(make_pdf()))


def test_closes_the_document_with_the_iterator(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[object] = []
    original = pdf.pdfium.PdfDocument.close

    def spying(self: object) -> None:
        closed.append(self)
        original(self)

    monkeypatch.setattr(pdf.pdfium.PdfDocument, "close", spying)
    pages = open_document(make_pdf(("0 0 9 9", ""), ("0 0 9 9", "")))
    next(pages)
    assert closed == []
    pages.close()  # type: ignore[attr-defined]
    assert len(closed) == 1


def test_draws_in_several_threads_at_once() -> None:
    data = make_pdf(*[("0 0 60 40", RED_BLOCK)] * 5)
    sums: list[int] = []

    def draw() -> None:
        sums.extend(int(page.image.sum()) for page in open_document(data))

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(sums) == 20
    assert len(set(sums)) == 1


def encrypted_pdf() -> bytes:
    """A page with the red block, locked with the user password "shizi" (RC4, 40 bits)."""
    pad = bytes.fromhex("28BF4E5E4E758A4164004E56FFFA01082E2E00B6D0683E802F0CA9FE6453697A")
    user, identity, rights = b"shizi", b"0123456789abcdef", -4
    owner = rc4(hashlib.md5((b"owner" + pad)[:32]).digest()[:5], (user + pad)[:32])
    seed = (user + pad)[:32] + owner + rights.to_bytes(4, "little", signed=True) + identity
    key = hashlib.md5(seed).digest()[:5]
    check = rc4(key, pad)
    content = RED_BLOCK.encode()
    locked = rc4(hashlib.md5(key + (4).to_bytes(3, "little") + bytes(2)).digest()[:10], content)
    objects = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Count 1/Kids[3 0 R]>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 100 80]/Contents 4 0 R>>",
        b"<</Length %d>>stream\n%b\nendstream" % (len(locked), locked),
        b"<</Filter/Standard/V 1/R 2/P %d/O<%b>/U<%b>>>"
        % (rights, owner.hex().encode(), check.hex().encode()),
    ]
    out = b"%PDF-1.4\n"
    places = []
    for number, body in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%b\nendobj\n" % (number, body)
    table = b"xref\n0 6\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % p for p in places)
    trailer = (
        b"trailer<</Size 6/Root 1 0 R/Encrypt 5 0 R/ID[<%b><%b>]>>\nstartxref\n%d\n%%%%EOF"
        % (
            identity.hex().encode(),
            identity.hex().encode(),
            len(out),
        )
    )
    return out + table + trailer


def rc4(key: bytes, data: bytes) -> bytes:
    box, j = list(range(256)), 0
    for i in range(256):
        j = (j + box[i] + key[i % len(key)]) % 256
        box[i], box[j] = box[j], box[i]
    i = j = 0
    out = bytearray()
    for byte in data:
        i = (i + 1) % 256
        j = (j + box[i]) % 256
        box[i], box[j] = box[j], box[i]
        out.append(byte ^ box[(box[i] + box[j]) % 256])
    return bytes(out)


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
