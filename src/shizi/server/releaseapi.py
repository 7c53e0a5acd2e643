"""The routes of releases in the OpenAPI document; the forms are those of the values themselves."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from shizi.formats import Json
from shizi.release.document import Document
from shizi.release.guards import Reading
from shizi.release.memo import Point
from shizi.release.store import Entry
from shizi.server.apischema import array, record, ref, text
from shizi.server.judging import CorrectionsBody, VerdictBody
from shizi.server.releases import HoldBody, MoveBody, StartBody

TAG = "releases"
_FORM = "application/json"
_PREFIX = "Release"
_TOLD = {
    "400": "malformed",
    "401": "no key, an unknown one, or a request from elsewhere to a service without keys",
    "404": "there is no such thing, or this service keeps no releases",
    "408": "the body took too long to arrive",
    "409": "the phase does not allow it, or the release has changed meanwhile",
    "413": "the body is too long",
    "422": "a value is unknown or out of range",
    "429": "too many requests; Retry-After says when to come back",
    "500": "the stored state is damaged",
    "501": "a package that the store needs is not installed",
    "503": "the store cannot be reached",
}
_ACTIONS = {
    "advance": "Go to the next step now.",
    "hold": "Stay where it is, or at a share.",
    "resume": "Go on after a hold.",
    "promote": "Make the canary the stable version.",
    "rollback": "End it; the stable version answers.",
}
_LOOKS = ("401", "404", "500", "501", "503")
_CHANGES = ("400", "401", "404", "408", "409", "413", "422", "429", "500", "501", "503")


def release_paths() -> Json:
    """Give the paths."""
    pair = _parameter("pair_id", {"type": "string", "pattern": "^[0-9a-f]{16}$"})
    markdown: Json = {"text/markdown": {"schema": {"type": "string"}}}
    drawing: Json = {"image/svg+xml": {"schema": {"type": "string"}}}
    picture: Json = {"*/*": {"schema": {"type": "string"}}}
    root, pairs = "/v1/releases", "/v1/releases/pairs"
    told = _json("ReleaseState")
    return {
        root: {
            "get": _operation(root, "get", "Tell how the latest release stands.", told),
            "post": _operation(root, "post", "Begin a release.", told, "StartBody", status="201"),
        },
        **{
            f"{root}/{action}": {
                "post": _operation(
                    f"{root}/{action}",
                    "post",
                    said,
                    told,
                    "HoldBody" if action == "hold" else "MoveBody",
                )
            }
            for action, said in _ACTIONS.items()
        },
        f"{root}/report": {
            "get": _operation(f"{root}/report", "get", "Compare both versions.", markdown)
        },
        f"{root}/report.svg": {
            "get": _operation(f"{root}/report.svg", "get", "Draw the same.", drawing)
        },
        pairs: {"get": _operation(pairs, "get", "List pairs to judge.", _json("ReleasePairs"))},
        f"{pairs}/{{pair_id}}/picture": {
            "get": _operation(
                f"{pairs}/{{pair_id}}/picture", "get", "Give its picture.", picture, "", [pair]
            )
        },
        f"{pairs}/{{pair_id}}": {
            "post": _operation(
                f"{pairs}/{{pair_id}}",
                "post",
                "Judge a pair; it is forgotten then.",
                _json("ReleaseVerdict"),
                "VerdictBody",
                [pair],
            )
        },
        f"{root}/corrections": {
            "post": _operation(
                f"{root}/corrections",
                "post",
                "Tell how many lines of an answer a user changed.",
                _json("ReleaseCounted"),
                "CorrectionsBody",
            )
        },
    }


def release_schemas() -> Json:
    """Give the forms of bodies and answers."""
    template = f"#/components/schemas/{_PREFIX}{{name}}"
    kinds = [
        StartBody,
        MoveBody,
        HoldBody,
        VerdictBody,
        CorrectionsBody,
        Document,
        Reading,
        Point,
        Entry,
    ]
    _, components = msgspec.json.schema_components(kinds, ref_template=template)
    schemas: Json = {f"{_PREFIX}{name}": form for name, form in components.items()}
    pair = record(
        {
            "id": text("of the pair"),
            "kind": text("of the picture"),
            "texts": array(text("of one of the versions"), "two, in no known order"),
        }
    )
    return schemas | {
        "ReleaseState": record(
            {
                "release": ref("ReleaseDocument"),
                "missing": text("what the phase waits for"),
                "looked_at_s": {"type": "number"},
                "guards": array(ref("ReleaseReading")),
                "points": array(ref("ReleasePoint")),
                "log": array(ref("ReleaseEntry")),
            }
        ),
        "ReleasePairs": record({"kept": {"type": "boolean"}, "pairs": array(pair)}),
        "ReleaseVerdict": record({"better": text("canary, stable or same")}),
        "ReleaseCounted": record({"counted": {"type": "boolean"}}),
    }


def _operation(
    path: str,
    method: str,
    summary: str,
    content: Json,
    body: str = "",
    parameters: Sequence[Json] = (),
    *,
    status: str = "200",
) -> Json:
    words = path.strip("/").translate(str.maketrans("/.", "__", "{}"))
    refusals = _CHANGES if method == "post" else _LOOKS
    problem = {"application/problem+json": {"schema": ref("Problem")}}
    operation: Json = {
        "operationId": f"{method}_{words}",
        "tags": [TAG],
        "summary": summary,
        "security": [{}, {"key": []}, {"bearer": []}],
        "parameters": list(parameters),
        "responses": {
            status: {"description": "done", "content": content},
            **{code: {"description": _TOLD[code], "content": problem} for code in refusals},
        },
    }
    if body:
        form: Json = {_FORM: {"schema": ref(_PREFIX + body)}}
        operation["requestBody"] = {"required": True, "content": form}
    return operation


def _json(name: str) -> Json:
    return {_FORM: {"schema": ref(name)}}


def _parameter(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "description": "which", "schema": schema}
