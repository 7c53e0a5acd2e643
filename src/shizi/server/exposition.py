"""Puts numbers of several processes into one answer of the text form that Prometheus reads."""

from __future__ import annotations

from collections.abc import Iterable


def merge_metrics(texts: Iterable[bytes]) -> bytes:
    """Join what several processes counted.

    Args:
        texts: each in the text form; labels tell the samples of different processes apart.

    Returns:
        Every family once, with the samples of all: the form allows it no second time.
    """
    families: dict[bytes, tuple[list[bytes], list[bytes]]] = {}
    for text in texts:
        name = b""
        told: set[bytes] = set()
        for line in text.splitlines():
            if line.startswith((b"# HELP ", b"# TYPE ")):
                name = line.split(b" ", 3)[2]
                if name not in families:
                    families[name] = ([], [])
                    told.add(name)
                if name in told:
                    families[name][0].append(line)
            elif line and not line.startswith(b"#"):
                families.setdefault(name, ([], []))[1].append(line)
    lines = [line for head, samples in families.values() for line in (*head, *samples)]
    return b"\n".join(lines) + b"\n" if lines else b""
