from __future__ import annotations

import json
import random
import re
import subprocess
import sys
from pathlib import Path

import pytest

from shizi.bench.score import (
    Tally,
    TruthLine,
    TruthPage,
    normalized,
    read_manifest,
    score_line,
    score_page,
)
from shizi.core.errors import FileAccessError, InputError
from shizi.core.types import Quad, TextLine

SHARED = Path(__file__).parents[4] / "shared"


def truth(*lines: tuple[str, float, float], ignored: bool = False) -> TruthPage:
    return TruthPage(
        "page.png",
        tuple(
            TruthLine(Quad.from_rect(x, y, x + 100, y + 20), text, ignored=ignored)
            for text, x, y in lines
        ),
    )


def read(text: str, x: float, y: float, width: float = 100) -> TextLine:
    return TextLine(text, 0.9, Quad.from_rect(x, y, x + width, y + 20))


def test_texts_are_compared_without_width_space_and_case() -> None:
    assert normalized("ＡＢ　c d") == "ABcd"
    assert normalized("Straße", casefold=True) == "strasse"


def test_a_line_is_scored() -> None:
    tally = score_line("发票 No 12", "发票 Na 12")
    assert (tally.edits, tally.chars, tally.exact, tally.lines) == (1, 6, 0, 1)
    assert tally.cer == pytest.approx(1 / 6)
    assert score_line("ABC", "abc", casefold=True).exact == 1


@pytest.mark.parametrize(
    ("want", "have", "right", "there", "found"),
    [
        ("a b c", "a b c", 2, 2, 2),
        ("a b c", "ab c", 1, 2, 1),
        ("abc", "a bc", 0, 0, 1),
        ("ab cd ef", "ab Xd ef", 2, 2, 2),
        ("ab cd ef", "abcd ef", 1, 2, 1),
        ("ab cd ef", "ab zzcd ef", 2, 2, 2),
        ("ab cd", "", 0, 1, 0),
        ("", "a b", 0, 0, 1),
    ],
)
def test_spaces_are_found_by_alignment(
    want: str, have: str, right: int, there: int, found: int
) -> None:
    tally = score_line(want, have)
    assert (tally.spaces_right, tally.spaces_true, tally.spaces_found) == (right, there, found)


def test_no_spaces_at_all_are_no_mistake() -> None:
    assert score_line("abc", "abc").space_f1 == 1.0
    assert score_line("ab cd", "ab cd").space_f1 == 1.0
    assert score_line("ab cd", "abcd").space_f1 == 0.0


def test_pieces_of_a_line_are_joined_along_it() -> None:
    tally = score_page(
        truth(("hello world", 0, 0)), [read("world", 50, 1, 50), read("hello", 0, 0, 50)]
    )
    assert (tally.edits, tally.exact, tally.found, tally.extra) == (0, 1, 1, 0)


def test_text_on_no_line_counts_as_wrong() -> None:
    tally = score_page(truth(("abc", 0, 0)), [read("abc", 0, 0), read("dust", 0, 300)])
    assert (tally.edits, tally.exact, tally.extra, tally.predicted) == (4, 1, 1, 2)
    assert tally.precision == 0.5


def test_a_missed_line_costs_its_characters() -> None:
    tally = score_page(truth(("abc", 0, 0), ("de", 0, 50)), [read("abc", 0, 0)])
    assert (tally.edits, tally.recall, tally.cer) == (2, 0.5, 0.4)


def test_a_wide_box_over_a_short_line_belongs_to_it() -> None:
    page = TruthPage("p", (TruthLine(Quad.from_rect(0, 0, 20, 20), "a"),))
    assert score_page(page, [read("a", -40, 0, 200)]).edits == 0


def test_ignored_lines_are_neither_right_nor_wrong() -> None:
    tally = score_page(truth(("abc", 0, 0), ignored=True), [read("xyz", 0, 0)])
    assert (tally.edits, tally.lines, tally.extra) == (0, 0, 0)


