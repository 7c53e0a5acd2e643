"""Who reads a request, what is counted, and that a failing canary is nobody's problem."""

from __future__ import annotations

import pytest

from shizi.core.errors import (
    Busy,
    Canceled,
    CorruptImage,
    DeadlineExceeded,
    ModelError,
    OptionError,
    ShiziError,
    Unavailable,
)
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.release.document import Phase
from shizi.release.observations import Side
from shizi.release.pinned import PinnedReader
from tests.unit.release.live import CANARY, STABLE, Live, fails, reads

OPTIONS = ReadOptions(timeout_s=10.0)
OURS = [ModelError("x"), ShiziError("a bug"), Unavailable(1.0)]


def pin(live: Live, unit: str = "u", wish: Side | None = None) -> PinnedReader:
    return PinnedReader(live.member, live.member.route(unit, wish))


def text_of(pages: list[PageResult]) -> str:
    return "".join(page.text for page in pages)


def test_without_a_release_the_default_reads_and_nothing_is_counted() -> None:
    live = Live()
    reader = pin(live)
    (page,) = reader.read(b"x", OPTIONS)

    assert (page.text, page.version, page.epoch) == ("stable", "1", 0)
    assert reader.version == STABLE
    assert live.told == []
    assert live.engines.calls == [("", Side.STABLE, OPTIONS)]


def test_an_answer_names_the_version_and_the_epoch() -> None:
    live = Live()
    live.set(Phase.CANARY, 10_000)
    reader = pin(live)
    (page,) = reader.read(b"x", OPTIONS)

    assert (page.text, page.version, page.epoch) == ("canary", "2", 1)
    assert reader.version == CANARY
    assert live.outcomes() == [(CANARY, "canary", "ok")]
    assert live.told[0].seconds == 0.25
    assert live.told[0].lines == 1


@pytest.mark.parametrize("error", OURS, ids=lambda e: type(e).__name__)
def test_what_the_canary_fails_at_the_stable_version_reads(error: ShiziError) -> None:
    live = Live()
    live.set(Phase.CANARY, 10_000)
    live.engines.answers[CANARY] = fails(error)
    reader = pin(live)

    assert text_of(reader.read(b"x", OPTIONS)) == "stable"
    assert reader.version == STABLE
    assert live.outcomes() == [(CANARY, "canary", "failure")]


def test_a_canary_that_is_slow_leaves_time_for_the_stable_version() -> None:
    live = Live()
    live.set(Phase.CANARY, 10_000)
    live.engines.answers[CANARY] = fails(DeadlineExceeded("slow"))

    assert text_of(pin(live).read(b"x", OPTIONS)) == "stable"
    (_, _, hurried), (_, _, rest) = live.engines.calls
    assert hurried.timeout_s == pytest.approx(6.0)
    assert rest.timeout_s is not None
    assert 6.0 < rest.timeout_s <= 10.0  # no time has passed
    assert live.outcomes() == [(CANARY, "canary", "timeout")]


@pytest.mark.parametrize("error", [CorruptImage("x"), OptionError("x")], ids=["picture", "option"])
def test_what_is_wrong_with_a_request_is_told_at_once_and_counts_for_nothing(
    error: ShiziError,
) -> None:
    live = Live()
    live.set(Phase.CANARY, 10_000)
    live.engines.answers[CANARY] = fails(error)
    with pytest.raises(type(error)):
        pin(live).read(b"x", OPTIONS)

    assert len(live.engines.calls) == 1
    assert live.outcomes() == [(CANARY, "canary", "rejected")]


def test_what_both_fail_at_is_not_the_canarys_fault() -> None:
    live = Live()
    live.set(Phase.CANARY, 10_000)
    live.engines.answers |= {CANARY: fails(ModelError("x")), STABLE: fails(ModelError("y"))}
    with pytest.raises(ModelError, match="y"):
        pin(live).read(b"x", OPTIONS)

    assert live.outcomes() == [(CANARY, "canary", "rejected")]


