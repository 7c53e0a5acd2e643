"""Answers that are files: what was read in one of the formats of `shizi read`."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import replace
from itertools import zip_longest

from flask import Response

from shizi.core.errors import OptionError
from shizi.formats import FORMATS, Document, Format
from shizi.server.reading import Reading
from shizi.server.schema import AS_JSON, Call
from shizi.server.shapes import Shape

FAILED_HEADER = "X-Failed-Documents"


def file_format(call: Call, shape: Shape, pictures: int) -> Format | None:
    """Give the format of the file that a request asks for; None for the answer of its address.

    What the format needs is loaded: nothing is read that could not be written.

    Args:
        call: that was chosen.
        shape: of the address.
        pictures: that were sent.

    Raises:
        OptionError: the address, the pictures or the other options do not go with it.
        MissingExtra: a package that the format needs is not installed.
    """
    if call.form is None:
        return None
    if not shape.files:
        raise OptionError("format: this address has a form of its own; POST /v1/ocr takes formats")
    if call.form == AS_JSON:
        return None
    form = FORMATS[call.form]
    if form.one and pictures > 1:
        raise OptionError(f"format {form.name} holds one document; the request has {pictures}")
    if call.relative:
        raise OptionError(f"coords is relative, and format {form.name} is in pixels")
    form.load()
    return form


def call_for(form: Format | None, call: Call) -> Call:
    """Give the call that brings what a format shows."""
    if form is None or not form.places_words:
        return call
    return replace(call, options=replace(call.options, characters=True))


def file_reply(form: Format, readings: Sequence[Reading], names: Sequence[str]) -> Response:
    """Answer with a file; what could not be read is named in a header, few formats have a place.

    Args:
        form: of the file.
        readings: one a picture.
        names: of the pictures; those without one are numbered.
    """
    out, failed = io.BytesIO(), []
    writer = form.open(out, several=len(readings) > 1)
    for number, (reading, name) in enumerate(zip_longest(readings, names), start=1):
        shown = name or str(number)
        if reading.error is not None:
            failed.append(number)
            writer.fail(shown, reading.error)
            continue
        writer.begin(Document(shown))
        for page in reading.pages:
            writer.add(page)
        writer.end(reading.seconds)
    writer.close()
    response = Response(out.getvalue(), content_type=form.content_type)
    response.headers["Cache-Control"] = "no-store"
    response.headers["Content-Disposition"] = f'attachment; filename="shizi.{form.ending}"'
    if failed:
        response.headers[FAILED_HEADER] = ", ".join(map(str, failed))
    return response
