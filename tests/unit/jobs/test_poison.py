"""A picture that ends whoever reads it: the rest of its chunk is read, it is a dead letter."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from shizi.jobs.opening import open_ledger
from shizi.jobs.reaper import Reaper
from shizi.jobs.spec import Spec, spec_to_text
from shizi.jobs.values import JobState, Order, Source
from tests.program import ROOT, environment

_WORKER = """
import os, sys, threading
from shizi.jobs.opening import open_ledger
from shizi.jobs.run import Desk, Pace, work_chunk
from tests.fakes import one_page

class Reader:
    def read(self, source, options):
        if source == b"poison":
            os.kill(os.getpid(), 9)
        return [one_page("x")]

ledger = open_ledger(sys.argv[1])
desk = Desk(ledger, Reader(), str.encode, Pace(beat_s=0.05))
while chunk := ledger.claim("worker"):
    work_chunk(desk, chunk, threading.Event())
"""


def test_the_rest_survives(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "jobs.db")
    names = ["a", "b", "poison", "c", "d"]
    order = Order(
        tuple(Source(name, name=name, digest=f"d-{name}") for name in names),
        spec=spec_to_text(Spec()),
        chunk_items=5,
        max_attempts=3,
    )
    job = ledger.submit(order).job
    reaper = Reaper(ledger, 0.4)
    deaths = 0
    ends = time.monotonic() + 60

    while not ledger.job(job.id).state.ended and time.monotonic() < ends:
        done = subprocess.run(
            [sys.executable, "-c", _WORKER, str(tmp_path / "jobs.db")],
            env=environment() | {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
            check=False,
        )
        deaths += done.returncode == -9
        while ledger.pulses():
            reaper.round()
            time.sleep(0.05)

    assert ledger.job(job.id).state is JobState.SUCCEEDED
    assert [record.item for record in ledger.pages(job.id)] == [0, 1, 3, 4]
    (letter,) = ledger.dead_letters(job.id)
    assert (letter.source.name, letter.source.digest, letter.attempts) == ("poison", "d-poison", 3)
    assert deaths == 3
    ledger.close()
