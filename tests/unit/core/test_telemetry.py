"""Log lines for machines and for people."""

from __future__ import annotations

import io
import json
import logging
import sys
from collections.abc import Iterator

import pytest

from shizi.core.telemetry import LogFormat, TextFormatter, configure_logging, request_id


@pytest.fixture(autouse=True)
def _kept_logging() -> Iterator[None]:
    """Give the process its own logging back."""
    root, ours = logging.getLogger(), logging.getLogger("shizi")
    before = (list(root.handlers), root.level, ours.level)
    yield
    root.handlers[:] = before[0]
    root.setLevel(before[1])
    ours.setLevel(before[2])


def _written(form: LogFormat, level: int = logging.INFO) -> str:
    stream = io.StringIO()
    configure_logging(form, level, stream)
    fields = {"route": "/v1/ocr", "status": 200}
    logging.getLogger("shizi.access").info("one\ntwo", extra={"fields": fields})
    logging.getLogger("elsewhere").info("of no interest")
    return stream.getvalue()


def test_json_is_a_line_an_event() -> None:
    token = request_id.set("r-1")
    try:
        (line,) = _written(LogFormat.JSON).splitlines()
    finally:
        request_id.reset(token)

    content = json.loads(line)
    assert content.pop("time").endswith("Z")
    assert content == {
        "level": "info",
        "logger": "shizi.access",
        "message": "one\ntwo",
        "request_id": "r-1",
        "route": "/v1/ocr",
        "status": 200,
    }


def test_text_is_a_line_an_event_too() -> None:
    written = _written(LogFormat.TEXT)

    assert written == "shizi: INFO: shizi.access: one two route=/v1/ocr status=200\n"


def test_auto_is_text_on_a_terminal_alone() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    configure_logging(LogFormat.AUTO, logging.INFO, stream)
    logging.getLogger("shizi").info("hello")

    assert stream.getvalue().startswith("shizi: INFO")
    assert _written(LogFormat.AUTO).startswith("{")


def test_what_is_too_unimportant_is_left_out() -> None:
    assert _written(LogFormat.JSON, logging.WARNING) == ""


def test_a_trace_belongs_to_its_line() -> None:
    stream = io.StringIO()
    configure_logging(LogFormat.JSON, logging.INFO, stream)
    try:
        raise ValueError("x")
    except ValueError:
        logging.getLogger("shizi").exception("met")
        record = logging.LogRecord("a", 40, "", 1, "met", None, sys.exc_info())

    content = json.loads(stream.getvalue())
    assert "ValueError: x" in content["trace"]
    assert TextFormatter().format(record).splitlines()[-1] == "ValueError: x"
