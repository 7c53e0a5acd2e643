"""Keys: drawn by chance, kept as hashes, read again when their file changes."""

from __future__ import annotations

import logging
import os
from pathlib import Path

import pytest

from shizi.core.errors import ConfigError, FileAccessError, OptionError
from shizi.server.keys import Key, KeyRing, draw_key, hash_key, read_keys, write_keys
from shizi.server.rates import Rates


@pytest.fixture
def keys_file(tmp_path: Path) -> Path:
    return tmp_path / "keys.txt"


def _touched(file: Path) -> None:
    """Give a file another time, however coarse the clock of its folder is."""
    later = file.stat().st_mtime_ns + 1_000_000_000
    os.utime(file, ns=(later, later))


def test_a_key_is_found_by_itself_alone(keys_file: Path) -> None:
    text, key = draw_key("office", "60/minute")
    other, second = draw_key("archive")
    write_keys(keys_file, [key, second])
    ring = KeyRing(keys_file, Rates().check)

    assert text.startswith("shizi_")
    assert text not in keys_file.read_text()
    assert ring.find(text) == Key("office", hash_key(text), "60/minute")
    assert ring.find(other) == second
    for wrong in ("", text[:-1], key.sha256, "中"):
        assert ring.find(wrong) is None


def test_the_file_is_its_owners_alone(keys_file: Path) -> None:
    write_keys(keys_file, [draw_key("a")[1]])

    assert keys_file.stat().st_mode & 0o777 == 0o600
    assert list(keys_file.parent.iterdir()) == [keys_file]


def test_a_change_of_the_file_is_seen(keys_file: Path) -> None:
    first, key = draw_key("a")
    write_keys(keys_file, [key])
    ring = KeyRing(keys_file, Rates().check)

    second, other = draw_key("b")
    write_keys(keys_file, [other])
    _touched(keys_file)

    assert ring.find(first) is None
    assert ring.find(second) == other


def test_a_slip_of_the_hand_changes_nothing_and_is_logged(
    keys_file: Path, caplog: pytest.LogCaptureFixture
) -> None:
    text, key = draw_key("a")
    write_keys(keys_file, [key])
    ring = KeyRing(keys_file, Rates().check)

    keys_file.write_text("nonsense\n")
    _touched(keys_file)
    with caplog.at_level(logging.ERROR):
        assert ring.find(text) == key
    assert "stay in use" in caplog.text

    keys_file.unlink()
    assert ring.find(text) == key


def test_comments_and_empty_lines_are_left_out(keys_file: Path) -> None:
    keys_file.write_text(f"# ours\n\n  office {'A' * 64} 5/second\n")

    assert read_keys(keys_file) == [Key("office", "a" * 64, "5/second")]


@pytest.mark.parametrize("line", ["a", "a b", f"a {'0' * 63}", f"a/b {'0' * 64}", "a " * 4])
def test_a_malformed_line_stops_the_start(keys_file: Path, line: str) -> None:
    keys_file.write_text(line)

    with pytest.raises(ConfigError, match="line 1 is not"):
        KeyRing(keys_file, Rates().check)


def test_a_limit_that_is_none_stops_the_start(keys_file: Path) -> None:
    write_keys(keys_file, [Key("a", "0" * 64, "often")])

    with pytest.raises(ConfigError, match="no limit such as"):
        KeyRing(keys_file, Rates().check)


def test_a_missing_file_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        KeyRing(tmp_path / "none", Rates().check)


def test_what_is_no_name_is_refused(tmp_path: Path) -> None:
    for name in ("", "a b", "x" * 65, "#"):
        with pytest.raises(OptionError, match="no name of a key"):
            draw_key(name)
    with pytest.raises(FileAccessError, match="cannot be written"):
        write_keys(tmp_path / "none" / "keys", [])
