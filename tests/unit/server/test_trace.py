"""Every request has a name and a line in the log; neither holds what was read or sent."""

from __future__ import annotations

import json
import logging
import re

import pytest

from shizi.core.telemetry import JsonFormatter, request_id
from shizi.server.trace import choose_id
from tests.fakes import FakeReader, one_page
from tests.unit.server.calls import b64, client_of, content_of, file


@pytest.mark.parametrize("given", ["abc", "A-1_2.3:4/5+6=7@8~9", "x" * 64])
def test_a_harmless_name_is_kept(given: str) -> None:
    answer = client_of().post("/ocr", data={"file": file()}, headers={"X-Request-ID": given})

    assert answer.headers["X-Request-ID"] == given
    assert content_of(answer)["request_id"] == given


@pytest.mark.parametrize("given", [None, "", "a b", "x" * 65, 'a"b', "中", "a\nb", "<b>"])
def test_any_other_is_replaced(given: str | None) -> None:
    made = choose_id(given)

    assert re.fullmatch(r"[0-9a-f]{32}", made)
    assert made != choose_id(given)


def test_failures_carry_the_name_as_well() -> None:
    answer = client_of().post("/v1/ocr")

    assert content_of(answer)["request_id"] == answer.headers["X-Request-ID"]


def _lines(caplog: pytest.LogCaptureFixture) -> list[dict[str, object]]:
    form = JsonFormatter()
    return [
        json.loads(form.format(record))
        for record in caplog.records
        if record.name == "shizi.access"
    ]


def test_a_request_is_a_line_of_the_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    client_of().post("/v1/ocr?chars=true", data=b"abcde", content_type="image/png")

    (line,) = _lines(caplog)
    assert line["method"] == "POST"
    assert line["route"] == "/v1/ocr"
    assert line["status"] == 200
    assert line["bytes_in"] == 5
    assert isinstance(line["bytes_out"], int)
    assert line["bytes_out"] > 100
    assert isinstance(line["seconds"], float)


def test_the_reader_knows_for_whom_it_reads() -> None:
    known: list[str] = []
    reader = FakeReader(lambda *_: known.append(request_id.get()) or [])  # type: ignore[func-returns-value]

    client_of(reader).post("/ocr", data={"file": file()}, headers={"X-Request-ID": "r-9"})

    assert known == ["r-9"]
    assert request_id.get() == ""


def test_nothing_a_client_made_up_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    client = client_of(FakeReader([one_page("CANARY text")]))

    client.get("/CANARY/path")
    client.get("/errors/CANARY")
    client.get("/static/CANARY.js")
    client.post("/rest/2.0/ocr/v1/CANARY", data={"image": b64()})
    client.post("/v1/ocr", data={"file": (file()[0], "CANARY.png"), "words": "CANARY"})
    client.post("/v1/ocr?CANARY=1", data={"file": file()})
    client.post("/api/ocr", json={"base64": b64(b"CANARY")})
    client.post("/v1/ocr", json={"image": "CANARY!"})

    assert len(_lines(caplog)) == 8
    assert not any("CANARY" in JsonFormatter().format(record) for record in caplog.records)
