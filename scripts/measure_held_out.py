"""Measure a recognizer on rendered, degraded lines whose fonts and texts training never saw.

    python scripts/measure_held_out.py [--recognizer NAME] [--lines 400] [--mixed 600]
        [--fonts FOLDER]

Lines are drawn by training's own renderer, at its full share of damage and with its mix of kinds
(a fifth of them characters drawn evenly over the whole charset), but from the sentences of
bench/texts and in the faces that training leaves out. Every face gets as many lines; printed
faces and handwriting are told apart. Most faces are Latin, so that a mean over faces says little
of Chinese: the rows "as trained" draw kinds of text and styles of face in training's own shares.
Scored after NFKC without white space, as everywhere; the last column counts spaces and every
form as well.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from random import Random

from shizi.bench.score import Tally, edit_distance, score_line
from shizi.models.opening import open_language_model, open_recognizer
from shizi.models.recognizer import Reading, Recognizer
from shizi.models.store import DEFAULT_RECOGNIZER, ModelStore, Task, read_charset
from shizi.text.charset import Charset
from shizi.train.corpus import TextSource, load_corpus
from shizi.train.fonts import FontFace, find_fonts
from shizi.train.recipe import SYSTEM_FONTS
from shizi.train.samples import LineRenderer, Sample

TEXTS = Path(__file__).resolve().parent.parent / "bench" / "texts"


def own_texts(charset: Charset) -> TextSource:
    """Take the sentences of bench/texts alone; characters and phrases are drawn as in training."""
    corpus = load_corpus(charset)
    kinds = {
        name: tuple((TEXTS / f"{name}.txt").read_text(encoding="utf-8").splitlines())
        for name in ("zh", "zht", "names", "en")
    }
    words = tuple(word.strip(".,;:") for line in kinds["en"] for word in line.split())
    own = replace(
        corpus,
        han=kinds["zh"],
        traditional=kinds["zht"],
        names=kinds["names"],
        english=kinds["en"],
        words=words,
    )
    return TextSource(own)


def lines_of(
    faces: list[FontFace], texts: TextSource, charset: Charset, count: int, strength: float
) -> Iterator[Sample]:
    """Draw lines of some faces; Latin ones alone are given Latin texts."""
    renderer = LineRenderer(faces, texts, strength)
    first = Random(" ".join(face.name for face in faces)).randrange(10**9)
    made = 0
    for seed in range(first, first + 50 * count):
        sample = renderer.render(seed)
        if charset.covers(sample.text):
            yield sample
            made += 1
        if made == count:
            return


def measure(samples: list[Sample], recognizer: Recognizer) -> tuple[Tally, int, int]:
    """Give the tally of some lines, and edits and characters with spaces counted."""
    answers = recognizer.recognize([sample.strip for sample in samples])
    tally, edits, chars = Tally(), 0, 0
    for sample, answer in zip(samples, answers, strict=True):
        read = answer.text if isinstance(answer, Reading) else ""
        tally += score_line(sample.text, read)
        edits += edit_distance(sample.text, read)
        chars += len(sample.text)
    return tally, edits, chars


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recognizer", default=DEFAULT_RECOGNIZER)
    parser.add_argument("--greedy", action="store_true", help="without the language model")
    parser.add_argument("--models", type=Path, help="folder of further models")
    parser.add_argument("--lines", type=int, default=400, help="of each face")
    parser.add_argument("--mixed", type=int, default=600, help="printed lines as trained")
    parser.add_argument("--fonts", type=Path, action="append", default=[], help="more fonts")
    parser.add_argument("--font-cache", type=Path)
    parser.add_argument("--strength", type=float, default=1.0, help="share of damage, 0 to 1")
    args = parser.parse_args()
    store = ModelStore((args.models,) if args.models else ())
    language = None if args.greedy else open_language_model(store)
    recognizer = open_recognizer(store, args.recognizer, 2, language)
    charset = read_charset(store.find(DEFAULT_RECOGNIZER, Task.RECOGNIZE))
    texts = own_texts(charset)
    found = find_fonts((*map(Path, SYSTEM_FONTS), *args.fonts), args.font_cache)
    # The Ext files of a collection hold rare characters alone.
    faces = [f for f in found if f.held_out and (f.chinese or "Ext" not in f.name)]
    rows: dict[str, list[tuple[Tally, int, int]]] = {}
    print("| face | style | accuracy | exact lines | with spaces |\n|---|---|--:|--:|--:|")
    for face in faces:
        samples = list(lines_of([face], texts, charset, args.lines, args.strength))
        row = measure(samples, recognizer)
        kind = "handwriting" if face.style == "hand" else "printed"
        rows.setdefault(kind, []).append(row)
        rows.setdefault(f"{kind}, {'Chinese' if face.chinese else 'Latin'} faces", []).append(row)
        show(f"{face.name} | {face.style}", [row])
    for name, group in sorted(rows.items()):
        show(f"**{name}** | {len(group)} faces", group)
    hands = [face for face in faces if face.style == "hand"]
    printed = [face for face in faces if face.style != "hand"]
    for name, group, count in (
        ("printed", printed, args.mixed),
        ("handwriting", hands, args.mixed // 10),
    ):
        if group and count:
            samples = list(lines_of(group, texts, charset, count, args.strength))
            title = f"**{name}, as trained** | {len(samples)} lines"
            show(title, [measure(samples, recognizer)])


def show(title: str, rows: list[tuple[Tally, int, int]]) -> None:
    """Print one row of the table."""
    tally = sum((row[0] for row in rows), Tally())
    spaced = 1 - sum(row[1] for row in rows) / max(1, sum(row[2] for row in rows))
    print(f"| {title} | {1 - tally.cer:.4f} | {tally.exact_rate:.3f} | {spaced:.4f} |", flush=True)


if __name__ == "__main__":
    main()
