"""Opens the models of the store: digest checked, session made, charset bound."""

from __future__ import annotations

from shizi.core.errors import IncompatibleModel
from shizi.models.calibration import Calibration
from shizi.models.detector import Detector
from shizi.models.recognizer import LineForm, Recognizer
from shizi.models.session import OrtSession, Session
from shizi.models.store import Manifest, ModelStore, Task, read_charset, verify
from shizi.text.charset import Charset

# PP-OCR's recognizers: strips of 48 rows in color, softmax inside the network.
_PPOCR = LineForm(height=48, color=True, stride=8, probabilities=True)


def open_recognizer(store: ModelStore, name: str, threads: int) -> Recognizer:
    """Load a recognizer.

    Args:
        store: where it is looked for.
        name: of the model.
        threads: of a run, at least 1.

    Raises:
        ModelNotFound: there is none of this name.
        ChecksumMismatch: its file is not the one its manifest names.
        IncompatibleModel: it cannot be run, or its charset does not fit.
    """
    manifest = store.find(name, Task.RECOGNIZE)
    session = _open(manifest, threads)
    if manifest.charset_file is None:
        charset = _embedded_charset(manifest, session)
        return Recognizer(session, charset, name, _PPOCR)
    calibration = Calibration.from_dict(manifest.details.get("calibration"))
    return Recognizer(session, read_charset(manifest), name, calibration=calibration)


def open_detector(store: ModelStore, name: str, threads: int) -> Detector:
    """Load a detector; see `open_recognizer`."""
    return Detector(_open(store.find(name, Task.DETECT), threads))


def _open(manifest: Manifest, threads: int) -> OrtSession:
    verify(manifest)
    return OrtSession(manifest.file, threads)


def _embedded_charset(manifest: Manifest, session: Session) -> Charset:
    """Take the symbols out of PP-OCR's metadata; the space comes after them, in no list."""
    symbols = session.metadata.get("character")
    if not symbols:
        raise IncompatibleModel(f"{manifest.name} names no charset")
    return Charset((*symbols.split("\n"), " "))
