"""A recipe small enough for a test: two plain fonts, no corpus, short chunks."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from shizi.text.charset import standard_charset
from shizi.train.stream import DataRecipe

_LEARNED = Path("/usr/share/fonts/truetype/dejavu")
_HELD_OUT = Path("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc")


@pytest.fixture(scope="session")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> DataRecipe:
    """Plan 60 lines a chunk of what there is without any download."""
    if not (_LEARNED / "DejaVuSans.ttf").is_file() or not _HELD_OUT.is_file():
        pytest.skip("needs the Debian packages fonts-dejavu-core and fonts-wqy-microhei")
    folder = tmp_path_factory.mktemp("fonts")
    for name in ("DejaVuSans.ttf", "DejaVuSerif-Bold.ttf"):
        shutil.copy(_LEARNED / name, folder)
    shutil.copy(_HELD_OUT, folder)
    return DataRecipe(
        symbols=standard_charset([]).symbols,
        fonts=(str(folder),),
        font_cache=str(folder / "coverage.json"),
        total_lines=240,
        curriculum=0.0,
        chunk_lines=60,
        batch_columns=4_096,
        max_width=704,
    )
