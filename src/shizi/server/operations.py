"""The operations of the OpenAPI document: what each route is, and how that is told there."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shizi.formats import Json
from shizi.server.apischema import option_text, ref
from shizi.server.schema import Option

JSON = "application/json"
PROBLEM = "application/problem+json"
# The empty one: a service without keys asks for none.
GUARDED: tuple[Json, ...] = ({}, {"key": []}, {"bearer": []})


@dataclass(frozen=True, slots=True)
class Route:
    """One method of a path that asks for a key where there are any.

    Attributes:
        path: its template.
        method: in small letters.
        summary: one line.
        answer: schema of the body of a success, or the content type of one that is no JSON;
            empty where there is none.
        refusals: statuses of what may go wrong.
        status: of a success.
        parameters: in the path, the query and the headers.
        body: of the request, where it has one.
        old: whether failures have the form of the first service instead of that of problems.
    """

    path: str
    method: str
    summary: str
    answer: str
    refusals: tuple[str, ...]
    status: str = "200"
    parameters: tuple[Json, ...] = ()
    body: Json | None = None
    old: bool = False


def routes_to_paths(routes: Iterable[Route], tag: str, told: Mapping[str, str]) -> Json:
    """Describe routes.

    Args:
        routes: of one group.
        tag: of the group.
        told: what the status of a refusal means there.

    Returns:
        Operations by method, by path.
    """
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method] = _describe(route, tag, told)
    return {**paths}


def _describe(route: Route, tag: str, told: Mapping[str, str]) -> Json:
    failure, kind = (ref("Failure"), JSON) if route.old else (ref("Problem"), PROBLEM)
    operation: Json = {
        "operationId": operation_id(route.method, route.path),
        "tags": [tag],
        "summary": route.summary,
        "security": list(GUARDED),
        "parameters": list(route.parameters),
        "responses": {
            route.status: _success(route.answer),
            **refusals(route.refusals, told, failure, kind),
        },
    }
    return operation | ({"requestBody": route.body} if route.body else {})


def _success(answer: str) -> Json:
    if not answer:
        return {"description": "done"}
    kind, schema = (answer, {"type": "string"}) if "/" in answer else (JSON, ref(answer))
    return {"description": "done", "content": {kind: {"schema": schema}}}


def operation_id(method: str, path: str) -> str:
    """Name an operation after its method and path, without what only a path may hold."""
    words = path.strip("/").translate(str.maketrans("/.", "__", "{}"))
    return f"{method}_{words}"


def refusals(codes: Iterable[str], told: Mapping[str, str], schema: Json, kind: str) -> Json:
    """Describe the answers that refuse.

    Args:
        codes: statuses.
        told: what each of them means.
        schema: of the body of all of them.
        kind: content type of that body.
    """
    content: Json = {kind: {"schema": schema}}
    return {code: {"description": told[code], "content": content} for code in codes}


def path_parameter(name: str, schema: Json) -> Json:
    """Describe a part of the path."""
    return {"name": name, "in": "path", "required": True, "description": "which", "schema": schema}


def query_parameter(name: str, doc: str, schema: Json) -> Json:
    """Describe a parameter of the query."""
    return {"name": name, "in": "query", "description": doc, "schema": schema}


def option_parameters(options: Mapping[str, Option]) -> tuple[Json, ...]:
    """Describe the options as parameters of the query."""
    return tuple(query_parameter(o.name, o.doc, option_text(o)) for o in options.values())
