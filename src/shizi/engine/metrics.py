"""What the engine counts, in the form Prometheus reads; numbers only, never what a page says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from shizi.core.telemetry import SECONDS
from shizi.engine.batcher import BatchReport

_ITEMS = (1, 2, 3, 4, 6, 8)
_LABELS = ("model", "version")


class EngineMetrics:
    """The counters of one engine process.

    Args:
        model: name of its recognizer, a label of every series.
        version: of it, a label as well.
    """

    def __init__(self, model: str, version: str = "") -> None:
        self._registry = CollectorRegistry()
        self._labels = model, version
        self._batch_items = self._histogram(
            "batch_items", "Lines of a batch", ("network",), buckets=_ITEMS
        )
        self._batch_seconds = self._histogram("batch_seconds", "Time of a batch", ("network",))
        self._waits = self._histogram(
            "queue_wait_seconds", "Wait of a line for its batch", ("network",)
        )
        self._columns = self._counter("columns", "Columns of pixels recognized", ("network",))
        self._padding = self._counter("padding_columns", "Of those, padding", ("network",))
        self._failed = self._counter("failed_batches", "Batches that failed", ("network",))
        self._lost = self._counter("lost_processes", "Processes lost in a call", ("reason",))

    def watch_queues(
        self,
        working: Callable[[], int],
        waiting: Callable[[], int],
        queued_columns: Callable[[], int],
    ) -> None:
        """Say where the state of the queues is asked for."""
        for name, what, ask in (
            ("working_calls", "Calls in work", working),
            ("waiting_calls", "Calls that wait for their turn", waiting),
            ("queued_columns", "Columns of pixels that wait to be recognized", queued_columns),
        ):
            gauge = Gauge(f"shizi_{name}", what, _LABELS, registry=self._registry)
            gauge.labels(*self._labels).set_function(ask)

    def count_batch(self, network: str, report: BatchReport) -> None:
        """Count a batch of lines."""
        labels = *self._labels, network
        self._batch_items.labels(*labels).observe(report.items)
        self._batch_seconds.labels(*labels).observe(report.seconds)
        self._columns.labels(*labels).inc(report.cost)
        self._padding.labels(*labels).inc(report.padding)
        self._failed.labels(*labels).inc(report.failed)
        for wait_s in report.waits_s:
            self._waits.labels(*labels).observe(wait_s)

    def count_lost(self, reason: str) -> None:
        """Count a process that was lost in the midst of a call."""
        self._lost.labels(*self._labels, reason).inc()

    def to_text(self) -> bytes:
        """Write all series in the text form of Prometheus."""
        return generate_latest(self._registry)

    def _counter(self, name: str, what: str, labels: tuple[str, ...] = ()) -> Counter:
        return Counter(f"shizi_{name}", what, (*_LABELS, *labels), registry=self._registry)

    def _histogram(
        self,
        name: str,
        what: str,
        labels: tuple[str, ...] = (),
        buckets: Sequence[float] = SECONDS,
    ) -> Histogram:
        return Histogram(
            f"shizi_{name}", what, (*_LABELS, *labels), buckets=buckets, registry=self._registry
        )
