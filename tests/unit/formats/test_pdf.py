"""Searchable PDF, looked at through two readers: its text is exact and stands where it is seen."""

from __future__ import annotations

import io
import math
from dataclasses import replace

import numpy as np
import pikepdf
import pypdfium2 as pdfium
import pytest

from shizi.core.errors import CorruptImage, EncryptedPdf, InputError, OptionError
from shizi.core.types import Direction, Origin, PageResult, Quad, TextLine
from shizi.formats import FORMATS, Document, PdfSource
from tests.unit.formats.pages import line, page, stacked, written
from tests.unit.formats.pdfs import WHITE, chrome, drawn, over_white, pdf_of, poppler

MIXED = "识字是一款读取图片文字的程序，支持中英文混排 Total 12.50 元。"


RARE = "𠮷野家𪚥龘 🙂 ㈠ Ⅷ ① 々〇 ﹏ ￥ ½ \u4e00\u0301 e\u0301 \ue000"


@pytest.mark.parametrize("text", [MIXED, "中文不加空格", "English words only", RARE, "a"])
def test_text_is_exact_in_both_readers(text: str) -> None:
    data = over_white(stacked(text))

    assert chrome(data) == text
    assert poppler(data).strip() == text


def test_lines_and_pages_stay_apart() -> None:
    pages = [stacked("第一行", "second line", "第三行"), page(number=2), stacked("末页", number=3)]

    data = over_white(*pages)

    assert chrome(data, 1) == "第一行\nsecond line\n第三行"
    assert poppler(data, "-raw").split("\f") == [
        "第一行\nsecond line\n第三行\n",
        "",
        "末页\n",
        "",
    ]


def test_a_phrase_is_found_where_it_stands() -> None:
    text = "发票号码：12345678 合计金额"
    data = over_white(page(line(text, left=100, top=200, width=500, height=30)))
    document = pdfium.PdfDocument(data)
    textpage = document[0].get_textpage()

    found = textpage.search("合计金额").get_next()

    assert found is not None
    boxes = [textpage.get_charbox(k) for k in range(found[0], sum(found))]
    left, right = min(b[0] for b in boxes), max(b[2] for b in boxes)
    # Wide characters count two: 合计金额 begins behind 19 of the 27 places of the line.
    assert left == pytest.approx(100 + 500 * 19 / 27, abs=2)
    assert right == pytest.approx(600, abs=2)
    assert min(b[1] for b in boxes) == pytest.approx(1000 - 230, abs=1)
    assert max(b[3] for b in boxes) == pytest.approx(1000 - 200, abs=1)
    textpage.close()
    document.close()


@pytest.mark.parametrize("tilt_deg", [-4.9, -3, -1, -0.3, 0.3, 1, 3, 4.9])
def test_a_page_askew_copies_line_by_line(tilt_deg: float) -> None:
    lines = [_turned(MIXED, tilt_deg, (400, 300 + 40 * k), (600, 20)) for k in range(3)]

    data = over_white(page(*lines))

    assert poppler(data).split() == (MIXED.split()) * 3
    assert chrome(data) == "\n".join([MIXED] * 3)


@pytest.mark.parametrize("angle_deg", [90, 180, 270, 91, 30])
def test_turned_text_is_found(angle_deg: float) -> None:
    data = over_white(page(_turned(MIXED, angle_deg, (400, 500), (600, 20))))

    assert chrome(data) == MIXED
    if angle_deg != 30:
        assert poppler(data).strip() == MIXED


def _turned(
    text: str, angle_deg: float, middle: tuple[float, float], size: tuple[float, float]
) -> TextLine:
    cos, sin = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    corners = [
        (
            middle[0] + x * size[0] / 2 * cos - y * size[1] / 2 * sin,
            middle[1] + x * size[0] / 2 * sin + y * size[1] / 2 * cos,
        )
        for x, y in ((-1, -1), (1, -1), (1, 1), (-1, 1))
    ]
    a, b, c, d = corners
    return TextLine(text, 0.9, Quad((a, b, c, d)))


