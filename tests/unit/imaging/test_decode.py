"""Decoding of pictures: every format, orientation, pages, damage."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image, JpegImagePlugin

from shizi.core.errors import CorruptImage, InputError, OptionError, TooLarge, UnsupportedFormat
from shizi.core.options import DecodeOptions, Limits
from shizi.imaging import pictures
from shizi.imaging.decode import open_document, sniff
from shizi.imaging.sniff import count_directories
from tests.unit.imaging.samples import (
    HEIGHT,
    WIDTH,
    difference,
    encode,
    one,
    png,
    scene,
    tiff_directories,
)


class TestFormats:
    @pytest.mark.parametrize(
        ("kind", "save", "most"),
        [
            ("png", {}, 0.0),
            ("bmp", {}, 0.0),
            ("tiff", {}, 0.0),
            ("tiff", {"compression": "tiff_lzw"}, 0.0),
            ("tiff", {"compression": "tiff_deflate"}, 0.0),
            ("tiff", {"compression": "packbits"}, 0.0),
            ("tiff", {"compression": "jpeg"}, 6.0),
            ("webp", {"lossless": True}, 0.0),
            ("webp", {"quality": 90}, 4.0),
            ("jpeg", {"quality": 95}, 3.0),
            ("jpeg", {"quality": 95, "progressive": True}, 3.0),
            ("gif", {}, 8.0),
            ("avif", {"quality": 95}, 3.0),
        ],
    )
    def test_gives_the_pixels_of_each_format(
        self, kind: str, save: dict[str, object], most: float
    ) -> None:
        data = encode(scene(), kind, **save)
        assert sniff(data) == kind
        page = one(data)
        assert difference(page, scene()) <= most
        assert page.size == (WIDTH, HEIGHT)
        assert page.frame.map((3.0, 4.0)) == (3.0, 4.0)
        assert page.notices == ()
        assert page.number == 1

    @pytest.mark.parametrize("kind", ["jpeg", "png", "tiff"])
    def test_spreads_gray_over_three_channels(self, kind: str) -> None:
        gray = Image.fromarray(scene()).convert("L")
        page = one(encode(gray, kind))
        assert difference(page, np.asarray(gray.convert("RGB"))) < 3

    @pytest.mark.parametrize("kind", ["png", "gif", "bmp", "tiff"])
    def test_looks_colors_up_in_the_palette(self, kind: str) -> None:
        paletted = Image.fromarray(scene()).quantize(64)
        page = one(encode(paletted, kind))
        assert difference(page, np.asarray(paletted.convert("RGB"))) == 0

    @pytest.mark.parametrize("kind", ["png", "bmp", "tiff"])
    def test_reads_one_bit_pictures(self, kind: str) -> None:
        bits = Image.fromarray(scene()).convert("1")
        assert difference(one(encode(bits, kind)), np.asarray(bits.convert("RGB"))) == 0

    def test_reads_fax_tiff(self) -> None:
        bits = Image.fromarray(scene()).convert("1")
        data = encode(bits, "tiff", compression="group4")
        assert difference(one(data), np.asarray(bits.convert("RGB"))) == 0

    def test_reads_the_first_frame_of_an_animation_and_says_so(self) -> None:
        first, second = scene(), 255 - scene()
        for kind, save in (("gif", {}), ("webp", {"lossless": True}), ("png", {})):
            more = [Image.fromarray(second)]
            page = one(encode(first, kind, save_all=True, append_images=more, **save))
            assert difference(page, first) < 9
            assert [notice.code for notice in page.notices] == ["frames_skipped"]

    def test_names_the_package_heic_needs(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def absent(name: str) -> None:
            raise ImportError(name)

        monkeypatch.setattr(pictures.importlib, "import_module", absent)
        with pytest.raises(UnsupportedFormat, match="pillow-heif"):
            one(b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic")

    def test_says_when_pillow_lacks_a_codec(self, monkeypatch: pytest.MonkeyPatch) -> None:
        data = encode(scene(), "avif")
        monkeypatch.setattr(pictures.features, "check", lambda name: False)
        with pytest.raises(UnsupportedFormat, match="AVIF"):
            one(data)


class TestOrientation:
    TURNS = (
        (1, lambda a: a),
        (2, lambda a: a[:, ::-1]),
        (3, lambda a: a[::-1, ::-1]),
        (4, lambda a: a[::-1]),
        (5, lambda a: a.transpose(1, 0, 2)),
        (6, lambda a: np.rot90(a, -1)),
        (7, lambda a: a[::-1, ::-1].transpose(1, 0, 2)),
        (8, lambda a: np.rot90(a, 1)),
    )

    @pytest.mark.parametrize(("value", "turn"), TURNS)
    @pytest.mark.parametrize(
        ("kind", "save"),
        [
            ("png", {}),
            ("jpeg", {"quality": 98}),
            ("webp", {"lossless": True}),
            ("tiff", {}),
            ("tiff", {"compression": "tiff_lzw"}),
            ("avif", {"quality": 98}),
        ],
    )
    def test_turns_the_page_upright(
        self, kind: str, save: dict[str, object], value: int, turn: Any
    ) -> None:
        exif = Image.Exif()
        exif[0x0112] = value
        page = one(encode(scene(), kind, exif=exif, **save))
        wanted = np.ascontiguousarray(turn(scene()))
        assert difference(page, wanted) < 4
        assert page.size == (wanted.shape[1], wanted.shape[0])

    @pytest.mark.parametrize(
        "exif", [b"Exif\x00\x00nonsense", b"Exif\x00\x00II*\x00\xff\xff\xff\xff"]
    )
    def test_reads_a_page_with_damaged_exif(self, exif: bytes) -> None:
        assert one(encode(scene(), "jpeg", exif=exif)).size == (WIDTH, HEIGHT)

    def test_keeps_the_frame_true_when_turned_and_reduced(self) -> None:
        exif = Image.Exif()
        exif[0x0112] = 6
        image = np.full((200, 400, 3), 255, np.uint8)
        image[20:40, 300:340] = 0
        page = one(encode(image, "png", exif=exif), DecodeOptions(page_pixels=20_000))
        assert page.size == (200, 400)
        ys, xs = np.nonzero(page.image[:, :, 0] < 100)
        left, top = page.frame.map((float(xs.min()), float(ys.min())))
        right, bottom = page.frame.map((float(xs.max() + 1), float(ys.max() + 1)))
        assert np.abs(np.array([left, top, right, bottom]) - [160, 300, 180, 340]).max() <= 2


class TestPages:
    def tiff(self, count: int) -> bytes:
        pages = [Image.new("L", (40 + k, 30), 10 * k) for k in range(count)]
        return encode(pages[0], "tiff", save_all=True, append_images=pages[1:])

    def test_gives_all_pages_of_a_tiff(self) -> None:
        pages = list(open_document(self.tiff(5)))
        assert [page.number for page in pages] == [1, 2, 3, 4, 5]
        assert [page.size for page in pages] == [(40 + k, 30) for k in range(5)]
        assert [int(page.image[0, 0, 0]) for page in pages] == [0, 10, 20, 30, 40]

    def test_honours_the_range(self) -> None:
        options = DecodeOptions(first_page=2, last_page=3)
        assert [page.number for page in open_document(self.tiff(5), options)] == [2, 3]
        options = DecodeOptions(first_page=4, last_page=90)
        assert [page.number for page in open_document(self.tiff(5), options)] == [4, 5]

    @pytest.mark.parametrize(
        "options",
        [
            DecodeOptions(first_page=0),
            DecodeOptions(first_page=6),
            DecodeOptions(first_page=3, last_page=2),
            DecodeOptions(pdf_dpi=0),
            DecodeOptions(pdf_dpi=100_000),
            DecodeOptions(page_pixels=0),
        ],
    )
    def test_refuses_impossible_options(self, options: DecodeOptions) -> None:
        with pytest.raises(OptionError):
            list(open_document(self.tiff(5), options))

    def test_refuses_more_pages_than_allowed_before_the_first(self) -> None:
        with pytest.raises(TooLarge) as caught:
            next(open_document(self.tiff(5), limits=Limits(max_pages=3)))
        assert (caught.value.limit_name, caught.value.limit) == ("max_pages", 3)
        options = DecodeOptions(first_page=3)
        assert len(list(open_document(self.tiff(5), options, Limits(max_pages=3)))) == 3

    def test_decodes_only_the_page_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        loaded: list[int] = []
        original = pictures.picture_to_rgb

        def counting(*args: Any) -> Any:
            loaded.append(1)
            return original(*args)

        monkeypatch.setattr(pictures, "picture_to_rgb", counting)
        pages = open_document(self.tiff(4))
        assert loaded == []
        next(pages)
        next(pages)
        assert len(loaded) == 2

    def test_gives_the_pages_before_a_damaged_one(self) -> None:
        data = bytearray(
            encode(
                Image.new("L", (40, 30)),
                "tiff",
                save_all=True,
                append_images=[Image.new("L", (50, 30))],
            )
        )
        second = tiff_directories(bytes(data))[1]
        entries = struct.unpack_from("<H", data, second)[0]
        for k in range(entries):  # the strip's offset now points past the end
            at = second + 2 + 12 * k
            if struct.unpack_from("<H", data, at)[0] == 273:
                struct.pack_into("<I", data, at + 8, 10**9)
        pages = open_document(bytes(data))
        assert next(pages).size == (40, 30)
        with pytest.raises(CorruptImage):
            next(pages)

    def test_tells_of_a_broken_chain(self) -> None:
        data = bytearray(self.tiff(3))
        second = tiff_directories(bytes(data))[1]
        struct.pack_into(
            "<I", data, second + 2 + 12 * struct.unpack_from("<H", data, second)[0], 10**9
        )
        pages = list(open_document(bytes(data)))
        assert [[notice.code for notice in page.notices] for page in pages] == [[], ["pages_lost"]]

    def test_stops_counting_at_a_circle(self) -> None:
        data = bytearray(self.tiff(2))
        first, second = tiff_directories(bytes(data))
        struct.pack_into(
            "<I", data, second + 2 + 12 * struct.unpack_from("<H", data, second)[0], first
        )
        assert count_directories(bytes(data), 1000) == (2, True)
        assert len(list(open_document(bytes(data)))) == 2

    def test_counts_directories_of_big_tiff(self) -> None:
        head = b"II+\x00" + struct.pack("<HHQ", 8, 0, 16)
        first = struct.pack("<QQ", 0, 32)
        assert count_directories(head + first + struct.pack("<QQ", 0, 0), 10) == (2, False)


class TestDamage:
    def test_refuses_nothing(self) -> None:
        with pytest.raises(InputError, match="empty"):
            one(b"")

    @pytest.mark.parametrize(
        ("data", "hint"),
        [
            (b"hello, world", "no known format"),
            (b"PK\x03\x04" + b"\x00" * 40, "ZIP"),
            (b"<svg xmlns='x'/>", "markup"),
            (b"BM, said the text", "no known format"),
            (b"\x00\x00\x00\x18ftypisom\x00\x00\x00\x00mp42isom", "no known format"),
        ],
    )
    def test_refuses_other_formats_with_a_hint(self, data: bytes, hint: str) -> None:
        assert sniff(data) is None
        with pytest.raises(UnsupportedFormat, match=hint):
            one(data)

    @pytest.mark.parametrize("kind", ["jpeg", "png", "bmp", "gif", "webp", "tiff", "avif"])
    @pytest.mark.parametrize("keep", [0.35, 0.7])
    def test_names_a_picture_cut_short_corrupt(self, kind: str, keep: float) -> None:
        rng = np.random.default_rng(0)
        data = encode(rng.integers(0, 255, (60, 90, 3), dtype=np.uint8), kind)
        with pytest.raises(CorruptImage):
            one(data[: int(len(data) * keep)])

    @pytest.mark.parametrize("kind", ["jpeg", "png", "bmp", "gif", "webp", "tiff", "avif"])
    def test_names_a_bare_header_corrupt(self, kind: str) -> None:
        data = encode(scene(), kind)
        with pytest.raises(InputError):
            one(data[:20])

    def test_refuses_a_picture_without_pixels(self) -> None:
        with pytest.raises(CorruptImage):
            one(png(struct.pack(">IIBBBBB", 0, 5, 8, 2, 0, 0, 0), b""))

    def test_translates_memory_errors(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def greedy(self: object) -> None:
            raise MemoryError

        monkeypatch.setattr(JpegImagePlugin.JpegImageFile, "load", greedy)
        with pytest.raises(CorruptImage, match="memory"):
            one(encode(scene(), "jpeg"))

    def test_translates_pillows_own_limit(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
        with pytest.raises(TooLarge) as caught:
            one(encode(scene(), "webp"))
        assert (caught.value.limit, caught.value.actual) == (20, 5400)


class TestSniff:
    def test_asks_the_content_only(self) -> None:
        assert sniff(b"junk before it\n%PDF-1.7\n") == "pdf"
        assert sniff(b"x" * 2000 + b"%PDF-1.7") is None
        assert sniff(b"") is None
        assert sniff(b"MM\x00+" + bytes(20)) == "tiff"

    def test_tells_heic_from_avif(self) -> None:
        assert sniff(b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1heic") == "heic"
        assert sniff(b"\x00\x00\x00\x18ftypmif1\x00\x00\x00\x00mif1avif") == "avif"


def test_reads_real_pictures(shared: Path) -> None:
    names = sorted((shared / "eval" / "pages").glob("*_01_*"))[:4]
    assert names
    for name in names:
        page = one(name.read_bytes())
        with Image.open(name) as image:
            assert page.size == image.size
        assert page.image.std() > 1


def test_a_picture_is_closed_with_its_last_page(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Image.Image] = []
    open_picture = pictures._open_picture

    def keep(data: bytes, kind: str) -> Image.Image:
        opened.append(open_picture(data, kind))
        return opened[-1]

    monkeypatch.setattr(pictures, "_open_picture", keep)
    twice = {"save_all": True, "append_images": [Image.fromarray(scene())]}
    pages = open_document(encode(scene(), "tiff", **twice), DecodeOptions(), Limits())

    next(pages)
    assert opened[0].getpixel((0, 0))
    page = next(pages)
    with pytest.raises(ValueError, match="closed"):
        opened[0].getpixel((0, 0))
    assert difference(page, scene()) == 0
    assert list(pages) == []
