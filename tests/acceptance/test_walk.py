"""The walk of one picture: three ways in, one text out, through the files the document names."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import pytest
from flask.testing import FlaskClient

import shizi
from shizi import Reader, ReadOptions
from shizi.bench.score import edit_distance, normalized
from shizi.core.config import Settings
from shizi.formats import pages_to_dict
from shizi.server.app import create_app
from tests.acceptance.conftest import Run
from tests.program import RECEIPT, RECEIPT_TEXT, ROOT

pytestmark = pytest.mark.acceptance

PACKAGE = Path(shizi.__file__).parent
CER = 0.05


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader()


def _over_http(client: FlaskClient, picture: bytes) -> dict[str, object]:
    answer = client.post("/ocr", data={"image": (io.BytesIO(picture), "receipt.png")})
    assert answer.status_code == 200
    content: dict[str, object] = answer.get_json()
    return content


def test_the_receipt_is_read_alike_by_python_command_line_and_http(
    reader: Reader, shizi: Run
) -> None:
    pages = reader.read(RECEIPT)
    by_python = json.loads(json.dumps(pages_to_dict(pages, 0.0)))
    by_command = json.loads(shizi("read", "-f", "json", RECEIPT).stdout)
    by_http = _over_http(create_app(Settings(), reader).test_client(), RECEIPT.read_bytes())

    wanted = normalized(RECEIPT_TEXT)
    cer = edit_distance(wanted, normalized(pages[0].text)) / len(wanted)
    assert cer <= CER
    for part in ("results", "text", "pages", "warnings", "model", "schema"):
        assert by_python[part] == by_command[part] == by_http[part], part


def test_lines_stand_in_reading_order_where_the_picture_has_them(reader: Reader) -> None:
    (page,) = reader.read(RECEIPT, ReadOptions(characters=True))

    read = [normalized(line.text) for line in page]
    wanted = [normalized(line) for line in RECEIPT_TEXT.splitlines()]
    exact = sum(a == b for a, b in zip(read, wanted, strict=True))
    assert exact >= 0.8 * len(wanted)
    for line in page:
        left, top, right, bottom = line.box.bounds
        assert -5 <= left < right <= page.width + 5
        assert -5 <= top < bottom <= page.height + 5
        assert "".join(c.text for c in line.characters) == line.text


def test_the_files_entered_are_those_of_the_document(reader: Reader) -> None:
    document = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    told = re.findall(r"^\| `([\w/]+\.py)` \|", document, re.M)
    picture = RECEIPT.read_bytes()
    client = create_app(Settings(), reader).test_client()
    _over_http(client, picture)

    entered = _entered(lambda: _over_http(client, picture))

    assert len(told) == len(set(told))
    assert entered == set(told)


def _entered(work: Callable[[], object]) -> set[str]:
    """List our files, `core` apart, of which a function is called."""
    files: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        file = frame.f_code.co_filename
        if event == "call" and file.startswith(str(PACKAGE)):
            files.add(file[len(str(PACKAGE)) + 1 :])

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return {file for file in files if not file.startswith("core/")}