def test_columns_of_vertical_text_run_from_right_to_left() -> None:
    columns = [
        line(text, left=700 - 40 * k, top=100, width=30, height=500, direction=Direction.VERTICAL)
        for k, text in enumerate(["竖排文字从上到下", "从右到左"])
    ]

    data = over_white(page(*columns))

    assert poppler(data).split() == ["竖排文字从上到下", "从右到左"]
    # PDFium takes columns from left to right, whatever their order in the file.
    assert set(chrome(data).split("\n")) == {"竖排文字从上到下", "从右到左"}


def test_nothing_of_the_text_is_seen() -> None:
    assert drawn(over_white(stacked(MIXED, RARE))).min() == 255


def test_the_same_characters_over_and_over_are_not_taken_for_bold_print() -> None:
    dots = line("........................", width=60, height=40)

    assert poppler(over_white(page(dots))).strip() == dots.text


def test_a_character_more_than_a_font_can_number_is_told() -> None:
    lines = [
        line("".join(map(chr, range(first, first + 1024))), top=k)
        for k, first in enumerate(range(0x20000, 0x20000 + 66 * 1024, 1024))
    ]

    text = chrome(over_white(page(*lines)))

    assert "\U00020000" in text
    assert "\ufffd" in text


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize("shift", [(0, 0), (-50, 120)])
def test_text_stands_where_it_is_seen_on_turned_and_cut_pages(
    rotate: int, shift: tuple[int, int]
) -> None:
    pdf = pikepdf.open(io.BytesIO(pdf_of((600, 800), rotate=rotate)))
    x, y = shift
    pdf.pages[0].obj.MediaBox = pikepdf.Array([x, y, x + 600, y + 800])
    pdf.pages[0].obj.CropBox = pikepdf.Array([x + 100, y + 100, x + 1000, y + 700])
    out = io.BytesIO()
    pdf.save(out)
    size = (500, 600) if rotate in {0, 180} else (600, 500)
    result = PageResult(1, size[0] * 2, size[1] * 2, (line("识字", 200, 100, 400, 60),))

    data = written("pdf", result, document=Document("a.pdf", PdfSource(out.getvalue())))

    document = pdfium.PdfDocument(data)
    shown = document[0]
    assert shown.get_size() == size
    textpage = shown.get_textpage()
    left, bottom, right, top = textpage.get_charbox(0)
    on_screen = shown.render(scale=1).get_posconv(shown)
    corners = [on_screen.to_bitmap(left, bottom), on_screen.to_bitmap(right, top)]
    xs, ys = sorted(c[0] for c in corners), sorted(c[1] for c in corners)
    assert xs == pytest.approx([100, 200], abs=1.5)
    assert ys == pytest.approx([50, 80], abs=1.5)
    textpage.close()
    document.close()


def test_a_pdf_keeps_its_content_and_pages_that_were_not_read() -> None:
    source = pdf_of((600, 800), (300, 400), text="1 0 0 rg 100 100 200 200 re f 5 0 0 5 0 0 cm")
    result = PageResult(2, 600, 800, (line("识字", 20, 20, 100, 30),), ())

    data = written("pdf", result, document=Document("a.pdf", PdfSource(source)))

    for number in (1, 2):
        assert np.array_equal(drawn(data, number), drawn(source, number))
    assert (chrome(data, 1), chrome(data, 2)) == ("", "识字")


def test_text_that_the_pdf_holds_already_is_not_laid_again() -> None:
    held = replace(line("旧", top=100), origin=Origin.LAYER)
    source = PdfSource(pdf_of((600, 800)))

    data = written("pdf", page(held, line("新")), document=Document("a.pdf", source))

    assert chrome(data) == "新"


def test_resources_that_pages_share_are_kept() -> None:
    pdf = pikepdf.open(io.BytesIO(pdf_of((600, 800), (600, 800), text="BT /F0 24 Tf (Hi) Tj ET")))
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
    )
    for each in pdf.pages:
        del each.obj["/Resources"]
    pdf.Root.Pages.Resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F0=font))
    out = io.BytesIO()
    pdf.save(out)

    data = written("pdf", stacked("识字"), document=Document("a.pdf", PdfSource(out.getvalue())))

    assert set(chrome(data, 1).split()) == {"Hi", "识字"}
    assert chrome(data, 2) == "Hi"
    assert np.array_equal(drawn(data), drawn(out.getvalue()))


