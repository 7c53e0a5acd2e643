"""What is wrong with a model."""

from __future__ import annotations

from shizi.core.errors.base import ShiziError


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
