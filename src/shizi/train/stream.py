"""Batches of training lines, made in other processes, the same for the same seed.

Lines are made in chunks. Chunk c is a pure function of the recipe's seed and c, whoever makes it;
workers take turns, and the reader takes their chunks in order. So a run that stopped within a
chunk goes on at the very batch where it stopped, with any number of workers.
"""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing.context import SpawnProcess
from multiprocessing.queues import Queue as ProcessQueue
from multiprocessing.synchronize import Event
from pathlib import Path
from queue import Empty, Full
from random import Random
from types import TracebackType
from typing import Self
from zlib import crc32

import cv2
import numpy as np
from numpy.typing import NDArray

from shizi.core.errors import ConfigError
from shizi.imaging.lines import PAD_VALUE, bucket_width
from shizi.text.charset import Charset
from shizi.train.corpus import TextSource, load_corpus
from shizi.train.fonts import HELD_OUT, find_fonts
from shizi.train.samples import LineRenderer, RealLines, Sample, join


@dataclass(frozen=True, slots=True)
class DataRecipe:
    """What a stream is made of; plain values, so that it travels to workers and checkpoints.

    Attributes:
        symbols: the charset's.
        fonts: folders searched for fonts.
        font_cache: file that remembers what the fonts cover.
        corpus: folder of plain text, or None.
        real: (folder, share) of labelled real lines; the shares sum below 1.
        joined: share of lines made of two.
        total_lines: length of the whole run, which the curriculum is paced by.
        curriculum: share of the run that begins with short, clean lines; 0 for a warm start.
        chunk_lines: lines a chunk.
        batch_columns: pixels along the text a batch holds, all lines together.
        max_lines: of a batch, however short its lines.
        max_width: wider strips are dropped.
        seed: of the whole run.
    """

    symbols: tuple[str, ...]
    fonts: tuple[str, ...]
    font_cache: str | None = None
    corpus: str | None = None
    real: tuple[tuple[str, float], ...] = ()
    joined: float = 0.06
    total_lines: int = 1_000_000
    curriculum: float = 0.25
    chunk_lines: int = 3_000
    batch_columns: int = 20_480
    max_lines: int = 160
    max_width: int = 1_408
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Lines of one width bucket.

    Attributes:
        strips: (B, 1, 32, W) uint8, padded with mid-grey.
        targets: (B, L) int64 classes, 0 beyond a line's end.
        lengths: (B,) int64.
        chunk: the chunk it is of.
        index: its place in the chunk.
        last: whether the chunk ends with it.
        echo: 0 for a batch that is new, else how often it was given before; see `echoing.py`.
    """

    strips: NDArray[np.uint8]
    targets: NDArray[np.int64]
    lengths: NDArray[np.int64]
    chunk: int
    index: int
    last: bool
    echo: int = 0


class ChunkMaker:
    """Makes the chunks of a recipe; holds fonts and texts, but no state that a chunk changes.

    Args:
        recipe: the plan.
        held_out: whether lines are set in the fonts kept out of training, and in no other.

    Raises:
        ConfigError: no such font is installed.

    Attributes:
        recipe: the plan.
        charset: its symbols.
        fonts: the faces lines are set in.
    """

    def __init__(self, recipe: DataRecipe, *, held_out: bool = False) -> None:
        self.recipe = recipe
        self.charset = Charset(recipe.symbols)
        cache = Path(recipe.font_cache) if recipe.font_cache else None
        fonts = find_fonts(tuple(map(Path, recipe.fonts)), cache)
        self.fonts = tuple(face for face in fonts if face.held_out == held_out)
        if not self.fonts:
            raise ConfigError(_no_fonts(recipe.fonts, held_out))
        corpus = load_corpus(self.charset, Path(recipe.corpus) if recipe.corpus else None)
        self._texts = TextSource(corpus)
        self._real = [(RealLines(Path(f), self.charset), share) for f, share in recipe.real]

    def samples(self, chunk: int) -> list[Sample]:
        """Make the lines of a chunk in the order of their seeds."""
        strength, max_han = self._difficulty(chunk)
        renderer = LineRenderer(self.fonts, self._texts, strength, max_han)
        first = crc32(f"{self.recipe.seed}/{chunk}".encode()) * 1_000_003
        seeds = range(first, first + self.recipe.chunk_lines)
        return [s for seed in seeds if self._fits(s := self._sample(seed, renderer))]

    def batches(self, chunk: int) -> list[Batch]:
        """Sort a chunk's lines into batches of one width, in an order drawn by seed."""
        buckets: dict[int, list[Sample]] = {}
        for sample in self.samples(chunk):
            buckets.setdefault(bucket_width(sample.strip.shape[1]), []).append(sample)
        groups = []
        for width, lines in sorted(buckets.items()):
            size = max(1, min(self.recipe.max_lines, self.recipe.batch_columns // width))
            groups += [(width, lines[k : k + size]) for k in range(0, len(lines), size)]
        Random(chunk).shuffle(groups)
        last = len(groups) - 1
        return [
            self._batch(width, lines, chunk, k, k == last)
            for k, (width, lines) in enumerate(groups)
        ]

    def _difficulty(self, chunk: int) -> tuple[float, int]:
        """Strength of damage and longest text: short clean lines first keep CTC off its plateau."""
        done = chunk * self.recipe.chunk_lines / max(1, self.recipe.total_lines)
        if done >= self.recipe.curriculum:
            return 1.0, 36
        share = done / self.recipe.curriculum
        return share, 4 + round(14 * share)

    def _sample(self, seed: int, renderer: LineRenderer) -> Sample:
        rng = Random(seed ^ 0x5EED)
        place = rng.random()
        for lines, share in self._real:
            if place < share:
                return lines.sample(seed)
            place -= share
        sample = renderer.render(seed)
        if rng.random() < self.recipe.joined:
            return join(sample, renderer.render(seed + 0x7FFFFFFF), rng)
        return sample

    def _fits(self, sample: Sample) -> bool:
        """Tell whether CTC can write the text in the columns there are."""
        repeats = sum(a == b for a, b in zip(sample.text, sample.text[1:], strict=False))
        columns = sample.strip.shape[1] // 4
        wide = sample.strip.shape[1] > self.recipe.max_width
        return not wide and columns >= len(sample.text) + repeats

    def _batch(self, width: int, lines: list[Sample], chunk: int, index: int, last: bool) -> Batch:
        strips = np.full((len(lines), 1, lines[0].strip.shape[0], width), PAD_VALUE, np.uint8)
        longest = max(len(line.text) for line in lines)
        targets = np.zeros((len(lines), longest), np.int64)
        for k, line in enumerate(lines):
            strips[k, 0, :, : line.strip.shape[1]] = line.strip
            targets[k, : len(line.text)] = self.charset.encode(line.text)
        lengths = np.array([len(line.text) for line in lines], np.int64)
        return Batch(strips, targets, lengths, chunk, index, last)


def _no_fonts(folders: tuple[str, ...], held_out: bool) -> str:
    wanted = f"fonts kept out of training ({', '.join(HELD_OUT)})" if held_out else "usable fonts"
    packages = "fonts-wqy-microhei fonts-lato" if held_out else "fonts-noto-cjk fonts-dejavu"
    return f"no {wanted} under {', '.join(folders)}; on Debian: apt-get install {packages}"


def _work(
    recipe: DataRecipe, chunks: tuple[int, int], queue: ProcessQueue[list[Batch]], stop: Event
) -> None:
    """Make every n-th chunk until told to stop."""
    # Ctrl-C reaches the whole group: the trainer saves first and ends its workers then.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    cv2.setNumThreads(1)
    maker = ChunkMaker(recipe)
    chunk, step = chunks
    while not stop.is_set():
        made = maker.batches(chunk)
        while not stop.is_set():
            try:
                queue.put(made, timeout=1.0)
            except Full:
                continue
            break
        chunk += step


class BatchStream:
    """Reads batches in order from worker processes; a context manager that ends them."""

    def __init__(self, recipe: DataRecipe, workers: int, chunk: int = 0, index: int = 0) -> None:
        context = multiprocessing.get_context("spawn")
        self._stop = context.Event()
        self._queues: list[ProcessQueue[list[Batch]]] = [context.Queue(2) for _ in range(workers)]
        self._start = (chunk, index)
        self._processes: list[SpawnProcess] = [
            context.Process(
                target=_work, args=(recipe, (chunk + k, workers), queue, self._stop), daemon=True
            )
            for k, queue in enumerate(self._queues)
        ]

    def __enter__(self) -> Self:
        """Start the workers."""
        for process in self._processes:
            process.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End the workers; what they made ahead is made again by the next run."""
        self._stop.set()
        for process in self._processes:
            process.terminate()
            process.join()

    def __iter__(self) -> Iterator[Batch]:
        """Walk the batches without end, beginning where the stream was told to."""
        chunk, skip = self._start
        turn = 0
        while True:
            yield from self._take(turn)[skip:]
            skip, chunk, turn = 0, chunk + 1, (turn + 1) % len(self._queues)

    def _take(self, turn: int) -> list[Batch]:
        while True:
            try:
                return self._queues[turn].get(timeout=5.0)
            except Empty:
                if not self._processes[turn].is_alive():
                    raise RuntimeError(
                        "a rendering process died; see its traceback above"
                    ) from None
