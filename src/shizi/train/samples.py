"""One training line from a number: the same seed always gives the same picture and text."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import cv2
import numpy as np

from shizi.core.pixels import GrayImage
from shizi.imaging.lines import line_to_gray
from shizi.imaging.trim import text_rows
from shizi.text.charset import Charset, fold
from shizi.train import damage
from shizi.train.corpus import TextSource
from shizi.train.fonts import FontFace
from shizi.train.render import SCREEN_SIZES, SIZES, Ink, draw_line


@dataclass(frozen=True, slots=True)
class Sample:
    """A strip as the network sees it, and what it says.

    Attributes:
        strip: (32, W) uint8.
        text: folded, covered by the charset, never empty.
    """

    strip: GrayImage
    text: str


# How often a style is drawn: most of what offices print is sans and serif.
_STYLE_SHARES = {
    "sans": 0.36,
    "serif": 0.33,
    "mono": 0.09,
    "dot": 0.08,
    "hand": 0.09,
    "display": 0.05,
}
# Text as a window shows it: small, on the pixel grid, seldom damaged.
_SCREEN_SHARE = 0.15
_SCREEN_STRENGTH = 0.3
_FACE_TRIES = 24


class LineRenderer:
    """Renders damaged lines from texts and fonts; needs no file while it runs.

    Attributes:
        fonts: those to draw from.
        texts: where the words come from.
        strength: 0 draws clean lines, 1 the full share of damage.
        max_han: longest Chinese text.
    """

    def __init__(
        self, fonts: Sequence[FontFace], texts: TextSource, strength: float = 1.0, max_han: int = 36
    ) -> None:
        self.texts = texts
        self.strength = strength
        self.max_han = max_han
        self._groups = {
            chinese: _by_style([f for f in fonts if f.chinese or not chinese])
            for chinese in (True, False)
        }

    def render(self, seed: int) -> Sample:
        """Render the line of a seed; tries further texts until a font covers one."""
        rng, grain = Random(seed), np.random.default_rng(seed)
        while True:
            text = self.texts.draw(rng, self.max_han)
            face = self._face(text, rng)
            screen = rng.random() < _SCREEN_SHARE
            size = rng.choice(SCREEN_SIZES if screen else SIZES)
            ink = draw_line(face, text, size, rng, screen=screen) if face else None
            if ink is not None:
                strength = self.strength * (_SCREEN_STRENGTH if screen else 1)
                return Sample(_picture(ink, strength, rng, grain), text)

    def _face(self, text: str, rng: Random) -> FontFace | None:
        chinese = any(c >= "\u3400" for c in text)
        # A quarter of Latin text is set in the Latin letters of a Chinese font, as forms do.
        groups = self._groups[chinese or rng.random() < 0.25]
        styles = list(groups)
        if not styles:
            return None
        for _ in range(_FACE_TRIES):
            style = rng.choices(styles, weights=[_STYLE_SHARES[s] for s in styles])[0]
            face = rng.choice(groups[style])
            if face.covers(text):
                return face
        return None


def _picture(ink: Ink, strength: float, rng: Random, grain: np.random.Generator) -> GrayImage:
    """Print the ink, damage the print, and cut the line out."""
    paper, pen = _tones(rng)
    mask = ink.mask.astype(np.float32) / 255
    if strength and rng.random() < 0.10:
        mask = _with_neighbor(mask, ink, rng)
    image = (paper + (pen - paper) * mask).astype(np.uint8)
    image = damage.apply(image, damage.PAPER, grain, strength)
    crop = damage.apply(_crop(image, ink, rng), damage.CAMERA, grain, strength)
    return line_to_gray(_as_served(crop, rng))


def _as_served(crop: GrayImage, rng: Random) -> GrayImage:
    """Cut empty rows off half of the crops, as serving does with every line it found itself."""
    if rng.random() < 0.5:
        return crop
    top, bottom = text_rows(crop)
    return np.ascontiguousarray(crop[top:bottom])


def _by_style(fonts: list[FontFace]) -> dict[str, list[FontFace]]:
    groups: dict[str, list[FontFace]] = {}
    for face in fonts:
        groups.setdefault(face.style, []).append(face)
    return groups


def _tones(rng: Random) -> tuple[float, float]:
    """Draw paper and pen greys: mostly dark on light, sometimes pale, sometimes reversed."""
    kind = rng.random()
    if kind < 0.62:
        return rng.uniform(200, 255), rng.uniform(0, 90)
    if kind < 0.86:
        paper = rng.uniform(110, 250)
        return paper, paper - rng.uniform(35, min(140, paper))
    pen = rng.uniform(150, 255)
    return pen - rng.uniform(50, 150), pen


def _with_neighbor(mask: np.ndarray, ink: Ink, rng: Random) -> np.ndarray:
    """Let the edge of another line reach in from above or below, as tight spacing does."""
    height = ink.bottom - ink.top
    reach = height + round(height * rng.uniform(-0.05, 0.25))
    shifted = np.roll(mask, rng.randint(0, mask.shape[1]), axis=1)
    moved = np.zeros_like(mask)
    if rng.random() < 0.5:
        moved[: max(0, mask.shape[0] - reach)] = shifted[reach:]
    else:
        moved[reach:] = shifted[: max(0, mask.shape[0] - reach)]
    # The neighbour may touch the box's edge, not the line itself.
    band = slice(ink.top + height // 8, ink.bottom - height // 8)
    moved[band] = 0
    return np.asarray(np.maximum(mask, moved), np.float32)


def _crop(image: GrayImage, ink: Ink, rng: Random) -> GrayImage:
    """Cut the line out as a detector would, tight or loose."""
    height = ink.bottom - ink.top
    loose = rng.random() < 0.25
    above, below = (rng.uniform(-0.05, 0.45 if loose else 0.14) * height for _ in range(2))
    # A box that ends within the last sign, often a hyphen, still means the sign.
    least = -0.12 if rng.random() < 0.08 else -0.03
    before, after = (rng.uniform(least, 0.9 if loose else 0.3) * height for _ in range(2))
    top, bottom = round(ink.top - above), round(ink.bottom + below)
    left, right = round(ink.left - before), round(ink.right + after)
    rows, columns = image.shape
    top, left = max(0, top), max(0, left)
    bottom, right = min(rows, max(bottom, top + 6)), min(columns, max(right, left + 4))
    return np.ascontiguousarray(image[top:bottom, left:right])


class RealLines:
    """Labelled pictures of lines: `lines.zip` and `labels.tsv` (file, tab, text) in a folder."""

    def __init__(self, folder: Path, charset: Charset) -> None:
        rows = (
            line.split("\t", 1)
            for line in (folder / "labels.tsv").read_text(encoding="utf-8").splitlines()
            if "\t" in line
        )
        labels = ((name, fold(text)) for name, text in rows)
        self._labels = [(n, t) for n, t in labels if t and charset.covers(t)]
        self._archive = zipfile.ZipFile(folder / "lines.zip")

    def __len__(self) -> int:
        """Count the lines the charset covers."""
        return len(self._labels)

    def sample(self, seed: int, strength: float = 0.5) -> Sample:
        """Take a line by seed, damaged a little further and cropped anew."""
        rng, grain = Random(seed), np.random.default_rng(seed)
        name, text = rng.choice(self._labels)
        data = np.frombuffer(self._archive.read(name), np.uint8)
        image = np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)
        image = damage.apply(_jitter(image, rng), damage.CAMERA, grain, strength)
        return Sample(line_to_gray(_as_served(image, rng)), text)


def _jitter(image: GrayImage, rng: Random) -> GrayImage:
    """Shift the edges of a ready crop by a few percent of its height, and stretch it."""
    if rng.random() < 0.5:
        return image
    rows = image.shape[0]
    pads = [round(rng.uniform(-0.04, 0.12) * rows) for _ in range(4)]
    above, below, before, after = (max(0, p) for p in pads)
    grown = cv2.copyMakeBorder(image, above, below, before, after, cv2.BORDER_REPLICATE)
    top, bottom, left, right = (max(0, -p) for p in pads)
    cut = grown[top : grown.shape[0] - bottom, left : grown.shape[1] - right]
    width = max(8, round(cut.shape[1] * rng.uniform(0.85, 1.15)))
    return np.asarray(cv2.resize(cut, (width, cut.shape[0])), np.uint8)


def join(first: Sample, second: Sample, rng: Random) -> Sample:
    """Set two strips side by side as one line (PP-OCRv3's TextConAug), a space between."""
    gap = np.full((first.strip.shape[0], rng.randint(8, 28)), 0, np.uint8)
    left, right = first.strip[:, -1:], second.strip[:, :1]
    ramp = np.linspace(0, 1, gap.shape[1], dtype=np.float32)[None, :]
    gap = (left * (1 - ramp) + right * ramp).astype(np.uint8)
    return Sample(np.hstack([first.strip, gap, second.strip]), f"{first.text} {second.text}")
