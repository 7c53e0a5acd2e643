"""Puts models into the store and takes them out; one that is found there is always whole."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from shizi.core.errors import (
    BadBundle,
    FileAccessError,
    IncompatibleModel,
    ModelConflict,
    ModelNotFound,
)
from shizi.core.files import sync_folder
from shizi.models.bundle import unpack
from shizi.models.manifest import (
    MANIFEST,
    MOST_MANIFEST_BYTES,
    Manifest,
    read_manifest,
    read_signed,
    split_ref,
)
from shizi.models.store import ModelStore, is_versioned, version_key

#: Beside the models, for what is not one yet; a search for models does not look into it.
INCOMING = ".incoming"

Check = Callable[[ModelStore, Manifest], None]


def install(source: Path, folder: Path, check: Check) -> Manifest:
    """Install a model from a folder or a bundle.

    Args:
        source: a model's folder, of which the files that its manifest signs are taken, or an
            archive of such a folder.
        folder: of the models; made where it is missing.
        check: tries the model out before it is there for others; what it raises stops it.

    Returns:
        The manifest of the installed model; of the one that is there already where it is the same.

    Raises:
        FileAccessError: something cannot be read or written.
        BadBundle: the archive is none, or holds what no model has.
        IncompatibleModel: the manifest is damaged, or the model cannot be run.
        ChecksumMismatch: a file is not the one its manifest signs.
        ModelConflict: another model of this name and version is there.
    """
    with _staging(folder) as staging:
        if source.is_dir():
            offered = source
        else:
            offered = staging / "unpacked"
            offered.mkdir()
            unpack(source, offered)
            _refuse_unsigned(offered)
        return _install_folder(offered, folder, staging, check)


def remove(ref: str, folder: Path, in_use: Callable[[Manifest], str]) -> Manifest:
    """Take a model out of the store.

    Args:
        ref: name@version, or a name where one version is there.
        folder: of the models.
        in_use: says what a model is used for; empty for nothing.

    Returns:
        The manifest of the model that was there.

    Raises:
        ModelConflict: it came with the package, is in use, or the name fits several versions.
        ModelNotFound: there is no such model.
    """
    manifest = _removable(ref, folder)
    if use := in_use(manifest):
        raise ModelConflict(f"{manifest.ref} is in use: {use}")
    with _staging(folder) as staging, _told(folder):
        # Renamed first: nobody finds a model that is half gone.
        manifest.file.parent.rename(staging / "removed")
        sync_folder(folder)
    return manifest


def _removable(ref: str, folder: Path) -> Manifest:
    name, version = split_ref(ref)
    found = [
        m
        for m in ModelStore((folder,)).manifests()
        if m.name == name and version in ("", m.version)
    ]
    own = [m for m in found if m.file.parent.parent == folder]
    if found and not own:
        raise ModelConflict(f"{ref} comes with the package and cannot be removed")
    if len(own) > 1:
        versions = ", ".join(m.ref for m in sorted(own, key=lambda m: version_key(m.version)))
        raise ModelConflict(f"{ref} may mean {versions}; name the version")
    if not own:
        raise ModelNotFound(f"no model {ref!r} in {folder}")
    return own[0]


def _install_folder(source: Path, folder: Path, staging: Path, check: Check) -> Manifest:
    manifest = _read_offered(source)
    if there := _same_model(manifest, folder):
        return there
    staged = staging / manifest.ref
    with _told(folder):
        staged.mkdir()
        for path in manifest.digests:
            _write(staged / path.name, read_signed(manifest, path))
        _write(staged / MANIFEST, (source / MANIFEST).read_bytes())
        sync_folder(staged)
    check(ModelStore((staging,)), read_manifest(staged / MANIFEST))
    final = folder / manifest.ref
    with _told(folder):
        try:
            staged.rename(final)
        except OSError as error:
            if final.exists():
                raise ModelConflict(f"{final} is there already") from error
            raise
        sync_folder(folder)
    return read_manifest(final / MANIFEST)


def _read_offered(source: Path) -> Manifest:
    path = source / MANIFEST
    try:
        size = path.stat().st_size
    except OSError as error:
        raise BadBundle(f"{source} holds no {MANIFEST}") from error
    if size > MOST_MANIFEST_BYTES:
        raise IncompatibleModel(f"{path}: not a model manifest ({size:,} bytes)")
    manifest = read_manifest(path)
    for file in (path, *manifest.digests):
        if file.is_symlink() or not file.is_file():
            raise BadBundle(f"{file} is missing, or is no plain file")
    return manifest


def _refuse_unsigned(folder: Path) -> None:
    """Refuse a bundle that holds more than its manifest signs."""
    signed = {path.name for path in _read_offered(folder).digests} | {MANIFEST}
    if unsigned := sorted({path.name for path in folder.iterdir()} - signed):
        raise BadBundle(f"the bundle holds {unsigned[0][:80]!r}, which its manifest does not sign")


def _same_model(manifest: Manifest, folder: Path) -> Manifest | None:
    """Give the installed model that this one is; None where there is none of its version.

    Raises:
        ModelConflict: there is another one of its name and version.
    """
    for there in ModelStore((folder,)).manifests():
        if there.ref == manifest.ref:
            if _signed(there) != _signed(manifest):
                raise ModelConflict(f"another model is installed as {manifest.ref}")
            # The folder of a run may be searched as well: it is a copy that is asked for.
            return there if is_versioned(there) or there.file.parent.parent != folder else None
    return None


def _signed(manifest: Manifest) -> list[str]:
    return list(manifest.digests.values())


@contextlib.contextmanager
def _staging(folder: Path) -> Iterator[Path]:
    """Give a folder on the disk of the models, gone afterwards with all it holds."""
    incoming = folder / INCOMING
    with _told(folder):
        incoming.mkdir(parents=True, exist_ok=True)
        staging = Path(tempfile.mkdtemp(dir=incoming))
    try:
        yield staging
    finally:
        shutil.rmtree(staging, ignore_errors=True)


@contextlib.contextmanager
def _told(folder: Path) -> Iterator[None]:
    """Tell what the disk refuses as our own error."""
    try:
        yield
    except OSError as error:
        raise FileAccessError(f"{folder} cannot be written: {error.strerror}") from error


def _write(path: Path, data: bytes) -> None:
    with path.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
