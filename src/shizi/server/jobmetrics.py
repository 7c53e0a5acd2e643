"""How much long work there is, in the form Prometheus reads; whoever adds workers goes by it."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from shizi.core.errors import ShiziError
from shizi.jobs.site import Site
from shizi.jobs.values import JobState


def jobs_to_text(site: Site | None) -> bytes:
    """Describe the jobs of a site; nothing where there is none, or its ledger cannot be reached."""
    if site is None:
        return b""
    try:
        stats = site.ledger.stats()
    except ShiziError:
        return b""
    registry = CollectorRegistry()

    def gauge(name: str, doc: str, value: float) -> None:
        Gauge(name, doc, registry=registry).set(value)

    jobs = Gauge("shizi_jobs", "Jobs by state", ("state",), registry=registry)
    for state in JobState:
        jobs.labels(str(state)).set(stats.jobs.get(state, 0))
    gauge("shizi_jobs_backlog_seconds", "How long the oldest chunk has waited", stats.oldest_s)
    gauge("shizi_jobs_chunks_queued", "Chunks that wait", stats.chunks_queued)
    gauge("shizi_jobs_chunks_running", "Chunks in work", stats.chunks_running)
    gauge("shizi_jobs_files_open", "Files not yet read", stats.items_open)
    gauge("shizi_jobs_dead_letters", "Files that used up their attempts", stats.dead)
    gauge("shizi_jobs_spool_bytes", "Files that wait to be read", site.spool.used_bytes())
    return generate_latest(registry)
