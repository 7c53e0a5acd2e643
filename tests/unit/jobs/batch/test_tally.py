"""How fast a batch is, and how that is told."""

from __future__ import annotations

import io

import pytest

from shizi.cli.progress import Progress, describe, duration
from shizi.jobs.batch.tally import Rate, Tally
from tests.unit.jobs.conftest import Clock


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_the_rate_is_that_of_the_last_minute(clock: Clock) -> None:
    rate = Rate(clock)
    assert rate.per_s(0) == 0
    for second in range(1, 121):
        clock.now += 1
        told = rate.per_s(10 * second)
    assert told == pytest.approx(10)

    for _ in range(120):
        clock.now += 1
        told = rate.per_s(1200)
    assert told == 0


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59.4, "59 s"), (200, "3 min 20 s"), (7500, "2 h 5 min"), (273_600, "3 d 4 h")],
)
def test_durations_are_told_as_people_do(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_tally_is_told_in_words() -> None:
    assert describe(Tally(3000, False, 10, 0, 10, 2.5)) == "10 of 3,000 found so far, 2.5 files/s"
    told = describe(Tally(3000, True, 1500, 2, 1500, 2.5, 599.2))
    assert told == "1,502 of 3,000, 2 failed, 2.5 files/s, 9 min 59 s left"
    assert describe(Tally(9, True, 3, 0, 3, 1.0, 6.0, stopping=True)).endswith("stopping")


def test_a_terminal_gets_a_bar_on_one_line(clock: Clock) -> None:
    out = _Terminal()
    progress = Progress(quiet=False, out=out, monotonic=clock)
    progress.show(Tally(4, True, 2, 0, 2, 1.0, 2.0))
    progress.clear()
    progress.clear()

    assert "[############............]  50% 2 of 4, 1.0 files/s, 2 s left" in out.getvalue()
    assert "\n" not in out.getvalue()
    assert out.getvalue().count("\x1b[2K") == 2


def test_elsewhere_a_line_a_minute_is_told(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = Progress(quiet=False, out=io.StringIO(), monotonic=clock)
    for _ in range(600):
        clock.now += 0.2
        progress.show(Tally(4, True, 2, 0, 2, 1.0, 2.0))

    told = capsys.readouterr().err.splitlines()
    assert told == ["shizi: 2 of 4, 1.0 files/s, 2 s left"] * len(told)
    assert 1 <= len(told) <= 2


def test_quiet_is_quiet(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    out = _Terminal()
    progress = Progress(quiet=True, out=out, monotonic=clock)
    clock.now += 100
    progress.show(Tally(4, True, 2, 0, 2, 1.0, 2.0))

    assert out.getvalue() == capsys.readouterr().err == ""
