"""What a request says, turned into options; knows nothing of HTTP's own machinery."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from shizi.core.choices import (
    parse_decoder,
    parse_effort,
    parse_flag,
    parse_steps,
    parse_whole,
    parse_words,
)
from shizi.core.errors import OptionError
from shizi.core.options import ReadOptions

# Names a picture may be sent under: ours first, then what clients of other servers send.
UPLOAD_FIELDS = ("image", "file", "image_file")

_Apply = Callable[[ReadOptions, str], ReadOptions]


def _with_dpi(options: ReadOptions, text: str) -> ReadOptions:
    dpi = parse_whole("dpi", text, 36, 1_200)
    return replace(options, decode=replace(options.decode, pdf_dpi=dpi))


def _with_password(options: ReadOptions, text: str) -> ReadOptions:
    return replace(options, decode=replace(options.decode, password=text))


def _with_steps(options: ReadOptions, text: str) -> ReadOptions:
    return replace(options, steps=parse_steps(text))


def _with_chars(options: ReadOptions, text: str) -> ReadOptions:
    return replace(options, characters=parse_flag("chars", text))


def _with_effort(options: ReadOptions, text: str) -> ReadOptions:
    return replace(options, effort=parse_effort(text))


def _with_decoder(options: ReadOptions, text: str) -> ReadOptions:
    return replace(options, decoder=parse_decoder(text))


def _with_words(options: ReadOptions, text: str) -> ReadOptions:
    return replace(options, words=parse_words(text))


_CHOICES: Mapping[str, _Apply] = {
    "dpi": _with_dpi,
    "password": _with_password,
    "steps": _with_steps,
    "chars": _with_chars,
    "effort": _with_effort,
    "decoder": _with_decoder,
    "words": _with_words,
}


def fields_to_options(fields: Mapping[str, str], defaults: ReadOptions) -> ReadOptions:
    """Apply a request's form fields to the options of the service.

    Args:
        fields: by name: `dpi` (36 to 1200), `password`, `steps` ("auto", "none" or names with
            commas), `chars` (true or false), `effort` (fast, balanced or accurate),
            `decoder` (beam or greedy), `words` (one a line).
        defaults: hold where a field is missing.

    Raises:
        OptionError: a field is unknown or its value is impossible; none is ever ignored.
    """
    options = defaults
    for name, text in fields.items():
        apply = _CHOICES.get(name)
        if apply is None:
            raise OptionError.unknown(name, _CHOICES)
        options = apply(options, text)
    return options
