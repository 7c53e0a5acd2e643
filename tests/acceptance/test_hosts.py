"""Several hosts, and everything that can happen to them: each page is in the results once."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from tests.hosts import LEASE_S, Cluster, cluster, missing

pytestmark = [pytest.mark.acceptance, pytest.mark.slow]

PAGES = 8


@pytest.fixture(scope="module")
def hosts(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    pytest.importorskip("celery", reason="celery is not installed")
    pytest.importorskip("psycopg", reason="psycopg is not installed")
    if reason := missing():
        pytest.skip(reason)
    with cluster(tmp_path_factory.mktemp("hosts"), disk_megabytes=16, chunk_files=2) as running:
        yield running


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("pages")
    return [draw_page(folder / f"{k:03d}.png", k) for k in range(PAGES)]


def draw_page(path: Path, number: int) -> Path:
    """Draw a small page with a few words."""
    page = Image.new("L", (400, 120), 255)
    ImageDraw.Draw(page).text((20, 40), f"page number {number}", 0, font_size=24)
    page.save(path)
    return path


def _expect_each_once(hosts: Cluster, job_id: str) -> None:
    hosts.wait_for_end(job_id)
    assert hosts.job(job_id)["status"] == "succeeded", hosts.logs()
    assert hosts.job(job_id)["files_failed"] == 0
    assert hosts.results(job_id) == [(f"{k:03d}.png", 1) for k in range(PAGES)]


def test_duplicate_submissions_at_once(hosts: Cluster, files: list[Path]) -> None:
    ids: list[str] = []
    threads = [
        threading.Thread(target=lambda: ids.append(hosts.submit(files, "one-key")))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(ids)) == 1
    _expect_each_once(hosts, ids[0])


def test_a_worker_is_killed(hosts: Cluster, files: list[Path]) -> None:
    job = hosts.submit(files)
    hosts.wait_for(job, 1)
    hosts.kill(hosts.workers[0])

    _expect_each_once(hosts, job)
    hosts.start_worker(hosts.workers[0])


def test_a_worker_is_cut_off(hosts: Cluster, files: list[Path]) -> None:
    job = hosts.submit(files)
    hosts.wait_for(job, 1)
    hosts.workers[1].cut()
    threading.Event().wait(LEASE_S + 2)
    hosts.workers[1].join()

    _expect_each_once(hosts, job)


def test_the_broker_is_lost_with_all_its_messages(hosts: Cluster, files: list[Path]) -> None:
    job = hosts.submit(files)
    hosts.wait_for(job, 1)
    hosts.broker.kill()
    threading.Event().wait(1)
    hosts.broker.start()

    _expect_each_once(hosts, job)


def test_the_database_is_lost_for_a_while(hosts: Cluster, files: list[Path]) -> None:
    job = hosts.submit(files)
    hosts.wait_for(job, 1)
    hosts.database.kill()
    threading.Event().wait(1)
    hosts.database.start()

    _expect_each_once(hosts, job)


def test_the_disk_is_full(hosts: Cluster, files: list[Path]) -> None:
    job = hosts.submit(files)
    filling = hosts.spool / "filling"
    filling.write_bytes(bytes(shutil.disk_usage(hosts.spool).free))

    try:
        assert hosts.submit(files) == "out_of_space"
        _expect_each_once(hosts, job)
    finally:
        filling.unlink()
    _expect_each_once(hosts, hosts.submit(files))


def test_the_service_is_killed_and_comes_back(hosts: Cluster, files: list[Path]) -> None:
    job = hosts.submit(files)
    hosts.wait_for(job, 1)
    hosts.kill(hosts.web)
    hosts.start_service()

    _expect_each_once(hosts, job)
