"""Takes and answers what Baidu's general text recognition does, errors in the body included."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from shizi.core.choices import parse_flag
from shizi.core.errors import MissingUpload, OptionError
from shizi.core.options import Effort
from shizi.core.types import Quad, TextLine
from shizi.formats import Json
from shizi.server.bodies import Body
from shizi.server.reading import Answer
from shizi.server.schema import Call
from shizi.server.shapes import Failure, Shape
from shizi.server.uploads import Picture, Submission, form_base64, try_base64

BAIDU_PREFIX = "/rest/2.0/ocr/v1/"
TOKEN_PARAMETER = "access_token"  # noqa: S105 - the name of a parameter
BAIDU_KINDS = ("general_basic", "general", "accurate_basic", "accurate")
_PICTURES = ("image", "pdf_file")
# Read alike whatever they say, or sent by Baidu's own packages: taken so that clients need no
# change.
_WITHOUT_EFFECT = (
    "language_type",
    "detect_language",
    "eng_granularity",
    "multidirectional_recognize",
    "ofd_file_num",
    "aipSdk",
    "aipVersion",
    "aipDevid",
    "charset",
    "url",
    TOKEN_PARAMETER,
)
BAIDU_FLAGS = ("detect_direction", "paragraph", "probability", "vertexes_location")
_ERROR_CODES: Mapping[str, tuple[int, str]] = {
    "unauthorized": (110, "Access token invalid or no longer valid"),
    "not_found": (3, "Unsupported openapi method"),
    "method_not_allowed": (3, "Unsupported openapi method"),
    "busy": (18, "Open api qps request limit reached"),
    "rate_limited": (18, "Open api qps request limit reached"),
    "bad_option": (216100, "invalid param"),
    "bad_request": (216100, "invalid param"),
    "unsupported_body": (216100, "invalid param"),
    "missing_image": (216101, "not enough param"),
    "bad_input": (216200, "empty image"),
    "unsupported": (216201, "image format error"),
    "corrupt": (216201, "image format error"),
    "encrypted_pdf": (216201, "image format error"),
    "too_large": (216202, "image size error"),
    "deadline": (216630, "recognize error"),
}
_INTERNAL = (282000, "internal error")


@dataclass(frozen=True, slots=True)
class BaiduChoice:
    """What a client of Baidu asks for.

    Attributes:
        places: each line has its location.
        flags: names of what was turned on.
        small: each line lists its characters.
    """

    places: bool
    flags: frozenset[str] = frozenset()
    small: bool = False


def baidu_submission(
    route: str, body: Body, query: Mapping[str, str]
) -> tuple[Submission, BaiduChoice]:
    """Find the picture and the options of a request for Baidu.

    Raises:
        MissingUpload: it holds no picture; one that lies on another server is not fetched.
        OptionError: it holds something that Baidu does not know.
    """
    fields = {**query, **body.form}
    pictures: list[Picture] = [data for _, data in body.files]
    pictures += [try_base64(form_base64(fields[name])) for name in _PICTURES if fields.get(name)]
    if not pictures:
        raise MissingUpload("the form has no `image` and no `pdf_file`; a `url` is not fetched")
    known = (*_PICTURES, "pdf_file_num", "recognize_granularity", *BAIDU_FLAGS, *_WITHOUT_EFFECT)
    for name in fields:
        if name not in known:
            raise OptionError.unknown(name[:100], known)
    on = frozenset(flag for flag in BAIDU_FLAGS if parse_flag(flag, fields.get(flag, "false")))
    small = fields.get("recognize_granularity", "big") == "small"
    chosen = {"pages": fields["pdf_file_num"]} if fields.get("pdf_file_num") else {}
    return Submission(tuple(pictures), chosen), BaiduChoice(
        places=not route.endswith("_basic"), flags=on, small=small
    )


def is_baidu_route(route: str) -> bool:
    """Tell whether a kind of recognition is one that is answered here."""
    return route in BAIDU_KINDS


def baidu_call(route: str, call: Call, *, choice: BaiduChoice) -> Call:
    """Give the call for a kind of recognition: the accurate ones take the larger model."""
    options = call.options
    if route.startswith("accurate"):
        options = replace(options, effort=Effort.ACCURATE)
    if choice.small or "probability" in choice.flags:
        options = replace(options, characters=True)
    return replace(call, options=options)


def baidu_shape(choice: BaiduChoice) -> Shape:
    """Give the shape of an answer for what a client asks for."""
    return Shape(lambda answer: _answer(answer, choice), _failure, one=True)


def baidu_token(client_secret: str) -> Json:
    """Answer as Baidu's token service does; the token is the key that was sent as the secret."""
    return {
        "access_token": client_secret or "open",
        "expires_in": 2_592_000,
        "refresh_token": "",
        "scope": "public brain_all_scope",
        "session_key": "",
        "session_secret": "",
    }


def _answer(answer: Answer, choice: BaiduChoice) -> Json:
    lines = [line for page in answer.pages() for line in page]
    content: Json = {
        "log_id": _log_id(answer.request_id),
        "words_result_num": len(lines),
        "words_result": [_line(line, choice) for line in lines],
    }
    if "detect_direction" in choice.flags:
        content["direction"] = 0
    if "paragraph" in choice.flags:
        content["paragraphs_result_num"] = len(lines)
        content["paragraphs_result"] = [{"words_result_idx": [k]} for k in range(len(lines))]
    return content


def _line(line: TextLine, choice: BaiduChoice) -> Json:
    content: Json = {"words": line.text}
    if choice.places:
        content["location"] = _location(line.box)
    if "vertexes_location" in choice.flags:
        content["vertexes_location"] = [{"x": round(x), "y": round(y)} for x, y in line.box.points]
    if "probability" in choice.flags:
        content["probability"] = _probability(line)
    if choice.small and choice.places:
        content["chars"] = [
            {"char": char.text, "location": _location(char.box)} for char in line.characters
        ]
    return content


def _location(box: Quad) -> Json:
    left, top, right, bottom = (round(edge) for edge in box.bounds)
    return {"left": left, "top": top, "width": right - left, "height": bottom - top}


def _probability(line: TextLine) -> Json:
    values = [char.confidence for char in line.characters] or [line.confidence]
    mean = sum(values) / len(values)
    variance = sum((value - mean) ** 2 for value in values) / len(values)
    return {
        "average": round(mean, 6),
        "min": round(min(values), 6),
        "variance": round(variance, 6),
    }


def _log_id(request_id: str) -> int:
    """Make a number of 63 bits of a request's name, as clients expect one."""
    return int.from_bytes(hashlib.sha256(request_id.encode()).digest()[:8], "big") >> 1


def _failure(failure: Failure) -> tuple[Json, int]:
    code, message = _ERROR_CODES.get(failure.code, _INTERNAL)
    return {
        "log_id": _log_id(failure.request_id),
        "error_code": code,
        "error_msg": message,
        "error_detail": failure.detail,
    }, 405 if failure.status == 405 else 200


BAIDU = baidu_shape(BaiduChoice(places=False))
"""Of a client whose request is not understood yet."""
