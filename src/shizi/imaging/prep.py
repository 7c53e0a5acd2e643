"""Make a page easier to read: small pure steps, by name or chosen from what was measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np

from shizi.core.errors import OptionError
from shizi.core.pixels import RgbImage
from shizi.core.types import Frame
from shizi.imaging import tone
from shizi.imaging.quality import Quality, measure

# The bounds of the automatic choice; docs/preparation.md has the figures behind each.
#: Grain, gray levels.
NOISY: Final = 10.0
#: Share of the light the darkest paper lacks; color blocks of clean pages come to 0.83.
SHADOWED: Final = 0.85
#: Contrast of ink, gray levels; pale thermal paper has 64 and reads well.
FAINT: Final = 45.0
#: Spread of edges, pixels and in heights of the text; both must be reached.
BLURRED_PX: Final = 1.2
BLURRED_OF_TEXT: Final = 0.08
#: Below this, turning the page was seen to change nothing, degrees.
TILTED_DEG: Final = 1.5
#: Characters lower than this are enlarged, to the height given next.
LEAST_TEXT_PX: Final = 9.0
GOOD_TEXT_PX: Final = 20.0
MOST_TEXT_PX: Final = 80.0
_SAME_PLACE: Final = Frame()
_MOST_ENLARGING: Final = 3.0
_MOST_SCALED_PIXELS: Final = 8_000_000


@dataclass(frozen=True, slots=True)
class Stepped:
    """What one step gives.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        frame: maps its points to the image that went in.
        angle_deg: tilt that was taken out, degrees clockwise.
    """

    image: RgbImage
    frame: Frame = _SAME_PLACE
    angle_deg: float = 0.0


Step = Callable[[RgbImage, Quality], Stepped]


@dataclass(frozen=True, slots=True)
class Prepared:
    """A page made ready for reading.

    Attributes:
        image: (H, W, 3) uint8 RGB.
        frame: maps its points to the image that was handed in.
        applied: names of the steps taken, in their order.
        angle_deg: tilt that was taken out, degrees clockwise.
    """

    image: RgbImage
    frame: Frame = _SAME_PLACE
    applied: tuple[str, ...] = ()
    angle_deg: float = 0.0


def deskew(image: RgbImage, quality: Quality) -> Stepped:
    """Turn the page so that its lines run level; new corners take the color of the margin.

    The page grows so that nothing is cut off. A page whose tilt is 0 or unknown stays as it is.
    """
    if not quality.tilt_deg:
        return Stepped(image)
    height, width = image.shape[:2]
    angle = math.radians(-quality.tilt_deg)
    cos, sin = math.cos(angle), math.sin(angle)
    new_width = math.ceil(width * abs(cos) + height * abs(sin))
    new_height = math.ceil(width * abs(sin) + height * abs(cos))
    shift_x = (new_width - width * cos + height * sin) / 2
    shift_y = (new_height - width * sin - height * cos) / 2
    turn = Frame((cos, -sin, shift_x, sin, cos, shift_y))
    turned = cv2.warpAffine(
        image,
        _to_pixel_centers(turn),
        (new_width, new_height),
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=_margin_color(image),
    )
    return Stepped(np.asarray(turned, dtype=np.uint8), turn.inverse(), quality.tilt_deg)


def scale(image: RgbImage, quality: Quality) -> Stepped:
    """Bring the height of the text into the range that reads well; unknown heights stay.

    Small text is enlarged to GOOD_TEXT_PX, by at most 3 and to at most 8 million pixels; text
    over MOST_TEXT_PX is reduced to it.
    """
    factor = _scale_factor(image, quality.text_px)
    height, width = image.shape[:2]
    size = max(1, round(width * factor)), max(1, round(height * factor))
    if size == (width, height):
        return Stepped(image)
    method = cv2.INTER_CUBIC if factor > 1 else cv2.INTER_AREA
    scaled = np.asarray(cv2.resize(image, size, interpolation=method), dtype=np.uint8)
    return Stepped(scaled, Frame.scaling(width / size[0], height / size[1]))


def _in_place(change: Callable[[RgbImage, Quality], RgbImage]) -> Step:
    """Make a step of a change of tones."""

    def step(image: RgbImage, quality: Quality) -> Stepped:
        return Stepped(change(image, quality))

    return step


STEPS: Final[Mapping[str, Step]] = MappingProxyType(
    {
        "grayscale": _in_place(tone.grayscale),
        "stretch": _in_place(tone.stretch),
        "clahe": _in_place(tone.clahe),
        "denoise": _in_place(tone.denoise),
        "otsu": _in_place(tone.otsu),
        "adaptive": _in_place(tone.adaptive),
        "flatten": _in_place(tone.flatten),
        "sharpen": _in_place(tone.sharpen),
        "deskew": deskew,
        "scale": scale,
        "invert": _in_place(tone.invert),
    }
)


def choose_steps(quality: Quality) -> tuple[str, ...]:
    """Choose the steps that help a page of this quality, in the order to take them.

    Grain on a faint page passes for tiny letters, so the height of such text is not believed.
    """
    noisy = quality.noise >= NOISY
    faint = quality.contrast < FAINT
    blurred = quality.blur_px >= max(BLURRED_PX, BLURRED_OF_TEXT * quality.text_px)
    wanted = (
        ("denoise", noisy),
        ("flatten", quality.unevenness >= SHADOWED),
        ("stretch", faint),
        ("sharpen", blurred and not noisy),
        ("deskew", abs(quality.tilt_deg) >= TILTED_DEG),
        ("scale", 0 < quality.text_px < LEAST_TEXT_PX and not (noisy or faint)),
    )
    return tuple(name for name, needed in wanted if needed)


def check_steps(steps: tuple[str, ...]) -> None:
    """Refuse a step nobody knows.

    Raises:
        OptionError: names it and the nearest known one.
    """
    for name in steps:
        if name not in STEPS:
            raise OptionError.unknown(name, STEPS, "step")


def prepare(image: RgbImage, steps: tuple[str, ...] | None = None) -> Prepared:
    """Take the steps one after another.

    Args:
        image: (H, W, 3) uint8 RGB; not changed.
        steps: names from STEPS, taken in the order given; None chooses them by the measured
            quality, an empty tuple gives the image back unmeasured.

    Raises:
        OptionError: a step is unknown.
    """
    check_steps(steps or ())
    if steps is not None and not steps:
        return Prepared(image)
    quality = measure(image)
    chosen = choose_steps(quality) if steps is None else steps
    done = Prepared(image)
    for name in chosen:
        stepped = STEPS[name](done.image, quality)
        quality = _quality_after(quality, name, stepped)
        done = Prepared(
            image=stepped.image,
            frame=done.frame.after(stepped.frame),
            applied=(*done.applied, name),
            angle_deg=done.angle_deg + stepped.angle_deg,
        )
    return done


def _quality_after(quality: Quality, name: str, stepped: Stepped) -> Quality:
    """Tell later steps what an earlier one changed, so that none is taken out twice."""
    if name == "invert":
        brightness = 255 - quality.brightness
        return replace(quality, ink_is_light=not quality.ink_is_light, brightness=brightness)
    a, _, _, d, _, _ = stepped.frame.matrix
    zoom = 1 / math.hypot(a, d)
    return replace(
        quality,
        tilt_deg=quality.tilt_deg - stepped.angle_deg,
        text_px=quality.text_px * zoom,
        blur_px=quality.blur_px * zoom,
    )


def _scale_factor(image: RgbImage, text_px: float) -> float:
    """How many times the page should become larger."""
    if text_px <= 0 or LEAST_TEXT_PX <= text_px <= MOST_TEXT_PX:
        return 1.0
    if text_px > MOST_TEXT_PX:
        return MOST_TEXT_PX / text_px
    room = math.sqrt(_MOST_SCALED_PIXELS / (image.shape[0] * image.shape[1]))
    return max(1.0, min(GOOD_TEXT_PX / text_px, _MOST_ENLARGING, room))


def _to_pixel_centers(frame: Frame) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    """Give a map of points as OpenCV wants it: (2, 3), where pixel (0, 0) has its center at 0."""
    a, b, c, d, e, f = frame.matrix
    return np.array([[a, b, c + (a + b - 1) / 2], [d, e, f + (d + e - 1) / 2]], dtype=np.float64)


def _margin_color(image: RgbImage) -> tuple[float, float, float]:
    """Take the median color of the outermost pixels."""
    rim = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    red, green, blue = (float(value) for value in np.median(rim, axis=0))
    return red, green, blue
