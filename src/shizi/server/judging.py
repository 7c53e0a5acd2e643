"""The routes by which people judge versions: pairs of readings, and lines they correct."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from flask import Blueprint, Response, abort, g
from msgspec import Meta

from shizi.imaging.sniff import sniff
from shizi.release.observations import Kind, Side
from shizi.release.pairs import Pair, PairBox
from shizi.release.snapshots import Recorder
from shizi.server.releasedoor import Door, read_form
from shizi.server.shapes import DOCUMENTS, reply

_MOST_LINES = 10_000


class VerdictBody(msgspec.Struct, forbid_unknown_fields=True):
    """Judges a pair; `better` is "first", "second" or "same"."""

    better: Literal["first", "second", "same"]


class CorrectionsBody(msgspec.Struct, forbid_unknown_fields=True):
    """Tells that a user changed lines of an answer: how many, never which.

    Attributes:
        version: that read them, as the header `X-Model-Version` told.
        lines: changed.
    """

    version: str
    lines: Annotated[int, Meta(ge=0, le=_MOST_LINES)]


def create_judging(door: Door, recorder: Recorder | None = None) -> Blueprint:
    """Make the routes behind a door.

    Args:
        door: to the releases.
        recorder: counts verdicts and corrections; None where there are no releases.
    """
    judging = Blueprint("judging", __name__)
    folder = door.settings.releases.spot_checks
    box = PairBox(folder) if folder else None
    _add_list(judging, door, box)
    _add_pair(judging, door, box, recorder)
    _add_corrections(judging, door, recorder)
    return judging


def _add_list(judging: Blueprint, door: Door, box: PairBox | None) -> None:
    @judging.get("/v1/releases/pairs")
    def pairs() -> Response:
        g.shape = DOCUMENTS
        release_id = door.desk().status().document.release_id
        found = box.pairs(release_id) if box else []
        return reply(
            {
                "kept": box is not None,
                "pairs": [
                    {"id": p.pair_id, "kind": p.kind.value, "texts": list(p.texts)} for p in found
                ],
            }
        )


def _add_pair(
    judging: Blueprint, door: Door, box: PairBox | None, recorder: Recorder | None
) -> None:
    def kept(pair_id: str) -> tuple[PairBox, Pair]:
        door.desk()
        pair = box.find(pair_id) if box else None
        if box is None or pair is None:
            abort(404)
        return box, pair

    @judging.get("/v1/releases/pairs/<pair_id>/picture")
    def picture(pair_id: str) -> Response:
        g.shape = DOCUMENTS
        holder, _ = kept(pair_id)
        content = holder.picture(pair_id)
        if content is None:
            abort(404)
        response = Response(content, content_type=_media_type(content))
        response.headers["Cache-Control"] = "no-store"
        return response

    @judging.post("/v1/releases/pairs/<pair_id>")
    def judge(pair_id: str) -> Response:
        g.shape = DOCUMENTS
        holder, pair = kept(pair_id)
        place = read_form(VerdictBody).better
        if holder.remove(pair_id) and recorder is not None:
            recorder.record_verdict(pair.release_id, pair.better(place))
        return reply({"better": pair.better(place)})


def _add_corrections(judging: Blueprint, door: Door, recorder: Recorder | None) -> None:
    @judging.post("/v1/releases/corrections")
    def corrections() -> Response:
        g.shape = DOCUMENTS
        body = read_form(CorrectionsBody)
        document = door.desk(open_to_all=True).status().document
        side = {document.stable: Side.STABLE, document.canary: Side.CANARY}.get(body.version)
        if recorder is not None and side is not None and not document.ended:
            recorder.record_corrections(document.release_id, side, Kind.CLEAN, body.lines)
        return reply({"counted": side is not None and not document.ended})


def _media_type(content: bytes) -> str:
    """Give the type a browser shows a picture by; what it cannot show it is told as bytes."""
    return f"image/{sniff(content) or 'x-unknown'}"
