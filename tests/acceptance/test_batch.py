"""`shizi batch` as a user meets it, with the real reader."""

from __future__ import annotations

import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pypdfium2 as pdfium
import pytest

from tests.acceptance.conftest import Run
from tests.program import RECEIPT, RECEIPT_TEXT, ROOT, environment

pytestmark = pytest.mark.acceptance

RENDERED = ROOT / "bench" / "rendered"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder of three pictures that can be read, and one that cannot."""
    folder = tmp_path / "scans"
    (folder / "2026").mkdir(parents=True)
    shutil.copy(RECEIPT, folder)
    shutil.copy(RENDERED / "letter_clean.png", folder / "2026")
    shutil.copy(RECEIPT, folder / "2026" / "again.png")
    (folder / "cut.jpg").write_bytes((RENDERED / "letter_scan.jpg").read_bytes()[:3000])
    return folder


def test_batch_reads_what_read_reads(shizi: Run, folder: Path, tmp_path: Path) -> None:
    done = shizi("batch", "scans", "-o", "out", "-f", "txt,json")

    assert done.returncode == 10, done.stderr.decode()
    assert done.stdout == b""
    told = done.stderr.decode().splitlines()[-1]
    assert told.startswith("shizi: 3 of 4 files read, 3 pages; 1 failed: see ")
    out = tmp_path / "out"
    names = sorted(str(file.relative_to(out)) for file in out.rglob("*.*") if file.is_file())
    assert [name for name in names if not name.startswith(".")] == [
        "2026/again.png.json",
        "2026/again.png.txt",
        "2026/letter_clean.png.json",
        "2026/letter_clean.png.txt",
        "failures.tsv",
        "receipt.png.json",
        "receipt.png.txt",
    ]
    for name in ("receipt.png", "2026/letter_clean.png"):
        alone = shizi("read", folder / name).stdout
        assert (out / f"{name}.txt").read_bytes() == alone
    assert json.loads((out / "receipt.png.json").read_text())["success"]
    failures = (out / "failures.tsv").read_text().splitlines()
    assert [line.split("\t")[:2] for line in failures[1:]] == [["cut.jpg", "corrupt"]]

    (folder / "cut.jpg").unlink()
    again = shizi("batch", "scans", "-o", "out", "-f", "txt,json")
    assert again.returncode == 0
    assert b"0 of 0 files read" in again.stderr


def test_batch_makes_searchable_pdfs(shizi: Run, folder: Path, tmp_path: Path) -> None:
    (folder / "cut.jpg").unlink()

    done = shizi("batch", "scans", "-o", "out", "-f", "pdf", "-f", "docx")

    assert done.returncode == 0, done.stderr.decode()
    document = pdfium.PdfDocument(tmp_path / "out" / "receipt.png.pdf")
    text = document[0].get_textpage().get_text_range()
    document.close()
    assert "杭州西溪书店" in text
    assert (tmp_path / "out" / "2026" / "letter_clean.png.docx").stat().st_size > 10_000


def test_batch_goes_on_after_it_was_killed(folder: Path, tmp_path: Path) -> None:
    for k in range(6):
        shutil.copy(RECEIPT, folder / f"copy{k}.png")
    (folder / "cut.jpg").unlink()
    out = tmp_path / "out"
    command = [sys.executable, "-m", "shizi", "batch", "scans", "-o", "out", "--workers", "1"]

    with subprocess.Popen(command, cwd=tmp_path, env=environment()) as batch:
        ends = time.monotonic() + 120
        while len(list(out.rglob("*.txt"))) < 3:
            assert time.monotonic() < ends
            assert batch.poll() is None
            time.sleep(0.01)
        batch.send_signal(signal.SIGKILL)
    before = {file: file.stat().st_mtime_ns for file in out.rglob("*.txt")}
    assert 3 <= len(before) < 9
    done = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, check=False
    )

    assert done.returncode == 0
    after = {file: file.stat().st_mtime_ns for file in out.rglob("*.txt")}
    assert len(after) == 9
    assert before.items() <= after.items(), "what was read is left alone"
    assert all(
        file.read_text() == (out / "receipt.png.txt").read_text() for file in out.glob("copy*")
    )
    assert RECEIPT_TEXT.split()[0] in (out / "copy0.png.txt").read_text()


def test_batch_shows_a_bar_on_a_terminal(folder: Path, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "shizi", "batch", "scans/receipt.png", "-o", "out"]
    with subprocess.Popen(command, cwd=tmp_path, env=environment(), stderr=theirs) as batch:
        os.close(theirs)
        shown = b""
        while select.select([ours], [], [], 60)[0]:
            try:
                shown += os.read(ours, 4096)
            except OSError:
                break
        assert batch.wait(30) == 0
    os.close(ours)
    assert b"] " in shown
    assert b"of 1" in shown
    assert b"shizi: 1 of 1 files read, 1 pages; results in out" in shown


@pytest.mark.parametrize(
    ("arguments", "status", "complaint"),
    [
        (("nowhere", "-o", "out"), 5, "there is no file or folder nowhere"),
        ((".", "-o", "out", "-f", "docs"), 1, "unknown format 'docs'"),
        ((".", "-o", "out", "--workers", "many"), 1, "--workers is 'many'"),
        ((".", "-o", "out", "--recognizer", "crnn-z"), 3, "crnn-z"),
        ((".",), 1, "-o/--out"),
    ],
)
def test_batch_refuses_what_it_cannot_do(
    shizi: Run, folder: Path, arguments: tuple[str, ...], status: int, complaint: str
) -> None:
    done = shizi("batch", *arguments)

    assert done.returncode == status
    assert complaint in done.stderr.decode()
