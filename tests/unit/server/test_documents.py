"""Pictures come in four ways, one or several, and each is answered for itself."""

from __future__ import annotations

from typing import Any

import pytest

from shizi.core.errors import Busy, CorruptImage, ShiziError
from shizi.core.options import ReadOptions
from shizi.core.types import PageResult
from tests.fakes import FakeReader, one_page
from tests.unit.server.calls import b64, client_of, content_of, file

ROUTES = ("/v1/ocr", "/ocr", "/api/ocr")
WAYS: dict[str, dict[str, Any]] = {
    "form": {"data": {"file": file}},
    "base64 in JSON": {"json": {"image": b64()}},
    "a data URI in JSON": {"json": {"image": f"data:image/png;base64,{b64()}"}},
    "base64 with line breaks": {"json": {"image": f"{b64()[:4]}\r\n{b64()[4:]}"}},
    "base64 without padding": {"json": {"image": b64().rstrip("=")}},
    "a list in JSON": {"json": {"images": [b64()]}},
    "bytes": {"data": b"picture", "content_type": "image/png"},
    "a PDF": {"data": b"picture", "content_type": "application/pdf"},
    "bytes of no type": {"data": b"picture"},
    "base64 in a form": {"data": {"image_data": b64()}},
}


def _echo(source: object, _: ReadOptions) -> list[PageResult]:
    """Read the bytes as their own text; those that begin with "bad" are damaged."""
    assert isinstance(source, bytes)
    if source.startswith(b"bad"):
        raise CorruptImage("cut short")
    return [one_page(source.decode())]


def _made(way: dict[str, Any]) -> dict[str, Any]:
    data = way.get("data")
    if isinstance(data, dict):
        return {"data": {k: v() if callable(v) else v for k, v in data.items()}}
    return way


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("way", WAYS)
def test_every_route_takes_a_picture_in_every_way(route: str, way: str) -> None:
    reader = FakeReader()

    answer = client_of(reader).post(route, **_made(WAYS[way]))

    assert answer.status_code == 200
    assert [source for source, _ in reader.calls] == [b"picture"]


def test_each_picture_has_an_entry_of_its_own() -> None:
    answer = client_of(FakeReader(_echo)).post(
        "/v1/ocr", data={"file": [file(b"one"), file(b"bad"), file(b"three")]}
    )

    content = content_of(answer)
    assert answer.status_code == 200
    assert content["success"] is False
    assert [entry["document"] for entry in content["documents"]] == [1, 2, 3]
    assert [entry["success"] for entry in content["documents"]] == [True, False, True]
    assert content["documents"][2]["text"] == "three"
    assert content["documents"][1]["error"] == {
        "code": "corrupt",
        "status": 422,
        "message": "cut short",
        "advice": CorruptImage.advice,
    }
    assert content["documents"][1]["results"] == []


def test_one_picture_has_an_entry_too() -> None:
    content = content_of(client_of(FakeReader(_echo)).post("/v1/ocr", data={"file": file(b"one")}))

    assert content["success"] is True
    assert [entry["text"] for entry in content["documents"]] == ["one"]


def test_bad_base64_stands_in_its_place() -> None:
    content = content_of(
        client_of(FakeReader(_echo)).post("/v1/ocr", json={"images": [b64(b"a"), "!", 7, ""]})
    )

    codes = [entry.get("error", {}).get("code") for entry in content["documents"]]
    assert codes == [None, "bad_input", "bad_input", "bad_input"]


def test_the_lines_of_several_name_their_picture() -> None:
    content = content_of(
        client_of(FakeReader(_echo)).post(
            "/ocr", data={"image": [file(b"one"), file(b"bad"), file(b"three")]}
        )
    )

    assert content["success"] is False
    assert [(line["text"], line["document"]) for line in content["results"]] == [
        ("one", 1),
        ("three", 3),
    ]
    assert content["documents"][1]["error"]["code"] == "corrupt"


def test_texts_alone() -> None:
    client = client_of(FakeReader(_echo))

    one = content_of(client.post("/api/ocr", data={"image": file(b"one")}))
    two = content_of(client.post("/api/ocr", data={"image": [file(b"one"), file(b"bad")]}))

    assert (one["success"], one["text"]) == (True, ["one"])
    assert "documents" not in one
    assert (two["success"], two["text"]) == (False, ["one"])
    assert two["documents"][0] == {"document": 1, "success": True, "text": ["one"]}
    assert two["documents"][1]["error"]["code"] == "corrupt"


def test_the_only_picture_fails_the_request() -> None:
    answer = client_of(FakeReader(_echo)).post("/v1/ocr", data={"file": file(b"bad")})

    assert answer.status_code == 422


def test_a_busy_reader_fails_the_request_where_it_reads_nothing() -> None:
    answer = client_of(FakeReader(Busy(3))).post("/v1/ocr", data={"file": [file(), file()]})

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "3"


def test_a_bug_met_by_one_picture_is_not_its_neighbours() -> None:
    def read(source: object, _: ReadOptions) -> list[PageResult]:
        if source == b"odd":
            raise RuntimeError("inner workings")
        return [one_page("well")]

    answer = client_of(FakeReader(read)).post("/v1/ocr", data={"file": [file(b"odd"), file()]})

    content = content_of(answer)
    assert content["documents"][0]["error"]["code"] == ShiziError.code
    assert content["documents"][1]["text"] == "well"
    assert "inner workings" not in answer.get_data(as_text=True)


def test_the_time_of_a_request_is_shared_by_its_pictures() -> None:
    reader = FakeReader()

    client_of(reader).post("/v1/ocr?timeout=5", data={"file": [file(), file()]})

    first, second = (options.timeout_s or 0 for _, options in reader.calls)
    assert second < first <= 5


def test_more_pictures_than_a_request_may_have() -> None:
    client = client_of(server__max_documents=2)

    form = client.post("/v1/ocr", data={"file": [file(), file(), file()]})
    listed = client.post("/v1/ocr", json={"images": [b64()] * 3})

    for answer in (form, listed):
        assert answer.status_code == 413
        assert content_of(answer)["detail"] == "max_documents is 2 and the input has 3"


@pytest.mark.parametrize(
    ("body", "status", "told"),
    [
        ({}, 400, "holds no picture"),
        ({"images": []}, 400, "holds no picture"),
        ({"images": "x"}, 400, "no list"),
        ({"image": "x", "images": []}, 400, "send one of them"),
        ({"image": "QQ==", "option": {}}, 422, "did you mean 'options'?"),
        ({"image": "QQ==", "options": []}, 400, "no object"),
        ({"image": "data:image/png,QQ=="}, 422, "holds no base64"),
        ({"image": "中"}, 422, "no valid base64"),
        ({"image": ""}, 422, "the input is empty"),
    ],
)
def test_a_json_body_of_another_form_is_refused(body: object, status: int, told: str) -> None:
    answer = client_of().post("/v1/ocr", json=body)

    assert answer.status_code == status
    assert told in content_of(answer)["detail"]


def test_an_unknown_file_field_is_refused() -> None:
    answer = client_of().post("/v1/ocr", data={"flie": file()})

    assert answer.status_code == 422
    assert "did you mean 'file'?" in content_of(answer)["detail"]
