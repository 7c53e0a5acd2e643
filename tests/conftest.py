"""What tests of every folder share."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

import pytest


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard() -> None:
    """Let programs that tests start be interrupted, as from a terminal.

    A shell starts what runs in the background with interrupts ignored, and that is inherited.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


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
