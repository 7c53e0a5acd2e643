"""Asks the service for long with pictures of ever new shapes, and tells whether its memory grows.

    python scripts/soak_service.py PICTURES --minutes 20 [--options "--memory-budget 300MiB"]

Every request carries a piece cut at random out of a page of PICTURES, scaled at random, as PNG,
JPEG, WebP, TIFF of several pages or PDF; one in twenty is damaged. Memory is the proportional set
size of all processes together, once a second. Its slope is that of a straight line through the
lowest value of each minute after a quarter of the time: what is kept, not what is just in work.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import statistics
import threading
import time
from collections import Counter
from pathlib import Path

from bench_service import SUFFIXES, free_port, post, running
from PIL import Image

KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "PDF")
DAMAGED = 0.05
WINDOW_S = 60.0


def picture(pages: list[Image.Image], chance: random.Random) -> bytes:
    """Make an upload that was never seen before."""
    page = chance.choice(pages)
    width = chance.randint(page.width // 6, page.width)
    height = chance.randint(page.height // 6, page.height)
    left, top = chance.randint(0, page.width - width), chance.randint(0, page.height - height)
    scale = chance.uniform(0.5, 1.5)
    piece = page.crop((left, top, left + width, top + height))
    piece = piece.resize((max(1, int(width * scale)), max(1, int(height * scale))))
    kind, file = chance.choice(KINDS), io.BytesIO()
    more = {"save_all": True, "append_images": [piece] * 2} if kind in {"TIFF", "PDF"} else {}
    piece.save(file, kind, **more)
    data = file.getvalue()
    return data[: len(data) // 2] if chance.random() < DAMAGED else data


def ask(port: int, data: bytes) -> tuple[int, float]:
    return post(port, data, {"Content-Type": "application/octet-stream"})


def slope_mib_h(samples: list[tuple[float, float]]) -> float:
    """Fit a line through the lowest value of each window; gives its slope."""
    after = samples[-1][0] / 4
    lowest: dict[int, tuple[float, float]] = {}
    for at_s, mb in samples:
        if at_s >= after:
            window = int(at_s // WINDOW_S)
            lowest[window] = min(lowest.get(window, (at_s, mb)), (at_s, mb), key=lambda s: s[1])
    hours = [at_s / 3600 for at_s, _ in lowest.values()]
    mib = [mb * 1e6 / (1 << 20) for _, mb in lowest.values()]
    return statistics.linear_regression(hours, mib).slope


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--options", default="")
    parser.add_argument("--log", type=Path, default=Path("build/soak.log"))
    args = parser.parse_args()
    args.log.parent.mkdir(exist_ok=True)
    pages = [
        Image.open(path).convert("RGB")
        for path in sorted(args.pictures.rglob("*"))
        if path.suffix.lower() in SUFFIXES
    ]
    port, statuses = free_port(), Counter[int]()
    own = ["-m", "shizi", "serve", "--port", str(port), "-q", *args.options.split()]
    with running("Shizi", own, port, args.log) as served:
        began = time.monotonic()
        end = began + 60 * args.minutes

        def client(number: int) -> None:
            chance = random.Random(number)
            while time.monotonic() < end:
                status, pause_s = ask(port, picture(pages, chance))
                statuses[status] += 1
                time.sleep(min(5.0, pause_s))

        threads = [threading.Thread(target=client, args=(k,)) for k in range(args.clients)]
        for thread in threads:
            thread.start()
        samples = []
        while any(thread.is_alive() for thread in threads):
            samples.append((time.monotonic() - began, served.memory_mb()))
            time.sleep(1.0)
    memory = [mb for _, mb in samples]
    result = {
        "minutes": args.minutes,
        "statuses": dict(statuses),
        "mean_mb": statistics.fmean(memory),
        "peak_mb": max(memory),
        "slope_mib_h": slope_mib_h(samples),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
