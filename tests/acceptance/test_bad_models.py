"""Versions that pass their verification and are bad all the same, under real traffic."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.program import serving
from tests.releasing import ask, follow, traffic
from tests.versions import BAD, BUNDLED, make_version

pytestmark = [pytest.mark.acceptance, pytest.mark.torch]
pytest.importorskip("onnx", reason="the extra train is not installed")

PLAN = {
    "shares_bp": [5_000, 10_000],
    "step_s": 1,
    "step_requests": 25,
    "shadow_bp": 0,
    "shadow_s": 0,
    "shadow_requests": 0,
    "soak_s": 1,
}
GUARDS = {"latency_requests": 10, "quality_requests": 10, "confidence_z": 2, "sustained": 2}
EXPECTED = {
    "crashes": {"breaker", "failures", "failure_rate"},
    "slow": {"median_seconds", "slowest_seconds"},
    "empty": {"empty"},
    "garbled": {"garbled", "confidence", "agreement"},
}


@pytest.mark.parametrize("fault", BAD)
def test_a_bad_version_is_rolled_back_by_itself(fault: str, tmp_path: Path) -> None:
    """No request fails meanwhile, whatever the version does."""
    bad = make_version(tmp_path / "models", "9.1", fault)
    (tmp_path / "shizi.yaml").write_text(
        f"releases: {{store: {tmp_path}/store}}\n"
        f"paths: {{models: {tmp_path}/models}}\n"
        "model_routing: {check_interval_seconds: 0.5}\n"
        f"reader: {{recognizer: {BUNDLED}}}\n"
    )
    # One client: a slow version must not slow the stable one by what it takes of the processors.
    with serving(tmp_path) as service, traffic(service.url, clients=1) as flow:
        # What is garbled need not look so, but it agrees with nobody.
        shadow = {"shadow_bp": 10_000} if fault == "garbled" else {}
        order = {"canary": bad, "plan": PLAN | shadow, "guards": GUARDS}
        status, content = ask(service.url, "/v1/releases", order)
        assert status == 201, content
        ended = follow(service.url, {"rolled_back", "promoted"})

    assert ended["release"]["phase"] == "rolled_back", ended["log"]
    reason = ended["release"]["reason"]
    assert reason.partition(":")[0] in EXPECTED[fault], reason
    assert [entry["phase"] for entry in ended["log"]][1:3] == ["verify", "shadow"]
    assert set(flow.statuses) == {200}, flow.statuses
    assert flow.versions[BUNDLED] > 10
