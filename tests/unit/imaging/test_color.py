"""Every color mode becomes the same RGB."""

from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from tests.unit.imaging.samples import HEIGHT, WIDTH, difference, encode, one, png, scene


class TestColor:
    def test_lays_transparency_over_white(self) -> None:
        rgba = np.dstack([scene(), np.full((HEIGHT, WIDTH), 255, np.uint8)])
        rgba[:, 50:, 3] = 0
        rgba[:, 40:50, 3] = 128
        page = one(encode(rgba, "png"))
        assert (page.image[:, 50:] == 255).all()
        half = (scene()[:, 40:50].astype(float) + 255) / 2
        assert np.abs(page.image[:, 40:50] - half).max() <= 1.5
        assert (page.image[:, :40] == scene()[:, :40]).all()

    def test_lays_a_transparent_palette_entry_over_white(self) -> None:
        paletted = Image.fromarray(np.tile(np.arange(4, dtype=np.uint8), (8, 4)))
        paletted.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0, 0, 0, 255])
        page = one(encode(paletted, "png", transparency=0))
        assert page.image[0, :4].tolist() == [[255] * 3, [255, 0, 0], [0, 255, 0], [0, 0, 255]]

    def test_lays_gray_with_alpha_over_white(self) -> None:
        page = one(encode(Image.new("LA", (4, 4), (0, 0)), "png"))
        assert (page.image == 255).all()

    @pytest.mark.parametrize("kind", ["png", "tiff"])
    def test_scales_sixteen_bit_gray_by_its_full_range(self, kind: str) -> None:
        ramp = np.linspace(0, 65535, 256).round().astype(np.uint16)
        page = one(encode(np.tile(ramp, (4, 1)), kind))
        assert np.abs(page.image[0, :, 0].astype(int) - np.arange(256)).max() <= 1

    def test_reads_sixteen_bit_color_png(self) -> None:
        rows = b"".join(
            b"\x00" + struct.pack(">6H", 0xFFFF, 0x8000, 0, 0x1234, 0, 0xFFFF) for _ in "ab"
        )
        header = struct.pack(">IIBBBBB", 2, 2, 16, 2, 0, 0, 0)
        page = one(png(header, rows))
        assert np.abs(page.image[0].astype(int) - [[255, 128, 0], [18, 0, 255]]).max() <= 1

    def test_stretches_twelve_bits_in_sixteen_and_says_so(self) -> None:
        ramp = np.tile(np.linspace(0, 4000, 256).astype(np.uint16), (4, 1))
        page = one(encode(ramp, "tiff"))
        assert page.image.max() > 240
        assert [notice.code for notice in page.notices] == ["range_scaled"]

    def test_turns_min_is_white_around(self) -> None:
        ramp = np.tile(np.linspace(0, 65535, 16).astype(np.uint16), (4, 1))
        page = one(encode(ramp, "tiff", tiffinfo={262: 0}))
        assert page.image[0, 0, 0] > page.image[0, -1, 0]

    @pytest.mark.parametrize(
        ("values", "measured"),
        [
            (np.linspace(0, 1, 64, dtype=np.float32), False),
            (np.linspace(0, 255, 64, dtype=np.float32), False),
            (np.linspace(-3, 900, 64, dtype=np.float32), True),
            (np.linspace(-70000, 70000, 64).astype(np.int32), True),
        ],
    )
    def test_scales_wide_values_to_eight_bits(self, values: NDArray[Any], measured: bool) -> None:
        page = one(encode(np.tile(values, (4, 1)), "tiff"))
        row = page.image[0, :, 0].astype(int)
        assert (row[0], row[-1]) == (0, 255)
        assert (np.diff(row) > 0).all()
        assert bool(page.notices) is measured

    def test_draws_not_a_number_black(self) -> None:
        values = np.array([[0.0, 1.0, np.nan, np.inf]] * 4, np.float32)
        assert one(encode(values, "tiff")).image[0, :, 0].tolist() == [0, 255, 0, 255]

    def test_reads_cmyk_jpeg_of_both_polarities(self) -> None:
        wanted = scene()
        adobe = encode(Image.fromarray(wanted).convert("CMYK"), "jpeg", quality=95)
        assert b"Adobe" in adobe
        assert difference(one(adobe), wanted) < 4
        # Without Adobe's marker the stored values are ink, not light.
        ink = Image.fromarray(255 - np.asarray(Image.fromarray(wanted).convert("CMYK")), "CMYK")
        plain = without_adobe_marker(encode(ink, "jpeg", quality=95))
        assert difference(one(plain), wanted) < 4

    def test_reads_cmyk_tiff(self) -> None:
        page = one(encode(Image.fromarray(scene()).convert("CMYK"), "tiff"))
        assert difference(page, scene()) < 2

    def test_reads_lab_tiff(self) -> None:
        to_lab = ImageCms.buildTransform(
            ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB"
        )
        lab = ImageCms.applyTransform(Image.fromarray(scene()), to_lab)
        assert lab is not None
        assert difference(one(encode(lab, "tiff")), scene()) < 12

    def test_reads_ycbcr_tiff(self) -> None:
        page = one(encode(Image.fromarray(scene()).convert("YCbCr"), "tiff"))
        assert difference(page, scene()) < 3


def without_adobe_marker(jpeg: bytes) -> bytes:
    at = jpeg.index(b"\xff\xee")
    length = struct.unpack_from(">H", jpeg, at + 2)[0]
    return jpeg[:at] + jpeg[at + 2 + length :]
