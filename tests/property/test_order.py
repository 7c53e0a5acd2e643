from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from shizi.core.types import Direction, Quad, TextLine
from shizi.layout.order import order_lines, rows_of

coordinates = st.integers(0, 60).map(lambda n: n * 10.0)
lengths = st.integers(1, 30).map(lambda n: n * 10.0)


@st.composite
def quads(draw: st.DrawFn) -> Quad:
    left, top = draw(coordinates), draw(coordinates)
    slant = draw(st.sampled_from([0.0, 0.0, 0.05, -0.08]))
    width, height = draw(lengths), draw(st.sampled_from([10.0, 18.0, 20.0, 200.0]))
    return Quad(
        (
            (left, top),
            (left + width, top + slant * width),
            (left + width - slant * height, top + height + slant * width),
            (left - slant * height, top + height),
        )
    )


lines = st.builds(
    TextLine,
    text=st.sampled_from(["a", "b", "c"]),
    confidence=st.sampled_from([0.5, 1.0]),
    box=quads(),
    direction=st.sampled_from([Direction.HORIZONTAL, Direction.HORIZONTAL, Direction.VERTICAL]),
)
pages = st.lists(lines, max_size=25)


@given(page=pages, data=st.data())
@settings(deadline=None)
def test_the_order_does_not_depend_on_the_order_of_the_input(
    page: list[TextLine], data: st.DataObject
) -> None:
    assert order_lines(data.draw(st.permutations(page))) == order_lines(page)


@given(page=pages)
@settings(deadline=None)
def test_no_line_is_lost_or_doubled(page: list[TextLine]) -> None:
    assert Counter(order_lines(page)) == Counter(page)
    assert Counter(line for row in rows_of(page) for line in row) == Counter(page)
