"""Lines as rows of a table; the page in the browser has the same columns."""

from __future__ import annotations

from typing import Final

from shizi.core.types import PageResult
from shizi.formats.response import box_to_list

Cell = str | int | float

COLUMNS: Final = (
    "file",
    "page",
    "line",
    "text",
    "confidence",
    "direction",
    *(f"{axis}{corner}" for corner in range(1, 5) for axis in "xy"),
)
TEXT_COLUMN: Final = COLUMNS.index("text")


def page_rows(name: str, page: PageResult) -> list[list[Cell]]:
    """Give a row a line.

    Args:
        name: of the file.
        page: that was read.
    """
    return [
        [
            name,
            page.number,
            number,
            line.text,
            round(line.confidence, 4),
            line.direction.value,
            *(value for point in box_to_list(line.box) for value in point),
        ]
        for number, line in enumerate(page.lines, start=1)
    ]
