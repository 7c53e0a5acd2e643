from __future__ import annotations

from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import cv2
import numpy as np
import pytest

from shizi.core.errors import IncompatibleModel
from shizi.core.options import DetectOptions
from shizi.core.pixels import RgbImage
from shizi.models.detector import (
    OVERLAP_PX,
    Detector,
    choose_scale,
    max_rows,
)
from shizi.models.session import Array, FakeSession, OrtSession


def bright_is_text(feeds: Mapping[str, Array]) -> list[Array]:
    """A network that finds whatever is brighter than mid-grey."""
    return [(feeds["x"].mean(axis=1, keepdims=True) > 0).astype(np.float32)]


def page_with_bars(rows: int, columns: int, *bars: tuple[int, int, int, int]) -> RgbImage:
    page = np.zeros((rows, columns, 3), np.uint8)
    for left, top, right, bottom in bars:
        page[top:bottom, left:right] = 255
    return page


def test_quads_come_in_page_pixels() -> None:
    page = page_with_bars(200, 600, (100, 80, 500, 100))
    detector = Detector(FakeSession(bright_is_text))
    for scale in (1.0, 0.5, 1.5):
        (quad,) = detector.find_at(page, scale, DetectOptions()).quads
        assert quad.center == pytest.approx((300, 90), abs=2)
        assert quad.width == pytest.approx(400, rel=0.15)


def test_the_input_is_padded_to_the_stride_with_its_own_border() -> None:
    seen: list[Array] = []

    def keep(feeds: Mapping[str, Array]) -> list[Array]:
        seen.append(feeds["x"])
        return bright_is_text(feeds)

    page = np.full((50, 70, 3), (255, 0, 51), np.uint8)
    Detector(FakeSession(keep)).find_at(page, 1.0, DetectOptions())
    (array,) = seen
    assert array.shape == (1, 3, 64, 96)
    assert array.dtype == np.float32
    for plane, value in zip(array[0], (-0.6, -1.0, 1.0), strict=True):
        np.testing.assert_allclose(plane, value, atol=1e-6)


def test_a_grey_network_is_given_grey() -> None:
    seen: list[Array] = []

    def keep(feeds: Mapping[str, Array]) -> list[Array]:
        seen.append(feeds["x"])
        return bright_is_text(feeds)

    page = np.full((50, 70, 3), (255, 0, 51), np.uint8)
    detector = Detector(FakeSession(keep, metadata={"planes": "1"}))
    detector.find_at(page, 1.0, DetectOptions())
    detector.relax()
    assert [array.shape for array in seen] == [(1, 1, 64, 96), (1, 1, 32, 32)]
    luma = 0.299 * 255 + 0.114 * 51
    np.testing.assert_allclose(seen[0], 2 * luma / 255 - 1, atol=1 / 127)


def test_a_network_of_other_planes_is_refused() -> None:
    with pytest.raises(IncompatibleModel, match="planes"):
        Detector(FakeSession(bright_is_text, metadata={"planes": "4"}))


def test_a_long_page_is_read_in_pieces_and_a_line_on_the_seam_is_one() -> None:
    page = page_with_bars(4000, 600, (50, 10, 550, 30), (280, 100, 310, 3900))
    session = FakeSession(bright_is_text)
    quads = Detector(session).find_at(page, 1.0, DetectOptions()).quads
    assert len(session.shapes) > 2
    assert all(
        np.prod(shape["x"]) <= 3 * DetectOptions().piece_pixels * 1.1 for shape in session.shapes
    )
    assert len(quads) == 2
    assert max(quad.height for quad in quads) == pytest.approx(3800, rel=0.05)


def test_pieces_respect_the_longest_side() -> None:
    page = page_with_bars(40, 3000, (50, 10, 2950, 30))
    session = FakeSession(bright_is_text)
    found = Detector(session).find_at(page, 1.0, DetectOptions(max_side_px=800))
    assert max(shape["x"][3] for shape in session.shapes) <= 800 + 2 * OVERLAP_PX + 32
    assert len(found.quads) == 1


