"""Measure what each preparation step does to the reading of damaged pages.

A folder holds pages and manifest.jsonl, a line a page: {"image": name, "lines": [{"poly":
[[x, y] * 4], "text": str}]}. Its pages are damaged in fixed ways, prepared by no step, by each
step alone and by the automatic choice, read, and scored. Every result is kept in a JSON-lines
file, so a run that was cut short goes on where it stopped, and `auto` costs nothing where its
choice was already read.

    python scripts/ablate_preparation.py FOLDER [FOLDER ...] --pages 6 --keep ablation.jsonl
"""

from __future__ import annotations

import argparse
import json
import math
import sys
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from shizi.bench.score import TruthLine, TruthPage, read_manifest, score_page
from shizi.core.pixels import RgbImage
from shizi.core.types import Frame, Quad, TextLine
from shizi.imaging.decode import open_document
from shizi.imaging.prep import STEPS, choose_steps, prepare
from shizi.imaging.quality import Quality, measure

Found = list[tuple[Quad, str]]
PageReader = Callable[[RgbImage], Found]


@dataclass(frozen=True)
class Truth:
    """A page with what stands on it; boxes in pixels of its image."""

    name: str
    image: RgbImage
    lines: tuple[TruthLine, ...]

    @property
    def line_px(self) -> float:
        """Height of the middling line."""
        return float(np.median([min(line.box.height, line.box.width) for line in self.lines]))


# ---- damage ------------------------------------------------------------------------------------


def damage_none(page: Truth, _rng: np.random.Generator) -> Truth:
    return page


def damage_blur(page: Truth, _rng: np.random.Generator) -> Truth:
    return _with(page, cv2.GaussianBlur(page.image, (0, 0), 0.12 * page.line_px))


def damage_dark(page: Truth, rng: np.random.Generator) -> Truth:
    return _with(page, page.image * 0.12 + rng.normal(0, 2, page.image.shape))


def damage_low_contrast(page: Truth, rng: np.random.Generator) -> Truth:
    return _with(page, 150 + (page.image - 128.0) * 0.1 + rng.normal(0, 2, page.image.shape))


def damage_shadow(page: Truth, rng: np.random.Generator) -> Truth:
    y, x = np.mgrid[0 : page.image.shape[0], 0 : page.image.shape[1]]
    edge = (x / page.image.shape[1] + 0.4 * y / page.image.shape[0] - 0.7) * 14
    light = 0.12 + 0.88 / (1 + np.exp(edge))
    return _with(page, page.image * light[:, :, None] + rng.normal(0, 1.5, page.image.shape))


def damage_noise(page: Truth, rng: np.random.Generator) -> Truth:
    return _with(page, page.image + rng.normal(0, 45, page.image.shape))


def damage_tilt_3(page: Truth, _rng: np.random.Generator) -> Truth:
    return _tilted(page, 3.0)


def damage_tilt_8(page: Truth, _rng: np.random.Generator) -> Truth:
    return _tilted(page, -8.0)


def damage_low_resolution(page: Truth, _rng: np.random.Generator) -> Truth:
    factor = min(1.0, 9.0 / page.line_px)
    height, width = page.image.shape[:2]
    size = round(width * factor), round(height * factor)
    small = cv2.resize(page.image, size, interpolation=cv2.INTER_AREA)
    return _with(page, small, Frame.scaling(size[0] / width, size[1] / height))


def damage_jpeg(page: Truth, _rng: np.random.Generator) -> Truth:
    _, coded = cv2.imencode(".jpg", page.image[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 20])
    return _with(page, cv2.imdecode(coded, cv2.IMREAD_COLOR)[:, :, ::-1])


DAMAGES: dict[str, Callable[[Truth, np.random.Generator], Truth]] = {
    "none": damage_none,
    "blur": damage_blur,
    "dark": damage_dark,
    "low contrast": damage_low_contrast,
    "shadow": damage_shadow,
    "noise": damage_noise,
    "tilt 3°": damage_tilt_3,
    "tilt -8°": damage_tilt_8,
    "low resolution": damage_low_resolution,
    "JPEG 20": damage_jpeg,
}


