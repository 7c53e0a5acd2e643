"""Networks that many calls use at once: pages take turns, lines of all pages share batches."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future

from shizi.core.deadline import current_terms
from shizi.core.errors import DeadlineExceeded, ModelError, ShiziError
from shizi.core.pixels import GrayImage, RgbImage
from shizi.engine.batcher import BatchLimits, BatchReport, MicroBatcher, Piece
from shizi.engine.gate import Gate, GatedSession
from shizi.engine.watch import Watch
from shizi.models.recognizer import (
    BATCH_COLUMNS,
    Decoding,
    Reading,
    Recognizer,
    Scan,
    Strip,
)
from shizi.models.session import Session, Stop

_DEFAULT_DECODING = Decoding()

Report = Callable[[str, BatchReport], None]


class SharedRecognizer:
    """A recognizer whose lines share batches with those of other calls; see `Recognizer`.

    Attributes:
        name: of the model.
        version: of the model.
    """

    def __init__(self, recognizer: Recognizer, batcher: MicroBatcher[Strip, Scan]) -> None:
        self.name, self.version = recognizer.name, recognizer.version
        self._recognizer = recognizer
        self._batcher = batcher

    def recognize(
        self, crops: Sequence[RgbImage | GrayImage], decoding: Decoding = _DEFAULT_DECODING
    ) -> list[Reading | ShiziError]:
        """Read upright line crops; see `Recognizer.recognize`.

        Raises:
            DeadlineExceeded: the time of the call ran out.
            ModelError: no line could be read because the session failed.
        """
        strips, failed = self._recognizer.strips(crops, decoding)
        pieces = [_to_piece(strip) for strip in strips.values()]
        waiting = dict(zip(strips, self._batcher.submit(pieces), strict=True))
        scans: dict[int, Scan] = {}
        try:
            for k, future in waiting.items():
                try:
                    scans[k] = future.result()
                except ModelError as error:
                    failed[k] = error
        except DeadlineExceeded:
            _give_up(waiting.values())
            raise
        if waiting and not scans:
            raise failed[next(iter(waiting))]
        current_terms().deadline.check("after the lines were looked at")
        return self._recognizer.readings(scans, failed, decoding)

    def relax(self) -> None:
        """Forget what is only known for speed; see `Recognizer.relax`."""
        self._recognizer.relax()


class Sharing:
    """Makes the networks of a reader ones that many threads use well at once.

    Args:
        watch: ends runs at the deadline of their call.
        places: pages looked at by the detector at once; each takes its memory.
        report: called after every batch with the name of its network.
        batch_columns: columns of pixels a batch may have; a longer line makes one alone.
        in_turns: whether batches of lines pass the detector's gate, too: both at once gain nothing
            on one processor, and in turns one uses the memory that the other is done with.
    """

    def __init__(
        self,
        watch: Watch,
        places: int,
        report: Report,
        batch_columns: int = BATCH_COLUMNS,
        *,
        in_turns: bool = False,
    ) -> None:
        self._limits = BatchLimits(cost=batch_columns)
        self._watch = watch
        self._gate = Gate(places)
        self._report = report
        self._in_turns = in_turns
        self._batchers: list[MicroBatcher[Strip, Scan]] = []

    @property
    def queued_columns(self) -> int:
        """Give the columns of pixels that wait to be read."""
        return sum(batcher.queued_cost for batcher in self._batchers)

    def session(self, session: Session) -> Session:
        """Give a session of the detector whose runs take turns."""
        return GatedSession(session, self._gate, self._watch)

    def recognizer(self, recognizer: Recognizer) -> SharedRecognizer:
        """Give a recognizer that batches the lines of all calls."""
        name = recognizer.name

        def in_turn(strips: Sequence[Strip], stop: Stop) -> list[Scan]:
            with self._gate.turn():
                return recognizer.scan(strips, stop)

        scan = in_turn if self._in_turns else recognizer.scan
        batcher = MicroBatcher(
            scan, self._limits, self._watch, lambda r: self._report(name, r), name
        )
        self._batchers.append(batcher)
        return SharedRecognizer(recognizer, batcher)

    def close(self) -> None:
        """End the threads; what waits is canceled."""
        for batcher in self._batchers:
            batcher.close()


def _to_piece(strip: Strip) -> Piece[Strip]:
    bucket = strip.bucket
    return Piece(strip, bucket, bucket, bucket - strip.pixels.shape[1])


def _give_up(futures: Iterable[Future[Scan]]) -> None:
    for future in futures:
        future.cancel()
