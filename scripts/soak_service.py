"""Asks the service for long with pictures of ever new shapes, and tells whether its memory grows.

    python scripts/soak_service.py PICTURES --minutes 20 [--options "--memory-budget 300MiB"]

Every request carries a piece cut at random out of a page of PICTURES, scaled at random, as PNG,
JPEG, WebP, TIFF of several pages or PDF; one in twenty is damaged. Memory is the proportional set
size of all processes together. Once a minute the clients wait, all of them, until the service has
come to rest: what it takes then is what it keeps, whatever was in work before. The slope is that of
a straight line through these values after a quarter of the time; what is taken under load is told
beside it, by quarters of the time.
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

from bench_service import SUFFIXES, Served, free_port, post, running
from PIL import Image

KINDS = ("PNG", "JPEG", "WEBP", "TIFF", "PDF")
DAMAGED = 0.05
LOAD_S = 50.0
# Longer than the service waits before it gives memory back.
REST_S = 10.0
LOOKS = 5


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
    """Fit a line through (seconds, megabytes) after a quarter of the time; gives its slope."""
    after = samples[-1][0] / 4
    late = [(at_s / 3600, mb * 1e6 / (1 << 20)) for at_s, mb in samples if at_s >= after]
    return statistics.linear_regression(*zip(*late, strict=True)).slope


def kept_mb(served: Served, turns: threading.Semaphore, clients: int) -> float:
    """Let all clients wait until the service rests; gives what it takes then."""
    for _ in range(clients):
        turns.acquire()
    time.sleep(REST_S)
    looks = []
    for _ in range(LOOKS):
        looks.append(served.memory_mb())
        time.sleep(0.2)
    for _ in range(clients):
        turns.release()
    return min(looks)


def quarters(samples: list[float]) -> list[float]:
    """Give the mean of each quarter of a series."""
    size = max(1, len(samples) // 4)
    return [round(statistics.fmean(samples[k : k + size]), 1) for k in range(0, 4 * size, size)]


def open_pages(folder: Path) -> list[Image.Image]:
    """Open the pictures of a folder and of those in it."""
    return [
        Image.open(path).convert("RGB")
        for path in sorted(folder.rglob("*"))
        if path.suffix.lower() in SUFFIXES
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pictures", type=Path)
    parser.add_argument("--minutes", type=float, default=20.0)
    parser.add_argument("--clients", type=int, default=4)
    parser.add_argument("--options", default="")
    parser.add_argument("--log", type=Path, default=Path("build/soak.log"))
    args = parser.parse_args()
    args.log.parent.mkdir(exist_ok=True)
    pages = open_pages(args.pictures)
    port, statuses = free_port(), Counter[int]()
    own = ["-m", "shizi", "serve", "--port", str(port), "-q", *args.options.split()]
    turns = threading.Semaphore(args.clients)
    kept, loaded = [], []
    with running("Shizi", own, port, args.log) as served:
        began = time.monotonic()
        end = began + 60 * args.minutes

        def client(number: int) -> None:
            chance = random.Random(number)
            while time.monotonic() < end:
                data = picture(pages, chance)
                with turns:
                    status, pause_s = ask(port, data)
                statuses[status] += 1
                time.sleep(min(5.0, pause_s))

        threads = [threading.Thread(target=client, args=(k,)) for k in range(args.clients)]
        for thread in threads:
            thread.start()
        while time.monotonic() < end:
            rest_at = time.monotonic() + LOAD_S
            while time.monotonic() < rest_at:
                loaded.append(served.memory_mb())
                time.sleep(1.0)
            kept.append((time.monotonic() - began, kept_mb(served, turns, args.clients)))
        for thread in threads:
            thread.join()
    result = {
        "minutes": args.minutes,
        "statuses": dict(statuses),
        "kept_mb": [round(mb, 1) for _, mb in kept],
        "slope_mib_h": round(slope_mib_h(kept), 2),
        "loaded_mb": quarters(loaded),
        "peak_mb": round(max(loaded), 1),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
