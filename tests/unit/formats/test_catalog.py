"""What holds for every format alike."""

from __future__ import annotations

import io
import sys
import zlib

import pytest

from shizi.core.encoded import Coding, EncodedPicture
from shizi.core.errors import CorruptImage, MissingExtra
from shizi.formats import FORMATS, Document, PictureSource, format_of, write_document
from tests.fakes import one_page

PIXEL = EncodedPicture(zlib.compress(b"\0\xff"), Coding.PNG, (1, 1), 1)
SOURCE = PictureSource(lambda _: PIXEL)
TEXTS = [form.name for form in FORMATS.values() if not form.binary]


@pytest.mark.parametrize("name", FORMATS)
def test_a_document_is_written_and_the_file_stays_open(name: str) -> None:
    out = io.BytesIO()

    write_document(FORMATS[name], out, Document("a.png", SOURCE), [one_page("识字")], 0.5)

    assert out.getvalue()


@pytest.mark.parametrize("name", FORMATS)
def test_what_fails_does_not_stop_the_next(name: str) -> None:
    out = io.BytesIO()
    writer = FORMATS[name].open(out, several=True)
    writer.fail("a.png", CorruptImage("cut short"))
    writer.begin(Document("b.png", SOURCE))
    writer.add(one_page("半"))
    writer.fail("b.png", CorruptImage("cut short"))
    writer.begin(Document("c.png", SOURCE))
    writer.add(one_page("末"))
    writer.end(0.1)
    writer.close()

    if name in TEXTS:
        assert "末" in out.getvalue().decode()
        assert "cut short" in out.getvalue().decode() or name not in {"json", "jsonl"}


def test_an_ending_tells_the_format() -> None:
    assert format_of("a/b.JSON") is FORMATS["json"]
    assert format_of("a.png") is None
    assert format_of(None) is None


def test_names_and_endings_are_unique() -> None:
    assert len({form.ending for form in FORMATS.values()}) == len(FORMATS)
    assert all(name == form.name for name, form in FORMATS.items())


@pytest.mark.parametrize("name", [form.name for form in FORMATS.values() if form.extra])
def test_a_missing_package_is_told_with_the_command_that_installs_it(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for package in ("pikepdf", "docx", "xlsxwriter"):
        monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, f"shizi.formats.{name}", raising=False)

    with pytest.raises(MissingExtra, match=r"pip install 'shizi\[documents\]'"):
        FORMATS[name].open(io.BytesIO())
