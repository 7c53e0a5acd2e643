"""The budget of memory holds while pages are read."""

from __future__ import annotations

import http.client
import io
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from PIL import Image, ImageDraw, ImageFont

from shizi.engine.memory import family, memory_bytes
from tests.program import Service, serving

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what processes share"),
]

BUDGET_BYTES = 300 << 20
CLIENTS = 8
LONG_S = 300.0


def drawn(width: int, height: int, text_px: int) -> bytes:
    """Draw a page full of small text: large pages, and maps of enlarged ones, cost the most."""
    page = Image.new("RGB", (width, height), "white")
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(text_px)
    for y in range(20, height - 2 * text_px, 6 * text_px):
        pen.text((20, y), f"Line {y}: the quick brown fox jumps over the dog. " * 2, "black", font)
    file = io.BytesIO()
    page.save(file, "JPEG", quality=90)
    return file.getvalue()


PAGES = [drawn(1500, 1980, 22), drawn(1200, 1600, 11), drawn(2200, 900, 30)]


def ask(service: Service, page: bytes) -> int:
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=LONG_S)
    with closing(connection):
        headers = {"Content-Type": "application/octet-stream"}
        connection.request("POST", "/ocr?timeout=300", page, headers)
        answer = connection.getresponse()
        answer.read()
        return answer.status


def test_all_processes_together_stay_within_the_budget(tmp_path: Path) -> None:
    with serving(tmp_path, "--memory-budget", "300MiB") as service:
        peak, over = 0, threading.Event()

        def watch() -> None:
            nonlocal peak
            while not over.is_set():
                peak = max(peak, sum(map(memory_bytes, family(service.process.pid))))
                time.sleep(0.1)

        watcher = threading.Thread(target=watch)
        watcher.start()
        with ThreadPoolExecutor(CLIENTS) as pool:
            statuses = list(pool.map(lambda page: ask(service, page), PAGES * 2))
        over.set()
        watcher.join()

    assert set(statuses) <= {200, 503}
    assert statuses.count(200) >= len(PAGES)
    assert 100e6 < peak <= BUDGET_BYTES
