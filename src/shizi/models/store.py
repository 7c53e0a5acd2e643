"""The models on this machine: what there is, where it lies, whether it is whole.

A model is a folder with `manifest.json`, its own file (ONNX, or the arrays of a language model)
and, for a recognizer, its charset.
Bundled models lie in this package; the partner's are read from the installed `rapidocr` wheel
(Apache-2.0), whose files are checked against the digests kept here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from shizi.core.errors import ChecksumMismatch, IncompatibleModel, ModelNotFound
from shizi.text.charset import Charset

DEFAULT_RECOGNIZER = "crnn-s"
# Reads again what the default one doubts.
SECOND_RECOGNIZER = "ppocr-v6-small"
DEFAULT_DETECTOR = "ppocr-v6-det-small"
DEFAULT_LANGUAGE = "ngram-zh-en"
_BUNDLED = Path(__file__).parent / "data"


class Task(StrEnum):
    """What a model is for."""

    RECOGNIZE = "recognize"
    DETECT = "detect"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a model without opening it.

    Attributes:
        name: unique on a machine.
        version: raised whenever the weights change.
        task: what it is for.
        file: the model itself: ONNX, or the arrays of a language model.
        sha256: of that file, hexadecimal.
        charset_file: symbols of a recognizer, None for all others.
        licence: SPDX name.
        source: where it comes from, one line.
        details: everything else the manifest holds, such as dims, data and metrics.
    """

    name: str
    version: str
    task: Task
    file: Path
    sha256: str
    charset_file: Path | None
    licence: str
    source: str
    details: dict[str, Any]

    @property
    def size_bytes(self) -> int:
        """Size of the model's file."""
        return self.file.stat().st_size

    def to_dict(self) -> dict[str, object]:
        """Describe the model for a machine, without its details."""
        return {
            "name": self.name,
            "version": self.version,
            "task": self.task.value,
            "bytes": self.size_bytes,
            "sha256": self.sha256,
            "licence": self.licence,
            "source": self.source,
        }


_WHEEL_MODELS = (
    (
        DEFAULT_DETECTOR,
        Task.DETECT,
        "PP-OCRv6_det_small.onnx",
        "090f04abcd9d9a7498bc4ebf677e4cb9bdce1fe4197ddb7e529f1ef44e1ff94f",
    ),
    (
        SECOND_RECOGNIZER,
        Task.RECOGNIZE,
        "PP-OCRv6_rec_small.onnx",
        "6f327246b50388f3c176ae304bd95767ea6dc0c9ae92153ef8cbe210b3c14884",
    ),
)


class ModelStore:
    """Finds models by name; reads the disk on every call and keeps nothing.

    Attributes:
        folders: searched in this order; a later name does not hide an earlier one.
    """

    def __init__(self, folders: tuple[Path, ...] = ()) -> None:
        self.folders = (*folders, _BUNDLED)

    def manifests(self) -> list[Manifest]:
        """List the installed models by name."""
        found: dict[str, Manifest] = {}
        for folder in self.folders:
            for path in sorted(folder.glob("*/manifest.json")):
                manifest = read_manifest(path)
                found.setdefault(manifest.name, manifest)
        for manifest in _wheel_manifests():
            found.setdefault(manifest.name, manifest)
        return [found[name] for name in sorted(found)]

    def find(self, name: str, task: Task) -> Manifest:
        """Give the model of a name.

        Raises:
            ModelNotFound: there is none for this task; the message lists those there are.
        """
        manifests = [m for m in self.manifests() if m.task == task]
        for manifest in manifests:
            if manifest.name == name:
                return manifest
        names = ", ".join(m.name for m in manifests) or "none"
        raise ModelNotFound(f"no model {name!r} to {task}; installed: {names}")


def read_manifest(path: Path) -> Manifest:
    """Read a model's manifest.

    Raises:
        IncompatibleModel: it is damaged or lacks a field.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        charset = content.pop("charset", None)
        return Manifest(
            name=content.pop("name"),
            version=content.pop("version"),
            task=Task(content.pop("task")),
            file=path.parent / content.pop("file"),
            sha256=content.pop("sha256"),
            charset_file=path.parent / charset if charset else None,
            licence=content.pop("licence"),
            source=content.pop("source"),
            details=content,
        )
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IncompatibleModel(f"{path}: not a model manifest ({error})") from error


def write_manifest(path: Path, content: dict[str, Any]) -> None:
    """Write a model's manifest, as `read_manifest` reads it."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def verify(manifest: Manifest) -> None:
    """Compare a model's file with its digest.

    Raises:
        ModelNotFound: the file is missing.
        ChecksumMismatch: it differs.
    """
    try:
        actual = hashlib.sha256(manifest.file.read_bytes()).hexdigest()
    except OSError as error:
        raise ModelNotFound(f"{manifest.name}: {manifest.file} cannot be read") from error
    if actual != manifest.sha256:
        raise ChecksumMismatch(f"{manifest.name}: {manifest.file} is not the file of its manifest")


def read_charset(manifest: Manifest) -> Charset:
    """Read the symbols of a recognizer.

    Raises:
        IncompatibleModel: it has none, or the file is damaged.
    """
    if manifest.charset_file is None:
        raise IncompatibleModel(f"{manifest.name} names no charset")
    try:
        return Charset.from_text(manifest.charset_file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise IncompatibleModel(f"{manifest.charset_file} cannot be read") from error


def _wheel_manifests() -> list[Manifest]:
    """Describe the models of the installed wheel; none where it is absent.

    The package is located, never imported: importing it would load its whole pipeline.
    """
    spec = find_spec("rapidocr")
    if spec is None or not spec.submodule_search_locations:
        return []
    folder = Path(next(iter(spec.submodule_search_locations))) / "models"
    return [
        Manifest(
            name=name,
            version="6.0",
            task=task,
            file=folder / file,
            sha256=digest,
            charset_file=None,
            licence="Apache-2.0",
            source="PaddleOCR PP-OCRv6, as shipped in the wheel rapidocr",
            details={},
        )
        for name, task, file, digest in _WHEEL_MODELS
        if (folder / file).exists()
    ]
