"""Marks that tests of several modules have."""

from __future__ import annotations

import os

import pytest

_WORKERS = ["gthread", "gevent"] if os.environ.get("SHIZI_TEST_WORKERS") == "both" else ["gthread"]
#: For what happens within the page or behind the web process: whichever kind of worker serves it
#: should not matter. `test_server`, `test_page`, `test_page_jobs` and `test_faults` ask both every
#: time, the others where the environment says `SHIZI_TEST_WORKERS=both`.
ONE_WORKER = pytest.mark.parametrize("service", _WORKERS, indirect=True)
