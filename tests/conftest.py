"""What tests of every folder share."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _one_thread_for_torch() -> None:
    """Compute small networks in one thread: several wait for each other most of the time."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Give the folder of real pictures beside the repository, or skip the test."""
    beside = Path(__file__).resolve().parents[2] / "shared"
    folder = Path(os.environ.get("SHIZI_SHARED", beside))
    if not folder.is_dir():
        pytest.skip("no real pictures: neither SHIZI_SHARED nor ../shared is a folder")
    return folder
