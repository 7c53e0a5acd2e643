"""Every snippet of both READMEs is run as it stands, and every link leads somewhere.

`make serve` is played by a service on a free port, whose address replaces the one in the text, and
by a program in `.venv/bin`; of other `make` lines only the target is looked for: `make test` would
run this test again without end.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.cli.main import VERBS
from shizi.core.config import load
from tests.program import ROOT, Service, environment, serving

READMES = ("README.md", "README.zh.md")
ADDRESS = "http://127.0.0.1:5000"

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing")
needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is missing")
each_readme = pytest.mark.parametrize("name", READMES)


def _text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def _snippets(name: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", _text(name), re.M | re.S)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder as `make serve` leaves it, with the program in `.venv/bin`."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    program = tmp_path / ".venv" / "bin" / "shizi"
    program.parent.mkdir(parents=True)
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m shizi "$@"\n')
    program.chmod(0o755)
    return tmp_path


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    with serving(tmp_path_factory.mktemp("served")) as service:
        yield service


@pytest.mark.acceptance
@needs_curl
@each_readme
def test_shell_snippets_run_in_order(name: str, folder: Path, started: Service) -> None:
    lines = [line for block in _snippets(name, "sh") for line in block.splitlines()]
    assert any(ADDRESS in line for line in lines)
    kept = [line.replace(ADDRESS, started.url) for line in lines if not line.startswith("make ")]

    done = subprocess.run(
        ["bash", "-eux", "-o", "pipefail", "-c", "\n".join(kept)],
        cwd=folder,
        env=environment(),
        capture_output=True,
        timeout=200,
        check=False,
    )

    assert done.returncode == 0, done.stderr.decode()
    # Once each: curl, read, as JSON, with more effort, from standard input; in JSON also in `text`.
    assert done.stdout.decode().count("杭州西溪书店") == 7
    assert len((folder / "all.jsonl").read_text(encoding="utf-8").splitlines()) == 2


@each_readme
def test_make_lines_name_targets_of_the_makefile(name: str) -> None:
    targets = re.findall(r"^(\w+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    wanted = re.findall(r"^make (\w+)", "\n".join(_snippets(name, "sh")), re.M)

    assert wanted == ["serve", "test"]
    assert set(wanted) <= set(targets)


@needs_make
def test_make_serve_ends_in_the_service_the_readme_names() -> None:
    # Without the variables of a make that runs these tests.
    done = subprocess.run(
        ["make", "--dry-run", "serve"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
        text=True,
    )

    host, port = ADDRESS.removeprefix("http://").split(":")
    assert f"/shizi serve --host {host} --port {port}\n" in done.stdout


@pytest.mark.acceptance
@each_readme
def test_python_snippets_run(name: str, folder: Path) -> None:
    (snippet,) = _snippets(name, "python")
    command = [sys.executable, "-W", "error", "-c", snippet]
    done = subprocess.run(
        command, cwd=folder, env=environment(), capture_output=True, timeout=60, check=True
    )

    assert re.match(r"[01]\.\d\d 杭州西溪书店\n", done.stdout.decode())


@pytest.mark.acceptance
@needs_curl
@each_readme
def test_the_answer_shown_has_the_form_of_a_real_one(
    name: str, folder: Path, started: Service
) -> None:
    (snippet,) = _snippets(name, "json")
    command = ["curl", "-s", "-F", "image=@examples/receipt.png", f"{started.url}/ocr"]
    done = subprocess.run(command, cwd=folder, capture_output=True, timeout=60, check=True)

    assert _form(json.loads(snippet)) == _form(json.loads(done.stdout))


def _form(value: object) -> object:
    """Give the names and kinds of values, of a list those of its first entry."""
    if isinstance(value, dict):
        return {key: _form(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_form(item) for item in value[:1]]
    return "number" if isinstance(value, int | float) and value is not True else type(value)


@each_readme
def test_the_settings_shown_exist(name: str, tmp_path: Path) -> None:
    (snippet,) = _snippets(name, "yaml")
    file = tmp_path / "shizi.yaml"
    file.write_text(snippet, encoding="utf-8")

    origins = load(file=file, environ={}).origins.values()

    assert sum(origin.startswith("file") for origin in origins) == 4


@each_readme
def test_every_command_is_in_the_table(name: str) -> None:
    told = set(re.findall(r"`shizi ([a-z]+(?: [a-z]+)?)", _text(name)))

    assert {verb.name for verb in VERBS} <= told


def test_both_readmes_have_the_same_snippets() -> None:
    for language in ("sh", "json"):
        assert _snippets(READMES[0], language) == _snippets(READMES[1], language)


@pytest.mark.parametrize(
    "path",
    [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")],
    ids=lambda path: str(path.relative_to(ROOT)),
)
def test_links_lead_to_files(path: Path) -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    own = {link for link in links if "://" not in link}
    missing = [link for link in own if not (path.parent / link).exists()]

    assert not missing
