"""What the processes of the service are told when they start; they go as JSON."""

from __future__ import annotations

from dataclasses import dataclass

from shizi.core.telemetry import LogFormat

#: Share of characters a model may misread in plain print that a release takes into service.
GOLDEN_ERRORS = 0.1
#: Columns of pixels in a batch of lines where memory is no concern.
BATCH_COLUMNS = 1280


@dataclass(frozen=True, slots=True)
class DecoderOptions:
    """What the children may do.

    Attributes:
        children: inputs decoded at once.
        inputs: a child is replaced after so many.
        rest_s: one that has worked is replaced, too, when no other input comes for so long.
        memory_bytes: a child may take beyond what its mother has.
    """

    children: int = 2
    inputs: int = 200
    rest_s: float = 5.0
    memory_bytes: int = 2 << 30


@dataclass(frozen=True, slots=True)
class DecodersPlan:
    """What the decoders' process is told.

    Attributes:
        socket: path to listen on.
        options: of the children.
        log_format: of its log.
    """

    socket: str
    options: DecoderOptions = DecoderOptions()
    log_format: LogFormat = LogFormat.AUTO


@dataclass(frozen=True, slots=True)
class EnginePlan:
    """What an engine process is told.

    Attributes:
        socket: path to listen on.
        decoders: path of the decoders' socket.
        recognizer: model that reads lines, as name@version.
        detector: model that finds lines.
        models: folder of further models; empty for none.
        threads: of a model's run; 0 takes as many as the process may use.
        places: calls in work at once.
        waiting: calls that may wait.
        batch_columns: of pixels, in a batch of lines.
        arena_bytes: of the first step of the networks' memory; 0 for a small one.
        decode_s: processor time a page may take to be decoded.
        grace_s: time for calls in work when it is told to end.
        golden_errors: share of characters it may misread in lines whose text is known; past it,
            it does not get ready. 1 takes any model.
        log_format: of its log.
    """

    socket: str
    decoders: str
    recognizer: str
    detector: str
    models: str = ""
    threads: int = 0
    places: int = 2
    waiting: int = 64
    batch_columns: int = BATCH_COLUMNS
    arena_bytes: int = 0
    decode_s: float = 20.0
    grace_s: float = 30.0
    golden_errors: float = 1.0
    log_format: LogFormat = LogFormat.AUTO


@dataclass(frozen=True, slots=True)
class WebPlan:
    """What the web process is told; the rest it takes from the settings.

    Attributes:
        listener: descriptor of the socket the page is at.
        engines: folder of the engines' sockets.
        stable: version that answers where no release says otherwise, as name@version.
        status: file the supervisor writes.
        log_format: of its log.
    """

    listener: int
    engines: str
    stable: str
    status: str
    log_format: LogFormat = LogFormat.AUTO
