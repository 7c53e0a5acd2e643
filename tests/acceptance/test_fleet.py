"""Two versions serve at once: taken in, switched and let go under load, and one that fails."""

from __future__ import annotations

import http.client
import json
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from shizi.client import Client, Job
from shizi.models.manifest import Task
from shizi.models.store import DEFAULT_RECOGNIZER, ModelStore
from shizi.release.document import Document, Phase
from shizi.release.filestore import FileStore
from shizi.release.observations import Side
from shizi.release.plan import Plan
from tests.acceptance.test_faults import picture_of
from tests.program import RECEIPT, Service, serving
from tests.unit.models.makers import copy_of_bundled
from tests.waiting import LONG_S, until

pytestmark = pytest.mark.acceptance

STABLE = ModelStore().find(DEFAULT_RECOGNIZER, Task.RECOGNIZE).ref
CANARY = "crnn-s@9.1"
# Steps are this test's; the leader, who looks on, has no reason for any.
PLAN = Plan(
    step_s=1e6, step_requests=10**6, shadow_s=1e6, soak_s=1e6, patience_s=1e7, shadow_bp=10_000
)
SMALL = picture_of("Two versions read this")


class Release:
    """A service with a canary installed beside its bundled model, and the state of its release."""

    def __init__(self, service: Service, store: FileStore) -> None:
        self.service, self.store = service, store

    def set(self, phase: Phase, ratio_bp: int = 0) -> None:
        """Change the state by hand; the leader may have written meanwhile, and is written over."""
        before = self.store.read()
        document = before or Document(
            epoch=1, release_id="r1", stable=STABLE, canary=CANARY, plan=PLAN
        )
        epoch = before.epoch if before else 0
        document = replace(
            document, epoch=epoch + 1, phase=phase, ratio_bp=ratio_bp, held=None, by_hand=False
        )
        self.store.swap(epoch, document)

    def ask(self, picture: bytes = SMALL, **headers: str) -> tuple[int, dict[str, Any], str]:
        """Post a picture; gives the status, the answer and the version that read it."""
        connection = http.client.HTTPConnection(urlsplit(self.service.url).netloc, timeout=LONG_S)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        try:
            connection.request(
                "POST", "/ocr", picture, {"Content-Type": "application/octet-stream", **named}
            )
            answer = connection.getresponse()
            content = json.loads(answer.read())
            return answer.status, content, answer.headers.get("X-Model-Version", "")
        finally:
            connection.close()

    def get(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(urlsplit(self.service.url).netloc, timeout=LONG_S)
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()

    def engines(self) -> dict[str, dict[str, Any]]:
        """Give what `/v1/models` tells of each version that has an engine."""
        models = json.loads(self.get("/v1/models"))["models"]
        return {f"{m['name']}@{m['version']}": m["engine"] for m in models if "engine" in m}


@contextmanager
def releasing(
    folder: Path, damage: Callable[[Path], None] = lambda _: None, *, jobs: bool = False
) -> Iterator[Release]:
    """Serve with a second version installed, which may be damaged first."""
    copy_of_bundled(folder / "models" / CANARY, "9.1")
    damage(folder / "models" / CANARY)
    config = folder / "shizi.yaml"
    config.write_text(
        f"paths: {{models: {folder / 'models'}}}\nreleases: {{store: {folder / 'release'}}}\n"
        f"jobs: {{enabled: {str(jobs).lower()}}}\n"
    )
    (folder / "release").mkdir()
    with serving(folder, "--config", str(config)) as service:
        yield Release(service, FileStore(folder / "release"))


def ready(release: Release, version: str = CANARY) -> bool:
    return release.engines().get(version, {}).get("state") == "ready"


class Load:
    """Clients that ask without pause, each under a name of its own, until the block ends."""

    def __init__(self, release: Release, clients: int) -> None:
        self.release = release
        self.answers: list[tuple[int, str]] = []
        self._over = threading.Event()
        self._clients = clients

    def __enter__(self) -> Load:
        self._pool = ThreadPoolExecutor(self._clients)
        self._futures = [self._pool.submit(self._run, k) for k in range(self._clients)]
        return self

    def _run(self, k: int) -> None:
        turn = 0
        while not self._over.is_set():
            turn += 1
            status, content, version = self.release.ask(X_Route_Key=f"{k} {turn}")
            if status == 200:
                assert "Two versions" in content["text"]
                assert version == f"{content['model']['name']}@{content['model']['version']}"
            self.answers.append((status, version))

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for future in self._futures:
            future.result(LONG_S)
        self._pool.shutdown()

    def versions_of_next(self, count: int) -> Counter[str]:
        """Wait for more answers; gives the versions that read them."""
        before = len(self.answers)
        until(lambda: len(self.answers) >= before + count)
        return Counter(version for _, version in self.answers[before:])


def test_a_whole_release_under_load_costs_no_answer(tmp_path: Path) -> None:
    with releasing(tmp_path) as release, Load(release, 3) as load:
        assert set(load.versions_of_next(3)) == {STABLE}
        release.set(Phase.LOADING)
        until(lambda: ready(release))
        release.set(Phase.CANARY, 3_000)
        time.sleep(2.0)
        some = load.versions_of_next(30)
        release.set(Phase.CANARY, 10_000)
        time.sleep(2.0)
        most = load.versions_of_next(12)
        release.set(Phase.PROMOTED, 10_000)
        until(lambda: STABLE not in release.engines())
        last = load.versions_of_next(6)
        assert release.engines()[CANARY] == {"state": "ready", "default": True, "error": ""}
        # Back again: the next release takes the old version in anew.
        document = release.store.read()
        assert document is not None
        back = Document(
            epoch=document.epoch + 1, release_id="r2", stable=CANARY, canary=STABLE, plan=PLAN
        )
        release.store.swap(document.epoch, back)
        until(lambda: ready(release, STABLE))
        release.set(Phase.ROLLED_BACK)
        until(lambda: STABLE not in release.engines())
        assert set(load.versions_of_next(3)) == {CANARY}
    metrics = release.get("/metrics") if release.service.process.poll() is None else b""

    assert {status for status, _ in load.answers} == {200}
    assert len(load.answers) > 50
    assert set(some) == {STABLE, CANARY}
    assert set(most) == set(last) == {CANARY}
    assert b"Traceback" not in release.service.log.read_bytes()
    assert metrics == b"" or b'version="9.1"' in metrics


def test_a_canary_that_crashes_costs_no_answer_and_is_given_up(tmp_path: Path) -> None:
    with releasing(tmp_path) as release:
        release.set(Phase.LOADING)
        until(lambda: ready(release))
        release.set(Phase.CANARY, 10_000)
        until(lambda: release.ask(X_Route_Key="x")[2] == CANARY)
        over = threading.Event()

        def kill() -> None:
            (first, *_) = release.service.pids("engine")
            while not over.wait(0.3):
                for pid in release.service.pids("engine"):
                    if pid != first:
                        os.kill(pid, signal.SIGKILL)

        killer = threading.Thread(target=kill)
        with Load(release, 3) as load:
            load.versions_of_next(3)
            killer.start()
            load.versions_of_next(30)
            # Three ends of its engine, or eight failures, and nobody is sent there any more.
            until(lambda: set(load.versions_of_next(3)) == {STABLE})
        over.set()
        killer.join()
        until(lambda: any(s.tripped for s in release.store.snapshots("r1")))
        document = release.store.read()

    assert {status for status, _ in load.answers} == {200}
    assert document is not None
    assert b"nothing goes to the canary any more" in release.service.log.read_bytes()


def _tamper(folder: Path) -> None:
    model = folder / "model.onnx"
    data = bytearray(model.read_bytes())
    data[len(data) // 2] ^= 1
    model.write_bytes(data)


def test_a_tampered_model_is_not_taken_into_service(tmp_path: Path) -> None:
    with releasing(tmp_path, _tamper) as release, Load(release, 1) as load:
        release.set(Phase.LOADING)
        until(lambda: release.engines().get(CANARY, {}).get("state") == "failed")
        assert "is not the file of its manifest" in release.engines()[CANARY]["error"]
        until(lambda: release.store.read().phase is Phase.ROLLED_BACK)  # type: ignore[union-attr]
        until(lambda: CANARY not in release.engines())
        load.versions_of_next(2)

    assert set(load.answers) == {(200, STABLE)}


def test_shadow_readings_are_counted_and_seen_by_nobody(tmp_path: Path) -> None:
    with releasing(tmp_path) as release:
        release.set(Phase.LOADING)
        until(lambda: ready(release))
        release.set(Phase.SHADOW)
        time.sleep(1.5)
        answers = [release.ask(RECEIPT.read_bytes()) for _ in range(3)]

        def shadowed() -> bool:
            told = release.store.snapshots("r1")
            return sum(snapshot.tally(Side.SHADOW).ok for snapshot in told) >= 3

        until(shadowed)
        told = [s for s in release.store.snapshots("r1") if s.tally(Side.SHADOW).ok]
        log = release.service.log.read_text(encoding="utf-8")
        kept = [path for path in (tmp_path / "release").rglob("*") if path.is_file()]

        assert {version for _, _, version in answers} == {STABLE}
        shadow = told[0].tally(Side.SHADOW)
        assert shadow.agreement == shadow.compared > 0
        assert told[0].tally(Side.TWIN).ok == shadow.ok
        assert "西溪" not in log
        assert not any(
            "西溪" in path.read_text(encoding="utf-8", errors="replace") for path in kept
        )


def test_a_job_keeps_its_version_until_that_is_gone(tmp_path: Path) -> None:
    with releasing(tmp_path, jobs=True) as release:
        jobs = Client(release.service.url, timeout_s=LONG_S).jobs

        def route(ratio_bp: int, version: str) -> None:
            release.set(Phase.CANARY, ratio_bp)
            until(lambda: release.ask()[2] == version)

        def read_by(job: Job) -> list[str]:
            pages = [result.page for result in jobs.results(job)]
            assert all(page is not None and "Two versions" in page.text for page in pages)
            return [f"{page.model}@{page.version}" for page in pages if page is not None]

        release.set(Phase.LOADING)
        until(lambda: ready(release))
        route(10_000, CANARY)
        kept = jobs.submit([SMALL] * 12)
        route(0, STABLE)
        new = jobs.submit([SMALL] * 2)
        until(lambda: jobs.find(kept).ended and jobs.find(new).ended)
        route(10_000, CANARY)
        long = jobs.submit([SMALL] * 400)
        until(lambda: jobs.find(long).pages_done)
        release.set(Phase.ROLLED_BACK)
        until(lambda: read_by(long)[-1] == STABLE)
        # A job that goes on does not hold the engine of a version that is not used any more.
        until(lambda: CANARY not in release.engines())
        ended = jobs.cancel(long)

        assert read_by(kept) == [CANARY] * 12
        assert read_by(new) == [STABLE] * 2
        assert set(read_by(long)) == {CANARY, STABLE}
        assert read_by(long)[0] == CANARY
        assert ended.files_failed == 0
    assert b"Traceback" not in release.service.log.read_bytes()
