"""`shizi convert`: what was read once is written in any format."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pypdfium2 as pdfium
import pytest
from PIL import Image

from shizi.cli.main import main
from shizi.core.errors import CorruptImage
from shizi.core.types import PageResult
from shizi.formats import (
    FORMATS,
    Document,
    dict_to_json,
    dict_to_jsonl,
    error_to_dict,
    pages_to_dict,
    write_document,
)
from tests.fakes import one_page

Captured = pytest.CaptureFixture[str]
PAGES = [one_page("识字", "a = b"), one_page("第二页", number=2)]


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("one.json").write_text(dict_to_json(pages_to_dict(PAGES, 1.5)), encoding="utf-8")
    lines = [dict_to_jsonl(name, pages_to_dict(PAGES, 0.5)) for name in ("a.tif", "b.tif")]
    Path("two.jsonl").write_text("".join(lines), encoding="utf-8")


def _convert(*arguments: str) -> int:
    return main(["convert", *arguments])


@pytest.mark.parametrize("name", [form.name for form in FORMATS.values() if not form.shows_pages])
def test_a_result_is_written_as_if_it_had_just_been_read(name: str) -> None:
    form = FORMATS[name]
    out = Path(f"out.{form.ending}")

    assert _convert("one.json", "-o", str(out)) == 0

    wanted = io.BytesIO()
    write_document(form, wanted, Document("one"), PAGES, 1.5)
    if form.binary:
        assert out.stat().st_size == pytest.approx(len(wanted.getvalue()), rel=0.02)
    elif name not in {"json", "jsonl"}:
        assert out.read_bytes() == wanted.getvalue()
    else:
        assert json.loads(out.read_text())["results"] == pages_to_dict(PAGES, 1.5)["results"]


def test_lines_of_results_keep_their_names(capsys: Captured) -> None:
    assert _convert("two.jsonl") == 0

    page = "识字\na = b\n\f第二页\n"
    assert capsys.readouterr().out == f"==> a.tif <==\n{page}\n==> b.tif <==\n{page}"


def test_a_list_and_the_answer_of_the_service_are_taken(capsys: Captured) -> None:
    entries = [json.loads(line) for line in Path("two.jsonl").read_text().splitlines()]
    Path("list.json").write_text(json.dumps(entries))
    documents = [{"document": k, **pages_to_dict(PAGES, 0.1)} for k in (1, 2)]
    Path("answer.json").write_text(json.dumps({"success": True, "documents": documents}))

    assert _convert("list.json", "-f", "jsonl") == 0
    assert [json.loads(line)["image"] for line in capsys.readouterr().out.splitlines()] == [
        "a.tif",
        "b.tif",
    ]
    assert _convert("answer.json", "-f", "jsonl") == 0
    assert [json.loads(line)["image"] for line in capsys.readouterr().out.splitlines()] == [
        "answer.json 1",
        "answer.json 2",
    ]


def test_a_failure_among_the_results_is_told(capsys: Captured) -> None:
    with Path("two.jsonl").open("a", encoding="utf-8") as file:
        file.write(dict_to_jsonl("c.png", error_to_dict(CorruptImage("cut short"))))

    assert _convert("two.jsonl", "-f", "csv") == 10

    out, err = capsys.readouterr()
    assert out.count("第二页") == 2
    assert "error: c.png: it was not read: cut short" in err


def _saved_tiff(name: str) -> None:
    pages = [Image.new("L", (320, 240), shade) for shade in (250, 200)]
    pages[0].save(name, "TIFF", save_all=True, append_images=pages[1:])


@pytest.mark.parametrize("arguments", [["--source", "scan.tif"], []])
def test_a_searchable_pdf_takes_the_source_again(arguments: list[str]) -> None:
    _saved_tiff("scan.tif")
    Path("r.jsonl").write_text(
        dict_to_jsonl("scan.tif", pages_to_dict(PAGES, 0.5)), encoding="utf-8"
    )

    assert _convert("r.jsonl", "-o", "out.pdf", *arguments) == 0

    document = pdfium.PdfDocument("out.pdf")
    texts = [page.get_textpage().get_text_range() for page in document]
    document.close()
    assert texts == ["识字\r\na = b", "第二页"]


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (["one.json", "-o", "x.pdf"], 1, "name the file that was read with --source"),
        (["two.jsonl", "-o", "x.pdf", "--source", "a"], 1, "source of one result"),
        (["two.jsonl", "-f", "alto"], 1, "holds one document"),
        (["one.json", "-o", "one.json"], 1, "would be written over"),
        (["none.json"], 5, "none.json cannot be read"),
        (["broken.json"], 2, "its line 1 is none either"),
        (["binary.json"], 2, "binary.json is no JSON"),
        (["other.json"], 2, "something else than results"),
        (["deep.json"], 2, "deep.json"),
        (["odd.json"], 2, "no result of `shizi read`"),
        (["relative.json"], 2, "ask for them in pixels"),
    ],
)
def test_what_cannot_be_converted_is_told(
    arguments: list[str], status: int, told: str, capsys: Captured
) -> None:
    Path("broken.json").write_text("{")
    Path("binary.json").write_bytes(b"\xff\xfe\x00")
    Path("other.json").write_text('{"a": 1}')
    Path("deep.json").write_text("[" * 100_000)
    Path("odd.json").write_text('{"success": true, "results": [3], "pages": []}')
    relative = pages_to_dict(PAGES, 0.1, relative=True)
    Path("relative.json").write_text(json.dumps(relative))

    assert _convert(*arguments) == status

    assert told in capsys.readouterr().err


def test_an_empty_result_is_one(capsys: Captured) -> None:
    Path("e.json").write_text(dict_to_json(pages_to_dict([PageResult(1, 9, 9, ())], 0.1)))

    assert _convert("e.json") == 0
    assert capsys.readouterr().out == ""
