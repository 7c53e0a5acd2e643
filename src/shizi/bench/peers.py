"""Who is measured: Shizi and its peers, behind one interface.

Every peer runs as its makers ship it; only the number of threads is made equal. One thing is
changed in Tesseract's favor: its threads sleep while they wait. Spinning, two of them took over a
minute for a page on a machine with other work to do, and asleep one second.
"""

from __future__ import annotations

import csv
import io
import re
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import cv2
import numpy as np

from shizi import __version__
from shizi.bench.memory import peak_bytes, run_watched
from shizi.core.errors import ConfigError, ModelError, OptionError
from shizi.core.options import Decoder, Effort, ReadOptions
from shizi.core.pixels import RgbImage
from shizi.core.types import Quad, TextLine
from shizi.engine.reader import Reader
from shizi.models.recognizer import Reading
from shizi.models.store import (
    DEFAULT_DETECTOR,
    DEFAULT_LANGUAGE,
    DEFAULT_RECOGNIZER,
    SECOND_RECOGNIZER,
    ModelStore,
    Task,
)

_TESSERACT_LANGUAGES = ("chi_sim", "eng")
_TESSERACT_ONE_LINE = 7
# shizi:RECOGNIZER+DETECTOR@EFFORT/DECODER, of which all but the first may be left out.
_OURS = re.compile(r"shizi(?::([^+@/]+))?(?:\+([^@/]+))?(?:@([^/]*))?(?:/(.*))?")


class CropText(NamedTuple):
    """What a peer reads on a crop, and how sure it is: in [0, 1]."""

    text: str
    confidence: float


class Peer(Protocol):
    """A program that reads pictures; made within the process that measures it."""

    def version(self) -> str:
        """Name the version of the program and its models."""
        ...

    def model_bytes(self) -> int:
        """Sum the sizes of the model files in use."""
        ...

    def peak_bytes(self) -> int:
        """Give the most memory it held so far; a program of its own without ours."""
        ...

    def read_page(self, path: Path) -> list[TextLine]:
        """Find and read the lines of a picture."""
        ...

    def read_crops(self, crops: Sequence[RgbImage]) -> list[CropText]:
        """Read upright lines that were cut out already; one answer a crop."""
        ...


class ShiziPeer:
    """Our own pipeline, with any recognizer of the store, any effort and either decoder."""

    def __init__(
        self,
        threads: int,
        recognizer: str = DEFAULT_RECOGNIZER,
        models: Path | None = None,
        effort: Effort = Effort.FAST,
        decoder: Decoder = Decoder.BEAM,
        detector: str = DEFAULT_DETECTOR,
    ) -> None:
        store = ModelStore.beside(models)
        names = {detector: Task.DETECT, recognizer: Task.RECOGNIZE}
        names[DEFAULT_LANGUAGE] = Task.LANGUAGE
        if effort is not Effort.FAST:
            names[SECOND_RECOGNIZER] = Task.RECOGNIZE
        self._model_bytes = sum(store.find(*item).size_bytes for item in names.items())
        self._options = ReadOptions(effort=effort, decoder=decoder)
        self._reader = Reader(recognizer, threads, models, detector=detector)

    def version(self) -> str:
        """Name our version."""
        return __version__

    def model_bytes(self) -> int:
        """Sum the detector, the recognizers and the language model."""
        return self._model_bytes

    def peak_bytes(self) -> int:
        """Give this process's own peak."""
        return peak_bytes()

    def read_page(self, path: Path) -> list[TextLine]:
        """Read with the preparation chosen by itself."""
        return [line for page in self._reader.read(path, self._options) for line in page]

    def read_crops(self, crops: Sequence[RgbImage]) -> list[CropText]:
        """Read all at once, as a page's lines are."""
        answers = self._reader.recognize(crops, self._options)
        return [
            CropText(a.text, a.confidence) if isinstance(a, Reading) else CropText("", 0.0)
            for a in answers
        ]


