"""The root of every error."""

from __future__ import annotations

from typing import ClassVar, Self


class ShiziError(Exception):
    """The root of the tree; never raised itself.

    Attributes:
        code: stable machine-readable name, part of the API.
        http_status: status an HTTP answer carries.
        exit_status: status the command line leaves with.
        advice: what the user can do about it, one sentence.
    """

    code: ClassVar[str] = "error"
    http_status: ClassVar[int] = 500
    exit_status: ClassVar[int] = 15
    advice: ClassVar[str] = "Report this with the output of `shizi doctor`."

    def __init__(self, detail: str) -> None:
        """Keep one sentence that names the thing at fault; it never holds recognized text."""
        super().__init__(detail)
        self.detail = detail

    def __str__(self) -> str:
        """Give the sentence."""
        return self.detail

    @property
    def values(self) -> tuple[str | float, ...]:
        """What its class takes to make it again, in another process too."""
        return (self.detail,)

    def __reduce__(self) -> tuple[type[Self], tuple[str | float, ...]]:
        """Survive the trip between processes, whatever its class takes."""
        return type(self), self.values


def bug() -> ShiziError:
    """Give what others are told of a bug of ours: the log has its trace, the document stays out."""
    return ShiziError("an unexpected error; the log of the service has its trace")
