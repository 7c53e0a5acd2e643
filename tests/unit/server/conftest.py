"""A service that takes jobs, without its processes."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from shizi.core.config import load
from shizi.core.errors import CorruptImage
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.jobs.run import Desk, work_chunk
from shizi.jobs.site import Site, open_site
from shizi.server.app import create_app
from tests.fakes import FakeReader, one_page
from tests.unit.server.calls import content_of


def _read(source: object, _: ReadOptions) -> list[PageResult]:
    if source == b"bad":
        raise CorruptImage("damaged")
    return [one_page(bytes(source).decode())]  # type: ignore[call-overload]


@dataclass
class Office:
    """A service without its processes: its client, and who works its jobs."""

    client: FlaskClient
    site: Site
    reader: FakeReader

    def work(self) -> None:
        desk = Desk(self.site.ledger, self.reader, self.site.spool.read)
        while chunk := self.site.ledger.claim("me"):
            work_chunk(desk, chunk, threading.Event())

    def submit(self, *files: tuple[bytes, str], path: str = "/v1/jobs", **fields: str) -> Any:
        sent = [(io.BytesIO(data), name) for data, name in files]
        answer = self.client.post(path, data={"file": sent, **fields})
        assert answer.status_code == 202, answer.text
        return content_of(answer)

    def show(self, job_id: str) -> Any:
        return content_of(self.client.get(f"/v1/jobs/{job_id}"))


def open_office(folder: Path, **flags: object) -> Iterator[Office]:
    given = {f"jobs.{name}": value for name, value in flags.items() if "." not in name}
    given |= {name: value for name, value in flags.items() if "." in name}
    settings = load({"jobs.folder": str(folder), **given}, environ={}).settings
    site = open_site(settings.jobs)
    reader = FakeReader(_read)
    yield Office(create_app(settings, reader, site=site).test_client(), site, reader)
    site.close()


@pytest.fixture
def office(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Office]:
    yield from open_office(tmp_path / "jobs", **getattr(request, "param", {}))
