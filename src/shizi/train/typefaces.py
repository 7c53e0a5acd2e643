"""The faces of the machine as style sheets name them, for pages a browser draws."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape

from shizi.train.fonts import HELD_OUT, FontFace, open_font


@dataclass(frozen=True, slots=True)
class Typeface:
    """One face in the words of a style sheet.

    Attributes:
        css: declarations that choose it.
        link: element that makes it known to a page; empty for installed faces.
        face: what it draws.
    """

    css: str
    link: str
    face: FontFace

    @property
    def chinese(self) -> bool:
        """Tell whether it draws common Chinese."""
        return self.face.chinese

    def covers(self, text: str) -> bool:
        """Tell whether every character has a glyph."""
        return self.face.covers(text)


def typefaces(faces: Iterable[FontFace], *, held_out: bool = False) -> list[Typeface]:
    """Name faces for style sheets: those to learn from, or those kept for measuring."""
    return [_fontsource(face) or _installed(face) for face in faces if face.held_out is held_out]


def _fontsource(face: FontFace) -> Typeface | None:
    package = Path(face.files[0][0]).parent.parent
    base, slant = face.name.removesuffix("-italic"), "normal"
    if base != face.name:
        slant = "italic"
    weight = base.rpartition("-")[2]
    sheet = package / (f"{weight}.css" if slant == "normal" else f"{weight}-{slant}.css")
    if not (package / "unicode.json").exists() or not sheet.exists():
        return None
    family = _family(sheet.read_text(encoding="utf-8"))
    css = f"font-family:'{family}';font-weight:{weight};font-style:{slant}"
    return Typeface(css, f'<link rel="stylesheet" href="{sheet.resolve().as_uri()}">', face)


def _family(sheet: str) -> str:
    """Read the family of a style sheet of one face."""
    return sheet.split("font-family:", 1)[1].split(";", 1)[0].strip().strip("'\"")


def _installed(face: FontFace) -> Typeface:
    file, index, _ = face.files[0]
    family, style = open_font(file, index, 16).getname()
    lower = (style or "").lower()
    weight = 700 if "bold" in lower else 400
    slant = "italic" if "italic" in lower or "oblique" in lower else "normal"
    return Typeface(f"font-family:'{family}';font-weight:{weight};font-style:{slant}", "", face)


def font_settings(folders: Iterable[str], cache: Path, *, held_out: bool = False) -> str:
    """Write settings for Fontconfig under which no program finds a face kept for measuring.

    With `held_out` it may find those as well.

    A browser falls back to any installed face when the one named is missing; this closes that
    way. A program takes the settings from the file that `FONTCONFIG_FILE` names.
    """
    hidden = () if held_out else HELD_OUT
    globs = "".join(f"<glob>*{escape(name)}*</glob>" for name in hidden)
    directories = "".join(f"<dir>{escape(folder)}</dir>" for folder in folders)
    return (
        '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>'
        f"{directories}<cachedir>{escape(str(cache))}</cachedir>"
        f"<selectfont><rejectfont>{globs}</rejectfont></selectfont>"
        '<include ignore_missing="yes">/etc/fonts/conf.d</include></fontconfig>'
    )
