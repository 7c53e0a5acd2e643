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

import difflib
from collections.abc import Iterable
from typing import ClassVar


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


class InputError(ShiziError):
    """The bytes handed in cannot be read."""

    code = "bad_input"
    http_status = 422
    exit_status = 2
    advice = "Check the file; open it in a viewer and save it again as PNG, JPEG or PDF."


class UnsupportedFormat(InputError):
    """The content is no picture or document format that Shizi reads."""

    code = "unsupported"
    http_status = 415
    advice = "Convert it to PNG, JPEG, TIFF, WebP, BMP, GIF or PDF."


class TooLarge(InputError):
    """A limit on bytes, pixels or pages was exceeded; checked before memory is taken."""

    code = "too_large"
    http_status = 413
    advice = "Send a smaller file, or raise the limit in the configuration."

    def __init__(self, limit_name: str, limit: int, actual: int) -> None:
        """Name the limit ("max_bytes", "max_pixels", "max_pages"), its value and what came."""
        super().__init__(f"{limit_name} is {limit:,} and the input has {actual:,}")
        self.limit_name = limit_name
        self.limit = limit
        self.actual = actual

    def __reduce__(self) -> tuple[type[TooLarge], tuple[str, int, int]]:
        """Survive the trip between processes with its three values."""
        return type(self), (self.limit_name, self.limit, self.actual)


class CorruptImage(InputError):
    """The format is known, its content is damaged beyond reading."""

    code = "corrupt"
    advice = "The file is damaged or cut short; send it again or export it anew."


class EncryptedPdf(InputError):
    """The PDF needs a password, or the one given is wrong."""

    code = "encrypted_pdf"
    exit_status = 8
    advice = "Give the password, or save the PDF without one."


class Quarantined(InputError):
    """Decoding the input ended the process that did it, more than once."""

    code = "quarantined"
    advice = "Open it in a viewer and save it again; as it is, it is not tried any more."


class BadArchive(InputError):
    """A ZIP archive is damaged, encrypted, or made to harm."""

    code = "bad_archive"
    advice = "Pack the files anew, without a password, links or paths that lead out of the folder."


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


