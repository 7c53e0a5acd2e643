"""Jobs and the real service: nothing is read twice or lost, whatever ends and is started again."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.test_hosts import draw_page
from tests.program import RECEIPT, ROOT, Service, environment, serving

pytestmark = pytest.mark.acceptance

PAGES = 10
_PATIENCE_S = 120


def _ask(service: Service, path: str) -> Any:
    with urllib.request.urlopen(service.url + path, timeout=30) as answer:
        return json.load(answer)


def _submit(service: Service, files: list[Path]) -> str:
    mark = uuid.uuid4().hex
    parts = []
    for path in files:
        head = (
            f'--{mark}\r\nContent-Disposition: form-data; name="file"; filename="{path.name}"\r\n'
            "Content-Type: image/png\r\n\r\n"
        )
        parts.append(head.encode() + path.read_bytes() + b"\r\n")
    request = urllib.request.Request(
        f"{service.url}/upload",
        b"".join(parts) + f"--{mark}--\r\n".encode(),
        {"Content-Type": f"multipart/form-data; boundary={mark}"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.status == 202
        return str(json.load(answer)["task_id"])


def _wait_for(service: Service, task: str, pages: int) -> Any:
    ends = time.monotonic() + _PATIENCE_S
    while time.monotonic() < ends:
        told = _ask(service, f"/status/{task}")
        if told["pages_done"] >= pages and (pages < PAGES or "results" in told):
            return told
        time.sleep(0.05)
    raise AssertionError(f"not read in time: {told}\n{service.log.read_text()[-3000:]}")


def _expect_each_once(service: Service, task: str) -> None:
    told = _wait_for(service, task, PAGES)
    assert told["status"] == "succeeded"
    assert [entry["name"] for entry in told["results"]] == [f"{k:03d}.png" for k in range(PAGES)]
    assert all(entry["success"] for entry in told["results"])


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pages")
    return [draw_page(folder / f"{k:03d}.png", k) for k in range(PAGES)]


def test_a_job_outlives_its_service_and_all_of_its_processes(
    tmp_path: Path, files: list[Path]
) -> None:
    settings = tmp_path / "shizi.yaml"
    folder = tmp_path / "kept"
    settings.write_text(f"jobs: {{folder: {folder}, lease_s: 2, chunk_files: 3}}\n")

    with serving(tmp_path) as service:
        task = _submit(service, files)
        _wait_for(service, task, 1)
        os.kill(service.pids("jobs")[0], signal.SIGKILL)
        _wait_for(service, task, 3)
        os.kill(service.pids("engine")[0], signal.SIGKILL)
        _wait_for(service, task, 5)
    # The service was told to stop in the middle of it; another goes on.
    with serving(tmp_path) as service:
        _expect_each_once(service, task)
        again = _submit(service, files)
        _wait_for(service, again, 1)
        service.process.kill()
    with serving(tmp_path) as service:
        _expect_each_once(service, again)
        ends = time.monotonic() + 20
        while any((folder / "spool").iterdir()) and time.monotonic() < ends:
            time.sleep(0.2)
        assert not any((folder / "spool").iterdir())
    shutil.rmtree(folder)


def test_without_a_folder_nothing_is_left(
    tmp_path: Path, files: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # A short path: the names of sockets may not be long.
    with tempfile.TemporaryDirectory(prefix="t-") as temporary:
        monkeypatch.setenv("TMPDIR", temporary)
        with serving(tmp_path) as service:
            _expect_each_once(service, _submit(service, files))
            _run_snippet_of_docs(service, tmp_path)
            assert any(Path(temporary).glob("shizi-*"))
        assert not any(Path(temporary).glob("shizi-*"))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["receipt.csv", "serve.log"]


def _run_snippet_of_docs(service: Service, folder: Path) -> None:
    """Run what `docs/jobs.md` shows of the client."""
    document = (ROOT / "docs" / "jobs.md").read_text(encoding="utf-8")
    (code,) = re.findall(r"^```python\n(.*?)^```$", document, re.M | re.S)
    code = code.replace("http://127.0.0.1:5000", service.url).replace(
        "examples/", f"{RECEIPT.parent}/"
    )
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        cwd=folder,
        env=environment(),
        stdout=subprocess.PIPE,
        timeout=_PATIENCE_S,
        check=True,
    )

    told = done.stdout.decode()
    assert told.startswith("succeeded 1\nreceipt.png 杭州西溪书店\n")
    assert "杭州西溪书店" in (folder / "receipt.csv").read_text(encoding="utf-8-sig")
