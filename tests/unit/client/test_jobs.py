"""Jobs through the client: a real service over a socket, its ledger and spool."""

from __future__ import annotations

import json
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from shizi.client import Client
from shizi.client.form import Form
from shizi.core.config import load
from shizi.core.errors import (
    CorruptImage,
    DeadlineExceeded,
    FileAccessError,
    JobNotFound,
    JobUnfinished,
    KeyReused,
    LedgerFailed,
    MissingExtra,
    OptionError,
    ShiziError,
    Unreachable,
)
from shizi.core.options import Effort, ReadOptions
from shizi.core.types import PageResult
from shizi.formats import Format
from shizi.jobs.run import Desk, work_chunk
from shizi.jobs.site import Site, open_site
from shizi.server.app import create_app
from tests.fakes import FakeReader, one_page
from tests.unit.client.conftest import Serve


def _read(source: object, options: ReadOptions) -> list[PageResult]:
    if source == b"bad":
        raise CorruptImage("damaged")
    return [one_page(bytes(source).decode())]  # type: ignore[call-overload]


@dataclass
class Office:
    """A service without its processes: its client, when it was asked, who works its jobs."""

    client: Client
    asked: list[float]
    site: Site
    reader: FakeReader

    def work(self) -> None:
        desk = Desk(self.site.ledger, self.reader, self.site.spool.read)
        while chunk := self.site.ledger.claim("me"):
            work_chunk(desk, chunk, threading.Event())


@pytest.fixture
def office(serve: Serve, tmp_path: Path) -> Iterator[Office]:
    settings = load({"jobs.folder": str(tmp_path / "jobs")}, environ={}).settings
    site = open_site(settings.jobs)
    reader = FakeReader(_read)
    app = create_app(settings, reader, site=site)
    asked: list[float] = []
    app.before_request(lambda: asked.append(time.monotonic()))
    yield Office(Client(serve(app), timeout_s=20), asked, site, reader)
    site.close()


def _answering(content: object, status: str = "200 OK") -> Any:
    def app(_: object, start_response: Any) -> list[bytes]:
        start_response(status, [("Content-Type", "application/json")])
        return [json.dumps(content).encode()]

    return app


def test_files_are_handed_in_and_come_back_as_pages(office: Office, tmp_path: Path) -> None:
    (tmp_path / '发"票\\\n.png').write_bytes("发票".encode())
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("in/b.png", b"bad")
        archive.writestr("in/c.png", b"third")
    jobs = office.client.jobs

    job = jobs.submit(
        [tmp_path / '发"票\\\n.png', b"second", str(tmp_path / "a.zip")],
        effort="balanced",
        words=["张筠", "KBE"],
    )

    assert (job.status, job.files_total, job.ended) == ("queued", 4, False)
    assert list(jobs.results(job)) == []
    office.work()
    done = jobs.wait(job)
    assert (done.status, done.files_done, done.files_failed) == ("succeeded", 4, 1)
    assert (done.pages_total, done.pages_done, done.ended) == (4, 3, True)
    assert done.created_at is not None
    assert done.finished_at is not None
    assert done.created_at <= done.finished_at
    found = list(jobs.results(job.id))
    assert [result.page for result in found if result.page] == [
        one_page("发票"), one_page("second"), one_page("third"),
    ]  # fmt: skip
    assert [(result.document, result.name) for result in found] == [
        (1, '发"票\\%0A.png'), (2, ""), (3, "in/b.png"), (4, "in/c.png"),
    ]  # fmt: skip
    assert isinstance(found[2].error, CorruptImage)
    assert found[2].error.detail == "damaged"
    assert office.reader.calls[0][1].effort is Effort.BALANCED
    assert office.reader.calls[0][1].words == ("张筠", "KBE")


def test_many_results_are_fetched_as_they_are_needed(office: Office) -> None:
    jobs = office.client.jobs
    job = jobs.submit([b"%d" % number for number in range(230)])
    office.work()
    office.asked.clear()

    results = jobs.results(job)

    assert next(results).page == one_page("0")
    assert len(office.asked) == 1
    assert [result.document for result in results] == list(range(2, 231))
    assert len(office.asked) == 3


