"""Where the text of rendered lines comes from.

Two places are used, each if it is there: a folder of plain text files (a gathered corpus), and
what Debian packages leave on a machine (manuals in Chinese, the Debian handbook, word lists).
With neither, characters and phrases are still drawn, so that training always runs.
"""

from __future__ import annotations

import functools
import gzip
import html
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from shizi.text.charset import Charset, fold
from shizi.train.phrases import phrase

SYSTEM_TEXT = (
    ("/usr/share/man/zh_CN", "*.gz", "zh"),
    ("/usr/share/man/zh_TW", "*.gz", "zht"),
    ("/usr/share/doc/debian-handbook/html/zh-CN", "*.html", "zh"),
    ("/usr/share/doc/debian-handbook/html/zh-TW", "*.html", "zht"),
    ("/usr/share/doc/debian-handbook/html/en-US", "*.html", "en"),
    ("/usr/share/wordnet", "data.*", "en"),
    ("/usr/share/games/fortunes", "*[a-z].u8", "en"),
    ("/usr/share/dict", "american-english", "words"),
)
_TAG = re.compile(r"<[^>]+>|\\f[A-Z]|\\&|^\.[A-Za-z]+ ?|\\[-]")
_HAN = re.compile(r"[\u3400-\u9fff]")
_LATIN = re.compile(r"[A-Za-z]{2,}")
# Strips longer than this at height 32 are rare in documents and dear to train on.
MAX_CHARS_HAN = 36
MAX_CHARS_LATIN = 90


@dataclass(frozen=True, slots=True)
class Corpus:
    """Folded text by kind, each a tuple of lines that the charset covers.

    Attributes:
        han: simplified and mixed sentences.
        traditional: traditional sentences.
        names: short names of people, places, companies, things.
        english: English sentences with their spaces.
        words: English words.
        han_symbols: every ideograph of the charset, for even draws.
        symbols: all other symbols.
    """

    han: tuple[str, ...]
    traditional: tuple[str, ...]
    names: tuple[str, ...]
    english: tuple[str, ...]
    words: tuple[str, ...]
    han_symbols: str
    symbols: str


@functools.lru_cache(maxsize=2)
def load_corpus(charset: Charset, folder: Path | None = None) -> Corpus:
    """Read all text that is there and sort it by kind.

    Args:
        charset: characters outside it are dropped from the text.
        folder: plain text files, one sentence or name a line; may be absent.
    """
    kinds: dict[str, list[str]] = {k: [] for k in ("zh", "zht", "names", "en", "words")}
    for path in sorted(folder.glob("*.txt")) if folder and folder.is_dir() else ():
        if not path.name.startswith(("chars_", "ppocr")):
            lines = path.read_text(encoding="utf-8").splitlines()
            _sort_lines(lines, _kind_of(path.name), kinds)
    for root, pattern, kind in SYSTEM_TEXT:
        for path in sorted(Path(root).rglob(pattern)):
            _sort_lines(_document_lines(path), kind, kinds)
    kinds["zht"].extend(_to_traditional(kinds["zh"][::3]))
    symbols = charset.symbols
    return Corpus(
        han=_keep(kinds["zh"], charset),
        traditional=_keep(kinds["zht"], charset),
        names=_keep(kinds["names"], charset),
        english=_keep(kinds["en"], charset),
        words=_keep(kinds["words"], charset),
        han_symbols="".join(s for s in symbols if _HAN.match(s)),
        symbols="".join(s for s in symbols if not _HAN.match(s) and s != " "),
    )


def _kind_of(name: str) -> str:
    if "traditional" in name:
        return "zht"
    if re.search(r"names|THUOCL|places|placenames|idioms", name):
        return "names"
    return "zh"


def _document_lines(path: Path) -> list[str]:
    data = path.read_bytes()
    if path.suffix == ".gz":
        data = gzip.decompress(data)
    text = data.decode("utf-8", errors="ignore")
    if path.name.startswith("data."):
        # WordNet: numbers, a bar, then what the word means and sentences it is used in.
        return [line.partition(" | ")[2].strip() for line in text.splitlines() if " | " in line]
    return [html.unescape(_TAG.sub(" ", line)) for line in text.splitlines()]


def _sort_lines(lines: Iterable[str], kind: str, kinds: dict[str, list[str]]) -> None:
    """Put each line where its script belongs; word lists lose their counts."""
    for line in lines:
        # What is left with a backslash is a manual page's markup.
        if "\\" in line:
            continue
        text = fold(line.split("\t")[0] if kind == "names" else line)
        if kind == "words":
            kinds[kind].append(text)
        elif _HAN.search(text):
            kinds[kind if kind != "en" else "zh"].append(text)
        elif len(_LATIN.findall(text)) >= 4:
            kinds["en"].append(text)