class Busy(ShiziError):
    """All queues are full; nothing was started."""

    code = "busy"
    http_status = 503
    advice = "Try again after the time given."

    def __init__(self, retry_after_s: float) -> None:
        """Say after how many seconds another try makes sense."""
        super().__init__(f"busy; try again in {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[type[Busy], tuple[float]]:
        """Survive the trip between processes with its value."""
        return type(self), (self.retry_after_s,)


class Unavailable(Busy):
    """A process of the service is gone and not back yet."""

    code = "unavailable"
    advice = "Try again after the time given; if it stays so, see the log of the service."

    def __init__(self, retry_after_s: float) -> None:
        """Say after how many seconds another try makes sense."""
        super().__init__(retry_after_s)
        self.detail = "a process of the service ended and is being replaced"


class LedgerFailed(Busy):
    """The ledger of jobs cannot be reached or written; what it holds stays as it is."""

    code = "ledger_failed"
    advice = "See that its database runs and its disk has room; the work goes on where it stopped."

    def __init__(self, detail: str, retry_after_s: float = 5.0) -> None:
        """Say what failed, and after how many seconds another try makes sense."""
        super().__init__(retry_after_s)
        self.detail = detail
        self.args = (detail,)

    def __reduce__(self) -> tuple[type[LedgerFailed], tuple[str, float]]:  # type: ignore[override]
        """Survive the trip between processes with its values."""
        return type(self), (self.detail, self.retry_after_s)


class JobNotFound(ShiziError):
    """There is no job of this id, or none any more."""

    code = "job_not_found"
    http_status = 404
    advice = "Check the id; jobs are forgotten some time after they have ended."

    def __init__(self, job_id: str) -> None:
        """Name the job."""
        super().__init__(f"there is no job {job_id!r}")
        self.job_id = job_id

    def __reduce__(self) -> tuple[type[JobNotFound], tuple[str]]:
        """Survive the trip between processes with its value."""
        return type(self), (self.job_id,)


class JobUnfinished(ShiziError):
    """The job has not ended yet, and what was asked for is whole only then."""

    code = "job_unfinished"
    http_status = 409
    advice = "Ask for its state until it has ended, or fetch what is there page by page."


class KeyReused(ShiziError):
    """An idempotency key came again with something else to do."""

    code = "key_reused"
    http_status = 422
    advice = "Use a new key for every new submission, and the old one only to repeat the same."


class LeaseLost(ShiziError):
    """Work was taken from whoever did it, or its job ended; nothing more of it is written."""

    code = "lease_lost"
    http_status = 409
    advice = "Drop the work; whoever has it now does it."


class DeadlineExceeded(ShiziError):
    """The time given for the work ran out; the work was stopped."""

    code = "deadline"
    http_status = 504
    advice = "Send fewer or smaller pages, or allow more time."


class StartFailed(ShiziError):
    """A process of the service ended before it was ready; nothing runs."""

    code = "start_failed"
    advice = "The lines above say why; `shizi doctor` checks the installation."


class Canceled(ShiziError):
    """The caller gave the work up."""

    code = "canceled"
    http_status = 409
    advice = "Submit it again if it is still wanted."


class ModelError(ShiziError):
    """A model failed as a whole."""

    code = "model"
    exit_status = 3
    advice = "Run `shizi models verify`; reinstall the package if a file is damaged."


class ModelNotFound(ModelError):
    """No installed model has this name."""

    code = "model_not_found"
    http_status = 404
    advice = "See `shizi models list` for the installed models."


class ChecksumMismatch(ModelError):
    """A model file differs from its manifest."""

    code = "checksum"
    advice = "The file was changed or damaged; reinstall the package."


class IncompatibleModel(ModelError):
    """The model file does not fit what the program expects of it."""

    code = "incompatible"
    advice = "Use a model made for this version, or export it again."


class BadBundle(ModelError):
    """What is to be installed is no model, or holds what a model must not."""

    code = "bad_bundle"
    http_status = 422
    advice = "Nothing was installed; take the bundle from its maker again, or export it anew."


class PullFailed(ModelError):
    """A model cannot be fetched from where it was said to be."""

    code = "pull_failed"
    http_status = 502
    advice = "Check the address and the network; what has arrived is kept, the next try goes on."


class ModelConflict(ModelError):
    """A model cannot be installed or removed because of another, or because it is in use."""

    code = "model_conflict"
    http_status = 409
    advice = "Give the model another version, or take the one that is there out of use first."


class GoldenFailed(ModelError):
    """A model misreads lines whose text is known; it is not taken into service."""

    code = "golden_failed"
    advice = "Export the model again; its charset or its network is not what it was trained with."


class NoHeadroom(ModelError):
    """Memory for a second model is short; it was not loaded."""

    code = "no_headroom"
    http_status = 503
    advice = "Free memory, or raise engine.memory_budget with engine.versions set to 2."


class GateFailed(ShiziError):
    """A measured figure misses its bound."""

    code = "gate_failed"
    http_status = 409
    exit_status = 11
    advice = "The message names the bound and the figure; the candidate was not taken."


class ReleaseError(ShiziError):
    """Something about a gray release; requests are answered all the same."""

    code = "release"
    advice = "See `shizi release status`."


class NoRelease(ReleaseError):
    """There is no release yet."""

    code = "no_release"
    http_status = 404
    advice = "Begin one with `shizi release start VERSION`."


class ReleaseConflict(ReleaseError):
    """Somebody else changed the release meanwhile; nothing was changed."""

    code = "release_conflict"
    http_status = 409
    advice = "Look at `shizi release status`, and try again if it is still wanted."


class ReleaseRefused(ReleaseError):
    """The release cannot go where it was told to; nothing was changed."""

    code = "release_refused"
    http_status = 409
    advice = "See `shizi release status` for its phase, and docs/releases.md for what may follow."


class ReleaseInvalid(ReleaseError):
    """A stored state or setting of a release is torn, of another schema, or out of range."""

    code = "release_invalid"
    advice = "It is not used, the last good one stays; write it whole and within its range."


class ReleaseStoreGone(ReleaseError):
    """The place the state of releases is kept in cannot be reached."""

    code = "release_store"
    http_status = 503
    advice = "Check the setting `releases.store`; the share stays as it is until it is back."


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

    def __reduce__(self) -> tuple[type[MissingExtra], tuple[str]]:
        """Survive the trip between processes with its value."""
        return type(self), (self.extra,)


class ConfigError(ShiziError):
    """A setting in the file, the environment or a flag is wrong; nothing was started."""

    code = "bad_config"
    exit_status = 9
    advice = "Fix the setting named; `shizi config show` tells where each value comes from."


class RequestError(ShiziError):
    """An HTTP request is malformed, or its body did not arrive whole."""

    code = "bad_request"
    http_status = 400
    advice = "Compare the request with the documentation of the service, at `/docs`."


class MissingUpload(RequestError):
    """The request holds no picture."""

    code = "missing_image"
    advice = (
        "Send the picture as multipart/form-data in a file field named `image` or `file`, in "
        "base64 as `image` of a JSON object, or its bytes alone."
    )


class Unauthorized(RequestError):
    """The service asks for a key, and the request has none that it knows."""

    code = "unauthorized"
    http_status = 401
    advice = "Send a key in the header `X-API-Key`, or as `Authorization: Bearer`."


class SlowClient(RequestError):
    """The body of the request took longer to arrive than the service waits."""

    code = "slow_client"
    http_status = 408
    advice = "Send it again over a faster connection, or send less at once."


class UnsupportedBody(RequestError):
    """The body is of a type or encoding that the service does not take."""

    code = "unsupported_body"
    http_status = 415
    advice = "Send multipart/form-data, application/json, or the bytes of a picture or PDF."


class RateLimited(RequestError):
    """A client has asked more often than it may."""

    code = "rate_limited"
    http_status = 429
    advice = "Try again after the time given, or ask whoever runs the service for a higher limit."

    def __init__(self, retry_after_s: float) -> None:
        """Say after how many seconds another try makes sense."""
        super().__init__(f"too many requests; try again in {retry_after_s:.0f} s")
        self.retry_after_s = retry_after_s

    def __reduce__(self) -> tuple[type[RateLimited], tuple[float]]:
        """Survive the trip between processes with its value."""
        return type(self), (self.retry_after_s,)


class Unreachable(ShiziError):
    """A client cannot reach the service, or what answers is no Shizi."""

    code = "unreachable"
    http_status = 502
    advice = "Check the address, and that the service runs."


def error_kinds() -> list[type[ShiziError]]:
    """List every class of the tree, the root first."""
    kinds: list[type[ShiziError]] = [ShiziError]
    for kind in kinds:
        kinds += [child for child in kind.__subclasses__() if child.__module__ == __name__]
    return kinds
