"""The symbols a recognizer can write, and their class numbers.

Class 0 is the CTC blank; class k is the k-th symbol. A charset file holds one symbol a line in
class order, UTF-8, the first of which may be a space.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

from shizi.core.errors import IncompatibleModel

BLANK = 0

# What people write one way and fonts or keyboards another: folded before encoding, so that the
# network is not asked to tell apart what cannot be seen.
_FOLD = str.maketrans(
    {
        "\u00a0": " ",
        "\u2002": " ",
        "\u2003": " ",
        "\u2009": " ",
        "\u3000": " ",
        "\u200b": None,
        "\ufeff": None,
        "\u00ad": None,
        "\u2010": "-",
        "\u2011": "-",
        "\u2212": "-",
        "\u2015": "—",
        "\u2500": "—",
        "\u00b4": "'",
        "\u2032": "'",
        "\u30fb": "·",
        "\u2022": "·",
        "\u2027": "·",
        "\u301c": "～",
        "\uff65": "·",
        "\u2236": ":",
        "\uff0e": ".",
        "\uffe5": "¥",
        "\uff04": "$",
        "\u22ef": "…",
    }
)


@dataclass(frozen=True, slots=True)
class Charset:
    """An ordered set of symbols.

    Attributes:
        symbols: one character each, no two the same; `symbols[k - 1]` is class k.
    """

    symbols: tuple[str, ...]
    _ids: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Refuse what cannot be a charset."""
        ids = {symbol: k for k, symbol in enumerate(self.symbols, start=1)}
        if len(ids) != len(self.symbols):
            raise IncompatibleModel("the charset names a symbol twice")
        if any(len(symbol) != 1 for symbol in self.symbols):
            raise IncompatibleModel("every line of a charset holds exactly one character")
        object.__setattr__(self, "_ids", ids)

    def __len__(self) -> int:
        """Count the classes, the blank included."""
        return len(self.symbols) + 1

    def __contains__(self, symbol: str) -> bool:
        """Tell whether a symbol can be written."""
        return symbol in self._ids

    def encode(self, text: str) -> list[int]:
        """Give the class of every character of a folded text.

        Raises:
            KeyError: a character is not in the set; `covers` tells beforehand.
        """
        return [self._ids[symbol] for symbol in text]

    def covers(self, text: str) -> bool:
        """Tell whether every character of a folded text can be written."""
        return all(symbol in self._ids for symbol in text)

    def symbol(self, class_id: int) -> str:
        """Give the symbol of a class in 1..len-1."""
        return self.symbols[class_id - 1]

    @property
    def sha256(self) -> str:
        """Digest of the charset file's bytes."""
        return hashlib.sha256(self.to_text().encode()).hexdigest()

    def to_text(self) -> str:
        """Give the charset file's content."""
        return "".join(f"{symbol}\n" for symbol in self.symbols)

    @classmethod
    def from_text(cls, content: str) -> Self:
        """Read a charset file's content."""
        return cls(tuple(content.removesuffix("\n").split("\n")))


def fold(text: str) -> str:
    """Replace look-alike code points by the one the charset holds and join runs of spaces."""
    return " ".join(text.translate(_FOLD).split())


_PUNCTUATION = (
    " !\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~–"
    "，。、；：？！…—～·“”‘’（）《》〈〉【】〔〕「」『』﹏％＃＆＊＋－／＜＝＞＠［］＿｛｜｝"
    "¥$€£¢₩฿₽₹§¶©®™°′″℃℉‰№×÷±≤≥≠≈∞√∑∫∂∆π∈∩∪∥∠⊥→←↑↓⇒↔■□▲△▼▽◆◇○●◎★☆♦✓✔✗✕☑☐"
    "①②③④⑤⑥⑦⑧⑨⑩⑪⑫⑬⑭⑮⑯⑰⑱⑲⑳❶❷❸❹❺❻❼❽❾❿ⅠⅡⅢⅣⅤⅥⅦⅧⅨⅩⅪⅫ⑴⑵⑶⑷⑸⑹⑺⑻⑼⑽"
    "㎡㎥㎏㎎㎜㎝㎞㏄㎖ℓΩμµαβγδεζηθλρστφχψωΔΦΨΣΓΘΛ²³¹⁰⁴⁵⁶⁷⁸⁹₀₁₂₃₄₅₆₇₈₉½¼¾⅓⅔"
    "àáâãäåæçèéêëìíîïñòóôõöøùúûüýÿšžœßÀÁÂÃÄÅÆÇÈÉÊËÌÍÎÏÑÒÓÔÕÖØÙÚÛÜÝŠŽŒ"
    "āēīōūǎěǐǒǔǖǘǚǜ〇々〆〒※㈱〃«»〖〗の"
)
# Forms that books of both scripts use and neither standard level holds.
_VARIANTS = "爲裏衆羣峯牀啓鷄敎疎鈎廻粧栢竈闇淩隣顔髪黒徳頼驊鄲棊幷竝"
_ALPHANUMERIC = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"


def _double_byte(codec: str, leads: Iterable[int], trails: Iterable[int]) -> list[str]:
    """List the characters of a block of a double-byte code page, in code order."""
    trail_bytes = list(trails)
    found = []
    for lead in leads:
        for trail in trail_bytes:
            try:
                found.append(bytes((lead, trail)).decode(codec))
            except UnicodeDecodeError:
                continue
    return found


def standard_charset(ideographs: Iterable[str] = ()) -> Charset:
    """Build the charset from public standards and the ideographs given.

    GB 2312 (6,763 characters), the first level of Big5 (5,401 frequent traditional characters),
    ASCII, full-width punctuation, units, currency and circled digits, plus `ideographs` (the
    8,105 characters of the 2013 General Standard Chinese Characters table, as a training run
    passes them). The order is fixed: symbols first, then ideographs by code point.
    """
    han = set(_double_byte("gb2312", range(0xB0, 0xF8), range(0xA1, 0xFF)))
    han.update(_double_byte("big5", range(0xA4, 0xC7), [*range(0x40, 0x7F), *range(0xA1, 0xFF)]))
    han.update(_VARIANTS)
    han.update(ideographs)
    symbols = dict.fromkeys(_ALPHANUMERIC + _PUNCTUATION)
    folded = {symbol for symbol in symbols if fold(f"a{symbol}a") == f"a{symbol}a"}
    head = [s for s in symbols if s in folded]
    tail = sorted(c for c in han - set(symbols) if "\u3400" <= c <= "\U0003ffff")
    return Charset((*head, *tail))
