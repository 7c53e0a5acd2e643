"""The sections of the settings, a frozen dataclass each; `core/config.py` resolves them."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from shizi.core.choices import parse_words
from shizi.core.errors import ConfigError
from shizi.core.options import (
    DecodeOptions,
    Decoder,
    DetectOptions,
    Effort,
    Limits,
    PdfText,
    ReadOptions,
)
from shizi.core.telemetry import LogFormat


class Worker(StrEnum):
    """How Gunicorn holds requests."""

    GTHREAD = "gthread"
    GEVENT = "gevent"


@dataclass(frozen=True, slots=True)
class ServerSettings:
    """Where and how the page and the API are served.

    Attributes:
        host: address to listen on; 0.0.0.0 opens the service to the network.
        port: TCP port; 0 takes a free one.
        max_body_bytes: a request with a larger body is refused before it is read.
        timeout_s: seconds the requests in work are given to end when the service is stopped.
        threads: requests held at once; most of them wait for the engine.
        worker: how Gunicorn holds them, gthread (threads) or gevent (greenlets).
        request_timeout_s: seconds a request may take that does not say so itself.
        max_request_timeout_s: the most seconds a request may ask for.
        upload_timeout_s: seconds a client is given to send the body of its request.
        max_held_bytes: bytes the bodies of all requests in work may take together; a request past
            it is told to come back.
        max_documents: pictures and documents in one request.
        keys: file of the keys that open the service, see `shizi keys`; None opens it to everybody.
        rate_limit: requests a key, or without keys an address, may make: "60/minute", several
            with commas; empty for any number.
        cors_origins: origins whose pages may call the service, such as "https://a.example", with
            commas; empty for none.
        log_format: json writes a line of JSON an event, text one for people; auto is text on a
            terminal, json elsewhere.
    """

    host: str = "127.0.0.1"
    port: int = field(default=5000, metadata={"least": 0, "most": 65_535})
    max_body_bytes: int = field(default=20_000_000, metadata={"unit": "bytes"})
    timeout_s: float = field(default=30.0, metadata={"least": 1.0, "most": 3_600.0})
    threads: int = field(default=128, metadata={"least": 1, "most": 10_000})
    worker: Worker = Worker.GTHREAD
    request_timeout_s: float = field(default=120.0, metadata={"least": 0.1, "most": 86_400.0})
    max_request_timeout_s: float = field(default=600.0, metadata={"least": 0.1, "most": 86_400.0})
    upload_timeout_s: float = field(default=60.0, metadata={"least": 1.0, "most": 3_600.0})
    max_held_bytes: int = field(default=200_000_000, metadata={"unit": "bytes"})
    max_documents: int = field(default=50, metadata={"least": 1, "most": 1_000})
    keys: Path | None = None
    rate_limit: str = ""
    cors_origins: str = ""
    log_format: LogFormat = LogFormat.AUTO


@dataclass(frozen=True, slots=True)
class ReaderSettings:
    """How pages are read where a call does not say otherwise.

    Attributes:
        threads: of a model's run; 0 takes as many as the process may use.
        recognizer: model that reads lines, a name or name@version.
        detector: model that finds lines, a name or name@version; dbnet-s takes a fifth of the
            time and misses more.
        effort: fast reads with the small recognizer, balanced reads again with the large one what
            the small one doubts, accurate reads with the large one alone.
        doubt: with balanced effort, lines less likely to be right than this are read again.
        decoder: beam weighs what language expects, greedy takes the recognizer at its word.
        words: file of names, codes and terms, one a line, that lines lean towards where they
            waver; None for none.
        pdf_dpi: resolution PDF pages are drawn at, dots per inch.
        pdf_text: what becomes of the text that a PDF holds: auto takes it where it can be read and
            reads the rest, never reads every page as a picture, always takes it as it is.
        page_pixels: budget of one page; a larger one is reduced to it, and told.
        piece_pixels: what one run of the detector looks at; fewer take less memory.
    """

    threads: int = field(default=0, metadata={"least": 0, "most": 256})
    recognizer: str = "crnn-s"
    detector: str = "ppocr-v6-det-small"
    effort: Effort = Effort.FAST
    doubt: float = field(default=ReadOptions().doubt, metadata={"least": 0.0, "most": 1.0})
    decoder: Decoder = Decoder.BEAM
    words: Path | None = None
    pdf_dpi: int = field(default=DecodeOptions().pdf_dpi, metadata={"least": 36, "most": 1_200})
    pdf_text: PdfText = PdfText.AUTO
    page_pixels: int = field(default=DecodeOptions().page_pixels, metadata={"least": 10_000})
    piece_pixels: int = field(default=DetectOptions().piece_pixels, metadata={"least": 100_000})


@dataclass(frozen=True, slots=True)
class EngineSettings:
    """What the engine of the service may take.

    Attributes:
        places: pages worked on at once; 0 takes as many as there are processors.
        waiting: requests that may wait for a place; one more is told to come back.
        decoders: inputs decoded at once; 0 takes as many as there are places.
        decoder_inputs: a process that decodes is replaced after so many inputs.
        decode_s: seconds of processor time a page may take to be decoded.
        memory_budget: memory all processes of the service may take together, such as 300MiB; what
            is worked on at once, and how large a page may be, follow from it. 0 for no bound.
        most_memory: an engine that takes more is replaced, without a call lost; 0 never.
        versions: of the recognizer that the memory budget has room for; 2 keeps room for a release.
    """

    places: int = field(default=0, metadata={"least": 0, "most": 256})
    waiting: int = field(default=100, metadata={"least": 0, "most": 10_000})
    decoders: int = field(default=0, metadata={"least": 0, "most": 256})
    decoder_inputs: int = 200
    decode_s: float = field(default=20.0, metadata={"least": 0.1, "most": 3_600.0})
    memory_budget: int = field(default=0, metadata={"least": 0, "unit": "bytes"})
    most_memory: int = field(default=10**9, metadata={"least": 0, "unit": "bytes"})
    versions: int = field(default=1, metadata={"least": 1, "most": 2})


def _models_folder() -> Path | None:
    """Give the folder of models in the user's home; a service may run for nobody who has one."""
    try:
        return Path.home() / ".local" / "share" / "shizi" / "models"
    except RuntimeError:
        return None


