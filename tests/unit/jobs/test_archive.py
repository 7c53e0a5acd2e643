"""ZIP archives from strangers: what is taken, and every way of harm that is refused."""

from __future__ import annotations

import contextlib
import io
import stat
import struct
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shizi.core.errors import BadArchive, TooLarge
from shizi.jobs.archive import ArchiveLimits, is_archive, walk_archive

LIMITS = ArchiveLimits(max_files=10, max_bytes=10_000_000, max_file_bytes=5_000_000)


def _pack(path: Path, *files: tuple[str | zipfile.ZipInfo, bytes], method: int = 8) -> Path:
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in files:
            archive.writestr(name, content, method)
    return path


def _unpack(path: Path, limits: ArchiveLimits = LIMITS) -> dict[str, bytes]:
    return {entry.name: b"".join(entry.chunks()) for entry in walk_archive(path, limits)}


def test_files_come_with_their_names(tmp_path: Path) -> None:
    files = {"a.png": b"first", "票据/二.png": b"second", "leer.txt": b""}
    path = _pack(tmp_path / "x.zip", *files.items())

    assert is_archive(path)
    assert _unpack(path) == files


def test_folders_and_litter_are_left_out(tmp_path: Path) -> None:
    path = _pack(
        tmp_path / "x.zip",
        ("folder/", b""),
        ("folder/a.png", b"a"),
        ("__MACOSX/folder/._a.png", b"x"),
        ("folder/.DS_Store", b"x"),
        ("Thumbs.db", b"x"),
    )

    assert _unpack(path) == {"folder/a.png": b"a"}


@pytest.mark.parametrize("encoding", ["gb18030", "utf-8"])
def test_chinese_names_of_old_programs_are_read(tmp_path: Path, encoding: str) -> None:
    name = "发票.png"
    path = _pack(tmp_path / "x.zip", (name.encode(encoding).decode("cp437"), b"a"))
    data = bytearray(path.read_bytes())
    # Without the mark for UTF-8 and with the bytes such a program writes.
    told = name.encode(encoding).decode("cp437").encode()
    bare = name.encode(encoding)
    pad = bare + b"_" * (len(told) - len(bare))
    data = bytearray(bytes(data).replace(told, pad))
    for mark, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        place = data.index(mark) + at
        (flags,) = struct.unpack_from("<H", data, place)
        struct.pack_into("<H", data, place, flags & ~0x800)
    path.write_bytes(data)

    (found,) = _unpack(path)
    assert found.startswith(name)


@pytest.mark.parametrize(
    "name", ["../a.png", "a/../../b.png", "/etc/passwd", "..\\a.png", "C:\\a.png", "C:/a.png", " "]
)
def test_paths_that_lead_out(tmp_path: Path, name: str) -> None:
    path = _pack(tmp_path / "x.zip", (name, b"x"))

    with pytest.raises(BadArchive, match="leads out"):
        _unpack(path)


def test_links_and_devices(tmp_path: Path) -> None:
    for kind in (stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR):
        info = zipfile.ZipInfo("a.png")
        info.create_system = 3
        info.external_attr = (kind | 0o777) << 16
        with pytest.raises(BadArchive, match="link"):
            _unpack(_pack(tmp_path / "x.zip", (info, b"/etc/passwd")))


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_one_name_twice(tmp_path: Path) -> None:
    with pytest.raises(BadArchive, match="one name"):
        _unpack(_pack(tmp_path / "x.zip", ("a", b"1"), ("a", b"2")))


def test_encrypted(tmp_path: Path) -> None:
    path = _pack(tmp_path / "x.zip", ("a.png", b"x" * 50))
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)

    with pytest.raises(BadArchive, match="encrypted"):
        _unpack(path)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_take_much_memory(tmp_path: Path, method: int) -> None:
    with pytest.raises(BadArchive, match="deflate"):
        _unpack(_pack(tmp_path / "x.zip", ("a", b"x" * 100), method=method))


def test_too_much_of_anything(tmp_path: Path) -> None:
    many = _pack(tmp_path / "many.zip", *((str(k), b"") for k in range(11)))
    large = _pack(tmp_path / "large.zip", ("a", b"x" * 5_000_001))
    all_of_it = _pack(tmp_path / "all.zip", *((str(k), bytes(4_000_000)) for k in range(3)))

    for path, name in (
        (many, "max_files"),
        (large, "max_bytes"),
        (all_of_it, "max_unpacked_bytes"),
    ):
        with pytest.raises(TooLarge) as told:
            _unpack(path)
        assert told.value.limit_name == name


def test_a_bomb(tmp_path: Path) -> None:
    path = _pack(tmp_path / "x.zip", ("a", bytes(99_000_000)))
    limits = ArchiveLimits(100, 10**12, 10**12)
    assert sum(len(content) for content in _unpack(path, limits).values()) == 99_000_000

    path = _pack(tmp_path / "x.zip", ("a", bytes(60_000_000)), ("b", bytes(60_000_000)))
    with pytest.raises(BadArchive, match="far more"):
        _unpack(path, limits)


def test_files_that_share_their_bytes(tmp_path: Path) -> None:
    path = _pack(tmp_path / "x.zip", ("a", b"x" * 1000))
    path.write_bytes(_overlapping(path.read_bytes(), 5))

    with pytest.raises(BadArchive, match="overlap"):
        _unpack(path)


def _overlapping(data: bytes, times: int) -> bytes:
    """Let further names of the directory point to the one file there is."""
    directory, end = data.index(b"PK\x01\x02"), data.rindex(b"PK\x05\x06")
    record = data[directory:end]
    records = b"".join(record[:-1] + bytes([ord("a") + k]) for k in range(times))
    tail = struct.pack("<4sHHHHIIH", b"PK\x05\x06", 0, 0, times, times, len(records), directory, 0)
    return data[:directory] + records + tail


def test_an_archive_that_lies_about_its_sizes(tmp_path: Path) -> None:
    path = _pack(tmp_path / "x.zip", ("a", b"x" * 1000))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 10)
    path.write_bytes(data)

    with pytest.raises(BadArchive):
        _unpack(path)


def test_a_directory_that_would_fill_the_memory(tmp_path: Path) -> None:
    path = _pack(tmp_path / "x.zip", ("a", b"x"))
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.rindex(b"PK\x05\x06") + 12, 1 << 30)
    path.write_bytes(data)

    with pytest.raises(BadArchive, match="directory"):
        _unpack(path)


def test_the_wide_form_is_refused_before_its_numbers_are_believed(tmp_path: Path) -> None:
    path = _pack(tmp_path / "x.zip", ("a", b"x"))
    data = path.read_bytes()
    at = data.rindex(b"PK\x05\x06")
    path.write_bytes(data[:at] + b"PK\x06\x07" + bytes(16) + data[at:])

    with pytest.raises(BadArchive, match="ZIP64"):
        _unpack(path)


@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(st.integers(0, 400), st.integers(0, 255), st.integers(0, 400))
def test_damage_is_never_a_trace(tmp_path: Path, at: int, value: int, cut: int) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.png", b"x" * 3000)
        archive.writestr("b.png", bytes(range(256)))
    data = bytearray(buffer.getvalue())
    data[at % len(data)] = value
    path = tmp_path / "x.zip"
    path.write_bytes(data[: len(data) - cut % 7 * (cut > 300)])

    with contextlib.suppress(BadArchive, TooLarge):
        _unpack(path)
