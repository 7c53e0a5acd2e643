"""Takes and answers what the HTTP interface of Umi-OCR does, at the same address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from shizi.core.errors import OptionError, RequestError
from shizi.core.types import TextLine
from shizi.formats import Json, box_to_list
from shizi.server.reading import Answer
from shizi.server.schema import Option, json_to_fields
from shizi.server.shapes import Failure, Shape
from shizi.server.uploads import Submission, try_base64

_OK, _NO_TEXT, _FAILED, _BAD_PICTURE = 100, 101, 900, 301
_INPUT_CODES = ("bad_input", "unsupported", "too_large", "corrupt", "encrypted_pdf")
_PARSERS = (
    ("multi_para", "按阅读顺序，每行换行"),
    ("multi_line", "按阅读顺序，每行换行"),
    ("multi_none", "按阅读顺序，不换行"),
    ("single_para", "按阅读顺序，每行换行"),
    ("single_line", "按阅读顺序，每行换行"),
    ("single_none", "按阅读顺序，不换行"),
    ("single_code", "按阅读顺序，每行换行"),
    ("none", "按阅读顺序，每行换行"),
)
_FORMATS = (("dict", "含有位置等信息的原始字典"), ("text", "纯文本"))
# Read alike whatever they say: taken so that clients need no change.
_WITHOUT_EFFECT = ("ocr.language", "ocr.cls", "ocr.angle", "ocr.limit_side_len", "ocr.maxSideLen")

Area = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class UmiChoice:
    """What a client of Umi-OCR asks for.

    Attributes:
        as_text: the data is one text instead of a list of lines.
        joined: lines follow each other without line feeds.
        ignored: lines wholly within one of these (left, top, right, bottom) are left out.
    """

    as_text: bool = False
    joined: bool = False
    ignored: tuple[Area, ...] = ()


def umi_submission(
    content: Mapping[str, Any], options: Mapping[str, Option]
) -> tuple[Submission, UmiChoice]:
    """Find the picture and the options of a request for Umi-OCR.

    Raises:
        OptionError: an option is neither Umi-OCR's nor ours, or has an impossible value.
        RequestError: the options are no object.
    """
    if unknown := [key for key in content if key not in ("base64", "options")]:
        raise OptionError.unknown(unknown[0][:100], ("base64", "options"), "key of the JSON body")
    given = content.get("options") or {}
    if not isinstance(given, dict):
        raise RequestError("`options` is no object")
    ours = {name: value for name, value in given.items() if name in options}
    theirs = {name: value for name, value in given.items() if name not in options}
    choice = _choose(theirs, options)
    return Submission((try_base64(content["base64"]),), json_to_fields(ours, options)), choice


def _choose(given: Mapping[str, Any], options: Mapping[str, Option]) -> UmiChoice:
    known = {"data.format", "tbpu.parser", "tbpu.ignoreArea", *_WITHOUT_EFFECT}
    for name in given:
        if name not in known:
            raise OptionError.unknown(name[:100], (*known, *options))
    form = _one_of("data.format", given.get("data.format", "dict"), _FORMATS)
    parser = _one_of("tbpu.parser", given.get("tbpu.parser", "multi_para"), _PARSERS)
    return UmiChoice(
        as_text=form == "text",
        joined=parser.endswith("_none"),
        ignored=_areas(given.get("tbpu.ignoreArea", [])),
    )


def _one_of(name: str, value: object, choices: Sequence[tuple[str, str]]) -> str:
    words = [word for word, _ in choices]
    if not isinstance(value, str) or value not in words:
        raise OptionError(f"{name} is one of {', '.join(words)}")
    return value


def _areas(value: object) -> tuple[Area, ...]:
    try:
        areas = [(float(a), float(b), float(c), float(d)) for (a, b), (c, d) in value]  # type: ignore[attr-defined]
    except (TypeError, ValueError, OverflowError):
        raise OptionError("tbpu.ignoreArea is a list of [[left, top], [right, bottom]]") from None
    return tuple(areas)


def umi_shape(choice: UmiChoice) -> Shape:
    """Give the shape of an answer for what a client asks for."""
    return Shape(lambda answer: _answer(answer, choice), _failure, one=True)


def _answer(answer: Answer, choice: UmiChoice) -> Json:
    lines = [line for page in answer.pages() for line in page if not _is_ignored(line, choice)]
    ends = _ends(lines, joined=choice.joined)
    data: object = [
        {
            "text": line.text,
            "score": round(line.confidence, 4),
            "box": box_to_list(line.box),
            "end": end,
        }
        for line, end in zip(lines, ends, strict=True)
    ]
    if choice.as_text:
        data = "".join(line.text + end for line, end in zip(lines, ends, strict=True))
    return {
        "code": _OK if lines else _NO_TEXT,
        "data": data if lines else "No text found in the picture.",
        "score": round(sum(line.confidence for line in lines) / max(len(lines), 1), 4),
        "time": round(answer.total_time_s, 4),
        "timestamp": answer.started_at_s,
        "text": [line.text for line in lines],
        "request_id": answer.request_id,
    }


def _is_ignored(line: TextLine, choice: UmiChoice) -> bool:
    left, top, right, bottom = line.box.bounds
    return any(
        a <= left and b <= top and right <= c and bottom <= d for a, b, c, d in choice.ignored
    )


def _ends(lines: Sequence[TextLine], *, joined: bool) -> list[str]:
    """Give what stands between a line and the next: nothing between Chinese that is joined."""
    if not joined:
        return ["\n"] * len(lines)
    ends = [
        " " if here.text[-1:].isascii() and there.text[:1].isascii() else ""
        for here, there in pairwise(lines)
    ]
    return [*ends, "\n"] if lines else []


def _failure(failure: Failure) -> tuple[Json, int]:
    """Tell a failure as Umi-OCR does: in the body, under the status of a success."""
    code = _BAD_PICTURE if failure.code in _INPUT_CODES else _FAILED
    return {
        "code": code,
        "data": failure.detail,
        "error": {"code": failure.code, "message": failure.detail, "advice": failure.advice},
        "request_id": failure.request_id,
    }, 200


def umi_options() -> Json:
    """Describe the options as `GET /api/ocr/get_options` of Umi-OCR does."""
    return {
        "ocr.language": {
            "title": "语言/模型库",
            "optionsList": [["models/config_chinese.txt", "简体中文、繁體中文、English"]],
            "type": "enum",
            "default": "models/config_chinese.txt",
        },
        "tbpu.parser": {
            "title": "排版解析方案",
            "optionsList": [list(choice) for choice in _PARSERS],
            "type": "enum",
            "default": "multi_para",
        },
        "tbpu.ignoreArea": {
            "title": "忽略区域",
            "toolTip": "数组，每一项为[[左上角x,y],[右下角x,y]]。",
            "default": [],
            "type": "var",
        },
        "data.format": {
            "title": "数据返回格式",
            "optionsList": [list(choice) for choice in _FORMATS],
            "type": "enum",
            "default": "dict",
        },
    }


UMI = umi_shape(UmiChoice())
"""Of a client that chooses nothing, or whose request cannot be understood."""
