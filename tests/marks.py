"""Marks that tests of several modules have."""

from __future__ import annotations

import pytest

#: For what happens within the page or behind the web process: it is the same whichever kind of
#: worker serves it. `test_server`, `test_page`, `test_page_jobs` and `test_faults` ask both.
ONE_WORKER = pytest.mark.parametrize("service", ["gthread"], indirect=True)