@dataclass(frozen=True, slots=True)
class JobSettings:
    """Long work: jobs that are handed in now and fetched later.

    Attributes:
        enabled: whether the service takes jobs.
        folder: where handed-in files wait, and the ledger is where `ledger` names no other; for
            several machines they share it. None keeps jobs no longer than the service runs.
        ledger: address of the record of all jobs, such as postgresql://…; empty for a file in the
            folder, which is enough for one machine.
        broker: address of the Redis that wakes workers on several machines; empty works the jobs
            in the service itself.
        spool_bytes: of all files that wait; an upload past it is refused.
        upload_bytes: of one upload, which may be larger than that of a request that waits.
        max_files: of one job, those in archives counted.
        max_waiting: jobs of one key, or of everybody without keys, that have not ended.
        keep_s: seconds a job is kept from when it was handed in, with its results.
        lease_s: seconds without a sign of life after which a worker is taken for gone.
        attempts: times a file is begun before it is given up.
        chunk_files: files a worker takes at once.
        webhooks: whether a job may name an address that is told when it has ended.
        webhook_secret: signs what is sent there.
        webhook_hosts: hosts that may be told though they are of the own network, with commas.
    """

    enabled: bool = True
    folder: Path | None = None
    ledger: str = field(default="", metadata={"secret": True})
    broker: str = field(default="", metadata={"secret": True})
    spool_bytes: int = field(default=4 * 10**9, metadata={"unit": "bytes"})
    upload_bytes: int = field(default=500_000_000, metadata={"unit": "bytes"})
    max_files: int = field(default=10_000, metadata={"least": 1, "most": 1_000_000})
    max_waiting: int = field(default=100, metadata={"least": 1, "most": 1_000_000})
    keep_s: float = field(default=7 * 86_400.0, metadata={"least": 1.0})
    lease_s: float = field(default=30.0, metadata={"least": 1.0, "most": 3_600.0})
    attempts: int = field(default=3, metadata={"least": 1, "most": 100})
    chunk_files: int = field(default=8, metadata={"least": 1, "most": 1_000})
    webhooks: bool = False
    webhook_secret: str = field(default="", metadata={"secret": True})
    webhook_hosts: str = ""


