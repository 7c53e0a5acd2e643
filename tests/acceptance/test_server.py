"""The service as a client meets it: the real process on a free port."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import time
import urllib.request
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit

import pytest

from shizi.client import Client
from shizi.core.errors import TooLarge
from tests.program import RECEIPT, Service, serving

pytestmark = pytest.mark.acceptance


def _request(url: str, data: bytes | None = None, **headers: str) -> tuple[int, bytes]:
    request = urllib.request.Request(
        url, data, {k.replace("_", "-"): v for k, v in headers.items()}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        with error:
            return error.code, error.read()


def _post(service: Service, picture: bytes, **fields: str) -> tuple[int, dict[str, object]]:
    boundary = uuid.uuid4().hex
    part = f"--{boundary}\r\nContent-Disposition: form-data; name="
    parts = [f'{part}"{name}"\r\n\r\n{value}\r\n'.encode() for name, value in fields.items()]
    head = f'{part}"image"; filename="a"\r\nContent-Type: application/octet-stream\r\n\r\n'
    body = b"".join([*parts, head.encode(), picture, f"\r\n--{boundary}--\r\n".encode()])
    kind = f"multipart/form-data; boundary={boundary}"
    status, answer = _request(f"{service.url}/ocr", body, Content_Type=kind)
    content: dict[str, object] = json.loads(answer)
    return status, content


def _error_code(answer: dict[str, object]) -> object:
    assert answer["success"] is False
    assert answer["results"] == []
    assert isinstance(answer["error"], dict)
    return answer["error"]["code"]


def test_the_page_and_the_health_are_served(service: Service) -> None:
    status, page = _request(f"{service.url}/")

    assert status == 200
    assert "开始高精度识别" in page.decode()
    assert _request(f"{service.url}/healthz") == (200, b'{"status": "ok"}\n')
    assert _request(f"{service.url}/static/app.js")[0] == 200


def test_a_picture_is_read(service: Service) -> None:
    status, answer = _post(service, RECEIPT.read_bytes(), chars="true")

    assert (status, answer["success"]) == (200, True)
    results = answer["results"]
    assert isinstance(results, list)
    assert results[0]["text"] == "杭州西溪书店"
    assert results[0]["chars"][0]["text"] == "杭"


@pytest.mark.parametrize(
    ("picture", "status", "code"),
    [
        (b"", 422, "bad_input"),
        (b"no picture at all", 415, "unsupported"),
        (RECEIPT.read_bytes()[:3000], 422, "corrupt"),
    ],
)
def test_a_wrong_file_is_refused_with_its_reason(
    service: Service, picture: bytes, status: int, code: str
) -> None:
    answered, answer = _post(service, picture)

    assert (answered, _error_code(answer)) == (status, code)


def test_a_missing_picture_and_a_wrong_option_are_refused(service: Service) -> None:
    status, answer = _request(f"{service.url}/ocr", b"a=b")
    assert (status, _error_code(json.loads(answer))) == (400, "missing_image")

    status, content = _post(service, RECEIPT.read_bytes(), dpii="300")
    assert (status, _error_code(content)) == (422, "bad_option")


def test_a_body_over_the_limit_is_refused_before_it_is_sent(service: Service) -> None:
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=30)
    connection.putrequest("POST", "/ocr")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", "1000000000")
    connection.endheaders(b"--x\r\n")
    answer = connection.getresponse()

    assert answer.status == 413
    assert _error_code(json.loads(answer.read())) == "too_large"
    connection.close()


def test_a_client_that_sends_too_much_before_it_listens_gets_the_answer(service: Service) -> None:
    connection = http.client.HTTPConnection(urlsplit(service.url).netloc, timeout=30)
    connection.request("POST", "/ocr", bytes(40_000_000), {"Content-Type": "image/png"})
    answer = connection.getresponse()

    assert answer.status == 413
    assert _error_code(json.loads(answer.read())) == "too_large"
    connection.close()


def test_requests_at_once_get_the_same_answer_as_one_alone(service: Service) -> None:
    picture = RECEIPT.read_bytes()
    (_, alone) = _post(service, picture)

    with ThreadPoolExecutor(6) as clients:
        answers = list(clients.map(lambda _: _post(service, picture), range(12)))

    assert [status for status, _ in answers] == [200] * 12
    assert all(answer["results"] == alone["results"] for _, answer in answers)


def test_the_log_holds_no_word_of_a_document(service: Service) -> None:
    _post(service, RECEIPT.read_bytes())
    _post(service, b"CANARY-4711")

    log = service.log.read_text(encoding="utf-8")
    assert "西溪" not in log
    assert "CANARY" not in log


def test_every_request_is_a_line_of_json_in_the_log(service: Service) -> None:
    _request(f"{service.url}/v1/options", X_Request_ID="r-4711")

    lines = service.log.read_text(encoding="utf-8").splitlines()
    (line,) = (json.loads(line) for line in lines if '"r-4711"' in line)
    assert (line["route"], line["status"], line["level"]) == ("/v1/options", 200, "info")


def test_bytes_alone_are_read_and_a_failure_is_a_problem(service: Service) -> None:
    url = f"{service.url}/v1/ocr?coords=relative"

    status, answer = _request(url, RECEIPT.read_bytes(), Content_Type="image/png")
    failed, problem = _request(url, b"no picture at all", Content_Type="image/png")

    assert status == 200
    (document,) = json.loads(answer)["documents"]
    assert document["text"].startswith("杭州西溪书店")
    assert all(0 <= part <= 1 for point in document["results"][0]["box"] for part in point)
    assert (failed, json.loads(problem)["type"]) == (415, "/errors/unsupported")


@pytest.mark.parametrize("length", ["5000", None])
def test_a_client_that_goes_before_its_body_ends_leaves_no_trace(
    service: Service, length: str | None
) -> None:
    connection = http.client.HTTPConnection(*_address(service), timeout=30)
    connection.putrequest("POST", "/v1/ocr")
    connection.putheader("Content-Type", "image/png")
    if length:
        connection.putheader("Content-Length", length)
    else:
        connection.putheader("Transfer-Encoding", "chunked")
    connection.putheader("X-Request-ID", f"gone-{length}")
    connection.endheaders(b"abc" if length else b"1000\r\nabc")
    assert connection.sock is not None
    connection.sock.shutdown(socket.SHUT_WR)
    answer = connection.getresponse()

    content = json.loads(answer.read())
    connection.close()
    assert (answer.status, content["code"]) == (400, "bad_request")
    assert "Traceback" not in service.log.read_text(encoding="utf-8")


def test_a_client_that_drips_is_cut_off(tmp_path: Path) -> None:
    settings = tmp_path / "shizi.yaml"
    settings.write_text("server:\n  upload_timeout_s: 1\n")
    with serving(tmp_path, "--config", str(settings)) as service:
        connection = http.client.HTTPConnection(*_address(service), timeout=30)
        connection.putrequest("POST", "/v1/ocr")
        connection.putheader("Content-Type", "image/png")
        connection.putheader("Content-Length", "1000")
        connection.endheaders(b"a")
        for _ in range(10):
            time.sleep(0.15)
            try:
                connection.send(b"a")
            except OSError:
                break
        answer = connection.getresponse()

        content = json.loads(answer.read())
        connection.close()
        assert (answer.status, content["code"]) == (408, "slow_client")
        assert "Traceback" not in service.log.read_text(encoding="utf-8")


def test_the_client_learns_why_a_large_body_was_refused_unread(service: Service) -> None:
    with pytest.raises(TooLarge, match="max_body_bytes is 20,000,000"):
        Client(service.url).read(b"a" * 40_000_000)


def test_sigterm_lets_the_request_in_work_end_and_stops_cleanly(tmp_path: Path) -> None:
    with serving(tmp_path) as service:
        with ThreadPoolExecutor(1) as client:
            # Its first half is sent before the signal, its second half after.
            answer = client.submit(_post_in_halves, service, RECEIPT.read_bytes())
            time.sleep(0.5)
            service.process.send_signal(signal.SIGTERM)
            assert answer.result(timeout=60) == 200
        assert service.process.wait(timeout=30) == 0
        assert "Traceback" not in service.log.read_text()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(_address(service), timeout=5)


def _post_in_halves(service: Service, picture: bytes) -> int:
    head = b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    body = head + picture + b"\r\n--x--\r\n"
    connection = http.client.HTTPConnection(*_address(service), timeout=60)
    connection.putrequest("POST", "/ocr")
    connection.putheader("Content-Type", "multipart/form-data; boundary=x")
    connection.putheader("Content-Length", str(len(body)))
    connection.endheaders(body[: len(body) // 2])
    time.sleep(1.5)
    connection.send(body[len(body) // 2 :])
    status = connection.getresponse().status
    connection.close()
    return status


def _address(service: Service) -> tuple[str, int]:
    host, _, port = urlsplit(service.url).netloc.rpartition(":")
    return host, int(port)


def test_a_taken_port_is_told_in_one_line(service: Service, tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match=r"cannot listen on 127\.0\.0\.1:.*in use"),
        serving(tmp_path, "--port", str(_address(service)[1])),
    ):
        pass


def test_a_missing_model_stops_the_start(tmp_path: Path) -> None:
    with (
        pytest.raises(AssertionError, match="no model 'none' to recognize"),
        serving(tmp_path, "--recognizer", "none"),
    ):
        pass
