"""Typed choices become options, or a sentence that says what is wrong."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shizi.core.choices import (
    parse_flag,
    parse_lane,
    parse_names,
    parse_pages,
    parse_seconds,
    parse_size,
    parse_steps,
    parse_whole,
)
from shizi.core.errors import OptionError
from shizi.core.options import Lane


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        ("1", [(1, 1)]),
        ("1,3-5", [(1, 1), (3, 5)]),
        ("3-5, 1", [(1, 1), (3, 5)]),
        ("1,2,3", [(1, 3)]),
        ("2-4,3-9", [(2, 9)]),
        ("4-", [(4, None)]),
        ("4-,6,9-", [(4, None)]),
        ("1-2,2-", [(1, None)]),
    ],
)
def test_pages(text: str, pairs: list[tuple[int, int | None]]) -> None:
    assert parse_pages(text) == pairs


@pytest.mark.parametrize("text", ["", "a", "0", "5-3", "-1", "1,,2", "1-2-3", "1.5"])
def test_wrong_pages(text: str) -> None:
    with pytest.raises(OptionError):
        parse_pages(text)


@given(st.lists(st.tuples(st.integers(1, 60), st.integers(0, 10)), min_size=1, max_size=8))
def test_pages_cover_exactly_what_was_named(ranges: list[tuple[int, int]]) -> None:
    text = ",".join(f"{first}-{first + more}" for first, more in ranges)
    named = {page for first, more in ranges for page in range(first, first + more + 1)}

    pairs = parse_pages(text)

    covered = [page for first, last in pairs for page in range(first, (last or 0) + 1)]
    assert covered == sorted(named)


def test_steps() -> None:
    assert parse_steps("auto") is None
    assert parse_steps("none") == ()
    assert parse_steps("gray, clahe") == ("gray", "clahe")


def test_names_keep_their_order_and_empty_ones_are_left_out() -> None:
    assert parse_names(" b,, a ,") == ("b", "a")
    assert parse_names("") == ()


def test_whole_numbers_have_bounds() -> None:
    assert parse_whole("dpi", "300", 36, 1200) == 300
    with pytest.raises(OptionError, match="dpi is 20; it must be from 36"):
        parse_whole("dpi", "20", 36, 1200)
    with pytest.raises(OptionError, match="not a whole number"):
        parse_whole("dpi", "x", 36, 1200)


def test_flags() -> None:
    assert parse_flag("chars", "True")
    assert not parse_flag("chars", "0")
    with pytest.raises(OptionError, match="say true or false"):
        parse_flag("chars", "maybe")


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("5000", 5000),
        ("300MiB", 300 << 20),
        (" 1.5 GB ", 1_500_000_000),
        ("64k", 64_000),
        ("2gib", 2 << 30),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-5", "3 TB", "1,5GB", "0x10"])
def test_wrong_sizes(text: str) -> None:
    with pytest.raises(OptionError, match="is no size; write it as 300MiB"):
        parse_size(text)


def test_seconds_and_lanes() -> None:
    assert parse_seconds("timeout", "2.5", 0.1, 10) == 2.5
    assert parse_lane(" Bulk ") is Lane.BULK
    for text in ("", "x", "nan", "inf", "0.09", "10.1"):
        with pytest.raises(OptionError, match=r"timeout is .*from 0\.1 to 10 seconds"):
            parse_seconds("timeout", text, 0.1, 10)
    with pytest.raises(OptionError, match="one of interactive, bulk"):
        parse_lane("high")
