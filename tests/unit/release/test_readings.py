from __future__ import annotations

import random

import pytest

from shizi.core.types import PageResult, Quad, TextLine
from shizi.release.agreement import agreement, edit_distance
from shizi.release.observations import Kind
from shizi.release.readings import kind_of, looks_garbled, measure_pages


def _line(text: str, top: float = 0, height: float = 20, slope: float = 0) -> TextLine:
    quad = Quad(((0, top), (400, top + slope), (400, top + height + slope), (0, top + height)))
    return TextLine(text, 0.9, quad)


def _page(*lines: TextLine, steps: tuple[str, ...] = ()) -> PageResult:
    return PageResult(1, 800, 1_000, lines, steps=steps)


def _slow_distance(a: str, b: str) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        last, row[0] = row[0], i
        for j, y in enumerate(b, 1):
            last, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, last + (x != y))
    return row[-1]


def test_the_edit_distance_is_that_of_the_table() -> None:
    chance = random.Random(3)
    for _ in range(300):
        a, b = ("".join(chance.choices("ab识c", k=chance.randrange(80))) for _ in range(2))
        assert edit_distance(a, b) == _slow_distance(a, b)


def test_agreement_leaves_spaces_out() -> None:
    assert agreement([_page(_line("发票 号码"))], [_page(_line("发票号码"))]) == 1.0
    assert agreement([_page(_line("ab"), _line("cd"))], [_page(_line("abce"))]) == 0.75
    assert agreement([], []) == 1.0
    assert agreement([], [_page(_line("x"))]) == 0.0


@pytest.mark.parametrize(
    "text",
    [
        "",
        "OK",
        "中华人民共和国增值税专用发票",
        "中華民國統一發票收執聯",
        "2024年11月26日 10:30 ￥1,234.50",
        "Total: $12.00 — thank you!",
        "iPhone 15 Pro Max 黑色 256GB",
        "------------------------",
        "................",
        "http://例子.cn/a?b=1",
    ],
)
def test_language_is_not_garbled(text: str) -> None:
    assert not looks_garbled(text)


@pytest.mark.parametrize(
    "text", ["龘靐齉齾爩麤灪籲" * 2, "的的的的的的的的的的的的", "a中b国c人d民e共f", "∮∯∰≣⊞⊟⋈⌘⍋"]
)
def test_what_broken_models_write_is_garbled(text: str) -> None:
    assert looks_garbled(text)


def test_a_line_without_a_character_is_none() -> None:
    numbers = measure_pages([_page(_line("发票"), _line(" "), _line(""))])

    assert (numbers.lines, numbers.confidence) == (1, pytest.approx(0.9))


def test_kinds_are_told_by_light_and_lines() -> None:
    level = [_line("x", top=n * 40) for n in range(10)]
    fanned = [_line("x", top=n * 40, slope=n * 3) for n in range(10)]
    uneven = [_line("x", top=n * 40, slope=n * 3, height=10 + n * 5) for n in range(10)]

    assert kind_of([]) is Kind.CLEAN
    assert kind_of([_page(*level)]) is Kind.CLEAN
    assert kind_of([_page(*level, steps=("denoise",))]) is Kind.SCAN
    assert kind_of([_page(*level, steps=("flatten",))]) is Kind.PHOTO
    assert kind_of([_page(*fanned)]) is Kind.PHOTO
    assert kind_of([_page(*uneven)]) is Kind.HANDWRITING
    assert kind_of([_page(_line("出口", height=150))]) is Kind.SIGN
