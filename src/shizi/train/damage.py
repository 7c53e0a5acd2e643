"""What paper, light, lenses, scanners and codecs do to a line before anybody reads it.

Every step takes and returns a grey picture (H, W) uint8 and draws its strength from the
generator handed in. Steps are cheap on purpose: rendering must outrun training on one core.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.pixels import GrayImage

Step = Callable[[GrayImage, np.random.Generator], GrayImage]


def blur(image: GrayImage, rng: np.random.Generator) -> GrayImage:
    """Defocus, or drag along one direction."""
    if rng.random() < 0.75:
        sigma = max(0.35, rng.uniform(0.012, 0.06) * image.shape[0])
        return np.asarray(cv2.GaussianBlur(image, (0, 0), sigma), np.uint8)
    length = int(rng.integers(2, max(4, image.shape[0] // 7)))
    kernel = np.zeros((length, length), np.float32)
    if rng.random() < 0.6:
        kernel[length // 2, :] = 1 / length
    else:
        kernel[:, length // 2] = 1 / length
    return np.asarray(cv2.filter2D(image, -1, kernel), np.uint8)


def low_resolution(image: GrayImage, rng: np.random.Generator) -> GrayImage:
    """Pass through a coarser grid, as small text on a far photo or a fax does."""
    rows, columns = image.shape
    target = rng.uniform(11, 24)
    factor = min(1.0, target / rows)
    size = (max(4, round(columns * factor)), max(4, round(rows * factor)))
    down = cv2.INTER_AREA if rng.random() < 0.7 else cv2.INTER_LINEAR
    up = cv2.INTER_LINEAR if rng.random() < 0.5 else cv2.INTER_CUBIC
    small = cv2.resize(image, size, interpolation=down)
    return np.asarray(cv2.resize(small, (columns, rows), interpolation=up), np.uint8)


def noise(image: GrayImage, rng: np.random.Generator) -> GrayImage:
    """Add grain: fine for a sensor, coarse for paper."""
    rows, columns = image.shape
    sigma = rng.uniform(2, 16)
    grain = rng.standard_normal((rows, columns), dtype=np.float32) * np.float32(sigma)
    if rng.random() < 0.35:
        grain = np.asarray(cv2.GaussianBlur(grain, (0, 0), 1.0) * 2, np.float32)
    return np.asarray(np.clip(image + grain, 0, 255), np.uint8)


def jpeg(image: GrayImage, rng: np.random.Generator) -> GrayImage:
    """Go through a JPEG file of quality 15 to 80."""
    quality = int(rng.integers(15, 80))
    _, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_GRAYSCALE), np.uint8)


def shade(image: GrayImage, rng: np.random.Generator) -> GrayImage:
    """Let light fall off across the line, smoothly or with a shadow's edge."""
    columns = image.shape[1]
    position = np.linspace(0, 1, columns, dtype=np.float32)
    if rng.random() < 0.6:
        factor = 1 - rng.uniform(0, 0.5) * np.abs(position - rng.random())
    else:
        edge = 1 / (1 + np.exp(-(position - rng.random()) * rng.uniform(5, 60)))
        factor = 1 - rng.uniform(0.1, 0.5) * edge
    return np.asarray(np.clip(image * factor[None, :], 0, 255), np.uint8)


