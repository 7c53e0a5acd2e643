from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shizi.core.errors import ChecksumMismatch, IncompatibleModel, ModelNotFound
from shizi.models.opening import open_recognizer
from shizi.models.store import (
    DEFAULT_DETECTOR,
    DEFAULT_RECOGNIZER,
    SMALL_DETECTOR,
    ModelStore,
    Task,
    read_charset,
    read_manifest,
    verify,
)
from tests.unit.models.makers import digest, make_model

# The promise of the project: the file that is shipped is small.
MOST_BYTES = 8_000_000


def test_the_bundled_models_are_whole_and_small() -> None:
    store = ModelStore()
    for name, task in ((DEFAULT_RECOGNIZER, Task.RECOGNIZE), (SMALL_DETECTOR, Task.DETECT)):
        verify(store.find(name, task))
    recognizer = store.find(DEFAULT_RECOGNIZER, Task.RECOGNIZE)
    assert recognizer.size_bytes <= MOST_BYTES
    assert store.find(SMALL_DETECTOR, Task.DETECT).size_bytes <= MOST_BYTES / 2
    assert 9_000 < len(read_charset(recognizer)) < 12_000
    verify(store.find("ppocr-v6-small", Task.RECOGNIZE))
    verify(store.find(DEFAULT_DETECTOR, Task.DETECT))


def test_a_folder_adds_models_and_may_replace_a_bundled_one(tmp_path: Path) -> None:
    make_model(tmp_path / "a")
    make_model(tmp_path / "b", DEFAULT_RECOGNIZER)
    store = ModelStore((tmp_path,))
    names = [m.name for m in store.manifests()]
    assert names == sorted(names)
    assert "mine" in names
    assert store.find(DEFAULT_RECOGNIZER, Task.RECOGNIZE).file.parent == tmp_path / "b"
    assert store.find("mine", Task.RECOGNIZE).details == {"dims": {"hidden": 1}}


def test_an_unknown_name_lists_what_there_is(tmp_path: Path) -> None:
    with pytest.raises(ModelNotFound, match=r"crnn-s, ppocr-v6-small"):
        ModelStore((tmp_path,)).find("nothing", Task.RECOGNIZE)


def test_a_detector_is_no_recognizer() -> None:
    with pytest.raises(ModelNotFound):
        ModelStore().find(DEFAULT_DETECTOR, Task.RECOGNIZE)


def test_a_changed_file_is_told(tmp_path: Path) -> None:
    manifest = read_manifest(make_model(tmp_path))
    verify(manifest)
    (tmp_path / "model.onnx").write_bytes(b"weights, tampered with")
    with pytest.raises(ChecksumMismatch, match="mine"):
        verify(manifest)
    (tmp_path / "model.onnx").unlink()
    with pytest.raises(ModelNotFound, match="mine"):
        verify(manifest)


@pytest.mark.parametrize(
    "changes", [{"name": None}, {"sha256": None}, {"task": "dance"}, {"file": None}]
)
def test_a_damaged_manifest_names_its_file(tmp_path: Path, changes: dict[str, object]) -> None:
    path = make_model(tmp_path, **changes)
    with pytest.raises(IncompatibleModel, match=r"manifest\.json"):
        read_manifest(path)


def test_a_manifest_that_is_no_json_names_its_file(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    path.write_text("{")
    with pytest.raises(IncompatibleModel, match=r"manifest\.json"):
        read_manifest(path)


def test_a_recognizer_without_its_charset_is_refused(tmp_path: Path) -> None:
    manifest = read_manifest(make_model(tmp_path))
    assert read_charset(manifest).symbols == ("a", "b")
    (tmp_path / "charset.txt").unlink()
    with pytest.raises(ModelNotFound, match="charset"):
        read_charset(manifest)
    with pytest.raises(IncompatibleModel, match="names no charset"):
        read_charset(read_manifest(make_model(tmp_path, charset=None)))


def test_opening_checks_the_digest_and_the_charset(tmp_path: Path) -> None:
    bundled = ModelStore().find(DEFAULT_RECOGNIZER, Task.RECOGNIZE)
    shutil.copytree(bundled.file.parent, tmp_path / "copy")
    store = ModelStore((tmp_path,))
    open_recognizer(store, DEFAULT_RECOGNIZER, 1)
    charset, manifest = tmp_path / "copy" / "charset.txt", tmp_path / "copy" / "manifest.json"
    before = digest(charset.read_bytes())
    charset.write_text(charset.read_text().replace("中", "\u9fa6"))
    with pytest.raises(ChecksumMismatch, match="charset"):
        open_recognizer(store, DEFAULT_RECOGNIZER, 1)
    # Signed anew, it is still not the one the network was trained with.
    manifest.write_text(manifest.read_text().replace(before, digest(charset.read_bytes())))
    with pytest.raises(IncompatibleModel, match="charset"):
        open_recognizer(store, DEFAULT_RECOGNIZER, 1)
    (tmp_path / "copy" / "model.onnx").write_bytes(b"")
    with pytest.raises(ChecksumMismatch):
        open_recognizer(store, DEFAULT_RECOGNIZER, 1)


def test_a_file_that_is_no_network_is_refused(tmp_path: Path) -> None:
    make_model(tmp_path / "a")
    with pytest.raises(IncompatibleModel, match="no network"):
        open_recognizer(ModelStore((tmp_path,)), "mine", 1)
