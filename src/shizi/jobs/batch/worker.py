"""A worker of a batch, in a process of its own: files in, finished result files out.

Several threads read a file each: while one waits for the disk or decodes, another's page is looked
at by the detector and the lines of all of them share batches. A result is written beside the
others' under a name nobody looks for, and gets its own name when it is whole and on the disk.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import queue
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from typing import BinaryIO, Protocol

from shizi.core.deadline import Deadline, Terms, under
from shizi.core.errors import FileAccessError, ShiziError
from shizi.core.options import Lane, ReadOptions
from shizi.core.types import PageResult
from shizi.engine.memory import fill_small_blocks, trim_heap, unmap_clean_files
from shizi.engine.messages import error_to_bytes
from shizi.engine.signals import die_with_parent
from shizi.engine.sources import make_source, read_file
from shizi.formats import FORMATS, Document
from shizi.jobs.batch.files import to_path
from shizi.jobs.batch.messages import (
    Begin,
    Done,
    FromWorker,
    Full,
    Ready,
    Started,
    Stop,
    Task,
    Unfit,
    WorkerPlan,
    line_to_order,
    to_line,
)

_log = logging.getLogger(__name__)

#: Errors of the place results go to: the next file would meet them as well.
_OF_THE_PLACE = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EACCES, errno.EPERM}
)
#: Of pixels, in a batch of lines: half of what is usual takes half the memory and as much time.
_BATCH_COLUMNS = 640
#: Pages after which a worker gives back what its networks hold unused: while there is work they
#: keep all that the largest page so far took.
_RELAX_PAGES = 64
#: When the system runs out of memory it ends this process rather than the one that knows all.
_OOM_SCORE = "800"


class FileReader(Protocol):
    """What reads; threads share it."""

    def read_pages(self, source: str, options: ReadOptions, /) -> Generator[PageResult, None, None]:
        """Read a file page by page."""
        ...

    def relax(self) -> None:
        """Give memory back that is only kept for speed."""
        ...


class Worker:
    """Reads the files it is told to.

    Args:
        sock: to the batch.
        plan: how to work.
        reader: that reads.
    """

    def __init__(self, sock: socket.socket, plan: WorkerPlan, reader: FileReader) -> None:
        self._sock = sock
        self._plan = plan
        self._reader = reader
        self._sending = threading.Lock()
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._full = False
        self._counting = threading.Lock()
        self._pages = 0

    def work(self, orders: BinaryIO) -> None:
        """Do tasks until told to stop, or until nobody is there any more."""
        threads = [
            threading.Thread(target=self._loop, name=f"file-{k}") for k in range(self._plan.at_once)
        ]
        for thread in threads:
            thread.start()
        self.send(Ready())
        for line in orders:
            order = line_to_order(line)
            if isinstance(order, Task):
                self._tasks.put(order)
            elif isinstance(order, Stop):
                break
        self._stopping.set()
        for _ in threads:
            self._tasks.put(None)
        for thread in threads:
            thread.join()

    def send(self, report: FromWorker) -> None:
        """Tell the batch something."""
        # Without a batch the kernel ends this process; until then there is nobody to tell.
        with self._sending, contextlib.suppress(OSError):
            self._sock.sendall(to_line(report))

    def _loop(self) -> None:
        while (task := self._tasks.get()) is not None:
            if self._stopping.is_set():
                continue
            self.send(self._outcome(task))
            self._tidy()
            if not self._full and 0 < self._plan.most_bytes < _resident_bytes():
                self._full = True
                self.send(Full())

    def _tidy(self) -> None:
        """Keep no more of a page that was read than the next one uses."""
        # A few milliseconds; without it each page's leftovers stay beside the next one's.
        trim_heap()
        with self._counting:
            self._pages += 1
            if self._pages % _RELAX_PAGES:
                return
        try:
            self._reader.relax()
        except ShiziError as error:
            _log.warning("memory could not be given back: %s", error.detail)

    def _outcome(self, task: Task) -> Done:
        try:
            return Done(task.number, pages=self._read(task))
        except ShiziError as error:
            return Done(task.number, code=error.code, detail=error.detail)
        except OSError as error:
            detail = f"the result cannot be written: {error.strerror}"
            halt = error.errno in _OF_THE_PLACE
            return Done(task.number, code=FileAccessError.code, detail=detail, halt=halt)
        except Exception as error:  # noqa: BLE001 - logged, and told as a bug of ours
            _log.exception("unexpected error over a file")
            detail = f"an unexpected {type(error).__name__}"
            return Done(task.number, code=ShiziError.code, detail=detail)

    def _read(self, task: Task) -> int:
        """Read a file and write its results; gives the number of pages."""
        started = time.perf_counter()
        self.send(Started(task.number))
        parts = [
            os.path.join(self._plan.parts, f"{os.getpid()}-{task.number}.{k}")
            for k in range(len(task.targets))
        ]
        try:
            with ExitStack() as stack:
                files = [stack.enter_context(open(part, "wb")) for part in parts]
                count = self._write(task, files, started)
                for file in files:
                    file.flush()
                    os.fsync(file.fileno())
            for part, target in zip(parts, task.targets, strict=True):
                path = to_path(target)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                os.replace(part, path)
        finally:
            for part in parts:
                with contextlib.suppress(FileNotFoundError):
                    os.unlink(part)
        return count

    def _write(self, task: Task, files: Sequence[BinaryIO], started: float) -> int:
        forms = [FORMATS[name] for name in self._plan.formats]
        writers = [form.open(file) for form, file in zip(forms, files, strict=True)]
        path, options = to_path(task.path), self._plan.options
        shown = any(form.shows_pages for form in forms)
        source = make_source(read_file(path, options.limits), options) if shown else None
        for writer in writers:
            writer.begin(Document(to_path(task.name), source))
        count = 0
        with closing(self._reader.read_pages(path, options)) as pages:
            while (page := self._next(pages)) is not None:
                if count:
                    self._tidy()
                    self.send(Started(task.number))
                count += 1
                for writer in writers:
                    writer.add(page)
        for writer in writers:
            writer.end(time.perf_counter() - started)
            writer.close()
        return count

    def _next(self, pages: Generator[PageResult, None, None]) -> PageResult | None:
        with under(Terms(Deadline.after(self._plan.page_s), Lane.BULK)):
            return next(pages, None)


def serve(sock: socket.socket, open_reader: Callable[[WorkerPlan], FileReader]) -> None:
    """Be a worker, to its end.

    Args:
        sock: to the batch.
        open_reader: gives what reads.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    die_with_parent(signal.SIGKILL)
    # Whoever kills it must not find gigabytes of its memory on the disk.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text(_OOM_SCORE, encoding="ascii")
    with sock, sock.makefile("rb") as orders:
        first = orders.readline()
        if not first:
            return
        begin = line_to_order(first)
        if not isinstance(begin, Begin):
            return
        try:
            reader = open_reader(begin.plan)
        except ShiziError as error:
            sock.sendall(to_line(Unfit(error_to_bytes(error))))
            return
        Worker(sock, begin.plan, reader).work(orders)


def _resident_bytes() -> int:
    try:
        pages = Path("/proc/self/statm").read_text(encoding="ascii").split()[1]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


def _open_reader(plan: WorkerPlan) -> FileReader:
    # A fifth of a second and most of the memory: not before it is known what for.
    from shizi.engine.reader import Reader  # noqa: PLC0415
    from shizi.engine.sharing import Sharing  # noqa: PLC0415
    from shizi.engine.watch import Watch  # noqa: PLC0415

    fill_small_blocks()
    watch = Watch(_end_stuck)
    sharing = Sharing(watch, 1, lambda *_: None, _BATCH_COLUMNS, in_turns=True)
    models = Path(plan.models) if plan.models else None
    reader = Reader(plan.recognizer, plan.threads, models, sharing, detector=plan.detector)
    trim_heap()
    unmap_clean_files()
    return reader


def _end_stuck() -> None:
    """End the process from within a thread: a run that cannot be stopped holds one for ever."""
    os._exit(70)


if __name__ == "__main__":
    logging.basicConfig(format="shizi: %(levelname)s: %(name)s: %(message)s")
    serve(socket.socket(fileno=int(sys.argv[1])), _open_reader)
