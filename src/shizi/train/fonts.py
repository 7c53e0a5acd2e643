"""The fonts lines are rendered with: found on the machine, kept apart by role and style.

Two forms are read: ordinary font files, and the packages of Fontsource, which cut a Chinese font
into about a hundred WOFF2 slices by Unicode range. A slice is opened when one of its characters
is first drawn, faster where `scripts/unpack_fonts.py` has put a plain file beside it.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fontTools.ttLib import TTCollection, TTFont
from PIL import ImageFont

# Families whose shapes are for measuring: never seen in training, matched against file paths.
HELD_OUT = (
    "wqy-microhei",
    "TW-Kai",
    "cwfs",
    "zcool-xiaowei",
    "long-cang",
    "Lato-",
    "Caladea",
    "Hack-",
    "dkg",
    "homemade-apple",
    "reenie-beanie",
    "covered-by-your-grace",
    "nothing-you-could-do",
    "la-belle-aurore",
    "cedarville-cursive",
)
# Wrong for text: icons, other scripts, display forms nobody prints documents in.
_UNUSABLE = re.compile(
    r"math|symbol|dingbat|emoji|D050000L|Z003|unifont_upper|unifont_csur|unifont_jp|music|"
    r"Standard ?Symbols|FreeSerif|Black|Thin|Hairline|ExtraLight|opensymbol",
    re.IGNORECASE,
)
# Open-ended script collections hold hundreds of non-Latin files; only these are wanted of them.
_NOTO_WANTED = re.compile(r"Noto(Sans|Serif|SansMono|SansDisplay)-(Regular|Bold|Italic)\.ttf$")
# Of Fontsource's packages, in the words of style sheets.
WEIGHTS = ("400", "700")
_STYLES = (
    (
        "hand",
        r"hand|breip|bwht|sjfonts|dancing|ma-shan|zhi-mang|liu-jian|long-cang|seto|yusei"
        r"|delphine|steve|strokey|Klee|yuji-boku|yomogi|kurenaido|caveat|kalam|indie-flower"
        r"|shadows|comic|marker",
    ),
    ("dot", r"dotgothic|unifont|3270|ocr|terminus|typewriter|vt323|special-elite"),
    (
        "mono",
        r"mono|Cour|Nimbus ?Mono|cursor|hack|inconsolata|firacode|jetbrains|cousine"
        r"|anonymous|share-tech",
    ),
    (
        "serif",
        r"serif|song|sung|ming|kai|times|roman|termes|pagella|schola|bonum|caladea|bsmi"
        r"|gbsn|gkai|bkai|C059|P052|Bookman|cwfs|cactus|xiaowei|mincho|yuji|antique|tegomin"
        r"|crimson|garamond|baskerville|caslon|alegreya|spectral|lora|merriweather|bitter|gelasio"
        r"|old-standard|cardo|vollkorn|slab",
    ),
    (
        "display",
        r"kuaile|huangyou|smiley|lubrifont|cwyen|chocolate|babelstone|potta"
        r"|stick|reggae|rocknroll|dela-",
    ),
)


@dataclass(frozen=True, slots=True)
class FontFace:
    """One face that can draw text.

    Attributes:
        name: short and unique on this machine.
        style: hand, dot, mono, serif, display or sans.
        held_out: whether it is for measuring only.
        files: (file, index in a collection, code points) of each slice; one for ordinary fonts.
        coverage: every code point it draws.
    """

    name: str
    style: str
    held_out: bool
    files: tuple[tuple[str, int, frozenset[int]], ...]
    coverage: frozenset[int]

    @property
    def chinese(self) -> bool:
        """Tell whether it draws common Chinese."""
        return all(ord(c) in self.coverage for c in "的一是不了人我在有他")

    def covers(self, text: str) -> bool:
        """Tell whether every character has a glyph."""
        return self.coverage.issuperset(map(ord, text))

    def runs(self, text: str) -> Iterator[tuple[str, str, int]]:
        """Split a covered text into (run, file, index) drawn by one file each."""
        run, current = "", self.files[0]
        for char in text:
            code = ord(char)
            owner = current if code in current[2] else self._owner(code)
            if owner is not current and run:
                yield run, current[0], current[1]
                run = ""
            current = owner
            run += char
        if run:
            yield run, current[0], current[1]

    def _owner(self, code: int) -> tuple[str, int, frozenset[int]]:
        for slice_ in self.files:
            if code in slice_[2]:
                return slice_
        return self.files[0]


@functools.lru_cache(maxsize=4000)
def open_font(file: str, index: int, size_px: int) -> ImageFont.FreeTypeFont:
    """Open a face at a size, keeping the most used open."""
    return ImageFont.truetype(file, size_px, index=index, layout_engine=ImageFont.Layout.BASIC)


def find_fonts(folders: tuple[Path, ...], cache: Path | None = None) -> list[FontFace]:
    """Catalogue the usable faces under some folders, in a stable order.

    Args:
        folders: searched recursively; those that do not exist are skipped.
        cache: JSON file of code points by font file, read and completed; reading the character
            maps of a thousand files takes a minute.
    """
    known = json.loads(cache.read_text()) if cache and cache.exists() else {}
    before = len(known)
    faces = [face for folder in folders for face in _folder_faces(folder, known)]
    if cache and len(known) != before:
        cache.parent.mkdir(parents=True, exist_ok=True)
        cache.write_text(json.dumps(known))
    unique = {face.name: face for face in faces if len(face.coverage) >= 60}
    return [unique[name] for name in sorted(unique)]


def _folder_faces(folder: Path, known: dict[str, list[int]]) -> Iterator[FontFace]:
    if not folder.is_dir():
        return
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() in {".ttf", ".otf", ".ttc"} and _usable(path):
            for index in _indices(path):
                codes = frozenset(_codes(path, index, known))
                name = path.stem if index == 0 else f"{path.stem}#{index}"
                yield _face(name, str(path), ((str(path), index, codes),))
        elif path.name == "unicode.json" and (path.parent / "files").is_dir():
            yield from _fontsource_faces(path.parent, known)


def _usable(path: Path) -> bool:
    if "noto" in path.parts and "truetype" in path.parts:
        return bool(_NOTO_WANTED.search(path.name))
    return not _UNUSABLE.search(path.name)


def _indices(path: Path) -> range:
    """Faces of a collection worth using; Noto's first five differ only in regional forms."""
    if path.suffix.lower() != ".ttc":
        return range(1)
    if path.name.startswith("Noto"):
        return range(0, 4)
    return range(1)


