"""`shizi doctor`: looks at the installation and says what is well and what is not."""

from __future__ import annotations

import argparse
import platform
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path

from shizi import __version__
from shizi.cli.assembly import open_store
from shizi.cli.console import load_settings
from shizi.core.config import Settings
from shizi.core.errors import ShiziError
from shizi.engine.budget import measure_budget
from shizi.models.store import Task, verify

_PACKAGES = (
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "pillow",
    "pypdfium2",
    "flask",
    "gunicorn",
    "rapidocr",
)
_EXTRAS = {"torch": "only training needs it", "rapidfuzz": "only the bench needs it"}
_MISSING = 3


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at.

    Attributes:
        subject: what.
        detail: how it is.
        ok: whether it is well.
        exit_status: what the program leaves with where it is not.
    """

    subject: str
    detail: str
    ok: bool = True
    exit_status: int = 0

    def to_dict(self) -> dict[str, object]:
        """Give it as JSON has it."""
        return asdict(self)


def examine(args: argparse.Namespace) -> list[Finding]:
    """Look at everything; nothing found wrong stops the rest."""
    findings = [*_machine(), *_packages()]
    try:
        loaded = load_settings(args)
    except ShiziError as error:
        findings.append(_broken("configuration", error))
        settings = Settings()
    else:
        changed = [name for name, _, origin in loaded.rows() if origin != "default"]
        findings.append(Finding("configuration", f"{len(changed)} settings differ from defaults"))
        settings = loaded.settings
    return [*findings, *_models(settings)]


def _machine() -> Iterator[Finding]:
    yield Finding("shizi", __version__)
    yield Finding("python", f"{platform.python_version()} at {sys.prefix}")
    yield Finding("system", f"{platform.system()} {platform.release()} {platform.machine()}")
    budget = measure_budget()
    yield Finding("processors", f"{budget.cpus:g} usable, {budget.threads} threads a model run")
    memory = Path("/proc/meminfo")
    if memory.is_file():
        lines = dict(line.split(":", 1) for line in memory.read_text().splitlines())
        free = int(lines["MemAvailable"].split()[0]) * 1024 // 1_000_000
        limit = budget.memory_bytes
        allowed = f", {limit // 1_000_000:,} MB allowed" if limit else ""
        yield Finding("memory", f"{free:,} MB available{allowed}")


def _packages() -> Iterator[Finding]:
    for name in _PACKAGES:
        try:
            yield Finding(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, "not installed: pip install shizi", False, _MISSING)
    for name, use in _EXTRAS.items():
        try:
            yield Finding(name, metadata.version(name))
        except metadata.PackageNotFoundError:
            yield Finding(name, f"not installed; {use}")


def _models(settings: Settings) -> Iterator[Finding]:
    store = open_store(settings)
    try:
        manifests = store.manifests()
        store.find(settings.reader.recognizer, Task.RECOGNIZE)
        store.find(settings.reader.detector, Task.DETECT)
    except ShiziError as error:
        yield _broken("models", error)
        return
    for manifest in manifests:
        subject = f"model {manifest.name}"
        try:
            verify(manifest)
        except ShiziError as error:
            yield _broken(subject, error)
        else:
            yield Finding(subject, f"{manifest.version}, {manifest.size_bytes / 1e6:.1f} MB")


def _broken(subject: str, error: ShiziError) -> Finding:
    return Finding(subject, f"{error.detail}. {error.advice}", False, error.exit_status)