@dataclass(frozen=True, slots=True)
class PathSettings:
    """Folders of the owner's machine.

    Attributes:
        models: folder of further models beside the bundled ones, where `shizi models pull` puts
            them; None for none.
    """

    models: Path | None = field(default_factory=_models_folder)


@dataclass(frozen=True, slots=True)
class ReleaseSettings:
    """Gray releases: a new version of the recognizer takes over share by share.

    Attributes:
        store: where their state is kept: a folder, or the address of a Redis server such as
            "redis://127.0.0.1:6379/0" for several hosts; empty for no releases.
        config: where `model_routing` is read again and again: empty for the settings file,
            "redis://…" for a key of that server, "nacos://HOST:8848/DATA_ID?group=GROUP".
        spot_checks: folder of pictures read by both versions, with what each read, for people to
            judge; None keeps none.
    """

    store: str = ""
    config: str = ""
    spot_checks: Path | None = None


@dataclass(frozen=True, slots=True)
class RoutingSettings:
    """The release as its owner wants it at this moment; may be changed while it runs.

    Attributes:
        crnn_enabled: whether the new version may answer anybody.
        gray_scale_ratio: its share by hand, from 0 to 1; None leaves it to the plan.
        auto_rollback_threshold: rate of failures that rolls it back; None leaves it to the release.
        check_interval_seconds: seconds between two looks at how it does.
    """

    crnn_enabled: bool = True
    gray_scale_ratio: float | None = field(default=None, metadata={"least": 0.0, "most": 1.0})
    auto_rollback_threshold: float | None = field(
        default=None, metadata={"least": 0.001, "most": 0.9}
    )
    check_interval_seconds: float = field(default=5.0, metadata={"least": 0.1, "most": 3_600.0})


@dataclass(frozen=True, slots=True)
class Settings:
    """All settings, a section each.

    Attributes:
        server: where and how the page and the API are served.
        limits: what an input may cost.
        reader: how pages are read.
        engine: what the engine of the service may take.
        jobs: long work that is handed in now and fetched later.
        paths: folders of the owner's machine.
        releases: where gray releases are kept.
        model_routing: the release as its owner wants it now.
    """

    server: ServerSettings = ServerSettings()
    limits: Limits = Limits()  # noqa: RUF009 - frozen, as the others are
    reader: ReaderSettings = ReaderSettings()
    engine: EngineSettings = EngineSettings()
    jobs: JobSettings = JobSettings()
    paths: PathSettings = PathSettings()
    releases: ReleaseSettings = ReleaseSettings()
    model_routing: RoutingSettings = RoutingSettings()

    def read_options(self) -> ReadOptions:
        """Give the options of a call that chooses nothing itself.

        Raises:
            ConfigError: the file of words cannot be read.
        """
        chosen = self.reader
        return ReadOptions(
            decode=DecodeOptions(
                pdf_dpi=chosen.pdf_dpi,
                page_pixels=chosen.page_pixels,
                pdf_text=chosen.pdf_text,
            ),
            limits=self.limits,
            detect=DetectOptions(piece_pixels=chosen.piece_pixels),
            effort=chosen.effort,
            doubt=chosen.doubt,
            decoder=chosen.decoder,
            words=_read_words(chosen.words),
        )


def _read_words(file: Path | None) -> tuple[str, ...]:
    if file is None:
        return ()
    try:
        return parse_words(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"reader.words: {file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"reader.words: {file} is no text in UTF-8") from error
