"""Wakes workers on other machines: Celery carries the names of chunks, the ledger knows the rest.

Messages may be lost, doubled or late; none of it matters. A worker that gets one claims the chunk
it names, and does nothing where somebody has it already. The queue is kept short: the ledger, which
knows whose turn it is, is asked for the next chunks whenever few messages wait, so a broker that
lost all of its messages is full again a second later.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from shizi.core.errors import MissingExtra, Unavailable
from shizi.core.sections import JobSettings
from shizi.jobs.ledger import Ledger
from shizi.jobs.run import Pace
from shizi.jobs.values import ChunkRef

if TYPE_CHECKING:
    from celery import Celery

_log = logging.getLogger(__name__)

QUEUE = "shizi.chunks"
TASK = "shizi.work"
PING = "shizi.ping"
# Messages that wait for a worker, at most; few, so that a new job need not wait for old ones.
_WATER_MARK = 64
# A chunk that still waits so long after its message was sent is announced again.
_AGAIN_S = 20.0
# A page may take its time; what a chunk may take is bounded by its pace and the page it is at.
_PAGE_S = 600.0
#: How often a worker sends itself a message, to see that it is consumed.
PING_S = 10.0
_SOCKET_S = 10.0


def chunk_limit_s(pace: Pace) -> float:
    """Give the seconds after which work on a chunk is taken for hung and its process is ended."""
    return pace.chunk_s + pace.pages * _PAGE_S


def visibility_s(pace: Pace) -> int:
    """Give the seconds after which the broker delivers a message again that nobody confirmed.

    More than four times what a chunk takes, or it would come again while it is worked on.
    """
    return round(4 * chunk_limit_s(pace)) + 1


def make_app(jobs: JobSettings, pace: Pace) -> Celery:
    """Make the application of Celery, the same for those who send and those who work.

    Raises:
        MissingExtra: Celery is not installed.
    """
    try:
        from celery import Celery  # noqa: PLC0415 - an extra
    except ModuleNotFoundError as error:
        raise MissingExtra("celery") from error
    app = Celery("shizi", broker=jobs.broker)
    app.conf.update(celery_options(pace))
    return app


def celery_options(pace: Pace) -> dict[str, Any]:
    """Give what Celery is told, each for a failure that was measured without it."""
    visible = {"visibility_timeout": visibility_s(pace)}
    return {
        # A message is confirmed when its chunk is done, and given back when its process dies.
        "task_acks_late": True,
        "task_reject_on_worker_lost": True,
        # A worker takes no message that another could work on now.
        "worker_prefetch_multiplier": 1,
        "worker_disable_prefetch": True,
        # In all three places: the shortest would win.
        "visibility_timeout": visible["visibility_timeout"],
        "broker_transport_options": {
            **visible,
            "unacked_restore_interval": 5,
            "socket_timeout": _SOCKET_S,
            "socket_connect_timeout": _SOCKET_S,
            "socket_keepalive": True,
            "health_check_interval": _SOCKET_S,
        },
        "result_backend_transport_options": visible,
        # Results are in the ledger.
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "task_time_limit": chunk_limit_s(pace),
        "task_soft_time_limit": None,
        "worker_max_tasks_per_child": 200,
        "worker_max_memory_per_child": 300_000,
        "worker_soft_shutdown_timeout": 0.0,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "task_default_queue": QUEUE,
        "task_serializer": "json",
        "accept_content": ["json"],
        "worker_hijack_root_logger": False,
        "worker_send_task_events": False,
        "enable_utc": True,
    }


class Announcer:
    """Sends the names of chunks that wait, few at a time.

    Args:
        app: of Celery.
        ledger: that knows what waits.
        monotonic: seconds that nobody can set.
    """

    def __init__(
        self,
        app: Celery,
        ledger: Ledger,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._app = app
        self._ledger = ledger
        self._monotonic = monotonic
        self._sent: dict[ChunkRef, float] = {}

    def round(self) -> int:
        """Announce the chunks whose turn is next, where few messages wait.

        Returns:
            How many were announced.

        Raises:
            LedgerFailed: the ledger cannot be reached.
            Unavailable: the broker cannot.
        """
        queued = self._ledger.queued(_WATER_MARK)
        now = self._monotonic()
        self._sent = {ref: self._sent[ref] for ref in queued if ref in self._sent}
        new = [ref for ref in queued if now - self._sent.get(ref, -_AGAIN_S) >= _AGAIN_S]
        if not new:
            return 0
        room = _WATER_MARK - self._waiting()
        for ref in new[: max(0, room)]:
            self._send(ref)
            self._sent[ref] = now
        return min(len(new), max(0, room))

    def _waiting(self) -> int:
        """Count the messages in the queue."""
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(max_retries=1, timeout=_SOCKET_S)
                return int(connection.default_channel.client.llen(QUEUE))
        except _broker_errors() as error:
            raise Unavailable(1.0) from error

    def _send(self, ref: ChunkRef) -> None:
        try:
            self._app.send_task(TASK, args=[ref.job_id, ref.chunk], queue=QUEUE, retry=False)
        except _broker_errors() as error:
            raise Unavailable(1.0) from error


def _broker_errors() -> tuple[type[Exception], ...]:
    """Give what is raised where the broker cannot be reached."""
    from kombu.exceptions import OperationalError  # noqa: PLC0415 - an extra
    from redis.exceptions import RedisError  # noqa: PLC0415 - an extra

    return (OSError, OperationalError, RedisError)
