"""Stopping work that looks at no clock."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import numpy as np
import pytest

from shizi.core.deadline import Deadline
from shizi.core.errors import DeadlineExceeded
from shizi.engine.watch import Watch
from shizi.models.session import OrtSession
from shizi.models.store import LARGE_DETECTOR, ModelStore, Task

SOON_S = 0.05
LONG_S = 30.0


def _never() -> None:
    raise AssertionError("nothing is stuck here")


def test_a_run_is_stopped_at_its_deadline_and_no_other_one() -> None:
    watch = Watch(_never)
    stopped = threading.Event()
    with watch.until(Deadline.after(LONG_S)) as late, watch.until(Deadline.after(SOON_S)) as soon:
        soon.hook(stopped.set)
        assert stopped.wait(LONG_S)
        assert soon.is_set
        assert not late.is_set
    watch.close()


def test_a_run_that_ended_in_time_is_left_alone() -> None:
    watch = Watch(_never, grace_s=0.01)
    with watch.until(Deadline.after(SOON_S)) as first:
        pass
    with watch.until(Deadline.after(2 * SOON_S)) as second:
        ended = threading.Event()
        second.hook(ended.set)
        assert ended.wait(LONG_S)
    watch.close()

    assert not first.is_set


def test_a_run_that_does_not_stop_is_told_as_stuck_once() -> None:
    told = threading.Semaphore(0)
    watch = Watch(told.release, grace_s=SOON_S)
    with watch.until(Deadline.after(0.0)):
        assert told.acquire(timeout=LONG_S)
        assert not told.acquire(timeout=4 * SOON_S)
    watch.close()


def test_a_real_run_of_the_network_is_stopped_in_its_midst() -> None:
    """ONNX Runtime looks at the flag between two nodes; the session serves on."""
    manifest = ModelStore().find(LARGE_DETECTOR, Task.DETECT)
    session = OrtSession(manifest.file, 1)
    (name,) = session.input_names
    large = {name: np.zeros((1, 3, 960, 1280), np.float32)}
    watch = Watch(_never)
    began = time.monotonic()
    session.run(large)
    whole_s = time.monotonic() - began

    began = time.monotonic()
    with (
        watch.until(Deadline.after(whole_s / 10)) as stop,
        pytest.raises(DeadlineExceeded, match="was stopped in its midst"),
    ):
        session.run(large, stop=stop)
    watch.close()

    assert len(session.run({name: np.zeros((1, 3, 32, 32), np.float32)})) == 1
    assert time.monotonic() - began < whole_s + LONG_S


def test_a_stop_that_came_first_ends_a_run_at_once(tmp_path: Path) -> None:
    manifest = ModelStore().find(LARGE_DETECTOR, Task.DETECT)
    session = OrtSession(manifest.file, 1)
    watch = Watch(_never)
    with watch.until(Deadline(0.0)) as stop:
        while not stop.is_set:
            time.sleep(0.001)
        with pytest.raises(DeadlineExceeded):
            session.run({session.input_names[0]: np.zeros((1, 3, 32, 32), np.float32)}, stop=stop)
    watch.close()


def test_runs_that_are_over_are_not_kept_until_their_deadline() -> None:
    watch = Watch(lambda: None)
    with watch.until(Deadline.after(3600)):
        for _ in range(5000):
            with watch.until(Deadline.after(3600)):
                pass
        assert len(watch._runs) <= 64
    watch.close()