class RapidOcrPeer:
    """RapidOCR with the models of its wheel and its own defaults."""

    def __init__(self, threads: int) -> None:
        if find_spec("rapidocr") is None:
            raise ConfigError("RapidOCR is not installed: pip install rapidocr")
        from rapidocr import RapidOCR  # noqa: PLC0415  loads its pipeline when it is imported

        key = "EngineConfig.onnxruntime.intra_op_num_threads"
        self._engine: Any = RapidOCR(params={"Global.log_level": "critical", key: threads})

    def version(self) -> str:
        """Name the wheel's version; its models are PP-OCRv6 small."""
        return metadata.version("rapidocr")

    def model_bytes(self) -> int:
        """Sum detector, recognizer and direction classifier."""
        spec = find_spec("rapidocr")
        folder = Path(str(spec.origin)).parent / "models" if spec else Path()
        return sum(path.stat().st_size for path in folder.glob("*.onnx"))

    def peak_bytes(self) -> int:
        """Give this process's own peak."""
        return peak_bytes()

    def read_page(self, path: Path) -> list[TextLine]:
        """Read a file by its path."""
        out = self._engine(str(path))
        if out.boxes is None or out.txts is None:
            return []
        found = zip(np.asarray(out.boxes), out.txts, out.scores, strict=True)
        return [TextLine(text, float(sure), Quad.from_array(box)) for box, text, sure in found]

    def read_crops(self, crops: Sequence[RgbImage]) -> list[CropText]:
        """Read one after another by its recognizer alone, which wants BGR."""
        texts = []
        for crop in crops:
            turned = np.ascontiguousarray(crop[:, :, ::-1])
            out = self._engine(turned, use_det=False, use_cls=False, use_rec=True)
            sure = float(np.mean(out.scores)) if out.txts else 0.0
            texts.append(CropText("".join(out.txts or ()), sure))
        return texts


