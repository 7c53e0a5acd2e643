"""Limits hold before memory is taken, and large pictures are reduced."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from PIL import Image

from shizi.core.errors import TooLarge
from shizi.core.options import DecodeOptions, Limits
from shizi.imaging import pictures
from shizi.imaging.bounds import MAX_SIDE_PX, fit_size
from shizi.imaging.sniff import webp_canvas
from tests.unit.imaging.samples import HEIGHT, WIDTH, encode, one, png, scene, tiff_directories


class TestLimits:
    def test_refuses_too_many_bytes(self) -> None:
        data = encode(scene(), "png")
        with pytest.raises(TooLarge) as caught:
            one(data, limits=Limits(max_bytes=100))
        assert (caught.value.limit_name, caught.value.actual) == ("max_bytes", len(data))

    @pytest.mark.parametrize("kind", ["jpeg", "png", "bmp", "gif", "webp", "tiff", "avif"])
    def test_refuses_too_many_pixels(self, kind: str) -> None:
        with pytest.raises(TooLarge) as caught:
            one(encode(scene(), kind), limits=Limits(max_pixels=5000))
        error = caught.value
        assert (error.limit_name, error.limit, error.actual) == ("max_pixels", 5000, 5400)

    def test_judges_a_bomb_by_its_header_alone(self) -> None:
        header = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
        with pytest.raises(TooLarge, match="3,600,000,000"):
            one(png(header, b""))

    def test_judges_the_webp_canvas_before_the_decoder_takes_it(self) -> None:
        body = b"VP8X" + struct.pack("<I", 10) + b"\x00" * 4 + b"\xff\x3f\x00" + b"\xff\x3f\x00"
        data = b"RIFF" + struct.pack("<I", len(body) + 4) + b"WEBP" + body
        assert webp_canvas(data) == (16384, 16384)
        with pytest.raises(TooLarge, match="268,435,456"):
            one(data)

    @pytest.mark.parametrize(
        "save", [{"lossless": True}, {"quality": 80}, {"exif": b"Exif\x00\x00"}]
    )
    def test_reads_the_webp_canvas_of_every_kind(self, save: dict[str, object]) -> None:
        assert webp_canvas(encode(scene(), "webp", **save)) == (WIDTH, HEIGHT)

    def test_refuses_a_huge_tile_on_a_small_picture(self) -> None:
        data = bytearray(encode(scene(), "tiff"))
        (first,) = tiff_directories(bytes(data))
        for k in range(struct.unpack_from("<H", data, first)[0]):
            at = first + 2 + 12 * k
            (tag,) = struct.unpack_from("<H", data, at)
            if tag in {278, 284}:  # rows per strip and planes become the two sides of a tile
                struct.pack_into("<HHII", data, at, 322 if tag == 278 else 323, 4, 1, 60_000)
        with pytest.raises(TooLarge, match="3,600,000,000"):
            one(bytes(data))

    def test_reduces_a_page_over_its_budget(self) -> None:
        rng = np.random.default_rng(3)
        big = np.full((1000, 1500, 3), 240, np.uint8)
        big[300:600, 450:900] = rng.integers(0, 60, 3, dtype=np.uint8)
        for kind in ("png", "jpeg", "tiff"):
            page = one(encode(big, kind), DecodeOptions(page_pixels=100_000))
            height, width = page.image.shape[:2]
            assert 80_000 < height * width <= 100_000
            assert page.size == (1500, 1000)
            assert [notice.code for notice in page.notices] == ["downscaled"]
            assert page.notices[0].page == 1
            ys, xs = np.nonzero(page.image[:, :, 0] < 150)
            left, top = page.frame.map((float(xs.min()), float(ys.min())))
            right, bottom = page.frame.map((float(xs.max() + 1), float(ys.max() + 1)))
            assert np.abs(np.array([left, top, right, bottom]) - [450, 300, 900, 600]).max() < 6

    def test_reduces_a_jpeg_while_decoding(self, monkeypatch: pytest.MonkeyPatch) -> None:
        seen: list[tuple[int, int]] = []
        original = pictures.picture_to_rgb

        def spying(picture: Image.Image, *rest: Any) -> Any:
            seen.append(picture.size)
            return original(picture, *rest)

        monkeypatch.setattr(pictures, "picture_to_rgb", spying)
        big = Image.new("RGB", (1600, 1200), "white")
        page = one(encode(big, "jpeg"), DecodeOptions(page_pixels=100_000))
        assert seen == [(400, 300)]
        assert page.image.shape[0] * page.image.shape[1] <= 100_000

    def test_keeps_sides_short_enough_to_warp(self) -> None:
        page = one(encode(Image.new("1", (70_000, 3)), "png"))
        assert page.image.shape[1] <= MAX_SIDE_PX
        assert page.size == (70_000, 3)

    @pytest.mark.parametrize(
        ("size", "budget", "wanted"),
        [
            ((100, 50), 5000, (100, 50)),
            ((200, 100), 5000, (100, 50)),
            ((1e9, 1e9), 100, (10, 10)),
            ((1e9, 0.5), 1000, (1000, 1)),
            ((3, 1), 1, (1, 1)),
        ],
    )
    def test_fits_sizes(
        self, size: tuple[float, float], budget: int, wanted: tuple[int, int]
    ) -> None:
        fitted = fit_size(*size, budget)
        assert fitted[0] * fitted[1] <= budget
        assert np.abs(np.array(fitted) - wanted).max() <= 1
