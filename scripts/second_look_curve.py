"""Show what a second look is worth: share of lines read again against errors and time.

    python scripts/second_look_curve.py FOLDER [--casefold] [--threads 2]

Both recognizers read every horizontal line of a labelled set at its true place. For each doubt, the
lines the small one is less sure of are taken from the large one. Times are those of each recognizer
over the whole set, the large one's in proportion to its share.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

from shizi.bench.score import Tally, TruthPage, read_manifest, score_line
from shizi.core.pixels import RgbImage
from shizi.core.types import Direction
from shizi.engine.spaces import with_spaces_of
from shizi.imaging.decode import open_document
from shizi.imaging.lines import crop_line
from shizi.models.opening import open_language_model, open_recognizer
from shizi.models.recognizer import Reading
from shizi.models.store import DEFAULT_RECOGNIZER, SECOND_RECOGNIZER, ModelStore

DOUBTS = (0.0, 0.2, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0)


@dataclass(frozen=True, slots=True)
class Look:
    """How one recognizer read a set.

    Attributes:
        readings: one a line.
        seconds: for all lines.
    """

    readings: list[Reading]
    seconds: float


def crops_of(folder: Path, page: TruthPage) -> list[tuple[str, RgbImage]]:
    """Cut out the horizontal lines of a page."""
    image = next(open_document((folder / page.image).read_bytes())).image
    return [
        (line.text, crop_line(image, line.box))
        for line in page.lines
        if not line.ignored and line.direction is Direction.HORIZONTAL
    ]


def look(name: str, pages: list[list[tuple[str, RgbImage]]], threads: int) -> Look:
    """Read all lines, a page at a time."""
    store = ModelStore()
    recognizer = open_recognizer(store, name, threads, open_language_model(store))
    recognizer.recognize([crop for _, crop in pages[0][:1]])
    readings, seconds = [], 0.0
    for page in pages:
        started = time.perf_counter()
        answers = recognizer.recognize([crop for _, crop in page])
        seconds += time.perf_counter() - started
        readings += [a if isinstance(a, Reading) else Reading("", 0.0, ()) for a in answers]
    return Look(readings, seconds)


def main() -> None:
    """Print the curve as a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--casefold", action="store_true")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    pages = [crops_of(args.folder, page) for page in read_manifest(args.folder)]
    pages = [page for page in pages if page]
    truths = [truth for page in pages for truth, _ in page]
    first = look(DEFAULT_RECOGNIZER, pages, args.threads)
    second = look(SECOND_RECOGNIZER, pages, args.threads)
    print("| doubt | read again | CER | exact lines | space F1 | ms a line |")
    print("|---|--:|--:|--:|--:|--:|")
    for doubt in DOUBTS:
        total, again = Tally(), 0
        for truth, one, other in zip(truths, first.readings, second.readings, strict=True):
            twice = one.confidence < doubt
            again += twice
            text = with_spaces_of(one, other).text if twice and other.text else one.text
            total += score_line(truth, text, casefold=args.casefold)
        share = again / len(truths)
        ms = 1000 * (first.seconds + share * second.seconds) / len(truths)
        rates = f"{total.cer:.4f} | {total.exact_rate:.3f} | {total.space_f1:.3f} | {ms:.2f}"
        print(f"| {doubt:.2f} | {share:.3f} | {rates} |")


if __name__ == "__main__":
    main()
