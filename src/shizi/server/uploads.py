"""What a request's body says in our own form: pictures, and options as texts."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import Any

from shizi.core.errors import (
    InputError,
    MissingUpload,
    OptionError,
    RequestError,
    ShiziError,
    TooLarge,
)
from shizi.server.bodies import Body
from shizi.server.schema import UPLOAD_FIELDS, Option, json_to_fields

# A form field with a picture in base64, as clients of RapidOCRAPI send it.
BASE64_FIELD = "image_data"
_JSON_KEYS = ("image", "images", "options")
#: Characters of a file's name that are kept.
_MAX_NAME = 300

Picture = bytes | ShiziError


@dataclass(frozen=True, slots=True)
class Submission:
    """What a request hands in.

    Attributes:
        pictures: encoded files in their order; an error stands where one could not be decoded
            from base64, its neighbours are not affected.
        fields: options by name, as texts.
        names: of the pictures, where there are any; empty for those that have none.
    """

    pictures: tuple[Picture, ...]
    fields: Mapping[str, str] = field(default_factory=dict)
    names: tuple[str, ...] = ()


def body_to_submission(body: Body, options: Mapping[str, Option], max_documents: int) -> Submission:
    """Find the pictures and options of a body.

    Raises:
        MissingUpload: it holds no picture.
        OptionError: it holds something that is neither a picture nor an option.
        RequestError: a JSON body has another form.
        TooLarge: it holds more pictures than a request may.
    """
    if body.json is not None:
        found = _from_json(body.json, options)
    elif body.raw is not None:
        found = Submission((body.raw,) if body.raw else ())
    else:
        found = _from_form(body)
    if not found.pictures:
        raise MissingUpload("the request holds no picture")
    if len(found.pictures) > max_documents:
        raise TooLarge("max_documents", max_documents, len(found.pictures))
    return found


def sane_name(name: str | None) -> str:
    """Give the name of a file as it may be shown: without its folders and what steers a screen."""
    return printable(PurePath(name or "").name)


def printable(name: str) -> str:
    """Give a name without what steers a screen, and no longer than a line."""
    return "".join(c if c.isprintable() else "�" for c in name)[:_MAX_NAME]


def decode_base64(text: object) -> bytes:
    """Decode a picture told as text: base64, or a data URI that holds it.

    Line breaks and missing padding are forgiven.

    Raises:
        InputError: it is no base64.
    """
    if not isinstance(text, str):
        raise InputError("a picture in JSON is a text in base64 or a data URI")
    if text[:5].lower() == "data:":
        head, comma, text = text.partition(",")
        if not comma or not head.lower().endswith(";base64"):
            raise InputError("the data URI holds no base64")
    try:
        data = text.encode("ascii").translate(None, b" \t\r\n")
        picture = base64.b64decode(data + b"=" * (-len(data) % 4), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise InputError("the picture is no valid base64") from error
    if not picture:
        raise InputError("the input is empty")
    return picture


def try_base64(text: object) -> Picture:
    """Decode a picture told as text; what is wrong with it takes its place."""
    try:
        return decode_base64(text)
    except InputError as error:
        return error


def _from_json(content: Mapping[str, Any], options: Mapping[str, Option]) -> Submission:
    if "image" in content and "images" in content:
        raise RequestError("the JSON body has `image` and `images`; send one of them")
    pictures = [content["image"]] if "image" in content else content.get("images", [])
    if not isinstance(pictures, list):
        raise RequestError("`images` is no list")
    if not pictures:
        return Submission(())
    if unknown := [key for key in content if key not in _JSON_KEYS]:
        raise OptionError.unknown(unknown[0][:100], _JSON_KEYS, "key of the JSON body")
    chosen = content.get("options", {})
    if not isinstance(chosen, dict):
        raise RequestError("`options` is no object")
    return Submission(tuple(map(try_base64, pictures)), json_to_fields(chosen, options))


def _from_form(body: Body) -> Submission:
    fields = dict(body.form)
    names = list(map(sane_name, body.names))
    pictures: list[Picture] = []
    for name, data in body.files:
        if name not in UPLOAD_FIELDS:
            raise OptionError.unknown(name[:100], UPLOAD_FIELDS, "file field")
        pictures.append(data)
    if BASE64_FIELD in fields:
        pictures.append(try_base64(form_base64(fields.pop(BASE64_FIELD))))
        names.append("")
    return Submission(tuple(pictures), fields, tuple(names))


def form_base64(text: str) -> str:
    """Put the plus signs back that a form, sent without escaping them, turned into spaces."""
    return text.replace(" ", "+")
