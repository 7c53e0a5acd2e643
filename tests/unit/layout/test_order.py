from __future__ import annotations

import math

from shizi.core.types import Direction, Quad, TextLine
from shizi.layout.geometry import turned
from shizi.layout.order import order_lines, rows_of


def line(text: str, left: float, top: float, width: float, height: float = 20) -> TextLine:
    return TextLine(text, 1.0, Quad.from_rect(left, top, left + width, top + height))


def tall(text: str, left: float, top: float, height: float, width: float = 20) -> TextLine:
    quad = Quad.from_rect(left, top, left + width, top + height)
    return TextLine(text, 1.0, quad, Direction.VERTICAL)


def texts(lines: list[TextLine]) -> str:
    return " ".join(line.text for line in lines)


def test_nothing_stays_nothing() -> None:
    assert order_lines([]) == []
    assert rows_of([]) == []


def test_a_receipt_is_read_row_by_row() -> None:
    lines = [
        line("total", 0, 90, 60),
        line("9.80", 300, 92, 50),
        line("tea", 0, 30, 40),
        line("3.20", 300, 31, 50),
        line("cake", 0, 60, 40),
        line("6.60", 300, 59, 50),
    ]
    assert texts(order_lines(lines)) == "tea 3.20 cake 6.60 total 9.80"


def test_columns_of_running_text_are_read_one_after_the_other() -> None:
    left = [line(f"l{k}", 0, 60 + 30 * k, 280) for k in range(4)]
    right = [line(f"r{k}", 320, 60 + 30 * k, 280) for k in range(4)]
    head, foot = line("head", 100, 0, 400, 40), line("foot", 200, 220, 200)
    assert texts(order_lines([*right, foot, *left, head])) == "head l0 l1 l2 l3 r0 r1 r2 r3 foot"


def test_three_columns_come_from_the_left() -> None:
    lines = [
        line(f"{name}{k}", 300 * column, 30 * k, 260)
        for column, name in enumerate("abc")
        for k in range(3)
    ]
    assert texts(order_lines(lines[::-1])) == "a0 a1 a2 b0 b1 b2 c0 c1 c2"


def test_a_side_bar_that_stands_on_its_own_lines_is_a_column() -> None:
    body = [line(f"b{k}", 200, 30 * k, 400 if k % 3 else 180) for k in range(6)]
    bar = [line(f"s{k}", 0, 15 + 60 * k, 60) for k in range(3)]
    assert texts(order_lines([*body, *bar])) == "s0 s1 s2 b0 b1 b2 b3 b4 b5"


def test_a_leaning_page_keeps_its_rows() -> None:
    flat = [
        line(f"{row}{cell}", 300 * cell, 30 * row, 100) for row in range(4) for cell in range(4)
    ]
    leaning = [
        TextLine(one.text, 1.0, Quad(tuple(turned(point, 4.0) for point in one.box.points)))
        for one in flat
    ]
    assert order_lines(leaning[::-1]) == leaning
    assert [len(row) for row in rows_of(leaning)] == [4, 4, 4, 4]


def test_vertical_lines_come_from_the_right() -> None:
    lines = [tall(f"v{k}", 400 - 30 * k, 50, 300) for k in range(5)]
    assert texts(order_lines(lines[::-1])) == "v0 v1 v2 v3 v4"


def test_tiers_of_vertical_lines_come_from_the_top() -> None:
    upper = [tall(f"u{k}", 400 - 30 * k, 0, 200) for k in range(3)]
    lower = [tall(f"d{k}", 400 - 30 * k, 230, 200) for k in range(3)]
    assert texts(order_lines([*lower, *upper])) == "u0 u1 u2 d0 d1 d2"


def test_a_vertical_label_is_read_with_the_head_of_its_rows() -> None:
    rows = [line(f"r{k}", 40, 30 * k, 300) for k in range(3)]
    assert texts(order_lines([*rows, tall("label", 0, 0, 80)])) == "label r0 r1 r2"


def test_rows_do_not_run_into_each_other_on_a_slant() -> None:
    lines = [line(f"{k}", 60 * k, 4 * k, 50) for k in range(6)]
    assert all(math.isfinite(row[0].confidence) for row in rows_of(lines))
    assert sum(len(row) for row in rows_of(lines)) == 6
