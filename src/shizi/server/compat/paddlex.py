"""Takes and answers what the OCR service of PaddleX does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shizi.core.errors import OptionError
from shizi.core.types import PageResult
from shizi.formats import Json, box_to_list
from shizi.server.reading import Answer
from shizi.server.shapes import Failure, Shape
from shizi.server.uploads import Submission, try_base64

# Taken so that clients need no change; pages are prepared as they need it, whatever these say.
_WITHOUT_EFFECT = (
    "fileType",
    "useDocOrientationClassify",
    "useDocUnwarping",
    "useTextlineOrientation",
    "textDetLimitSideLen",
    "textDetLimitType",
    "textDetThresh",
    "textDetBoxThresh",
    "textDetUnclipRatio",
    "textRecScoreThresh",
    "returnWordBox",
    "visualize",
)


def paddlex_submission(content: Mapping[str, Any]) -> Submission:
    """Take the `file` of a PaddleX request.

    Raises:
        OptionError: it holds something PaddleX does not know.
    """
    known = ("file", *_WITHOUT_EFFECT)
    for name in content:
        if name not in known:
            raise OptionError.unknown(name[:100], known, "key of the JSON body")
    return Submission((try_base64(content["file"]),))


def _answer(answer: Answer) -> Json:
    pages = answer.pages()
    sizes = [{"width": page.width, "height": page.height} for page in pages]
    info: Json = {"type": "image", **(sizes[0] if sizes else {})}
    if len(sizes) > 1:
        info = {"type": "pdf", "numPages": len(sizes), "pages": sizes}
    results = [{"prunedResult": _page(page), "ocrImage": None} for page in pages]
    return {
        "logId": answer.request_id,
        "errorCode": 0,
        "errorMsg": "Success",
        "result": {"ocrResults": results, "dataInfo": info},
    }


def _page(page: PageResult) -> Json:
    boxes = [box_to_list(line.box) for line in page]
    return {
        "dt_polys": boxes,
        "rec_texts": [line.text for line in page],
        "rec_scores": [round(line.confidence, 4) for line in page],
        "rec_polys": boxes,
        "rec_boxes": [[round(edge) for edge in line.box.bounds] for line in page],
    }


def _failure(failure: Failure) -> tuple[Json, int]:
    content: Json = {
        "logId": failure.request_id,
        "errorCode": failure.status,
        "errorMsg": failure.detail,
    }
    return content, failure.status


PADDLEX = Shape(_answer, _failure, one=True)