def fade(image: GrayImage, rng: np.random.Generator) -> GrayImage:
    """Lose ink in bands or patches, as thermal paper and worn ribbons do."""
    rows, columns = image.shape
    field: NDArray[np.generic]
    if rng.random() < 0.4:
        field = rng.random((rows, 1), dtype=np.float32)
        field = np.repeat(cv2.GaussianBlur(field, (0, 0), 1.0), columns, axis=1)
    else:
        coarse = rng.random((max(2, rows // 6), max(2, columns // 6)), dtype=np.float32)
        field = cv2.resize(coarse, (columns, rows), interpolation=cv2.INTER_LINEAR)
    loss = np.clip(np.asarray(field, np.float32) * rng.uniform(0.3, 1.1), 0, 0.85)
    paper = float(np.percentile(image[::2, ::4], 90))
    return np.asarray(image + (paper - image) * loss, np.uint8)


def speckle(image: GrayImage, rng: np.random.Generator) -> GrayImage:
    """Scatter dust and pinholes."""
    out = image.copy()
    rows, columns = image.shape
    for _ in range(int(rng.integers(1, 2 + rows * columns // 600))):
        center = (int(rng.integers(columns)), int(rng.integers(rows)))
        cv2.circle(out, center, int(rng.integers(0, 2)), int(rng.integers(0, 256)), -1)
    return out


def rulings(image: GrayImage, rng: np.random.Generator) -> GrayImage:
    """Draw a form's lines under, over, through or beside the text."""
    out = image.copy()
    rows, columns = image.shape
    value = int(rng.integers(0, 140))
    thick = int(rng.integers(1, 3))
    kind = rng.random()
    if kind < 0.45:
        y = int(rng.choice([rng.integers(0, 4), rows - 1 - rng.integers(0, 5)]))
        cv2.line(out, (0, y), (columns, y + int(rng.integers(-2, 3))), value, thick)
    elif kind < 0.85:
        x = int(rng.choice([rng.integers(0, 4), columns - 1 - rng.integers(0, 4)]))
        cv2.line(out, (x, 0), (x, rows), value, thick)
    else:
        y = int(rng.integers(rows // 4, rows))
        cv2.line(out, (0, y), (columns, y), int(rng.integers(90, 190)), 1)
    return out


def stamp(image: GrayImage, rng: np.random.Generator) -> GrayImage:
    """Press part of a round or square seal over the text, half transparent."""
    rows, columns = image.shape
    layer = np.zeros_like(image)
    center = (int(rng.integers(columns)), int(rng.integers(-rows, 2 * rows)))
    radius = int(rng.integers(rows // 2 + 1, 3 * rows))
    if rng.random() < 0.7:
        cv2.circle(layer, center, radius, 255, int(rng.integers(1, 5)))
    else:
        corner = (center[0] + radius, center[1] + radius)
        cv2.rectangle(layer, center, corner, 255, int(rng.integers(1, 4)))
    strength = rng.uniform(0.15, 0.55)
    return np.asarray(image * (1 - strength * (layer / np.float32(255))), np.uint8)


def threshold(image: GrayImage, rng: np.random.Generator) -> GrayImage:
    """Reduce to black and white, as fax machines and office scanners do."""
    level, _ = cv2.threshold(image, 0, 255, cv2.THRESH_OTSU)
    offset = rng.uniform(-20, 25)
    return np.where(image > level + offset, 255, 0).astype(np.uint8)


def tilt(image: GrayImage, rng: np.random.Generator) -> GrayImage:
    """Turn and skew a little, as a box that does not fit its text exactly leaves it."""
    rows, columns = image.shape
    slope = rng.normal(0, 0.35) * 0.12 * rows
    lean = rng.normal(0, 0.06) * rows
    squeeze = rng.normal(0, 0.03) * rows
    source = np.array([[0, 0], [columns, 0], [columns, rows], [0, rows]], np.float32)
    moved = source + np.array(
        [[lean, squeeze], [lean, slope - squeeze], [-lean, slope], [-lean, 0]], np.float32
    )
    matrix = cv2.getPerspectiveTransform(source, moved)
    return np.asarray(
        cv2.warpPerspective(image, matrix, (columns, rows), borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


def wave(image: GrayImage, rng: np.random.Generator) -> GrayImage:
    """Bend the line as curled paper or a moving hand does."""
    rows, columns = image.shape
    x = np.arange(columns, dtype=np.float32)
    phase, period = rng.uniform(0, 6.28), rng.uniform(3, 12) * rows
    shift = rng.uniform(0.02, 0.09) * rows * np.sin(x / period * 6.28 + phase).astype(np.float32)
    map_x = np.tile(x, (rows, 1))
    map_y = np.arange(rows, dtype=np.float32)[:, None] + shift[None, :]
    return np.asarray(
        cv2.remap(image, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE),
        np.uint8,
    )


# In the order they happen to a real page: the print, the paper, the camera, the file.
PAPER: tuple[tuple[Step, float], ...] = ((rulings, 0.10), (stamp, 0.05), (fade, 0.12))
CAMERA: tuple[tuple[Step, float], ...] = (
    (tilt, 0.30),
    (wave, 0.08),
    (shade, 0.18),
    (blur, 0.35),
    (low_resolution, 0.25),
    (noise, 0.35),
    (speckle, 0.05),
    (threshold, 0.05),
    (jpeg, 0.35),
)


def apply(
    image: GrayImage,
    steps: tuple[tuple[Step, float], ...],
    rng: np.random.Generator,
    strength: float,
) -> GrayImage:
    """Apply each step with its probability times `strength` (0 leaves the picture clean)."""
    for step, probability in steps:
        if rng.random() < probability * strength:
            image = step(image, rng)
    return image
