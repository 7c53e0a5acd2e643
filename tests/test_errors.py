"""The error tree is whole, is documented, and survives a trip between processes."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from shizi.core import errors
from shizi.core.errors import (
    Busy,
    JobNotFound,
    LedgerFailed,
    MissingExtra,
    OptionError,
    RateLimited,
    ShiziError,
    TooLarge,
    Unavailable,
)
from shizi.engine.messages import bytes_to_error, error_to_bytes

DOCUMENT = Path(__file__).resolve().parents[1] / "docs" / "errors.md"


def _tree(root: type[ShiziError]) -> list[type[ShiziError]]:
    ours = [kind for kind in root.__subclasses__() if kind.__module__.startswith("shizi.")]
    return [root, *(kind for child in ours for kind in _tree(child))]


KINDS = _tree(ShiziError)


def _rows() -> dict[str, list[str]]:
    """Give the cells of each error's row by the name of its class."""
    found = re.findall(r"^\| `(\w+)` \| (.+) \|$", DOCUMENT.read_text(encoding="utf-8"), re.M)
    return {name: rest.split(" | ") for name, rest in found}


def test_the_table_names_every_error_with_its_values() -> None:
    told = {name: [*cells[:3], cells[4]] for name, cells in _rows().items()}

    assert told == {
        kind.__name__: [f"`{kind.code}`", str(kind.http_status), str(kind.exit_status), kind.advice]
        for kind in KINDS
    }


def test_codes_are_unique_and_stable_names() -> None:
    codes = [kind.code for kind in KINDS]

    assert len(set(codes)) == len(codes)
    assert all(re.fullmatch(r"[a-z_]+", code) for code in codes)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_says_what_to_do(kind: type[ShiziError]) -> None:
    assert kind.advice.endswith(".")
    assert 400 <= kind.http_status < 600
    assert 0 < kind.exit_status < 128
    assert kind.__doc__


def _through_pickle(error: ShiziError) -> ShiziError:
    copy: ShiziError = pickle.loads(pickle.dumps(error))
    return copy


def _through_a_message(error: ShiziError) -> ShiziError:
    return bytes_to_error(error_to_bytes(error))


def test_the_drawing_in_the_module_is_the_tree() -> None:
    drawn = re.findall(r"(\w+) +([a-z_]+) +(\d{3}) +(\d+)\b", errors.__doc__ or "")

    assert sorted(drawn) == sorted(
        (kind.__name__, kind.code, str(kind.http_status), str(kind.exit_status))
        for kind in KINDS
        if kind.__module__.startswith(errors.__name__) and kind is not ShiziError
    )


@pytest.mark.parametrize("trip", [_through_pickle, _through_a_message], ids=["pickle", "message"])
@pytest.mark.parametrize(
    "error",
    [
        TooLarge("max_pages", 1, 2),
        Busy(2.5),
        Unavailable(2.5),
        LedgerFailed("the disk is full", 2.5),
        JobNotFound("ab12"),
        RateLimited(2.5),
        MissingExtra("train"),
        OptionError("x"),
    ],
    ids=lambda error: error.code,
)
def test_an_error_survives_the_trip_between_processes(
    error: ShiziError, trip: Callable[[ShiziError], ShiziError]
) -> None:
    copy = trip(error)

    assert type(copy) is type(error)
    assert str(copy) == copy.detail == error.detail
    assert vars(copy) == vars(error)


def test_the_exit_statuses_of_the_help_are_those_of_the_document() -> None:
    from shizi.cli import main  # noqa: PLC0415 - the command line is of no use to the others

    listed = re.findall(r"^\| (\d+) \|", DOCUMENT.read_text(encoding="utf-8"), re.M)

    assert re.findall(r"(\d+) \w", main.__doc__ or "") == listed
    assert {str(kind.exit_status) for kind in KINDS} <= set(listed)
