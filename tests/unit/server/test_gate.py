"""Who may ask, and how often."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from shizi.core.errors import ConfigError
from shizi.server.gate import is_loopback
from shizi.server.keys import Key, draw_key, write_keys
from tests.unit.server.calls import b64, client_of, content_of, file


@pytest.fixture
def key(tmp_path: Path) -> str:
    """Give a key of the file `keys` in the folder of the test."""
    text, kept = draw_key("office")
    write_keys(tmp_path / "keys", [kept])
    return text


@pytest.fixture
def client(key: str, tmp_path: Path) -> FlaskClient:
    return client_of(server__keys=str(tmp_path / "keys"))


def test_either_header_opens_the_service(client: FlaskClient, key: str) -> None:
    for headers in ({"X-API-Key": key}, {"Authorization": f"Bearer {key}"}):
        assert client.get("/v1/options", headers=headers).status_code == 200
        answer = client.post("/ocr", data={"image": file()}, headers=headers)
        assert answer.status_code == 200


@pytest.mark.parametrize("headers", [{}, {"X-API-Key": "x"}, {"Authorization": "Basic eDp5"}])
@pytest.mark.parametrize("path", ["/v1/ocr", "/ocr", "/api/ocr", "/v1/models", "/metrics"])
def test_without_a_key_nothing_is_told(
    client: FlaskClient, headers: dict[str, str], path: str
) -> None:
    answer = client.open(path, method="POST" if "ocr" in path else "GET", headers=headers)

    content = content_of(answer)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert "unauthorized" in (content.get("code"), content.get("error", {}).get("code"))


@pytest.mark.parametrize(
    "path",
    ["/", "/static/app.js", "/healthz", "/readyz", "/docs", "/openapi.json", "/errors/busy"],
)
def test_what_needs_no_key(client: FlaskClient, path: str) -> None:
    with client.get(path) as answer:
        assert answer.status_code == 200


def test_a_key_is_asked_for_before_the_body_is_read(client: FlaskClient) -> None:
    assert client.post("/ocr", data=b"a" * 30_000_000).status_code == 401


def test_baidus_clients_show_their_key_as_a_token(client: FlaskClient, key: str) -> None:
    url = "/rest/2.0/ocr/v1/general_basic"
    token = content_of(client.post(f"/oauth/2.0/token?client_id=a&client_secret={key}"))

    well = client.post(f"{url}?access_token={token['access_token']}", data={"image": b64()})
    badly = client.post(f"{url}?access_token=x", data={"image": b64()})

    assert content_of(well)["words_result_num"] == 1
    assert (badly.status_code, content_of(badly)["error_code"]) == (200, 110)
    assert client.post(f"/ocr?access_token={key}", data={"image": file()}).status_code == 401


def test_the_name_of_a_key_is_logged_and_the_key_is_not(
    client: FlaskClient, key: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        client.get("/v1/options", headers={"X-API-Key": key})

    (record,) = caplog.records
    assert record.__dict__["fields"]["key"] == "office"
    assert key not in str(record.__dict__)


def test_an_address_has_a_limit_where_there_are_no_keys() -> None:
    client = client_of(server__rate_limit="2/minute")

    answers = [client.post("/ocr", data={"image": file()}) for _ in range(3)]
    other = client.post("/ocr", data={"image": file()}, environ_base={"REMOTE_ADDR": "10.0.0.1"})

    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert [answer.headers["RateLimit-Remaining"] for answer in answers] == ["1", "0", "0"]
    assert {answer.headers["RateLimit-Limit"] for answer in answers} == {"2"}
    assert 1 <= int(answers[2].headers["Retry-After"]) <= 60
    assert 1 <= int(answers[2].headers["RateLimit-Reset"]) <= 60
    assert content_of(answers[2])["error"]["code"] == "rate_limited"
    assert other.status_code == 200
    assert client.get("/v1/options").status_code == 200


def test_the_nearest_of_several_limits_is_told() -> None:
    client = client_of(server__rate_limit="100/hour,1/minute")

    client.post("/ocr", data={"image": file()})
    answer = client.post("/ocr", data={"image": file()})

    assert (answer.status_code, answer.headers["RateLimit-Limit"]) == (429, "1")


def test_a_key_has_its_own_limit(tmp_path: Path) -> None:
    (first, kept), (second, other) = draw_key("a", "1/minute"), draw_key("b")
    write_keys(tmp_path / "keys", [kept, other])
    client = client_of(server__keys=str(tmp_path / "keys"))

    def statuses(key: str) -> list[int]:
        headers = {"X-API-Key": key}
        return [
            client.post("/ocr", data={"image": file()}, headers=headers).status_code
            for _ in range(2)
        ]

    assert statuses(first) == [200, 429]
    assert statuses(second) == [200, 200]


def test_without_a_limit_nothing_is_told_of_any() -> None:
    assert "RateLimit-Limit" not in client_of().post("/ocr").headers


def test_what_is_no_limit_stops_the_start() -> None:
    with pytest.raises(ConfigError, match="no limit such as 60/minute"):
        client_of(server__rate_limit="many")


@pytest.mark.parametrize(
    ("host", "warned"),
    [("127.0.0.1", False), ("::1", False), ("localhost", False), ("0.0.0.0", True), ("a.b", True)],
)
def test_an_open_door_is_told_once(
    host: str, warned: bool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    write_keys(tmp_path / "keys", [Key("a", "0" * 64)])

    client_of(server__host=host)
    assert [record.levelname for record in caplog.records] == ["WARNING"] * warned
    assert ("without keys" in caplog.text) == warned
    assert is_loopback(host) != warned

    caplog.clear()
    client_of(server__host=host, server__keys=str(tmp_path / "keys"))
    assert not caplog.records
