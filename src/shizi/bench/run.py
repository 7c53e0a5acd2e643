"""Measures peers on a folder of labelled pictures, each in a process of its own.

So a peer's memory is its own, a crash stops nobody else, and all run on the same machine one
after another, which is what makes their times comparable.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path

import cv2

from shizi.bench.peers import Peer, check_peer, open_peer
from shizi.bench.score import Tally, TruthLine, TruthPage, read_manifest, score_line, score_page
from shizi.core.errors import InputError, OptionError, ShiziError
from shizi.core.pixels import RgbImage
from shizi.core.types import Direction
from shizi.imaging.decode import open_document
from shizi.imaging.lines import crop_line

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What is measured.

    Attributes:
        folder: holds `manifest.jsonl` and the pictures.
        peers: names, in the order they run.
        pages: whether whole pages are read.
        lines: whether lines are read at their true places.
        casefold: whether upper and lower case count as the same.
        by: key of the manifest that results are split by; "" for none.
        threads: each peer may use.
        limit: pictures at most; 0 for all.
        models: folder of further models of ours.
    """

    folder: Path
    peers: tuple[str, ...] = ("shizi", "rapidocr", "tesseract")
    pages: bool = True
    lines: bool = True
    casefold: bool = False
    by: str = ""
    threads: int = 2
    limit: int = 0
    models: Path | None = None


@dataclass(frozen=True, slots=True)
class PeerResult:
    """What was measured of one peer.

    Attributes:
        name: of the peer.
        version: of the program.
        model_bytes: sizes of its model files.
        peak_bytes: most memory it held until its last page, 0 where it read none.
        pages: tallies of whole pages by group; the key "" holds all.
        lines: tallies of lines at their true places by group, likewise.
        error: why it was not measured; "" where it was.
    """

    name: str
    version: str = ""
    model_bytes: int = 0
    peak_bytes: int = 0
    pages: dict[str, Tally] = field(default_factory=dict)
    lines: dict[str, Tally] = field(default_factory=dict)
    error: str = ""


def run_bench(plan: BenchPlan, say: Say) -> list[PeerResult]:
    """Measure every peer of a plan.

    Args:
        plan: what to measure.
        say: told of each peer as it begins and ends.

    Returns:
        One result a peer, in the plan's order; a peer that failed has its `error`.

    Raises:
        FileAccessError: the folder holds no manifest.
        InputError: the manifest is damaged or empty.
        OptionError: a peer or the key is unknown, or nothing is to be measured.
    """
    if not (plan.pages or plan.lines) or not plan.peers:
        raise OptionError("nothing to measure: choose pages, lines or both, and a peer")
    for name in plan.peers:
        check_peer(name)
    truths = read_manifest(plan.folder)
    if not truths:
        raise InputError(f"{plan.folder / 'manifest.jsonl'} names no picture")
    keys = {key for truth in truths for key in truth.groups}
    if plan.by and plan.by not in keys:
        raise OptionError.unknown(plan.by, keys, "key")
    results = []
    for name in plan.peers:
        say(f"measuring {name}")
        result = _in_own_process(plan, name)
        say(f"{name}: {result.error or 'done'}")
        results.append(result)
    return results


def _in_own_process(plan: BenchPlan, name: str) -> PeerResult:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_child, args=(plan, name, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        result: PeerResult = ours.recv()
    except EOFError:
        process.join()
        result = PeerResult(name, error=f"ended with status {process.exitcode}")
    process.join()
    return result


def _child(plan: BenchPlan, name: str, out: Connection) -> None:
    cv2.setNumThreads(plan.threads)
    try:
        result = measure_peer(plan, name, open_peer(name, plan.threads, plan.models))
    except ShiziError as error:
        result = PeerResult(name, error=error.detail)
    out.send(result)


def measure_peer(plan: BenchPlan, name: str, peer: Peer) -> PeerResult:
    """Measure a peer within this process.

    Args:
        plan: what to measure.
        name: of the peer.
        peer: ready to read.
    """
    truths = read_manifest(plan.folder)
    truths = truths[: plan.limit] if plan.limit else truths
    pages: dict[str, Tally] = {}
    lines: dict[str, Tally] = {}
    # What is loaded once is paid for before the clock runs: the first page, and the first line,
    # are read once more than they are timed.
    if plan.pages:
        peer.read_page(plan.folder / truths[0].image)
    for truth in truths if plan.pages else ():
        _add(pages, truth, plan.by, _measure_page(plan, peer, truth))
    peak = peer.peak_bytes() if plan.pages else 0
    warm = False
    for truth in truths if plan.lines else ():
        wanted, crops = _cut_lines(plan, truth)
        if crops and not warm:
            peer.read_crops(crops[:1])
            warm = True
        _add(lines, truth, plan.by, _measure_lines(plan, peer, wanted, crops))
    return PeerResult(name, peer.version(), peer.model_bytes(), peak, pages, lines)


def _measure_page(plan: BenchPlan, peer: Peer, truth: TruthPage) -> Tally:
    started = time.perf_counter()
    found = peer.read_page(plan.folder / truth.image)
    seconds = time.perf_counter() - started
    return score_page(truth, found, seconds=seconds, casefold=plan.casefold)


def _cut_lines(plan: BenchPlan, truth: TruthPage) -> tuple[list[TruthLine], list[RgbImage]]:
    """Cut out the horizontal lines of a page where they really are."""
    page = _page_image(plan.folder / truth.image)
    wanted = [
        line for line in truth.lines if not line.ignored and line.direction is Direction.HORIZONTAL
    ]
    return wanted, [crop_line(page, line.box) for line in wanted]


def _measure_lines(
    plan: BenchPlan, peer: Peer, wanted: Sequence[TruthLine], crops: Sequence[RgbImage]
) -> Tally:
    started = time.perf_counter()
    answers = peer.read_crops(crops) if crops else []
    tally = Tally(seconds=time.perf_counter() - started, pages=1)
    for line, (text, sure) in zip(wanted, answers, strict=True):
        tally += score_line(line.text, text, casefold=plan.casefold, confidence=sure)
    return tally


def _page_image(path: Path) -> RgbImage:
    return next(open_document(path.read_bytes())).image


def _add(tallies: dict[str, Tally], truth: TruthPage, by: str, tally: Tally) -> None:
    groups: Sequence[str] = ("", truth.groups.get(by, "other")) if by else ("",)
    for group in groups:
        tallies[group] = tallies.get(group, Tally()) + tally
