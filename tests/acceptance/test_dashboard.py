"""The dashboard asks for series that a running service gives, and for all of them."""

from __future__ import annotations

import json
import re
import urllib.request

import pytest

from tests.program import RECEIPT, ROOT, Service

pytestmark = pytest.mark.acceptance

_SUFFIX = re.compile(r"_(bucket|sum|count|total|created)$")


def test_every_series_is_shown_and_every_shown_series_is_there(service: Service) -> None:
    post = urllib.request.Request(f"{service.url}/ocr", RECEIPT.read_bytes())
    post.add_header("Content-Type", "image/png")
    urllib.request.urlopen(post, timeout=60).close()
    with urllib.request.urlopen(f"{service.url}/metrics", timeout=60) as answer:
        text = answer.read().decode()
    given = {_SUFFIX.sub("", n) for n in re.findall(r"^# TYPE (shizi_\w+)", text, re.MULTILINE)}
    dashboard = json.loads((ROOT / "docs" / "grafana.json").read_text(encoding="utf-8"))
    shown = {
        _SUFFIX.sub("", name)
        for panel in dashboard["panels"]
        for target in panel["targets"]
        for name in re.findall(r"shizi_\w+", target["expr"])
    }

    assert shown <= given
    assert given - shown == {"shizi_batch_seconds"}
