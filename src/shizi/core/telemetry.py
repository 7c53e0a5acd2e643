"""Log lines that machines and people can read, each with the request it belongs to."""

from __future__ import annotations

import json
import logging
import sys
import time
from contextvars import ContextVar
from enum import StrEnum
from typing import TextIO

request_id: ContextVar[str] = ContextVar("shizi_request_id", default="")
"""The request this thread works for; empty where it works for none."""


SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""What seconds are counted by; a line takes milliseconds, a document minutes."""


class LogFormat(StrEnum):
    """How a log line is written."""

    AUTO = "auto"
    """For people on a terminal, JSON elsewhere."""
    JSON = "json"
    """One JSON object a line."""
    TEXT = "text"
    """One line for people."""


class JsonFormatter(logging.Formatter):
    """Writes a record as one line of JSON; control characters are escaped by its rules."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, without its end."""
        content: dict[str, object] = {
            "time": _utc(record),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if current := request_id.get():
            content["request_id"] = current
        content |= _fields(record)
        if record.exc_info:
            content["trace"] = self.formatException(record.exc_info)
        return json.dumps(content, ensure_ascii=False, default=str)


class TextFormatter(logging.Formatter):
    """Writes a record as one readable line, its trace below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Give the line, without its end."""
        parts = [f"shizi: {record.levelname}: {record.name}: {record.getMessage()}"]
        parts += [f"{name}={value}" for name, value in _fields(record).items()]
        if current := request_id.get():
            parts.append(f"request_id={current}")
        line = " ".join(parts).replace("\r", " ").replace("\n", " ")
        trace = "\n" + self.formatException(record.exc_info) if record.exc_info else ""
        return line + trace


def configure_logging(
    form: LogFormat, level: int = logging.INFO, stream: TextIO | None = None
) -> None:
    """Send the log of the whole process to one stream.

    Args:
        form: how lines are written.
        level: what is too unimportant to be written lies below it; of other packages, what is no
            warning.
        stream: standard error where None.
    """
    target = stream or sys.stderr
    text = form is LogFormat.TEXT or (form is LogFormat.AUTO and target.isatty())
    handler = logging.StreamHandler(target)
    handler.setFormatter(TextFormatter() if text else JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(level, logging.WARNING))
    logging.getLogger("shizi").setLevel(level)


def _fields(record: logging.LogRecord) -> dict[str, object]:
    """Give what the caller added as `extra={"fields": …}`."""
    fields = getattr(record, "fields", None)
    return fields if isinstance(fields, dict) else {}


def _utc(record: logging.LogRecord) -> str:
    whole = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
    return f"{whole}.{int(record.msecs):03d}Z"
