"""Shizi (识字) reads Chinese and English text in pictures and documents on a plain CPU.

    from shizi import Reader

    for page in Reader().read("receipt.png"):
        print(page.text)

The names below are the public face; each is loaded when it is first asked for, so that importing
the package costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shizi.core.config import Settings
    from shizi.core.errors import (
        BadArchive,
        BadBundle,
        Busy,
        Canceled,
        ChecksumMismatch,
        ConfigError,
        CorruptImage,
        DeadlineExceeded,
        EncryptedPdf,
        FileAccessError,
        GateFailed,
        GoldenFailed,
        IncompatibleModel,
        InputError,
        JobNotFound,
        JobUnfinished,
        KeyReused,
        LeaseLost,
        LedgerFailed,
        MissingExtra,
        MissingUpload,
        ModelConflict,
        ModelError,
        ModelNotFound,
        NoHeadroom,
        OptionError,
        OutOfSpace,
        PullFailed,
        Quarantined,
        RateLimited,
        RequestError,
        ShiziError,
        SlowClient,
        StartFailed,
        TooLarge,
        Unauthorized,
        Unavailable,
        Unreachable,
        UnsupportedBody,
        UnsupportedFormat,
    )
    from shizi.core.options import (
        DecodeOptions,
        Decoder,
        DetectOptions,
        Effort,
        Lane,
        Limits,
        PdfText,
        ReadOptions,
    )
    from shizi.core.types import Character, Direction, Notice, Origin, PageResult, Quad, TextLine
    from shizi.engine.reader import Reader

__version__ = "0.1.0"

_ERRORS = (
    "BadArchive BadBundle Busy Canceled ChecksumMismatch ConfigError CorruptImage "
    "DeadlineExceeded EncryptedPdf FileAccessError GateFailed GoldenFailed IncompatibleModel "
    "InputError JobNotFound JobUnfinished KeyReused LeaseLost LedgerFailed MissingExtra "
    "MissingUpload ModelConflict ModelError ModelNotFound NoHeadroom OptionError OutOfSpace "
    "PullFailed Quarantined RateLimited RequestError ShiziError SlowClient StartFailed TooLarge "
    "Unauthorized Unavailable Unreachable UnsupportedBody UnsupportedFormat"
)
_HOMES = {
    "shizi.core.config": "Settings",
    "shizi.core.errors": _ERRORS,
    "shizi.core.options": (
        "DecodeOptions Decoder DetectOptions Effort Lane Limits PdfText ReadOptions"
    ),
    "shizi.core.types": "Character Direction Notice Origin PageResult Quad TextLine",
    "shizi.engine.reader": "Reader",
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names.split()}

__all__ = [
    "BadArchive",
    "BadBundle",
    "Busy",
    "Canceled",
    "Character",
    "ChecksumMismatch",
    "ConfigError",
    "CorruptImage",
    "DeadlineExceeded",
    "DecodeOptions",
    "Decoder",
    "DetectOptions",
    "Direction",
    "Effort",
    "EncryptedPdf",
    "FileAccessError",
    "GateFailed",
    "GoldenFailed",
    "IncompatibleModel",
    "InputError",
    "JobNotFound",
    "JobUnfinished",
    "KeyReused",
    "Lane",
    "LeaseLost",
    "LedgerFailed",
    "Limits",
    "MissingExtra",
    "MissingUpload",
    "ModelConflict",
    "ModelError",
    "ModelNotFound",
    "NoHeadroom",
    "Notice",
    "OptionError",
    "Origin",
    "OutOfSpace",
    "PageResult",
    "PdfText",
    "PullFailed",
    "Quad",
    "Quarantined",
    "RateLimited",
    "ReadOptions",
    "Reader",
    "RequestError",
    "Settings",
    "ShiziError",
    "SlowClient",
    "StartFailed",
    "TextLine",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "UnsupportedBody",
    "UnsupportedFormat",
    "__version__",
]


def __getattr__(name: str) -> object:
    """Load a public name from the module it lives in."""
    if name not in _HOME_OF:
        raise AttributeError(f"module 'shizi' has no attribute {name!r}")
    return getattr(import_module(_HOME_OF[name]), name)


def __dir__() -> list[str]:
    """List the public names, loaded or not."""
    return sorted(__all__)