def test_one_file_of_all_results(office: Office, tmp_path: Path) -> None:
    jobs = office.client.jobs
    job = jobs.submit(b"one")
    target = tmp_path / "out.csv"

    with pytest.raises(JobUnfinished):
        jobs.save(job, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["jobs"]
    office.work()
    jobs.save(job, target)
    jobs.save(str(job.id), tmp_path / "out", "txt")

    assert target.read_text("utf-8-sig").splitlines()[1].startswith(",1,1,one")
    assert (tmp_path / "out").read_text() == jobs.content(job, "txt").decode()
    assert json.loads(jobs.content(job))[0]["text"] == "one"
    assert jobs.content(job, "xlsx")[:2] == b"PK"


def test_files_that_cannot_be_fetched(
    office: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs = office.client.jobs
    job = jobs.submit([b"one", b"two"])
    office.work()

    with pytest.raises(OptionError, match="holds one document"):
        jobs.content(job, "alto")
    with pytest.raises(OptionError, match="shizi convert"):
        jobs.content(job, "pdf")
    with pytest.raises(OptionError, match="did you mean 'docx'"):
        jobs.content(job, "doc")
    with pytest.raises(OptionError, match="ending of no format"):
        jobs.save(job, tmp_path / "out.bin")
    with pytest.raises(FileAccessError, match="cannot be written"):
        jobs.save(job, tmp_path / "none" / "out.txt")
    monkeypatch.setattr(Format, "open", _without_extra)
    with pytest.raises(MissingExtra) as raised:
        jobs.content(job, "docx")
    assert raised.value.extra == "documents"


def _without_extra(*_: object, **__: object) -> None:
    raise MissingExtra("documents")


def test_a_submission_sent_twice_is_one_job(office: Office) -> None:
    jobs = office.client.jobs

    first = jobs.submit(b"one", key="order-17")

    assert jobs.submit(b"one", key="order-17").id == first.id
    assert jobs.submit(b"one").id != first.id
    with pytest.raises(KeyReused):
        jobs.submit(b"two", key="order-17")


def test_cancel_purge_and_list(office: Office) -> None:
    jobs = office.client.jobs
    made = [jobs.submit(b"%d" % number) for number in range(3)]

    assert [job.id for job in jobs.all()] == [job.id for job in reversed(made)]
    assert jobs.cancel(made[0]).status == "canceled"
    assert jobs.wait(made[0]).status == "canceled"
    jobs.purge(made[1].id)
    with pytest.raises(JobNotFound) as raised:
        jobs.find(made[1])
    assert raised.value.job_id == made[1].id
    assert [job.id for job in jobs.all()] == [made[2].id, made[0].id]


def test_a_long_list_is_walked_to_its_end(office: Office) -> None:
    jobs = office.client.jobs
    made = [jobs.submit(b"x").id for _ in range(60)]

    assert [job.id for job in jobs.all()] == made[::-1]


def test_waiting_asks_as_often_as_the_service_says(office: Office) -> None:
    jobs = office.client.jobs
    job = jobs.submit(b"one")
    office.asked.clear()

    with pytest.raises(DeadlineExceeded, match="goes on"):
        jobs.wait(job, timeout_s=0.2)
    assert len(office.asked) == 2
    worker = threading.Timer(0.5, office.work)
    worker.start()
    assert jobs.wait(job, timeout_s=20).status == "succeeded"
    worker.join()

    # The service says two seconds.
    assert office.asked[3] - office.asked[2] >= 1.9
    assert len(office.asked) == 4


def test_what_is_wrong_with_a_submission(office: Office, tmp_path: Path) -> None:
    jobs = office.client.jobs

    with pytest.raises(OptionError, match="did you mean 'dpi'"):
        jobs.submit(b"x", dip=300)
    with pytest.raises(OptionError, match="tells nobody"):
        jobs.submit(b"x", webhook="https://a.example/")
    with pytest.raises(FileAccessError, match="cannot be read"):
        jobs.submit(tmp_path / "none.png")
    with pytest.raises(FileAccessError, match="cannot be read"):
        jobs.submit(tmp_path)
    assert list(jobs.all()) == []


def test_a_file_that_changes_while_it_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"one")

    form = Form({}, [path], named=True)
    path.write_bytes(b"one and more")
    assert b"one\r\n" in b"".join(form)
    path.write_bytes(b"o")
    with pytest.raises(FileAccessError, match="became shorter"):
        b"".join(form)


@pytest.mark.parametrize("call", ["find", "wait", "results", "cancel", "all", "submit"])
def test_an_answer_of_another_form_is_told(serve: Serve, call: str) -> None:
    jobs = Client(serve(_answering({"id": "x", "jobs": [{}], "results": [{}], "next": None}))).jobs
    given = [] if call == "all" else [b"x"] if call == "submit" else ["x"]

    with pytest.raises(Unreachable, match="another form"):
        list(getattr(jobs, call)(*given))


def test_a_file_of_something_else_is_told(serve: Serve, tmp_path: Path) -> None:
    jobs = Client(serve(_answering({}))).jobs

    with pytest.raises(Unreachable, match="something else"):
        jobs.save("x", tmp_path / "out.docx")
    assert list(tmp_path.iterdir()) == []


def test_a_ledger_that_cannot_be_reached(serve: Serve) -> None:
    told = {"code": "ledger_failed", "detail": "the database is away"}
    jobs = Client(serve(_answering(told, "503 Service Unavailable")), timeout_s=0.5).jobs

    with pytest.raises(LedgerFailed) as raised:
        jobs.find("x")
    assert isinstance(raised.value, ShiziError)
    assert (raised.value.detail, raised.value.retry_after_s) == ("the database is away", 1.0)
