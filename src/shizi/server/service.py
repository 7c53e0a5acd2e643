"""What every route shares: the reader, its options, and the way from a request to an answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Response, g, request

from shizi.core.config import Settings
from shizi.core.errors import RequestError
from shizi.core.telemetry import request_id
from shizi.engine.pagereader import PageReader
from shizi.server.bodies import Body, once, read_body
from shizi.server.budget import BodyBudget
from shizi.server.files import call_for, file_format, file_reply
from shizi.server.metrics import Meter
from shizi.server.reading import Answer, read_pictures
from shizi.server.routing import RequestRouter
from shizi.server.schema import Call, Option, choose
from shizi.server.shapes import Shape, reply
from shizi.server.state import ServiceState
from shizi.server.trace import seconds_so_far
from shizi.server.uploads import Submission, body_to_submission


@dataclass(frozen=True, slots=True)
class Service:
    """What the routes work with; threads share it.

    Attributes:
        settings: resolved at the edge.
        reader: reads pages; where there is a router, those of no request.
        state: what the engine tells of itself.
        meter: counts.
        budget: memory for the bodies of requests.
        options: what a request may choose, by name.
        default: what holds where it does not.
        router: chooses the version that reads a request; None where there is one only.
    """

    settings: Settings
    reader: PageReader
    state: ServiceState
    meter: Meter
    budget: BodyBudget
    options: dict[str, Option]
    default: Call
    router: RequestRouter | None = None

    def body(self) -> Body:
        """Read the body of the current request."""
        return read_body(request, self.settings.server, self.budget)

    def submission(self, body: Body) -> Submission:
        """Find the pictures and options of a body of our own form."""
        return body_to_submission(body, self.options, self.settings.server.max_documents)

    def answer(
        self,
        submission: Submission,
        shape: Shape,
        *,
        query: tuple[str, ...] = (),
        change: Callable[[Call], Call] = lambda call: call,
    ) -> Response:
        """Read what was handed in, and answer in a shape.

        Args:
            submission: pictures, and options from the body.
            shape: of the answer, and from here on of a failure.
            query: parameters of the address that are no options.
            change: made to the call before it is read.

        Raises:
            ShiziError: an option is wrong, or the only picture cannot be read.
        """
        g.shape = shape
        if shape.one and len(submission.pictures) > 1:
            raise RequestError("this form of answer is for one picture; send one at a time")
        pairs = [pair for pair in request.args.items(multi=True) if pair[0] not in query]
        fields = once([*pairs, *submission.fields.items()])
        call = change(choose(fields, self.options, self.default))
        form = file_format(call, shape, len(submission.pictures))
        call = call_for(form, call)
        reader = self.router.pin(submission.pictures) if self.router else self.reader
        readings = read_pictures(reader, submission.pictures, call)
        for reading in readings:
            self.meter.count_pages(reading.pages)
            if reading.error is not None:
                self.meter.count_error(reading.error.code)
        if form is not None:
            return file_reply(form, readings, submission.names)
        answer = Answer(readings, call, g.started_at, seconds_so_far(), request_id.get())
        return reply(shape.answer(answer))
