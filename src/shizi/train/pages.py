"""A set of labelled lines from made-up pages: composed, drawn, exposed, detected, cut out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import cv2

from shizi.core.errors import ConfigError
from shizi.text.charset import standard_charset
from shizi.train.browser import Browser, DrawnPage
from shizi.train.corpus import TextSource, load_corpus
from shizi.train.fonts import find_fonts
from shizi.train.harvest import Detect, LabelledLine, expose, harvest, true_lines, write_set
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
    """

    folder: Path
    pages: int = 1_000
    fonts: tuple[Path, ...] = ()
    corpus: Path | None = None
    seed: int = 1


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
    check_plan(plan, plan.folder / "labels.tsv")
    return write_set(_lines(plan, detect, report), plan.folder)


def make_measuring_set(plan: PageSetPlan, report: Callable[[str], None]) -> int:
    """Draw pages in the faces kept out of training, in the form that `shizi bench` takes.

    Returns:
        How many lines they have.

    Raises:
        ConfigError: the folder holds a set already, or there is nothing to draw.
        MissingExtra: Playwright is not installed.
    """
    manifest = plan.folder / "manifest.jsonl"
    check_plan(plan, manifest)
    plan.folder.mkdir(parents=True, exist_ok=True)
    count = 0
    with manifest.open("w", encoding="utf-8") as file:
        for number, (page, rng) in enumerate(draw_pages(plan, report, held_out=True)):
            image, boxes = expose(page, rng)
            name = f"{number:05d}.jpg"
            quality = [cv2.IMWRITE_JPEG_QUALITY, 92]
            cv2.imwrite(str(plan.folder / name), cv2.cvtColor(image, cv2.COLOR_RGB2BGR), quality)
            lines = [
                {"poly": quad.to_array().round(1).tolist(), "text": text, "direction": "h"}
                for text, quad in true_lines(page.chars, page.owners, boxes)
            ]
            count += len(lines)
            entry = {"image": name, "variant": "held-out", "template": "made-up", "lines": lines}
            file.write(json.dumps(entry, ensure_ascii=False) + "\n")
    return count


def check_plan(plan: PageSetPlan, made: Path) -> None:
    """Refuse a set without pages, and one that would be written over another."""
    if plan.pages < 1:
        raise ConfigError("a set has at least one page")
    if made.exists():
        raise ConfigError(f"{plan.folder} holds a set already; name another folder")


def _lines(
    plan: PageSetPlan, detect: Detect, report: Callable[[str], None]
) -> Iterator[LabelledLine]:
    for page, rng in draw_pages(plan, report, held_out=False):
        yield from harvest(page, detect, rng)


def draw_pages(
    plan: PageSetPlan,
    report: Callable[[str], None],
    *,
    held_out: bool = False,
    spread: bool = False,
    vertical: float = 0.0,
) -> Iterator[tuple[DrawnPage, Random]]:
    """Draw the pages of a plan, each with the chance that goes on with it.

    Args:
        plan: what to draw.
        report: told how far it is.
        held_out: draw in the faces kept out of training, and in no others.
        spread: see `webpage.compose`.
        vertical: share of pages whose lines run downwards.

    Raises:
        ConfigError: there is nothing to draw.
        MissingExtra: Playwright is not installed.
    """
    folders = (*SYSTEM_FONTS, *map(str, plan.fonts))
    plan.folder.mkdir(parents=True, exist_ok=True)
    found = find_fonts(tuple(map(Path, folders)), plan.folder / "font-coverage.json")
    faces = typefaces(found, held_out=held_out)
    texts = TextSource(load_corpus(standard_charset(level_symbols(plan.corpus)), plan.corpus))
    # Installed faces come by Fontconfig; those of folders named come by their style sheets.
    settings = font_settings(SYSTEM_FONTS, plan.folder / "fontconfig", held_out=held_out)
    with Browser(settings) as browser:
        for page in range(plan.pages):
            rng = Random(f"{plan.seed}/{page}")
            upright = vertical == 0 or rng.random() >= vertical
            composed = compose(rng, texts, faces, vertical=not upright, spread=spread)
            yield browser.draw(composed), rng
            if (page + 1) % _REPORT_EVERY == 0:
                report(f"{page + 1} of {plan.pages} pages")
