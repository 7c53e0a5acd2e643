"""Jobs in the ledger's tables: taken, added to, looked at, ended, forgotten."""

from __future__ import annotations

from collections.abc import Sequence

from shizi.core.errors import Canceled, JobNotFound, KeyReused
from shizi.jobs.store import Row, Rows
from shizi.jobs.values import Job, JobState, Order, Source, Submitted

_COLUMNS = (
    "id, owner, spec, state, sealed, items, succeeded, failed, pages, pages_done, created_at, "
    "started_at, finished_at, expires_at, version"
)
_OPEN = "('queued', 'running')"


def submit(rows: Rows, order: Order, job_id: str, now: float) -> Submitted:
    """See `Ledger.submit`; called again with the same id it gives the same job."""
    known = rows.one(
        f"SELECT {_COLUMNS}, fingerprint FROM jobs "
        "WHERE id = :id OR (owner = :owner AND key = :key)",
        {"id": job_id, "owner": order.owner, "key": order.key},
    )
    if known is not None:
        if known[-1] != order.fingerprint:
            raise KeyReused(f"the key {order.key!r} was used for another submission")
        return Submitted(_to_job(known[:-1]), created=known[0] == job_id)
    rows.run(
        "INSERT INTO jobs VALUES (:id, :owner, :key, :fingerprint, :spec, 'queued', 0, 0, 0, 0, 0, "
        "0, :now, NULL, NULL, :expires, 1, 0, :chunk_items, :max_attempts, :priority, :turn)",
        {
            "id": job_id,
            "owner": order.owner,
            "key": order.key,
            "fingerprint": order.fingerprint,
            "spec": order.spec,
            "now": now,
            "expires": None if order.keep_s is None else now + order.keep_s,
            "chunk_items": max(1, order.chunk_items),
            "max_attempts": max(1, order.max_attempts),
            "priority": order.priority,
            "turn": _turn_now(rows),
        },
    )
    add(rows, job_id, order.sources, now)
    job = find(rows, job_id) if order.open else seal(rows, job_id, now)
    return Submitted(job, created=True)


def _turn_now(rows: Rows) -> int:
    """Give the virtual time: the turn of what is served next."""
    found = rows.one("SELECT MIN(turn) FROM chunks WHERE state = 'queued'")
    return int(found[0]) if found and found[0] is not None else 0


