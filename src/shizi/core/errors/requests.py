"""What is wrong with an HTTP request."""

from __future__ import annotations

from shizi.core.errors.base import ShiziError


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

    @property
    def values(self) -> tuple[float]:
        """The time."""
        return (self.retry_after_s,)
