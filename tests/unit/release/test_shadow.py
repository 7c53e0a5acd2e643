"""Shadow readings: counted in numbers, never in the way, forgotten at once."""

from __future__ import annotations

from random import Random

import pytest

from shizi.core.errors import ModelError
from shizi.core.options import Lane, ReadOptions
from shizi.core.types import PageResult
from shizi.release.document import Document, Phase
from shizi.release.observations import Side
from shizi.release.pinned import PinnedReader
from shizi.release.shadow import Keep, Shadow, ShadowOptions
from tests.unit.release.live import CANARY, STABLE, Live, fails, reads

OPTIONS = ReadOptions(timeout_s=10.0)


def shadow_of(live: Live, keep: Keep | None = None, **bounds: float) -> Shadow:
    return Shadow(live.member, ShadowOptions(**bounds), Random(1), keep)  # type: ignore[arg-type]


def ask(live: Live, shadow: Shadow, source: bytes = b"x") -> None:
    PinnedReader(live.member, live.member.route("u"), shadow).read(source, OPTIONS)


def test_what_the_stable_version_read_the_canary_reads_too() -> None:
    live = Live()
    live.set(Phase.SHADOW)
    live.engines.answers |= {STABLE: reads("一二三四五"), CANARY: reads("一二三四六")}
    shadow = shadow_of(live)
    ask(live, shadow)

    assert shadow.step()
    assert live.outcomes() == [
        (STABLE, "stable", "ok"),
        (CANARY, "shadow", "ok"),
        (STABLE, "twin", "ok"),
    ]
    assert [o.agreement for o in live.told] == [None, pytest.approx(0.8), None]
    version, side, options = live.engines.calls[-1]
    assert (version, side, options.lane) == (CANARY, Side.SHADOW, Lane.BULK)
    assert not shadow.step()


def test_a_share_is_drawn() -> None:
    live = Live()
    document = live.set(Phase.SHADOW)
    shadow = shadow_of(live, pictures=1_000)
    few = Document(
        **{
            **{name: getattr(document, name) for name in document.__slots__},
            "plan": document.plan.__class__(shadow_bp=1_000),
        }
    )
    for _ in range(500):
        shadow.offer(few, live.member.route("u"), b"x", OPTIONS, [])

    assert 25 <= sum(iter(shadow.step, False)) <= 80


@pytest.mark.parametrize("phase", [Phase.LOADING, Phase.VERIFY, Phase.SOAK])
def test_other_phases_have_none(phase: Phase) -> None:
    live = Live()
    live.set(phase)
    shadow = shadow_of(live)
    ask(live, shadow)

    assert not shadow.step()


def test_requests_go_first() -> None:
    live = Live()
    live.set(Phase.SHADOW)
    shadow = shadow_of(live, busy=1, patience_s=30.0)
    ask(live, shadow)
    with live.member.working():
        assert not shadow.step()
        live.clock.now_s += 31.0
        assert not shadow.step()

    assert not shadow.step()
    assert shadow.dropped == 1
    assert live.outcomes() == [(STABLE, "stable", "ok")]


def test_pictures_that_wait_are_bounded_in_number_and_bytes() -> None:
    live = Live()
    live.set(Phase.SHADOW)
    shadow = shadow_of(live, pictures=2)
    for _ in range(5):
        ask(live, shadow)
    assert shadow.dropped == 3
    small = shadow_of(live, held_bytes=10)
    for _ in range(3):
        ask(live, small, b"123456")
    assert small.dropped == 2
    assert small.step()
    ask(live, small, b"123456")
    assert small.dropped == 2


def test_a_canary_that_fails_in_the_shadow_is_charged_and_nobody_notices() -> None:
    live = Live()
    live.set(Phase.SHADOW)
    live.engines.answers[CANARY] = fails(ModelError("x"))
    shadow = shadow_of(live)
    ask(live, shadow)
    shadow.step()

    assert live.outcomes()[-1] == (CANARY, "shadow", "failure")


def test_what_is_left_of_a_release_that_ended_is_not_read() -> None:
    live = Live()
    live.set(Phase.SHADOW)
    shadow = shadow_of(live)
    ask(live, shadow)
    live.set(Phase.ROLLED_BACK)
    shadow.step()

    assert live.outcomes() == [(STABLE, "stable", "ok")]


def test_pictures_are_kept_only_where_somebody_asks_for_them() -> None:
    live = Live()
    live.set(Phase.SHADOW)
    kept: list[tuple[bytes, str, str]] = []

    def keep(_: Document, source: bytes, one: list[PageResult], two: list[PageResult]) -> None:
        kept.append((source, one[0].text, two[0].text))

    shadow = shadow_of(live, keep)  # type: ignore[arg-type]
    ask(live, shadow, b"picture")
    shadow.step()

    assert kept == [(b"picture", "stable", "canary")]
