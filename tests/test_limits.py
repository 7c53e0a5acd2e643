"""No module and no function is longer than the house rules allow."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MODULE_LINES = 400
FUNCTION_LINES = 50


def _long_modules(folder: Path, most: int) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        count = len(path.read_text(encoding="utf-8").splitlines())
        if count > most:
            yield f"{path.relative_to(folder)}: {count}"


def _long_functions(folder: Path, most: int) -> Iterator[str]:
    for path in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                count = (node.end_lineno or node.lineno) - node.lineno + 1
                if count > most:
                    yield f"{path.relative_to(folder)}:{node.lineno} {node.name}: {count}"


def test_modules_keep_to_their_limit() -> None:
    for folder in ("src", "scripts", "tests"):
        assert list(_long_modules(ROOT / folder, MODULE_LINES)) == []


def test_functions_keep_to_their_limit() -> None:
    for folder in ("src", "scripts", "tests"):
        assert list(_long_functions(ROOT / folder, FUNCTION_LINES)) == []


def test_what_is_too_long_is_named_with_its_lines(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text(
        "class A:\n    async def f(self):\n        x = 1\n        y = 2\n"
    )

    assert list(_long_modules(tmp_path, 4)) == list(_long_functions(tmp_path, 3)) == []
    assert list(_long_modules(tmp_path, 3)) == ["a.py: 4"]
    assert list(_long_functions(tmp_path, 2)) == ["a.py:2 f: 3"]