def test_a_file_of_ours_may_be_read_and_written_again() -> None:
    once = over_white(stacked("甲"))

    held = replace(line("甲", top=40), origin=Origin.LAYER)
    source = Document("a.pdf", PdfSource(once))

    added = written("pdf", page(held, line("乙", top=500)), document=source)
    anew = written("pdf", page(line("乙", top=500)), document=source)

    assert set(chrome(added).split()) == {"甲", "乙"}
    assert chrome(anew) == "乙"


@pytest.mark.parametrize("within", ["page", "form"])
def test_unseen_text_of_an_earlier_reading_is_dropped_and_seen_text_kept(within: str) -> None:
    unseen = b"q 3 Tr BT /F 20 Tf 20 300 Td (o l d) Tj [(o l d)] TJ ET Q "
    pdf = pikepdf.open(io.BytesIO(pdf_of((600, 800))))
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
    )
    resources = pikepdf.Dictionary(Font=pikepdf.Dictionary(F=font))
    if within == "form":
        form = pdf.make_stream(unseen)
        form.Type, form.Subtype = pikepdf.Name.XObject, pikepdf.Name.Form
        form.BBox, form.Resources = pikepdf.Array([0, 0, 600, 800]), resources
        resources = pikepdf.Dictionary(resources)
        resources.XObject = pikepdf.Dictionary(OCR=form)
        unseen = b"/OCR Do "
    pdf.pages[0].Resources = resources
    pdf.pages[0].Contents = pdf.make_stream(unseen + b"BT /F 20 Tf 20 100 Td (seen) Tj ET")
    out = io.BytesIO()
    pdf.save(out)
    assert "o l d" in chrome(out.getvalue())

    source = PdfSource(out.getvalue())
    data = written("pdf", page(line("new")), document=Document("a.pdf", source))

    assert set(chrome(data).split()) == {"seen", "new"}
    assert np.array_equal(drawn(data), drawn(out.getvalue()))


def test_several_documents_follow_each_other() -> None:
    out = io.BytesIO()
    writer = FORMATS["pdf"].open(out, several=True)
    for source in (PdfSource(pdf_of((600, 800), (600, 800))), WHITE, PdfSource(pdf_of((300, 400)))):
        writer.begin(Document("x", source))
        writer.add(stacked("识字"))
        writer.end(0.1)
    writer.close()

    texts = [chrome(out.getvalue(), number) for number in range(1, 5)]
    assert texts == ["识字", "", "识字", "识字"]


def test_an_encrypted_pdf_stays_encrypted() -> None:
    pdf = pikepdf.open(io.BytesIO(pdf_of((600, 800))))
    out = io.BytesIO()
    pdf.save(out, encryption=pikepdf.Encryption(owner="o", user="u"))
    source = PdfSource(out.getvalue(), "u")

    data = written("pdf", stacked("识字"), document=Document("a.pdf", source))

    with pytest.raises(pikepdf.PasswordError):
        pikepdf.open(io.BytesIO(data))
    assert pikepdf.open(io.BytesIO(data), password="u").is_encrypted
    with pytest.raises(EncryptedPdf):
        written("pdf", stacked("x"), document=Document("a", PdfSource(out.getvalue(), "no")))


def test_what_cannot_be_shown_is_told() -> None:
    with pytest.raises(OptionError, match="give the file"):
        written("pdf", stacked("x"), document=Document("a.pdf"))
    with pytest.raises(CorruptImage):
        written("pdf", stacked("x"), document=Document("a.pdf", PdfSource(b"%PDF-1.4 nothing")))
    source = PdfSource(pdf_of((600, 800)))
    with pytest.raises(InputError, match="no page 2"):
        written("pdf", stacked("x", number=2), document=Document("a.pdf", source))


def test_the_source_and_its_password_are_in_no_log() -> None:
    assert "secret" not in repr(Document("a.pdf", PdfSource(b"secret", "secret")))
