from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from shizi.release.document import Document, Phase
from shizi.release.observations import Side
from shizi.release.router import Route, place_of, route, unit_of

CANARY = Document(
    epoch=5, release_id="r1", stable="a@1", canary="a@2", phase=Phase.CANARY, ratio_bp=1_000
)


def test_the_unit_is_the_first_there_is() -> None:
    assert unit_of(explicit="x", api_key="k", session="s", content=b"p") == "route:x"
    assert unit_of(api_key="k", session="s", content=b"p") == "key:k"
    assert unit_of(session="s", content=b"p") == "session:s"
    assert unit_of(content=b"p").startswith("picture:")
    assert unit_of(content=b"p") == unit_of(content=b"p") != unit_of(content=b"q")


def test_places_are_those_written_down_once() -> None:
    """They must be the same on every host and in every version of the program."""
    assert [place_of("r1", f"key:{n}") for n in range(4)] == [3326, 1435, 5433, 5439]


def test_a_share_of_units_goes_to_the_canary() -> None:
    sides = Counter(route(CANARY, f"key:{n}").side for n in range(20_000))

    # 2,000 are expected, with a deviation of 42.
    assert abs(sides[Side.CANARY] - 2_000) < 5 * 42


def test_another_release_asks_others_first() -> None:
    other = replace(CANARY, release_id="r2")
    units = [f"key:{n}" for n in range(2_000)]
    first = {unit for unit in units if route(CANARY, unit).side is Side.CANARY}
    second = {unit for unit in units if route(other, unit).side is Side.CANARY}

    assert len(first & second) < 0.3 * len(first)


@pytest.mark.parametrize("phase", [Phase.LOADING, Phase.VERIFY, Phase.ROLLED_BACK])
def test_nobody_meets_a_canary_that_may_not_answer(phase: Phase) -> None:
    document = replace(CANARY, phase=phase, ratio_bp=0, testers=("key:anna",))

    assert route(document, "key:anna", Side.CANARY) == Route("a@1", Side.STABLE, "r1", 5)


def test_everybody_meets_a_promoted_version() -> None:
    document = replace(CANARY, phase=Phase.PROMOTED, ratio_bp=10_000, excluded=("key:anna",))

    assert route(document, "key:anna", Side.STABLE).version == "a@2"


def test_testers_and_the_excluded_are_not_chosen_by_the_share() -> None:
    document = replace(CANARY, ratio_bp=0, testers=("key:anna",), excluded=("key:bert",))
    whole = replace(document, ratio_bp=10_000)

    assert route(document, "key:anna") == Route("a@2", Side.CANARY, "r1", 5, forced=True)
    assert route(whole, "key:bert").side is Side.STABLE
    assert route(whole, "key:bert", Side.CANARY).side is Side.CANARY
    assert route(document, "key:carl", Side.CANARY).side is Side.CANARY
