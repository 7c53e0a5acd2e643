"""Reads a request with the version it was routed to; where a canary fails, the stable one reads."""

from __future__ import annotations

from dataclasses import replace

from shizi.core.deadline import Deadline
from shizi.core.errors import Canceled, ShiziError, Unavailable
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from shizi.release.member import Member
from shizi.release.observations import Outcome, Side
from shizi.release.outcomes import (
    is_theirs,
    observe_answer,
    observe_failure,
    outcome_of,
    worked_s,
)
from shizi.release.router import Route
from shizi.release.shadow import Shadow

# Of the time a request has, so much is the canary's; the stable version needs the rest if it fails.
_CANARY_SHARE = 0.6


class PinnedReader:
    """Reads the pictures of one request; made for it.

    Args:
        member: of this process.
        route: decided when the request came.
        shadow: reads a share of what the stable version read with the canary too; None for nothing.

    Attributes:
        route: of the request.
        version: that read last; the one routed to before that.
    """

    def __init__(self, member: Member, route: Route, shadow: Shadow | None = None) -> None:
        self._member, self._shadow = member, shadow
        self.route = route
        self.version = route.version

    def read(self, source: bytes, options: ReadOptions) -> list[PageResult]:
        """Read all pages; see `Reader.read`."""
        with self._member.working():
            if self.route.side is Side.CANARY and self._is_current():
                pages = self._by_canary(source, options)
            else:
                pages = self._by_default(source, options)
        return [replace(page, epoch=self.route.epoch) for page in pages]

    def _is_current(self) -> bool:
        """Tell whether the release goes on that the request was routed by."""
        running = self._member.running
        return running is not None and running.release_id == self.route.release_id

    def _by_canary(self, source: bytes, options: ReadOptions) -> list[PageResult]:
        member, route = self._member, self.route
        deadline = Deadline.after(options.timeout_s)
        hurried = options
        if options.timeout_s is not None:
            hurried = replace(options, timeout_s=options.timeout_s * _CANARY_SHARE)
        started = member.clock()
        try:
            if member.tripped:
                raise Canceled("the canary is not used any more")
            pages = member.engines.reader(route.version, Side.CANARY).read(source, hurried)
        except ShiziError as error:
            if is_theirs(error):
                member.observe(observe_failure(route, Side.CANARY, Outcome.REJECTED))
                raise
            return self._rescued(source, options, deadline, error)
        self.version = route.version
        seconds = worked_s(pages, member.clock() - started)
        member.observe(observe_answer(route, Side.CANARY, pages, seconds))
        return pages

    def _rescued(
        self, source: bytes, options: ReadOptions, deadline: Deadline, error: ShiziError
    ) -> list[PageResult]:
        """Let the version that answers by default read what the canary failed at.

        The canary is charged with it only if that succeeds: what both fail at is the picture's
        fault, or the machine's.
        """
        left_s = None if options.timeout_s is None else deadline.left_s()
        charged = outcome_of(error)
        try:
            if left_s is not None and left_s <= 0:
                raise error
            pages = self._tried("", source, replace(options, timeout_s=left_s))
        except ShiziError as second:
            if second is not error:
                charged = Outcome.REJECTED
            self._member.observe(observe_failure(self.route, Side.CANARY, charged))
            raise
        # That it had too much to do, or is not used any more, is nothing to charge it with.
        if charged is not Outcome.REJECTED:
            self._member.observe(observe_failure(self.route, Side.CANARY, charged))
        return pages

    def _by_default(self, source: bytes, options: ReadOptions) -> list[PageResult]:
        member, route = self._member, self.route
        running = member.running if self._is_current() else None
        # A version that is no longer kept is nobody's any more: the present default reads instead.
        kept = running is not None and route.version in running.wanted
        started = member.clock()
        try:
            pages = self._tried(route.version if kept else "", source, options)
        except ShiziError as error:
            if running is not None:
                member.observe(observe_failure(route, Side.STABLE, outcome_of(error)))
            raise
        if running is not None:
            seconds = worked_s(pages, member.clock() - started)
            member.observe(observe_answer(route, Side.STABLE, pages, seconds))
            if self._shadow is not None:
                self._shadow.offer(running, route, source, options, pages)
        return pages

    def _tried(self, version: str, source: bytes, options: ReadOptions) -> list[PageResult]:
        """Read with a version, or with the default where it is that, or is gone meanwhile."""
        engines = self._member.engines
        if version and version != self._member.active:
            try:
                pages = engines.reader(version, Side.STABLE).read(source, options)
            except Unavailable:
                if version == self._member.active:
                    raise
            else:
                self.version = version
                return pages
        pages = engines.reader("", Side.STABLE).read(source, options)
        # Another version may have become the default while this one read: the pages know best.
        self.version = _reader_of(pages) or self._member.active
        return pages


def _reader_of(pages: list[PageResult]) -> str:
    """Name the version that read pages; empty where they do not tell."""
    return next((f"{p.model}@{p.version}" for p in pages if p.model and p.version), "")
