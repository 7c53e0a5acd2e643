"""Measure `shizi batch` beside a plain loop and RapidOCR, on made-up invoices.

    python scripts/bench_batch.py                     # 1,000 invoices, all contestants
    python scripts/bench_batch.py --pages 100 --who batch,rapidocr
    python scripts/bench_batch.py --soak 10000        # memory of the whole run, over many files
    python scripts/bench_batch.py --first REV         # the loop of an older version, too

Contestants, each in processes of its own, one after another over the same files:

    batch     `shizi batch`, JSON results, workers as it chooses them
    balanced  the same with `--effort balanced`
    small     the same as `batch` with `--detector dbnet-s`
    loop      one process, one file after another, `Reader()` as it comes
    first     the same loop with the source of a revision of the project's history
    rapidocr  one process, one file after another, as its makers ship it, as many threads

Memory is the proportional set size of all processes of a contestant together, looked at four times
a second.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from invoices import draw_slip, make_invoices

from shizi.bench.score import Tally, read_manifest, score_page
from shizi.core.types import TextLine
from shizi.engine.budget import measure_budget
from shizi.engine.memory import family, memory_bytes
from shizi.formats import dict_to_pages
from shizi.models.store import SMALL_DETECTOR

ROOT = Path(__file__).resolve().parent.parent
SEED = 20260926
LOOK_S = 0.25
# What `shizi batch` is told beside where and what to read.
BATCHES = {
    "batch": (),
    "balanced": ("--effort", "balanced"),
    "small": ("--detector", SMALL_DETECTOR),
}


@dataclass
class Watched:
    """What a program took.

    Attributes:
        wall_s: from its start to its end.
        cpu_s: of all its processes.
        samples: (seconds, bytes) of all its processes together.
    """

    wall_s: float = 0.0
    cpu_s: float = 0.0
    samples: list[tuple[float, int]] = field(default_factory=list)

    @property
    def peak(self) -> int:
        """Most of all processes together, in bytes."""
        return max((size for _, size in self.samples), default=0)

    def tenths(self) -> list[float]:
        """Mean of each tenth of the time, in bytes."""
        found = [
            [size for at_s, size in self.samples if int(10 * at_s / self.wall_s) == k]
            for k in range(10)
        ]
        return [sum(sizes) / max(1, len(sizes)) for sizes in found]

    def slope(self, share: float = 0.2) -> float:
        """Bytes an hour by least squares, leaving out the first part of the run."""
        late = [s for s in self.samples if s[0] >= share * self.wall_s]
        mean_t = sum(t for t, _ in late) / len(late)
        mean_b = sum(b for _, b in late) / len(late)
        spread = sum((t - mean_t) ** 2 for t, _ in late)
        return 3600 * sum((t - mean_t) * (b - mean_b) for t, b in late) / spread


@contextmanager
def watching(process: subprocess.Popen[str]) -> Iterator[Watched]:
    watched, over = Watched(), threading.Event()
    started = time.monotonic()

    def look() -> None:
        while not over.wait(LOOK_S):
            size = sum(map(memory_bytes, family(process.pid)))
            if size:
                watched.samples.append((time.monotonic() - started, size))

    thread = threading.Thread(target=look)
    thread.start()
    before = os.times()
    try:
        yield watched
    finally:
        over.set()
        thread.join()
        after = os.times()
        watched.wall_s = time.monotonic() - started
        watched.cpu_s = sum(after[2:4]) - sum(before[2:4])


LOOP = """
import json, os, sys, time
from shizi import Reader
folder, limit = sys.argv[1], int(sys.argv[2])
names = sorted(n for n in os.listdir(folder) if n.endswith((".png", ".jpg")))[:limit]
reader = Reader()
reader.read(os.path.join(folder, names[0]))
started = time.monotonic()
for name in names:
    pages = reader.read(os.path.join(folder, name))
    lines = [[l.text, [list(p) for p in l.box.points]] for p in pages for l in p.lines]
    print(json.dumps([name, lines]))
