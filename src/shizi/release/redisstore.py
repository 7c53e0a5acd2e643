"""The state of releases in a Redis server, for services on several hosts.

shizi:release:state          the document
shizi:release:changes        the log, a list
shizi:release:reports:NAME   by process, what it tells of a release
shizi:release:memo:NAME      the leader's notes on it
shizi:release:leader         who leads, for a few seconds at a time
"""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from shizi.core.errors import MissingExtra, ReleaseConflict, ReleaseInvalid, ReleaseStoreGone
from shizi.release.document import Document, document_to_json, json_to_document
from shizi.release.snapshots import Snapshot, json_to_snapshot, snapshot_to_json
from shizi.release.store import Entry, check_step, entry_of, entry_to_json, json_to_entry

if TYPE_CHECKING:
    import redis

_PREFIX = "shizi:release:"
_STATE = _PREFIX + "state"
_LOG = _PREFIX + "changes"
_LEADER = _PREFIX + "leader"
_NEWS = _PREFIX + "news"
_TIMEOUT_S = 1.0
_KEEP_S = 90 * 86_400
LEASE_S = 5.0
"""A leader that did not ask again for so long has lost the lock."""

# The state and its line in the log, or nothing.
_SWAP = """
local stored = redis.call('GET', KEYS[1])
local epoch = 0
if stored then epoch = cjson.decode(stored).epoch end
if ARGV[4] == 'restore' then
  if epoch >= tonumber(ARGV[1]) then return -1 end
elseif epoch ~= tonumber(ARGV[1]) then
  return epoch
end
redis.call('SET', KEYS[1], ARGV[2])
redis.call('RPUSH', KEYS[2], ARGV[3])
redis.call('PUBLISH', KEYS[3], ARGV[1])
return -1
"""
_KEEP = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])
"""
_LET_GO = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])
"""


def connect(address: str) -> redis.Redis:
    """Make a client; nothing is sent yet.

    Args:
        address: "redis://[:PASSWORD@]HOST:PORT/DATABASE", or with "rediss" over TLS.

    Raises:
        MissingExtra: the client library is not installed.
        ReleaseInvalid: it is no such address.
    """
    try:
        import redis  # noqa: PLC0415 - only who keeps releases there has it
        from redis.backoff import NoBackoff  # noqa: PLC0415
        from redis.retry import Retry  # noqa: PLC0415
    except ImportError as error:
        raise MissingExtra("redis") from error
    try:
        return redis.Redis.from_url(
            address,
            socket_timeout=_TIMEOUT_S,
            socket_connect_timeout=_TIMEOUT_S,
            # A connection that a restart has cut is made anew once, without a wait.
            retry=Retry(NoBackoff(), 1),
        )
    except ValueError as error:
        raise ReleaseInvalid(f"{_public(address)} is no address of a Redis server") from error


