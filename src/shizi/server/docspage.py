"""The documentation the service gives of itself, as pages without any script."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

from shizi.core.errors import ShiziError, error_kinds, find_kind
from shizi.server.apischema import HTTP_CODES
from shizi.server.shapes import error_title

_HTTP = {
    "not_found": (404, "Nothing is served under this address", "`/docs` lists what is."),
    "method_not_allowed": (
        405,
        "The address is served, but not in this way",
        "The header `Allow` lists the ways.",
    ),
}


def docs_page(document: Mapping[str, Any]) -> str:
    """Render an OpenAPI document.

    Args:
        document: as `openapi_document` gives it.
    """
    info = document["info"]
    routes = "".join(
        _operation(path, method, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    )
    forms = "".join(
        _schema(name, schema) for name, schema in document["components"]["schemas"].items()
    )
    return _page(
        f"{info['title']} {info['version']}",
        f"<p>{escape(info['summary'])} The same as <a href='/openapi.json'>OpenAPI</a>; "
        "<a href='/'>to the page</a>.</p>"
        f"<h2>Routes</h2>{routes}<h2>Forms</h2>{forms}<h2>Errors</h2>{_errors()}",
    )


def error_page(code: str) -> str | None:
    """Render what is known of one error; None where there is no such code."""
    if code in _HTTP:
        status, title, advice = _HTTP[code]
    else:
        kind = find_kind(code)
        if kind.code != code:
            return None
        status, title, advice = _facts(kind)
    return _page(
        code,
        f"<p>{escape(title)}.</p><p>{_code(advice)}</p><p>HTTP status {status}. "
        "<a href='/docs'>All routes and errors</a></p>",
    )


def _facts(kind: type[ShiziError]) -> tuple[int, str, str]:
    return kind.http_status, error_title(kind), kind.advice


def _page(title: str, content: str) -> str:
    return (
        "<!doctype html><html lang='en'><meta charset='utf-8'>"
        "<meta name='viewport' content='width=device-width'>"
        f"<title>{escape(title)}</title><link rel='stylesheet' href='/docs/style.css'>"
        "<link rel='icon' href='/static/icon.svg'>"
        f"<main><h1>{escape(title)}</h1>{content}</main></html>\n"
    )


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> str:
    rows = [
        (f"<code>{escape(p['name'])}</code>", _kind(p["schema"]), escape(p["description"]))
        for p in operation.get("parameters", ())
    ]
    bodies = operation.get("requestBody", {}).get("content", {})
    taken = [
        (f"<code>{escape(kind)}</code>", _kind(form["schema"])) for kind, form in bodies.items()
    ]
    answers = [
        (escape(status), escape(answer["description"]), _content(answer))
        for status, answer in operation["responses"].items()
    ]
    return (
        f"<details><summary><b>{method.upper()}</b> <code>{escape(path)}</code> "
        f"{escape(operation['summary'])}</summary>"
        f"{_table(('body', 'form'), taken)}{_table(('option', 'values', ''), rows)}"
        f"{_table(('status', '', 'form'), answers)}</details>"
    )


def _content(answer: Mapping[str, Any]) -> str:
    kinds = [_kind(form["schema"]) for form in answer.get("content", {}).values()]
    return ", ".join(dict.fromkeys(kinds))


def _schema(name: str, schema: Mapping[str, Any]) -> str:
    required = schema.get("required", ())
    rows = [
        (
            f"<code>{escape(key)}</code>{'' if key in required else ' ?'}",
            _kind(inner),
            _code(inner.get("description", "")),
        )
        for key, inner in schema.get("properties", {}).items()
    ]
    body = _table(("name", "form", ""), rows) or f"<p>{_kind(schema)}</p>"
    return f"<details id='{escape(name)}'><summary>{escape(name)}</summary>{body}</details>"


def _kind(schema: Mapping[str, Any]) -> str:
    """Say in a few words what a schema allows."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rsplit("/", 1)[1])
        return f"<a href='#{name}'>{name}</a>"
    for key in ("anyOf", "oneOf"):
        if key in schema and "properties" not in schema:
            return " or ".join(_kind(part) for part in schema[key])
    if "enum" in schema:
        return " ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if "const" in schema:
        return f"<code>{escape(str(schema['const']).lower())}</code>"
    if schema.get("type") == "array":
        return "list of " + _kind(schema["items"])
    return escape(_type(schema))


def _type(schema: Mapping[str, Any]) -> str:
    kinds = schema.get("type", "bytes")
    words = kinds if isinstance(kinds, str) else " or ".join(kinds)
    return f"{words}, {schema['minimum']} to {schema['maximum']}" if "maximum" in schema else words


def _errors() -> str:
    rows = [
        (f"<a href='/errors/{code}'>{code}</a>", str(status), escape(title), _code(advice))
        for code, (status, title, advice) in (
            *((kind.code, _facts(kind)) for kind in error_kinds()),
            *((code, _HTTP[code]) for code in HTTP_CODES),
        )
    ]
    return _table(("code", "status", "meaning", "what to do"), rows)


def _table(heads: Iterable[str], rows: Sequence[tuple[str, ...]]) -> str:
    if not rows:
        return ""
    head = "".join(f"<th>{cell}</th>" for cell in heads)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f"<table><tr>{head}</tr>{body}</table>"


def _code(text: str) -> str:
    """Escape a text; what stands between backticks is code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if k % 2 else part for k, part in enumerate(parts))
