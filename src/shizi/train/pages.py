"""A set of labelled lines from made-up pages: composed, drawn, exposed, detected, cut out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from shizi.core.errors import ConfigError
from shizi.text.charset import standard_charset
from shizi.train.browser import Browser
from shizi.train.corpus import TextSource, load_corpus
from shizi.train.fonts import find_fonts
from shizi.train.harvest import Detect, LabelledLine, harvest, write_set
from shizi.train.recipe import SYSTEM_FONTS, level_symbols
from shizi.train.typefaces import font_settings, typefaces
from shizi.train.webpage import compose

_REPORT_EVERY = 50


@dataclass(frozen=True, slots=True)
class PageSetPlan:
    """What a user chooses of a page set.

    Attributes:
        folder: gets `lines.zip` and `labels.tsv`.
        pages: how many are drawn; each gives some fifty lines.
        fonts: folders of fonts beside the system's.
        corpus: folder of plain text, or None.
        seed: of everything.
        held_out: draw in the faces kept for measuring alone: a set to measure on.
    """

    folder: Path
    pages: int = 1_000
    fonts: tuple[Path, ...] = ()
    corpus: Path | None = None
    seed: int = 1
    held_out: bool = False


def make_page_set(plan: PageSetPlan, detect: Detect, report: Callable[[str], None]) -> int:
    """Draw pages and write their lines in the form that `--real` takes.

    Args:
        plan: what to make.
        detect: finds the lines of a page, as serving does.
        report: told how far it is.

    Returns:
        How many lines were written.

    Raises:
        ConfigError: the folder holds a set already, or there is nothing to draw.
        MissingExtra: Playwright is not installed.
    """
    if plan.pages < 1:
        raise ConfigError("a set has at least one page")
    if (plan.folder / "labels.tsv").exists():
        raise ConfigError(f"{plan.folder} holds a set already; name another folder")
    return write_set(_lines(plan, detect, report), plan.folder)


def _lines(
    plan: PageSetPlan, detect: Detect, report: Callable[[str], None]
) -> Iterator[LabelledLine]:
    folders = (*SYSTEM_FONTS, *map(str, plan.fonts))
    plan.folder.mkdir(parents=True, exist_ok=True)
    found = find_fonts(tuple(map(Path, folders)), plan.folder / "font-coverage.json")
    faces = typefaces(found, held_out=plan.held_out)
    texts = TextSource(load_corpus(standard_charset(level_symbols(plan.corpus)), plan.corpus))
    count = 0
    # Installed faces come by Fontconfig; those of folders named come by their style sheets.
    settings = font_settings(SYSTEM_FONTS, plan.folder / "fontconfig", held_out=plan.held_out)
    with Browser(settings) as browser:
        for page in range(plan.pages):
            rng = Random(f"{plan.seed}/{page}")
            drawn = browser.draw(compose(rng, texts, faces))
            for line in harvest(drawn, detect, rng):
                count += 1
                yield line
            if (page + 1) % _REPORT_EVERY == 0:
                report(f"{page + 1} of {plan.pages} pages, {count} lines")
