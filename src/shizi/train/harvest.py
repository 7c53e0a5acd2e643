"""Cuts labelled lines out of drawn pages where the detector sees them, as serving does."""

from __future__ import annotations

import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.pixels import GrayImage, RgbImage
from shizi.core.types import Quad
from shizi.imaging.lines import crop_line
from shizi.train import damage
from shizi.train.browser import DrawnPage

Detect = Callable[[RgbImage], list[Quad]]
# A sign of which between these parts is inside a box is neither in the line nor out of it.
_UNSURE = (0.2, 0.5)
# Lines are kept at this height at most: the network sees 32 rows.
KEPT_HEIGHT = 40
_FORMS = ("screen", "print", "photo")


@dataclass(frozen=True, slots=True)
class LabelledLine:
    """A cut-out line and its text.

    Attributes:
        image: (H, W) uint8, H up to `KEPT_HEIGHT`.
        text: with the spaces the page has.
    """

    image: GrayImage
    text: str


def harvest(page: DrawnPage, detect: Detect, rng: Random) -> Iterator[LabelledLine]:
    """Print, scan or photograph a page, find its lines, and label those that are sure.

    Args:
        page: as a browser drew it.
        detect: finds lines on a page.
        rng: decides what happens to the page.
    """
    image, boxes = expose(page, rng)
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    for quad in detect(image):
        text = label(page.chars, page.owners, boxes, quad)
        if text:
            yield LabelledLine(_reduced(crop_line(gray, quad)), text)


def true_lines(
    chars: str, owners: NDArray[np.int64], boxes: NDArray[np.float64]
) -> Iterator[tuple[str, Quad]]:
    """Give a page's lines as its own text has them, for measuring.

    Args:
        chars: see `DrawnPage`.
        owners: likewise.
        boxes: of the characters, where the page's exposure left them.

    Yields:
        A text without spaces at its ends, and the quad from its first to its last character.
    """
    rows: list[list[int]] = []
    for place, (owner, box) in enumerate(zip(owners, boxes, strict=True)):
        last = rows[-1][-1] if rows else None
        if last is None or owner != owners[last] or _apart(boxes[last], box):
            rows.append([])
        rows[-1].append(place)
    for row in rows:
        inked = [place for place in row if not chars[place].isspace()]
        if inked:
            first, last = boxes[inked[0]], boxes[inked[-1]]
            text = " ".join("".join(chars[k] for k in range(inked[0], inked[-1] + 1)).split())
            left, right = (float(first[0]), float(last[2]))
            yield (
                text,
                Quad(
                    (
                        (left, float(first[1])),
                        (right, float(last[1])),
                        (right, float(last[3])),
                        (left, float(first[3])),
                    )
                ),
            )


def _apart(before: NDArray[np.float64], box: NDArray[np.float64]) -> bool:
    """Tell whether a character begins a new row: further left, or well above or below."""
    height = max(1e-6, float(before[3] - before[1]))
    return bool(box[0] < before[0] or abs(box[1] - before[1]) > 0.5 * height)


def expose(page: DrawnPage, rng: Random) -> tuple[RgbImage, NDArray[np.float64]]:
    """Give the page as a screen, a scanner or a camera shows it, and where its characters went.

    Returns:
        (H, W, 3) uint8 RGB, and (N, 4) boxes.
    """
    form = rng.choice(_FORMS)
    if form == "screen":
        return page.image, page.boxes
    grain = np.random.default_rng(rng.getrandbits(32))
    rows, columns = page.image.shape[:2]
    matrix = _warp(rows, columns, form, rng)
    size = (columns, rows)
    image = cv2.warpPerspective(
        page.image, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )
    steps: tuple[tuple[damage.Step, float], ...] = ((damage.noise, 0.6), (damage.jpeg, 0.7))
    if form == "photo":
        steps = ((damage.shade, 0.7), *steps)
    gray = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    if rng.random() < 0.5:
        gray = np.asarray(cv2.GaussianBlur(gray, (0, 0), rng.uniform(0.4, 1.0)), np.uint8)
    gray = damage.apply(gray, steps, grain, 1.0)
    return np.asarray(cv2.cvtColor(gray, cv2.COLOR_GRAY2RGB), np.uint8), _moved(page.boxes, matrix)


def _warp(rows: int, columns: int, form: str, rng: Random) -> NDArray[np.float64]:
    """Turn by up to a degree and a half; of a photo, move the corners as well."""
    angle = rng.gauss(0, 0.5)
    turn = np.vstack([cv2.getRotationMatrix2D((columns / 2, rows / 2), angle, 1.0), [0, 0, 1]])
    if form == "print":
        return np.asarray(turn, np.float64)
    corners = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    reach = 0.03 * min(rows, columns)
    drift = np.array([[rng.uniform(-reach, reach) for _ in range(2)] for _ in range(4)])
    tilt = cv2.getPerspectiveTransform(corners, (corners + drift).astype(np.float32))
    return np.asarray(tilt @ turn, np.float64)


