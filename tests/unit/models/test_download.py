from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from shizi.core.errors import ChecksumMismatch, FileAccessError, PullFailed
from shizi.models.download import DownloadOptions, fetch, shown
from tests.unit.models.makers import digest
from tests.unit.models.webserver import Files, serving_files

DATA = Random(5).randbytes(900_000)
QUICK = DownloadOptions(tries=2, pause_s=0.0, timeout_s=5.0)


@pytest.fixture
def files() -> Iterator[Files]:
    with serving_files(model=DATA) as running:
        yield running


def parts_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_comes_whole(files: Files, tmp_path: Path) -> None:
    fetch(files.url + "/model", tmp_path / "m", digest(DATA), QUICK)

    assert (tmp_path / "m").read_bytes() == DATA
    assert parts_in(tmp_path) == ["m"]


def test_what_breaks_off_goes_on_where_it_was(files: Files, tmp_path: Path) -> None:
    files.cut = [300_000, 200_000, 1]
    fetch(files.url + "/model", tmp_path / "m", digest(DATA), QUICK)

    assert (tmp_path / "m").read_bytes() == DATA
    assert [asked for _, asked in files.asked] == [
        None,
        "bytes=300000-",
        "bytes=500000-",
        "bytes=500001-",
    ]


def test_the_next_call_goes_on_as_well(files: Files, tmp_path: Path) -> None:
    files.cut = [700_000]
    files.statuses = []
    impatient = DownloadOptions(tries=1, pause_s=0.0)
    files.content["/gone"] = DATA

    def stop(_: float) -> None:
        raise AssertionError("nothing is waited for")

    files.cut = [700_000, 0, 0]
    with pytest.raises(PullFailed, match="cannot be fetched"):
        fetch(files.url + "/model", tmp_path / "m", digest(DATA), impatient, stop)
    assert parts_in(tmp_path) == ["m.part", "m.part.json"]
    files.cut, files.asked = [], []
    fetch(files.url + "/model", tmp_path / "m", digest(DATA), impatient, stop)

    assert files.asked == [("/model", "bytes=700000-")]
    assert (tmp_path / "m").read_bytes() == DATA


def test_a_file_that_changed_meanwhile_is_begun_anew(files: Files, tmp_path: Path) -> None:
    files.cut = [500_000, 0, 0]
    with pytest.raises(PullFailed):
        fetch(files.url + "/model", tmp_path / "m", "", QUICK, lambda _: None)
    files.cut = []
    files.content["/model"] = other = DATA[::-1]
    fetch(files.url + "/model", tmp_path / "m", digest(other), QUICK)

    assert (tmp_path / "m").read_bytes() == other


def test_a_server_without_parts_sends_all_again(files: Files, tmp_path: Path) -> None:
    files.ranges, files.cut = False, [500_000]
    fetch(files.url + "/model", tmp_path / "m", digest(DATA), QUICK)

    assert (tmp_path / "m").read_bytes() == DATA


def test_a_server_that_is_busy_is_asked_again(files: Files, tmp_path: Path) -> None:
    files.statuses = [503]
    pauses: list[float] = []
    fetch(files.url + "/model", tmp_path / "m", "", DownloadOptions(pause_s=0.5), pauses.append)

    assert pauses == [0.5]
    assert (tmp_path / "m").read_bytes() == DATA


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_what_no_second_try_helps_is_told_at_once(
    files: Files, tmp_path: Path, status: int
) -> None:
    files.statuses = [status]
    with pytest.raises(PullFailed, match=str(status)):
        fetch(files.url + "/model", tmp_path / "m", "", QUICK)

    assert len(files.asked) == 1


def test_another_file_than_announced_is_thrown_away(files: Files, tmp_path: Path) -> None:
    with pytest.raises(ChecksumMismatch):
        fetch(files.url + "/model", tmp_path / "m", "0" * 64, QUICK)

    assert parts_in(tmp_path) == []


def test_a_file_that_is_too_large_is_not_fetched(files: Files, tmp_path: Path) -> None:
    with pytest.raises(PullFailed, match="larger"):
        fetch(files.url + "/model", tmp_path / "m", "", DownloadOptions(most_bytes=1000))


def test_a_redirection_is_followed_with_its_range(files: Files, tmp_path: Path) -> None:
    files.redirects["/latest"] = "/model"
    files.cut = [100_000]
    fetch(files.url + "/latest", tmp_path / "m", digest(DATA), QUICK)

    assert ("/model", "bytes=100000-") in files.asked


@pytest.mark.parametrize("target", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_a_redirection_to_anything_else_is_refused(
    files: Files, tmp_path: Path, target: str
) -> None:
    files.redirects["/latest"] = target
    with pytest.raises(PullFailed):
        fetch(files.url + "/latest", tmp_path / "m", "", QUICK, lambda _: None)

    assert not (tmp_path / "m").exists()


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://host/x", "data:,x"])
def test_only_web_servers_are_asked(tmp_path: Path, url: str) -> None:
    with pytest.raises(PullFailed, match="no address"):
        fetch(url, tmp_path / "m")


def test_nobody_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(PullFailed, match="cannot be fetched"):
        fetch("http://127.0.0.1:9/x", tmp_path / "m", "", QUICK, lambda _: None)


def test_a_disk_that_cannot_be_written_is_told(files: Files, tmp_path: Path) -> None:
    with pytest.raises(FileAccessError):
        fetch(files.url + "/model", tmp_path / "absent" / "m", "", QUICK)


def test_messages_hold_no_password() -> None:
    assert shown("https://me:secret@host/a/b?token=x") == "https://host/a/b"
