"""Subnormal numbers count as zero within a run, and nowhere else."""

from __future__ import annotations

import platform
import threading

import numpy as np
import pytest

from shizi.models.session import OrtSession
from shizi.models.subnormals import flush_subnormals

pytestmark = pytest.mark.skipif(
    (platform.system(), platform.machine()) != ("Linux", "x86_64"),
    reason="the switch is thrown on x86-64 Linux alone",
)
onnx = pytest.importorskip("onnx", reason="needs the extra train")
SMALL = np.full((1, 4), 1e-40, np.float32)


def flushes_subnormals() -> bool:
    """Tell whether this thread counts subnormal numbers as zero just now."""
    return not SMALL[0, 0] * np.float32(0.5)


def multiplier() -> bytes:
    """Make a network that gives its input times 2."""
    helper, kind = onnx.helper, onnx.TensorProto.FLOAT
    shape = ["rows", 4]
    graph = helper.make_graph(
        [helper.make_node("Mul", ["x", "two"], ["y"])],
        "multiplier",
        [helper.make_tensor_value_info("x", kind, shape)],
        [helper.make_tensor_value_info("y", kind, shape)],
        [helper.make_tensor("two", kind, [1], [2.0])],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(model.SerializeToString())


def test_the_switch_is_on_within_the_block_and_back_after_it() -> None:
    before = flushes_subnormals()
    with flush_subnormals():
        within = flushes_subnormals()

    assert (before, within, flushes_subnormals()) == (False, True, False)


def test_the_switch_is_back_after_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), flush_subnormals():
        raise ZeroDivisionError

    assert not flushes_subnormals()


def test_one_block_in_another_stays_on_until_the_outer_one_ends() -> None:
    with flush_subnormals():
        with flush_subnormals():
            pass
        assert flushes_subnormals()

    assert not flushes_subnormals()


@pytest.mark.parametrize("threads", [1, 2])
def test_a_run_counts_subnormal_numbers_as_zero_and_leaves_the_caller_as_it_was(
    threads: int,
) -> None:
    session = OrtSession(multiplier(), threads)
    (answer,) = session.run({"x": SMALL})

    assert not answer.any()
    assert not flushes_subnormals()


def test_a_thread_older_than_the_session_runs_alike() -> None:
    made = threading.Event()
    sessions: list[OrtSession] = []
    seen: list[tuple[bool, bool]] = []

    def run() -> None:
        made.wait(10)
        (answer,) = sessions[0].run({"x": SMALL})
        seen.append((bool(answer.any()), flushes_subnormals()))

    thread = threading.Thread(target=run)
    thread.start()
    sessions.append(OrtSession(multiplier()))
    made.set()
    thread.join(10)

    assert seen == [(False, False)]
