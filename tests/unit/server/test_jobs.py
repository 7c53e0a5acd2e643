"""Jobs over HTTP: handed in once, watched, fetched, canceled, forgotten; nothing bad is kept."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from shizi.core.config import load
from shizi.core.errors import CorruptImage
from shizi.core.options import Effort, ReadOptions
from shizi.core.types import PageResult
from shizi.formats import FORMATS
from shizi.jobs.run import Desk, work_chunk
from shizi.jobs.site import Site, open_site
from shizi.jobs.upkeep import Upkeep
from shizi.server import jobs as routes
from shizi.server.app import create_app
from shizi.server.keys import draw_key, write_keys
from shizi.server.schema import RESULT_FORMATS
from tests.fakes import FakeReader, one_page
from tests.unit.server.calls import b64, content_of

SECRET = "0123456789abcdef"


def _read(source: object, _: ReadOptions) -> list[PageResult]:
    if source == b"bad":
        raise CorruptImage("damaged")
    return [one_page(bytes(source).decode())]  # type: ignore[call-overload]


@dataclass
class Office:
    """A service without its processes: its client, and who works its jobs."""

    client: FlaskClient
    site: Site
    reader: FakeReader

    def work(self) -> None:
        desk = Desk(self.site.ledger, self.reader, self.site.spool.read)
        while chunk := self.site.ledger.claim("me"):
            work_chunk(desk, chunk, threading.Event())

    def submit(self, *files: tuple[bytes, str], path: str = "/v1/jobs", **fields: str) -> Any:
        sent = [(io.BytesIO(data), name) for data, name in files]
        answer = self.client.post(path, data={"file": sent, **fields})
        assert answer.status_code == 202, answer.text
        return content_of(answer)

    def show(self, job_id: str) -> Any:
        return content_of(self.client.get(f"/v1/jobs/{job_id}"))


def _office(folder: Path, **flags: object) -> Iterator[Office]:
    given = {f"jobs.{name}": value for name, value in flags.items() if "." not in name}
    given |= {name: value for name, value in flags.items() if "." in name}
    settings = load({"jobs.folder": str(folder), **given}, environ={}).settings
    site = open_site(settings.jobs)
    reader = FakeReader(_read)
    yield Office(create_app(settings, reader, site=site).test_client(), site, reader)
    site.close()


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    yield from _office(tmp_path / "jobs", **getattr(request, "param", {}))


def _zip(**files: bytes) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return buffer.getvalue()


def test_the_old_routes(office: Office) -> None:
    answer = office.client.post("/upload", data={"file": (io.BytesIO(b"one"), "a.png")})
    task = content_of(answer)

    assert answer.status_code == 202
    assert answer.headers["Location"] == task["status_url"] == f"/status/{task['task_id']}"
    assert answer.headers["Retry-After"] == "2"
    assert (task["success"], task["status"]) == (True, "queued")
    office.work()
    done = office.client.get(task["status_url"])
    assert "Retry-After" not in done.headers
    assert content_of(done)["status"] == "succeeded"
    (entry,) = content_of(done)["results"]
    assert (entry["name"], entry["text"]) == ("a.png", "one")


def test_many_files_and_archives_become_one_job(office: Office) -> None:
    archive = _zip(**{"in/二.png": b"two", "in/bad.png": b"bad"})
    job = office.submit((b"one", "C/../x/一.png"), (archive, "a.zip"), (b"three", "3.png"))

    assert (job["status"], job["files_total"]) == ("queued", 4)
    office.work()
    shown = office.show(job["id"])
    assert (shown["status"], shown["files_done"], shown["files_failed"]) == ("succeeded", 4, 1)
    assert shown["pages_done"] == 3
    results = content_of(office.client.get(shown["links"]["results"]))
    told = [(e["document"], e["name"], e["success"], e.get("text")) for e in results["results"]]
    assert told == [
        (1, "一.png", True, "one"),
        (2, "3.png", True, "three"),
        (3, "in/二.png", True, "two"),
        (4, "in/bad.png", False, None),
    ]
    assert results["results"][3]["error"]["code"] == "corrupt"
    assert results["results"][3]["error"]["advice"].startswith("The file is damaged")


def test_results_are_paged_without_gaps_or_doubles(office: Office) -> None:
    job = office.submit(*[(b"bad" if k % 3 == 0 else b"%d" % k, f"{k}") for k in range(20)])
    office.work()

    seen = []
    following = f"/v1/jobs/{job['id']}/results?limit=3"
    while following:
        page = content_of(office.client.get(following))
        seen += [entry["document"] for entry in page["results"]]
        following = page["next"]
    assert seen == list(range(1, 21))


@pytest.mark.parametrize("name", RESULT_FORMATS)
def test_the_result_as_one_file(office: Office, name: str) -> None:
    files = [(b"one", "1.png"), (b"bad", "2.png"), (b"three", "3.png")]
    alone = FORMATS[name].one
    job = office.submit(*(files[:1] if alone else files))
    place = f"/v1/jobs/{job['id']}/result?format={name}"
    early = office.client.get(place)
    assert (early.status_code, content_of(early)["code"]) == (409, "job_unfinished")

    office.work()
    whole = office.client.get(place)

    if whole.status_code == 501:
        assert content_of(whole)["code"] == "missing_extra"
        pytest.skip(f"the extra of {name} is not installed")
    assert whole.status_code == 200
    assert "attachment" in whole.headers["Content-Disposition"]
    assert whole.headers["Cache-Control"] == "no-store"
    if name in ("txt", "json", "jsonl"):
        assert whole.text.index("one") < whole.text.index("three")
    if name == "jsonl":
        lines = [json.loads(line) for line in whole.text.splitlines()]
        assert [line["success"] for line in lines] == [True, False, True]


def test_the_options_of_a_job_reach_the_reader(office: Office) -> None:
    office.submit((b"x", "x"), effort="accurate", words="识字", timeout="7", coords="relative")
    office.client.post("/v1/jobs?effort=balanced", json={"images": [b64(b"y")], "options": {}})
    office.work()

    read = {bytes(source): options for source, options in office.reader.calls}  # type: ignore[call-overload]
    first, second = read[b"x"], read[b"y"]
    assert (first.effort, first.words, first.timeout_s) == (Effort.ACCURATE, ("识字",), 7.0)
    assert second.effort is Effort.BALANCED


def test_relative_boxes(office: Office) -> None:
    job = office.submit((b"x", "x"), coords="relative")
    office.work()

    (entry,) = content_of(office.client.get(f"/v1/jobs/{job['id']}/results"))["results"]
    assert all(0 <= value <= 1 for point in entry["results"][0]["box"] for value in point)


def test_bytes_alone_and_an_archive_alone(office: Office) -> None:
    client = office.client
    one = client.post("/v1/jobs?name=a/b.png", data=b"one", content_type="image/png")
    many = client.post("/upload", data=_zip(a=b"1", b=b"2"), content_type="application/zip")

    assert content_of(one)["files_total"] == 1
    assert content_of(many)["files_total"] == 2
    names = [item.source.name for item in office.site.ledger.items(content_of(one)["id"])]
    assert names == ["b.png"]


@pytest.mark.parametrize(
    ("sent", "status", "code"),
    [
        ({"data": {}}, 400, "missing_image"),
        ({"data": {"file": (io.BytesIO(b"x"), "x"), "efort": "fast"}}, 422, "bad_option"),
        ({"data": {"photo": (io.BytesIO(b"x"), "x")}}, 422, "bad_option"),
        ({"data": b"", "content_type": "image/png"}, 400, "missing_image"),
        ({"data": b"x", "content_type": "text/html"}, 415, "unsupported_body"),
        ({"data": b"PK\x03\x04xx", "content_type": "application/zip"}, 422, "bad_archive"),
        ({"data": _zip(**{"../x": b"1"}), "content_type": "application/zip"}, 422, "bad_archive"),
        ({"data": _zip(), "content_type": "application/zip"}, 400, "missing_image"),
        ({"data": _zip(**{"[Content_Types].xml": b"1"}), "content_type": "application/zip"},
         415, "unsupported"),
        ({"json": {"image": "?"}}, 422, "bad_input"),
        ({"data": {"file": (io.BytesIO(b"x"), "x"), "webhook": "https://a.b"}}, 422, "bad_option"),
        ({"data": {"file": (io.BytesIO(b"x"), "x")}, "headers": {"Idempotency-Key": "a b"}},
         400, "bad_request"),
    ],
)  # fmt: skip
def test_what_is_not_taken_leaves_nothing(
    office: Office, sent: dict[str, Any], status: int, code: str
) -> None:
    answer = office.client.post("/v1/jobs", **sent)

    assert (answer.status_code, content_of(answer)["code"]) == (status, code)
    assert office.site.spool.deposits() == []
    assert office.site.spool.used_bytes() == 0
    assert office.site.ledger.jobs() == []


@pytest.mark.parametrize(
    ("office", "code"),
    [
        ({"spool_bytes": 100}, "out_of_space"),
        ({"upload_bytes": 100}, "too_large"),
        ({"max_files": 1}, "too_large"),
        ({"limits.max_bytes": 100}, "too_large"),
    ],
    indirect=["office"],
)
def test_limits(office: Office, code: str) -> None:
    files = [(io.BytesIO(b"x" * 90), "1"), (io.BytesIO(b"x" * 190), "2")]
    answer = office.client.post("/v1/jobs", data={"file": files})

    assert content_of(answer)["code"] == code
    assert answer.status_code == (507 if code == "out_of_space" else 413)
    assert office.site.spool.used_bytes() == 0


@pytest.mark.parametrize("office", [{"limits.max_bytes": 100}], indirect=True)
def test_a_picture_behind_an_archive_is_no_larger_than_any(office: Office) -> None:
    archive = _zip(a=b"x" * 90, b=b"x" * 90)
    files = [(io.BytesIO(archive), "a.zip"), (io.BytesIO(b"x" * 190), "2.png")]
    answer = office.client.post("/v1/jobs", data={"file": files})

    assert content_of(answer)["code"] == "too_large"
    assert office.show(office.submit((archive, "a.zip"))["id"])["files_total"] == 2


@pytest.mark.parametrize("office", [{"max_waiting": 2}], indirect=True)
def test_jobs_that_wait_are_bounded(office: Office) -> None:
    for _ in range(2):
        office.submit((b"x", "x"))
    answer = office.client.post("/v1/jobs", data={"file": (io.BytesIO(b"x"), "x")})

    assert answer.status_code == 429
    assert "Retry-After" in answer.headers
    office.work()
    office.submit((b"x", "x"))


def test_one_key_is_one_job(office: Office) -> None:
    def send(data: bytes, **fields: str) -> Any:
        return office.client.post(
            "/v1/jobs",
            data={"file": (io.BytesIO(data), "a.png"), **fields},
            headers={"Idempotency-Key": "k-1"},
        )

    first, again = send(b"one"), send(b"one")
    assert content_of(first)["id"] == content_of(again)["id"]
    assert len(office.site.spool.deposits()) == 1
    for other in (send(b"two"), send(b"one", effort="accurate")):
        assert (other.status_code, content_of(other)["code"]) == (422, "key_reused")
    assert len(office.site.spool.deposits()) == 1
    office.work()
    assert len(office.reader.calls) == 1
    assert content_of(send(b"one"))["status"] == "succeeded"


def test_many_at_once_with_one_key_are_one_job(office: Office) -> None:
    ids: list[str] = []

    def send() -> None:
        answer = office.client.application.test_client().post(
            "/v1/jobs",
            data={"file": (io.BytesIO(b"one"), "a.png")},
            headers={"Idempotency-Key": "k"},
        )
        ids.append(content_of(answer)["id"])

    threads = [threading.Thread(target=send) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (len(ids), len(set(ids))) == (8, 1)
    assert len(office.site.spool.deposits()) == 1


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
    for office in _office(tmp_path / "jobs", **{"server.keys": str(tmp_path / "keys")}):
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
    for office in _office(tmp_path, **{"server.host": "0.0.0.0"}):
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


def test_a_form_of_one_document_is_not_for_several(office: Office) -> None:
    job = office.submit((b"one", "1.png"), (b"two", "2.png"))
    office.work()

    answer = office.client.get(f"/v1/jobs/{job['id']}/result?format=alto")
    assert (answer.status_code, content_of(answer)["code"]) == (422, "bad_option")
