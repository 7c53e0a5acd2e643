"""Failures: problems under /v1, the form of old elsewhere, and a page for each code."""

from __future__ import annotations

import pytest

from shizi.core.errors import (
    Busy,
    DeadlineExceeded,
    ModelError,
    ShiziError,
    UnsupportedFormat,
    error_kinds,
)
from tests.fakes import FakeReader
from tests.unit.server.calls import client_of, content_of, file


def test_a_failure_under_v1_is_a_problem() -> None:
    answer = client_of(FakeReader(UnsupportedFormat("it is a film"))).post(
        "/v1/ocr", data={"file": file()}, headers={"X-Request-ID": "r-1"}
    )

    assert answer.status_code == 415
    assert answer.content_type == "application/problem+json"
    assert answer.headers["Cache-Control"] == "no-store"
    assert content_of(answer) == {
        "type": "/errors/unsupported",
        "title": "The content is no picture or document format that Shizi reads",
        "status": 415,
        "detail": "it is a film",
        "instance": "/v1/ocr",
        "code": "unsupported",
        "advice": UnsupportedFormat.advice,
        "request_id": "r-1",
    }


def test_a_failure_elsewhere_keeps_its_form() -> None:
    answer = client_of(FakeReader(UnsupportedFormat("it is a film"))).post(
        "/ocr", data={"file": file()}, headers={"X-Request-ID": "r-1"}
    )

    assert answer.content_type == "application/json"
    assert content_of(answer) == {
        "success": False,
        "error": {
            "code": "unsupported",
            "message": "it is a film",
            "advice": UnsupportedFormat.advice,
        },
        "results": [],
        "request_id": "r-1",
    }


def test_whoever_asks_for_a_problem_gets_one() -> None:
    answer = client_of().post("/ocr", headers={"Accept": "application/problem+json"})

    assert answer.content_type == "application/problem+json"
    assert content_of(answer)["code"] == "missing_image"


@pytest.mark.parametrize(
    ("error", "status", "retry"),
    [(Busy(0.2), 503, "1"), (DeadlineExceeded("late"), 504, None), (ModelError("x"), 500, None)],
)
def test_statuses(error: ShiziError, status: int, retry: str | None) -> None:
    answer = client_of(FakeReader(error)).post("/v1/ocr", data={"file": file()})

    assert answer.status_code == status
    assert answer.headers.get("Retry-After") == retry


@pytest.mark.parametrize("path", ["/v1/nowhere", "/v1/ocr"])
def test_unknown_routes_and_methods_are_problems_too(path: str) -> None:
    answer = client_of().get(path)

    content = content_of(answer)
    assert answer.status_code in (404, 405)
    assert content["code"] in ("not_found", "method_not_allowed")
    assert content["instance"] == path
    assert ("Allow" in answer.headers) == (answer.status_code == 405)


@pytest.mark.parametrize(
    "code", [*(kind.code for kind in error_kinds()), "not_found", "method_not_allowed"]
)
def test_every_type_leads_to_a_page(code: str) -> None:
    answer = client_of().get(f"/errors/{code}")

    assert answer.status_code == 200
    assert code in answer.get_data(as_text=True)


def test_an_unknown_type_leads_nowhere() -> None:
    assert client_of().get("/errors/nowhere").status_code == 404


def test_a_bug_under_v1_tells_nothing_of_its_inside(caplog: pytest.LogCaptureFixture) -> None:
    answer = client_of(FakeReader(RuntimeError("inner workings"))).post(
        "/v1/ocr", data={"file": file()}
    )

    assert answer.status_code == 500
    assert content_of(answer)["code"] == "error"
    assert "inner workings" not in answer.get_data(as_text=True)
    assert "inner workings" in caplog.text


def test_a_bug_of_a_route_is_told_like_any_other(caplog: pytest.LogCaptureFixture) -> None:
    client = client_of()

    def fail() -> str:
        raise RuntimeError("inner workings")

    client.application.view_functions["info.models"] = fail
    answer = client.get("/v1/models")

    assert (answer.status_code, content_of(answer)["code"]) == (500, "error")
    assert "unexpected error in GET /v1/models" in caplog.text
