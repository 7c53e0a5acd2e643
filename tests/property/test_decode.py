"""Whatever the bytes, decoding gives pages within the limits or an error of ours."""

from __future__ import annotations

import io
import random
import resource
from functools import cache

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from shizi.core.errors import ShiziError
from shizi.core.options import DecodeOptions, Limits
from shizi.imaging.bounds import MAX_SIDE_PX
from shizi.imaging.decode import open_document, sniff
from shizi.imaging.sniff import webp_canvas

OPTIONS = DecodeOptions(pdf_dpi=60, page_pixels=40_000, last_page=3)
LIMITS = Limits(max_bytes=200_000, max_pixels=400_000, max_pages=5)
FUZZ_ROUNDS = 10_000
MOST_GROWTH_KIB = 200 * 1024


def outcome(data: bytes) -> str:
    """Decode within the limits of this test; name the error or "read"."""
    pages = 0
    try:
        for page in open_document(data, OPTIONS, LIMITS):
            pages += 1
            height, width, channels = page.image.shape
            assert page.image.dtype == np.uint8
            assert channels == 3
            assert 1 <= height * width <= OPTIONS.page_pixels
            assert max(height, width) <= MAX_SIDE_PX
            assert min(page.size) >= 1
            assert all(notice.detail for notice in page.notices)
    except ShiziError as error:
        caught = error
    else:
        caught = None
    if caught is not None:
        assert 0 < len(caught.detail) < 300
        return caught.code
    assert 1 <= pages <= LIMITS.max_pages
    return "read"


@cache
def samples() -> tuple[bytes, ...]:
    """One small real file of every format and of the modes that take paths of their own."""
    rng = np.random.default_rng(5)
    color = Image.fromarray(rng.integers(0, 255, (18, 26, 3), dtype=np.uint8))
    deep = Image.fromarray(rng.integers(0, 65535, (18, 26), dtype=np.uint16))
    exif = Image.Exif()
    exif[0x0112] = 6
    pages = {"save_all": True, "append_images": [color.rotate(90, expand=True)]}
    made: list[tuple[Image.Image, str, dict[str, object]]] = [
        (color, "jpeg", {"exif": exif}),
        (color, "jpeg", {"progressive": True}),
        (color.convert("CMYK"), "jpeg", {}),
        (color, "png", {}),
        (color.quantize(16), "png", {"transparency": 3}),
        (color.convert("RGBA"), "png", {"exif": exif}),
        (deep, "png", {}),
        (color, "bmp", {}),
        (color.convert("1"), "bmp", {}),
        (color, "gif", {**pages}),
        (color, "webp", {"lossless": True}),
        (color, "webp", {"quality": 40, "exif": exif}),
        (color, "tiff", {**pages}),
        (color, "tiff", {"compression": "jpeg"}),
        (color.convert("1"), "tiff", {"compression": "group4"}),
        (deep, "tiff", {"compression": "tiff_lzw"}),
        (color.convert("F"), "tiff", {"compression": "tiff_deflate"}),
        (color.convert("CMYK"), "tiff", {}),
        (color, "avif", {"speed": 10}),
        (color, "pdf", {**pages}),
        (color.convert("1"), "pdf", {}),
    ]
    files = []
    for picture, kind, save in made:
        sink = io.BytesIO()
        picture.save(sink, kind, **save)  # type: ignore[arg-type]
        files.append(sink.getvalue())
    return tuple(files)


def mutate(data: bytes, others: tuple[bytes, ...], rng: random.Random) -> bytes:
    """Damage a file the way disks, networks and enemies do."""
    out = bytearray(data)
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        if not out:
            break
        at, length = rng.randrange(len(out)), rng.randrange(1, 1 + min(64, len(out)))
        match rng.randrange(8):
            case 0:
                del out[at:]
            case 1:
                out[at] ^= 1 << rng.randrange(8)
            case 2:
                out[at : at + length] = rng.randbytes(length)
            case 3:
                del out[at : at + length]
            case 4:
                out[at:at] = out[at : at + length] * rng.randrange(1, 9)
            case 5:
                out[at : at + 4] = rng.choice(
                    (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff")
                )
            case 6:
                other = rng.choice(others)
                out[at:] = other[rng.randrange(len(other)) :]
            case _:
                other = rng.choice(others)
                out[: rng.randrange(4, 40)] = other[: rng.randrange(4, 40)]
    return bytes(out)


def test_reads_every_sample_undamaged() -> None:
    kinds = {sniff(data) for data in samples()}
    assert kinds == {"jpeg", "png", "bmp", "gif", "webp", "tiff", "avif", "pdf"}
    assert {outcome(data) for data in samples()} == {"read"}


@pytest.mark.timeout(120)
def test_ten_thousand_damaged_files_give_pages_or_typed_errors() -> None:
    rng = random.Random(20261120)
    files = samples()
    seen: dict[str, int] = {}
    peak_before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for turn in range(FUZZ_ROUNDS):
        if turn % 10 == 0:
            data = rng.randbytes(rng.randrange(200))
        elif turn % 10 == 1:
            data = rng.choice(files)[: rng.randrange(4, 40)] + rng.randbytes(rng.randrange(400))
        else:
            data = mutate(files[turn % len(files)], files, rng)
        code = outcome(data)
        seen[code] = seen.get(code, 0) + 1
    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - peak_before
    assert grown_kib < MOST_GROWTH_KIB
    assert sum(seen.values()) == FUZZ_ROUNDS
    assert set(seen) <= {
        "read",
        "bad_input",
        "unsupported",
        "too_large",
        "corrupt",
        "encrypted_pdf",
        "bad_option",
    }
    assert seen["read"] > 500
    assert seen["corrupt"] > 1000
    assert seen["too_large"] > 10


@given(st.binary(max_size=400))
@settings(deadline=None)
def test_any_bytes_give_a_typed_answer(data: bytes) -> None:
    outcome(data)


@given(st.sampled_from(range(21)), st.binary(max_size=200), st.integers(4, 64))
@settings(deadline=None)
def test_any_body_behind_a_true_header_gives_a_typed_answer(
    which: int, body: bytes, keep: int
) -> None:
    outcome(samples()[which][:keep] + body)


@given(st.sampled_from(range(21)), st.randoms(use_true_random=False))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_any_damage_gives_a_typed_answer(which: int, rng: random.Random) -> None:
    outcome(mutate(samples()[which], samples(), rng))


@given(st.binary(max_size=64))
@settings(deadline=None)
def test_headers_are_told_without_an_error(data: bytes) -> None:
    sniff(data)
    webp_canvas(b"RIFF\0\0\0\0WEBP" + data)


@given(
    st.integers(1, 40),
    st.integers(1, 40),
    st.sampled_from(["png", "bmp", "tiff"]),
    st.integers(1, 1600),
)
@settings(deadline=None)
def test_any_budget_is_kept_and_the_frame_spans_the_page(
    width: int, height: int, kind: str, budget: int
) -> None:
    sink = io.BytesIO()
    Image.new("RGB", (width, height), "white").save(sink, kind)
    (page,) = open_document(sink.getvalue(), DecodeOptions(page_pixels=budget))
    shown_height, shown_width = page.image.shape[:2]
    assert shown_width * shown_height <= budget
    assert page.size == (width, height)
    corner = page.frame.map((float(shown_width), float(shown_height)))
    assert np.allclose(corner, (width, height))
    assert bool(page.notices) == ((shown_width, shown_height) != (width, height))