def _with(page: Truth, image: np.ndarray, move: Frame = Frame()) -> Truth:  # noqa: B008
    """Take a new image, and boxes moved by `move`."""
    clean = np.ascontiguousarray(np.clip(image, 0, 255).round().astype(np.uint8))
    lines = tuple(replace(line, box=move.map_quad(line.box)) for line in page.lines)
    return Truth(page.name, clean, lines)


def _tilted(page: Truth, angle_deg: float) -> Truth:
    undo = STEPS["deskew"](page.image, Quality(tilt_deg=-angle_deg))
    return _with(page, undo.image, undo.frame.inverse())


# ---- reading and scoring -----------------------------------------------------------------------


def rapidocr_reader() -> PageReader:
    """Read with the pipeline of the rapidocr package, which wants BGR."""
    from rapidocr import RapidOCR  # noqa: PLC0415  only this reader needs it

    engine = RapidOCR(params={"Global.log_level": "error", "Global.use_cls": False})

    def read(image: RgbImage) -> Found:
        out = engine(np.ascontiguousarray(image[:, :, ::-1]))
        if out.boxes is None or out.txts is None:
            return []
        return [
            (Quad.from_array(b), t) for b, t in zip(np.asarray(out.boxes), out.txts, strict=True)
        ]

    return read


def shizi_reader() -> PageReader:
    """Read with our own pipeline, its own preparation switched off."""
    from shizi.core.options import ReadOptions  # noqa: PLC0415
    from shizi.engine.reader import Reader  # noqa: PLC0415

    reader = Reader()

    def read(image: RgbImage) -> Found:
        (page,) = reader.read(image, ReadOptions(steps=()))
        return [(line.box, line.text) for line in page.lines]

    return read


READERS = {"rapidocr": rapidocr_reader, "shizi": shizi_reader}


# ---- the run -----------------------------------------------------------------------------------


def load_pages(folder: Path, count: int, window_px: int) -> Iterator[Truth]:
    """Take pages spread evenly over the manifest, of each a strip from its middle."""
    pages = read_manifest(folder)
    for place in np.linspace(0, len(pages) - 1, min(count, len(pages))).round().astype(int):
        truth = pages[place]
        (page,) = open_document((folder / truth.image).read_bytes())
        yield cut_strip(Truth(f"{folder.name}/{truth.image}", page.image, truth.lines), window_px)


def cut_strip(page: Truth, window_px: int) -> Truth:
    """Keep a strip of rows from the middle of a page, cut between lines, to spare time."""
    height = page.image.shape[0]
    if height <= window_px:
        return page
    top, bottom = (height - window_px) // 2, (height + window_px) // 2
    kept = [line for line in page.lines if top < line.box.center[1] < bottom]
    top = max(0, math.floor(min(line.box.bounds[1] for line in kept)) - 4)
    bottom = min(height, math.ceil(max(line.box.bounds[3] for line in kept)) + 4)
    strip = Truth(page.name, page.image[top:bottom], tuple(kept))
    return _with(strip, strip.image, Frame((1.0, 0.0, 0.0, 0.0, 1.0, -float(top))))


