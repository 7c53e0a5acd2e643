"""Objects that nothing but a cycle holds: the collector's to find."""

from __future__ import annotations

import weakref


class _Held:
    itself: _Held | None = None


def lost_cycle() -> weakref.ref[_Held]:
    """Make an object that holds itself and nobody else holds, and give what tells of its end."""
    held = _Held()
    held.itself = held
    return weakref.ref(held)
