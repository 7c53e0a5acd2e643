from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from shizi.core.errors import (
    BadBundle,
    ChecksumMismatch,
    FileAccessError,
    IncompatibleModel,
    ModelConflict,
    ModelNotFound,
)
from shizi.models.install import INCOMING, install, remove
from shizi.models.manifest import Manifest, Task
from shizi.models.opening import open_recognizer, try_out
from shizi.models.store import DEFAULT_RECOGNIZER, ModelStore
from tests.unit.models.makers import accept, copy_of_bundled, make_model, tar_of


def unused(_: Manifest) -> str:
    return ""


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_versions_lie_side_by_side_and_a_name_alone_stays_what_it_was(tmp_path: Path) -> None:
    store = ModelStore((tmp_path / "models",))
    before = store.find(DEFAULT_RECOGNIZER, Task.RECOGNIZE).ref
    installed = install(copy_of_bundled(tmp_path / "run", "9.1"), tmp_path / "models", try_out)

    assert installed.ref == "crnn-s@9.1"
    assert installed.file.parent == tmp_path / "models" / "crnn-s@9.1"
    assert store.find(DEFAULT_RECOGNIZER, Task.RECOGNIZE).ref == before
    assert open_recognizer(store, "crnn-s@9.1", 1).name == "crnn-s"
    refs = [m.ref for m in store.manifests() if m.name == "crnn-s"]
    assert refs == ["crnn-s@9.1", before]


def test_of_versions_alone_a_name_means_the_newest(tmp_path: Path) -> None:
    for version in ("0.9.1", "0.10.0", "0.10.0rc1"):
        install(make_model(tmp_path / version, version=version).parent, tmp_path / "m", accept)

    assert ModelStore((tmp_path / "m",)).find("mine", Task.RECOGNIZE).version == "0.10.0"
    with pytest.raises(ModelNotFound, match=r"mine@0\.9\.1"):
        ModelStore((tmp_path / "m",)).find("mine@1.0", Task.RECOGNIZE)


def test_only_what_is_signed_is_taken_from_a_folder(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "run").parent
    (folder / "notes.txt").write_text("mine")
    installed = install(folder, tmp_path / "models", accept)

    assert names_in(installed.file.parent) == ["charset.txt", "manifest.json", "model.onnx"]
    assert names_in(tmp_path / "models" / INCOMING) == []


def test_a_bundle_may_hold_nothing_unsigned(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "run").parent
    (folder / "setup.py").write_text("import os")
    with pytest.raises(BadBundle, match=r"setup\.py"):
        install(tar_of(folder, tmp_path / "b.tgz"), tmp_path / "models", accept)

    assert ModelStore((tmp_path / "models",)).manifests() == ModelStore().manifests()


def test_a_tampered_bundle_is_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "run").parent
    (folder / "charset.txt").write_text("b\na\n")
    with pytest.raises(ChecksumMismatch):
        install(tar_of(folder, tmp_path / "b.tgz"), tmp_path / "models", accept)


def test_a_model_that_cannot_run_is_not_installed(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "run").parent
    with pytest.raises(IncompatibleModel):
        install(folder, tmp_path / "models", try_out)

    assert names_in(tmp_path / "models") == [INCOMING]


def test_a_link_in_a_folder_is_refused(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "run").parent
    (folder / "model.onnx").rename(tmp_path / "elsewhere.onnx")
    (folder / "model.onnx").symlink_to(tmp_path / "elsewhere.onnx")
    with pytest.raises(BadBundle):
        install(folder, tmp_path / "models", accept)


@pytest.mark.parametrize("content", ["{", "[]", json.dumps({"name": "../x"}), " " * (2 << 20)])
def test_a_damaged_manifest_is_refused(tmp_path: Path, content: str) -> None:
    path = make_model(tmp_path / "run")
    path.write_text(content)
    with pytest.raises(IncompatibleModel):
        install(path.parent, tmp_path / "models", accept)


def test_a_folder_without_a_manifest_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    with pytest.raises(BadBundle):
        install(tmp_path / "run", tmp_path / "models", accept)


def test_to_install_a_model_again_changes_nothing(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "run").parent
    first = install(folder, tmp_path / "models", accept)
    stamp = first.file.stat().st_mtime_ns

    assert install(folder, tmp_path / "models", accept) == first
    assert first.file.stat().st_mtime_ns == stamp


def test_another_model_of_the_same_version_is_refused(tmp_path: Path) -> None:
    install(make_model(tmp_path / "a").parent, tmp_path / "models", accept)
    other = make_model(tmp_path / "b", charset=None, charset_sha256=None).parent
    with pytest.raises(ModelConflict, match="mine@1"):
        install(other, tmp_path / "models", accept)


def test_whoever_looks_finds_a_model_whole_or_not_at_all(tmp_path: Path) -> None:
    """A store is read without pause while models come and go."""
    folder = tmp_path / "models"
    over, faults, seen = threading.Event(), list[Exception](), 0

    def look() -> None:
        nonlocal seen
        while not over.is_set():
            try:
                seen += sum(m.name == "mine" for m in ModelStore((folder,)).manifests())
            except Exception as error:  # noqa: BLE001
                faults.append(error)

    watcher = threading.Thread(target=look)
    watcher.start()
    source = make_model(tmp_path / "run").parent
    for _ in range(60):
        install(source, folder, accept)
        remove("mine", folder, unused)
    over.set()
    watcher.join()

    assert not [
        f for f in faults if not isinstance(f, IncompatibleModel) or "No such" not in f.detail
    ]
    assert seen


def test_a_model_in_use_stays(tmp_path: Path) -> None:
    installed = install(make_model(tmp_path / "run").parent, tmp_path / "models", accept)
    with pytest.raises(ModelConflict, match="everybody"):
        remove("mine", tmp_path / "models", lambda _: "everybody reads with it")
    assert installed.file.exists()

    assert remove("mine@1", tmp_path / "models", unused).ref == "mine@1"
    assert names_in(tmp_path / "models") == [INCOMING]


def test_what_came_with_the_package_stays(tmp_path: Path) -> None:
    with pytest.raises(ModelConflict, match="comes with the package"):
        remove("crnn-s", tmp_path, unused)
    with pytest.raises(ModelNotFound):
        remove("nothing", tmp_path, unused)


def test_of_several_versions_one_must_be_named(tmp_path: Path) -> None:
    for version in ("1", "2"):
        install(make_model(tmp_path / version, version=version).parent, tmp_path / "m", accept)
    with pytest.raises(ModelConflict, match="mine@1, mine@2"):
        remove("mine", tmp_path / "m", unused)


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("a file")
    with pytest.raises(FileAccessError):
        install(make_model(tmp_path / "run").parent, tmp_path / "models", accept)
