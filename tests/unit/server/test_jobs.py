"""Jobs over HTTP: handed in once, watched, fetched, canceled, forgotten; nothing bad is kept."""

from __future__ import annotations

import io
import json
import threading
import zipfile
from typing import Any

import pytest

from shizi.core.options import Effort
from shizi.formats import FORMATS
from shizi.server.schema import RESULT_FORMATS
from tests.unit.server.calls import b64, content_of
from tests.unit.server.conftest import Office

SECRET = "0123456789abcdef"


def zip_of(**files: bytes) -> bytes:
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
    archive = zip_of(**{"in/二.png": b"two", "in/bad.png": b"bad"})
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
    many = client.post("/upload", data=zip_of(a=b"1", b=b"2"), content_type="application/zip")

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
        ({"data": zip_of(**{"../x": b"1"}), "content_type": "application/zip"}, 422, "bad_archive"),
        ({"data": zip_of(), "content_type": "application/zip"}, 400, "missing_image"),
        ({"data": zip_of(**{"[Content_Types].xml": b"1"}), "content_type": "application/zip"},
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
    archive = zip_of(a=b"x" * 90, b=b"x" * 90)
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


def test_a_form_of_one_document_is_not_for_several(office: Office) -> None:
    job = office.submit((b"one", "1.png"), (b"two", "2.png"))
    office.work()

    answer = office.client.get(f"/v1/jobs/{job['id']}/result?format=alto")
    assert (answer.status_code, content_of(answer)["code"]) == (422, "bad_option")
