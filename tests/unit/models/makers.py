"""Model folders and bundles for tests."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
import zipfile
from pathlib import Path

from shizi.models.manifest import Manifest, Task, write_manifest
from shizi.models.store import DEFAULT_RECOGNIZER, ModelStore

# The least that is an ONNX file: its version, and a graph without nodes.
WEIGHTS = b"\x08\x07\x3a\x02\x12\x00"
CHARSET = b"a\nb\n"


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def make_model(folder: Path, name: str = "mine", **changes: object) -> Path:
    """Write a model that is whole, but no network; gives its manifest."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(WEIGHTS)
    (folder / "charset.txt").write_bytes(CHARSET)
    manifest = {
        "name": name,
        "version": "1",
        "task": "recognize",
        "file": "model.onnx",
        "sha256": digest(WEIGHTS),
        "charset": "charset.txt",
        "charset_sha256": digest(CHARSET),
        "licence": "Apache-2.0",
        "source": "a test",
        "dims": {"hidden": 1},
        **changes,
    }
    path = folder / "manifest.json"
    path.write_text(json.dumps({k: v for k, v in manifest.items() if v is not None}))
    return path


def copy_of_bundled(folder: Path, version: str, name: str = DEFAULT_RECOGNIZER) -> Path:
    """Write a copy of the bundled recognizer under another version; gives its folder."""
    bundled = ModelStore().find(DEFAULT_RECOGNIZER, Task.RECOGNIZE).file.parent
    shutil.copytree(bundled, folder)
    content = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    write_manifest(folder / "manifest.json", content | {"version": version, "name": name})
    return folder


def accept(_: ModelStore, __: Manifest) -> None:
    """Try nothing out."""


def tar_of(folder: Path, path: Path, prefix: str = "", mode: str = "w:gz") -> Path:
    """Pack the files of a folder."""
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for file in sorted(folder.iterdir()):
            archive.add(file, prefix + file.name)
    return path


def zip_of(folder: Path, path: Path, prefix: str = "") -> Path:
    """Pack the files of a folder."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.iterdir()):
            archive.write(file, prefix + file.name)
    return path


def tar_with(path: Path, *members: tuple[tarfile.TarInfo, bytes]) -> Path:
    """Pack what no tool would."""
    with tarfile.open(path, "w") as archive:
        for info, data in members:
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def member(name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    """Give a member of a tar."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info
