"""Pages of other origins may call the service only where a setting names them."""

from __future__ import annotations

import pytest

from shizi.core.errors import ConfigError
from shizi.server.cors import parse_origins
from tests.unit.server.calls import client_of, file

ORIGIN = "https://a.example"
PREFLIGHT = {"Access-Control-Request-Method": "POST"}


def test_without_the_setting_no_origin_is_let_in() -> None:
    client = client_of()

    answer = client.post("/ocr", data={"image": file()}, headers={"Origin": ORIGIN})
    asked = client.options("/ocr", headers={"Origin": ORIGIN, **PREFLIGHT})

    for headers in (answer.headers, asked.headers):
        assert not [name for name, _ in headers if name.startswith("Access-Control")]


def test_a_named_origin_is_let_in() -> None:
    client = client_of(server__cors_origins=f"http://b:3000, {ORIGIN}/")

    answer = client.post("/ocr", data={"image": file()}, headers={"Origin": ORIGIN})
    failed = client.post("/v1/ocr", headers={"Origin": ORIGIN})
    asked = client.options("/ocr", headers={"Origin": ORIGIN, **PREFLIGHT})

    for response in (answer, failed, asked):
        assert response.headers["Access-Control-Allow-Origin"] == ORIGIN
        assert "Origin" in response.headers["Vary"]
    assert "X-Request-ID" in answer.headers["Access-Control-Expose-Headers"]
    assert asked.status_code == 204
    assert "POST" in asked.headers["Access-Control-Allow-Methods"]
    assert "X-API-Key" in asked.headers["Access-Control-Allow-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer.headers


@pytest.mark.parametrize("origin", ["https://b.example", "http://a.example", "null", ""])
def test_any_other_is_not(origin: str) -> None:
    client = client_of(server__cors_origins=ORIGIN)

    answer = client.get("/healthz", headers={"Origin": origin})

    assert "Access-Control-Allow-Origin" not in answer.headers
    assert "Origin" in answer.headers["Vary"]


@pytest.mark.parametrize("text", ["*", "a.example", "https://a.example/x", "https://*.example"])
def test_what_is_no_origin_stops_the_start(text: str) -> None:
    with pytest.raises(ConfigError, match="no origin"):
        parse_origins(text)
