"""The work on a chunk: everything is read once, whatever fails, dies or is told to stop."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from shizi.core.errors import (
    Busy,
    CorruptImage,
    DeadlineExceeded,
    FileAccessError,
    LedgerFailed,
    OptionError,
    Unavailable,
)
from shizi.core.options import Lane, Limits, ReadOptions
from shizi.core.types import PageResult
from shizi.jobs.run import Desk, Pace, work_chunk
from shizi.jobs.spec import Spec, merge_pages, page_to_body, spec_to_text, text_to_spec
from shizi.jobs.sqlledger import SqlLedger
from shizi.jobs.values import Chunk, Job, JobState, Order, PageRecord, Source
from tests.fakes import FakeReader, one_page

PACE = Pace(beat_s=0.02, chunk_s=60, pages=4)
Answer = Callable[[object, ReadOptions], list[PageResult]]


def _submit(ledger: SqlLedger, *names: str, spec: Spec = Spec(), **fields: int) -> Job:  # noqa: B008
    sources = tuple(Source(ref=name, name=name) for name in names)
    return ledger.submit(Order(sources, spec=spec_to_text(spec), **fields)).job  # type: ignore[arg-type]


def _take(ledger: SqlLedger) -> Chunk:
    chunk = ledger.claim("me")
    assert chunk is not None
    return chunk


def _work(
    ledger: SqlLedger,
    answer: Answer | list[PageResult] | Exception,
    fetch: Callable[[str], bytes] = str.encode,
    stop: threading.Event | None = None,
    pace: Pace = PACE,
) -> FakeReader:
    """Work until nothing waits or the work is to stop."""
    stop = stop or threading.Event()
    reader = FakeReader(answer)
    while not stop.is_set() and (chunk := ledger.claim("me")):
        work_chunk(Desk(ledger, reader, fetch, pace), chunk, stop)
    return reader


def _read(ledger: SqlLedger, job: Job) -> list[tuple[int, int]]:
    return [(record.item, record.page) for record in ledger.pages(job.id, limit=10_000)]


def _document(pages: int) -> Answer:
    """Answer like a document of so many pages."""

    def answer(_: object, options: ReadOptions) -> list[PageResult]:
        first, last = options.decode.first_page, options.decode.last_page
        if first > pages:
            raise OptionError(f"first_page is {first} and the number of pages is {pages}")
        end = min(pages, last or pages)
        return [one_page(f"page {number}", number=number) for number in range(first, end + 1)]

    return answer


def _as_pdf(_: str) -> bytes:
    return b"%PDF-1.7"


def test_files_become_pages_of_the_job(ledger: SqlLedger) -> None:
    job = _submit(ledger, "a", "b", "c", spec=Spec(ReadOptions(characters=True, timeout_s=7)))

    reader = _work(ledger, [one_page("识字")])

    assert ledger.job(job.id).state is JobState.SUCCEEDED
    assert _read(ledger, job) == [(0, 1), (1, 1), (2, 1)]
    assert [source for source, _ in reader.calls] == [b"a", b"b", b"c"]
    options = reader.calls[0][1]
    assert (options.characters, options.timeout_s, options.lane) == (True, 7, Lane.BULK)
    body = json.loads(ledger.pages(job.id)[0].body)
    assert body["text"] == "识字"


@pytest.mark.parametrize("pages", [1, 3, 4, 5, 8])
def test_a_document_is_read_a_few_pages_at_a_time(ledger: SqlLedger, pages: int) -> None:
    job = _submit(ledger, "a")

    reader = _work(ledger, _document(pages), _as_pdf)

    assert _read(ledger, job) == [(0, number) for number in range(1, pages + 1)]
    assert ledger.job(job.id).pages_done == ledger.job(job.id).pages == pages
    spans = [(o.decode.first_page, o.decode.last_page) for _, o in reader.calls]
    assert spans == [(first, first + 3) for first in range(1, pages // 4 * 4 + 2, 4)]


def test_chosen_pages_are_read_once_and_in_order(ledger: SqlLedger) -> None:
    pages = merge_pages(((9, None), (4, 6), (1, 2), (5, 7), (2, 2)))
    assert pages == ((1, 2), (4, 7), (9, None))
    job = _submit(ledger, "a", spec=Spec(pages=pages))

    _work(ledger, _document(11), _as_pdf)

    assert [page for _, page in _read(ledger, job)] == [1, 2, 4, 5, 6, 7, 9, 10, 11]


def test_pages_a_document_does_not_have(ledger: SqlLedger) -> None:
    job = _submit(ledger, "a", spec=Spec(pages=((5, 6),)))

    _work(ledger, _document(3), _as_pdf)

    assert ledger.items(job.id)[0].code == "bad_option"


def test_a_file_that_cannot_be_read_harms_no_other(ledger: SqlLedger) -> None:
    job = _submit(ledger, "a", "bad", "c")

    def answer(source: object, _: ReadOptions) -> list[PageResult]:
        if source == b"bad":
            raise CorruptImage("damaged")
        return [one_page("x")]

    reader = _work(ledger, answer)

    assert _read(ledger, job) == [(0, 1), (2, 1)]
    (failed,) = ledger.items(job.id, state=JobState.FAILED)
    assert (failed.number, failed.code, failed.detail) == (1, "corrupt", "damaged")
    assert len(reader.calls) == 3


@pytest.mark.parametrize(
    "error",
    [Unavailable(1), DeadlineExceeded("late"), FileAccessError("gone"), ZeroDivisionError()],
)
def test_what_may_pass_is_tried_again_and_then_a_dead_letter(
    ledger: SqlLedger, error: Exception
) -> None:
    job = _submit(ledger, "a", max_attempts=3)

    reader = _work(ledger, error)

    assert len(reader.calls) == 3
    assert [letter.job_id for letter in ledger.dead_letters()] == [job.id]
    assert "ZeroDivision" not in ledger.items(job.id)[0].detail


def test_a_busy_reader_is_waited_for(ledger: SqlLedger) -> None:
    left = [Busy(0.01), Busy(0.01)]

    def answer(*_: object) -> list[PageResult]:
        if left:
            raise left.pop()
        return [one_page("x")]

    job = _submit(ledger, "a")
    _work(ledger, answer)

    assert ledger.job(job.id).succeeded == 1
    assert ledger.items(job.id)[0].attempts <= 1


def test_told_to_stop_it_gives_the_rest_back_and_another_goes_on(ledger: SqlLedger) -> None:
    stop = threading.Event()
    job = _submit(ledger, "a", "b")

    def answer(source: object, options: ReadOptions) -> list[PageResult]:
        if options.decode.first_page == 5:
            stop.set()
        return _document(11)(source, options)

    first = _work(ledger, answer, _as_pdf, stop)
    assert _read(ledger, job) == [(0, number) for number in range(1, 9)]
    assert not ledger.pulses()
    second = _work(ledger, _document(11), _as_pdf)

    assert _read(ledger, job) == [(item, page) for item in (0, 1) for page in range(1, 12)]
    read = [o.decode.first_page for _, o in (*first.calls, *second.calls)]
    assert read == [1, 5, 9, 1, 5, 9]
    assert not ledger.dead_letters()


def test_a_long_chunk_is_given_back_when_its_time_is_over(ledger: SqlLedger) -> None:
    job = _submit(ledger, *map(str, range(5)))
    chunk = _take(ledger)

    work_chunk(
        Desk(ledger, FakeReader(), str.encode, replace(PACE, chunk_s=0.0)), chunk, threading.Event()
    )
    assert not ledger.pulses()
    _work(ledger, [one_page("x")])

    assert len(_read(ledger, job)) == 5


def test_after_a_cancel_nothing_more_is_read(ledger: SqlLedger) -> None:
    job = _submit(ledger, "a", "b", "c")

    def answer(source: object, _: ReadOptions) -> list[PageResult]:
        if source == b"b":
            ledger.cancel(job.id)
        return [one_page("x")]

    reader = _work(ledger, answer)

    assert len(reader.calls) == 2
    assert _read(ledger, job) == [(0, 1)]
    assert ledger.job(job.id).state is JobState.CANCELED


def test_who_lost_its_lease_writes_nothing(ledger: SqlLedger) -> None:
    job = _submit(ledger, "a")

    def answer(*_: object) -> list[PageResult]:
        if len(slow.calls) == 1:
            (pulse,) = ledger.pulses()
            assert ledger.revoke(pulse)
            other = ledger.claim("other")
            assert other is not None
            ledger.begin(other.lease, [0])
            ledger.record(other.lease, [PageRecord(0, 1, page_to_body(one_page("other"), 0))])
        return [one_page("mine")]

    slow = FakeReader(answer)
    work_chunk(Desk(ledger, slow, str.encode, PACE), _take(ledger), threading.Event())

    (record,) = ledger.pages(job.id)
    assert json.loads(record.body)["text"] == "other"


def test_a_ledger_that_cannot_be_reached_is_waited_for(
    ledger: SqlLedger, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = _submit(ledger, "a")
    left = 3
    real = ledger.record

    def record(*arguments: object) -> int:
        nonlocal left
        left -= 1
        if left:
            raise LedgerFailed("no route to host", 0.01)
        return real(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(ledger, "record", record)
    reader = _work(ledger, [one_page("x")])

    assert ledger.job(job.id).succeeded == 1
    assert len(reader.calls) == 1


def test_more_pages_than_a_document_may_have(ledger: SqlLedger) -> None:
    job = _submit(ledger, "a", spec=Spec(ReadOptions(limits=Limits(max_pages=5))))

    _work(ledger, _document(100), _as_pdf)

    assert ledger.items(job.id)[0].code == "too_large"
    assert len(_read(ledger, job)) <= 8


def test_the_version_that_a_job_was_given_to_reads_all_of_it(ledger: SqlLedger) -> None:
    readers = {version: FakeReader([one_page(version)]) for version in ("m@1", "m@2")}
    default = FakeReader([one_page("default")])
    desk = Desk(ledger, default, str.encode, PACE, readers.__getitem__)
    pinned = [_submit(ledger, "a", "b", spec=Spec(version=version)) for version in readers]
    free = _submit(ledger, "a")

    while chunk := ledger.claim("me"):
        work_chunk(desk, chunk, threading.Event())

    read = [{json.loads(r.body)["text"] for r in ledger.pages(job.id)} for job in (*pinned, free)]
    assert read == [{"m@1"}, {"m@2"}, {"default"}]


def test_where_there_is_one_version_it_reads_all_jobs(ledger: SqlLedger) -> None:
    job = _submit(ledger, "a", spec=Spec(version="m@2"))

    _work(ledger, [one_page("the only one")])

    assert ledger.job(job.id).succeeded == 1


def test_a_spec_comes_back_as_it_was() -> None:
    spec = Spec(
        ReadOptions(words=("识字",), steps=()),
        ((1, 2), (4, None)),
        True,
        "https://a.b/c",
        "d",
        "m@1",
    )

    assert text_to_spec(spec_to_text(spec)) == spec
