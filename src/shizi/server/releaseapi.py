"""The routes of releases in the OpenAPI document; the forms are those of the values themselves."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from shizi.formats import Json
from shizi.release.document import Document
from shizi.release.guards import Reading
from shizi.release.memo import Point
from shizi.release.store import Entry
from shizi.server.apischema import array, record, ref, text
from shizi.server.judging import CorrectionsBody, VerdictBody
from shizi.server.operations import JSON, Route, path_parameter, routes_to_paths
from shizi.server.releases import HoldBody, MoveBody, StartBody

TAG = "releases"
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


_PAIR = path_parameter("pair_id", {"type": "string", "pattern": "^[0-9a-f]{16}$"})
_ROOT = "/v1/releases"
_PAIRS = f"{_ROOT}/pairs"


def release_paths() -> Json:
    """Give the paths."""
    return routes_to_paths((*_looks(), *_steps(), *_judgments()), TAG, _TOLD)


def _looks() -> Iterator[Route]:
    """Give what only tells."""
    for path, summary, answer in (
        (_ROOT, "Tell how the latest release stands.", "ReleaseState"),
        (f"{_ROOT}/report", "Compare both versions.", "text/markdown"),
        (f"{_ROOT}/report.svg", "Draw the same.", "image/svg+xml"),
        (_PAIRS, "List pairs to judge.", "ReleasePairs"),
    ):
        yield Route(path, "get", summary, answer, _LOOKS)
    path = f"{_PAIRS}/{{pair_id}}/picture"
    yield Route(path, "get", "Give its picture.", "*/*", _LOOKS, parameters=(_PAIR,))


def _steps() -> Iterator[Route]:
    """Give what begins a release, moves it and ends it."""
    yield _change(_ROOT, "Begin a release.", "ReleaseState", StartBody, status="201")
    for action, summary in _ACTIONS.items():
        body = HoldBody if action == "hold" else MoveBody
        yield _change(f"{_ROOT}/{action}", summary, "ReleaseState", body)


def _judgments() -> Iterator[Route]:
    """Give what people tell of the answers."""
    yield _change(
        f"{_PAIRS}/{{pair_id}}",
        "Judge a pair; it is forgotten then.",
        "ReleaseVerdict",
        VerdictBody,
        parameters=(_PAIR,),
    )
    yield _change(
        f"{_ROOT}/corrections",
        "Tell how many lines of an answer a user changed.",
        "ReleaseCounted",
        CorrectionsBody,
    )


def _change(
    path: str,
    summary: str,
    answer: str,
    body: type[msgspec.Struct],
    *,
    status: str = "200",
    parameters: tuple[Json, ...] = (),
) -> Route:
    content: Json = {JSON: {"schema": ref(_PREFIX + body.__name__)}}
    return Route(
        path,
        "post",
        summary,
        answer,
        _CHANGES,
        status=status,
        parameters=parameters,
        body={"required": True, "content": content},
    )


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
