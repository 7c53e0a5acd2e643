"""What becomes of jobs: watched, canceled, listed, forgotten."""

from __future__ import annotations

import io
import json
import threading
from pathlib import Path

import pytest

from shizi.core.config import load
from shizi.jobs.upkeep import Upkeep
from shizi.server import jobs as routes
from shizi.server.app import create_app
from shizi.server.keys import draw_key, write_keys
from tests.fakes import FakeReader
from tests.unit.server.calls import content_of
from tests.unit.server.conftest import Office, open_office


def test_cancel_keeps_what_was_read_and_delete_forgets_all(office: Office) -> None:
    job = office.submit(*[(b"%d" % k, str(k)) for k in range(3)])
    canceled = office.client.post(f"/v1/jobs/{job['id']}/cancel")
    assert content_of(canceled)["status"] == "canceled"
    office.work()
    assert office.reader.calls == []

    Upkeep(office.site, 30).round(0)
    assert office.site.spool.deposits() == []
    assert office.client.delete(f"/v1/jobs/{job['id']}").status_code == 204
    for path in ("", "/results", "/result", "/events"):
        gone = office.client.get(f"/v1/jobs/{job['id']}{path}")
        assert (gone.status_code, content_of(gone)["code"]) == (404, "job_not_found")
    assert content_of(office.client.get(f"/status/{job['id']}"))["success"] is False


def test_events_tell_of_every_change_and_of_the_end(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_LOOK_S", 0.02)
    job = office.submit((b"x", "x"), (b"y", "y"))
    worker = threading.Timer(0.2, office.work)
    worker.start()
    stream = office.client.get(f"/v1/jobs/{job['id']}/events")
    events = [block for block in stream.text.split("\n\n") if block.startswith("event")]
    worker.join()

    assert stream.content_type.startswith("text/event-stream")
    assert events[0].startswith("event: job")
    assert events[-1].startswith("event: end")
    data = json.loads(events[-1].partition("data: ")[2])
    assert (data["status"], data["pages_done"]) == ("succeeded", 2)


def test_a_stream_lasts_no_longer_than_it_may(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(routes, "_LOOK_S", 0.02)
    monkeypatch.setattr(routes, "STREAM_S", 0.1)
    job = office.submit((b"x", "x"))

    text = office.client.get(f"/v1/jobs/{job['id']}/events").text
    assert text.startswith("retry: ")
    assert "event: end" not in text


def test_files_are_removed_once_their_job_has_ended(office: Office) -> None:
    office.submit((b"x", "x"))
    waiting = Upkeep(office.site, 30)
    waiting.round(0)
    assert len(office.site.spool.deposits()) == 1
    office.work()
    waiting.round(100)
    assert office.site.spool.deposits() == []


@pytest.mark.parametrize("office", [{"keep_s": 1.0}], indirect=True)
def test_jobs_are_forgotten_after_their_time(office: Office) -> None:
    job = office.submit((b"x", "x"))
    office.work()
    assert office.show(job["id"])["status"] == "succeeded"
    threading.Event().wait(1.1)
    Upkeep(office.site, 30).round(0)
    assert office.client.get(f"/v1/jobs/{job['id']}").status_code == 404


def test_jobs_belong_to_keys(tmp_path: Path) -> None:
    drawn = [draw_key(name) for name in ("ann", "bob")]
    write_keys(tmp_path / "keys", [key for _, key in drawn])
    ann, bob = ({"X-API-Key": text} for text, _ in drawn)
    for office in open_office(tmp_path / "jobs", **{"server.keys": str(tmp_path / "keys")}):
        client = office.client
        assert client.post("/upload", data={"file": (io.BytesIO(b"x"), "x")}).status_code == 401
        sent = {"file": (io.BytesIO(b"x"), "x")}
        job = content_of(client.post("/v1/jobs", data=sent, headers=ann))

        for path in (f"/v1/jobs/{job['id']}", f"/status/{job['id']}", job["links"]["results"]):
            assert client.get(path, headers=ann).status_code == 200
            assert client.get(path, headers=bob).status_code == 404
            assert client.get(path).status_code == 401
        assert client.delete(f"/v1/jobs/{job['id']}", headers=bob).status_code == 404
        assert len(content_of(client.get("/v1/jobs", headers=ann))["jobs"]) == 1
        assert content_of(client.get("/v1/jobs", headers=bob))["jobs"] == []


def test_jobs_are_listed_the_newest_first(office: Office) -> None:
    ids = [office.submit((b"%d" % k, "x"))["id"] for k in range(5)]
    seen = []
    following = "/v1/jobs?limit=2"
    while following:
        page = content_of(office.client.get(following))
        seen += [job["id"] for job in page["jobs"]]
        following = page["next"]
    assert seen == ids[::-1]


def test_nobody_lists_jobs_on_an_open_network(tmp_path: Path) -> None:
    for office in open_office(tmp_path, **{"server.host": "0.0.0.0"}):
        job = office.submit((b"x", "x"))
        assert office.client.get("/v1/jobs").status_code == 401
        assert office.show(job["id"])["id"] == job["id"]


def test_without_jobs_there_are_no_such_routes(tmp_path: Path) -> None:
    client = create_app(load({}, environ={}).settings, FakeReader()).test_client()

    for path in ("/v1/jobs", "/upload"):
        sent = {"file": (io.BytesIO(b"x"), "x")}
        assert client.post(path, data=sent).status_code == 404
    assert client.get("/status/x").status_code == 404


def test_a_job_tells_of_its_numbers(office: Office) -> None:
    office.submit((b"x", "x"))
    text = office.client.get("/metrics").text
    assert 'shizi_jobs{state="queued"} 1.0' in text
    assert "shizi_jobs_chunks_queued 1.0" in text
    assert "shizi_jobs_spool_bytes 1.0" in text
