"""The pages of a picture file: the one place where Pillow opens and decodes foreign bytes."""

from __future__ import annotations

import importlib
import io
import re
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import numpy as np
from PIL import (
    AvifImagePlugin,
    BmpImagePlugin,
    GifImagePlugin,
    Image,
    ImageFile,
    JpegImagePlugin,
    PngImagePlugin,
    TiffImagePlugin,
    WebPImagePlugin,
    features,
)

from shizi.core.errors import CorruptImage, ShiziError, TooLarge, UnsupportedFormat
from shizi.core.options import DecodeOptions, Limits
from shizi.core.pixels import RgbImage
from shizi.core.types import Frame, Notice, Page
from shizi.imaging.bounds import check_pixels, downscaled, fit_size, select_pages
from shizi.imaging.color import coding_of, picture_to_rgb
from shizi.imaging.sniff import count_directories, webp_canvas

#: Opened by name, not by `Image.open`: that tries other formats and has a pixel limit of its own.
_OPENERS: Final[dict[str, Callable[[io.BytesIO], ImageFile.ImageFile]]] = {
    "jpeg": JpegImagePlugin.JpegImageFile,
    "png": PngImagePlugin.PngImageFile,
    "bmp": BmpImagePlugin.BmpImageFile,
    "gif": GifImagePlugin.GifImageFile,
    "webp": WebPImagePlugin.WebPImageFile,
    "tiff": TiffImagePlugin.TiffImageFile,
    "avif": AvifImagePlugin.AvifImageFile,
}
_ORIENTATION_TAG: Final = 0x0112
_TILE_WIDTH_TAG: Final = 322
_TILE_LENGTH_TAG: Final = 323
#: A page may fall so far below its budget where that spares the decoder most of its memory.
_DRAFT_SLACK: Final = 0.9
_TURNED: Final = frozenset({5, 6, 7, 8})


def picture_pages(data: bytes, kind: str, options: DecodeOptions, limits: Limits) -> Iterator[Page]:
    """Decode the pages of a picture file one after another.

    Args:
        data: the whole file.
        kind: its format as `sniff` names it, "pdf" excepted.
        options: how to decode.
        limits: what it may cost.

    Yields:
        One page for each of a TIFF's directories; the first frame of anything else.

    Raises:
        InputError: a leaf of it that says what is wrong; on a later page, the pages before it
            have been given.
    """
    if kind == "webp" and (canvas := webp_canvas(data)):
        check_pixels(*canvas, limits)
    picture = _open_picture(data, kind)
    try:
        total, broken = _count_pages(data, kind, options, limits)
        pages = select_pages(max(1, total), options, limits)
        for number in pages:
            last = number == pages[-1]
            lost = broken and last and number == total
            yield _decode_page(picture, kind, number, (options, limits), lost_pages=lost, last=last)
    finally:
        picture.close()


def _count_pages(
    data: bytes, kind: str, options: DecodeOptions, limits: Limits
) -> tuple[int, bool]:
    """Count pages no further than they may be read; tell whether the chain is damaged."""
    if kind != "tiff":
        return 1, False
    most = options.first_page + limits.max_pages
    return count_directories(data, min(most, options.last_page or most))


@contextmanager
def _translated(kind: str) -> Iterator[None]:
    """Turn whatever a decoder raises on hostile bytes into an error of ours.

    Pillow's warnings are silenced: what matters of them is an error or a notice here.
    """
    try:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", module=r"PIL\.")
            yield
    except ShiziError:
        raise
    except Image.DecompressionBombError as error:
        found = re.search(r"\d+", str(error))
        limit = 2 * (Image.MAX_IMAGE_PIXELS or 0)
        actual = int(found.group()) if found else limit + 1
        raise TooLarge("max_pixels", limit, actual) from error
    except MemoryError as error:
        raise CorruptImage(f"the {kind} picture asks for more memory than there is") from error
    except Exception as error:  # decoders raise anything at all on damaged data
        raise CorruptImage(f"the {kind} picture cannot be decoded: {_reason(error)}") from error


def _reason(error: Exception) -> str:
    """Give a decoder's message, kept to one short line."""
    text = " ".join(str(error).split())
    return text[:120] if text else type(error).__name__


def _open_picture(data: bytes, kind: str) -> ImageFile.ImageFile:
    """Read the header of a picture; its pixels are still undecoded."""
    opener = _heic_opener() if kind == "heic" else _OPENERS[kind]
    if kind in {"avif", "webp"} and not features.check(kind):
        raise UnsupportedFormat(f"the installed Pillow was built without {kind.upper()}")
    with _translated(kind):
        return opener(io.BytesIO(data))


def _heic_opener() -> Callable[[io.BytesIO], ImageFile.ImageFile]:
    """Find the optional plugin that reads HEIC."""
    try:
        plugin = importlib.import_module("pillow_heif.as_plugin")
    except ImportError as error:
        raise UnsupportedFormat(
            "HEIC pictures need the package pillow-heif, which is not installed"
        ) from error
    opener: Callable[[io.BytesIO], ImageFile.ImageFile] = plugin.HeifImageFile
    return opener


