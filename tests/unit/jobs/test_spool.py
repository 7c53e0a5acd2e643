"""The spool: whole deposits or none, within their room, cleaned up after a crash."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.core.errors import FileAccessError, OutOfSpace
from shizi.jobs.spool import ABANDONED_S, Spool


def _put(spool: Spool, *contents: bytes) -> list[str]:
    with spool.deposit() as deposit:
        for k, content in enumerate(contents):
            draft = deposit.begin(f"picture {k}.png")
            draft.write(content)
            draft.close()
        return [source.ref for source in deposit.complete()]


def test_what_was_deposited_is_read_again_and_described(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "new" / "spool", 1000)
    with spool.deposit() as deposit:
        draft = deposit.begin("../../etc/发票.png")
        draft.write(b"one ")
        draft.write(b"two")
        draft.close()
        (source,) = deposit.complete()

    assert spool.read(source.ref) == b"one two"
    assert (source.name, source.size) == ("../../etc/发票.png", 7)
    assert source.digest == hashlib.sha256(b"one two").hexdigest()
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["000000"]
    assert (tmp_path / "new" / "spool").stat().st_mode & 0o077 == 0


def test_a_deposit_that_fails_leaves_nothing(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)

    with contextlib.suppress(RuntimeError), spool.deposit() as deposit:
        deposit.begin("a").write(b"half")
        raise RuntimeError

    assert list(tmp_path.iterdir()) == []
    assert spool.used_bytes() == 0


def test_a_dropped_file_is_gone_and_its_number_is_not_given_again(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)
    with spool.deposit() as deposit:
        for content in (b"archive", b"inside"):
            draft = deposit.begin(content.decode())
            draft.write(content)
            draft.close()
        deposit.drop(0)
        (source,) = deposit.complete()

    assert source.ref.endswith("/000001")
    assert spool.read(source.ref) == b"inside"


def test_no_more_is_kept_than_there_is_room_for(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 100)
    refs = _put(spool, b"x" * 60)

    with pytest.raises(OutOfSpace):
        _put(spool, b"y" * 41)
    assert spool.used_bytes() == 60
    _put(spool, b"y" * 40)
    with pytest.raises(OutOfSpace):
        spool.deposit()

    spool.remove(refs[0].partition("/")[0])
    assert spool.used_bytes() == 40
    _put(spool, b"z" * 60)


def test_deposits_that_are_written_count(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 100)
    with spool.deposit() as first:
        first.begin("a").write(b"x" * 60)
        with pytest.raises(OutOfSpace), spool.deposit() as second:
            second.begin("b").write(b"y" * 60)


def test_many_at_once_do_not_exceed_the_room_together(tmp_path: Path) -> None:
    spool = Spool(tmp_path, 1000)

    def put() -> None:
        with contextlib.suppress(OutOfSpace):
            _put(spool, b"x" * 90)

    threads = [threading.Thread(target=put) for _ in range(30)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 90 <= spool.used_bytes() <= 1000
    assert len(spool.deposits()) * 90 == spool.used_bytes()


def test_another_process_sees_what_is_there(tmp_path: Path) -> None:
    _put(Spool(tmp_path, 100), b"x" * 60)
    other = Spool(tmp_path, 100)

    assert other.used_bytes() == 60
    with pytest.raises(OutOfSpace):
        _put(other, b"y" * 60)


@pytest.mark.parametrize(
    "ref", ["", "a", "../job", "0" * 32 + "/../x", "0" * 32 + "/job", "/etc/x"]
)
def test_refs_lead_nowhere_else(tmp_path: Path, ref: str) -> None:
    with pytest.raises(FileAccessError):
        Spool(tmp_path, 100).read(ref)


def test_what_a_crash_left_is_found_once_it_is_old(tmp_path: Path) -> None:
    now = time.time()
    spool = Spool(tmp_path, 1000, lambda: now)
    kept, lost = (_put(spool, b"x")[0].partition("/")[0] for _ in range(2))
    (tmp_path / ("f" * 32 + ".part")).mkdir()
    spool.assign(kept, "job-1")

    assert spool.abandoned(()) == []
    now += ABANDONED_S + 60
    assert sorted(spool.abandoned({kept})) == sorted([lost, "f" * 32])
    assert spool.owner(kept) == "job-1"
    assert spool.owner(lost) == ""
    for name in spool.abandoned({kept}):
        spool.remove(name)
    assert spool.deposits() == [kept]
    assert [path.name for path in tmp_path.iterdir()] == [kept]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount") or "mount"
    command = [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("no leave to mount a small disk")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_is_told_and_nothing_is_left(small_disk: Path) -> None:
    spool = Spool(small_disk, 10**9)

    with pytest.raises(OutOfSpace) as told:
        _put(spool, *[b"x" * 100_000] * 20)

    assert "disk" in told.value.detail
    assert list(small_disk.iterdir()) == []
    _put(spool, b"x")


def test_a_disk_that_fills_up_between_the_look_and_the_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = Spool(tmp_path, 1000)

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "rename", full)
    with pytest.raises(OutOfSpace):
        _put(spool, b"x")
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
