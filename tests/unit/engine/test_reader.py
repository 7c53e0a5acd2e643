"""The reader on the real models; pages are drawn, so that their text is known."""

from __future__ import annotations

import io
import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from difflib import SequenceMatcher
from pathlib import Path

import numpy as np
import pikepdf
import pytest
from PIL import Image, ImageDraw, ImageFont

from shizi.core.errors import (
    CorruptImage,
    DeadlineExceeded,
    FileAccessError,
    InputError,
    ModelNotFound,
    OptionError,
    TooLarge,
)
from shizi.core.options import DecodeOptions, Limits, PdfText, ReadOptions
from shizi.core.pixels import RgbImage
from shizi.core.types import Origin
from shizi.engine.memory import memory_bytes
from shizi.engine.reader import Reader
from tests.cycles import lost_cycle
from tests.unit.imaging.drawing import turn_page

WORDS = ("INVOICE 2026", "TOTAL 1840.50", "PAID IN FULL")


def page_of(*words: str, text_px: int = 30) -> RgbImage:
    page = Image.new("RGB", (520, 90 * len(words) + 60), "white")
    draw = ImageDraw.Draw(page)
    for k, word in enumerate(words):
        draw.text((50, 90 * k + 50), word, "black", ImageFont.load_default(text_px))
    return np.asarray(page, np.uint8)


def encoded(page: RgbImage, kind: str = "PNG", **more: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(page).save(file, kind, **more)
    return file.getvalue()


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=2)


def test_a_path_bytes_and_an_array_read_alike(reader: Reader, tmp_path: Path) -> None:
    page = page_of(*WORDS)
    data = encoded(page)
    path = tmp_path / "page.bin"
    path.write_bytes(data)
    readings = [reader.read(source) for source in (path, str(path), data, page)]
    for (result,) in readings:
        assert result.text == "\n".join(WORDS)
        assert (result.width, result.height) == (page.shape[1], page.shape[0])
        assert result.model == "crnn-s"
        assert [stage for stage, _ in result.timing_s] == [
            "decode",
            "prepare",
            "detect",
            "recognize",
        ]
    assert len({tuple(line.confidence for line in pages[0]) for pages in readings}) == 1


def test_every_page_of_a_document_is_read(reader: Reader) -> None:
    first, *others = (Image.fromarray(page_of(word)) for word in WORDS)
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=others)
    pages = reader.read(file.getvalue())
    assert [page.text for page in pages] == list(WORDS)
    assert [page.number for page in pages] == [1, 2, 3]


def test_pages_come_one_by_one(reader: Reader) -> None:
    first, *others = (Image.fromarray(page_of(word)) for word in WORDS)
    file = io.BytesIO()
    first.save(file, "TIFF", save_all=True, append_images=others)
    pages = reader.read_pages(file.getvalue())
    assert next(pages).text == WORDS[0]
    pages.close()


def test_a_tilted_page_is_read_and_boxes_lie_on_the_original(reader: Reader) -> None:
    page = turn_page(page_of(*WORDS), 6)
    (result,) = reader.read(page)
    # Places are what this is about: a turned letter more or less may be mistaken.
    assert SequenceMatcher(None, result.text, "\n".join(WORDS)).ratio() > 0.9
    for line in result:
        assert line.box.angle_deg == pytest.approx(6, abs=2)


def test_characters_are_listed_on_request_alone(reader: Reader) -> None:
    page = page_of("ABCDEF")
    (plain,) = reader.read(page)
    (full,) = reader.read(page, ReadOptions(characters=True))
    (line,) = full.lines
    assert plain.lines[0].characters == ()
    assert "".join(c.text for c in line.characters) == line.text == "ABCDEF"
    centers = [c.box.center[0] for c in line.characters]
    assert centers == sorted(centers)
    left, _, right, _ = line.box.bounds
    assert left <= centers[0] < centers[-1] <= right


def test_a_page_without_text_is_an_empty_result(reader: Reader) -> None:
    (result,) = reader.read(np.full((300, 300, 3), 255, np.uint8))
    assert (result.text, result.lines) == ("", ())


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 900, 3), (900, 1, 3), (33, 7, 3)])
def test_the_smallest_pictures_are_read(reader: Reader, shape: tuple[int, ...]) -> None:
    (result,) = reader.read(np.zeros(shape, np.uint8))
    assert (result.width, result.height) == (shape[1], shape[0])


def test_threads_share_a_reader(reader: Reader) -> None:
    pages = [page_of(f"NUMBER {k}0{k}") for k in range(4)] * 3
    with ThreadPoolExecutor(4) as pool:
        texts = [results[0].text for results in pool.map(reader.read, pages)]
    assert texts == [f"NUMBER {k}0{k}" for k in range(4)] * 3


def test_a_missing_file_is_named(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match=r"none\.png"):
        reader.read(tmp_path / "none.png")
    with pytest.raises(FileAccessError):
        reader.read(tmp_path)


