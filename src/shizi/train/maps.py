"""A set of pages with the maps that a large detector makes of them, for a small one to learn from.

Knowledge distillation (Hinton, Vinyals and Dean, arXiv 1503.02531) of a detector: the small network
learns the large one's probabilities, not boxes. So it splits and joins lines where the large one
does, which is what `models/boxes.py` is made for, and pictures that nobody labelled will do.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from random import Random

import cv2
import numpy as np

from shizi.core.errors import FileAccessError
from shizi.core.pixels import GrayImage, RgbImage
from shizi.imaging.textsize import measure_text_height
from shizi.models.boxes import FloatMap
from shizi.models.detector import choose_scale, resize_page
from shizi.train import damage
from shizi.train.browser import DrawnPage
from shizi.train.harvest import expose
from shizi.train.pages import PageSetPlan, check_plan, draw_pages
from shizi.train.scenery import add_pictures, lay_on_table

#: Gives the map of a page, (H, W) float32 in [0, 1], for (H, W, 3) uint8 RGB.
MapOf = Callable[[RgbImage], FloatMap]
PAGE, MAP = ".page.png", ".map.png"
# Each drawn page is shown so often, each time in other ways; drawing takes as long as looking.
_SHOWN = 2
# Serving estimates the height of text, and is wrong now and then.
_SCALES = (0.75, 1.35)
_MOST_PIXELS = 1_300_000
_MOST_ENLARGED = 2.0
_VERTICAL = 0.12
_PICTURES, _TABLES, _WORN = 0.3, 0.25, 0.5
_WEAR: tuple[tuple[damage.Step, float], ...] = (
    (damage.fade, 0.25),
    (damage.threshold, 0.06),
    (damage.speckle, 0.15),
    (damage.rulings, 0.08),
    (damage.stamp, 0.08),
    (damage.low_resolution, 0.1),
    (damage.blur, 0.1),
)


def make_map_set(plan: PageSetPlan, map_of: MapOf, report: Callable[[str], None]) -> int:
    """Draw pages and write each, grey and at the scale of serving, beside its map.

    Args:
        plan: what to make.
        map_of: the large detector, without a change of scale.
        report: told how far it is.

    Returns:
        How many pages were written.

    Raises:
        ConfigError: the folder holds a set already, or there is nothing to draw.
        MissingExtra: Playwright is not installed.
    """
    check_plan(plan, plan.folder / f"00000-0{PAGE}")
    count = 0
    for number, (page, rng) in enumerate(draw_pages(plan, report, spread=True, vertical=_VERTICAL)):
        for again in range(_SHOWN):
            shown = _reduced(_show(page, rng), rng)
            name = f"{number:05d}-{again}"
            _write(plan.folder / f"{name}{MAP}", np.rint(map_of(shown) * 255).astype(np.uint8))
            # Last: a page without its map is no part of the set.
            _write(plan.folder / f"{name}{PAGE}", cv2.cvtColor(shown, cv2.COLOR_RGB2GRAY))
            count += 1
    return count


def _show(page: DrawnPage, rng: Random) -> RgbImage:
    """Give a page as a camera or a scanner finds it: among other things, and worn."""
    image = expose(page, rng)[0]
    chance = np.random.default_rng(rng.getrandbits(32))
    if chance.random() < _PICTURES:
        image = add_pictures(image, chance)
    if chance.random() < _TABLES:
        image = lay_on_table(image, chance)
    if chance.random() < _WORN:
        gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
        gray = damage.apply(gray, _WEAR, chance, 1.0)
        image = np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), np.uint8)
    return image


def _reduced(image: RgbImage, rng: Random) -> RgbImage:
    """Bring a page about to the scale that serving looks at it with."""
    rows, columns = image.shape[:2]
    scale = choose_scale(columns, rows, measure_text_height(image))
    scale *= math.exp(rng.uniform(*map(math.log, _SCALES)))
    most = math.sqrt(_MOST_PIXELS / (rows * columns))
    return resize_page(image, min(scale, most, _MOST_ENLARGED))


def _write(path: Path, image: GrayImage | np.ndarray) -> None:
    if not cv2.imwrite(str(path), image):
        raise FileAccessError(f"{path} cannot be written; is the disk full?")
