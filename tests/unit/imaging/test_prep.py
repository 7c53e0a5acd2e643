"""Each step does what its name says, and frames lead back to the page."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from shizi.core.errors import OptionError
from shizi.core.pixels import RgbImage
from shizi.core.types import Frame
from shizi.imaging.prep import (
    GOOD_TEXT_PX,
    MOST_TEXT_PX,
    STEPS,
    Prepared,
    choose_steps,
    prepare,
)
from shizi.imaging.quality import Quality, measure
from tests.unit.imaging.drawing import draw_page, grain, shade, turn_page

NAMES = (
    "grayscale", "stretch", "clahe", "denoise", "otsu", "adaptive",
    "flatten", "sharpen", "deskew", "scale", "invert",
)  # fmt: skip


def take(name: str, image: RgbImage) -> Prepared:
    before = image.copy()
    prepared = prepare(image, (name,))
    assert (image == before).all()
    assert prepared.applied == (name,)
    assert prepared.image.dtype == np.uint8
    assert prepared.image.shape[2] == 3
    return prepared


def ink_share(image: RgbImage) -> float:
    return float((image[:, :, 0] < 128).mean())


def test_the_steps_are_the_promised_ones() -> None:
    assert tuple(STEPS) == NAMES


def test_grayscale_makes_channels_equal() -> None:
    colored = draw_page()
    colored[:, :, 0] //= 2
    out = take("grayscale", colored).image
    assert (out[:, :, 0] == out[:, :, 1]).all()
    assert (out[:, :, 0] == out[:, :, 2]).all()


def test_stretch_spreads_a_dark_faint_page() -> None:
    page = draw_page()
    dark = (page * 0.1 + 20).astype(np.uint8)
    out = take("stretch", dark).image
    assert out.max() == 255
    assert out.min() == 0
    assert np.abs(out.astype(int) - page).mean() < 8


def test_stretch_keeps_paper_of_light_ink_dark() -> None:
    dark = ((255 - draw_page()) * 0.3 + 20).astype(np.uint8)
    out = take("stretch", dark).image
    assert np.median(out) == 0
    assert out.max() == 255


def test_stretch_leaves_one_tone_alone() -> None:
    flat = np.full((60, 60, 3), 131, np.uint8)
    assert (take("stretch", flat).image == flat).all()


def test_clahe_raises_local_contrast() -> None:
    faint = (shade(draw_page(), 0.4) * 0.3 + 60).astype(np.uint8)
    assert measure(take("clahe", faint).image).contrast > 1.15 * measure(faint).contrast


def test_denoise_takes_grain_out_and_leaves_letters() -> None:
    page = (draw_page(500, 400) * 0.6 + 50).astype(np.uint8)
    noisy = grain(page, 18)
    out = take("denoise", noisy).image
    assert measure(out).noise < 0.3 * measure(noisy).noise
    error = np.abs(out.astype(int) - page)
    assert error.mean() < 0.5 * np.abs(noisy.astype(int) - page).mean()


def test_otsu_gives_black_and_white() -> None:
    page = draw_page()
    out = take("otsu", (page * 0.3 + 90).astype(np.uint8)).image
    assert set(np.unique(out)) == {0, 255}
    assert ink_share(out) == pytest.approx(ink_share(page), rel=0.15)


def test_adaptive_finds_ink_in_the_shadow() -> None:
    page = draw_page()
    shadowed = shade(page, 0.1)
    truth = ink_share(page)
    assert ink_share(take("adaptive", shadowed).image) == pytest.approx(truth, rel=0.35)
    assert ink_share(take("otsu", shadowed).image) > 2 * truth


def test_adaptive_keeps_light_ink_light() -> None:
    out = take("adaptive", 255 - draw_page()).image
    assert np.median(out) == 0


def test_flatten_takes_the_shadow_out() -> None:
    page = draw_page()
    shadowed = shade(page, 0.25)
    out = take("flatten", shadowed).image
    assert measure(shadowed).unevenness > 0.6
    assert measure(out).unevenness < 0.06
    assert np.median(out) > 240
    assert ink_share(out) == pytest.approx(ink_share(page), rel=0.3)


def test_flatten_keeps_light_ink_light() -> None:
    out = take("flatten", 255 - draw_page()).image
    assert np.median(out) < 15


def test_flatten_brings_a_dark_page_to_light() -> None:
    dark = (draw_page() * 0.15).astype(np.uint8)
    assert np.median(take("flatten", dark).image) > 240


def test_sharpen_steepens_edges() -> None:
    blurred = np.asarray(cv2.GaussianBlur(draw_page(), (0, 0), 1.5), dtype=np.uint8)
    assert measure(take("sharpen", blurred).image).blur_px < 0.8 * measure(blurred).blur_px


def test_invert_swaps_light_and_dark() -> None:
    assert (take("invert", draw_page()).image == 255 - draw_page()).all()


@pytest.mark.parametrize("angle", [-12.0, -5.0, 1.5, 5.0, 8.0])
def test_deskew_levels_the_lines(angle: float) -> None:
    out = take("deskew", turn_page(draw_page(), angle))
    assert out.angle_deg == pytest.approx(angle, abs=0.25)
    assert measure(out.image).tilt_deg == pytest.approx(0, abs=0.3)


def test_deskew_leads_points_back() -> None:
    page = turn_page(draw_page(), 5)
    page[300:304, 200:204] = (255, 0, 0)
    out = take("deskew", page)
    red = (out.image[:, :, 0] > 150) & (out.image[:, :, 1] < 100)
    ys, xs = np.nonzero(red)
    x, y = out.frame.map((float(xs.mean()) + 0.5, float(ys.mean()) + 0.5))
    assert (x, y) == (pytest.approx(202, abs=1), pytest.approx(302, abs=1))


def test_deskew_cuts_nothing_off_and_fills_with_the_margin() -> None:
    page = draw_page()
    page[:, :, 2] = 200
    tilted = turn_page(page, 6)
    out = take("deskew", tilted)
    height, width = tilted.shape[:2]
    for corner in ((0, 0), (width, 0), (width, height), (0, height)):
        x, y = out.frame.inverse().map((float(corner[0]), float(corner[1])))
        assert -1 <= x <= out.image.shape[1] + 1
        assert -1 <= y <= out.image.shape[0] + 1
    assert out.image[0, 0].tolist() == np.median(tilted[0], axis=0).astype(int).tolist()


def test_deskew_leaves_a_level_page_alone() -> None:
    blank = np.full((300, 200, 3), 255, np.uint8)
    assert take("deskew", blank).image is blank


def test_deskew_is_not_taken_twice() -> None:
    page = turn_page(draw_page(), 5)
    once, twice = prepare(page, ("deskew",)), prepare(page, ("deskew", "deskew"))
    assert twice.angle_deg == once.angle_deg
    assert twice.image.shape == once.image.shape


def test_scale_brings_small_text_up() -> None:
    page = draw_page(800, 1000, 28)
    small = np.asarray(cv2.resize(page, (200, 250), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    assert measure(small).text_px < 10
    out = take("scale", small)
    assert measure(out.image).text_px == pytest.approx(GOOD_TEXT_PX, rel=0.25)
    corner = out.frame.map((float(out.image.shape[1]), float(out.image.shape[0])))
    assert corner == (pytest.approx(200), pytest.approx(250))


def test_scale_brings_huge_text_down() -> None:
    huge = draw_page(2400, 1800, 160)
    out = take("scale", huge)
    assert measure(out.image).text_px == pytest.approx(MOST_TEXT_PX, rel=0.2)
    assert out.image.shape[0] < huge.shape[0]


def test_scale_leaves_good_and_unknown_heights_alone() -> None:
    page = draw_page()
    assert take("scale", page).image is page
    blank = np.full((9, 9, 3), 255, np.uint8)
    assert take("scale", blank).image is blank


def test_steps_follow_each_other_and_frames_compose() -> None:
    page = draw_page(800, 1000, 28)
    small = np.asarray(cv2.resize(page, (300, 375), interpolation=cv2.INTER_AREA), dtype=np.uint8)
    tilted = turn_page(small, 5)
    tilted[200:203, 100:103] = (255, 0, 0)
    out = prepare(tilted, ("scale", "deskew"))
    assert out.applied == ("scale", "deskew")
    red = (out.image[:, :, 0] > 150) & (out.image[:, :, 1] < 100)
    ys, xs = np.nonzero(red)
    x, y = out.frame.map((float(xs.mean()) + 0.5, float(ys.mean()) + 0.5))
    assert (x, y) == (pytest.approx(101.5, abs=1), pytest.approx(201.5, abs=1))


def test_an_inverted_page_is_dark_ink_to_later_steps() -> None:
    out = prepare(255 - draw_page(), ("invert", "adaptive")).image
    assert np.median(out) == 255


def test_no_steps_measure_nothing() -> None:
    page = draw_page()
    assert prepare(page, ()) == Prepared(page)


def test_names_the_step_nobody_knows() -> None:
    with pytest.raises(OptionError, match=r"unknown step 'deskw'; did you mean 'deskew'\?"):
        prepare(draw_page(), ("grayscale", "deskw"))


def test_auto_leaves_a_good_page_alone() -> None:
    out = prepare(draw_page())
    assert out.applied == ()
    assert out.frame == Frame()


def test_auto_levels_a_tilted_page() -> None:
    assert "deskew" in prepare(turn_page(draw_page(), 5)).applied
    assert choose_steps(Quality(tilt_deg=0.2)) == ()


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))),
    st.sampled_from([name for name in NAMES if name not in {"deskew", "scale"}]),
)
@settings(deadline=None)
def test_tone_steps_keep_shape_and_type(image: RgbImage, name: str) -> None:
    before = image.copy()
    out = prepare(image, (name,))
    assert out.image.shape == image.shape
    assert out.image.dtype == np.uint8
    assert out.frame == Frame()
    assert (image == before).all()


@given(
    arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))),
    st.sampled_from(["grayscale", "otsu", "deskew", "scale"]),
)
@settings(deadline=None)
def test_some_steps_change_nothing_the_second_time(image: RgbImage, name: str) -> None:
    once = prepare(image, (name,)).image
    assert (prepare(once, (name,)).image == once).all()


@given(arrays(np.uint8, (8, 9, 3)))
@settings(deadline=None)
def test_inverting_twice_gives_the_page_back(image: RgbImage) -> None:
    assert (prepare(image, ("invert", "invert")).image == image).all()


@given(
    st.builds(
        Quality,
        brightness=st.floats(0, 255),
        contrast=st.floats(0, 255),
        noise=st.floats(0, 100),
        blur_px=st.floats(0, 20),
        tilt_deg=st.floats(-20, 20),
        unevenness=st.floats(0, 1),
        text_px=st.floats(0, 500),
        ink_is_light=st.booleans(),
    )
)
@settings(deadline=None)
def test_the_choice_names_known_steps_once_and_every_one_of_them_works(quality: Quality) -> None:
    steps = choose_steps(quality)
    assert set(steps) <= set(STEPS)
    assert len(set(steps)) == len(steps)
    image = np.full((12, 20, 3), 200, np.uint8)
    for name in STEPS:
        assert STEPS[name](image, quality).image.size > 0


@pytest.mark.parametrize(
    ("quality", "steps"),
    [
        (Quality(), ()),
        (Quality(noise=20), ("denoise",)),
        (Quality(unevenness=0.9), ("flatten",)),
        (Quality(contrast=20), ("stretch",)),
        (Quality(blur_px=2.5, text_px=20), ("sharpen",)),
        (Quality(blur_px=2.5, text_px=60), ()),
        (Quality(blur_px=2.5, text_px=20, noise=20), ("denoise",)),
        (Quality(tilt_deg=-3), ("deskew",)),
        (Quality(text_px=7), ("scale",)),
        (Quality(text_px=7, contrast=12), ("stretch",)),
        (Quality(text_px=7, noise=20), ("denoise",)),
        (Quality(contrast=20, unevenness=0.9), ("flatten", "stretch")),
    ],
)
def test_the_choice_answers_what_was_measured(quality: Quality, steps: tuple[str, ...]) -> None:
    assert choose_steps(quality) == steps