def _moved(boxes: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Carry boxes along: their corners' hull, which for so small a turn stays close."""
    if len(boxes) == 0:
        return boxes
    corners = boxes[:, [0, 1, 2, 1, 2, 3, 0, 3]].reshape(-1, 1, 2)
    moved = cv2.perspectiveTransform(corners, matrix).reshape(-1, 4, 2)
    return np.concatenate([moved.min(1), moved.max(1)], axis=1)


def label(
    chars: str, owners: NDArray[np.int64], boxes: NDArray[np.float64], quad: Quad
) -> str | None:
    """Read what stands in a quad off the page's own text; None where that is not sure.

    A line is sure where every sign that the quad touches lies well in it or hardly at all, and
    all that lie in it stand in one row.
    """
    if len(chars) == 0 or (quad.height > 1.2 * quad.width and len(chars) > 1):
        return None
    inside = _inside(boxes, quad)
    taken = np.flatnonzero(inside > _UNSURE[1])
    signs = np.array([not char.isspace() for char in chars])
    cut = (inside > _UNSURE[0]) & (inside <= _UNSURE[1]) & signs
    if cut.any() or not signs[taken].any():
        return None
    upright = boxes[taken]
    heights = upright[:, 3] - upright[:, 1]
    along = quad.to_array()[1] - quad.to_array()[0]
    slope = along[1] / max(1e-6, along[0])
    middles = upright[:, 1] + heights / 2 - slope * upright[:, 0]
    if np.ptp(middles[signs[taken]]) > 0.5 * float(np.median(heights)):
        return None
    order = taken[np.argsort(upright[:, 0], kind="stable")]
    return _joined(chars, owners, boxes, order)


def _inside(boxes: NDArray[np.float64], quad: Quad) -> NDArray[np.float64]:
    """Give the part of each box within a quad, 0 to 1, along and across taken together."""
    corners = quad.to_array().astype(np.float64)
    origin, right, down = corners[0], corners[1] - corners[0], corners[3] - corners[0]
    frame = np.linalg.inv(np.stack([right, down], axis=1) + 1e-9 * np.eye(2))
    middle = np.stack([boxes[:, [0, 2]].mean(1), boxes[:, [1, 3]].mean(1)], axis=1)
    place = (middle - origin) @ frame.T
    span = np.stack(
        [
            (boxes[:, 2] - boxes[:, 0]) / np.linalg.norm(right),
            # The box of a character is a whole line high; its ink is about the middle half.
            0.5 * (boxes[:, 3] - boxes[:, 1]) / np.linalg.norm(down),
        ],
        axis=1,
    )
    low, high = place - span / 2, place + span / 2
    shared = np.clip(np.minimum(high, 1) - np.maximum(low, 0), 0, None) / np.maximum(span, 1e-9)
    return np.asarray(shared.prod(1), np.float64)


def _joined(
    chars: str, owners: NDArray[np.int64], boxes: NDArray[np.float64], order: NDArray[np.int64]
) -> str:
    """Set characters in a row, with a space where two elements stand apart."""
    text = ""
    for before, here in zip([None, *order[:-1]], order, strict=True):
        if before is not None and owners[before] != owners[here]:
            gap = boxes[here, 0] - boxes[before, 2]
            text += " " if gap > 0.25 * (boxes[here, 3] - boxes[here, 1]) else ""
        text += chars[here]
    return " ".join(text.split())


def _reduced(crop: GrayImage | RgbImage) -> GrayImage:
    rows, columns = crop.shape[:2]
    if rows <= KEPT_HEIGHT:
        return np.asarray(crop, np.uint8)
    size = (max(1, round(columns * KEPT_HEIGHT / rows)), KEPT_HEIGHT)
    return np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)


def write_set(lines: Iterable[LabelledLine], folder: Path) -> int:
    """Write `lines.zip` and `labels.tsv`, the form `RealLines` reads; gives how many lines."""
    folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with (
        zipfile.ZipFile(folder / "lines.zip", "w") as archive,
        (folder / "labels.tsv").open("w", encoding="utf-8") as labels,
    ):
        for line in lines:
            name = f"{count:07d}.jpg"
            _, data = cv2.imencode(".jpg", line.image, [cv2.IMWRITE_JPEG_QUALITY, 92])
            archive.writestr(name, data.tobytes())
            labels.write(f"{name}\t{line.text}\n")
            count += 1
    return count
