"""The command line as a user meets it: every verb, every exit status that can be provoked."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
from pathlib import Path

import psutil
import pytest

from shizi import __version__
from tests.acceptance.conftest import Run
from tests.program import RECEIPT, ROOT, environment
from tests.waiting import until

pytestmark = pytest.mark.acceptance

# The smallest PDF that asks for a password: its objects do not matter before the password does.
ENCRYPTED_PDF = b"""%%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 99 99]>>endobj
4 0 obj<</Filter/Standard/V 1/R 2/P -4/O<%s>/U<%s>>>endobj
trailer<</Root 1 0 R/Encrypt 4 0 R/ID[<00><00>]/Size 5>>
%%%%EOF
""" % (b"11" * 32, b"22" * 32)


def _complaint(done: subprocess.CompletedProcess[bytes]) -> str:
    """Give what was said: one line what, one line of advice."""
    lines = done.stderr.decode().splitlines()
    assert len(lines) == 2, lines
    assert lines[0].startswith("shizi: error: ")
    assert lines[1].startswith("  ")
    return lines[0].removeprefix("shizi: error: ")


def test_read_writes_the_text_to_standard_output_and_nothing_else_anywhere(shizi: Run) -> None:
    done = shizi("read", RECEIPT)

    assert done.returncode == 0
    assert "杭州西溪书店" in done.stdout.decode()
    assert done.stderr == b""


def test_read_takes_standard_input(shizi: Run) -> None:
    done = shizi("read", "-", data=RECEIPT.read_bytes())

    assert done.returncode == 0
    assert done.stdout == shizi("read", RECEIPT).stdout


def test_read_chooses_the_format_by_the_ending_of_its_output(shizi: Run, tmp_path: Path) -> None:
    done = shizi("read", RECEIPT, "-o", "out.json", "--chars")

    assert (done.returncode, done.stdout) == (0, b"")
    response = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    first = response["results"][0]
    assert [c["text"] for c in first["chars"]] == list(first["text"])
    assert response["model"]["name"] == "crnn-s"


def test_one_broken_file_does_not_stop_the_others(shizi: Run, tmp_path: Path) -> None:
    (tmp_path / "broken.png").write_bytes(RECEIPT.read_bytes()[:2000])

    done = shizi("read", "-f", "jsonl", RECEIPT, "broken.png", "missing.png", RECEIPT)

    assert done.returncode == 10
    rows = [json.loads(line) for line in done.stdout.decode().splitlines()]
    assert [row["success"] for row in rows] == [True, False, False, True]
    assert [row["image"] for row in rows] == [
        str(RECEIPT),
        "broken.png",
        "missing.png",
        str(RECEIPT),
    ]
    assert [row["error"]["code"] for row in rows[1:3]] == ["corrupt", "file_access"]
    assert rows[0]["results"] == rows[3]["results"]
    assert done.stderr.decode().count("shizi: error: ") == 2


def test_several_files_as_text_and_as_one_json_list(shizi: Run) -> None:
    text = shizi("read", RECEIPT, RECEIPT).stdout.decode()
    listed = json.loads(shizi("read", "-f", "json", RECEIPT, RECEIPT).stdout)

    assert text.count(f"==> {RECEIPT} <==\n") == 2
    assert [entry["image"] for entry in listed] == [str(RECEIPT)] * 2


def test_the_partner_recognizer_reads_too(shizi: Run) -> None:
    done = shizi("read", "-f", "json", "--recognizer", "ppocr-v6-small", RECEIPT)

    response = json.loads(done.stdout)
    assert response["model"] == {"name": "ppocr-v6-small", "version": "6.0"}
    assert "杭州西溪书店" in response["text"]


@pytest.mark.parametrize(
    ("content", "status", "told"),
    [
        (b"", 2, "the input is empty"),
        (b"just words", 2, "no picture or document of a known format"),
        (b"PK\x03\x04" + bytes(40), 2, "a ZIP archive or an Office document"),
        (b"\x89PNG\r\n\x1a\n" + bytes(40), 2, "PNG"),
        (b"%PDF-1.7\nnothing", 2, ""),
        (ENCRYPTED_PDF, 8, "password"),
    ],
)
def test_an_unreadable_file_is_told_in_one_line(
    shizi: Run, tmp_path: Path, content: bytes, status: int, told: str
) -> None:
    (tmp_path / "input").write_bytes(content)

    done = shizi("read", "input")

    assert done.returncode == status
    assert told.lower() in _complaint(done).lower()
    assert done.stdout == b""


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["read", "missing.png"], 5, "missing.png cannot be read: No such file"),
        (["read", "."], 5, "cannot be read: Is a directory"),
        (["read", RECEIPT, "-o", "no/such/folder.txt"], 5, "no/such/folder.txt cannot be written"),
        (["read", "-"], 2, "standard input is empty"),
        (["read"], 1, "the following arguments are required: FILE"),
        (["read", "-f", "doc", "x"], 1, "invalid choice: 'doc'"),
        (["read", RECEIPT, "--pages", "0"], 1, "pages count from 1 upwards"),
        (["read", RECEIPT, "--pages", "2"], 1, "the number of pages is 1"),
        (["read", RECEIPT, "--steps", "grayscal"], 1, "'grayscal'; did you mean 'grayscale'?"),
        (["read", RECEIPT, "--recognizer", "none"], 3, "no model 'none' to recognize; installed:"),
        (["read", RECEIPT, "--dpi", "3"], 9, "reader.pdf_dpi is 3 (flag)"),
        (["read", RECEIPT, "--config", "none.yaml"], 9, "none.yaml cannot be read"),
        (["raed", "x"], 1, "invalid choice: 'raed'"),
        ([], 1, "required: COMMAND"),
        (["models", "verify", "none"], 3, "no model 'none'; installed:"),
        (["serve", "--port", "99999"], 9, "server.port is 99999 (flag)"),
        (["serve", "--host", "192.0.2.1"], 9, "cannot listen on 192.0.2.1:5000"),
    ],
)
def test_a_wrong_call_is_told_in_one_line(
    shizi: Run, arguments: list[str | Path], status: int, told: str
) -> None:
    done = shizi(*arguments)

    assert done.returncode == status, done.stderr.decode()
    assert told in _complaint(done)


def test_a_limit_is_told_with_its_value(shizi: Run) -> None:
    done = shizi("read", RECEIPT, SHIZI_LIMITS__MAX_PIXELS="1000")

    assert done.returncode == 2
    assert "max_pixels is 1,000 and the input has" in _complaint(done)


def test_reading_needs_no_network(tmp_path: Path) -> None:
    alone = ["unshare", "--map-root-user", "--net"]
    if shutil.which("unshare") is None or _fails([*alone, "true"]):
        pytest.skip("this system lets nobody make a namespace without network")

    done = subprocess.run(
        [*alone, sys.executable, "-m", "shizi", "read", RECEIPT],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        timeout=120,
        check=True,
    )

    assert "杭州西溪书店" in done.stdout.decode()


def _fails(command: list[str]) -> bool:
    return subprocess.run(command, capture_output=True, check=False).returncode != 0


def test_models_are_listed_and_verified(shizi: Run) -> None:
    listed = json.loads(shizi("models", "list", "--json").stdout)["models"]
    names = [model["name"] for model in listed]

    assert names == ["crnn-s", "dbnet-s", "ngram-zh-en", "ppocr-v6-det-small", "ppocr-v6-small"]
    assert [row.split()[0] for row in shizi("models", "list").stdout.decode().splitlines()] == names
    refs = [f"{model['name']}@{model['version']}" for model in listed]
    assert shizi("models", "verify").stdout.decode() == "".join(f"{ref}  ok\n" for ref in refs)


def test_a_version_is_installed_read_with_and_removed(shizi: Run, tmp_path: Path) -> None:
    bundled = ROOT / "src" / "shizi" / "models" / "data" / "crnn-s"
    run = tmp_path / "run"
    shutil.copytree(bundled, run)
    manifest = json.loads((run / "manifest.json").read_text(encoding="utf-8"))
    (run / "manifest.json").write_text(json.dumps(manifest | {"version": "9.1"}))
    with tarfile.open(tmp_path / "bundle.tgz", "w:gz") as archive:
        archive.add(run, "crnn-s")
    where = {"SHIZI_PATHS__MODELS": str(tmp_path / "models")}

    installed = shizi("models", "install", "bundle.tgz", **where)
    assert installed.stdout == b"crnn-s@9.1\n"
    assert shizi("models", "pull", "run", **where).stdout == b"crnn-s@9.1\n"
    read = shizi("read", RECEIPT, "--recognizer", "crnn-s@9.1", "--format", "json", **where)
    assert json.loads(read.stdout)["model"] == {"name": "crnn-s", "version": "9.1"}
    used = shizi("models", "remove", "crnn-s@9.1", **where, SHIZI_READER__RECOGNIZER="crnn-s@9.1")
    assert used.returncode == 3
    assert "in use" in _complaint(used)
    assert shizi("models", "remove", "crnn-s@9.1", **where).returncode == 0
    assert shizi("models", "remove", "crnn-s", **where).returncode == 3


def test_a_damaged_model_is_found_and_never_used(shizi: Run, tmp_path: Path) -> None:
    folder = tmp_path / "models" / "mine"
    folder.mkdir(parents=True)
    bundled = ROOT / "src" / "shizi" / "models" / "data" / "crnn-s"
    manifest = json.loads((bundled / "manifest.json").read_text(encoding="utf-8"))
    (folder / "manifest.json").write_text(json.dumps(manifest | {"name": "mine"}))
    (folder / "charset.txt").write_bytes((bundled / "charset.txt").read_bytes())
    (folder / "model.onnx").write_bytes(b"damaged")

    where = {"SHIZI_PATHS__MODELS": str(folder.parent)}
    verified = shizi("models", "verify", **where)
    read = shizi("read", RECEIPT, "--recognizer", "mine", **where)
    examined = shizi("doctor", **where)

    assert verified.returncode == 3
    assert f"crnn-s@{manifest['version']}  ok" in verified.stdout.decode()
    assert "is not the file of its manifest" in _complaint(verified)
    assert read.returncode == 3
    assert "is not the file of its manifest" in _complaint(read)
    assert examined.returncode == 3
    assert "BAD  model mine" in examined.stdout.decode()


def test_config_show_tells_every_origin(shizi: Run, tmp_path: Path) -> None:
    (tmp_path / "shizi.yaml").write_text("server: {port: 5001}\n")

    shown = json.loads(shizi("config", "show", "--json", SHIZI_SERVER__THREADS="2").stdout)

    assert shown["server"]["port"] == {"value": 5001, "origin": "file shizi.yaml"}
    assert shown["server"]["threads"]["origin"] == "environment SHIZI_SERVER__THREADS"
    assert shown["server"]["host"] == {"value": "127.0.0.1", "origin": "default"}
    assert b"server.port" in shizi("config", "show").stdout


def test_doctor_finds_this_installation_well(shizi: Run) -> None:
    done = shizi("doctor", "--json")

    assert done.returncode == 0
    report = json.loads(done.stdout)
    assert report["ok"]
    assert {"python", "onnxruntime", "model crnn-s"} <= {f["subject"] for f in report["findings"]}


def test_help_and_version(shizi: Run) -> None:
    assert shizi("--version").stdout.decode() == f"shizi {__version__}\n"
    for verb in (["read"], ["serve"], ["models", "list"], ["config", "show"], ["doctor"]):
        assert shizi(*verb, "--help").returncode == 0


def test_chinese_is_written_whatever_the_locale(shizi: Run) -> None:
    done = shizi("read", RECEIPT, LC_ALL="C", PYTHONUTF8="0", PYTHONIOENCODING="ascii")

    assert "杭州西溪书店" in done.stdout.decode("utf-8")


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    command = f"{sys.executable} -m shizi read {RECEIPT} {RECEIPT} {RECEIPT} | head -n 1"
    done = subprocess.run(
        ["sh", "-c", command], env=environment(), capture_output=True, timeout=120, check=True
    )

    assert done.stdout.decode() == f"==> {RECEIPT} <==\n"
    assert done.stderr == b""


def test_an_interrupt_ends_it_in_one_line(tmp_path: Path) -> None:
    # A pipe that is opened and never written to: it waits in the middle of its work.
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "shizi", "read", str(pipe)]
    with subprocess.Popen(command, env=environment(), stderr=subprocess.PIPE) as process:
        writer = os.open(pipe, os.O_WRONLY)
        try:
            # Python looks for signals before a call that waits and not again until it is over: one
            # that comes between is lost. Once both ends are open it sleeps to read, not before.
            until(lambda: psutil.Process(process.pid).status() == psutil.STATUS_SLEEPING)
            process.send_signal(signal.SIGINT)
            _, told = process.communicate(timeout=30)
        finally:
            os.close(writer)

    assert process.returncode == 130
    assert told == b"shizi: interrupted\n"
