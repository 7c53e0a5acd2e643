"""Documents through the real program: pages in, searchable pages and texts out, and back again."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

import pikepdf
import pypdfium2 as pdfium
import pytest
from PIL import Image

from tests.acceptance.conftest import Run
from tests.browser import CHROMIUM
from tests.program import RECEIPT

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(shutil.which("pdftotext") is None, reason="needs poppler-utils"),
]

PHRASES = (
    "杭州西溪书店",
    "现代汉语词典（第7版）",
    "A Brief History of Time",
    "谢谢惠顾，欢迎再来！",
)
PRINTED = """<body style="font-family:'Noto Sans CJK SC'"><h1>识字文档</h1>
<p>这一页是浏览器印出来的，文字层完好无损。It has words: 12.50 USD.</p>
<table><tr><td>名称</td><td>数量</td></tr><tr><td>苹果</td><td>两个</td></tr></table></body>"""


def _poppler(path: Path) -> str:
    done = subprocess.run(["pdftotext", "-raw", path, "-"], capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode()


def _found(path: Path, phrase: str, number: int = 1) -> list[tuple[float, ...]]:
    """Search a phrase as Chrome does; gives the boxes of its characters, points, y up."""
    document = pdfium.PdfDocument(path)
    text = document[number - 1].get_textpage()
    found = text.search(phrase).get_next()
    boxes = [text.get_charbox(k) for k in range(found[0], sum(found))] if found else []
    text.close()
    document.close()
    return boxes


@pytest.fixture
def searchable(shizi: Run, tmp_path: Path) -> Path:
    made = tmp_path / "receipt.pdf"
    assert shizi("read", RECEIPT, "-o", made).returncode == 0
    return made


def test_chinese_in_a_searchable_pdf_is_searched_and_copied(searchable: Path) -> None:
    copied = _poppler(searchable)

    for phrase in PHRASES:
        assert phrase in copied
        assert _found(searchable, phrase)
    # The name of the shop stands in the upper middle of the picture, 720 x 830 pixels.
    boxes = _found(searchable, PHRASES[0])
    left, right = min(b[0] for b in boxes) / 540, max(b[2] for b in boxes) / 540
    lower, upper = min(b[1] for b in boxes) / 622.5, max(b[3] for b in boxes) / 622.5
    assert 0.3 < left < 0.4
    assert 0.6 < right < 0.7
    assert 0.85 < lower < upper < 0.95


def test_a_searchable_pdf_looks_like_its_picture(searchable: Path) -> None:
    document = pdfium.PdfDocument(searchable)
    drawn = document[0].render(scale=96 / 72).to_pil().convert("RGB")
    document.close()

    picture = Image.open(RECEIPT).convert("RGB")
    assert drawn.size == picture.size
    assert drawn.tobytes() == picture.tobytes()


def test_what_is_read_of_a_searchable_pdf_is_its_text(shizi: Run, searchable: Path) -> None:
    first = shizi("read", RECEIPT).stdout
    again = json.loads(shizi("read", "-f", "json", searchable).stdout)

    assert {line["origin"] for line in again["results"]} == {"layer"}
    assert again["text"].splitlines() == first.decode().splitlines()
    assert list(again["timing"]) == ["decode"]


def test_an_old_layer_makes_way_for_a_new_one(shizi: Run, searchable: Path, tmp_path: Path) -> None:
    made = tmp_path / "again.pdf"

    shizi("read", "--pdf-text", "never", searchable, "-o", made)

    assert _poppler(made).count(PHRASES[0]) == 1


def test_text_that_a_browser_printed_is_taken_as_it_is(shizi: Run, tmp_path: Path) -> None:
    if not CHROMIUM.exists():
        pytest.skip("needs Chromium")
    (tmp_path / "page.html").write_text(f"<meta charset=utf-8>{PRINTED}", encoding="utf-8")
    made = tmp_path / "page.pdf"
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer"]
    subprocess.run(
        [*command, f"--print-to-pdf={made}", (tmp_path / "page.html").as_uri()],
        check=True,
        capture_output=True,
        timeout=60,
    )

    answer = json.loads(shizi("read", "-f", "json", made).stdout)

    assert [line["text"] for line in answer["results"]] == [
        "识字文档",
        "这一页是浏览器印出来的，文字层完好无损。It has words: 12.50 USD.",
        "名称 数量",
        "苹果 两个",
    ]
    assert {line["origin"] for line in answer["results"]} == {"layer"}


def _mixed(searchable: Path) -> bytes:
    """Make three pages: one with text, one scanned, one with text above a picture."""
    pdf = pikepdf.open(searchable)
    for page in pdf.pages:
        page.contents_coalesce()
        # What is left is the picture alone.
        page.Contents = pdf.make_stream(page.Contents.read_bytes().split(b"ET Q")[1])
    font = pikepdf.Dictionary(
        Type=pikepdf.Name.Font, Subtype=pikepdf.Name.Type1, BaseFont=pikepdf.Name.Helvetica
    )
    text = b"BT /F 24 Tf 40 700 Td (Typed above) Tj ET "
    picture = pdf.pages[0].Resources.XObject.Picture
    for content in (text, text + b"q 360 0 0 415 40 200 cm /P Do Q"):
        pdf.add_blank_page(page_size=(595, 842))
        pdf.pages[-1].Contents = pdf.make_stream(content)
        pdf.pages[-1].Resources = pikepdf.Dictionary(
            Font=pikepdf.Dictionary(F=font), XObject=pikepdf.Dictionary(P=picture)
        )
    out = io.BytesIO()
    pdf.save(out)
    return out.getvalue()


def test_each_page_of_a_mixed_document_is_taken_as_it_is(
    shizi: Run, searchable: Path, tmp_path: Path
) -> None:
    mixed, made = tmp_path / "mixed.pdf", tmp_path / "made.pdf"
    mixed.write_bytes(_mixed(searchable))

    answer = json.loads(shizi("read", "-f", "json", mixed).stdout)
    shizi("read", mixed, "-o", made)

    lines = {number: [] for number in (1, 2, 3)}  # type: dict[int, list[tuple[str, str | None]]]
    for line in answer["results"]:
        lines[line["page"]].append((line["text"], line.get("origin")))
    assert ("杭州西溪书店", None) in lines[1]
    assert lines[2] == [("Typed above", "layer")]
    assert lines[3][0] == ("Typed above", "layer")
    assert ("杭州西溪书店", None) in lines[3]
    pages = _poppler(made).split("\f")
    assert [page.count("Typed above") for page in pages[:3]] == [0, 1, 1]
    assert [page.count("杭州西溪书店") for page in pages[:3]] == [1, 0, 1]


def test_every_page_of_a_tiff_and_ranges_of_them(shizi: Run, tmp_path: Path) -> None:
    file, made = tmp_path / "fax.tif", tmp_path / "fax.pdf"
    pages = [Image.open(RECEIPT).convert("L").point(lambda v: 255 * (v > 140)).convert("1")] * 3
    pages[0].save(file, save_all=True, append_images=pages[1:], compression="group4")

    shizi("read", "--pages", "1,3", file, "-o", made)

    texts = _poppler(made).split("\f")
    assert len(texts) == 3
    assert all("杭州西溪书店" in text for text in texts[:2])


def test_results_are_converted_without_reading(shizi: Run, tmp_path: Path) -> None:
    results = tmp_path / "r.jsonl"
    shizi("read", RECEIPT, "-o", results)
    started = time.monotonic()

    for ending in ("txt", "json", "csv", "xlsx", "md", "docx", "hocr", "xml", "pdf"):
        done = shizi("convert", results, "-o", tmp_path / f"r.{ending}", "--source", RECEIPT)
        assert done.returncode == 0, done.stderr

    assert "杭州西溪书店" in (tmp_path / "r.txt").read_text()
    assert "杭州西溪书店" in _poppler(tmp_path / "r.pdf")
    with zipfile.ZipFile(tmp_path / "r.docx") as parts:
        assert "杭州西溪书店" in parts.read("word/document.xml").decode()
    assert time.monotonic() - started < 60


def test_a_file_is_never_written_over_its_source(shizi: Run, searchable: Path) -> None:
    before = searchable.read_bytes()

    done = shizi("read", searchable, "-o", searchable)

    assert done.returncode == 1
    assert b"would be written over" in done.stderr
    assert searchable.read_bytes() == before
