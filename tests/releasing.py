"""A real service under real traffic while a release goes on, for tests and the demonstration."""

from __future__ import annotations

import io
import json
import random
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image, ImageDraw, ImageFont

_FONT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")
_WORDS = "发票 合计 北京市 数量 单价 Total 收款人 No. 电话 日期 出口 校验码".split()
_LONG_S = 120.0


def draw_picture(chance: random.Random) -> bytes:
    """Draw two or three short lines; reading them takes tenths of a second."""
    image = Image.new("RGB", (300, 130), "white")
    draw = ImageDraw.Draw(image)
    font = ImageFont.truetype(str(_FONT), 26)
    for row in range(chance.choice((2, 3))):
        text = f"{chance.choice(_WORDS)} {chance.randrange(10, 999)}"
        draw.text((16, 10 + 38 * row), text, font=font, fill="black")
    content = io.BytesIO()
    image.save(content, "PNG")
    return content.getvalue()


def ask(url: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, Any]:
    """Ask the service for releases; gives the status and the content."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url + path, data, {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@dataclass
class Traffic:
    """Clients that read pictures one after another, each time as another user."""

    url: str
    pause_s: float = 0.0
    statuses: Counter[int] = field(default_factory=Counter)
    versions: Counter[str] = field(default_factory=Counter)
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, seed: int) -> None:
        chance = random.Random(seed)
        pictures = [draw_picture(chance) for _ in range(12)]
        n = 0
        while not self._stop.wait(self.pause_s):
            n += 1
            self.read(pictures[n % len(pictures)], f"user-{seed}-{n}")

    def read(self, picture: bytes, user: str) -> None:
        headers = {"Content-Type": "image/png", "X-Route-Key": user}
        request = urllib.request.Request(f"{self.url}/ocr", picture, headers)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                answer.read()
                self.statuses[answer.status] += 1
                self.versions[answer.headers["X-Model-Version"]] += 1
        except urllib.error.HTTPError as error:
            with error:
                self.statuses[error.code] += 1
        except OSError:
            self.statuses[0] += 1

    def stop(self) -> None:
        self._stop.set()


@contextmanager
def traffic(url: str, clients: int = 2, pause_s: float = 0.0) -> Iterator[Traffic]:
    """Let clients read until the block ends."""
    flow = Traffic(url, pause_s)
    threads = [threading.Thread(target=flow.run, args=(n,)) for n in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield flow
    finally:
        flow.stop()
        for thread in threads:
            thread.join()


def follow(
    url: str,
    phases: set[str],
    tell: Callable[[dict[str, Any]], None] = lambda _: None,
    most_s: float = _LONG_S,
) -> dict[str, Any]:
    """Watch a release until it is in one of these phases; `tell` is given each new state."""
    end = time.monotonic() + most_s
    epoch = 0
    content: dict[str, Any] = {}
    while time.monotonic() < end:
        status, content = ask(url, "/v1/releases")
        if status == 200 and content["release"]["epoch"] != epoch:
            epoch = content["release"]["epoch"]
            tell(content)
        if status == 200 and content["release"]["phase"] in phases:
            return content
        time.sleep(0.2)
    raise AssertionError(f"not in {phases} after {most_s:.0f} s: {content}")
