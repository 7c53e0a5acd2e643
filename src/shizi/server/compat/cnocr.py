"""Answers as the service of CnOCR does."""

from __future__ import annotations

from shizi.formats import Json, box_to_list
from shizi.server.reading import Answer
from shizi.server.shapes import LINES, Failure, Shape


def _answer(answer: Answer) -> Json:
    lines = [line for page in answer.pages() for line in page]
    return {
        "status_code": 200,
        "results": [
            {
                "text": line.text,
                "score": round(line.confidence, 4),
                "position": box_to_list(line.box),
            }
            for line in lines
        ],
    }


def _failure(failure: Failure) -> tuple[Json, int]:
    content, status = LINES.failure(failure)
    return {"status_code": status, **content}, status


CNOCR = Shape(_answer, _failure, one=True)