print(json.dumps(["", time.monotonic() - started]))
"""
RAPIDOCR = """
import json, os, sys, time
from pathlib import Path
from shizi.bench.peers import open_peer
folder, limit, threads = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
names = sorted(p.name for p in folder.iterdir() if p.suffix in (".png", ".jpg"))[:limit]
peer = open_peer("rapidocr", threads)
peer.read_page(folder / names[0])
started = time.monotonic()
for name in names:
    lines = [[l.text, [list(p) for p in l.box.points]] for l in peer.read_page(folder / name)]
    print(json.dumps([name, lines]))
print(json.dumps(["", time.monotonic() - started]))
"""


@dataclass
class Result:
    """What a contestant did.

    Attributes:
        name: of the contestant.
        pages: it read.
        seconds: it took, without its start.
        watched: what it took.
        tally: how well it read.
        steady: pages a second once all workers read; 0 where that is the same.
    """

    name: str
    pages: int
    seconds: float
    watched: Watched
    tally: Tally
    steady: float = 0.0

    def to_dict(self) -> dict[str, object]:
        """Give it as a row of a report."""
        return {
            "name": self.name,
            "pages": self.pages,
            "pages_per_s": round(self.pages / self.seconds, 3),
            "steady_pages_per_s": round(self.steady or self.pages / self.seconds, 3),
            "seconds": round(self.seconds, 1),
            "wall_s": round(self.watched.wall_s, 1),
            "cpu_s_per_page": round(self.watched.cpu_s / self.pages, 3),
            "peak_mb": round(self.watched.peak / 1e6),
            "cer_percent": round(100 * self.tally.cer, 3),
            "lines_exact_percent": round(100 * self.tally.exact_rate, 2),
            "recall_percent": round(100 * self.tally.recall, 2),
        }


def run_script(
    name: str, code: str, folder: Path, pages: int, source: Path = ROOT / "src", *more: str
) -> Result:
    """Run a loop in a process of its own and score what it prints."""
    command = [sys.executable, "-c", code, str(folder), str(pages), *more]
    environment = os.environ | {"PYTHONPATH": str(source)}
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(command, stdout=out, text=True, env=environment)
        with watching(process) as watched:
            status = process.wait()
        if status:
            raise SystemExit(f"{name} ended with status {status}")
        out.seek(0)
        rows = [json.loads(line) for line in out]
    seconds = rows.pop()[1]
    read = {image: [(text, box) for text, box in lines] for image, lines in rows}
    return Result(name, len(rows), seconds, watched, _score(folder, read))


def run_batch(name: str, folder: Path, pages: int, out: Path, workers: str) -> Result:
    """Run a batch of `BATCHES` on the first pages of a folder; its start and its end count."""
    chosen = out.parent / "chosen"
    shutil.rmtree(chosen, ignore_errors=True)
    chosen.mkdir(parents=True)
    for page in read_manifest(folder)[:pages]:
        (chosen / page.image).hardlink_to(folder / page.image)
    shutil.rmtree(out, ignore_errors=True)
    watched, status = watch_batch([str(chosen)], out, workers, "-f", "json", *BATCHES[name])
    if status:
        raise SystemExit(f"batch ended with status {status}")
    read = {}
    for file in out.glob("*.json"):
        lines = [line for page in dict_to_pages(json.loads(file.read_text())) for line in page]
        read[file.name.removesuffix(".json")] = [(line.text, line.box.points) for line in lines]
    tally, steady = _score(folder, read), _steady(out)
    return Result(name, len(read), watched.wall_s, watched, tally, steady)


def _steady(out: Path) -> float:
    """Give the rate from a few results after the first one to the last."""
    times = sorted(file.stat().st_mtime for file in out.glob("*.json"))[4:]
    return (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 else 0.0


def watch_batch(inputs: Sequence[str], out: Path, workers: str, *more: str) -> tuple[Watched, int]:
    command = [sys.executable, "-m", "shizi", "batch", *inputs, "-o", str(out), *more]
    command += ["--workers", workers]
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src")}
    process = subprocess.Popen(command, text=True, env=environment)
    with watching(process) as watched:
        status = process.wait()
    return watched, status


def _score(folder: Path, read: dict[str, list[tuple[str, Any]]]) -> Tally:
    from shizi.core.types import Quad  # noqa: PLC0415

    tally = Tally()
    for page in read_manifest(folder):
        if page.image in read:
            lines = [
                TextLine(text, 1.0, Quad(tuple((x, y) for x, y in box)))
                for text, box in read[page.image]
            ]
            tally += score_page(page, lines)
    return tally


@contextmanager
def checked_out(revision: str) -> Iterator[Path]:
    """Give the source of a revision."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(
            ["git", "worktree", "add", "--detach", folder + "/first", revision],
            cwd=ROOT,
            check=True,
            capture_output=True,
        )
        try:
            yield Path(folder) / "first" / "src"
        finally:
            subprocess.run(
                ["git", "worktree", "remove", "--force", folder + "/first"], cwd=ROOT, check=True
            )


