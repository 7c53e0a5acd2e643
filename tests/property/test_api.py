"""The service keeps to its own OpenAPI document, whatever is sent; always the same is sent."""

from __future__ import annotations

import re
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection

from shizi.core.config import JobSettings, Settings
from shizi.core.errors import InputError
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.jobs.site import open_site
from shizi.server.app import create_app
from tests.fakes import FakeReader, one_page

_FORMS = ("application/json", "multipart/form-data")
# What they are sent is read later, and what is wrong with a file is told then.
_LATER = ("/upload", "/v1/jobs")


def _read(source: object, _: ReadOptions) -> list[PageResult]:
    """Take any bytes but none, as the real reader refuses them."""
    if not source:
        raise InputError("the input is empty")
    return [one_page("识字 Shizi")]


@schemathesis.serializer("application/pdf", "application/zip", "application/x-zip-compressed")
def _pdf(_: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "replace")


_folder = tempfile.TemporaryDirectory(prefix="shizi-test-")
_jobs = JobSettings(folder=Path(_folder.name), max_waiting=1_000_000)
_settings = replace(Settings(), jobs=_jobs)
app = create_app(_settings, FakeReader(_read), site=open_site(_jobs))
schema = schemathesis.openapi.from_wsgi("/openapi.json", app)


def test_the_document_is_openapi() -> None:
    schema.validate()


@schema.parametrize()
@settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=list(HealthCheck),
)
def test_the_service_keeps_to_its_document(case: Any) -> None:
    if _says_what_no_schema_can(case):
        return

    answer = case.call()

    # Any bytes are a picture to the fake reader, one bad picture of several has its own entry,
    # Baidu's failures look like successes, and the check does not know 413 for a refusal.
    taken = case.method == "POST" and case.media_type not in _FORMS
    apart = answer.status_code == 200 and b'"success": false' in answer.content
    excluded = [negative_data_rejection] if taken or apart or answer.status_code == 413 else []
    case.validate_response(answer, excluded_checks=excluded)


def _says_what_no_schema_can(case: Any) -> bool:
    """Tell cases that are refused for a reason a schema cannot give, and mend those it can."""
    body = case.body if isinstance(case.body, dict) else {}
    chosen = body.get("options", body)
    chosen = chosen if isinstance(chosen, dict) else {}
    query = case.query or {}
    # A key that came before is refused, however well it is formed.
    if case.headers:
        case.headers.pop("Idempotency-Key", None)
    twice = set(chosen) & set(query)
    if case.meta.generation.mode.is_positive:
        for name in twice:
            del query[name]
        twice = set()
    files = body.get("file", body.get("images"))
    many = isinstance(files, list) and len(files) > 1
    return (
        bool(twice)
        or ("compat" in query and many)
        or (case.path in _LATER and _holds_nothing(body.get("file")))
        or _asks_for_no_file({**chosen, **query}, many=many)
        or _backwards(chosen.get("pages"))
        or _backwards(query.get("pages"))
        # What one value of a plan may be hangs on the others.
        or (case.path == "/v1/releases" and bool({"plan", "guards"} & set(body)))
    )


def _asks_for_no_file(options: dict[str, Any], *, many: bool) -> bool:
    """Tell a format that does not go with the other options or the pictures."""
    form = options.get("format")
    if form is None or form == "json":
        return form is not None and "compat" in options
    apart = "compat" in options or options.get("coords") == "relative"
    return apart or (form == "alto" and many)


def _holds_nothing(files: object) -> bool:
    return isinstance(files, list) and any(file in ("", b"") for file in files)


def _backwards(pages: object) -> bool:
    """Tell a range that ends before it begins."""
    ranges = re.findall(r"(\d+)-(\d+)", pages) if isinstance(pages, str) else []
    return any(int(first) > int(last) for first, last in ranges)
