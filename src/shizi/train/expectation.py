"""What a language model is made from: sentences, names, words, codes, labels of real lines."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from shizi.core.errors import ConfigError, MissingExtra
from shizi.models.manifest import Task, check_ref, sign_model
from shizi.text.charset import fold, standard_charset
from shizi.text.folding import Folding
from shizi.train.corpus import load_corpus
from shizi.train.documents import read_documents
from shizi.train.language import build_language_model
from shizi.train.phrases import phrase
from shizi.train.recipe import level_symbols

_HAN = re.compile(r"[\u3400-\u9fff]")
# How much of each kind is taken; manuals repeat themselves, lists of names hold names alone.
_SHARES = {"han": 1.0, "names": 0.35, "english": 0.6, "words": 1.0}
_SENTENCE_SHARE = 0.6
_MANUAL_SHARES = {"han": 0.5, "english": 0.15}
_PHRASES = 150_000
_CODES = 60_000
_CAPITALS = "ABCDEFGHJKLMNPQRSTUVWXYZ"
_ALPHABETS = (_CAPITALS, "0", _CAPITALS + "0" * 15, "0", _CAPITALS, _CAPITALS.lower() + "0" * 10)


@dataclass(frozen=True, slots=True)
class LanguagePlan:
    """What a user chooses of a language model.

    Attributes:
        folder: gets `model.npz` and `manifest.json`; its name is the model's.
        corpus: folder of plain text, as for a recognizer, or None.
        documents: folders of HTML and plain text, such as `scripts/fetch_texts` fetches.
        real: (folder, times) of labelled lines and how often each counts.
        ngrams: how many are chosen; the file takes some five bytes for each.
        version: of the model.
        seed: of what is drawn.
    """

    folder: Path
    corpus: Path | None = None
    documents: tuple[Path, ...] = ()
    real: tuple[tuple[Path, int], ...] = ()
    ngrams: int = 500_000
    version: str = "0.1.0"
    seed: int = 1


def make_language_model(plan: LanguagePlan, report: Callable[[str], None]) -> Path:
    """Gather the text, count it, write the model's folder.

    Returns:
        The manifest.

    Raises:
        ConfigError: a folder does not exist, or there is no text.
        MissingExtra: OpenCC is not installed.
        OptionError: the folder's name or the version cannot be a model's.
    """
    check_ref(plan.folder.name, plan.version)
    lines = gather_lines(plan)
    report(f"{len(lines)} lines, {sum(map(len, lines))} characters")
    content = build_language_model(lines, simplified_forms(), plan.ngrams).to_bytes()
    plan.folder.mkdir(parents=True, exist_ok=True)
    (plan.folder / "model.npz").write_bytes(content)
    facts = {
        "name": plan.folder.name,
        "version": plan.version,
        "task": Task.LANGUAGE.value,
        "licence": "Apache-2.0",
        "source": "counted by Shizi's own recipe (docs/training.md)",
    }
    return sign_model(plan.folder, "model.npz", facts)


def gather_lines(plan: LanguagePlan) -> list[str]:
    """Draw the lines of a plan, each kind with its share; see `make_language_model`."""
    for folder in (*plan.documents, *(folder for folder, _ in plan.real)):
        if not folder.is_dir():
            raise ConfigError(f"{folder} is not a folder")
    rng = Random(plan.seed)
    charset = standard_charset(level_symbols(plan.corpus))
    corpus = load_corpus(charset, plan.corpus)
    lines: list[str] = []
    for kind, share in _SHARES.items():
        lines += _some(getattr(corpus, kind), share, rng)
    for folder in plan.documents:
        paragraphs, sentences = read_documents(folder)
        han = [text for text in paragraphs if _HAN.search(text)]
        english = [text for text in paragraphs if not _HAN.search(text)]
        lines += _some(han, _MANUAL_SHARES["han"], rng)
        lines += _some(english, _MANUAL_SHARES["english"], rng)
        lines += _some(sentences, _SENTENCE_SHARE, rng)
    for folder, times in plan.real:
        lines += _labels(folder) * times
    lines += [fold(phrase(rng)) for _ in range(_PHRASES)]
    lines += [_code(rng) for _ in range(_CODES)]
    return lines


def simplified_forms() -> Folding:
    """Pair every traditional character with its simplified form, as OpenCC has them.

    Raises:
        MissingExtra: OpenCC is not installed.
    """
    try:
        from opencc import OpenCC  # noqa: PLC0415 - of the extra `train`
    except ImportError as error:
        raise MissingExtra("train") from error
    convert: Callable[[str], str] = OpenCC("t2s").convert
    pairs = ((symbol, convert(symbol)) for symbol in map(chr, range(0x3400, 0xA000)))
    return Folding({a: b for a, b in pairs if a != b and len(b) == 1})


def _some(lines: list[str] | tuple[str, ...], share: float, rng: Random) -> list[str]:
    return [line for line in lines if rng.random() < share]


def _labels(folder: Path) -> list[str]:
    rows = (folder / "labels.tsv").read_text(encoding="utf-8").splitlines()
    return [fold(row.split("\t", 1)[1]) for row in rows if "\t" in row]


def _code(rng: Random) -> str:
    """Make up a number of a part, an order, a room; digits are all alike to the model."""
    joint = rng.choice(("-", "-", "/", "", ".", "", " "))
    parts = rng.randint(1, 4)
    return joint.join(
        "".join(rng.choices(rng.choice(_ALPHABETS), k=rng.randint(1, 7))) for _ in range(parts)
    )