def _to_traditional(lines: list[str]) -> list[str]:
    """Convert to traditional characters where OpenCC is installed."""
    try:
        from opencc import OpenCC  # noqa: PLC0415 - an optional help, not a need
    except ImportError:
        return []
    convert: Callable[[str], str] = OpenCC("s2tw").convert
    return [convert(line) for line in lines]


def _keep(lines: list[str], charset: Charset) -> tuple[str, ...]:
    """Give each line once, a space where it holds what the charset does not."""
    unknown = {ord(c): " " for c in set().union(*lines) if c not in charset}
    kept = (" ".join(line.translate(unknown).split()) for line in lines)
    return tuple(dict.fromkeys(filter(None, kept)))


class TextSource:
    """Draws line texts from a corpus.

    Attributes:
        corpus: what there is.
        hard: characters drawn more often, such as those a model confuses; may be empty.
    """

    def __init__(self, corpus: Corpus, hard: str = "") -> None:
        self.corpus = corpus
        self.hard = hard

    def draw(self, rng: Random, max_han: int = MAX_CHARS_HAN) -> str:
        """Draw one non-empty text with a share of each kind."""
        kind = rng.random()
        if kind < 0.20:
            text = _cut(rng, _pick(rng, self.corpus.han), max_han)
        elif kind < 0.28:
            text = _cut(rng, _pick(rng, self.corpus.traditional), max_han)
        elif kind < 0.34:
            text = _pick(rng, self.corpus.names)
        elif kind < 0.54:
            text = self._even(rng, min(max_han, 16))
        elif kind < 0.78:
            text = self._english(rng, max_han)
        elif kind < 0.95:
            text = phrase(rng)
        else:
            text = self._mixed(rng)
        text = fold(text)
        return text or phrase(rng)

    def _even(self, rng: Random, longest: int) -> str:
        """Draw characters evenly, so that rare ones are seen as often as common ones."""
        pool = self.hard if self.hard and rng.random() < 0.3 else self.corpus.han_symbols
        chars = rng.choices(pool, k=rng.randint(1, longest))
        if rng.random() < 0.4:
            chars[rng.randrange(len(chars))] = rng.choice(self.corpus.symbols)
        return "".join(chars)

    def _english(self, rng: Random, max_han: int) -> str:
        longest = min(MAX_CHARS_LATIN, max_han * 5 // 2)
        if rng.random() < 0.55 and self.corpus.english:
            text = _cut_words(rng, _pick(rng, self.corpus.english), longest)
        else:
            words = [_pick(rng, self.corpus.words) for _ in range(rng.randint(1, 7))]
            text = _punctuate(rng, words)[:longest]
        if rng.random() < 0.05:
            text = _hyphenated(rng, text)
        form = rng.random()
        if form < 0.22:
            return text.upper()
        return text.title() if form < 0.32 else text

    def _mixed(self, rng: Random) -> str:
        parts = [
            _cut(rng, _pick(rng, self.corpus.han), 8),
            rng.choice((phrase(rng), _pick(rng, self.corpus.words), self._even(rng, 3))),
            _cut(rng, _pick(rng, self.corpus.han), 8),
        ]
        rng.shuffle(parts)
        return rng.choice(("", " ", "")).join(parts[: rng.randint(2, 3)])


def _pick(rng: Random, lines: tuple[str, ...]) -> str:
    return rng.choice(lines) if lines else phrase(rng)


def _cut(rng: Random, text: str, longest: int) -> str:
    """Take a random stretch, short ones more often; lines begin anywhere in a paragraph."""
    length = min(len(text), max(1, int(longest * rng.random() ** 0.7) + 1))
    start = rng.randint(0, len(text) - length)
    return text[start : start + length].strip()


def _cut_words(rng: Random, text: str, longest: int) -> str:
    words = text.split()
    start = rng.randrange(len(words))
    limit = rng.randint(4, longest)
    taken = ""
    for word in words[start:]:
        if len(taken) + len(word) + 1 > limit:
            break
        taken = f"{taken} {word}".strip()
    return taken or words[start][:longest]


def _hyphenated(rng: Random, text: str) -> str:
    """End within the last word, as a justified line does."""
    last = text.rpartition(" ")[2]
    if len(last) < 5 or not last.isalpha():
        return text
    return text[: len(text) - rng.randint(2, len(last) - 2)] + "-"


def _punctuate(rng: Random, words: list[str]) -> str:
    marks = ("", "", "", "", ",", ".", ":", ";", "!", "?", "'s", ")", "/", "-", "&", "%")
    text = " ".join(word + rng.choice(marks) for word in words)
    if rng.random() < 0.15:
        text = rng.choice(('"{}"', "({})", "[{}]", "'{}'", "<{}>", "*{}*", "#{}")).format(text)
    return text
