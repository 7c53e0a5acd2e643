"""Fetches a file over HTTP; what breaks off goes on where it was."""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from shizi.core.errors import ChecksumMismatch, FileAccessError, PullFailed

Sleep = Callable[[float], None]

_CHUNK = 1 << 18
_SCHEMES = ("https", "http")
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
# What a server says when it cannot serve now but may in a moment.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})
_UNSATISFIABLE = 416


@dataclass(frozen=True, slots=True)
class DownloadOptions:
    """How a file is fetched.

    Attributes:
        most_bytes: a larger one is refused.
        tries: without a byte gained, before it is given up.
        pause_s: before the second of them; doubled each time.
        timeout_s: without a byte, before a connection is given up.
    """

    most_bytes: int = 4 << 30
    tries: int = 4
    pause_s: float = 0.5
    timeout_s: float = 30.0


_OPTIONS = DownloadOptions()


class _Interrupted(Exception):
    """A try ended before the file did; another may go on."""


@dataclass(frozen=True, slots=True)
class _Progress:
    """What is known of a file that has arrived in part.

    Attributes:
        validator: ETag or date by which its server tells whether it is still the same.
        total: its bytes, None where the server did not say.
    """

    validator: str = ""
    total: int | None = None


def fetch(
    url: str,
    target: Path,
    sha256: str = "",
    options: DownloadOptions = _OPTIONS,
    sleep: Sleep = time.sleep,
) -> None:
    """Fetch a file.

    Args:
        url: of http or https; a redirection away from https is not followed.
        target: where it is to lie; beside it lies what has arrived of it so far, and the next call
            with this target goes on from there.
        sha256: of the file, hexadecimal; empty takes what comes.
        options: bounds.
        sleep: waits between two tries.

    Raises:
        PullFailed: it cannot be fetched; what has arrived is kept.
        ChecksumMismatch: it arrived whole and is another file; nothing is kept.
        FileAccessError: it cannot be written.
    """
    if urlsplit(url).scheme not in _SCHEMES:
        raise PullFailed(f"{shown(url)} is no address of http or https")
    part = target.with_name(target.name + ".part")
    try:
        _fetch_part(url, part, options, sleep)
        _finish(part, target, sha256, url)
    except OSError as error:
        raise FileAccessError(f"{target} cannot be written: {error.strerror}") from error


def shown(url: str) -> str:
    """Give an address as messages may show it: without user, password and query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname or ''}{parts.path}"[:200]


def _fetch_part(url: str, part: Path, options: DownloadOptions, sleep: Sleep) -> None:
    tries, pause_s = options.tries, options.pause_s
    while True:
        before = _size(part)
        try:
            _try(url, part, options)
        except _Interrupted as error:
            if _size(part) > before:
                tries, pause_s = options.tries, options.pause_s
                continue
            tries -= 1
            if tries <= 0:
                raise PullFailed(f"{shown(url)} cannot be fetched: {error}") from error
            sleep(pause_s)
            pause_s *= 2
        else:
            return


def _try(url: str, part: Path, options: DownloadOptions) -> None:
    """Fetch what is missing of a file; returns once nothing is.

    Raises:
        _Interrupted: it ended before.
        PullFailed: no other try makes sense.
    """
    known = _read_progress(part)
    have = _size(part) if known.validator else 0
    if have and have == known.total:
        return
    request = urllib.request.Request(url, headers={"Accept-Encoding": "identity"})  # noqa: S310
    if have:
        request.add_header("Range", f"bytes={have}-")
        request.add_header("If-Range", known.validator)
    try:
        with _opener().open(request, timeout=options.timeout_s) as answer:
            start, total = _placed(answer, have)
            if max(start, total or 0) > options.most_bytes:
                raise PullFailed(f"{shown(url)} is larger than {options.most_bytes:,} bytes")
            _write_progress(part, _Progress(_validator(answer), total))
            _append(answer, part, start, total, options.most_bytes)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == _UNSATISFIABLE:
            _forget(part)
        if error.code in _PASSING or error.code == _UNSATISFIABLE:
            raise _Interrupted(f"the server answers {error.code}") from error
        raise PullFailed(f"{shown(url)}: the server answers {error.code}") from error
    except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as e:
        raise _Interrupted(str(getattr(e, "reason", "")) or type(e).__name__) from e


def _append(answer: IO[bytes], part: Path, start: int, total: int | None, most: int) -> None:
    """Write what comes after the first `start` bytes of a file."""
    with part.open("r+b" if part.exists() else "wb") as file:
        file.truncate(start)
        file.seek(start)
        size = start
        while data := answer.read(_CHUNK):
            size += len(data)
            if size > min(most, total if total is not None else most):
                raise PullFailed("more came than was announced")
            file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if total is not None and size < total:
        raise _Interrupted(f"the connection ended after {size:,} of {total:,} bytes")


def _placed(answer: Any, have: int) -> tuple[int, int | None]:
    """Tell where the bytes of an answer belong, and how many the whole file has."""
    length = answer.headers.get("Content-Length")
    if answer.status != http.client.PARTIAL_CONTENT:
        return 0, int(length) if length and length.isdigit() else None
    place = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if place is None or int(place[1]) != have:
        raise PullFailed("the server gives another part of the file than it was asked for")
    return have, None if place[2] == "*" else int(place[2])


def _validator(answer: Any) -> str:
    """Give by what a server knows the file again; a weak one does not vouch for its bytes."""
    tag = str(answer.headers.get("ETag", ""))
    return tag if tag.startswith('"') else str(answer.headers.get("Last-Modified", ""))


def _finish(part: Path, target: Path, sha256: str, url: str) -> None:
    with part.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    _progress_file(part).unlink(missing_ok=True)
    if sha256 and actual != sha256:
        part.unlink()
        raise ChecksumMismatch(f"{shown(url)} is another file than was to come: {actual[:12]}…")
    part.replace(target)


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _progress_file(part).unlink(missing_ok=True)


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _progress_file(part: Path) -> Path:
    return part.with_name(part.name + ".json")


def _read_progress(part: Path) -> _Progress:
    try:
        content = json.loads(_progress_file(part).read_text(encoding="utf-8"))
        return _Progress(str(content["validator"]), content["total"])
    except (OSError, ValueError, KeyError, TypeError):
        return _Progress()


def _write_progress(part: Path, progress: _Progress) -> None:
    content = {"validator": progress.validator, "total": progress.total}
    _progress_file(part).write_text(json.dumps(content), encoding="utf-8")


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirections, but neither away from https nor to anything but a web server."""

    def redirect_request(
        self, req: urllib.request.Request, fp: Any, code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        """Give the next request."""
        old, new = urlsplit(req.full_url).scheme, urlsplit(newurl).scheme
        if new not in _SCHEMES or (old == "https" and new != "https"):
            raise PullFailed(f"{shown(req.full_url)} leads to {shown(newurl)}, which is less safe")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener() -> urllib.request.OpenerDirector:
    """Give what opens addresses of web servers alone, never files of this machine."""
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.HTTPDefaultErrorHandler(),
    ):
        opener.add_handler(handler)
    return opener
