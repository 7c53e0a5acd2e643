"""Keeps numbers below 1.2e-38 out of a network's arithmetic, where they cost most of its time.

A processor may take a hundred times as long for a product with a subnormal number as for any
other. The tails of GELU and of sigmoids are full of them: two layers of the detector took two
thirds of its time on such a processor. The runtime's own switch reaches the threads of its pool,
but the thread that asks for a run works with them; and it leaves the switch on in whatever thread
makes the first session. Here it is on for the length of a run and back afterwards, so that a
program that uses Shizi keeps the arithmetic it had.
"""

from __future__ import annotations

import ctypes
import platform
from collections.abc import Iterator
from contextlib import contextmanager

# Of the register MXCSR: results that are subnormal become zero, operands that are count as zero.
_FLUSH_TO_ZERO = 0x8000
_DENORMALS_ARE_ZERO = 0x0040
# The floating-point environment of the C library on x86-64: 28 bytes for the old coprocessor,
# then MXCSR.
_OTHER_BYTES = 28


class _Environment(ctypes.Structure):
    _fields_ = (("other", ctypes.c_ubyte * _OTHER_BYTES), ("mxcsr", ctypes.c_uint32))


@contextmanager
def flush_subnormals() -> Iterator[None]:
    """Count subnormal numbers as zero in this thread until the end of the block.

    Does nothing where the processor or the C library is another than x86-64's on Linux.
    """
    if _library is None:
        yield
        return
    before = _Environment()
    _library.fegetenv(ctypes.byref(before))
    within = _Environment.from_buffer_copy(before)
    within.mxcsr |= _FLUSH_TO_ZERO | _DENORMALS_ARE_ZERO
    _library.fesetenv(ctypes.byref(within))
    try:
        yield
    finally:
        _library.fesetenv(ctypes.byref(before))


def _load() -> ctypes.PyDLL | None:
    """Open the C library's mathematics where its environment is laid out as said above."""
    if platform.system() != "Linux" or platform.machine() != "x86_64":
        return None
    try:
        # PyDLL: a call of a few nanoseconds is not worth handing the interpreter over.
        library = ctypes.PyDLL("libm.so.6")
    except OSError:  # another C library, such as musl
        return None
    return library


_library = _load()
