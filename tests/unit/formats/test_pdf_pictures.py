"""Pictures in PDF files: as they were, upright, at their size."""

from __future__ import annotations

import io
import zlib
from pathlib import Path

import numpy as np
import pikepdf
import pypdfium2 as pdfium
import pytest
from PIL import Image

from shizi.core.encoded import Coding, EncodedPicture
from shizi.core.errors import InputError, OptionError
from shizi.core.options import Limits
from shizi.core.types import PageResult
from shizi.formats import Document, PictureSource
from shizi.imaging.decode import open_document
from shizi.imaging.embedding import embed_picture
from tests.unit.formats.pages import stacked, written
from tests.unit.formats.pdfs import drawn, white_picture


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_photo_stands_upright_and_is_not_encoded_again(orientation: int, tmp_path: Path) -> None:
    pixels = np.full((120, 200, 3), 255, np.uint8)
    pixels[:40, :60] = (255, 0, 0)
    pixels[80:, 100:] = (0, 0, 255)
    exif = Image.Exif()
    exif[0x0112] = orientation
    file = tmp_path / "photo.jpg"
    Image.fromarray(pixels).save(file, quality=95, exif=exif, dpi=(72, 72))
    data = file.read_bytes()
    picture = embed_picture(data, 1, Limits())
    width, height = picture.upright_size

    made = written(
        "pdf",
        PageResult(1, width, height, ()),
        document=Document("photo.jpg", PictureSource(lambda _: picture)),
    )

    (upright,) = open_document(data)
    assert drawn(made).shape == upright.image.shape
    assert np.abs(drawn(made).astype(int) - upright.image[..., ::-1]).mean() < 3
    with pikepdf.open(io.BytesIO(made)) as pdf:
        assert pdf.pages[0].Resources.XObject.Picture.read_raw_bytes() == data


def _saved(picture: Image.Image, kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    picture.save(out, kind, **options)  # type: ignore[arg-type]
    return out.getvalue()


_GRADIENT = np.add.outer(np.arange(64), np.arange(96)).astype(np.uint8)


_COLOR = np.dstack([_GRADIENT, 255 - _GRADIENT, _GRADIENT // 2])


PICTURES = {
    "grey png": _saved(Image.fromarray(_GRADIENT), "PNG"),
    "color png": _saved(Image.fromarray(_COLOR), "PNG"),
    "palette png": _saved(Image.fromarray(_COLOR).quantize(7), "PNG"),
    "bits png": _saved(Image.fromarray(_GRADIENT > 70), "PNG"),
    "alpha png": _saved(Image.fromarray(np.dstack([_COLOR, _GRADIENT])), "PNG"),
    "16 bit png": _saved(Image.fromarray(_GRADIENT.astype(np.uint16) * 200), "PNG"),
    "bmp": _saved(Image.fromarray(_COLOR), "BMP"),
    "webp": _saved(Image.fromarray(_COLOR), "WEBP", quality=95),
    "grey jpeg": _saved(Image.fromarray(_GRADIENT), "JPEG", quality=95),
    "cmyk jpeg": _saved(Image.fromarray(_COLOR).convert("CMYK"), "JPEG", quality=95),
    "fax tiff": _saved(Image.fromarray(_GRADIENT > 70), "TIFF", compression="group4"),
    "color tiff": _saved(Image.fromarray(_COLOR), "TIFF"),
}


@pytest.mark.parametrize("kind", PICTURES)
def test_a_picture_looks_as_it_is_read(kind: str) -> None:
    (read,) = open_document(PICTURES[kind])
    picture = embed_picture(PICTURES[kind], 1, Limits())
    source = PictureSource(lambda _: picture)

    made = written("pdf", PageResult(1, 96, 64, ()), document=Document("p", source))

    document = pdfium.PdfDocument(made)
    shown = document[0].render(scale=96 / 72).to_numpy()[:, :, :3][:, :, ::-1]
    document.close()
    # Ink becomes light by other tables there; inverted, it would be off by 128.
    bound = 40 if "cmyk" in kind else 4
    assert np.abs(shown.astype(int) - read.image.astype(int)).mean() < bound


def test_each_page_of_a_tiff_has_its_picture() -> None:
    pages = [Image.fromarray(np.full((20, 30), shade, np.uint8)) for shade in (10, 120, 250)]
    data = _saved(pages[0], "TIFF", save_all=True, append_images=pages[1:], dpi=(200, 200))

    pictures = [embed_picture(data, number, Limits()) for number in (1, 2, 3)]

    assert [zlib.decompress(p.data)[1] for p in pictures] == [10, 120, 250]
    assert pictures[0].dpi == pytest.approx((200, 200))
    with pytest.raises((InputError, OptionError)):
        embed_picture(data, 4, Limits())


def test_a_page_is_as_large_as_the_picture_says() -> None:
    pages = {}
    for dpi in (None, (300.0, 300.0), (1.0, 1.0)):
        picture = EncodedPicture(white_picture().data, Coding.PNG, (800, 1000), 1, dpi=dpi)
        source = PictureSource(lambda _, picture=picture: picture)  # type: ignore[misc]
        data = written("pdf", stacked("x"), document=Document("p", source))
        document = pdfium.PdfDocument(data)
        pages[dpi] = document[0].get_size()
        document.close()

    assert pages[(300.0, 300.0)] == pytest.approx((192, 240))
    assert pages[None] == pages[(1.0, 1.0)] == pytest.approx((600, 750))
