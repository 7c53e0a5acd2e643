"""The public face: what it names, that it is told, and that it costs nothing until it is used."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import subprocess
import sys
from pathlib import Path

import pytest

import shizi
from tests.program import environment

SOURCE = Path(shizi.__file__)
CLASSES = [name for name in shizi.__all__ if not name.startswith("_")]


def test_every_public_name_is_there() -> None:
    assert sorted(shizi.__all__) == dir(shizi)
    for name in shizi.__all__:
        assert getattr(shizi, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'Raeder'"):
        _ = shizi.Raeder  # type: ignore[attr-defined]


def test_type_checkers_see_the_same_names() -> None:
    blocks = [node for node in ast.parse(SOURCE.read_text()).body if isinstance(node, ast.If)]
    imported = {
        (node.module, alias.name)
        for block in blocks
        for node in block.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }

    assert imported == {(home, name) for name, home in shizi._HOME_OF.items()}
    assert {name for _, name in imported} == set(CLASSES)


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_class_is_documented(name: str) -> None:
    kind = getattr(shizi, name)
    doc = inspect.getdoc(kind) or ""

    assert doc.splitlines()[0].endswith(".")
    for member, value in vars(kind).items():
        if inspect.isfunction(value) and not member.startswith("_"):
            assert inspect.getdoc(value), f"{name}.{member}"
    if dataclasses.is_dataclass(kind) and len(dataclasses.fields(kind)) > 1:
        for field in dataclasses.fields(kind):
            assert f"{field.name}: " in doc, f"{name}.{field.name}"


def test_importing_the_package_loads_nothing_heavy() -> None:
    heavy = "numpy cv2 onnxruntime PIL flask torch rapidocr shizi.core"
    code = f"import sys, shizi; print([m for m in {heavy.split()} if m in sys.modules])"

    assert _python(code) == "[]"


def test_the_serving_modules_need_no_torch() -> None:
    code = (
        "import sys; sys.modules['torch'] = sys.modules['onnx'] = None\n"
        "import shizi.engine.reader, shizi.server.serve, shizi.cli.main"
    )
    _python(code)


def _python(code: str) -> str:
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, check=True, text=True)
    return done.stdout.strip()
