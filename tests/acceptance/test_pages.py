"""Training pages drawn by a real browser and cut by the real detector."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from shizi.bench.peers import ShiziPeer
from shizi.bench.run import BenchPlan, measure_peer
from shizi.core.errors import ConfigError
from shizi.core.options import DetectOptions
from shizi.models.opening import open_detector
from shizi.models.store import LARGE_DETECTOR, ModelStore
from shizi.text.charset import standard_charset

pytest.importorskip("fontTools", reason="the extra train is not installed")
pytest.importorskip("playwright", reason="playwright is not installed")
pytest.importorskip("torch", reason="the extra train is not installed")

from shizi.compress.publish import publish
from shizi.train.browser import Browser
from shizi.train.crops import read_examples
from shizi.train.distill import DetectorRun, train_detector
from shizi.train.maps import make_map_set
from shizi.train.pages import PageSetPlan, make_measuring_set, make_page_set
from shizi.train.recipe import SYSTEM_FONTS
from shizi.train.samples import RealLines
from shizi.train.typefaces import font_settings
from shizi.train.webpage import WebPage

pytestmark = pytest.mark.acceptance

CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian package chromium)")
    with Browser(font_settings(SYSTEM_FONTS, tmp_path / "fontconfig")) as browser:
        yield browser


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_every_character_is_where_it_is_said_to_be(browser: Browser, scale: float) -> None:
    html = '<!DOCTYPE html><body style="margin:30px;font-size:30px">A B&amp;C<p>D 中</p></body>'
    page = browser.draw(WebPage(html, 400, scale))
    assert page.chars == "A B&CD 中"
    assert page.image.shape[1] == 400 * scale
    dark = page.image[:, :, 0] < 128
    ink = np.zeros_like(dark)
    for char, box in zip(page.chars, page.boxes, strict=True):
        left, top, right, bottom = (round(v) for v in box)
        inside = (slice(top, bottom), slice(left, right))
        assert dark[inside].any() or char == " "
        ink[inside] = True
    assert not (dark & ~ink).any()


def test_a_set_of_pages_is_read_by_training(tmp_path: Path) -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian package chromium)")
    detector = open_detector(ModelStore(()), LARGE_DETECTOR, 1)
    plan = PageSetPlan(tmp_path / "set", pages=2)
    count = make_page_set(plan, detector.detect, lambda _: None)
    lines = RealLines(plan.folder, standard_charset([]))
    assert 5 < len(lines) <= count
    assert lines.sample(1).strip.shape[0] == 32


def test_a_set_to_measure_on_is_taken_by_the_bench(tmp_path: Path) -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian package chromium)")
    plan = PageSetPlan(tmp_path / "set", pages=2)
    count = make_measuring_set(plan, lambda _: None)
    measured = measure_peer(BenchPlan(plan.folder, pages=False), "shizi", ShiziPeer(2)).lines[""]
    assert measured.lines == count > 5
    # Boxes that missed their lines would leave nothing to read.
    assert measured.cer < 0.5


def test_a_set_of_maps_is_learned_from(tmp_path: Path) -> None:
    if not CHROMIUM.exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (Debian package chromium)")
    teacher, options = open_detector(ModelStore(()), LARGE_DETECTOR, 1), DetectOptions()
    plan = PageSetPlan(tmp_path / "set", pages=2)
    count = make_map_set(plan, lambda page: teacher.map_of(page, options), lambda _: None)
    assert count == 4
    with pytest.raises(ConfigError, match="another folder"):
        make_map_set(plan, lambda page: teacher.map_of(page, options), lambda _: None)

    examples = read_examples([plan.folder])
    assert len(examples) == count
    assert all(example.page.shape == example.map.shape for example in examples)
    assert max(example.map.max() for example in examples) > 200
    run = DetectorRun(tmp_path / "run", (plan.folder,), crops=4, side=64, batch=2, workers=1)
    assert train_detector(run, lambda _: None).theirs > 0
    publish(tmp_path / "run" / "last.pt", tmp_path / "models" / "mine", "mine", "0.1", {})
    found = open_detector(ModelStore((tmp_path / "models",)), "mine", 1)
    assert found.detect(np.full((60, 80, 3), 255, np.uint8)) is not None