def _fontsource_faces(package: Path, known: dict[str, list[int]]) -> Iterator[FontFace]:
    name = json.loads((package / "package.json").read_text())["name"].split("/")[-1]
    weights: dict[str, list[tuple[str, int, frozenset[int]]]] = {}
    for path in sorted((package / "files").glob(f"{name}-*.woff2")):
        weight, slant = path.stem.split("-")[-2:]
        if weight in WEIGHTS:
            face = weight if slant == "normal" else f"{weight}-{slant}"
            plain = path.with_suffix(".sfnt")
            # Faster to ask what it draws, too: of WOFF2 all outlines have to be rebuilt for that.
            file = plain if plain.exists() else path
            codes = frozenset(_codes(file, 0, known))
            weights.setdefault(face, []).append((str(file), 0, codes))
    # `scripts/fetch_fonts` puts what looks like handwriting into a folder that says so.
    told = f"{name} handwriting" if package.parent.name == "handwriting" else name
    for weight, slices in weights.items():
        yield _face(f"{name}-{weight}", told, tuple(slices))


def _face(name: str, path: str, files: tuple[tuple[str, int, frozenset[int]], ...]) -> FontFace:
    coverage = frozenset().union(*(codes for _, _, codes in files))
    label = f"{Path(path).name} {name}"
    style = next((s for s, p in _STYLES if re.search(p, label, re.IGNORECASE)), "sans")
    return FontFace(name, style, any(h in label for h in HELD_OUT), files, coverage)


def _codes(path: Path, index: int, known: dict[str, list[int]]) -> list[int]:
    key = f"{path}#{index}"
    if key not in known:
        known[key] = _read_codes(path, index)
    return known[key]


def _read_codes(path: Path, index: int) -> list[int]:
    """Read a character map, keeping only code points that have an outline or are white space."""
    if path.suffix.lower() == ".ttc":
        with TTCollection(str(path), lazy=True) as collection:
            return _inked_codes(collection.fonts[index])
    with TTFont(str(path), lazy=True) as font:
        return _inked_codes(font)


def _inked_codes(font: TTFont) -> list[int]:
    best = font.getBestCmap() or {}
    if "loca" not in font:
        return sorted(best)
    # Some fonts map characters to an empty glyph: training on blank pictures teaches nonsense.
    # The offsets alone tell, without parsing a single outline.
    offsets = font["loca"].locations
    inked = {
        glyph
        for k, glyph in enumerate(font.getGlyphOrder())
        if k + 1 < len(offsets) and offsets[k + 1] > offsets[k]
    }
    return sorted(c for c, glyph in best.items() if c == 32 or glyph in inked)
