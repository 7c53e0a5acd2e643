"""Numbers for Prometheus, labelled by what the service knows and never by what a client made up."""

from __future__ import annotations

from dataclasses import replace

from prometheus_client.parser import text_string_to_metric_families as parse

from shizi.core.errors import CorruptImage
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.engine.metrics import EngineMetrics
from shizi.release.observations import Observation, Outcome, Side
from shizi.server.exposition import merge_metrics
from shizi.server.metrics import ProcessMeter
from tests.fakes import FakeReader, one_page
from tests.unit.server.calls import client_of, file


def _read(source: object, _: ReadOptions) -> list[PageResult]:
    if source == b"bad":
        raise CorruptImage("cut short")
    return [replace(one_page("a", "b"), timing_s=(("detect", 0.2), ("recognize", 0.02)))]


def test_what_is_counted() -> None:
    client = client_of(FakeReader(_read))
    client.post("/v1/ocr", data={"file": [file(b"bad"), file(), file()]})
    client.post("/v1/ocr", data={"file": file(b"bad")})
    client.get("/made-up/1")
    client.get("/made-up/2")

    answer = client.get("/metrics")
    families = list(parse(answer.get_data(as_text=True)))
    samples = {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in families
        for sample in family.samples
    }

    assert answer.content_type.startswith("text/plain; version=0.0.4")
    assert samples["shizi_requests_total", "/v1/ocr", "200"] == 1
    assert samples["shizi_requests_total", "/v1/ocr", "422"] == 1
    assert samples["shizi_requests_total", "unmatched", "404"] == 2
    assert samples["shizi_errors_total", "corrupt"] == 2
    assert samples["shizi_errors_total", "not_found"] == 2
    assert samples["shizi_requests_in_flight",] == 1
    assert samples["shizi_pages_total", "fake", ""] == 2
    assert samples["shizi_page_lines_sum", "fake", ""] == 4
    assert samples["shizi_stage_seconds_bucket", "0.1", "fake", "detect", ""] == 0
    assert samples["shizi_stage_seconds_bucket", "0.25", "fake", "detect", ""] == 2
    assert samples["shizi_stage_seconds_count", "fake", "recognize", ""] == 2
    assert samples["shizi_request_seconds_count", "/v1/ocr"] == 2
    assert all(family.documentation for family in families)
    assert "made-up" not in answer.get_data(as_text=True)


def test_two_services_in_a_process_count_apart() -> None:
    one, two = ProcessMeter(), ProcessMeter()

    one.count_error("busy")

    assert b"busy" in one.render()
    assert b"busy" not in two.render()


def test_numbers_of_several_processes_are_one_answer() -> None:
    one, two = EngineMetrics("m", "1"), EngineMetrics("m", "2")
    one.count_lost("signal_9")
    two.count_lost("signal_9")
    merged = merge_metrics([one.to_text(), two.to_text(), b""])

    families = {family.name: family for family in parse(merged.decode())}
    lost = {
        s.labels["version"]: s.value
        for s in families["shizi_lost_processes"].samples
        if s.name.endswith("_total")
    }
    assert lost == {"1": 1.0, "2": 1.0}
    assert merged.count(b"# TYPE shizi_lost_processes_total counter") == 1
    assert merge_metrics([]) == b""


def test_readings_of_a_release_are_counted_by_version() -> None:
    meter = ProcessMeter()
    meter.count_reading(Observation("r1", 3, "m@2", Side.CANARY, Outcome.FAILURE, 0.0))

    sample = b'shizi_release_readings_total{outcome="failure",side="canary",version="m@2"} 1.0'
    assert sample in meter.render()
