"""The table of verbs, and what every end of a command is turned into."""

from __future__ import annotations

import argparse
import logging
from collections.abc import Callable

import pytest

from shizi.cli import main as command_line
from shizi.cli.main import VERBS, Verb, build_parser, main
from shizi.core.errors import GateFailed, MissingExtra

Captured = pytest.CaptureFixture[str]


def test_every_verb_is_told_and_takes_the_common_flags() -> None:
    assert len({verb.name for verb in VERBS}) == len(VERBS)
    for verb in VERBS:
        parser = argparse.ArgumentParser()
        verb.add_arguments(parser)
        assert verb.help
    args = build_parser().parse_args(["config", "show", "--config", "x.yaml", "-q"])
    assert (str(args.config), args.quiet) == ("x.yaml", True)


def test_no_flag_shows_the_inner_name_of_its_setting() -> None:
    for verb in VERBS:
        parser = argparse.ArgumentParser()
        verb.add_arguments(parser)
        assert not [line for line in parser.format_help().splitlines() if "ER." in line]


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException | int], int]:
    """Run the program with one verb that ends so."""

    def run(end: BaseException | int) -> int:
        def act(_: argparse.Namespace) -> int:
            if isinstance(end, BaseException):
                raise end
            return end

        monkeypatch.setattr(command_line, "VERBS", (Verb("act", "act", lambda _: None, act),))
        return main(["act"])

    return run


@pytest.mark.parametrize(
    ("end", "status"),
    [
        (0, 0),
        (10, 10),
        (GateFailed("cer is 0.2, the bound 0.1"), 11),
        (MissingExtra("train"), 3),
        (KeyboardInterrupt(), 130),
        (SystemExit(4), 4),
        (SystemExit(), 0),
    ],
)
def test_every_end_has_its_status(
    ending: Callable[[BaseException | int], int], end: BaseException | int, status: int
) -> None:
    assert ending(end) == status


def test_a_missing_extra_names_its_command(
    ending: Callable[[BaseException | int], int], capsys: Captured
) -> None:
    ending(MissingExtra("bench"))

    assert "pip install 'shizi[bench]'" in capsys.readouterr().err


def test_a_bug_of_ours_is_told_without_its_trace(
    ending: Callable[[BaseException | int], int], capsys: Captured
) -> None:
    assert ending(ZeroDivisionError("inner workings")) == 15

    told = capsys.readouterr().err
    assert "error: an unexpected ZeroDivisionError; --verbose shows its trace" in told
    assert "inner" not in told


def test_the_trace_of_a_bug_is_shown_to_who_asks(
    ending: Callable[[BaseException | int], int], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        ending(ZeroDivisionError("inner workings"))

    assert "ZeroDivisionError: inner workings" in caplog.text