def test_tallies_add_up() -> None:
    total = Tally(edits=1, chars=4, seconds=0.5) + Tally(edits=2, chars=6, seconds=1.0)
    assert (total.edits, total.chars, total.seconds, total.cer) == (3, 10, 1.5, 0.3)


def test_a_manifest_is_read(tmp_path: Path) -> None:
    quad = [[0, 0], [10, 0], [10, 5], [0, 5]]
    entry = {
        "image": "a.png",
        "variant": "scan",
        "width": 9,
        "lines": [
            {"poly": quad, "text": "x", "direction": "v"},
            {"poly": quad, "text": " "},
            {"text": "without a place"},
            {"poly": quad, "ignore": True, "text": ""},
        ],
    }
    (tmp_path / "manifest.jsonl").write_text(json.dumps(entry) + "\n\n", encoding="utf-8")
    (page,) = read_manifest(tmp_path)
    assert (page.image, page.groups) == ("a.png", {"variant": "scan"})
    assert [(line.text, line.direction, line.ignored) for line in page.lines] == [
        ("x", "v", False),
        ("", "h", True),
    ]


def test_a_missing_or_damaged_manifest_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError):
        read_manifest(tmp_path)
    (tmp_path / "manifest.jsonl").write_text('{"image": "a.png"}\n', encoding="utf-8")
    with pytest.raises(InputError, match="line 1"):
        read_manifest(tmp_path)


def _disturbed(page: TruthPage, rng: random.Random) -> list[TextLine]:
    """Make a faulty reading of a page: lines lost, split, joined, moved, misread, invented."""
    lines = []
    for line in page.lines:
        text, points = line.text, line.box.to_array().astype(float)
        kind = rng.random()
        if kind < 0.1:
            continue
        if kind < 0.2:
            points += rng.uniform(-30, 30)
        if kind < 0.3:
            text = text.replace("1", "l")[: rng.randint(0, len(text))]
        if kind > 0.9:
            half = points.copy()
            half[1:3] = (points[0] + points[1]) / 2, (points[2] + points[3]) / 2
            lines.append(TextLine(text[:2], 1.0, Quad.from_array(half)))
            points[0], points[3] = half[1], half[2]
            text = text[2:]
        if kind > 0.97:
            points[1:3, 0] += 200
        lines.append(TextLine(text, 1.0, Quad.from_array(points)))
    rng.shuffle(lines)
    return lines


@pytest.mark.skipif(not (SHARED / "eval").is_dir(), reason="no shared pictures here")
@pytest.mark.parametrize("name", ["sroie", "pages"])
@pytest.mark.parametrize("casefold", [False, True])
def test_pages_score_as_the_reference_script_scores_them(
    tmp_path: Path, name: str, casefold: bool
) -> None:
    folder, rng, total = SHARED / "eval" / name, random.Random(7), Tally()
    with (tmp_path / "read.jsonl").open("w", encoding="utf-8") as file:
        for page in read_manifest(folder):
            lines = _disturbed(page, rng)
            total += score_page(page, lines, casefold=casefold)
            entries = [{"poly": line.box.points, "text": line.text} for line in lines]
            file.write(json.dumps({"image": page.image, "lines": entries}) + "\n")
    command = [
        sys.executable,
        str(SHARED / "eval" / "score_pages.py"),
        str(folder / "manifest.jsonl"),
        str(tmp_path / "read.jsonl"),
        *(["--casefold"] if casefold else []),
    ]
    answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    figures = re.findall(r"(CER|exact|recall|extra) ([\d.]+)", answer)
    assert dict(figures) == {
        "CER": f"{total.cer:.4f}",
        "exact": f"{total.exact_rate:.4f}",
        "recall": f"{total.recall:.4f}",
        "extra": f"{1 - total.precision:.4f}",
    }
    assert f"lines {total.lines} " in answer
