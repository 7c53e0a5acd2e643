"""`shizi read` on a reader that reads nothing: options, formats, failures, exit statuses."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from shizi.cli import assembly
from shizi.cli.main import main
from shizi.core.errors import CorruptImage, EncryptedPdf
from shizi.core.options import ReadOptions
from shizi.core.types import Notice, PageResult
from tests.fakes import FakeReader, one_page

Captured = pytest.CaptureFixture[str]


@pytest.fixture(autouse=True)
def _empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> FakeReader:
    fake = FakeReader()
    monkeypatch.setattr(assembly, "open_reader", lambda settings: fake)
    return fake


def _options(reader: FakeReader) -> ReadOptions:
    return reader.calls[0][1]


def test_flags_become_options(reader: FakeReader) -> None:
    flags = [
        "--steps",
        "flatten,deskew",
        "--chars",
        "--password",
        "pw",
        "--dpi",
        "300",
        "--effort",
        "balanced",
        "--decoder",
        "greedy",
    ]

    assert main(["read", "a.pdf", *flags]) == 0

    options = _options(reader)
    assert reader.calls[0][0] == "a.pdf"
    assert options.steps == ("flatten", "deskew")
    assert options.effort == "balanced"
    assert options.decoder == "greedy"
    assert options.characters
    assert (options.decode.password, options.decode.pdf_dpi) == ("pw", 300)


def test_words_come_from_a_file(reader: FakeReader, capsys: pytest.CaptureFixture[str]) -> None:
    Path("words.txt").write_text("识字\nShizi\n", encoding="utf-8")

    assert main(["read", "a.pdf", "--words", "words.txt"]) == 0
    assert _options(reader).words == ("识字", "Shizi")
    assert main(["read", "a.pdf", "--words", "no.txt"]) != 0
    assert "no.txt cannot be read" in capsys.readouterr().err


def test_without_flags_the_settings_hold(reader: FakeReader) -> None:
    Path("shizi.yaml").write_text("limits: {max_pages: 3}\nreader: {pdf_dpi: 150}\n")

    assert main(["read", "a.pdf"]) == 0

    assert _options(reader).limits.max_pages == 3
    assert _options(reader).decode.pdf_dpi == 150
    assert _options(reader).steps is None


def test_pages_are_read_range_by_range(reader: FakeReader) -> None:
    assert main(["read", "a.pdf", "--pages", "7-,1,2-3"]) == 0

    ranges = [(o.decode.first_page, o.decode.last_page) for _, o in reader.calls]
    assert ranges == [(1, 3), (7, None)]


def test_text_of_one_file_and_of_several(reader: FakeReader, capsys: Captured) -> None:
    reader.answer = [one_page("第一"), one_page("two", number=2)]

    main(["read", "a.tif"])
    assert capsys.readouterr().out == "第一\n\ftwo\n"

    main(["read", "a.tif", "b.tif"])
    page = "第一\n\ftwo\n"
    assert capsys.readouterr().out == f"==> a.tif <==\n{page}\n==> b.tif <==\n{page}"


@pytest.mark.parametrize(
    ("output", "form", "wanted"),
    [
        ("x.txt", None, "txt"),
        ("x.JSON", None, "json"),
        ("x.jsonl", None, "jsonl"),
        ("x.out", None, "txt"),
        ("x.txt", "jsonl", "jsonl"),
    ],
)
def test_the_format_is_given_or_told_by_the_ending(
    reader: FakeReader, output: str, form: str | None, wanted: str
) -> None:
    assert main(["read", "a.png", "-o", output, *(["-f", form] if form else [])]) == 0

    text = Path(output).read_text(encoding="utf-8")
    is_json = text.startswith("{")
    assert wanted == ("txt" if not is_json else "json" if "\n " in text else "jsonl")


def test_several_files_are_one_json_list_with_their_names(
    reader: FakeReader, capsys: Captured
) -> None:
    main(["read", "a.png", "b.png", "-f", "json"])

    listed = json.loads(capsys.readouterr().out)
    assert [entry["image"] for entry in listed] == ["a.png", "b.png"]
    assert [entry["success"] for entry in listed] == [True, True]


def _fail_on(names: dict[str, Exception]) -> FakeReader:
    def answer(source: object, _: ReadOptions) -> list[PageResult]:
        if str(source) in names:
            raise names[str(source)]
        return [one_page("fine")]

    return FakeReader(answer)


@pytest.mark.parametrize(
    ("failing", "status"),
    [
        ({}, 0),
        ({"a": CorruptImage("cut")}, 10),
        ({"a": EncryptedPdf("locked"), "b": CorruptImage("cut")}, 8),
    ],
)
def test_the_status_tells_none_some_or_all_failed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: Captured,
    failing: dict[str, Exception],
    status: int,
) -> None:
    monkeypatch.setattr(assembly, "open_reader", lambda settings: _fail_on(failing))

    assert main(["read", "a", "b", "-f", "jsonl"]) == status

    out, err = capsys.readouterr()
    assert [json.loads(line)["success"] for line in out.splitlines()] == [
        name not in failing for name in "ab"
    ]
    assert err.count("shizi: error: ") == len(failing)


def test_notices_are_told_beside_the_result_unless_quiet(
    reader: FakeReader, capsys: Captured
) -> None:
    notices = (Notice("downscaled", "reduced", 2), Notice("other", "of the whole"))
    reader.answer = [replace(one_page("text"), notices=notices)]

    main(["read", "a.tif"])
    assert capsys.readouterr().err == (
        "shizi: warning: a.tif, page 2: reduced\nshizi: warning: a.tif: of the whole\n"
    )
    main(["read", "a.tif", "-q"])
    assert capsys.readouterr().err == ""