def test_limits_hold_before_a_file_is_read(reader: Reader, tmp_path: Path) -> None:
    path = tmp_path / "big.png"
    path.write_bytes(b"\x89PNG" + bytes(1000))
    with pytest.raises(TooLarge) as caught:
        reader.read(path, ReadOptions(limits=Limits(max_bytes=500)))
    assert "500" in caught.value.detail
    assert "1004" in caught.value.detail.replace(",", "")


def test_damaged_and_empty_input_give_typed_errors(reader: Reader) -> None:
    data = encoded(page_of("TEXT"))
    with pytest.raises(CorruptImage):
        reader.read(data[: len(data) // 8])
    with pytest.raises(InputError, match="empty"):
        reader.read(b"")


def test_wrong_choices_are_refused_before_work(reader: Reader, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="deskew"):
        reader.read(page_of("TEXT"), ReadOptions(steps=("deskw",)))
    with pytest.raises(OptionError, match="threads"):
        Reader(threads=-1)
    with pytest.raises(ModelNotFound, match="crnn-s"):
        Reader("crnn-xl")


def test_a_reduced_page_is_told(reader: Reader) -> None:
    page = page_of(*WORDS, text_px=40)
    decode = replace(DecodeOptions(), page_pixels=page.shape[0] * page.shape[1] // 2)
    (result,) = reader.read(page, ReadOptions(decode=decode))
    assert [notice.code for notice in result.notices] == ["downscaled"]
    assert result.scale == pytest.approx(0.707, abs=0.01)
    assert (result.width, result.height) == (page.shape[1], page.shape[0])


def test_lines_beyond_the_limit_are_told(reader: Reader) -> None:
    options = ReadOptions(detect=replace(ReadOptions().detect, max_lines=1))
    (result,) = reader.read(page_of(*WORDS), options)
    assert len(result.lines) == 1
    assert [notice.code for notice in result.notices] == ["lines_dropped"]


def test_the_partner_reads_behind_the_same_interface() -> None:
    (result,) = Reader("ppocr-v6-small", threads=2).read(page_of(*WORDS))
    assert result.text == "\n".join(WORDS)
    assert result.model == "ppocr-v6-small"


def test_work_ends_when_its_time_is_over(reader: Reader) -> None:
    pages = [Image.fromarray(page_of(*WORDS)) for _ in range(4)]
    file = io.BytesIO()
    pages[0].save(file, "TIFF", save_all=True, append_images=pages[1:])

    assert len(reader.read(file.getvalue(), ReadOptions(timeout_s=1e9))) == 4
    with pytest.raises(DeadlineExceeded, match="the time given ran out"):
        reader.read(file.getvalue(), ReadOptions(timeout_s=0.02))


def test_memory_is_given_back_and_taken_anew(reader: Reader) -> None:
    page = np.tile(page_of(*WORDS), (3, 2, 1))
    before = reader.read(page)
    taken = memory_bytes(os.getpid())
    reader.relax()

    assert memory_bytes(os.getpid()) < taken - 20_000_000
    assert reader.read(page)[0].lines == before[0].lines


def test_what_only_cycles_hold_is_given_back_too(reader: Reader) -> None:
    kept = lost_cycle()

    reader.relax()

    assert kept() is None


def _pdf_with_text_and_picture() -> bytes:
    """Put a line of text above a picture that shows another."""
    rows = encoded(page_of("IN THE PICTURE"))
    pdf = pikepdf.new()
    pdf.add_blank_page(page_size=(520, 300))
    picture = Image.open(io.BytesIO(rows)).convert("L")
    stream = pdf.make_stream(picture.tobytes())
    stream.Type, stream.Subtype = pikepdf.Name.XObject, pikepdf.Name.Image
    stream.Width, stream.Height, stream.BitsPerComponent = *picture.size, 8
    stream.ColorSpace = pikepdf.Name.DeviceGray
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
    )
    pdf.pages[0].Resources = pikepdf.Dictionary(
        Font=pikepdf.Dictionary(F=font), XObject=pikepdf.Dictionary(X=stream)
    )
    size = f"{picture.size[0]} 0 0 {picture.size[1]}"
    content = f"BT /F 24 Tf 50 250 Td (Of the document) Tj ET q {size} 0 20 cm /X Do Q"
    pdf.pages[0].Contents = pdf.make_stream(content.encode())
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


def test_text_of_a_pdf_is_taken_and_its_pictures_are_read(reader: Reader) -> None:
    data = _pdf_with_text_and_picture()

    (mixed,) = reader.read(data)
    (read,) = reader.read(data, ReadOptions(decode=DecodeOptions(pdf_text=PdfText.NEVER)))
    (taken,) = reader.read(data, ReadOptions(decode=DecodeOptions(pdf_text=PdfText.ALWAYS)))

    both = ["Of the document", "IN THE PICTURE"]
    assert [line.text for line in mixed] == both
    assert [line.origin for line in mixed] == [Origin.LAYER, Origin.PICTURE]
    assert [line.text for line in read] == both
    assert {line.origin for line in read} == {Origin.PICTURE}
    assert [line.text for line in taken] == both[:1]
    assert [name for name, _ in taken.timing_s] == ["decode"]
    for ours, theirs in zip(mixed, read, strict=True):
        assert ours.box.center == pytest.approx(theirs.box.center, abs=12)
