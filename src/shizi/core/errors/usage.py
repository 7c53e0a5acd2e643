"""What is wrong with how Shizi was called, set up or installed."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from shizi.core.errors.base import ShiziError


class OptionError(ShiziError):
    """An option has an unknown name or an impossible value."""

    code = "bad_option"
    http_status = 422
    exit_status = 1
    advice = "See `shizi --help`, or over HTTP `/v1/options`, for the options and their values."

    @classmethod
    def unknown(cls, name: str, known: Iterable[str], noun: str = "option") -> OptionError:
        """Name the unknown option and, where one is near, the one probably meant."""
        names = sorted(known)
        near = difflib.get_close_matches(name, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(names)}"
        return cls(f"unknown {noun} {name!r}; {hint}")


class ConfigError(ShiziError):
    """A setting in the file, the environment or a flag is wrong; nothing was started."""

    code = "bad_config"
    exit_status = 9
    advice = "Fix the setting named; `shizi config show` tells where each value comes from."


class MissingExtra(ShiziError):
    """The command needs packages of an extra that is not installed."""

    code = "missing_extra"
    http_status = 501
    exit_status = 3
    advice = "Install the extra with the command given."

    def __init__(self, extra: str) -> None:
        """Name the extra; the message holds the command that installs it."""
        super().__init__(f"this needs the extra {extra!r}: pip install 'shizi[{extra}]'")
        self.extra = extra

    @property
    def values(self) -> tuple[str]:
        """The extra."""
        return (self.extra,)


class FileAccessError(ShiziError):
    """A file cannot be opened, read or written."""

    code = "file_access"
    exit_status = 5
    advice = "Check the path, that it exists, and its permissions."


class OutOfSpace(FileAccessError):
    """There is no room for more files; nothing of what was sent is kept."""

    code = "out_of_space"
    http_status = 507
    advice = "Wait until jobs have ended, send less, or give the folder of the jobs more room."
