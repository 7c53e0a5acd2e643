"""Numbers of the service in the form Prometheus reads; labelled by route, never by who asks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from flask import Flask, Response, g
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from shizi.core.telemetry import SECONDS
from shizi.core.types import PageResult
from shizi.release.observations import Observation
from shizi.server.trace import route_of_request, seconds_so_far

_MODEL = ("model", "version")
_LINES = (0, 1, 5, 10, 20, 50, 100, 200, 500, 1000, 3000)


class Meter(Protocol):
    """What the service counts; an engine of several processes may bring its own."""

    def begin(self) -> None:
        """Count a request that has come."""
        ...

    def end(self, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        ...

    def count_error(self, code: str) -> None:
        """Count a request, or one picture of several, that failed."""
        ...

    def count_pages(self, pages: Iterable[PageResult]) -> None:
        """Count what was read."""
        ...

    def count_reading(self, observation: Observation) -> None:
        """Count a reading by one version in a release."""
        ...

    def render(self) -> bytes:
        """Give all of it in the text form of Prometheus."""
        ...


class ProcessMeter:
    """Counts within this process; threads share it."""

    def __init__(self) -> None:
        registry = CollectorRegistry()
        self._registry = registry
        self._requests = Counter(
            "shizi_requests", "Requests answered.", ("route", "status"), registry=registry
        )
        self._errors = Counter("shizi_errors", "Failures by code.", ("code",), registry=registry)
        self._in_flight = Gauge("shizi_requests_in_flight", "Requests in work.", registry=registry)
        self._seconds = Histogram(
            "shizi_request_seconds",
            "Seconds from a request to its answer.",
            ("route",),
            buckets=SECONDS,
            registry=registry,
        )
        self._stages = Histogram(
            "shizi_stage_seconds",
            "Seconds a stage took for one page.",
            (*_MODEL, "stage"),
            buckets=SECONDS,
            registry=registry,
        )
        self._pages = Counter("shizi_pages", "Pages read.", _MODEL, registry=registry)
        self._lines = Histogram(
            "shizi_page_lines", "Lines of a page.", _MODEL, buckets=_LINES, registry=registry
        )
        self._readings = Counter(
            "shizi_release_readings",
            "Readings in a release by version, side and outcome.",
            ("version", "side", "outcome"),
            registry=registry,
        )

    def begin(self) -> None:
        """Count a request that has come."""
        self._in_flight.inc()

    def end(self, route: str, status: int, seconds: float) -> None:
        """Count a request that was answered."""
        self._in_flight.dec()
        self._requests.labels(route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def count_error(self, code: str) -> None:
        """Count a request, or one picture of several, that failed."""
        self._errors.labels(code).inc()

    def count_pages(self, pages: Iterable[PageResult]) -> None:
        """Count what was read."""
        for page in pages:
            self._pages.labels(page.model, page.version).inc()
            self._lines.labels(page.model, page.version).observe(len(page.lines))
            for stage, seconds in page.timing_s:
                self._stages.labels(page.model, page.version, stage).observe(seconds)

    def count_reading(self, observation: Observation) -> None:
        """Count a reading by one version in a release."""
        self._readings.labels(
            observation.version, observation.side.value, observation.outcome.value
        ).inc()

    def render(self) -> bytes:
        """Give all of it in the text form of Prometheus."""
        return generate_latest(self._registry)


def install_meter(app: Flask, meter: Meter) -> None:
    """Count the requests of an application."""

    def begin() -> None:
        g.counted = True
        meter.begin()

    def end(response: Response) -> Response:
        if g.pop("counted", False):
            meter.end(route_of_request(), response.status_code, seconds_so_far())
        return response

    app.before_request(begin)
    app.after_request(end)
