"""Files of weights: written whole, read as weights and nothing else, with errors that name them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from shizi.core.errors import FileAccessError, IncompatibleModel

# What torch raises on a file that is cut short or something else altogether.
_DAMAGED = (EOFError, KeyError, RuntimeError, TypeError, ValueError, AttributeError, IndexError)


def load_file(path: Path) -> Any:
    """Give what `torch.save` wrote, on the CPU; code that a file may hold is not run.

    Raises:
        FileAccessError: the file cannot be read.
        IncompatibleModel: it holds more than weights, is damaged, or is something else.
    """
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except OSError as error:
        raise FileAccessError(f"{path} cannot be read") from error
    except UnpicklingError as error:
        raise IncompatibleModel(f"{path} holds more than weights, or is damaged") from error
    except _DAMAGED as error:
        reason = type(error).__name__
        raise IncompatibleModel(f"{path} is no file of weights ({reason})") from error


def write_file(content: Any, path: Path) -> None:
    """Write what `load_file` gives, whole or not at all; a folder that is missing is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".partial")
    torch.save(content, partial)
    partial.replace(path)


@contextlib.contextmanager
def checkpoint_of(path: Path) -> Iterator[Any]:
    """Give what a file holds; what does not fit in the block is told as a fault of the file.

    Raises:
        FileAccessError: the file cannot be read.
        IncompatibleModel: it is no checkpoint, or not one that fits.
    """
    content = load_file(path)
    try:
        yield content
    except _DAMAGED as error:
        # Our own words tell more than torch's kind of error.
        reason = str(error) if type(error) is ValueError else type(error).__name__
        raise IncompatibleModel(f"{path} is no checkpoint that fits ({reason})") from error
