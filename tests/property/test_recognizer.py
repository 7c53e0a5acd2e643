"""What a line says never depends on what it is read with, on the bundled network."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from shizi.core.pixels import RgbImage
from shizi.models.opening import open_recognizer
from shizi.models.recognizer import Reading
from shizi.models.store import DEFAULT_RECOGNIZER, ModelStore

RECOGNIZER = open_recognizer(ModelStore(), DEFAULT_RECOGNIZER, 2)
ONE_THREAD = open_recognizer(ModelStore(), DEFAULT_RECOGNIZER, 1)
LINES = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=30)


def draw(text: str) -> RgbImage:
    font = ImageFont.load_default(24)
    picture = Image.new("RGB", (round(font.getlength(text)) + 12, 36), "white")
    ImageDraw.Draw(picture).text((6, 4), text, "black", font)
    return np.asarray(picture, np.uint8)


def same(first: object, second: object) -> bool:
    """Tell whether two readings agree to the last bit of every confidence."""
    return isinstance(first, Reading) and first == second


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(LINES, min_size=2, max_size=9), st.randoms(use_true_random=False))
def test_batch_mates_change_no_bit(texts: list[str], random: np.random.Generator) -> None:
    crops = [draw(text) for text in texts]
    alone = [RECOGNIZER.recognize([crop])[0] for crop in crops]
    assert all(map(same, RECOGNIZER.recognize(crops), alone))
    order = list(range(len(crops)))
    random.shuffle(order)
    shuffled = RECOGNIZER.recognize([crops[k] for k in order])
    assert all(same(shuffled[place], alone[k]) for place, k in enumerate(order))


@settings(max_examples=15, deadline=None)
@given(LINES)
def test_the_number_of_threads_changes_no_bit(text: str) -> None:
    crop = draw(text)
    assert same(RECOGNIZER.recognize([crop])[0], ONE_THREAD.recognize([crop])[0])