class Ledger:
    """Results of pages already read, appended to a JSON-lines file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rows: dict[tuple[str, ...], dict[str, float]] = {}
        if path.exists():
            for line in path.read_text("utf-8").splitlines():
                row = json.loads(line)
                self.rows[tuple(row.pop("key"))] = row

    def peek(self, key: tuple[str, ...]) -> dict[str, float] | None:
        """Give a kept result, None where there is none."""
        return self.rows.get(key)

    def get(self, key: tuple[str, ...], work: Callable[[], dict[str, float]]) -> dict[str, float]:
        """Give a kept result, or do the work and keep it."""
        if key not in self.rows:
            self.rows[key] = work()
            with self.path.open("a", encoding="utf-8") as sink:
                sink.write(json.dumps({"key": key, **self.rows[key]}, ensure_ascii=False) + "\n")
        return self.rows[key]


def read_and_score(
    page: Truth,
    steps: tuple[str, ...],
    read: PageReader,
    unchanged: dict[str, float] | None,
    *,
    fold: bool,
) -> dict[str, float]:
    """Prepare, read and score; a page the steps leave as it is has the result `unchanged`."""
    started = time.perf_counter()
    prepared = prepare(page.image, steps)
    ready = time.perf_counter()
    if unchanged and prepared.image is page.image:
        return {**unchanged, "prepare_s": round(ready - started, 4)}
    found = [TextLine(t, 1.0, prepared.frame.map_quad(q)) for q, t in read(prepared.image)]
    tally = score_page(TruthPage(page.name, page.lines), found, casefold=fold)
    return {
        "errors": tally.edits,
        "characters": tally.chars,
        "prepare_s": round(ready - started, 4),
        "read_s": round(time.perf_counter() - ready, 4),
    }


def run(arguments: argparse.Namespace) -> dict[tuple[str, str], list[dict[str, float]]]:
    """Fill the table: results of all pages by (damage, column)."""
    ledger = Ledger(arguments.keep)
    cells: dict[tuple[str, str], list[dict[str, float]]] = {}
    read = READERS[arguments.reader]()
    for folder in arguments.folders:
        fold = folder.name in arguments.casefold
        for page in load_pages(folder, arguments.pages, arguments.window_px):
            for damage in arguments.damages:
                spoil = DAMAGES[damage]
                seed = zlib.crc32(f"{page.name} {damage}".encode())
                spoiled = spoil(page, np.random.default_rng(seed))
                columns = {"-": (), **{name: tuple(name.split("+")) for name in arguments.steps}}
                columns["auto"] = choose_steps(measure(spoiled.image))
                base = (arguments.reader, page.name, damage)
                for column, steps in columns.items():
                    work = partial(read_and_score, spoiled, steps, read, ledger.peek((*base, "")))
                    row = ledger.get((*base, "+".join(steps)), partial(work, fold=fold))
                    cells.setdefault((damage, column), []).append(row)
            print(page.name, file=sys.stderr, flush=True)
    return cells


def to_markdown(cells: dict[tuple[str, str], list[dict[str, float]]]) -> str:
    """Print character error rates in percent, a row a damage; ** marks the best of a row."""
    columns = list(dict.fromkeys(column for _, column in cells))
    lines = ["| damage | " + " | ".join(columns) + " |", "|---|" + "--:|" * len(columns)]
    for damage in dict.fromkeys(damage for damage, _ in cells):
        rates = [_rate(cells[damage, column]) for column in columns]
        texts = [f"**{r:.1f}**" if r <= min(rates) + 0.05 else f"{r:.1f}" for r in rates]
        lines.append(f"| {damage} | " + " | ".join(texts) + " |")
    every = [
        [row for (_, c), rows in cells.items() if c == column for row in rows] for column in columns
    ]
    lines.append("| **all** | " + " | ".join(f"{_rate(rows):.2f}" for rows in every) + " |")
    costs = [1000 * float(np.mean([row["prepare_s"] for row in rows])) for rows in every]
    lines.append("| ms a page | " + " | ".join(f"{cost:.0f}" for cost in costs) + " |")
    return "\n".join(lines)


def _rate(rows: Sequence[dict[str, float]]) -> float:
    return 100 * sum(row["errors"] for row in rows) / sum(row["characters"] for row in rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("folders", nargs="+", type=Path, help="folders with manifest.jsonl")
    parser.add_argument("--pages", type=int, default=6, help="pages of each folder")
    parser.add_argument("--window-px", type=int, default=600, help="rows read of each page")
    parser.add_argument("--damages", nargs="*", choices=list(DAMAGES), default=list(DAMAGES))
    parser.add_argument("--reader", choices=sorted(READERS), default="rapidocr")
    parser.add_argument("--keep", type=Path, default=Path("ablation.jsonl"), help="results so far")
    parser.add_argument("--casefold", nargs="*", default=["sroie"], help="folders in capitals")
    parser.add_argument(
        "--steps",
        nargs="*",
        default=[name for name in STEPS if name != "invert"],
        help="columns; join steps taken one after another with +",
    )
    print(to_markdown(run(parser.parse_args())))


if __name__ == "__main__":
    main()
