"""The way to a service: a request and its answer, again where it is busy, failures as errors."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from shizi.client.failures import WAIT_S, make_error
from shizi.client.form import Form
from shizi.core.deadline import Deadline
from shizi.core.errors import DeadlineExceeded, OptionError, ShiziError, Unreachable

_CHUNK_BYTES = 1 << 16
_NO_CONTENT = 204


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back.

    Attributes:
        status: of HTTP.
        content: the JSON object; empty where it is none.
        retry_after_s: seconds the service asks to wait, None where it does not.
    """

    status: int
    content: Mapping[str, Any]
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked.

    Attributes:
        method: of HTTP.
        path: with its query.
        form: that is sent; None for none.
        headers: besides those that every request has.
    """

    method: str
    path: str
    form: Form | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Connection:
    """Reaches a service; holds no socket and no state, so that threads may share it.

    Args:
        url: of the service.
        key: opens it, None where it needs none.
        timeout_s: seconds a call may take, waiting and trying again included.

    Raises:
        OptionError: the address is none of http or https.
    """

    def __init__(self, url: str, key: str | None, timeout_s: float) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise OptionError(f"{url!r} is no address such as http://127.0.0.1:5000")
        self._secure = parts.scheme == "https"
        self._host = parts.hostname
        self._port = parts.port
        self._prefix = parts.path.rstrip("/")
        self._headers = {"X-API-Key": key} if key else {}
        self._timeout_s = timeout_s

    def ask(self, request: Request) -> Answer:
        """Send a request; where the service is busy, wait as it says and send it again.

        Raises:
            ShiziError: the leaf that the service names; Unreachable where it does not answer or
                is no Shizi, DeadlineExceeded where it does not in time.
        """
        answer = self._insist(request, _read_answer)
        if not answer.content and answer.status != _NO_CONTENT:
            raise _answer_to_error(answer)
        return answer

    def fetch(self, request: Request, kind: str, write: Callable[[bytes], object]) -> None:
        """Send a request that is answered with a file.

        Args:
            request: to send.
            kind: content type that the file must have.
            write: takes the file piece by piece; nothing of a failure.

        Raises:
            ShiziError: see `ask`.
        """

        def copy(response: http.client.HTTPResponse) -> Answer:
            if _media_type(response.headers.get("Content-Type", "")) != _media_type(kind):
                raise Unreachable("what answers is no Shizi: it sends something else than asked")
            while data := response.read(_CHUNK_BYTES):
                write(data)
            return Answer(response.status, {})

        self._insist(request, copy)

    def _insist(
        self, request: Request, take: Callable[[http.client.HTTPResponse], Answer]
    ) -> Answer:
        deadline = Deadline.after(self._timeout_s)
        while True:
            answer = self._send(request, deadline, take)
            if 200 <= answer.status < 300:
                return answer
            wait_s = WAIT_S if answer.retry_after_s is None else answer.retry_after_s
            if answer.status not in (429, 503) or wait_s >= deadline.left_s():
                raise _answer_to_error(answer)
            time.sleep(wait_s)

    def _send(
        self,
        request: Request,
        deadline: Deadline,
        take: Callable[[http.client.HTTPResponse], Answer],
    ) -> Answer:
        kind = http.client.HTTPSConnection if self._secure else http.client.HTTPConnection
        connection = kind(self._host, self._port, timeout=max(0.001, deadline.left_s()))
        headers = {**self._headers, **request.headers}
        if request.form is not None:
            headers |= request.form.headers
        try:
            # A service that refuses a body by its head answers before it has read the rest.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                path = self._prefix + request.path
                connection.request(request.method, path, request.form, headers)
            response = connection.getresponse()
            return (take if 200 <= response.status < 300 else _read_answer)(response)
        except TimeoutError as error:
            seconds = f"{self._timeout_s:g}"
            raise DeadlineExceeded(f"no answer from {self._host} in {seconds} s") from error
        except (OSError, http.client.HTTPException) as error:
            raise Unreachable(f"no answer from {self._host}: {error}") from error
        finally:
            connection.close()


def _read_answer(response: http.client.HTTPResponse) -> Answer:
    data = response.read()
    try:
        content = json.loads(data)
    except ValueError:
        content = {}
    try:
        retry_after_s = float(response.headers.get("Retry-After", ""))
    except ValueError:
        retry_after_s = None
    return Answer(response.status, content if isinstance(content, dict) else {}, retry_after_s)


def _answer_to_error(answer: Answer) -> ShiziError:
    content = answer.content
    if "code" not in content:
        return Unreachable(f"what answers is no Shizi: status {answer.status}")
    return make_error(str(content["code"]), str(content.get("detail", "")), answer.retry_after_s)


def _media_type(text: str) -> str:
    return text.partition(";")[0].strip().lower()
