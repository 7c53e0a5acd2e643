"""`shizi keys` adds, lists and removes; a key is shown once."""

from __future__ import annotations

from pathlib import Path

import pytest

from shizi.cli.main import main
from shizi.server.keys import KeyRing
from shizi.server.rates import Rates

Captured = pytest.CaptureFixture[str]


@pytest.fixture
def keys_file(tmp_path: Path) -> str:
    return str(tmp_path / "keys.txt")


def test_a_key_comes_and_goes(keys_file: str, capsys: Captured) -> None:
    assert main(["keys", "add", "office", "--limit", "60 / minute", "--file", keys_file]) == 0
    shown = capsys.readouterr()
    key = shown.out.strip()

    assert key not in shown.err
    assert key not in Path(keys_file).read_text()
    assert Path(keys_file).stat().st_mode & 0o777 == 0o600
    found = KeyRing(Path(keys_file), Rates().check).find(key)
    assert found is not None
    assert (found.name, found.limit) == ("office", "60/minute")

    assert main(["keys", "list", "--file", keys_file]) == 0
    assert capsys.readouterr().out.split() == ["office", found.sha256[:12], "60/minute"]

    assert main(["keys", "remove", "office", "--file", keys_file]) == 0
    assert KeyRing(Path(keys_file), Rates().check).find(key) is None


def test_the_file_of_the_settings_is_taken(
    keys_file: str, tmp_path: Path, capsys: Captured
) -> None:
    settings = tmp_path / "shizi.yaml"
    settings.write_text(f"server:\n  keys: {keys_file}\n")

    assert main(["keys", "add", "a", "--config", str(settings)]) == 0
    assert Path(keys_file).exists()
    assert capsys.readouterr().out.startswith("shizi_")


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["keys", "add", "office"], 1, "there is a key 'office'"),
        (["keys", "add", "a b"], 1, "no name of a key"),
        (["keys", "add", "b", "--limit", "often"], 9, "no limit"),
        (["keys", "remove", "ofice"], 1, "did you mean 'office'?"),
    ],
)
def test_what_goes_wrong_is_told(
    arguments: list[str], status: int, told: str, keys_file: str, capsys: Captured
) -> None:
    main(["keys", "add", "office", "--file", keys_file])
    before = Path(keys_file).read_text()

    assert main([*arguments, "--file", keys_file]) == status
    assert told in capsys.readouterr().err
    assert Path(keys_file).read_text() == before


def test_without_a_file_there_is_nothing_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Captured
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SHIZI_SERVER__KEYS", raising=False)

    assert main(["keys", "list"]) == 1
    assert "give --file" in capsys.readouterr().err
