from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest

from shizi.core.errors import CorruptImage, IncompatibleModel
from shizi.models.calibration import Calibration, Calibrations, Curve
from shizi.models.lineform import LineForm
from shizi.models.recognizer import BATCH_COLUMNS, Reading, Recognizer
from shizi.models.session import Array, FakeSession
from shizi.text.charset import Charset

CHARSET = Charset(("a", "b", " "))


def by_brightness(feeds: Mapping[str, Array]) -> list[Array]:
    """A network that reads columns: black is a, white is b, dark grey a space, else blank."""
    (strips,) = feeds.values()
    columns = strips[:, 0, :, ::4].mean(axis=1)
    scores = np.zeros((*columns.shape, 4), np.float32)
    scores[..., 0] = 5
    scores[columns < -0.9, 1] = 10
    scores[columns > 0.9, 2] = 10
    scores[(columns > -0.6) & (columns < -0.4), 3] = 10
    return [scores]


def crop_of(values: list[int], step: int = 16) -> np.ndarray:
    row = np.repeat(np.array(values, np.uint8), step)
    return np.tile(row, (32, 1))


def recognizer(**metadata: str) -> Recognizer:
    return Recognizer(FakeSession(by_brightness, metadata=metadata), CHARSET, "fake")


def reading(crop: np.ndarray) -> Reading:
    (answer,) = recognizer().recognize([crop])
    assert isinstance(answer, Reading)
    return answer


def test_symbols_carry_their_place_along_the_crop() -> None:
    answer = reading(crop_of([0, 128, 255, 128]))
    assert answer.text == "ab"
    first, second = answer.symbols
    assert (first.start, first.end) == (0.0, 0.25)
    assert (second.start, second.end) == (0.5, 0.75)
    assert answer.confidence == pytest.approx(first.confidence * second.confidence)
    assert answer.legibility == pytest.approx((first.confidence + second.confidence) / 2)


def test_calibration_tells_what_the_network_says_of_itself() -> None:
    crop = crop_of([0, 128, 255, 128])
    plain = reading(crop)
    doubtful = Calibration(Curve(1.0, -2.0), Curve(1.0, -1.0))
    session = FakeSession(by_brightness)
    (answer,) = Recognizer(session, CHARSET, "x", calibrations=Calibrations(doubtful)).recognize(
        [crop]
    )
    assert isinstance(answer, Reading)
    assert answer.text == plain.text
    assert answer.confidence == pytest.approx(doubtful.line(plain.confidence))
    given = [symbol.confidence for symbol in answer.symbols]
    assert given == pytest.approx([doubtful.symbol(s.confidence) for s in plain.symbols])


def test_padding_is_never_read() -> None:
    # 80 pixels are padded to 128 with mid-grey, which this network calls blank; and a network
    # that reads something into the padding must not be believed.
    def white_padding(feeds: Mapping[str, Array]) -> list[Array]:
        (scores,) = by_brightness(feeds)
        scores[:, 20:, 2] = 10
        return [scores]

    (answer,) = Recognizer(FakeSession(white_padding), CHARSET, "x").recognize(
        [crop_of([0, 128, 0, 128, 0])]
    )
    assert isinstance(answer, Reading)
    assert answer.text == "aaa"


def test_spaces_at_the_ends_go_and_those_inside_stay() -> None:
    assert reading(crop_of([64, 0, 64, 255, 64])).text == "a b"
    assert reading(crop_of([64, 128, 64])) == Reading("", 0.0, ())


def test_answers_keep_the_order_of_the_crops_over_all_buckets() -> None:
    texts = ["a", "ab" * 9, "b", "ba" * 3, "ab" * 12]
    gap = {"a": [0, 128], "b": [255, 128]}
    crops = [crop_of([v for c in text for v in gap[c]]) for text in texts]
    answers = recognizer().recognize(crops)
    assert [a.text for a in answers if isinstance(a, Reading)] == texts


def test_a_bad_crop_spoils_only_itself() -> None:
    crops = [crop_of([0]), np.zeros((0, 5), np.uint8), np.zeros((4, 4), np.float32)]
    first, empty, wrong = recognizer().recognize(crops)
    assert isinstance(first, Reading)
    assert first.text == "a"
    assert isinstance(empty, CorruptImage)
    assert isinstance(wrong, CorruptImage)


def test_a_batch_stays_within_its_columns() -> None:
    session = FakeSession(by_brightness)
    Recognizer(session, CHARSET, "x").recognize([np.zeros((32, 600), np.uint8)] * 20)
    for shapes in session.shapes:
        batch, _, height, width = shapes["x"]
        assert (height, width) == (32, 640)
        assert batch * width <= BATCH_COLUMNS
    assert sum(shapes["x"][0] for shapes in session.shapes) == 20


def test_a_line_wider_than_a_batch_is_still_read() -> None:
    assert reading(np.zeros((32, 3000), np.uint8)).text == "a"


def test_a_foreign_form_takes_color_in_blue_green_red() -> None:
    seen: list[Array] = []

    def keep(feeds: Mapping[str, Array]) -> list[Array]:
        (strips,) = feeds.values()
        seen.append(strips)
        scores = np.full((len(strips), strips.shape[3] // 8, 4), 0.1, np.float32)
        scores[:, 0, 1] = 0.7
        return [scores]

    form = LineForm(height=48, color=True, stride=8, probabilities=True)
    red = np.zeros((48, 64, 3), np.uint8)
    red[:, :, 0] = 255
    (answer,) = Recognizer(FakeSession(keep), CHARSET, "x", form).recognize([red])
    assert isinstance(answer, Reading)
    assert answer.symbols[0].confidence == pytest.approx(0.7)
    assert seen[0].shape == (1, 3, 48, 64)
    assert seen[0][0, :, 0, 0].tolist() == [-1, -1, 1]


def test_a_head_of_another_size_is_refused() -> None:
    wrong = Recognizer(FakeSession(by_brightness), Charset(("a", "b")), "x")
    with pytest.raises(IncompatibleModel, match="4 classes, the charset 3"):
        wrong.recognize([crop_of([0])])


def test_another_charset_than_the_models_is_refused() -> None:
    recognizer(charset_sha256=CHARSET.sha256)
    with pytest.raises(IncompatibleModel, match="charset"):
        recognizer(charset_sha256="0" * 64)


def test_no_crops_give_no_answers() -> None:
    assert recognizer().recognize([]) == []
