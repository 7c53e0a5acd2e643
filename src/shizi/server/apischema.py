"""The forms of requests and answers as JSON Schema, for the OpenAPI document."""

from __future__ import annotations

from collections.abc import Mapping

from shizi.core.errors import error_kinds
from shizi.formats import Json
from shizi.server.compat.baidu import BAIDU_FLAGS
from shizi.server.schema import Option, plain_options

BASE64_PATTERN = "^(data:[^,]*;base64,)?([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$"
HTTP_CODES = ("not_found", "method_not_allowed")
#: Before the names of bodies of routes whose answers have one form.
PLAIN = "Plain"


def ref(name: str) -> Json:
    """Point to a schema of the document."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(doc: str) -> Json:
    """Describe a text."""
    return {"type": "string", "description": doc}


def number(doc: str) -> Json:
    """Describe a number."""
    return {"type": "number", "description": doc}


def whole(doc: str) -> Json:
    """Describe a whole number."""
    return {"type": "integer", "description": doc}


def array(items: Mapping[str, object], doc: str = "") -> Json:
    """Describe a list."""
    return {"type": "array", "items": items, **({"description": doc} if doc else {})}


def record(properties: Mapping[str, object], optional: tuple[str, ...] = ()) -> Json:
    """Describe an object; what is not optional is always there."""
    required = [name for name in properties if name not in optional]
    return {"type": "object", "properties": dict(properties), "required": required}


def option_text(option: Option) -> Json:
    """Give the schema of an option in a query or a form, where lists are one text."""
    return {"type": "string"} if isinstance(option.schema["type"], list) else option.schema


def schemas(options: Mapping[str, Option], max_documents: int) -> Json:
    """Give all schemas by name."""
    return {
        **_pictures(),
        **_requests("", options, max_documents),
        **_requests(PLAIN, plain_options(options), max_documents),
        "BaiduRequest": _baidu_request(),
        **_results(),
        **_failures(),
        **_facts(),
    }


def _pictures() -> Json:
    return {
        "Picture": {
            "type": "string",
            "pattern": BASE64_PATTERN,
            "minLength": 4,
            "description": "a picture or document in base64, or a data URI that holds it",
        },
        "File": {
            "type": "string",
            "contentMediaType": "application/octet-stream",
            "minLength": 1,
            "description": "the bytes of a picture or document",
        },
    }


def _requests(prefix: str, options: Mapping[str, Option], max_documents: int) -> Json:
    """Describe the bodies that hold these options."""
    several: Json = {"minItems": 1, "maxItems": max_documents}
    files = array(ref("File"), "pictures and documents; `image` and `image_file` are taken too")
    chosen = {
        name: {**option.schema, "description": option.doc} for name, option in options.items()
    }
    fields = {
        name: {**option_text(option), "description": option.doc} for name, option in options.items()
    }
    return {
        f"{prefix}Options": {"type": "object", "properties": chosen, "additionalProperties": False},
        f"{prefix}JsonRequest": {
            "type": "object",
            "properties": {
                "image": ref("Picture"),
                "images": {**array(ref("Picture")), **several},
                "options": ref(f"{prefix}Options"),
            },
            "oneOf": [{"required": ["image"]}, {"required": ["images"]}],
            "additionalProperties": False,
        },
        f"{prefix}FormRequest": {
            "type": "object",
            "properties": {"file": {**files, **several}, **fields},
            "required": ["file"],
            "additionalProperties": False,
        },
    }


def _baidu_request() -> Json:
    return {
        "type": "object",
        "properties": {
            "image": ref("Picture"),
            "recognize_granularity": {"type": "string", "enum": ["big", "small"]},
            **{flag: {"type": "string", "enum": ["true", "false"]} for flag in BAIDU_FLAGS},
        },
        "required": ["image"],
        "additionalProperties": False,
    }


def _results() -> Json:
    box = {
        **array(array({"type": "number"})),
        "minItems": 4,
        "maxItems": 4,
        "description": "four [x, y], clockwise from where the text begins",
    }
    character = record(
        {"text": text("the character"), "confidence": number("0 to 1"), "box": ref("Box")}
    )
    line = {
        "text": text("what it says"),
        "confidence": number("0 to 1: how likely the whole line is right"),
        "box": ref("Box"),
        "page": whole("its page, from 1"),
        "line": whole("its number on the page, from 1"),
        "direction": {"type": "string", "enum": ["h", "v"]},
        "origin": {
            "const": "layer",
            "description": "only where the line was not read but is text of the document",
        },
        "chars": array(ref("Character"), "only where asked for"),
        "document": whole("its picture, from 1; only where several were sent to `/ocr`"),
    }
    page = {
        "page": whole("its number, from 1"),
        "width": whole("pixels"),
        "height": whole("pixels"),
        "angle": number("tilt that was corrected, degrees clockwise"),
        "scale": number("size it was worked on over its original size"),
        "steps": array({"type": "string"}, "preparation steps taken, in order"),
    }
    notice = {"code": text("stable name"), "detail": text("what"), "page": whole("where")}
    return {
        "Box": box,
        "Character": character,
        "Line": record(line, ("origin", "chars", "document")),
        "Page": record(page),
        "Notice": record(notice, ("page",)),
        **_answers(),
    }


def _reading() -> Json:
    """Give the fields of what was read of a picture or document."""
    return {
        "success": {"const": True},
        "results": array(ref("Line"), "the lines in reading order"),
        "text": text("all lines, a line feed between them, a form feed between pages"),
        "pages": array(ref("Page")),
        "warnings": array(ref("Notice")),
        "model": record(
            {
                "name": text("the recognizer"),
                "version": text("of the recognizer"),
                "epoch": whole("of the release that chose it; 0 where there never was one"),
            },
            ("epoch",),
        ),
        "total_time": number("seconds"),
        "timing": {"type": "object", "additionalProperties": {"type": "number"}},
    }


def _answers() -> Json:
    read = _reading()
    error = record(
        {
            "code": text("see `/errors/<code>`"),
            "status": whole("the HTTP status it would have had alone"),
            "message": text("what is wrong"),
            "advice": text("what to do"),
        }
    )
    place = {"document": whole("place among the pictures, from 1")}
    common = {"request_id": text("names the request"), "schema": text("version of this form")}
    failed = {**place, "success": {"const": False}, "error": error, "results": {"const": []}}
    documents = {
        "success": {"type": "boolean", "description": "whether every picture was read"},
        "documents": array({"oneOf": [ref("Document"), ref("FailedDocument")]}),
        "total_time": number("seconds"),
        **common,
    }
    return {
        "Document": record({**place, **read}),
        "FailedDocument": record(failed),
        "DocumentsAnswer": record(documents),
        "LinesAnswer": record({**read, **common}),
        "ManyLinesAnswer": record({**documents, "results": array(ref("Line"))}),
        "TextsAnswer": record(
            {
                "success": {"type": "boolean"},
                "text": array({"type": "string"}, "the lines"),
                "request_id": common["request_id"],
                "documents": array({"type": "object"}, "only where several were sent"),
            },
            ("documents",),
        ),
    }


def _failures() -> Json:
    codes = sorted({kind.code for kind in error_kinds()} | set(HTTP_CODES))
    problem = {
        "type": {"type": "string", "format": "uri-reference"},
        "title": text("what the code means"),
        "status": whole("of HTTP"),
        "detail": text("what is wrong with this request"),
        "instance": text("the path"),
        "code": {"type": "string", "enum": codes},
        "advice": text("what to do"),
        "request_id": text("names the request"),
    }
    told = record(
        {"code": text("see `/errors/<code>`"), "message": text("what"), "advice": text("and now")}
    )
    failure = {
        "success": {"const": False},
        "error": told,
        "results": {"const": []},
        "request_id": text("names the request"),
    }
    return {"Problem": record(problem), "Failure": record(failure)}


def _facts() -> Json:
    model = {
        "name": text("unique"),
        "version": text("raised whenever the weights change"),
        "task": text("what it is for"),
        "bytes": whole("size"),
        "sha256": text("of its file"),
        "licence": text("SPDX name"),
        "source": text("where it comes from"),
        "active": {"type": "boolean", "description": "whether it may be asked to read"},
    }
    option = {
        "name": text("of the field"),
        "description": text("what it does"),
        "schema": {"type": "object"},
        "default": {"description": "what holds where a request does not choose"},
    }
    return {
        "Models": record({"models": array(record(model))}),
        "OptionList": record(
            {
                "options": array(record(option)),
                "limits": {"type": "object", "additionalProperties": {"type": "number"}},
            }
        ),
        "Status": record({"status": text("one word"), "reason": text("why not")}, ("reason",)),
    }
