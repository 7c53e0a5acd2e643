"""Takes a model from where it is: a folder, a bundle, a web server, a hub of models."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote, urlsplit

from shizi.core.errors import ChecksumMismatch, FileAccessError, IncompatibleModel, OptionError
from shizi.models.download import DownloadOptions, fetch
from shizi.models.install import INCOMING, Check, install
from shizi.models.manifest import MANIFEST, MOST_MANIFEST_BYTES, Manifest, bytes_to_manifest

#: By the word before the colon, where the files of a repository lie; {0} is its owner and name.
HUBS = {
    "modelscope": ("https://www.modelscope.cn/models/{0}/resolve/{1}/", "master"),
    "huggingface": ("https://huggingface.co/{0}/resolve/{1}/", "main"),
}
_REPOSITORY = re.compile(r"([\w.-]+/[\w.-]+)(?:@([\w./-]+))?")
_OPTIONS = DownloadOptions()

Tell = Callable[[str], None]


def pull(
    address: str,
    folder: Path,
    check: Check,
    *,
    sha256: str = "",
    tell: Tell = lambda _: None,
    options: DownloadOptions = _OPTIONS,
) -> Manifest:
    """Install a model from an address.

    Args:
        address: a folder or bundle of this machine; `https://…` of a bundle, or, ending in `/` or
            `manifest.json`, of a model's files; `modelscope:owner/name` or `huggingface:owner/name`
            with a revision after `@` where it is not the newest.
        folder: of the models.
        check: tries the model out; see `install`.
        sha256: of the bundle, or of the manifest, hexadecimal; empty trusts where it comes from.
        tell: is told each file that is fetched.
        options: of the downloads.

    Raises:
        OptionError: the address is none.
        PullFailed: it cannot be fetched; what has arrived is kept for the next try.
        ChecksumMismatch: something is not what it was to be.
        ShiziError: see `install`.
    """
    url = address_to_url(address)
    if not url:
        source = Path(address)
        if not source.exists():
            raise FileAccessError(f"{address} is neither a file or folder nor an address")
        _expect(source / MANIFEST if source.is_dir() else source, sha256)
        return install(source, folder, check)
    place = _place(folder, url)
    if url.endswith("/"):
        _fetch_files(url, place, sha256, tell, options)
        source = place
    else:
        source = place / "bundle"
        tell(url)
        fetch(url, source, sha256, options)
    manifest = install(source, folder, check)
    shutil.rmtree(place, ignore_errors=True)
    return manifest


def address_to_url(address: str) -> str:
    """Give the URL of an address; that of a model's files ends in a slash. Empty for a local path.

    Raises:
        OptionError: it names a repository of a hub in a way that none is named.
    """
    scheme, _, rest = address.partition(":")
    if scheme in HUBS:
        found = _REPOSITORY.fullmatch(rest)
        if found is None:
            raise OptionError(f"{address!r} is no repository such as {scheme}:owner/name@revision")
        form, newest = HUBS[scheme]
        return form.format(found[1], quote(found[2] or newest))
    if scheme not in ("http", "https"):
        return ""
    if urlsplit(address).path.endswith("/" + MANIFEST):
        return address[: -len(MANIFEST)]
    return address


def _fetch_files(url: str, place: Path, sha256: str, tell: Tell, options: DownloadOptions) -> None:
    """Fetch a manifest, and then what it signs."""
    path = place / MANIFEST
    tell(url + MANIFEST)
    small = DownloadOptions(MOST_MANIFEST_BYTES, options.tries, options.pause_s, options.timeout_s)
    fetch(url + MANIFEST, path, sha256, small)
    try:
        manifest = bytes_to_manifest(path.read_bytes(), place)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise IncompatibleModel(f"{url}{MANIFEST}: not a model manifest ({error})") from error
    for file, digest in manifest.digests.items():
        if file.exists() and _digest(file) == digest:
            continue
        tell(url + file.name)
        fetch(url + quote(file.name), file, digest, options)


def _place(folder: Path, url: str) -> Path:
    """Give the folder where what comes from an address gathers, the same for every try."""
    place = folder / INCOMING / f"pull-{hashlib.sha256(url.encode()).hexdigest()[:16]}"
    try:
        place.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise FileAccessError(f"{folder} cannot be written: {error.strerror}") from error
    return place


def _expect(path: Path, sha256: str) -> None:
    if sha256 and _digest(path) != sha256:
        raise ChecksumMismatch(f"{path} has another SHA-256 than was given")


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise FileAccessError(f"{path} cannot be read: {error.strerror}") from error
