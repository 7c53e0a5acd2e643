"""The routes of releases: how one stands, what people do to it, its report, and their page."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Any

import msgspec
from flask import Blueprint, Response, current_app, g
from msgspec import Meta

from shizi.models.manifest import Task
from shizi.models.store import ModelStore
from shizi.release.desk import Order, Status
from shizi.release.plan import BASIS_POINTS, Guards, Plan
from shizi.release.report import draw_report, write_report
from shizi.release.transitions import Event
from shizi.server.releasedoor import Door, read_form
from shizi.server.shapes import DOCUMENTS, reply

ACTIONS = {
    "advance": Event.ADVANCE,
    "hold": Event.HOLD,
    "resume": Event.RESUME,
    "promote": Event.PROMOTE,
    "rollback": Event.ROLL_BACK,
}
"""What may be done, by the last part of the address; `hold` with a share is `Event.SHARE`."""


class StartBody(msgspec.Struct, forbid_unknown_fields=True):
    """Begins a release.

    Attributes:
        canary: version, as `/v1/models` lists it.
        reason: one sentence.
        plan: what differs from the usual one.
        guards: what differs from the usual ones.
        testers: units that meet the canary whatever the share.
        excluded: units that never do.
    """

    canary: str
    reason: str = ""
    plan: Plan = Plan()
    guards: Guards = Guards()
    testers: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


class MoveBody(msgspec.Struct, forbid_unknown_fields=True):
    """Moves a release.

    Attributes:
        reason: one sentence.
        epoch: of the state this was decided by.
    """

    reason: str = ""
    epoch: Annotated[int, Meta(ge=1)] | None = None


class HoldBody(MoveBody, forbid_unknown_fields=True):
    """Holds a release.

    Attributes:
        share: at which; as it is where None.
    """

    share: Annotated[float, Meta(ge=0, le=1)] | None = None


def create_releases(door: Door) -> Blueprint:
    """Make the routes behind a door."""
    releases = Blueprint("releases", __name__)
    _add_state(releases, door)
    _add_moves(releases, door)
    _add_report(releases, door)
    return releases


def _add_state(releases: Blueprint, door: Door) -> None:
    @releases.get("/releases")
    def page() -> Response:
        return current_app.send_static_file("releases.html")

    @releases.get("/v1/releases")
    def state() -> Response:
        g.shape = DOCUMENTS
        return reply(_told(door.desk().status()))

    @releases.post("/v1/releases")
    def begin() -> Response:
        g.shape = DOCUMENTS
        body = read_form(StartBody)
        desk = door.desk()
        models = ModelStore.beside(door.settings.paths.models)
        stable = models.find(door.settings.reader.recognizer, Task.RECOGNIZE).ref
        canary = models.find(body.canary, Task.RECOGNIZE).ref
        order = Order(
            canary, stable, body.reason, body.plan, body.guards, body.testers, body.excluded
        )
        desk.start(order)
        return reply(_told(desk.status()), 201)


def _add_moves(releases: Blueprint, door: Door) -> None:
    def move(event: Event) -> Response:
        g.shape = DOCUMENTS
        body, share_bp = read_form(HoldBody if event is Event.HOLD else MoveBody), 0
        if isinstance(body, HoldBody) and body.share is not None:
            event, share_bp = Event.SHARE, round(body.share * BASIS_POINTS)
        desk = door.desk()
        desk.move(event, body.reason, share_bp=share_bp, epoch=body.epoch)
        return reply(_told(desk.status()))

    for action, event in ACTIONS.items():
        rule = f"/v1/releases/{action}"
        releases.add_url_rule(rule, action, partial(move, event), methods=["POST"])


def _add_report(releases: Blueprint, door: Door) -> None:
    @releases.get("/v1/releases/report")
    def report() -> Response:
        g.shape = DOCUMENTS
        desk = door.desk()
        text = write_report(desk.status(), desk.snapshots())
        return Response(text, content_type="text/markdown; charset=utf-8")

    @releases.get("/v1/releases/report.svg")
    def plot() -> Response:
        g.shape = DOCUMENTS
        desk = door.desk()
        drawn = draw_report(desk.status().document, desk.snapshots())
        return Response(drawn, content_type="image/svg+xml")


def _told(status: Status) -> dict[str, Any]:
    document, memo = status.document, status.memo
    return {
        "release": msgspec.to_builtins(document),
        "missing": "" if document.ended else memo.missing,
        "looked_at_s": memo.at_s,
        "guards": msgspec.to_builtins(memo.readings),
        "points": msgspec.to_builtins(memo.points),
        "log": msgspec.to_builtins(status.entries),
    }