def test_lines_beyond_the_limit_are_counted() -> None:
    bars = [(50, 20 + 40 * k, 350, 32 + 40 * k) for k in range(8)]
    found = Detector(FakeSession(bright_is_text)).find_at(
        page_with_bars(360, 400, *bars), 1.0, DetectOptions(max_lines=5)
    )
    assert (len(found.quads), len(found.scores), found.dropped) == (5, 5, 3)


@pytest.mark.parametrize("shape", [(1, 1), (1, 500), (500, 1), (7, 9)])
def test_tiny_pages_do_not_break_it(shape: tuple[int, int]) -> None:
    assert Detector(FakeSession(bright_is_text)).detect(np.zeros((*shape, 3), np.uint8)) == []


def test_a_map_of_another_shape_is_incompatible() -> None:
    session = FakeSession(lambda feeds: [np.zeros((1, 1, 8, 8), np.float32)])
    with pytest.raises(IncompatibleModel):
        Detector(session).detect(np.zeros((64, 64, 3), np.uint8))
    with pytest.raises(IncompatibleModel):
        Detector(FakeSession(bright_is_text, input_names=("a", "b")))


def test_the_scale_follows_the_text() -> None:
    assert choose_scale(1200, 1600, 36.0) == pytest.approx(0.5)
    assert choose_scale(1200, 1600, 18.0) == pytest.approx(1.0)
    assert choose_scale(1200, 1600, 15.0) == 1.0
    assert choose_scale(600, 800, 10.0) == pytest.approx(1.4)
    assert choose_scale(600, 800, 2.0) == 2.0


def test_the_scale_without_text_and_for_huge_pages_is_bounded() -> None:
    assert choose_scale(500, 400, 0.0) == 1.0
    assert choose_scale(5120, 1000, 0.0) == pytest.approx(0.25)
    assert choose_scale(10_000, 10_000, 12.0) ** 2 * 1e8 <= 6_000_001
    assert choose_scale(1200, 1600, 8.0, 2_400_000) ** 2 * 1200 * 1600 == pytest.approx(2.4e6)


def test_rows_of_a_piece_shrink_with_its_width() -> None:
    assert max_rows(400, 1600, 600_000) > max_rows(1500, 1600, 600_000) >= 4 * OVERLAP_PX
    assert max_rows(400, 1600, 600_000) > max_rows(400, 800, 300_000) >= 4 * OVERLAP_PX


def test_the_real_network_finds_lines_of_print() -> None:
    spec = find_spec("rapidocr")
    assert spec is not None
    assert spec.origin is not None
    detector = Detector(
        OrtSession(Path(spec.origin).parent / "models" / "PP-OCRv6_det_small.onnx", threads=2)
    )
    page = np.full((400, 640, 3), 255, np.uint8)
    for k, text in enumerate(("Delivery note 4711", "Total amount", "Thank you for coming")):
        cv2.putText(page, text, (60, 90 + 100 * k), cv2.FONT_HERSHEY_DUPLEX, 1.0, (0, 0, 0), 2)
    quads = sorted(detector.detect(page), key=lambda quad: quad.center[1])
    assert len(quads) == 3
    for k, quad in enumerate(quads):
        assert quad.center[1] == pytest.approx(80 + 100 * k, abs=8)
        assert 20 < quad.height < 50
        assert quad.bounds[0] == pytest.approx(60, abs=12)


def test_a_page_is_looked_at_in_so_many_pieces_at_most() -> None:
    page = page_with_bars(600, 800, (50, 50, 600, 70))
    detector = Detector(FakeSession(bright_is_text))

    assert detector.find(page).scale == 1.0
    bound = detector.find(page, DetectOptions(piece_pixels=20_000)).scale
    assert bound**2 * 600 * 800 == pytest.approx(16 * 20_000)