@pytest.mark.parametrize("error", [Busy(2.0), Canceled("ending")], ids=["busy", "ending"])
def test_a_canary_with_too_much_to_do_is_not_to_blame(error: ShiziError) -> None:
    live = Live()
    live.set(Phase.CANARY, 10_000)
    live.engines.answers[CANARY] = fails(error)

    assert text_of(pin(live).read(b"x", OPTIONS)) == "stable"
    assert live.outcomes() == []


def test_the_stable_versions_failures_are_counted_beside() -> None:
    live = Live()
    live.set(Phase.CANARY, 0)
    live.engines.answers[STABLE] = fails(ModelError("x"))
    with pytest.raises(ModelError):
        pin(live).read(b"x", OPTIONS)
    live.engines.answers[STABLE] = reads("stable")
    pin(live).read(b"x", OPTIONS)

    assert live.outcomes() == [(STABLE, "stable", "failure"), (STABLE, "stable", "ok")]


def test_failures_in_a_row_send_everybody_to_the_stable_version() -> None:
    live = Live()
    live.set(Phase.SOAK, 10_000)
    live.engines.answers[CANARY] = fails(ModelError("x"))
    kept = pin(live)
    for _ in range(8):
        pin(live).read(b"x", OPTIONS)
    live.engines.calls.clear()

    assert live.member.tripped
    assert pin(live).route.side is Side.STABLE
    # Whoever was routed before is not sent there either, and it is charged no further.
    assert text_of(kept.read(b"x", OPTIONS)) == "stable"
    assert [version for version, _, _ in live.engines.calls] == [""]
    assert len(live.told) == 8


def test_a_tripped_member_uses_the_next_release_again() -> None:
    live = Live()
    live.set(Phase.SOAK, 10_000)
    live.engines.answers[CANARY] = fails(ModelError("x"))
    for _ in range(8):
        pin(live).read(b"x", OPTIONS)
    live.set(Phase.ROLLED_BACK)
    live.set(Phase.CANARY, 10_000, "r2")

    assert pin(live).route.side is Side.CANARY


def test_whoever_was_routed_before_a_promotion_is_answered_after_it() -> None:
    live = Live()
    live.set(Phase.SOAK, 10_000)
    to_canary, to_stable = pin(live), pin(live, wish=Side.STABLE)
    live.set(Phase.PROMOTED, 10_000)
    live.engines.default = CANARY
    del live.engines.answers[STABLE]

    assert text_of(to_stable.read(b"x", OPTIONS)) == "canary"
    assert text_of(to_canary.read(b"x", OPTIONS)) == "canary"
    assert text_of(pin(live).read(b"x", OPTIONS)) == "canary"
    assert live.told == []


def test_an_answer_that_was_in_work_at_a_promotion_names_who_read_it() -> None:
    live = Live()
    live.set(Phase.SOAK, 10_000)
    before = live.engines.answers[STABLE]

    def promoted_meanwhile(source: bytes, options: ReadOptions) -> list[PageResult]:
        live.set(Phase.PROMOTED, 10_000)
        return before(source, options)

    live.engines.answers[STABLE] = promoted_meanwhile
    reader = pin(live, wish=Side.STABLE)
    (page,) = reader.read(b"x", OPTIONS)

    assert (page.text, page.version) == ("stable", "1")
    assert reader.version == STABLE


def test_whoever_was_routed_before_a_rollback_is_answered_after_it() -> None:
    live = Live()
    live.set(Phase.CANARY, 10_000)
    routed = pin(live)
    live.set(Phase.ROLLED_BACK)
    del live.engines.answers[CANARY]

    assert text_of(routed.read(b"x", OPTIONS)) == "stable"
    assert routed.version == STABLE


def test_requests_in_work_are_counted_whatever_becomes_of_them() -> None:
    live = Live()
    seen: list[int] = []

    def look(_: bytes, __: ReadOptions) -> list[PageResult]:
        seen.append(live.member.in_work)
        raise CorruptImage("x")

    live.engines.answers[STABLE] = look
    with pytest.raises(CorruptImage):
        pin(live).read(b"x", OPTIONS)

    assert (seen, live.member.in_work) == ([1], 0)
