"""A result as plain text and as a response object: what JSON and HTTP answers hold."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from shizi.core.errors import ShiziError
from shizi.core.types import Character, Direction, Notice, Origin, PageResult, Quad, TextLine

SCHEMA = "1.0"
Json = dict[str, object]


def pages_to_text(pages: Sequence[PageResult]) -> str:
    """Join the lines in reading order; a form feed stands between pages, as pdftotext has it."""
    return "\f".join(page.text + "\n" if page.lines else "" for page in pages)


def pages_to_dict(
    pages: Sequence[PageResult], total_time_s: float, *, relative: bool = False
) -> Json:
    """Give the response object of one picture or document.

    Args:
        pages: of one input, in order; none read is a success without results.
        total_time_s: seconds the caller waited for the reading.
        relative: give boxes as parts of the page's width and height instead of in pixels.

    Returns:
        What `json` can write. Boxes are four (x, y) clockwise from where the text begins, in
        pixels of the original page, whole numbers or with at most two decimals; confidences are
        in [0, 1].
    """
    results = [
        _line_to_dict(line, page, k, relative=relative)
        for page in pages
        for k, line in enumerate(page.lines, start=1)
    ]
    return {
        "success": True,
        "results": results,
        "text": pages_to_text(pages).rstrip("\n"),
        "pages": [_page_to_dict(page) for page in pages],
        "warnings": [_notice_to_dict(notice) for page in pages for notice in page.notices],
        "model": _model(pages),
        "total_time": round(total_time_s, 4),
        "timing": _timing(pages),
        "schema": SCHEMA,
    }


def error_to_dict(error: ShiziError) -> Json:
    """Give the response object of an input that could not be read."""
    return failure_to_dict(error.code, error.detail, error.advice)


def failure_to_dict(code: str, message: str, advice: str) -> Json:
    """Give a failed response from its three parts; `results` is there for naive clients."""
    return {
        "success": False,
        "error": {"code": code, "message": message, "advice": advice},
        "results": [],
    }


def dict_to_json(response: Mapping[str, object]) -> str:
    """Write one response for people: indented, Chinese as it is, with a final line feed."""
    return json.dumps(response, ensure_ascii=False, indent=2) + "\n"


def dict_to_jsonl(image: str, response: Mapping[str, object]) -> str:
    """Write one response as one line, the picture's name first."""
    return json.dumps({"image": image, **response}, ensure_ascii=False) + "\n"


def box_to_list(quad: Quad, unit: tuple[int, int] | None = None) -> list[list[int | float]]:
    """Give four [x, y], clockwise from where the text begins.

    Args:
        quad: in pixels of the original page.
        unit: (width, height) of a page, in pixels, to give parts of; None gives pixels.
    """
    if unit is None:
        return [[_number(x), _number(y)] for x, y in quad.points]
    width, height = (max(side, 1) for side in unit)
    return [[round(x / width, 5), round(y / height, 5)] for x, y in quad.points]


def dict_to_pages(answer: Mapping[str, Any]) -> list[PageResult]:
    """Give back the pages of a response object; what it does not hold has its default.

    Args:
        answer: as `pages_to_dict` gives it, of one picture or document.

    Raises:
        KeyError, TypeError, ValueError: it has another form.
    """
    lines: dict[int, list[TextLine]] = {}
    for entry in answer["results"]:
        lines.setdefault(int(entry["page"]), []).append(_dict_to_line(entry))
    first = answer["pages"][0]["page"] if answer["pages"] else 1
    notices = [
        Notice(str(entry["code"]), str(entry["detail"]), entry.get("page"))
        for entry in answer["warnings"]
    ]
    return [
        PageResult(
            number=int(page["page"]),
            width=int(page["width"]),
            height=int(page["height"]),
            lines=tuple(lines.get(int(page["page"]), ())),
            notices=tuple(n for n in notices if (n.page or first) == page["page"]),
            angle_deg=float(page["angle"]),
            scale=float(page["scale"]),
            steps=tuple(page["steps"]),
            model=str(answer["model"]["name"]),
            version=str(answer["model"].get("version", "")),
            epoch=answer["model"].get("epoch"),
        )
        for page in answer["pages"]
    ]


def _dict_to_line(entry: Mapping[str, Any]) -> TextLine:
    return TextLine(
        text=str(entry["text"]),
        confidence=float(entry["confidence"]),
        box=_list_to_box(entry["box"]),
        direction=Direction(entry["direction"]),
        characters=tuple(
            Character(str(c["text"]), float(c["confidence"]), _list_to_box(c["box"]))
            for c in entry.get("chars", ())
        ),
        origin=Origin(entry.get("origin", Origin.PICTURE)),
    )


def _list_to_box(points: Sequence[Sequence[float]]) -> Quad:
    a, b, c, d = ((float(x), float(y)) for x, y in points)
    return Quad((a, b, c, d))


def _line_to_dict(line: TextLine, page: PageResult, number: int, *, relative: bool) -> Json:
    unit = (page.width, page.height) if relative else None
    result: Json = {
        "text": line.text,
        "confidence": _confidence(line.confidence),
        "box": box_to_list(line.box, unit),
        "page": page.number,
        "line": number,
        "direction": line.direction.value,
    }
    if line.origin is not Origin.PICTURE:
        result["origin"] = line.origin.value
    if line.characters:
        result["chars"] = [
            {
                "text": c.text,
                "confidence": _confidence(c.confidence),
                "box": box_to_list(c.box, unit),
            }
            for c in line.characters
        ]
    return result


def _page_to_dict(page: PageResult) -> Json:
    return {
        "page": page.number,
        "width": int(page.width),
        "height": int(page.height),
        "angle": _number(page.angle_deg),
        "scale": round(float(page.scale), 4),
        "steps": list(page.steps),
    }


def _notice_to_dict(notice: Notice) -> Json:
    result: Json = {"code": notice.code, "detail": notice.detail}
    if notice.page is not None:
        result["page"] = notice.page
    return result


def _model(pages: Sequence[PageResult]) -> Json:
    """Tell who read; in a release, two pictures of one folder may have met different versions."""
    if not pages:
        return {"name": "", "version": ""}
    first = pages[0]
    epoch = {} if first.epoch is None else {"epoch": first.epoch}
    return {"name": first.model, "version": first.version, **epoch}


def _timing(pages: Sequence[PageResult]) -> dict[str, float]:
    """Sum the stages over the pages, in the order the stages came."""
    sums: dict[str, float] = {}
    for page in pages:
        for stage, seconds in page.timing_s:
            sums[stage] = sums.get(stage, 0.0) + float(seconds)
    return {stage: round(seconds, 4) for stage, seconds in sums.items()}


def _confidence(value: float) -> float:
    return round(float(value), 4)


def _number(value: float) -> int | float:
    """Round to two decimals; a whole number loses its point, and zero its sign."""
    rounded = round(float(value), 2)
    return int(rounded) if rounded.is_integer() else rounded
