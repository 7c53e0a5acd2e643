"""The options a request may choose, in one table; knows nothing of HTTP's own machinery.

The table gives the form fields and query parameters, the `options` of a JSON body, what
`GET /v1/options` lists, and the descriptions in `/openapi.json`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from shizi.core.choices import (
    parse_decoder,
    parse_effort,
    parse_flag,
    parse_lane,
    parse_pages,
    parse_pdf_text,
    parse_seconds,
    parse_steps,
    parse_whole,
    parse_words,
)
from shizi.core.config import ServerSettings, Settings
from shizi.core.errors import OptionError
from shizi.core.options import Decoder, Effort, Lane, PdfText, ReadOptions
from shizi.formats import FORMATS, Json

# Names a picture may be sent under: ours first, then what clients of other servers send.
UPLOAD_FIELDS = ("image", "file", "image_file")
#: Format of answers that are no files.
AS_JSON = "json"
#: Of results; the pages themselves cannot be shown.
RESULT_FORMATS = tuple(name for name, form in FORMATS.items() if not form.shows_pages)

_MAX_PAGE = 999_999
_MAX_PAGES_TEXT = 1_000
_PAGE = "[1-9][0-9]{0,5}"
_PAGES = f"^{_PAGE}(-({_PAGE})?)?( *, *{_PAGE}(-({_PAGE})?)?)*$"
_MAX_WORDS = 10_000
_LEAST_S = 0.1
_COORDS = ("pixel", "relative")


@dataclass(frozen=True, slots=True)
class Call:
    """What a request asks for, pictures apart.

    Attributes:
        options: of the reader.
        pages: (first, last) of the pages to read, in order; None for last is the end.
        relative: whether boxes are parts of the page instead of pixels.
        form: name of the format to answer in; None for the form of the address.
    """

    options: ReadOptions
    pages: tuple[tuple[int, int | None], ...] = ((1, None),)
    relative: bool = False
    form: str | None = None


@dataclass(frozen=True, slots=True)
class Option:
    """One thing a request may choose.

    Attributes:
        name: of the field, the parameter and the key in JSON.
        doc: what it does, in a sentence.
        schema: JSON Schema of its value in a JSON body.
        apply: gives the call with the value, told as text, set.
        default: the value of a call that does not choose.
        answers: whether it changes the form of the answer alone; only addresses that answer in
            several forms take it.
    """

    name: str
    doc: str
    schema: Json
    apply: Callable[[Call, str], Call]
    default: Callable[[Call], object]
    answers: bool = False


def make_options(server: ServerSettings) -> dict[str, Option]:
    """List the options by name, within the bounds of the settings."""
    table = (*_document_options(), *_reading_options(), *_service_options(server))
    return {option.name: option for option in table}


def plain_options(options: Mapping[str, Option]) -> dict[str, Option]:
    """Give the options that every address takes."""
    return {name: option for name, option in options.items() if not option.answers}


def parse_format(text: str) -> str:
    """Read the name of a format that a service can write.

    Raises:
        OptionError: there is none of this name, or it shows pages, which the service has not.
    """
    if text in FORMATS and FORMATS[text].shows_pages:
        raise OptionError(
            f"format {text} shows the pages themselves, which the service does not keep; "
            "ask for json and give it to `shizi convert` with the file that was read"
        )
    if text not in RESULT_FORMATS:
        raise OptionError.unknown(text[:100], RESULT_FORMATS, "format")
    return text


def default_call(settings: Settings) -> Call:
    """Give the call of a request that chooses nothing.

    Raises:
        ConfigError: the file of words cannot be read.
    """
    timeout_s = min(settings.server.request_timeout_s, settings.server.max_request_timeout_s)
    return Call(replace(settings.read_options(), timeout_s=timeout_s))


def choose(fields: Mapping[str, str], options: Mapping[str, Option], default: Call) -> Call:
    """Apply what a request chooses.

    Args:
        fields: texts by name, as forms and queries have them.
        options: the table.
        default: holds where a field is missing.

    Raises:
        OptionError: a field is unknown or its value is impossible; none is ever ignored.
    """
    call = default
    for name, text in fields.items():
        if name not in options:
            raise OptionError.unknown(name, options)
        call = options[name].apply(call, text)
    return call


def json_to_fields(given: Mapping[str, object], options: Mapping[str, Option]) -> dict[str, str]:
    """Turn values of JSON into the texts a form would have.

    Raises:
        OptionError: an option is unknown or its value of another type.
    """
    fields = {}
    for name, value in given.items():
        if name not in options:
            raise OptionError.unknown(name, options)
        fields[name] = _json_to_text(options[name], value)
    return fields


def _json_to_text(option: Option, value: object) -> str:
    kinds = option.schema["type"]
    allowed: list[str] = kinds if isinstance(kinds, list) else [str(kinds)]
    found, text = _kind_and_text(value, "\n" if option.name == "words" else ",")
    if found not in allowed and not (found == "integer" and "number" in allowed):
        raise OptionError(f"{option.name} is of the wrong type; it is {' or '.join(allowed)}")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise OptionError(f"{option.name} holds half a character")
    return text


def _kind_and_text(value: object, separator: str) -> tuple[str, str]:
    """Give the type of a value in JSON Schema and the text a form would have for it."""
    if isinstance(value, bool):
        return "boolean", str(value).lower()
    if isinstance(value, float) and not value.is_integer():
        return "number", repr(value)
    if isinstance(value, int | float):
        return "integer", str(int(value))
    if isinstance(value, str):
        return "string", value
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "array", separator.join(map(str, value))
    return "", ""


def _document_options() -> tuple[Option, ...]:
    return (
        Option(
            "dpi",
            "resolution the pages of a PDF are drawn at, dots per inch",
            {"type": "integer", "minimum": 36, "maximum": 1200},
            _with_dpi,
            lambda call: call.options.decode.pdf_dpi,
        ),
        Option(
            "pdf_text",
            "auto: text that a PDF holds is taken where it can be read, the rest is read; "
            "never: every page is read as a picture; always: the text is taken as it is",
            {"type": "string", "enum": [str(word) for word in PdfText]},
            _with_pdf_text,
            lambda call: str(call.options.decode.pdf_text),
        ),
        Option(
            "password",
            "of an encrypted PDF",
            {"type": "string"},
            _with_password,
            lambda _: None,
        ),
        Option(
            "pages",
            "pages to read, counted from 1, such as 1,3-5,9-",
            {"type": "string", "pattern": _PAGES, "maxLength": _MAX_PAGES_TEXT},
            _with_pages,
            lambda _: None,
        ),
    )


def _reading_options() -> tuple[Option, ...]:
    return (
        Option(
            "steps",
            "auto, none, or names of preparation steps in their order",
            {"type": ["string", "array"], "items": {"type": "string"}},
            _with_steps,
            lambda call: "auto" if call.options.steps is None else list(call.options.steps),
        ),
        Option(
            "effort",
            "fast: the small model alone; balanced: a larger one reads doubtful lines again; "
            "accurate: the larger one alone",
            {"type": "string", "enum": [str(word) for word in Effort]},
            _with_effort,
            lambda call: str(call.options.effort),
        ),
        Option(
            "decoder",
            "beam: what language expects is weighed with what was seen; greedy: it is not",
            {"type": "string", "enum": [str(word) for word in Decoder]},
            _with_decoder,
            lambda call: str(call.options.decoder),
        ),
        Option(
            "words",
            "names, codes and terms that are likely to occur, one a line",
            {"type": ["string", "array"], "items": {"type": "string"}, "maxItems": _MAX_WORDS},
            _with_words,
            lambda _: None,
        ),
    )


def _service_options(server: ServerSettings) -> tuple[Option, ...]:
    most_s = server.max_request_timeout_s

    def with_timeout(call: Call, text: str) -> Call:
        seconds = parse_seconds("timeout", text, _LEAST_S, most_s)
        return replace(call, options=replace(call.options, timeout_s=seconds))

    return (
        Option(
            "chars",
            "whether each line lists its characters with confidence and box",
            {"type": "boolean"},
            _with_chars,
            lambda call: call.options.characters,
        ),
        Option(
            "coords",
            "pixel: boxes in pixels of the page; relative: in parts of its width and height",
            {"type": "string", "enum": list(_COORDS)},
            _with_coords,
            lambda call: _COORDS[call.relative],
        ),
        Option(
            "format",
            "json: the answer of the address; another one: a file of that format",
            {"type": "string", "enum": list(RESULT_FORMATS)},
            _with_format,
            lambda call: call.form or AS_JSON,
            answers=True,
        ),
        Option(
            "timeout",
            "seconds after which the request is given up",
            {"type": "number", "minimum": _LEAST_S, "maximum": most_s},
            with_timeout,
            lambda call: call.options.timeout_s,
        ),
        Option(
            "priority",
            "interactive: somebody waits for the answer; bulk: it may wait for those who do",
            {"type": "string", "enum": [str(word) for word in Lane]},
            _with_priority,
            lambda call: str(call.options.lane),
        ),
    )


def _with_dpi(call: Call, text: str) -> Call:
    decode = replace(call.options.decode, pdf_dpi=parse_whole("dpi", text, 36, 1_200))
    return replace(call, options=replace(call.options, decode=decode))


def _with_pdf_text(call: Call, text: str) -> Call:
    decode = replace(call.options.decode, pdf_text=parse_pdf_text(text))
    return replace(call, options=replace(call.options, decode=decode))


def _with_password(call: Call, text: str) -> Call:
    decode = replace(call.options.decode, password=text)
    return replace(call, options=replace(call.options, decode=decode))


def _with_pages(call: Call, text: str) -> Call:
    if len(text) > _MAX_PAGES_TEXT:
        raise OptionError(f"pages has more than {_MAX_PAGES_TEXT:,} characters; name fewer ranges")
    pages = parse_pages(text)
    if any(first > _MAX_PAGE or (last or 1) > _MAX_PAGE for first, last in pages):
        raise OptionError(f"pages goes past {_MAX_PAGE:,}")
    return replace(call, pages=tuple(pages))


def _with_steps(call: Call, text: str) -> Call:
    return replace(call, options=replace(call.options, steps=parse_steps(text)))


def _with_chars(call: Call, text: str) -> Call:
    return replace(call, options=replace(call.options, characters=parse_flag("chars", text)))


def _with_effort(call: Call, text: str) -> Call:
    return replace(call, options=replace(call.options, effort=parse_effort(text)))


def _with_decoder(call: Call, text: str) -> Call:
    return replace(call, options=replace(call.options, decoder=parse_decoder(text)))


def _with_words(call: Call, text: str) -> Call:
    words = parse_words(text)
    if len(words) > _MAX_WORDS:
        raise OptionError(f"words has {len(words):,} entries; it may have {_MAX_WORDS:,}")
    return replace(call, options=replace(call.options, words=words))


def _with_coords(call: Call, text: str) -> Call:
    if text not in _COORDS:
        raise OptionError(f"coords is {text!r}; it is one of {', '.join(_COORDS)}")
    return replace(call, relative=text == "relative")


def _with_format(call: Call, text: str) -> Call:
    return replace(call, form=parse_format(text))


def _with_priority(call: Call, text: str) -> Call:
    return replace(call, options=replace(call.options, lane=parse_lane(text)))
