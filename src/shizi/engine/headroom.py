"""Whether there is memory for one more version of the recognizer beside those that serve."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from shizi.core.errors import NoHeadroom
from shizi.engine.allowance import ENGINE_BYTES

# What a loaded network takes for a byte of its file: its weights twice, packed for the processor,
# and what its runs allocate.
MODEL_FACTOR = 3
# An engine that has read a page, where nothing bounds what it keeps for the next one.
LOOSE_BYTES = 250_000_000
_MIB = 1 << 20


@dataclass(frozen=True, slots=True)
class Headroom:
    """What may be taken.

    Attributes:
        budget_bytes: of all processes together; 0 for no bound.
        version_bytes: of the budget, kept for one more version.
        used_bytes: gives what all processes take now.
        free_bytes: gives what the machine has left, None where it does not tell.
    """

    budget_bytes: int
    version_bytes: int
    used_bytes: Callable[[], int]
    free_bytes: Callable[[], int | None]

    def check(self, version: str, model_bytes: int) -> None:
        """Look whether a model may be loaded.

        Args:
            version: for the message.
            model_bytes: size of its file.

        Raises:
            NoHeadroom: it may not.
        """
        need = MODEL_FACTOR * model_bytes
        if self.budget_bytes:
            need += ENGINE_BYTES
            left = min(self.version_bytes, self.budget_bytes - self.used_bytes())
        else:
            need += LOOSE_BYTES
            left = self.free_bytes() or need
        if need > left:
            needed, kept = (f"{max(0, size) / _MIB:.0f} MiB" for size in (need, left))
            raise NoHeadroom(f"{version} takes about {needed}, and {kept} are left")
