"""The language model on the project's own pictures: it has to be worth its time."""

from __future__ import annotations

from pathlib import Path

import pytest

from shizi.bench.peers import ShiziPeer
from shizi.bench.run import BenchPlan, measure_peer
from shizi.core.options import Decoder

pytestmark = pytest.mark.acceptance

RENDERED = Path(__file__).parents[2] / "bench" / "rendered"


def test_language_makes_fewer_mistakes() -> None:
    plan = BenchPlan(RENDERED, pages=False)
    rates = {
        decoder: measure_peer(plan, decoder, ShiziPeer(2, decoder=decoder)).lines[""].cer
        for decoder in Decoder
    }
    assert rates[Decoder.BEAM] < 0.95 * rates[Decoder.GREEDY]
