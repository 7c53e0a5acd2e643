from __future__ import annotations

import gzip
import io
import stat
import tarfile
import zipfile
from pathlib import Path

import pytest

from shizi.core.errors import BadBundle, FileAccessError
from shizi.models.bundle import BundleLimits, unpack
from tests.unit.models.makers import make_model, member, tar_of, tar_with, zip_of

NAMES = ["charset.txt", "manifest.json", "model.onnx"]


@pytest.fixture
def target(tmp_path: Path) -> Path:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    return folder


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("prefix", ["", "./", "mine@1/"])
@pytest.mark.parametrize("kind", ["tar", "tar.gz", "zip"])
def test_a_bundle_is_flat_or_one_folder(
    tmp_path: Path, target: Path, kind: str, prefix: str
) -> None:
    folder = make_model(tmp_path / "model").parent
    archive = tmp_path / "bundle"
    if kind == "zip":
        zip_of(folder, archive, prefix)
    else:
        tar_of(folder, archive, prefix, "w:gz" if kind == "tar.gz" else "w")
    unpack(archive, target)

    assert names_in(target) == NAMES
    assert (target / "model.onnx").read_bytes() == (folder / "model.onnx").read_bytes()


def test_a_tar_of_a_folder_with_its_own_entry_is_one(tmp_path: Path, target: Path) -> None:
    make_model(tmp_path / "mine@1")
    with tarfile.open(tmp_path / "b.tgz", "w:gz") as archive:
        archive.add(tmp_path / "mine@1", "mine@1")
    unpack(tmp_path / "b.tgz", target)

    assert names_in(target) == NAMES


@pytest.mark.parametrize(
    "name",
    ["/etc/passwd", "../outside", "a/../../outside", "a/b/c", "..", "a\\..\\b", "C:evil", "a/"],
)
def test_a_path_that_leads_elsewhere_is_refused(tmp_path: Path, target: Path, name: str) -> None:
    tar_with(tmp_path / "b.tar", (member("m/ok"), b"x"), (member(name), b"evil"))
    with pytest.raises(BadBundle):
        unpack(tmp_path / "b.tar", target)
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("m/good", b"x")
        archive.writestr(name if not name.endswith("/") else name + "/../x", b"evil")
    with pytest.raises(BadBundle):
        unpack(tmp_path / "b.zip", target)

    assert names_in(tmp_path) == ["b.tar", "b.zip", "unpacked"]
    assert not Path("C:evil").exists()


@pytest.mark.parametrize(
    "kind",
    [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE],
)
def test_a_link_or_device_is_refused(tmp_path: Path, target: Path, kind: bytes) -> None:
    tar_with(tmp_path / "b.tar", (member("model.onnx", kind, "/etc/passwd"), b""))
    with pytest.raises(BadBundle):
        unpack(tmp_path / "b.tar", target)

    assert names_in(target) == []


def test_a_link_in_a_zip_is_refused(tmp_path: Path, target: Path) -> None:
    link = zipfile.ZipInfo("model.onnx")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BadBundle):
        unpack(tmp_path / "b.zip", target)


@pytest.mark.parametrize("second", ["model.onnx", "MODEL.onnx"])
def test_a_name_that_is_there_twice_is_refused(tmp_path: Path, target: Path, second: str) -> None:
    tar_with(tmp_path / "b.tar", (member("model.onnx"), b"a"), (member(second), b"b"))
    with pytest.raises(BadBundle, match="twice"):
        unpack(tmp_path / "b.tar", target)


def test_too_many_files_are_refused(tmp_path: Path, target: Path) -> None:
    tar_with(tmp_path / "b.tar", *((member(f"f{k}"), b"") for k in range(17)))
    with pytest.raises(BadBundle, match="more than 16 files"):
        unpack(tmp_path / "b.tar", target)


@pytest.mark.parametrize("kind", ["zip", "tar.gz"])
def test_a_bomb_is_refused_before_it_fills_the_disk(
    tmp_path: Path, target: Path, kind: str
) -> None:
    zeros = bytes(80 << 20)
    archive = tmp_path / "bomb"
    if kind == "zip":
        with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as packed:
            packed.writestr("model.onnx", zeros)
    else:
        with tarfile.open(archive, "w:gz", compresslevel=1) as packed_tar:
            info = member("model.onnx")
            info.size = len(zeros)
            packed_tar.addfile(info, io.BytesIO(zeros))
    with pytest.raises(BadBundle, match="packed to do harm"):
        unpack(archive, target)

    assert sum(path.stat().st_size for path in target.iterdir()) <= 51 << 20


def test_headers_that_fill_the_memory_are_refused(tmp_path: Path, target: Path) -> None:
    info = member("model.onnx")
    info.pax_headers = {"comment": "x" * (64 << 20)}
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        archive.addfile(info, io.BytesIO())
    (tmp_path / "b.tgz").write_bytes(gzip.compress(plain.getvalue(), 1))
    with pytest.raises(BadBundle, match="headers"):
        unpack(tmp_path / "b.tgz", target)


def test_a_bound_on_bytes_counts_all_files(tmp_path: Path, target: Path) -> None:
    tar_with(tmp_path / "b.tar", (member("a"), b"x" * 60), (member("b"), b"x" * 60))
    with pytest.raises(BadBundle):
        unpack(tmp_path / "b.tar", target, BundleLimits(bytes=100))


@pytest.mark.parametrize(
    "content", [b"", b"no archive at all", b"\x1f\x8b\x08\x00broken", b"PK\x03\x04broken"]
)
def test_what_is_no_archive_is_told(tmp_path: Path, target: Path, content: bytes) -> None:
    (tmp_path / "b").write_bytes(content)
    with pytest.raises(BadBundle):
        unpack(tmp_path / "b", target)


def test_a_cut_archive_is_told(tmp_path: Path, target: Path) -> None:
    folder = make_model(tmp_path / "model").parent
    whole = tar_of(folder, tmp_path / "b.tgz").read_bytes()
    (tmp_path / "cut.tgz").write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BadBundle):
        unpack(tmp_path / "cut.tgz", target)


def test_an_archive_that_is_not_there_is_told(tmp_path: Path, target: Path) -> None:
    with pytest.raises(FileAccessError):
        unpack(tmp_path / "absent.tgz", target)
