"""The one place that knows ONNX Runtime: a session runs a network, and nothing else.

Everything above sees the `Session` protocol, so that a test or a remote engine can stand in.
No other module imports onnxruntime, and no exception of it leaves this file.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from onnxruntime.capi import onnxruntime_pybind11_state as ort_state

from shizi.core.errors import (
    DeadlineExceeded,
    IncompatibleModel,
    ModelError,
    ModelNotFound,
)
from shizi.models.subnormals import flush_subnormals

Array = NDArray[Any]

# What ONNX Runtime raises when a file is no model it can run, as opposed to a run that fails.
_UNREADABLE: tuple[type[Exception], ...] = (
    ort_state.Fail,
    ort_state.InvalidProtobuf,
    ort_state.InvalidGraph,
    ort_state.NoModel,
    ort_state.NotImplemented,
)
_MISFED: tuple[type[Exception], ...] = (ort_state.InvalidArgument, ValueError, TypeError)
_LOG_FATAL = 4
_arena_made = threading.Event()
# A block of the arena is cut in two unless less than this is left of it.
_DEAD_BYTES = 64 << 10
# After a large first step the later ones are no larger than this, or than what asks for them.
_LATER_STEP_BYTES = 4 << 20


class Stop:
    """Ends the run of a network that goes on in another thread.

    Attributes:
        is_set: whether the run was told to end.
    """

    def __init__(self) -> None:
        self.is_set = False
        self._end: Callable[[], None] | None = None
        self._lock = threading.Lock()

    def set(self) -> None:
        """Tell the run to end, and every later one; it does between two nodes of the network."""
        with self._lock:
            self.is_set = True
            if self._end is not None:
                self._end()

    def hook(self, end: Callable[[], None]) -> None:
        """Say how the run that begins now is ended; it is, at once, where the stop is set."""
        with self._lock:
            self._end = end
            if self.is_set:
                end()


class Session(Protocol):
    """A loaded network; threads may share it."""

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names the network takes arrays by, in its own order."""
        ...

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of what it computes, in its own order."""
        ...

    @property
    def metadata(self) -> Mapping[str, str]:
        """What its maker wrote into the file."""
        ...

    def run(
        self,
        feeds: Mapping[str, Array],
        outputs: Sequence[str] | None = None,
        stop: Stop | None = None,
    ) -> list[Array]:
        """Run the network once.

        Args:
            feeds: one array for each input name.
            outputs: names wanted, in the order wanted; None gives all of them.
            stop: ends the run before its end.

        Returns:
            One array for each output; the caller owns them.

        Raises:
            DeadlineExceeded: it was stopped.
            IncompatibleModel: the arrays do not fit the network's inputs.
            ModelError: the run failed; another one may succeed.
        """
        ...

    def relax(self, feeds: Mapping[str, Array]) -> None:
        """Run the network once and give memory that runs no longer use back to the system.

        Args:
            feeds: as small as the network takes them.

        Raises:
            ModelError: the run failed.
        """
        ...


class OrtSession:
    """A network in ONNX Runtime on the CPU.

    All sessions of a process share one arena, so that what the detector is done with serves the
    recognizer. The cache of memory patterns is off: lines and pages come in ever new shapes, and
    a pattern kept for each of them is what grows without end. Idle threads sleep rather than
    spin: a spinning pool takes six times the processor time for a millisecond. Subnormal numbers
    count as zero during a run (`subnormals`).

    Args:
        model: the content of an ONNX file, or its path; the digest is checked by whoever found it.
        threads: size of the pool one run is spread over, at least 1.
        name: for messages where `model` is no path.

    Raises:
        ModelNotFound: there is no such file.
        IncompatibleModel: the file is no network this runtime can run.
        ValueError: `threads` is below 1.
    """

    def __init__(self, model: Path | bytes, threads: int = 1, name: str = "the model") -> None:
        if threads < 1:
            raise ValueError(f"a session needs at least 1 thread, not {threads}")
        if isinstance(model, Path) and not model.is_file():
            raise ModelNotFound(f"no model file {model}")
        self._name = model.name if isinstance(model, Path) else name
        shown = str(model) if isinstance(model, Path) else name
        make_arena()
        try:
            with flush_subnormals():
                self._session = onnxruntime.InferenceSession(
                    str(model) if isinstance(model, Path) else model,
                    sess_options=_options(threads),
                    providers=["CPUExecutionProvider"],
                )
        except _UNREADABLE as error:
            raise IncompatibleModel(f"{shown} is no network this program can run") from error
        except Exception as error:
            raise ModelError(f"{shown} cannot be loaded: {type(error).__name__}") from error
        # The wrapper keeps the file's content for providers that fail; ours has nothing to fall to.
        self._session._model_bytes = None
        self._inputs = tuple(str(node.name) for node in self._session.get_inputs())
        self._outputs = tuple(str(node.name) for node in self._session.get_outputs())
        self._metadata = dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names the network takes arrays by, in its own order."""
        return self._inputs

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names of what it computes, in its own order."""
        return self._outputs

    @property
    def metadata(self) -> Mapping[str, str]:
        """What its maker wrote into the file."""
        return self._metadata

    def run(
        self,
        feeds: Mapping[str, Array],
        outputs: Sequence[str] | None = None,
        stop: Stop | None = None,
    ) -> list[Array]:
        """Run the network once; see `Session.run`."""
        options = onnxruntime.RunOptions()
        if stop is not None:
            stop.hook(lambda: setattr(options, "terminate", True))
        wanted = list(self._outputs if outputs is None else outputs)
        return self._run(feeds, wanted, options, stop)

    def relax(self, feeds: Mapping[str, Array]) -> None:
        """Give back what the arena of all sessions holds unused; see `Session.relax`."""
        options = onnxruntime.RunOptions()
        options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
        self._run(feeds, list(self._outputs[:1]), options)

    def _run(
        self,
        feeds: Mapping[str, Array],
        wanted: list[str],
        options: onnxruntime.RunOptions,
        stop: Stop | None = None,
    ) -> list[Array]:
        try:
            with flush_subnormals():
                answers = self._session.run(wanted, dict(feeds), options)
        except _MISFED as error:
            raise IncompatibleModel(f"{self._name} does not take {_shapes(feeds)}") from error
        except Exception as error:
            if stop is not None and stop.is_set:
                raise DeadlineExceeded(f"a run of {self._name} was stopped in its midst") from error
            raise ModelError(f"{self._name} failed: {type(error).__name__}") from error
        return [np.asarray(answer) for answer in answers]


class FakeSession:
    """The twin of `OrtSession` that runs a plain function; for tests and rehearsals.

    Args:
        function: takes the feeds, gives one array for each output name, in their order.
        input_names: as the real network would name them.
        output_names: likewise.
        metadata: what the file would hold.

    Attributes:
        shapes: shapes fed so far by input name, one entry a run.
    """

    def __init__(
        self,
        function: Callable[[Mapping[str, Array]], Sequence[Array]],
        input_names: Sequence[str] = ("x",),
        output_names: Sequence[str] = ("y",),
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        self._function = function
        self._inputs = tuple(input_names)
        self._outputs = tuple(output_names)
        self._metadata = dict(metadata or {})
        self.shapes: list[dict[str, tuple[int, ...]]] = []

    @property
    def input_names(self) -> tuple[str, ...]:
        """Names it was made with."""
        return self._inputs

    @property
    def output_names(self) -> tuple[str, ...]:
        """Names it was made with."""
        return self._outputs

    @property
    def metadata(self) -> Mapping[str, str]:
        """Metadata it was made with."""
        return self._metadata

    def run(
        self,
        feeds: Mapping[str, Array],
        outputs: Sequence[str] | None = None,
        stop: Stop | None = None,
    ) -> list[Array]:
        """Call the function; refuse the feeds and outputs a real session would refuse."""
        if stop is not None and stop.is_set:
            raise DeadlineExceeded("the run was stopped before it began")
        unknown = set(outputs or ()) - set(self._outputs)
        if set(feeds) != set(self._inputs) or unknown:
            raise IncompatibleModel(f"this session does not take {_shapes(feeds)}")
        self.shapes.append({name: array.shape for name, array in feeds.items()})
        answers = dict(zip(self._outputs, self._function(feeds), strict=True))
        return [answers[name] for name in (self._outputs if outputs is None else outputs)]

    def relax(self, feeds: Mapping[str, Array]) -> None:
        """Run once; there is no memory to give back."""
        self.run(feeds)


def make_arena(first_bytes: int = 0) -> None:
    """Make the arena that all sessions of this process take their memory from; only once.

    It grows in steps, each twice the last, and a block never spans two of them. Where its first
    step holds all that a run takes, runs of ever new shapes take a third less.

    Args:
        first_bytes: of the first step, which is never given back; 0 for a small one.
    """
    if _arena_made.is_set():
        return
    _arena_made.set()
    memory = onnxruntime.OrtMemoryInfo(
        "Cpu", onnxruntime.OrtAllocatorType.ORT_ARENA_ALLOCATOR, 0, onnxruntime.OrtMemType.DEFAULT
    )
    steps = {
        "initial_chunk_size_bytes": first_bytes,
        "max_dead_bytes_per_chunk": _DEAD_BYTES,
        "max_power_of_two_extend_bytes": _LATER_STEP_BYTES,
    }
    arena = onnxruntime.OrtArenaCfg(steps if first_bytes else {})
    onnxruntime.create_and_register_allocator(memory, arena)


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = True
    options.add_session_config_entry("session.use_env_allocators", "1")
    options.enable_mem_pattern = False
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    # What goes wrong is raised as an exception; a second telling on standard error is noise.
    options.log_severity_level = _LOG_FATAL
    return options


def _shapes(feeds: Mapping[str, Array]) -> str:
    """Name inputs with their shapes and types; never their content."""
    return ", ".join(
        f"{name}: {np.asarray(array).dtype}{list(np.shape(array))}" for name, array in feeds.items()
    )
