"""What a batch and its workers tell each other: a line of JSON each, over a pair of sockets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import msgspec

from shizi.core.options import ReadOptions


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """How a worker works.

    Attributes:
        options: of every reading.
        formats: names of the formats that are written.
        parts: folder that unfinished results lie in.
        recognizer: name of the model that reads lines.
        detector: name of the model that finds lines.
        models: folder of further models; empty for none.
        threads: of a model's run.
        at_once: files in work at once, so that one is decoded while another is looked at.
        page_s: seconds a page may take; None for any time.
        most_bytes: a worker that takes more memory is replaced; 0 for any.
    """

    options: ReadOptions
    formats: tuple[str, ...]
    parts: str
    recognizer: str
    detector: str
    models: str = ""
    threads: int = 1
    at_once: int = 2
    page_s: float | None = None
    most_bytes: int = 0


class Begin(msgspec.Struct, frozen=True, tag="begin"):
    """To a worker, first of all: how to work."""

    plan: WorkerPlan


class Task(msgspec.Struct, frozen=True, tag="task"):
    """To a worker: a file to read.

    Attributes:
        number: of the item.
        path: to read, see `files.to_path`.
        name: as results show it.
        targets: where the results go, one a format.
    """

    number: int
    path: str
    name: str
    targets: tuple[str, ...]


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """To a worker: finish what was started, begin nothing more, and end."""


class Ready(msgspec.Struct, frozen=True, tag="ready"):
    """From a worker: tasks may come."""


class Unfit(msgspec.Struct, frozen=True, tag="unfit"):
    """From a worker: it cannot work at all, and why, as `error_to_bytes` has it."""

    error: bytes


class Started(msgspec.Struct, frozen=True, tag="started"):
    """From a worker: a task was begun, or its next page."""

    number: int


class Done(msgspec.Struct, frozen=True, tag="done"):
    """From a worker: a task has ended.

    Attributes:
        number: of the item.
        pages: that were written.
        code: why it failed; empty where it did not.
        detail: one sentence about that.
        halt: whether the failure is not the file's: all others would fail as it did.
    """

    number: int
    pages: int = 0
    code: str = ""
    detail: str = ""
    halt: bool = False


class Full(msgspec.Struct, frozen=True, tag="full"):
    """From a worker: it has grown too large, and wants to be replaced."""


ToWorker: TypeAlias = Begin | Task | Stop
FromWorker: TypeAlias = Ready | Unfit | Started | Done | Full

_encoder = msgspec.json.Encoder()
_to_worker = msgspec.json.Decoder(ToWorker)
_from_worker = msgspec.json.Decoder(FromWorker)


def to_line(message: ToWorker | FromWorker) -> bytes:
    """Write a message."""
    return _encoder.encode(message) + b"\n"


def line_to_order(line: bytes) -> ToWorker:
    """Read a message to a worker."""
    order: ToWorker = _to_worker.decode(line)
    return order


def line_to_report(line: bytes) -> FromWorker:
    """Read a message from a worker."""
    report: FromWorker = _from_worker.decode(line)
    return report
