from __future__ import annotations

import json
from dataclasses import replace

import pytest

from shizi.core.errors import ReleaseInvalid
from shizi.release.document import Document, Phase, document_to_json, json_to_document
from shizi.release.plan import Guards, Plan

DOCUMENT = Document(epoch=3, release_id="r1", stable="a@1", canary="a@2")


def test_a_document_survives_writing_and_reading() -> None:
    document = replace(
        DOCUMENT,
        phase=Phase.HOLD,
        held=Phase.CANARY,
        step=1,
        ratio_bp=3_000,
        testers=("key:anna",),
        plan=Plan(shares_bp=(500, 10_000), soak_s=1.5),
        guards=Guards(failure_rate=0.02),
        reason="太少",
    )

    assert json_to_document(document_to_json(document)) == document


@pytest.mark.parametrize(
    "change",
    [
        {"ratio_bp": 10_001},
        {"ratio_bp": -1},
        {"ratio_bp": 1_000},
        {"epoch": 0},
        {"step": 4},
        {"schema": 2},
        {"phase": "unheard of"},
        {"phase": "hold"},
        {"held": "canary"},
        {"canary": ""},
        {"plan": {"shares_bp": [3_000, 1_000, 10_000]}},
        {"plan": {"shares_bp": [1_000]}},
        {"plan": {"shares_bp": []}},
        {"plan": {"shares_bp": [10_000], "soak_s": -1}},
        {"guards": {"failure_rate": 1.5}},
        {"guards": {"sustained": 0}},
    ],
    ids=str,
)
def test_a_value_out_of_range_is_refused(change: dict[str, object]) -> None:
    content = json.loads(document_to_json(DOCUMENT)) | change

    with pytest.raises(ReleaseInvalid):
        json_to_document(json.dumps(content).encode())


@pytest.mark.parametrize("length", [0, 1, 40, len(document_to_json(DOCUMENT)) - 1])
def test_a_torn_document_is_refused(length: int) -> None:
    with pytest.raises(ReleaseInvalid):
        json_to_document(document_to_json(DOCUMENT)[:length])


def test_what_later_versions_add_is_passed_over() -> None:
    content = json.loads(document_to_json(DOCUMENT)) | {"color": "green"}

    assert json_to_document(json.dumps(content).encode()) == DOCUMENT


def test_both_versions_are_wanted_until_the_end() -> None:
    ended = replace(DOCUMENT, phase=Phase.PROMOTED, ratio_bp=10_000)

    assert DOCUMENT.wanted == ("a@1", "a@2")
    assert ended.wanted == ("a@2",)
    assert replace(DOCUMENT, phase=Phase.ROLLED_BACK).wanted == ("a@1",)
