"""A release of a real service, led by its settings file and by hand, without one failed request."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from tests.program import serving
from tests.releasing import Traffic, ask, follow, traffic
from tests.versions import BUNDLED, make_version

pytestmark = pytest.mark.acceptance

PLAN = {
    "shares_bp": [1_000, 10_000],
    "step_s": 600,
    "shadow_bp": 0,
    "shadow_s": 0,
    "shadow_requests": 0,
}
_SOON_S = 20.0


def test_the_file_and_people_move_a_release(tmp_path: Path) -> None:
    good = make_version(tmp_path / "models", "9.1")
    file = tmp_path / "shizi.yaml"
    rest = (
        f"releases: {{store: {tmp_path}/store}}\n"
        f"paths: {{models: {tmp_path}/models}}\n"
        f"reader: {{recognizer: {BUNDLED}}}\n"
    )

    def wish(routing: str) -> None:
        file.write_text(f"{rest}model_routing: {{check_interval_seconds: 0.5{routing}}}\n")

    wish("")
    with serving(tmp_path) as service, traffic(service.url, clients=1, pause_s=0.02) as flow:
        status, content = ask(service.url, "/v1/releases", {"canary": good, "plan": PLAN})
        assert status == 201, content
        follow(service.url, {"canary"})
        wish(", gray_scale_ratio: 0.5")
        assert follow(service.url, {"hold"})["release"]["ratio_bp"] == 5_000
        file.write_text(f"{rest}model_routing: {{gray_scale_ratio: 9}}\n")
        _said_in_log(service.log, "must be from 0.0 to 1.0")
        _answered_by(flow, good)
        wish("")
        assert follow(service.url, {"canary"})["release"]["ratio_bp"] == 5_000
        assert ask(service.url, "/v1/releases/promote", {})[0] == 200
        _answered_by(flow, good, alone=True)
        assert ask(service.url, "/v1/releases/rollback", {})[0] == 200
        _answered_by(flow, BUNDLED, alone=True)

    assert set(flow.statuses) == {200}, flow.statuses


def _said_in_log(log: Path, words: str) -> None:
    """Wait until the service has said something: it looks at its settings now and then."""
    end = time.monotonic() + _SOON_S
    while time.monotonic() < end:
        if words in log.read_text():
            return
        time.sleep(0.1)
    raise AssertionError(f"the log does not say {words!r}")


def _answered_by(flow: Traffic, version: str, *, alone: bool = False) -> None:
    """Wait for three answers of a version; alone, with none of another among them."""
    end = time.monotonic() + _SOON_S
    flow.versions.clear()
    while time.monotonic() < end:
        time.sleep(0.1)
        seen = dict(flow.versions)
        if alone and set(seen) - {version}:
            flow.versions.clear()
        elif seen.get(version, 0) >= 3:
            return
    raise AssertionError(f"{version} answers not: {dict(flow.versions)}")