def _decode_page(
    picture: ImageFile.ImageFile,
    kind: str,
    number: int,
    terms: tuple[DecodeOptions, Limits],
    *,
    lost_pages: bool,
    last: bool,
) -> Page:
    """Decode page `number` (1-based): check its size, load, convert, reduce, turn upright.

    With the last page the picture is closed: it takes as much memory as the page, which may be
    looked at for long.
    """
    options, limits = terms
    with _translated(kind):
        if number > 1 or picture.tell() != 0:
            picture.seek(number - 1)
    _check_header(picture, kind, limits)
    size = picture.size
    fitted = fit_size(*size, options.page_pixels)
    with _translated(kind):
        if isinstance(picture, JpegImagePlugin.JpegImageFile) and fitted != size:
            fitted = _draft(picture, fitted)
        picture.load()
        orientation = _orientation_of(picture)
        if picture.size == size[::-1] != size:  # Pillow turns a TIFF upright as it loads it
            size, fitted = size[::-1], fitted[::-1]
        coding = coding_of(picture, kind)
        image = picture_to_rgb(picture, fitted, coding)
    notices = _picture_notices(picture, number, measured=coding.measured, lost_pages=lost_pages)
    if last:
        picture.close()
    return _upright_page(image, size, orientation, number, notices)


def _draft(picture: JpegImagePlugin.JpegImageFile, fitted: tuple[int, int]) -> tuple[int, int]:
    """Let the JPEG decoder itself halve the sides, once or more; give the size still wanted."""
    target = tuple(max(1, int(side * _DRAFT_SLACK)) for side in fitted)
    picture.draft(None, (target[0], target[1]))
    return min(fitted[0], picture.size[0]), min(fitted[1], picture.size[1])


def _check_header(picture: ImageFile.ImageFile, kind: str, limits: Limits) -> None:
    """Hold the announced size of the page, and of its tiles, against the limit."""
    width, height = picture.size
    if width < 1 or height < 1:
        raise CorruptImage(f"the {kind} picture has no pixels: {width} x {height}")
    check_pixels(width, height, limits)
    if isinstance(picture, TiffImagePlugin.TiffImageFile):
        with _translated(kind):
            tile = [int(picture.tag_v2.get(t, 1)) for t in (_TILE_WIDTH_TAG, _TILE_LENGTH_TAG)]
        check_pixels(tile[0], tile[1], limits)


def _orientation_of(picture: Image.Image) -> int:
    """Read the EXIF orientation, 1 to 8; damaged EXIF counts as upright."""
    try:
        value = picture.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # noqa: BLE001  a picture with damaged EXIF still shows its text
        return 1
    return value if isinstance(value, int) and 1 <= value <= 8 else 1


def _picture_notices(
    picture: Image.Image, number: int, *, measured: bool, lost_pages: bool
) -> tuple[Notice, ...]:
    """Tell what of the file is not shown by the page."""
    notices = []
    if not isinstance(picture, TiffImagePlugin.TiffImageFile) and _is_animated(picture):
        notices.append(Notice("frames_skipped", "only the first frame was read", number))
    if measured:
        detail = "the range of its gray values was taken from the picture itself"
        notices.append(Notice("range_scaled", detail, number))
    if lost_pages:
        detail = "the chain of pages is damaged here; pages after this one, if any, are lost"
        notices.append(Notice("pages_lost", detail, number))
    return tuple(notices)


def _is_animated(picture: Image.Image) -> bool:
    """Ask for more frames; a damaged second frame counts as none."""
    try:
        return bool(getattr(picture, "is_animated", False))
    except Exception:  # noqa: BLE001  the first frame is good, and it is all that is read
        return False


def _upright_page(
    image: RgbImage,
    size: tuple[int, int],
    orientation: int,
    number: int,
    notices: tuple[Notice, ...],
) -> Page:
    """Turn a decoded image upright and name its size in pixels of the original."""
    upright = _turn_upright(image, orientation)
    width, height = size[::-1] if orientation in _TURNED else size
    shown = upright.shape[1], upright.shape[0]
    frame = Frame.scaling(width / shown[0], height / shown[1])
    return Page(
        image=upright,
        number=number,
        frame=frame,
        size=(width, height),
        notices=downscaled(number, (width, height), shown) + notices,
    )


def _turn_upright(image: RgbImage, orientation: int) -> RgbImage:
    """Undo an EXIF orientation, 1 to 8, of an (H, W, 3) image."""
    if orientation == 1:
        return image
    if orientation in _TURNED:
        image = image.transpose(1, 0, 2)
    if orientation in {2, 3, 6, 7}:
        image = image[:, ::-1]
    if orientation in {3, 4, 7, 8}:
        image = image[::-1]
    return np.ascontiguousarray(image)
