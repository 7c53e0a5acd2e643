"""What a model says of itself: `manifest.json`, which signs every file of its folder."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from shizi.core.errors import ChecksumMismatch, IncompatibleModel, ModelNotFound, OptionError
from shizi.models.onnxfile import external_data

MANIFEST = "manifest.json"
#: A manifest is a page of text; more is no manifest.
MOST_MANIFEST_BYTES = 1 << 20

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+_-]{0,31}")
_FILE = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,127}")
_DIGEST = re.compile(r"[0-9a-f]{64}")
_ONNX = ".onnx"


class Task(StrEnum):
    """What a model is for."""

    RECOGNIZE = "recognize"
    DETECT = "detect"
    LANGUAGE = "language"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What is known of a model without opening it.

    Attributes:
        name: of the model; with the version unique on a machine.
        version: raised whenever the weights change.
        task: what it is for.
        file: the model itself: ONNX, or the arrays of a language model.
        sha256: of that file, hexadecimal.
        charset_file: symbols of a recognizer, None for all others.
        charset_sha256: of that file, hexadecimal; empty where there is none.
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
    charset_sha256: str
    licence: str
    source: str
    details: dict[str, Any]

    @property
    def ref(self) -> str:
        """Name and version, as `shizi read --recognizer` takes them: `crnn-s@0.3.0`."""
        return f"{self.name}@{self.version}"

    @property
    def size_bytes(self) -> int:
        """Size of the model's file."""
        return self.file.stat().st_size

    @property
    def digests(self) -> dict[Path, str]:
        """The files the manifest signs, with their SHA-256."""
        signed = {self.file: self.sha256}
        if self.charset_file is not None:
            signed[self.charset_file] = self.charset_sha256
        return signed

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


def split_ref(ref: str) -> tuple[str, str]:
    """Split `name@version`; the version is empty where none is named."""
    name, _, version = ref.partition("@")
    return name, version


def check_ref(name: str, version: str) -> None:
    """Refuse what cannot name a model, before any work is done for it.

    Raises:
        OptionError: the name or the version cannot.
    """
    if not _NAME.fullmatch(name):
        raise OptionError(f"{name!r} names no model: small letters, digits, '.', '_' and '-'")
    if not _VERSION.fullmatch(version):
        raise OptionError(f"{version!r} is no version: letters, digits, '.', '+', '_' and '-'")


def read_manifest(path: Path) -> Manifest:
    """Read a model's manifest.

    Raises:
        IncompatibleModel: it is damaged, lacks a field, or names a file outside its folder.
    """
    try:
        return bytes_to_manifest(path.read_bytes(), path.parent)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise IncompatibleModel(f"{path}: not a model manifest ({error})") from error


def bytes_to_manifest(data: bytes, folder: Path) -> Manifest:
    """Read the manifest of a model in a folder.

    Raises:
        ValueError, KeyError, TypeError, AttributeError: it is none.
    """
    content = json.loads(data)
    charset = content.pop("charset", None)
    charset_digest = content.pop("charset_sha256", "missing")
    return Manifest(
        name=_matching(_NAME, "name", content.pop("name")),
        version=_matching(_VERSION, "version", content.pop("version")),
        task=Task(content.pop("task")),
        file=folder / _matching(_FILE, "file", content.pop("file")),
        sha256=_matching(_DIGEST, "sha256", content.pop("sha256")),
        charset_file=folder / _matching(_FILE, "charset", charset) if charset else None,
        charset_sha256=_matching(_DIGEST, "charset_sha256", charset_digest) if charset else "",
        licence=content.pop("licence"),
        source=content.pop("source"),
        details=content,
    )


def write_manifest(path: Path, content: dict[str, Any]) -> None:
    """Write a model's manifest, as `read_manifest` reads it."""
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def sign_model(folder: Path, file: str, facts: dict[str, Any], charset: str = "") -> Path:
    """Write the manifest of a model whose files are in its folder.

    Args:
        folder: the model's own.
        file: of the model, in the folder.
        facts: name, version, task, licence, source, and whatever else is known.
        charset: the file of its symbols; empty for none.

    Returns:
        The manifest.
    """
    signed = {"file": file, "sha256": file_digest(folder / file)}
    if charset:
        signed |= {"charset": charset, "charset_sha256": file_digest(folder / charset)}
    first = {name: facts[name] for name in ("name", "version", "task")}
    path = folder / MANIFEST
    write_manifest(path, first | signed | facts)
    return path


def file_digest(path: Path) -> str:
    """Give the SHA-256 of a file, hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_signed(manifest: Manifest, path: Path) -> bytes:
    """Read a file of a model; what is given is what was signed, whatever the disk holds later.

    Args:
        manifest: of the model.
        path: one of its `digests`.

    Raises:
        ModelNotFound: the file is missing.
        ChecksumMismatch: it differs from what the manifest signs.
        IncompatibleModel: it is a network that keeps its weights in other files.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise ModelNotFound(f"{manifest.name}: {path} cannot be read") from error
    if hashlib.sha256(data).hexdigest() != manifest.digests[path]:
        raise ChecksumMismatch(f"{manifest.name}: {path} is not the file of its manifest")
    if path.suffix == _ONNX and (named := external_data(data)):
        raise IncompatibleModel(
            f"{manifest.name}: {path} keeps {named} tensors outside the file, where no digest is"
        )
    return data


def verify(manifest: Manifest) -> None:
    """Compare all files of a model with their digests; see `read_signed`."""
    for path in manifest.digests:
        read_signed(manifest, path)


def _matching(form: re.Pattern[str], field: str, value: object) -> str:
    if not isinstance(value, str) or not form.fullmatch(value):
        raise ValueError(f"{field} is {value!r}")
    return value
