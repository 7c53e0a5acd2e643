"""The models on this machine: what there is, where it lies, whether it is whole.

A model is a folder with `manifest.json`, its own file (ONNX, or the arrays of a language model)
and, for a recognizer, its charset. Versions of one model lie side by side, in folders called
`name@version`. Bundled models lie in this package; the partner's are read from the installed
`rapidocr` wheel (Apache-2.0), whose files are checked against the digests kept here.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path

from shizi.core.errors import IncompatibleModel, ModelNotFound
from shizi.models.manifest import (
    MANIFEST,
    Manifest,
    Task,
    read_manifest,
    read_signed,
    split_ref,
    verify,
    write_manifest,
)
from shizi.text.charset import Charset

__all__ = [
    "DEFAULT_DETECTOR",
    "DEFAULT_LANGUAGE",
    "DEFAULT_RECOGNIZER",
    "LARGE_DETECTOR",
    "SECOND_RECOGNIZER",
    "SMALL_DETECTOR",
    "Manifest",
    "ModelStore",
    "Task",
    "read_charset",
    "read_manifest",
    "verify",
    "write_manifest",
]

DEFAULT_RECOGNIZER = "crnn-s"
# Reads again what the default one doubts.
SECOND_RECOGNIZER = "ppocr-v6-small"
LARGE_DETECTOR = "ppocr-v6-det-small"
# Taught by the large one, five times as fast and more; it misses more.
SMALL_DETECTOR = "dbnet-s"
DEFAULT_DETECTOR = LARGE_DETECTOR
DEFAULT_LANGUAGE = "ngram-zh-en"
_BUNDLED = Path(__file__).parent / "data"

_WHEEL_MODELS = (
    (
        LARGE_DETECTOR,
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
    """Finds models by name and version; reads the disk on every call and keeps nothing.

    Attributes:
        folders: searched in this order; of two models with one name and version, the first counts.
    """

    def __init__(self, folders: tuple[Path, ...] = ()) -> None:
        self.folders = (*folders, _BUNDLED)

    @classmethod
    def beside(cls, folder: Path | None) -> ModelStore:
        """Give the bundled models, and those of a folder where there is one."""
        return cls((folder,) if folder else ())

    def manifests(self) -> list[Manifest]:
        """List the installed models by name, the newest version of each first."""
        found = self._by_ref().values()
        newest_first = sorted(found, key=lambda m: version_key(m.version), reverse=True)
        return sorted(newest_first, key=lambda m: m.name)

    def find(self, ref: str, task: Task) -> Manifest:
        """Give a model.

        Args:
            ref: `name@version`, or a name alone. That means the model whose folder carries no
                version, so that installing another version beside it changes nothing yet; where
                there are versions only, the newest.
            task: what it is for.

        Raises:
            ModelNotFound: there is none for this task; the message lists those there are.
        """
        name, version = split_ref(ref)
        known = [m for m in self._by_ref().values() if m.task == task]
        fitting = [m for m in known if m.name == name and version in ("", m.version)]
        plain = [m for m in fitting if not is_versioned(m)]
        if plain:
            return plain[0]
        if fitting:
            return max(fitting, key=lambda m: version_key(m.version))
        names = ", ".join(sorted(m.ref if version else m.name for m in known)) or "none"
        raise ModelNotFound(f"no model {ref!r} to {task}; installed: {names}")

    def _by_ref(self) -> dict[str, Manifest]:
        """Give the models by name and version, in the order the folders are searched."""
        found: dict[str, Manifest] = {}
        for folder in self.folders:
            for path in sorted(folder.glob(f"*/{MANIFEST}")):
                try:
                    manifest = read_manifest(path)
                except IncompatibleModel:
                    if path.exists():
                        raise
                    continue  # removed since it was listed
                found.setdefault(manifest.ref, manifest)
        for manifest in _wheel_manifests():
            found.setdefault(manifest.ref, manifest)
        return found


def is_versioned(manifest: Manifest) -> bool:
    """Tell whether a model lies beside others of its name, in a folder called name@version."""
    return manifest.file.parent.name == manifest.ref


def version_key(version: str) -> tuple[tuple[int, int, str], ...]:
    """Give what versions are ordered by: 0.10.0 comes after 0.9.1."""
    parts = re.findall(r"\d+|[A-Za-z]+", version)
    # "1.0rc" comes before "1.0", as everywhere.
    keys = [(1, int(part), "") if part.isdigit() else (-1, 0, part) for part in parts]
    return (*keys, (0, 0, ""))


def read_charset(manifest: Manifest) -> Charset:
    """Read the symbols of a recognizer.

    Raises:
        ChecksumMismatch: the file is not the one its manifest signs.
        IncompatibleModel: it has none, or the file is damaged.
    """
    path = manifest.charset_file
    if path is None:
        raise IncompatibleModel(f"{manifest.name} names no charset")
    try:
        return Charset.from_text(read_signed(manifest, path).decode("utf-8"))
    except UnicodeDecodeError as error:
        raise IncompatibleModel(f"{path} cannot be read") from error


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
            charset_sha256="",
            licence="Apache-2.0",
            source="PaddleOCR PP-OCRv6, as shipped in the wheel rapidocr",
            details={},
        )
        for name, task, file, digest in _WHEEL_MODELS
        if (folder / file).exists()
    ]
