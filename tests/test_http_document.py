"""`docs/http.md` names the routes, the fields and the answer as they are, and its snippets run."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from shizi.core.config import ServerSettings, Settings
from shizi.core.types import Character, Notice, Origin, PageResult, Quad, TextLine
from shizi.formats import pages_to_dict
from shizi.server import schema
from shizi.server.app import create_app
from tests.fakes import FakeReader
from tests.program import ROOT, environment, serving

DOCUMENT = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")


def _first_cells(heading: str) -> set[str]:
    """Give the names in the first cells of the table after a heading or a phrase."""
    table = DOCUMENT.split(heading, 1)[1].split("|---", 1)[1].split("\n\n", 1)[0]
    cells = re.findall(r"^\| (`.*?`) \|", table, re.M)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def test_the_routes() -> None:
    rules = create_app(Settings(), FakeReader()).url_map.iter_rules()
    served = {
        f"{method} {rule.rule}"
        for rule in rules
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert _first_cells("# HTTP") | _first_cells("## Clients of other services") == served


def test_the_fields_of_a_request() -> None:
    assert _first_cells("## Options") == schema.make_options(ServerSettings()).keys()
    assert all(f"`{name}`" in DOCUMENT for name in schema.UPLOAD_FIELDS)


def test_the_fields_of_an_answer() -> None:
    box = Quad.from_rect(0, 0, 1, 1)
    characters = (Character("a", 1.0, box),)
    line = TextLine("a", 1.0, box, characters=characters, origin=Origin.LAYER)
    answer = pages_to_dict([PageResult(1, 9, 9, (line,), (Notice("a", "b", 1),))], 0.1)

    assert _first_cells("## Answer") == {*answer.keys(), "request_id"}
    for heading, key in (("A line has", "results"), ("and a page", "pages")):
        entries = answer[key]
        assert isinstance(entries, list)
        assert _first_cells(heading) == entries[0].keys()


@pytest.mark.acceptance
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing")
def test_the_snippets_run(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "examples", tmp_path / "examples")
    program = tmp_path / "shizi"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m shizi "$@"\n')
    program.chmod(0o755)
    shell = re.findall(r"^```sh\n(.*?)^```$", DOCUMENT, re.M | re.S)
    (python,) = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.M | re.S)

    with serving(tmp_path) as service:
        ours = environment()
        commands = [
            ["bash", "-eux", "-o", "pipefail", "-c", f"PATH=.:$PATH\n{''.join(shell)}"],
            [sys.executable, "-W", "error", "-c", python],
        ]
        read = [
            subprocess.run(
                [part.replace("http://127.0.0.1:5000", service.url) for part in command],
                cwd=tmp_path,
                env=ours,
                stdout=subprocess.PIPE,
                timeout=100,
                check=True,
            ).stdout.decode()
            for command in commands
        ]

    # Two calls of curl, in lines and as the whole text, and the job; then the client.
    assert read[0].count("杭州西溪书店") == 5
    assert read[0].count("shizi_") == 1
    assert read[1].startswith("杭州西溪书店\n")
