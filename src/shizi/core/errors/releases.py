"""What goes wrong with a gray release."""

from __future__ import annotations

from shizi.core.errors.base import ShiziError


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
