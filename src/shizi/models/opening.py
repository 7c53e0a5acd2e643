"""Opens the models of the store: digest checked, session made, charset and language bound."""

from __future__ import annotations

from collections.abc import Callable

from shizi.core.errors import IncompatibleModel
from shizi.models.calibration import Calibrations
from shizi.models.detector import Detector
from shizi.models.lineform import LineForm
from shizi.models.manifest import Manifest, Task, read_signed
from shizi.models.recognizer import Recognizer
from shizi.models.session import OrtSession, Session
from shizi.models.store import DEFAULT_LANGUAGE, ModelStore, read_charset
from shizi.text.beam import BeamDecoder, BeamOptions
from shizi.text.charset import Charset
from shizi.text.ngram import NgramModel, NgramTable

# PP-OCR's recognizers: strips of 48 rows in color, softmax inside the network.
_PPOCR = LineForm(height=48, color=True, stride=8, probabilities=True)


def open_language_model(store: ModelStore, name: str = DEFAULT_LANGUAGE) -> NgramModel:
    """Load a language model; see `open_recognizer`."""
    manifest = store.find(name, Task.LANGUAGE)
    return NgramModel(NgramTable.from_bytes(read_signed(manifest, manifest.file)))


def open_recognizer(
    store: ModelStore, name: str, threads: int, language: NgramModel | None = None
) -> Recognizer:
    """Load a recognizer.

    Args:
        store: where it is looked for.
        name: of the model, or name@version.
        threads: of a run, at least 1.
        language: weighs what lines may say; None leaves the greedy decoder alone.

    Raises:
        ModelNotFound: there is none of this name.
        ChecksumMismatch: its file is not the one its manifest names.
        IncompatibleModel: it cannot be run, or its charset does not fit.
    """
    manifest = store.find(name, Task.RECOGNIZE)
    session = _open(manifest, threads)
    if manifest.charset_file is None:
        charset = _embedded_charset(manifest, session)
        return Recognizer(
            session,
            charset,
            manifest.name,
            _PPOCR,
            _beam(charset, language),
            version=manifest.version,
        )
    charset = read_charset(manifest)
    calibrations = Calibrations.from_dict(manifest.details.get("calibration"))
    form = manifest.details.get("form")
    return Recognizer(
        session,
        charset,
        manifest.name,
        form=None if form is None else LineForm.from_dict(form),
        beam=_beam(charset, language),
        calibrations=calibrations,
        version=manifest.version,
    )


def open_detector(
    store: ModelStore,
    name: str,
    threads: int,
    wrap: Callable[[Session], Session] | None = None,
) -> Detector:
    """Load a detector; see `open_recognizer`.

    Args:
        store: where it is looked for.
        name: of the model.
        threads: of a run, at least 1.
        wrap: puts something around its session; None leaves it bare.
    """
    session = _open(store.find(name, Task.DETECT), threads)
    return Detector(wrap(session) if wrap else session)


def try_out(store: ModelStore, manifest: Manifest) -> None:
    """Load a model once and let it go, to know that it can be.

    Raises:
        ModelError: it cannot.
    """
    if manifest.task is Task.RECOGNIZE:
        open_recognizer(store, manifest.ref, threads=1)
    elif manifest.task is Task.DETECT:
        open_detector(store, manifest.ref, threads=1)
    else:
        open_language_model(store, manifest.ref)


def _beam(charset: Charset, language: NgramModel | None) -> BeamDecoder | None:
    return BeamDecoder(charset, language, BeamOptions()) if language else None


def _open(manifest: Manifest, threads: int) -> OrtSession:
    return OrtSession(read_signed(manifest, manifest.file), threads, manifest.name)


def _embedded_charset(manifest: Manifest, session: Session) -> Charset:
    """Take the symbols out of PP-OCR's metadata; the space comes after them, in no list."""
    symbols = session.metadata.get("character")
    if not symbols:
        raise IncompatibleModel(f"{manifest.name} names no charset")
    return Charset((*symbols.split("\n"), " "))
