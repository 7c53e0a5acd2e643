from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from shizi.train.fonts import find_fonts

pytestmark = pytest.mark.torch
DEJAVU = Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf")


@pytest.mark.skipif(not DEJAVU.is_file(), reason="needs the Debian package fonts-dejavu-core")
def test_where_a_slice_is_unpacked_its_woff2_is_not_opened(tmp_path: Path) -> None:
    files = tmp_path / "plain" / "files"
    files.mkdir(parents=True)
    (tmp_path / "plain" / "unicode.json").write_text("{}")
    (tmp_path / "plain" / "package.json").write_text(json.dumps({"name": "@fontsource/plain"}))
    (files / "plain-latin-400-normal.woff2").write_bytes(b"not opened")
    shutil.copy(DEJAVU, files / "plain-latin-400-normal.sfnt")

    (face,) = find_fonts((tmp_path,))

    assert face.name == "plain-400"
    assert face.covers("Shizi 2026")
    assert [Path(file).suffix for file, _, _ in face.files] == [".sfnt"]