class TesseractPeer:
    """Debian's Tesseract with its simplified Chinese and English models."""

    def __init__(self, threads: int) -> None:
        if shutil.which("tesseract") is None:
            raise ConfigError(
                "Tesseract is not installed: apt-get install tesseract-ocr tesseract-ocr-chi-sim"
            )
        self._threads = threads
        self._peak_bytes = 0
        self._data = self._find_data()

    def version(self) -> str:
        """Name the program's version."""
        return self._run("--version").split("\n", 1)[0].split()[-1]

    def model_bytes(self) -> int:
        """Sum the language files."""
        files = (self._data / f"{name}.traineddata" for name in _TESSERACT_LANGUAGES)
        return sum(path.stat().st_size for path in files)

    def peak_bytes(self) -> int:
        """Give the peak of its largest run; this process only starts it."""
        return self._peak_bytes

    def read_page(self, path: Path) -> list[TextLine]:
        """Read a file; the words of a line are joined."""
        return tsv_to_lines(self._read(path))

    def read_crops(self, crops: Sequence[RgbImage]) -> list[CropText]:
        """Read one after another, each by a run of the program, as there is no other way."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "line.png"
            texts = []
            for crop in crops:
                # Tesseract finds nothing in a line without air around it.
                framed = cv2.copyMakeBorder(crop, 10, 10, 10, 10, cv2.BORDER_REPLICATE)
                cv2.imwrite(str(path), framed[:, :, ::-1])
                lines = tsv_to_lines(self._read(path, "--psm", str(_TESSERACT_ONE_LINE)))
                sure = min((line.confidence for line in lines), default=0.0)
                texts.append(CropText(" ".join(line.text for line in lines), sure))
        return texts

    def _read(self, path: Path, *more: str) -> str:
        return self._run(str(path), "-", "-l", "+".join(_TESSERACT_LANGUAGES), *more, "tsv")

    def _find_data(self) -> Path:
        """Ask where the language files lie; the first line of the list names the folder."""
        first, *names = self._run("--list-langs").splitlines()
        if not set(_TESSERACT_LANGUAGES) <= set(names):
            raise ConfigError("Tesseract has no Chinese: apt-get install tesseract-ocr-chi-sim")
        return Path(first.split('"')[1])

    def _run(self, *arguments: str) -> str:
        threads = (f"OMP_THREAD_LIMIT={self._threads}", "OMP_WAIT_POLICY=passive")
        command = ["env", *threads, "tesseract", *arguments]
        done, peak = run_watched(command)
        self._peak_bytes = max(self._peak_bytes, peak)
        if done.returncode:
            # A run that failed is no page without text.
            reason = next(iter(done.stderr.splitlines()), "it says no reason")
            raise ModelError(f"Tesseract ended with status {done.returncode}: {reason}")
        return done.stdout


def tsv_to_lines(table: str) -> list[TextLine]:
    """Join the words of Tesseract's table to lines.

    Args:
        table: of the output format `tsv`.

    Returns:
        A line for each (block, paragraph, line); Chinese words are joined without spaces.
    """
    rows = csv.DictReader(io.StringIO(table), delimiter="\t", quoting=csv.QUOTE_NONE)
    groups: dict[tuple[str, ...], list[Mapping[str, str]]] = {}
    for row in rows:
        if row["level"] == "5" and row["text"].strip():
            key = (row["block_num"], row["par_num"], row["line_num"])
            groups.setdefault(key, []).append(row)
    return [_join_words(words) for words in groups.values()]


def _join_words(words: Sequence[Mapping[str, str]]) -> TextLine:
    text = ""
    for word in (row["text"] for row in words):
        glued = text and not (text[-1].isascii() or word[0].isascii())
        text += word if glued or not text else f" {word}"
    edges = [[int(row[name]) for name in ("left", "top", "width", "height")] for row in words]
    left, top = min(e[0] for e in edges), min(e[1] for e in edges)
    right, bottom = max(e[0] + e[2] for e in edges), max(e[1] + e[3] for e in edges)
    sure = sum(float(row["conf"]) for row in words) / len(words) / 100
    return TextLine(text, max(0.0, sure), Quad.from_rect(left, top, right, bottom))


PEERS: dict[str, Callable[[int], Peer]] = {
    "shizi": ShiziPeer,
    "rapidocr": RapidOcrPeer,
    "tesseract": TesseractPeer,
}


def check_peer(name: str) -> None:
    """Refuse a name that is no peer's.

    Args:
        name: of PEERS; ours may be followed by `:` and the name of a recognizer, by `+` and that
            of a detector, by `@` and an effort, and by `/` and a decoder.

    Raises:
        OptionError: there is no such peer; the message names the nearest.
    """
    if name not in PEERS and _parse(name) is None:
        raise OptionError.unknown(name, PEERS, "peer")


class _Ours(NamedTuple):
    """What a name of ours asks for; None for what it leaves open."""

    recognizer: str | None
    detector: str | None
    effort: str | None
    decoder: str | None


def _parse(name: str) -> _Ours | None:
    """Take a name of ours apart; None where it is none."""
    match = _OURS.fullmatch(name)
    if match is None:
        return None
    ours = _Ours(*match.groups())
    known = ours.effort in (None, *Effort) and ours.decoder in (None, *Decoder)
    return ours if known else None


def open_peer(name: str, threads: int, models: Path | None = None) -> Peer:
    """Make a peer ready to read.

    Args:
        name: see `check_peer`.
        threads: it may use.
        models: folder of further models of ours.

    Raises:
        OptionError: there is no such peer.
        ConfigError: it is not installed; the message says how to.
        ModelError: a model of ours is missing or damaged.
    """
    check_peer(name)
    ours = _parse(name)
    if ours is None:
        return PEERS[name](threads)
    return ShiziPeer(
        threads,
        ours.recognizer or DEFAULT_RECOGNIZER,
        models,
        Effort(ours.effort or Effort.FAST),
        Decoder(ours.decoder or Decoder.BEAM),
        ours.detector or DEFAULT_DETECTOR,
    )
