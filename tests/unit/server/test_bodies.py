"""Bodies that are cut short, malformed, or made to cost memory are refused, never a 500."""

from __future__ import annotations

import io
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.fakes import FakeReader
from tests.unit.server.calls import b64, client_of, content_of, file

HEAD = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n'
KIND = "multipart/form-data; boundary=x"


def _post(client: FlaskClient, body: bytes, kind: str = KIND, **more: Any) -> TestResponse:
    return client.post("/v1/ocr", data=body, content_type=kind, **more)


def _refused(answer: TestResponse, status: int, code: str) -> str:
    content = content_of(answer)
    assert (answer.status_code, content["code"]) == (status, code)
    return str(content["detail"])


@pytest.mark.parametrize(
    "body",
    [
        b"nothing of the kind",
        HEAD + b"\r\nabc",
        HEAD,
        b"--x\r\n\r\nabc\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data; filename=a\r\n\r\nabc\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n\xff\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="\xff"\r\n\r\na\r\n--x--\r\n',
    ],
)
def test_a_malformed_form_is_told(body: bytes) -> None:
    assert "malformed or cut short" in _refused(_post(client_of(), body), 400, "bad_request")


def test_a_form_without_a_boundary_is_told() -> None:
    for kind in ("multipart/form-data", "multipart/form-data; boundary=" + "x" * 300):
        assert "boundary" in _refused(_post(client_of(), HEAD, kind), 400, "bad_request")


@pytest.mark.parametrize("terminated", [False, True])
@pytest.mark.parametrize("kind", [KIND, "application/json", "image/png"])
def test_a_body_shorter_than_it_says_is_the_clients_fault(kind: str, terminated: bool) -> None:
    answer = client_of().post(
        "/v1/ocr",
        input_stream=io.BytesIO(HEAD + b"\r\nabc"),
        content_type=kind,
        environ_overrides={"CONTENT_LENGTH": "5000", "wsgi.input_terminated": terminated},
    )

    assert "did not arrive whole" in _refused(answer, 400, "bad_request")


def test_a_connection_that_breaks_is_the_clients_fault() -> None:
    class Broken(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise ConnectionResetError

    answer = client_of().post(
        "/v1/ocr",
        input_stream=Broken(),
        content_type="image/png",
        environ_overrides={"CONTENT_LENGTH": "5"},
    )
    assert "did not arrive whole" in _refused(answer, 400, "bad_request")


def test_thousands_of_parts_are_refused() -> None:
    part = b'--x\r\nContent-Disposition: form-data; name="%d"\r\n\r\n\r\n'
    body = b"".join(part % k for k in range(5_000)) + b"--x--\r\n"

    detail = _refused(_post(client_of(), body), 413, "too_large")

    assert detail == "max_parts is 300 and the input has 301"


def test_huge_headers_of_a_part_are_refused() -> None:
    body = HEAD + b"X: " + b"y" * 1_000_000 + b"\r\n\r\nabc\r\n--x--\r\n"

    assert "max_part_header_bytes" in _refused(_post(client_of(), body), 413, "too_large")


def test_a_large_file_passes_where_its_headers_are_small() -> None:
    reader = FakeReader()
    data = bytes(range(256)) * 8_000 + b"\r\n--y"

    answer = _post(client_of(reader), HEAD + b"\r\n" + data + b"\r\n--x--\r\n")

    assert answer.status_code == 200
    assert reader.calls[0][0] == data


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[1]",
        b'"a"',
        b"\xff",
        b"[" * 9_000,
        b'{"a":' * 3_000,
        b'{"images": ["a"], "b": ' + b"9" * 5_000 + b"}",
    ],
)
def test_a_malformed_json_body_is_told(body: bytes) -> None:
    _refused(_post(client_of(), body, "application/json"), 400, "bad_request")


def test_a_json_body_of_very_many_values_is_refused_unparsed() -> None:
    body = b'{"images": [' + b"[]," * 30_000 + b"[]]}"

    assert "20,000 values" in _refused(
        _post(client_of(), body, "application/json"), 400, "bad_request"
    )


@pytest.mark.parametrize("body", [b"a&" * 5_000, b"a=%ff", b"a=\xff", b"a=1&a=2"])
def test_a_malformed_or_swollen_form_is_refused(body: bytes) -> None:
    _refused(_post(client_of(), body, "application/x-www-form-urlencoded"), 400, "bad_request")


@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "video/mp4"])
def test_a_body_of_another_type_is_refused(kind: str) -> None:
    assert kind in _refused(_post(client_of(), b"abc", kind), 415, "unsupported_body")


def test_a_compressed_body_is_refused() -> None:
    answer = _post(client_of(), b"abc", "image/png", headers={"Content-Encoding": "gzip"})

    assert "compressed" in _refused(answer, 415, "unsupported_body")


@pytest.mark.parametrize("announced", [True, False])
@pytest.mark.parametrize(("size", "status"), [(999, 200), (1_001, 413), (5_000, 413)])
def test_a_body_is_held_to_the_limit(announced: bool, size: int, status: int) -> None:
    reader = FakeReader()
    length: dict[str, Any] = {"headers": {"Transfer-Encoding": "chunked"}}
    if announced:
        length = {"headers": {"Content-Length": str(size)}}

    answer = client_of(reader, server__max_body_bytes=1_000).post(
        "/v1/ocr",
        input_stream=io.BytesIO(b"a" * size),
        content_type="image/png",
        environ_overrides={"wsgi.input_terminated": True},
        **length,
    )

    assert answer.status_code == status
    assert [source for source, _ in reader.calls] == ([b"a" * size] if status == 200 else [])


def test_a_body_may_be_as_large_as_the_limit() -> None:
    answer = client_of(server__max_body_bytes=1_000).post(
        "/v1/ocr",
        data=b"a" * 1_000,
        content_type="image/png",
        environ_overrides={"wsgi.input_terminated": True},
    )

    assert answer.status_code == 200


def test_a_body_past_the_budget_is_told_to_come_back() -> None:
    inner: list[TestResponse] = []
    reader = FakeReader()
    client = client_of(reader, server__max_held_bytes=2_000)

    def read(*_: object) -> list[Any]:
        if not inner:
            inner.append(client.post("/v1/ocr", json={"image": b64(b"a" * 500)}))
        return []

    reader.answer = read
    outer = client.post("/v1/ocr", data={"file": file(b"a" * 1_000)})
    after = client.post("/v1/ocr", json={"image": b64(b"a" * 500)})

    assert (outer.status_code, after.status_code) == (200, 200)
    _refused(inner[0], 503, "busy")
    assert inner[0].headers["Retry-After"] == "2"


def test_a_request_without_a_body_takes_no_memory() -> None:
    inner: list[TestResponse] = []
    reader = FakeReader()
    client = client_of(reader, server__max_held_bytes=2_000)

    def read(*_: object) -> list[Any]:
        inner.append(client.get("/oauth/2.0/token"))
        return []

    reader.answer = read
    client.post("/v1/ocr", data={"file": file(b"a" * 1_000)})

    assert inner[0].status_code == 200


def test_what_a_message_repeats_of_a_request_is_short() -> None:
    answer = client_of().post("/v1/ocr", data={"file": file(), "dpi": "9" * 100_000})

    assert len(_refused(answer, 422, "bad_option")) <= 500
