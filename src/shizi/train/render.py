"""Draws a line of text as clean ink, the way presses, printers and hands do."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

import cv2
import numpy as np
from PIL import Image, ImageDraw

from shizi.core.pixels import GrayImage
from shizi.train.fonts import FontFace, open_font

SIZES = (16, 20, 24, 28, 32, 40, 48)
# Of text on screens, in pixels; up to 16, Chinese serif fonts hold hand-drawn bitmaps.
SCREEN_SIZES = (11, 12, 12, 13, 14, 14, 15, 16, 18)
# Letters that typesetters join, longest first.
_LIGATURES = (("ffi", "ﬃ"), ("ffl", "ﬄ"), ("ff", "ﬀ"), ("fi", "ﬁ"), ("fl", "ﬂ"))


@dataclass(frozen=True, slots=True)
class Ink:
    """A drawn line.

    Attributes:
        mask: (H, W) uint8 coverage, 0 paper and 255 ink, with `margin` empty pixels around.
        top: row where the line's box begins, whatever characters it holds.
        bottom: row where it ends.
        left: first column of the text.
        right: column after the last.
    """

    mask: GrayImage
    top: int
    bottom: int
    left: int
    right: int


def draw_line(
    face: FontFace, text: str, size_px: int, rng: Random, *, screen: bool = False
) -> Ink | None:
    """Draw a text in one face, with the habits of its style.

    Args:
        face: covers the text.
        text: one line.
        size_px: em size.
        rng: decides spacing, weight, slant, stretch and jitter.
        screen: whether the glyphs stay on the pixel grid as a program's window shows them,
            sometimes without grey levels.

    Returns:
        The ink, or None where the face draws nothing for the text.
    """
    margin = size_px
    loose = rng.random() < 0.12
    by_char = loose or face.style == "hand"
    spacing = size_px * rng.uniform(0.0, 0.45) if loose else 0.0
    jitter = size_px * 0.05 if face.style == "hand" else 0.0
    if face.style in {"serif", "sans"} and not by_char and rng.random() < 0.4:
        text = _ligated(face, text)
    placed, width = _place(face, text, size_px, spacing, by_char)
    canvas = Image.new("L", (round(width) + 2 * margin, size_px * 2 + margin), 0)
    draw = ImageDraw.Draw(canvas)
    draw.fontmode = "1" if screen and rng.random() < 0.3 else "L"
    baseline = margin + round(size_px * 0.6)
    for run, file, index, x in placed:
        dy = rng.gauss(0, jitter) if jitter else 0.0
        font = open_font(file, index, size_px)
        draw.text((margin + x, baseline + dy), run, fill=255, font=font, anchor="ls")
    mask = np.asarray(canvas)
    box = canvas.getbbox()
    if box is None:
        return None
    left, ink_top, right, ink_bottom = box
    top, bottom = _line_box(face, size_px, baseline, ink_top, ink_bottom, rng)
    if screen:
        return Ink(_bold(mask) if rng.random() < 0.12 else mask, top, bottom, left, right)
    mask = _shape(mask, face.style, size_px, rng)
    return _stretch(Ink(mask, top, bottom, left, right), rng)


def _ligated(face: FontFace, text: str) -> str:
    """Join letters where the face has the joined form."""
    for letters, joined in _LIGATURES:
        if ord(joined) in face.coverage:
            text = text.replace(letters, joined)
    return text


def _bold(mask: GrayImage) -> GrayImage:
    """Draw twice, a pixel apart, as systems do for a bold face they lack."""
    shifted = np.roll(mask, 1, axis=1)
    return np.maximum(mask, shifted)


def _place(
    face: FontFace, text: str, size_px: int, spacing: float, by_char: bool
) -> tuple[list[tuple[str, str, int, float]], float]:
    """Lay runs side by side: (run, file, index, x of its origin), and the whole advance."""
    placed, x = [], 0.0
    for run, file, index in face.runs(text):
        font = open_font(file, index, size_px)
        for piece in run if by_char else (run,):
            placed.append((piece, file, index, x))
            x += font.getlength(piece) + spacing
    return placed, x


def _line_box(
    face: FontFace, size_px: int, baseline: int, ink_top: int, ink_bottom: int, rng: Random
) -> tuple[int, int]:
    """Give the rows a detector would call the line's: ink, mostly joined with full letters."""
    if rng.random() < 0.12:
        return ink_top, ink_bottom
    sample = "国" if ord("国") in face.coverage and rng.random() < 0.7 else "Ag"
    run, file, index = next(face.runs(sample))
    box = open_font(file, index, size_px).getbbox(run, anchor="ls")
    return min(ink_top, baseline + round(box[1])), max(ink_bottom, baseline + round(box[3]))


def _shape(mask: GrayImage, style: str, size_px: int, rng: Random) -> GrayImage:
    """Fatten, thin, slant or dot the strokes."""
    kind = rng.random()
    if kind < 0.10:
        mask = np.asarray(cv2.dilate(mask, np.ones((2, 2), np.uint8)), np.uint8)
    elif kind < 0.18:
        # Light faces are few among free fonts: thin the strokes, small ones only in part.
        weight = rng.uniform(0.3, 1.0 if size_px >= 28 else 0.6)
        thin = cv2.erode(mask, np.ones((2, 2), np.uint8))
        mask = np.asarray(cv2.addWeighted(thin, weight, mask, 1 - weight, 0), np.uint8)
    elif kind < 0.24:
        shear = rng.uniform(-0.28, 0.28)
        matrix = np.array([[1, shear, -shear * mask.shape[0] / 2], [0, 1, 0]], np.float32)
        mask = np.asarray(cv2.warpAffine(mask, matrix, mask.shape[::-1]), np.uint8)
    if rng.random() < (0.35 if style == "dot" else 0.04):
        mask = _dots(mask, size_px, rng)
    return mask


def _dots(mask: GrayImage, size_px: int, rng: Random) -> GrayImage:
    """Print with the pins of a dot-matrix head: sample the strokes on a grid of round dots."""
    pitch = max(2, round(size_px / rng.uniform(11, 22)))
    rows, columns = mask.shape
    small = cv2.resize(
        mask, (max(1, columns // pitch), max(1, rows // pitch)), interpolation=cv2.INTER_AREA
    )
    grid = cv2.resize(small, (columns, rows), interpolation=cv2.INTER_NEAREST)
    dot = np.zeros((pitch, pitch), np.uint8)
    cv2.circle(dot, (pitch // 2, pitch // 2), max(1, int(pitch * 0.55)), 255, -1)
    tiled = np.tile(dot, (rows // pitch + 1, columns // pitch + 1))[:rows, :columns]
    strong = np.where(grid > rng.uniform(60, 130), 255, 0).astype(np.uint8)
    return np.asarray(cv2.min(strong, tiled), np.uint8)


def _stretch(ink: Ink, rng: Random) -> Ink:
    """Condense or widen the letters, as fonts and printers do."""
    if rng.random() > 0.3:
        return ink
    factor = rng.uniform(0.7, 1.35)
    rows, columns = ink.mask.shape
    size = (max(8, round(columns * factor)), rows)
    mask = np.asarray(cv2.resize(ink.mask, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    return Ink(mask, ink.top, ink.bottom, round(ink.left * factor), round(ink.right * factor))