def soak(folder: Path, count: int, workers: str) -> dict[str, object]:
    """Read very many small slips and look at the memory of the whole run."""
    slips = folder / f"slips-{count}"
    if not slips.exists():
        slips.mkdir(parents=True)
        with ThreadPoolExecutor(2) as pool:
            list(pool.map(lambda k: draw_slip(slips, SEED, k), range(count)))
    out = folder / "soak-out"
    shutil.rmtree(out, ignore_errors=True)
    # Whoever pauses a long run to let others measure must not make its pages late.
    more = ("-f", "txt", "--timeout", "86400")
    watched, status = watch_batch([str(slips)], out, workers, *more)
    results = sum(1 for _ in out.rglob("*.txt"))
    return {
        "status": status,
        "files": count,
        "results": results,
        "files_per_s": round(count / watched.wall_s, 2),
        "peak_mb": round(watched.peak / 1e6, 1),
        "slope_mb_per_hour": round(watched.slope() / 1e6, 1),
        "slope_kb_per_1000_files": round(
            watched.slope() / 3600 * watched.wall_s / count * 1000 / 1e3, 1
        ),
        "mean_mb_by_tenths": [round(size / 1e6, 1) for size in watched.tenths()],
    }


def contest(name: str, pictures: Path, pages: int, workers: str) -> Result:
    """Let a contestant read the first pages of a folder."""
    if name in BATCHES:
        return run_batch(name, pictures, pages, pictures.parent / "out", workers)
    if name == "loop":
        return run_script(name, LOOP, pictures, pages)
    if name == "rapidocr":
        threads = str(measure_budget().threads)
        return run_script(name, RAPIDOCR, pictures, pages, ROOT / "src", threads)
    raise SystemExit(f"no contestant {name}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=1000)
    parser.add_argument("--who", default="batch,balanced,loop,rapidocr")
    parser.add_argument("--workers", default="auto")
    parser.add_argument("--first", metavar="REV", help="of the project's history")
    parser.add_argument("--soak", type=int, default=0, metavar="FILES")
    parser.add_argument("--folder", type=Path, default=ROOT / "runs" / "invoices")
    args = parser.parse_args()
    if args.soak:
        print(json.dumps(soak(args.folder, args.soak, args.workers), indent=1))
        return
    pictures = args.folder / str(args.pages)
    if not (pictures / "manifest.jsonl").exists():
        for number in make_invoices(pictures, SEED, args.pages):
            if number % 100 == 99:
                print(f"{number + 1} drawn", file=sys.stderr)
    for name in args.who.split(","):
        result = contest(name, pictures, args.pages, args.workers)
        print(json.dumps(result.to_dict()), flush=True)
    if args.first:
        with checked_out(args.first) as source:
            result = run_script(f"first ({args.first})", LOOP, pictures, args.pages, source)
        print(json.dumps(result.to_dict()), flush=True)


if __name__ == "__main__":
    main()
