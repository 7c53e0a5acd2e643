"""Pages of a PDF: sizes, budget, passwords, damage."""

from __future__ import annotations

import io
import threading

import numpy as np
import pytest
from PIL import Image

from shizi.core.errors import CorruptImage, EncryptedPdf, InputError, OptionError, TooLarge
from shizi.core.options import DecodeOptions, Limits
from shizi.imaging import pdf
from shizi.imaging.bounds import MAX_SIDE_PX
from shizi.imaging.decode import open_document
from tests.unit.imaging.documents import RED_BLOCK, encrypted_pdf, make_pdf, picture_object


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
