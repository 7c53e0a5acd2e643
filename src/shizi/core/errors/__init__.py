"""Every error Shizi raises on purpose, and what each one means outside.

    ShiziError                    code             http  exit
    ├─ InputError                 bad_input        422   2
    │  ├─ UnsupportedFormat       unsupported      415   2
    │  ├─ TooLarge                too_large        413   2    names the limit and the actual value
    │  ├─ CorruptImage            corrupt          422   2
    │  ├─ EncryptedPdf            encrypted_pdf    422   8
    │  ├─ Quarantined             quarantined      422   2
    │  └─ BadArchive              bad_archive      422   2
    ├─ OptionError                bad_option       422   1    names the option and what it may be
    ├─ FileAccessError            file_access      500   5
    │  └─ OutOfSpace              out_of_space     507   5
    ├─ Busy                       busy             503   15   retry_after_s
    │  ├─ Unavailable             unavailable      503   15
    │  └─ LedgerFailed            ledger_failed    503   15
    ├─ JobNotFound                job_not_found    404   15
    ├─ JobUnfinished              job_unfinished   409   15
    ├─ KeyReused                  key_reused       422   15
    ├─ LeaseLost                  lease_lost       409   15
    ├─ DeadlineExceeded           deadline         504   15
    ├─ StartFailed                start_failed     500   15
    ├─ Canceled                   canceled         409   15
    ├─ ModelError                 model            500   3
    │  ├─ ModelNotFound           model_not_found  404   3
    │  ├─ ChecksumMismatch        checksum         500   3
    │  ├─ IncompatibleModel       incompatible     500   3
    │  ├─ BadBundle               bad_bundle       422   3
    │  ├─ PullFailed              pull_failed      502   3
    │  ├─ ModelConflict           model_conflict   409   3
    │  ├─ GoldenFailed            golden_failed    500   3
    │  └─ NoHeadroom              no_headroom      503   3
    ├─ GateFailed                 gate_failed      409   11
    ├─ ReleaseError               release          500  15
    │  ├─ NoRelease               no_release       404  15
    │  ├─ ReleaseConflict         release_conflict 409  15
    │  ├─ ReleaseRefused          release_refused  409  15
    │  ├─ ReleaseInvalid          release_invalid  500  15
    │  └─ ReleaseStoreGone        release_store    503  15
    ├─ MissingExtra               missing_extra    501   3    names the pip command
    ├─ ConfigError                bad_config       500   9
    ├─ RequestError               bad_request      400   15
    │  ├─ MissingUpload           missing_image    400   15
    │  ├─ Unauthorized            unauthorized     401   15
    │  ├─ SlowClient              slow_client      408   15
    │  ├─ UnsupportedBody         unsupported_body 415   15
    │  └─ RateLimited             rate_limited     429   15   retry_after_s
    └─ Unreachable                unreachable      502   15

A foreign exception is translated into one of these at the seam where its library is called.
"""

from __future__ import annotations

from shizi.core.errors.base import ShiziError, bug
from shizi.core.errors.inputs import (
    BadArchive,
    CorruptImage,
    EncryptedPdf,
    InputError,
    Quarantined,
    TooLarge,
    UnsupportedFormat,
)
from shizi.core.errors.jobs import (
    JobNotFound,
    JobUnfinished,
    KeyReused,
    LeaseLost,
    LedgerFailed,
)
from shizi.core.errors.models import (
    BadBundle,
    ChecksumMismatch,
    GateFailed,
    GoldenFailed,
    IncompatibleModel,
    ModelConflict,
    ModelError,
    ModelNotFound,
    NoHeadroom,
    PullFailed,
)
from shizi.core.errors.releases import (
    NoRelease,
    ReleaseConflict,
    ReleaseError,
    ReleaseInvalid,
    ReleaseRefused,
    ReleaseStoreGone,
)
from shizi.core.errors.requests import (
    MissingUpload,
    RateLimited,
    RequestError,
    SlowClient,
    Unauthorized,
    UnsupportedBody,
)
from shizi.core.errors.service import (
    Busy,
    Canceled,
    DeadlineExceeded,
    StartFailed,
    Unavailable,
    Unreachable,
)
from shizi.core.errors.usage import (
    ConfigError,
    FileAccessError,
    MissingExtra,
    OptionError,
    OutOfSpace,
)

__all__ = [
    "BadArchive",
    "BadBundle",
    "Busy",
    "Canceled",
    "ChecksumMismatch",
    "ConfigError",
    "CorruptImage",
    "DeadlineExceeded",
    "EncryptedPdf",
    "FileAccessError",
    "GateFailed",
    "GoldenFailed",
    "IncompatibleModel",
    "InputError",
    "JobNotFound",
    "JobUnfinished",
    "KeyReused",
    "LeaseLost",
    "LedgerFailed",
    "MissingExtra",
    "MissingUpload",
    "ModelConflict",
    "ModelError",
    "ModelNotFound",
    "NoHeadroom",
    "NoRelease",
    "OptionError",
    "OutOfSpace",
    "PullFailed",
    "Quarantined",
    "RateLimited",
    "ReleaseConflict",
    "ReleaseError",
    "ReleaseInvalid",
    "ReleaseRefused",
    "ReleaseStoreGone",
    "RequestError",
    "ShiziError",
    "SlowClient",
    "StartFailed",
    "TooLarge",
    "Unauthorized",
    "Unavailable",
    "Unreachable",
    "UnsupportedBody",
    "UnsupportedFormat",
    "bug",
    "error_kinds",
    "find_kind",
]


def error_kinds() -> list[type[ShiziError]]:
    """List every class of the tree, the root first."""
    kinds = [ShiziError]
    for kind in kinds:
        kinds += [child for child in kind.__subclasses__() if child.__module__.startswith(__name__)]
    return kinds


def find_kind(code: str) -> type[ShiziError]:
    """Give the class of a code; the root where there is none."""
    return next((kind for kind in error_kinds() if kind.code == code), ShiziError)
