"""What is in `deploy/` is sound, and says what the program does; nothing of it is run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from shizi.cli.main import VERBS
from shizi.core.config import load
from shizi.core.sections import JobSettings
from shizi.jobs.dispatcher import pace_of
from tests.program import ROOT

DEPLOY = ROOT / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))


def _run(program: str, *arguments: str | Path) -> None:
    beside = Path(sys.executable).with_name(program)
    found = str(beside) if beside.exists() else shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    done = subprocess.run(
        [found, *map(str, arguments)], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert done.returncode == 0, done.stdout + done.stderr


def _documents() -> list[dict[str, Any]]:
    return [doc for path in MANIFESTS for doc in yaml.safe_load_all(path.read_text()) if doc]


def _pods() -> dict[str, dict[str, Any]]:
    kinds = ("Deployment", "StatefulSet")
    return {
        doc["metadata"]["name"]: doc["spec"]["template"]["spec"]
        for doc in _documents()
        if doc["kind"] in kinds
    }


def test_style() -> None:
    _run("yamllint", "-c", DEPLOY / ".yamllint", "--strict", DEPLOY)


def test_the_image() -> None:
    _run("hadolint", DEPLOY / "Dockerfile")


def test_compose() -> None:
    _run("check-jsonschema", "--builtin-schema", "vendor.compose-spec", DEPLOY / "compose.yaml")


def test_manifests() -> None:
    _run("kubernetes-validate", "--strict", *MANIFESTS)


def test_nothing_runs_as_root_or_writes_to_its_image() -> None:
    pods = _pods()

    assert set(pods) == {"web", "worker", "redis", "postgres"}
    for pod in pods.values():
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["automountServiceAccountToken"] is False
        for container in pod["containers"]:
            context = container["securityContext"]
            assert context["readOnlyRootFilesystem"] is True
            assert context["allowPrivilegeEscalation"] is False
            assert "memory" in container["resources"]["limits"]
    image = (DEPLOY / "Dockerfile").read_text()
    assert re.search(r"^USER \d+", image, re.M)
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    assert all(services[name]["read_only"] for name in ("web", "worker", "redis"))


def test_every_setting_that_is_named_exists() -> None:
    texts = [path.read_text() for path in DEPLOY.rglob("*") if path.is_file()]
    named = {name for text in texts for name in re.findall(r"SHIZI_[A-Z_]+", text)}

    assert named
    # An unknown name, or one with a single underscore, stops the start.
    load(environ=dict.fromkeys(named - {"SHIZI_SERVER__LOG_FORMAT"}, "x"))


def test_every_command_that_is_started_exists() -> None:
    verbs = {verb.name for verb in VERBS}
    pods = _pods()
    started = {pods[name]["containers"][0]["args"][0] for name in ("web", "worker")}
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]
    started |= {services[name]["command"][0] for name in ("web", "worker")}
    started |= set(re.findall(r"shizi (\w+)", (DEPLOY / "Procfile").read_text()))

    assert started == {"serve", "worker"} <= verbs


def test_there_is_time_to_end_well() -> None:
    grace_s = load(environ={}).settings.server.timeout_s
    pods = _pods()
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"]

    for name in ("web", "worker"):
        assert pods[name]["terminationGracePeriodSeconds"] > grace_s + 5
        assert int(services[name]["stop_grace_period"].rstrip("s")) > grace_s + 5


def test_the_metric_that_workers_follow_is_served() -> None:
    scaled = [doc for doc in _documents() if doc["kind"] == "HorizontalPodAutoscaler"]
    metrics = [m["external"]["metric"]["name"] for doc in scaled for m in doc["spec"]["metrics"]
               if m["type"] == "External"]  # fmt: skip
    source = (ROOT / "src" / "shizi" / "server" / "jobmetrics.py").read_text()

    assert metrics
    assert all(f'"{name}"' in source for name in metrics)


def test_signs_of_life_come_well_within_the_lease() -> None:
    jobs = JobSettings()
    assert pace_of(jobs).beat_s <= jobs.lease_s / 3
