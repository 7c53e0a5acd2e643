"""One table of options: alike in forms, queries and JSON, and nothing is ignored."""

from __future__ import annotations

from typing import Any

import pytest

from shizi.core.config import ServerSettings
from shizi.core.options import Decoder, Effort, Lane, PdfText, ReadOptions
from shizi.server.schema import Call, choose, json_to_fields, make_options
from tests.fakes import FakeReader
from tests.unit.server.calls import b64, client_of, content_of, file

OPTIONS = make_options(ServerSettings())
DEFAULT = Call(ReadOptions())
CHOSEN: dict[str, Any] = {
    "dpi": 300,
    "pdf_text": "never",
    "password": "pw",
    "pages": "2-3",
    "steps": ["grayscale", "clahe"],
    "effort": "balanced",
    "decoder": "greedy",
    "words": ["张筠", "KBE-37"],
    "chars": True,
    "coords": "relative",
    "format": "json",
    "timeout": 7.5,
    "priority": "bulk",
}


def _asked(**request: Any) -> ReadOptions:
    reader = FakeReader()
    answer = client_of(reader).post("/v1/ocr", **request)
    assert answer.status_code == 200, answer.get_data(as_text=True)
    return reader.calls[0][1]


def test_the_table_is_whole() -> None:
    assert OPTIONS.keys() == CHOSEN.keys()
    for option in OPTIONS.values():
        assert option.doc
        assert option.schema["type"]
        option.default(DEFAULT)


def test_json_query_and_form_say_the_same() -> None:
    texts = json_to_fields(CHOSEN, OPTIONS)

    by_json = _asked(json={"image": b64(), "options": CHOSEN})
    by_query = _asked(query_string=texts, data=b"picture", content_type="image/png")
    by_form = _asked(data={"file": file(), **texts})

    for options in (by_json, by_query, by_form):
        assert options.decode.pdf_dpi == 300
        assert options.decode.pdf_text is PdfText.NEVER
        assert options.decode.password == "pw"
        assert (options.decode.first_page, options.decode.last_page) == (2, 3)
        assert options.steps == ("grayscale", "clahe")
        assert options.effort is Effort.BALANCED
        assert options.decoder is Decoder.GREEDY
        assert options.words == ("张筠", "KBE-37")
        assert options.characters
        assert 7 < (options.timeout_s or 0) <= 7.5
        assert options.lane is Lane.BULK


def test_a_request_that_chooses_nothing_has_the_time_of_the_settings() -> None:
    reader = FakeReader()

    client = client_of(reader, server__request_timeout_s=9.0)
    client.post("/ocr", data={"image": file()})

    assert 8 < (reader.calls[0][1].timeout_s or 0) <= 9


def test_every_range_of_pages_is_read() -> None:
    reader = FakeReader()

    client_of(reader).post("/ocr?pages=5-,1,2", data={"image": file()})

    ranges = [(o.decode.first_page, o.decode.last_page) for _, o in reader.calls]
    assert ranges == [(1, 2), (5, None)]


@pytest.mark.parametrize("route", ["/v1/ocr", "/ocr"])
def test_boxes_in_parts_of_the_page(route: str) -> None:
    content = content_of(client_of().post(f"{route}?coords=relative", data={"file": file()}))

    lines = content.get("results") or content["documents"][0]["results"]
    assert lines[0]["box"] == [[0.03125, 0.0], [0.625, 0.0], [0.625, 0.06667], [0.03125, 0.06667]]


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("dip=300", "did you mean 'dpi'?"),
        ("dpi=9", "from 36 to 1200"),
        ("pages=3-1", "count from 1 upwards"),
        ("pages=0", "count from 1 upwards"),
        ("pages=1000000", "goes past"),
        ("pages=" + "1," * 600 + "1", "more than 1,000 characters"),
        ("coords=cm", "one of pixel, relative"),
        ("timeout=0", "from 0.1 to 600 seconds"),
        ("timeout=601", "from 0.1 to 600 seconds"),
        ("timeout=nan", "from 0.1 to 600 seconds"),
        ("priority=high", "one of interactive, bulk"),
        ("compat=rapidocr", "unknown option 'compat'"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_read(query: str, told: str) -> None:
    reader = FakeReader()

    answer = client_of(reader).post(f"/v1/ocr?{query}", data={"file": file()})

    assert answer.status_code == 422
    assert told in content_of(answer)["detail"]
    assert not reader.calls


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"dip": 1}, "did you mean 'dpi'?"),
        ({"dpi": "300"}, "dpi is of the wrong type; it is integer"),
        ({"dpi": True}, "wrong type"),
        ({"dpi": 200.5}, "wrong type"),
        ({"chars": "true"}, "wrong type"),
        ({"words": [1]}, "wrong type; it is string or array"),
        ({"timeout": {}}, "wrong type"),
        ({"password": None}, "wrong type"),
        ({"password": "a\ud800"}, "half a character"),
        ({"words": ["\udfff"]}, "half a character"),
    ],
)
def test_json_options_have_their_types(options: object, told: str) -> None:
    answer = client_of().post("/v1/ocr", json={"image": b64(), "options": options})

    assert answer.status_code == 422
    assert told in content_of(answer)["detail"]


def test_whole_numbers_may_be_written_either_way() -> None:
    fields = json_to_fields({"dpi": 300.0, "timeout": 3}, OPTIONS)

    assert choose(fields, OPTIONS, DEFAULT).options.decode.pdf_dpi == 300


def test_more_words_than_are_of_use_are_refused() -> None:
    answer = client_of().post(
        "/ocr", data={"image": file(), "words": "\n".join(map(str, range(10_001)))}
    )

    assert answer.status_code == 422
    assert "10,001 entries" in content_of(answer)["error"]["message"]


def test_an_option_told_twice_is_refused() -> None:
    client = client_of()

    for url, data in (("/v1/ocr?dpi=90&dpi=90", {}), ("/v1/ocr?dpi=90", {"dpi": "90"})):
        answer = client.post(url, data={"file": file(), **data})
        assert answer.status_code == 400
        assert "sent twice" in content_of(answer)["detail"]


def test_the_list_of_options_is_the_table() -> None:
    content = content_of(client_of(reader__effort="accurate").get("/v1/options"))

    listed = {option["name"]: option for option in content["options"]}
    assert listed.keys() == OPTIONS.keys()
    assert listed["effort"]["default"] == "accurate"
    assert listed["dpi"]["schema"] == {"type": "integer", "minimum": 36, "maximum": 1200}
    assert content["limits"] == {
        "max_body_bytes": 20_000_000,
        "max_documents": 50,
        "max_bytes": 50_000_000,
        "max_pixels": 100_000_000,
        "max_pages": 2_000,
        "max_timeout_s": 600.0,
        "max_upload_bytes": 500_000_000,
        "max_files": 10_000,
        "keep_s": 604_800.0,
    }