def add(rows: Rows, job_id: str, sources: Sequence[Source], now: float) -> int:
    """See `Ledger.add`."""
    found = rows.one(
        "SELECT state, sealed, items, chunks, chunk_items, priority, turn FROM jobs "
        f"WHERE id = :id{rows.lock}",
        {"id": job_id},
    )
    if found is None:
        raise JobNotFound(job_id)
    state, sealed, items, chunks, chunk_items, priority, turn = found
    if JobState(state).ended or sealed:
        raise Canceled("the job takes no more sources")
    new = [source for source in dict.fromkeys(sources) if not _has(rows, job_id, source.ref)]
    if not new:
        return 0
    groups = [new[k : k + chunk_items] for k in range(0, len(new), chunk_items)]
    base = {"job_id": job_id, "now": now, "priority": priority}
    rows.many(
        "INSERT INTO chunks VALUES (:job_id, :number, 'queued', :open, 0, '', 0, :priority, :turn, "
        ":now)",
        [
            base | {"number": chunks + k, "open": len(group), "turn": turn + k}
            for k, group in enumerate(groups)
        ],
    )
    places = [(items + k, chunks + k // chunk_items) for k in range(len(new))]
    _insert(rows, job_id, new, places)
    rows.run(
        "UPDATE jobs SET items = items + :items, pages = pages + :pages, "
        "chunks = chunks + :chunks, turn = turn + :chunks, version = version + 1 WHERE id = :id",
        {
            "id": job_id,
            "items": len(new),
            "pages": sum(source.pages for source in new),
            "chunks": len(groups),
        },
    )
    return len(new)


def _insert(
    rows: Rows, job_id: str, sources: Sequence[Source], places: Sequence[tuple[int, int]]
) -> None:
    """Write sources down; `places` are the number of each and that of its chunk."""
    rows.many(
        "INSERT INTO items VALUES (:job_id, :number, :chunk, :ref, :name, :digest, :size, :pages, "
        "'queued', 0, '', '', '')",
        [
            {
                "job_id": job_id,
                "number": number,
                "chunk": chunk,
                "ref": source.ref,
                "name": source.name,
                "digest": source.digest,
                "size": source.size,
                "pages": source.pages,
            }
            for source, (number, chunk) in zip(sources, places, strict=True)
        ],
    )


def _has(rows: Rows, job_id: str, ref: str) -> bool:
    values = {"job_id": job_id, "ref": ref}
    return bool(rows.all("SELECT 1 FROM items WHERE job_id = :job_id AND ref = :ref", values))


def seal(rows: Rows, job_id: str, now: float) -> Job:
    """See `Ledger.seal`."""
    rows.run(
        "UPDATE jobs SET sealed = 1, version = version + 1 WHERE id = :id AND sealed = 0",
        {"id": job_id},
    )
    settle(rows, job_id, now)
    return find(rows, job_id)


def settle(rows: Rows, job_id: str, now: float) -> None:
    """End a job whose last item has ended."""
    rows.run(
        "UPDATE jobs SET state = CASE WHEN items > 0 AND failed = items THEN 'failed' "
        "ELSE 'succeeded' END, finished_at = :now, version = version + 1 "
        f"WHERE id = :id AND sealed = 1 AND succeeded + failed = items AND state IN {_OPEN}",
        {"id": job_id, "now": now},
    )


def find(rows: Rows, job_id: str) -> Job:
    """See `Ledger.job`."""
    found = rows.one(f"SELECT {_COLUMNS} FROM jobs WHERE id = :id", {"id": job_id})
    if found is None:
        raise JobNotFound(job_id)
    return _to_job(found)


def listed(
    rows: Rows,
    owner: str | None,
    state: JobState | None,
    before: tuple[float, str] | None,
    limit: int,
) -> list[Job]:
    """See `Ledger.jobs`."""
    wanted = ["1 = 1"]
    values: dict[str, object] = {"limit": limit}
    if owner is not None:
        wanted.append("owner = :owner")
        values["owner"] = owner
    if state is not None:
        wanted.append("state = :state")
        values["state"] = state.value
    if before is not None:
        wanted.append("(created_at, id) < (:created_at, :id)")
        values |= {"created_at": before[0], "id": before[1]}
    found = rows.all(
        f"SELECT {_COLUMNS} FROM jobs WHERE {' AND '.join(wanted)} "
        "ORDER BY created_at DESC, id DESC LIMIT :limit",
        values,
    )
    return [_to_job(row) for row in found]


def end(rows: Rows, job_id: str, state: JobState, now: float) -> Job:
    """End a job that has not ended, and all of it that has not ended."""
    # Chunks before their job, as everybody locks them: otherwise two would wait for each other.
    rows.all(
        f"SELECT number FROM chunks WHERE job_id = :id AND state IN {_OPEN} "
        f"ORDER BY number{rows.lock}",
        {"id": job_id},
    )
    values = {"id": job_id, "state": state.value, "now": now}
    ended = rows.run(
        "UPDATE jobs SET state = :state, sealed = 1, finished_at = :now, version = version + 1 "
        f"WHERE id = :id AND state IN {_OPEN}",
        values,
    )
    if ended:
        for table in ("chunks", "items"):
            rows.run(
                f"UPDATE {table} SET state = :state WHERE job_id = :id AND state IN {_OPEN}", values
            )
    return find(rows, job_id)


def expire(rows: Rows, now: float) -> list[str]:
    """See `Ledger.expire`."""
    found = rows.all(
        f"SELECT id FROM jobs WHERE expires_at <= :now AND state IN {_OPEN} ORDER BY id",
        {"now": now},
    )
    for (job_id,) in found:
        end(rows, job_id, JobState.EXPIRED, now)
    return [str(job_id) for (job_id,) in found]


def outdated(rows: Rows, now: float, limit: int) -> list[str]:
    """See `Ledger.outdated`."""
    found = rows.all(
        f"SELECT id FROM jobs WHERE expires_at <= :now AND state NOT IN {_OPEN} "
        "ORDER BY expires_at LIMIT :limit",
        {"now": now, "limit": limit},
    )
    return [str(job_id) for (job_id,) in found]


def purge(rows: Rows, job_id: str, now: float) -> list[str]:
    """See `Ledger.purge`."""
    end(rows, job_id, JobState.CANCELED, now)
    values = {"id": job_id}
    refs = rows.all("SELECT ref FROM items WHERE job_id = :id ORDER BY number", values)
    for table in ("pages", "dead_letters", "items", "chunks"):
        rows.run(f"DELETE FROM {table} WHERE job_id = :id", values)
    rows.run("DELETE FROM jobs WHERE id = :id", values)
    return [str(ref) for (ref,) in refs]


def _to_job(row: Row) -> Job:
    (job_id, owner, spec, state, sealed, *rest) = row
    return Job(job_id, owner, spec, JobState(state), bool(sealed), *rest)