class RedisStore:
    """A Redis server; processes of many hosts share it.

    Args:
        address: see `connect`.
    """

    def __init__(self, address: str) -> None:
        self._name = _public(address)
        # Its own types give every answer as one of all kinds, awaited or not.
        self._redis: Any = connect(address)
        self._news: Any = None

    def read(self) -> Document | None:
        """Give the state; None where there never was a release."""
        with translated(self._name):
            content = self._redis.get(_STATE)
        return None if content is None else json_to_document(content)

    def swap(self, expected_epoch: int, document: Document) -> None:
        """Replace the state, and add a line to the log, as one step of the server."""
        check_step(expected_epoch, expected_epoch, document)
        epoch = self._run(str(expected_epoch), document, "")
        if epoch >= 0:
            raise ReleaseConflict(f"the release is at epoch {epoch}, not {expected_epoch} any more")

    def restore(self, document: Document) -> None:
        """Put a state back; one that is as new or newer stays."""
        self._run(str(document.epoch), document, "restore")

    def wait(self, timeout_s: float) -> None:
        """Wait for news of a change, or for so long; for the one thread that watches."""
        end_s = time.monotonic() + timeout_s
        try:
            with translated(self._name):
                if self._news is None:
                    self._news = self._redis.pubsub(ignore_subscribe_messages=True)
                    self._news.subscribe(_NEWS)
                while (left_s := end_s - time.monotonic()) > 0:
                    if self._news.get_message(timeout=left_s):
                        return
        except ReleaseStoreGone:
            self._forget_news()
            time.sleep(max(0.0, end_s - time.monotonic()))

    def close(self) -> None:
        """Give the connections back."""
        self._forget_news()
        self._redis.close()

    def _forget_news(self) -> None:
        if self._news is not None:
            self._news.close()
            self._news = None

    def entries(self, release_id: str | None = None) -> Sequence[Entry]:
        """Give the log, the oldest line first."""
        with translated(self._name):
            lines = self._redis.lrange(_LOG, 0, -1)
        found = [json_to_entry(line) for line in lines]
        return [entry for entry in found if release_id in (None, entry.release_id)]

    def publish(self, snapshot: Snapshot) -> None:
        """Replace what a process told before."""
        key = f"{_PREFIX}reports:{snapshot.release_id}"
        with translated(self._name), self._redis.pipeline(transaction=False) as pipe:
            pipe.hset(key, snapshot.reporter, snapshot_to_json(snapshot).decode())
            pipe.expire(key, _KEEP_S)
            pipe.execute()

    def snapshots(self, release_id: str) -> Sequence[Snapshot]:
        """Give the latest of every process that took part in a release."""
        with translated(self._name):
            contents = self._redis.hvals(f"{_PREFIX}reports:{release_id}")
        found = []
        for content in contents:
            with contextlib.suppress(ReleaseInvalid):
                found.append(json_to_snapshot(content))
        return found

    def write_memo(self, release_id: str, content: bytes) -> None:
        """Keep the leader's own notes on a release."""
        with translated(self._name):
            self._redis.set(f"{_PREFIX}memo:{release_id}", content, ex=_KEEP_S)

    def read_memo(self, release_id: str) -> bytes:
        """Give these notes; empty for none."""
        with translated(self._name):
            content = self._redis.get(f"{_PREFIX}memo:{release_id}")
        return content or b""

    def _run(self, epoch: str, document: Document, mode: str) -> int:
        line = entry_to_json(entry_of(document))
        with translated(self._name):
            result = self._redis.eval(
                _SWAP,
                3,
                _STATE,
                _LOG,
                _NEWS,
                epoch,
                document_to_json(document).decode(),
                line.decode(),
                mode,
            )
        return int(result)


class RedisLeadership:
    """A key that expires; who set it leads as long as it renews it.

    Args:
        address: see `connect`.
        lease_s: seconds the lock is kept without being asked for.
    """

    def __init__(self, address: str, lease_s: float = LEASE_S) -> None:
        self._name = _public(address)
        self._redis: Any = connect(address)
        self._token = uuid.uuid4().hex
        self._lease_ms = round(lease_s * 1000)

    def hold(self) -> bool:
        """Take the lock, or keep it; False while another process has it."""
        with translated(self._name):
            if self._redis.eval(_KEEP, 1, _LEADER, self._token, str(self._lease_ms)):
                return True
            return bool(self._redis.set(_LEADER, self._token, nx=True, px=self._lease_ms))

    def release(self) -> None:
        """Let it go."""
        with translated(self._name):
            self._redis.eval(_LET_GO, 1, _LEADER, self._token)
        self._redis.close()


class RedisSource:
    """Settings as the text of a key.

    Args:
        address: see `connect`; a fragment names the key, "shizi:settings" where there is none.
    """

    def __init__(self, address: str) -> None:
        address, _, key = address.partition("#")
        self._key = key or "shizi:settings"
        self.name = f"{_public(address)} {self._key}"
        self._redis: Any = connect(address)

    def close(self) -> None:
        """Give the connection back."""
        self._redis.close()

    def read(self) -> str | None:
        """Give the text; None where there is none."""
        with translated(self.name):
            content = self._redis.get(self._key)
        return None if content is None else content.decode("utf-8", "replace")


@contextlib.contextmanager
def translated(name: str) -> Iterator[None]:
    """Turn the library's errors into ours; they name the server, never its password."""
    import redis  # noqa: PLC0415 - it is there once a client is

    try:
        yield
    except redis.ResponseError as error:
        raise ReleaseInvalid(f"{name} holds no valid state of releases") from error
    except (redis.RedisError, OSError) as error:
        raise ReleaseStoreGone(f"{name} cannot be reached: {type(error).__name__}") from error


def _public(address: str) -> str:
    """Give an address without its password."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.hostname or ''}:{parts.port or 6379}{parts.path}"
