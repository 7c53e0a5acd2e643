"""What a bench found, as JSON for programs and as Markdown for people."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from shizi import __version__
from shizi.bench.run import BenchPlan, PeerResult
from shizi.bench.score import Tally
from shizi.engine.budget import allowed_cpus

_PACKAGES = ("onnxruntime", "numpy", "opencv-python-headless", "rapidocr")


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a bench ran.

    Attributes:
        processor: name of the model.
        cpus: processors the process may use.
        memory_bytes: of the machine.
        system: kernel and Python.
        packages: versions by name.
        load: processes that wanted a processor, mean of the last minute. Times taken on a busy
            machine are no measure, least of all of programs whose threads spin while they wait.
    """

    processor: str
    cpus: int
    memory_bytes: int
    system: str
    packages: dict[str, str]
    load: float = 0.0


def describe_machine() -> Machine:
    """Look at the machine this runs on; before a bench, whose own load would count."""
    names = _proc("/proc/cpuinfo", "model name") or [platform.processor() or "unknown"]
    memory = _proc("/proc/meminfo", "MemTotal") or ["0 kB"]
    return Machine(
        processor=names[0],
        cpus=allowed_cpus(),
        memory_bytes=int(memory[0].split()[0]) * 1024,
        system=f"{platform.system()} {platform.release()}, Python {platform.python_version()}",
        packages={"shizi": __version__} | {name: _version(name) for name in _PACKAGES},
        load=round(os.getloadavg()[0], 2),
    )


def _proc(path: str, key: str) -> list[str]:
    """List the values of a key in a file of `name: value` lines; none where there is no file."""
    file = Path(path)
    lines = file.read_text(encoding="utf-8").splitlines() if file.is_file() else []
    pairs = (line.partition(":") for line in lines)
    return [value.strip() for name, _, value in pairs if name.strip() == key]


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "not installed"


def to_dict(plan: BenchPlan, results: Sequence[PeerResult], machine: Machine) -> dict[str, object]:
    """Give everything that was found, ready for JSON."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "machine": asdict(machine),
        "set": plan.folder.resolve().name,
        "casefold": plan.casefold,
        "threads": plan.threads,
        "limit": plan.limit,
        "results": [_result_to_dict(result) for result in results],
    }


def _result_to_dict(result: PeerResult) -> dict[str, object]:
    return {
        "name": result.name,
        "version": result.version,
        "model_bytes": result.model_bytes,
        "peak_bytes": result.peak_bytes,
        "error": result.error,
        "pages": {group or "all": _page_rates(tally) for group, tally in result.pages.items()},
        "lines": {group or "all": _line_rates(tally) for group, tally in result.lines.items()},
    }


def _line_rates(tally: Tally) -> dict[str, float]:
    milliseconds = 1000 * tally.seconds / max(1, tally.lines)
    return _rates(tally) | {
        "space_f1": round(tally.space_f1, 5),
        "calibration_error": round(tally.reliability.expected_error, 5),
        "ms_a_line": round(milliseconds, 4),
    }


def _page_rates(tally: Tally) -> dict[str, float]:
    own = {"recall": round(tally.recall, 5), "precision": round(tally.precision, 5)}
    seconds = round(tally.seconds / max(1, tally.pages), 5)
    return _rates(tally) | own | {"pages": tally.pages, "seconds_a_page": seconds}


def _rates(tally: Tally) -> dict[str, float]:
    return {
        "cer": round(tally.cer, 5),
        "exact": round(tally.exact_rate, 5),
        "lines": tally.lines,
        "chars": tally.chars,
    }


def to_markdown(plan: BenchPlan, results: Sequence[PeerResult], machine: Machine) -> str:
    """Give the tables, with what one must know to read them."""
    measured = [result for result in results if not result.error]
    parts = [_heading(plan, machine)]
    if plan.lines and measured:
        count = measured[0].lines[""].lines
        title = f"{count:,} horizontal lines at their true places:"
        parts.append(f"{title}\n\n{_line_table(measured)}")
    if plan.pages and measured:
        tally = measured[0].pages[""]
        title = f"{tally.pages:,} whole pages ({tally.lines:,} lines), own detection:"
        parts.append(f"{title}\n\n{_page_table(measured)}")
    if any(result.name == "tesseract" for result in measured):
        parts.append("Times of Tesseract hold the start of its program, once a picture.")
    if plan.by and measured:
        parts += _group_tables(plan, measured)
    parts += [
        f"{result.name} was not measured: {result.error}" for result in results if result.error
    ]
    return "\n\n".join(parts) + "\n"


def _heading(plan: BenchPlan, machine: Machine) -> str:
    versions = ", ".join(f"{name} {version}" for name, version in machine.packages.items())
    part = f", first {plan.limit} pictures" if plan.limit else ""
    case = ", case folded" if plan.casefold else ""
    return (
        f"Set `{plan.folder.resolve().name}`{part}{case}; {datetime.now(UTC).date().isoformat()}; "
        f"{machine.cpus} processors of {machine.processor}, "
        f"{machine.memory_bytes / 2**30:.0f} GiB, {machine.system}; "
        f"load {machine.load:.1f} before it began; {plan.threads} threads each; {versions}."
    )


def _line_table(results: Sequence[PeerResult]) -> str:
    rows = [["reader", "CER", "exact lines", "space F1", "calibration error", "ms a line"]]
    for result in results:
        tally = result.lines[""]
        milliseconds = 1000 * tally.seconds / max(1, tally.lines)
        rates = [tally.exact_rate, tally.space_f1, tally.reliability.expected_error]
        cells = [f"{tally.cer:.4f}", *(f"{rate:.3f}" for rate in rates), f"{milliseconds:.2f}"]
        rows.append([_name(result), *cells])
    return _table(rows)


def _page_table(results: Sequence[PeerResult]) -> str:
    head = "reader|CER|exact lines|recall|precision|s a page|peak MB|models MB"
    rows = [head.split("|")]
    for result in results:
        tally = result.pages[""]
        rates = [tally.exact_rate, tally.recall, tally.precision]
        rows.append(
            [
                _name(result),
                f"{tally.cer:.4f}",
                *(f"{rate:.3f}" for rate in rates),
                f"{tally.seconds / max(1, tally.pages):.3f}",
                f"{result.peak_bytes / 1e6:.0f}" if result.peak_bytes else "–",
                f"{result.model_bytes / 1e6:.1f}",
            ]
        )
    return _table(rows)


def _group_tables(plan: BenchPlan, results: Sequence[PeerResult]) -> list[str]:
    """Give the error rates by group, readers side by side."""
    tables = []
    for title, kind in (("lines", "lines"), ("pages", "pages")):
        tallies = [getattr(result, kind) for result in results]
        groups = sorted({group for tally in tallies for group in tally if group})
        if groups:
            rows = [[plan.by, *(_name(result) for result in results)]]
            rows += [[g, *(f"{tally[g].cer:.4f}" for tally in tallies)] for g in groups]
            tables.append(f"CER of {title} by {plan.by}:\n\n" + _table(rows))
    return tables


def _name(result: PeerResult) -> str:
    return f"{result.name} {result.version}"


def _table(rows: Sequence[Sequence[str]]) -> str:
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    rule = "|" + "|".join(["---"] + ["--:"] * (len(rows[0]) - 1)) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])
