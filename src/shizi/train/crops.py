"""Crops of pages and of their maps, varied; the same for the same seed and number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.utils.data import Dataset

from shizi.core.errors import ConfigError
from shizi.core.pixels import GrayImage
from shizi.train.maps import MAP, PAGE

# A crop with less text than this (mean of its map, of 255) is looked for again, mostly.
_LEAST_TEXT = 4
_EMPTY_SHARE = 0.35
_TRIES = 3
_MARGINS = (127, 127, 255, 0)


@dataclass(frozen=True, slots=True)
class Example:
    """A page and its map.

    Attributes:
        page: (H, W) uint8.
        map: (H, W) uint8, 255 for certainty.
    """

    page: GrayImage
    map: GrayImage


def read_examples(folders: Sequence[Path]) -> list[Example]:
    """Read the sets of `train/maps.py`, two bytes a pixel.

    Raises:
        ConfigError: a folder holds none, or one that is damaged.
    """
    found = []
    for folder in folders:
        pages = sorted(folder.glob(f"*{PAGE}"))
        if not pages:
            raise ConfigError(f"{folder} holds no pages with maps; `shizi train maps` makes them")
        for path in pages:
            page = cv2.imread(str(path), cv2.IMREAD_GRAYSCALE)
            marks = cv2.imread(str(path).removesuffix(PAGE) + MAP, cv2.IMREAD_GRAYSCALE)
            if page is None or marks is None or page.shape != marks.shape:
                raise ConfigError(f"{path} or its map is damaged; make the set again")
            found.append(Example(np.asarray(page, np.uint8), np.asarray(marks, np.uint8)))
    return found


class Crops(Dataset[tuple[Tensor, Tensor]]):
    """Crop k of a run: a pure function of the pages, the seed and k.

    Args:
        examples: to cut from.
        side: of a crop, pixels.
        count: of crops.
        seed: of the run.
    """

    def __init__(self, examples: Sequence[Example], side: int, count: int, seed: int) -> None:
        self._examples, self._side, self._count, self._seed = examples, side, count, seed

    def __len__(self) -> int:
        """Give how many there are."""
        return self._count

    def __getitem__(self, number: int) -> tuple[Tensor, Tensor]:
        """Give (1, side, side) float32 in [-1, 1] and the map in [0, 1]."""
        rng = np.random.default_rng((self._seed, number))
        page, marks = _cut(self._examples, self._side, rng)
        if rng.random() < 0.12:
            turns = int(rng.integers(1, 4))
            page, marks = np.rot90(page, turns), np.rot90(marks, turns)
        strip = np.ascontiguousarray(_vary(np.asarray(page, np.float32), rng))
        wanted = np.asarray(marks, np.float32) / 255
        return torch.from_numpy(strip)[None] / 127.5 - 1, torch.from_numpy(wanted)[None]


def _cut(
    examples: Sequence[Example], side: int, rng: np.random.Generator
) -> tuple[GrayImage, GrayImage]:
    """Cut a square of some page, at about its scale, now and then a little turned."""
    for attempt in range(_TRIES):
        example = examples[int(rng.integers(len(examples)))]
        scale = float(np.exp(rng.uniform(np.log(0.8), np.log(1.2))))
        lean = float(rng.normal(0, 2)) if rng.random() < 0.5 else 0.0
        matrix = _window(example.page.shape, side, scale, lean, rng)
        marks = cv2.warpAffine(example.map, matrix, (side, side), flags=cv2.INTER_LINEAR)
        last = attempt == _TRIES - 1
        if last or marks.mean() > _LEAST_TEXT or rng.random() < _EMPTY_SHARE:
            break
    page = cv2.warpAffine(
        example.page,
        matrix,
        (side, side),
        flags=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=float(rng.choice(_MARGINS)),
    )
    return np.asarray(page, np.uint8), np.asarray(marks, np.uint8)


def _window(
    shape: tuple[int, ...], side: int, scale: float, lean: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Give the transform whose window lies on the page as far as the page is large enough."""
    center = []
    for length in (shape[1], shape[0]):
        half = min(side / 2 / scale, length / 2) if length > side else 0.0
        center.append(float(rng.uniform(half, length - half)))
    matrix = cv2.getRotationMatrix2D((center[0], center[1]), lean, scale)
    matrix[:, 2] += np.array([side / 2 - center[0], side / 2 - center[1]])
    return np.asarray(matrix, np.float64)


def _vary(gray: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Change tones, sharpness and grain; gives values in [0, 255]."""
    page: NDArray[np.floating[Any]] = gray
    if rng.random() < 0.12:
        page = 255 - page
    if rng.random() < 0.6:
        page = (page - 127) * rng.uniform(0.5, 1.15) + 127 + rng.uniform(-35, 35)
    if rng.random() < 0.3:
        page = 255 * np.clip(page / 255, 0, 1) ** np.exp(rng.uniform(-0.5, 0.5))
    if rng.random() < 0.2:
        blurred = cv2.GaussianBlur(np.ascontiguousarray(page), (0, 0), rng.uniform(0.4, 1.2))
        page = np.asarray(blurred, np.float32)
    if rng.random() < 0.3:
        page = page + rng.normal(0, rng.uniform(1, 12), page.shape)
    # As 8-bit pictures come.
    return np.asarray(np.floor(np.clip(page, 0, 255)), np.float32)
