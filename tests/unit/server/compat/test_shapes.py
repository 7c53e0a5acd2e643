"""`POST /ocr?compat=…` answers as the service it names."""

from __future__ import annotations

from typing import Any

import pytest

from shizi.core.errors import CorruptImage
from tests.fakes import FakeReader, one_page
from tests.unit.server.calls import b64, client_of, content_of, file

BOX = [[10, 0], [200, 0], [200, 16], [10, 16]]


def _ask(compat: str, reader: FakeReader | None = None, **request: Any) -> Any:
    answer = client_of(reader).post(f"/ocr?compat={compat}", **request)
    assert answer.status_code == 200
    return content_of(answer)


@pytest.mark.parametrize("data", [{"image_file": file}, {"image_data": b64, "use_cls": str}])
def test_rapidocr(data: dict[str, Any]) -> None:
    content = _ask("rapidocr", data={name: make() for name, make in data.items()})

    assert content == {"0": {"rec_txt": "识字 Shizi", "dt_boxes": BOX, "score": "0.9000"}}


def test_rapidocr_finds_nothing() -> None:
    assert _ask("rapidocr", FakeReader([one_page()]), data={"image_file": file()}) == {}


def test_rapidocr_cannot_leave_a_stage_out() -> None:
    answer = client_of().post(
        "/ocr?compat=rapidocr", data={"image_file": file(), "use_det": "false"}
    )

    assert answer.status_code == 422
    assert content_of(answer)["detail"] == "use_det cannot be turned off"


def test_cnocr() -> None:
    assert _ask("cnocr", data={"image": file()}) == {
        "status_code": 200,
        "results": [{"text": "识字 Shizi", "score": 0.9, "position": BOX}],
    }


def test_paddlex() -> None:
    body = {"file": b64(), "fileType": 1, "useDocUnwarping": False}

    content = _ask("paddlex", json=body)

    assert (content["errorCode"], content["errorMsg"]) == (0, "Success")
    assert content["logId"]
    (result,) = content["result"]["ocrResults"]
    assert result["prunedResult"]["rec_texts"] == ["识字 Shizi"]
    assert result["prunedResult"]["rec_scores"] == [0.9]
    assert result["prunedResult"]["rec_polys"] == [BOX]
    assert result["prunedResult"]["rec_boxes"] == [[10, 0, 200, 16]]
    assert content["result"]["dataInfo"] == {"type": "image", "width": 320, "height": 240}


def test_paddlex_of_several_pages() -> None:
    pages = [one_page("a"), one_page("b", number=2)]

    result = _ask("paddlex", FakeReader(pages), json={"file": b64()})["result"]

    assert result["dataInfo"]["numPages"] == len(result["ocrResults"]) == 2


def test_paddlex_refuses_what_it_does_not_know() -> None:
    answer = client_of().post("/ocr?compat=paddlex", json={"file": b64(), "fileTyp": 1})

    assert answer.status_code == content_of(answer)["errorCode"] == 422
    assert "did you mean 'fileType'?" in content_of(answer)["errorMsg"]


@pytest.mark.parametrize("compat", ["rapidocr", "cnocr", "paddlex"])
def test_a_failure_keeps_its_status(compat: str) -> None:
    answer = client_of(FakeReader(CorruptImage("cut short"))).post(
        f"/ocr?compat={compat}", data={"image": file()}
    )

    assert answer.status_code == 422
    assert "cut short" in answer.get_data(as_text=True)


@pytest.mark.parametrize("compat", ["rapidocr", "cnocr", "paddlex"])
def test_there_is_room_for_one_picture(compat: str) -> None:
    answer = client_of().post(f"/ocr?compat={compat}", data={"image": [file(), file()]})

    assert answer.status_code == 400


def test_an_unknown_one_is_refused() -> None:
    answer = client_of().post("/ocr?compat=rapidoc", data={"image": file()})

    assert answer.status_code == 422
    assert "did you mean 'rapidocr'?" in content_of(answer)["error"]["message"]
