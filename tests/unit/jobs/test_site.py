"""Where jobs are kept, and whether there are any."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from shizi.core.config import Settings
from shizi.jobs.site import holds_files, open_site

JOBS = Settings().jobs


def test_a_folder_holds_files_from_their_arrival_to_their_end(tmp_path: Path) -> None:
    jobs = replace(JOBS, folder=tmp_path)
    before = holds_files(jobs)
    site = open_site(jobs)
    opened = holds_files(jobs)
    with site.spool.deposit() as deposit:
        arriving = holds_files(jobs)
        deposit.complete()
    kept = holds_files(jobs)
    site.spool.remove(deposit.name)
    site.close()

    assert (before, opened, arriving, kept) == (False, False, True, True)
    assert not holds_files(jobs)


def test_no_folder_holds_no_files() -> None:
    assert not holds_files(replace(JOBS, folder=None))
