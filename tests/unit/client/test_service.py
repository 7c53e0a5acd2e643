"""The client speaks to a real service over a socket, and to things that are none."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from shizi.client import Client
from shizi.core.config import load
from shizi.core.errors import (
    Busy,
    CorruptImage,
    DeadlineExceeded,
    EncryptedPdf,
    FileAccessError,
    InputError,
    ModelError,
    OptionError,
    RateLimited,
    ShiziError,
    TooLarge,
    Unauthorized,
    Unreachable,
)
from shizi.core.options import Effort, ReadOptions
from shizi.core.types import PageResult
from shizi.server.app import create_app
from shizi.server.keys import draw_key, write_keys
from tests.fakes import FakeReader, one_page
from tests.program import environment
from tests.unit.client.conftest import Serve


def _app(reader: FakeReader, **flags: Any) -> Any:
    settings = load({k.replace("__", "."): v for k, v in flags.items()}, environ={}).settings
    return create_app(settings, reader)


def _answering(*answers: tuple[str, dict[str, str], bytes]) -> Any:
    """Make an application that gives these answers in their order, the last again and again."""
    left = list(answers)

    def app(_: object, start_response: Any) -> list[bytes]:
        status, headers, body = left.pop(0) if len(left) > 1 else left[0]
        start_response(status, list(headers.items()))
        return [body]

    return app


def _problem(code: str, detail: str = "x") -> bytes:
    return json.dumps({"code": code, "detail": detail}).encode()


def test_pages_come_back_as_they_were_read(serve: Serve, tmp_path: Path) -> None:
    pages = [one_page("发票", "Total 5"), one_page("second", number=2)]
    reader = FakeReader(pages)
    client = Client(serve(_app(reader)))
    (tmp_path / "a.png").write_bytes(b"picture")

    read = client.read(
        tmp_path / "a.png",
        effort="balanced",
        words=["张筠", "KBE"],
        chars=True,
        dpi=300,
        steps=["a"],
    )

    assert read == pages
    source, options = reader.calls[0]
    assert source == b"picture"
    assert options.effort is Effort.BALANCED
    assert options.words == ("张筠", "KBE")
    assert options.characters
    assert options.decode.pdf_dpi == 300
    assert options.steps == ("a",)


def test_several_are_read_each_for_itself(serve: Serve) -> None:
    def read(source: object, _: ReadOptions) -> list[PageResult]:
        if source == b"bad":
            raise CorruptImage("cut short")
        return [one_page("well")]

    first, second = Client(serve(_app(FakeReader(read)))).read_many([b"bad", b"good"])

    assert isinstance(first, CorruptImage)
    assert first.detail == "cut short"
    assert second == [one_page("well")]


@pytest.mark.parametrize(
    "error",
    [CorruptImage("cut short"), EncryptedPdf("locked"), ModelError("x"), ShiziError("y"),
     InputError("the input is empty"), TooLarge("max_pixels", 1_000, 2_345_678)],
)  # fmt: skip
def test_an_error_of_the_service_is_raised_again(serve: Serve, error: ShiziError) -> None:
    with pytest.raises(type(error)) as raised:
        Client(serve(_app(FakeReader(error)))).read(b"x")

    assert type(raised.value) is type(error)
    assert vars(raised.value) == vars(error)


def test_what_was_read_as_a_file(serve: Serve, tmp_path: Path) -> None:
    client = Client(serve(_app(FakeReader())))
    (tmp_path / "票.png").write_bytes(b"picture")

    client.save(tmp_path / "票.png", tmp_path / "out.csv", effort="balanced")

    assert "票.png,1,1,识字 Shizi" in (tmp_path / "out.csv").read_text("utf-8-sig")
    assert client.content(b"x") == "识字 Shizi\n".encode()
    assert json.loads(client.content(b"x", "json"))["documents"][0]["text"] == "识字 Shizi"
    assert client.content(b"x", "docx")[:2] == b"PK"
    with pytest.raises(OptionError, match="shizi convert"):
        client.content(b"x", "pdf")
    with pytest.raises(OptionError, match="ending of no format"):
        client.save(b"x", tmp_path / "out.bin")
    with pytest.raises(OptionError, match="`read` gives pages"):
        client.read(b"x", format="md")


def test_a_file_of_a_picture_that_cannot_be_read(serve: Serve, tmp_path: Path) -> None:
    client = Client(serve(_app(FakeReader(CorruptImage("cut short")))))

    with pytest.raises(CorruptImage):
        client.save(b"x", tmp_path / "out.xlsx")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_option_is_told(serve: Serve) -> None:
    with pytest.raises(OptionError, match="did you mean 'dpi'"):
        Client(serve(_app(FakeReader()))).read(b"x", dip=300)


def test_a_key_opens_the_service(serve: Serve, tmp_path: Path) -> None:
    key, kept = draw_key("a")
    write_keys(tmp_path / "keys", [kept])
    url = serve(_app(FakeReader(), server__keys=str(tmp_path / "keys")))

    assert Client(url + "/", key=key).read(b"x") == [one_page("识字 Shizi")]
    with pytest.raises(Unauthorized):
        Client(url).read(b"x")


def test_models_and_options(serve: Serve) -> None:
    client = Client(serve(_app(FakeReader())))

    assert "crnn-s" in [model["name"] for model in client.models()]
    assert client.options()["limits"]["max_documents"] == 50


@pytest.mark.parametrize("status", ["429 Too Many Requests", "503 Service Unavailable"])
def test_a_busy_service_is_asked_again_when_it_says(serve: Serve, status: str) -> None:
    models = b'{"models": [{"name": "m"}]}'
    url = serve(
        _answering((status, {"Retry-After": "0.2"}, _problem("busy")), ("200 OK", {}, models))
    )
    started = time.monotonic()

    assert Client(url).models() == [{"name": "m"}]
    assert time.monotonic() - started >= 0.2


@pytest.mark.parametrize(("code", "kind"), [("busy", Busy), ("rate_limited", RateLimited)])
def test_it_is_not_asked_past_the_time_given(
    serve: Serve, code: str, kind: type[Busy | RateLimited]
) -> None:
    url = serve(_answering(("503 X", {"Retry-After": "60"}, _problem(code))))

    with pytest.raises(kind) as raised:
        Client(url, timeout_s=2).models()
    assert raised.value.retry_after_s == 60


def test_a_service_that_is_too_slow(serve: Serve) -> None:
    def slow(_: object, start_response: Any) -> list[bytes]:
        time.sleep(0.5)
        start_response("200 OK", [])
        return [b"{}"]

    with pytest.raises(DeadlineExceeded, match=r"in 0\.1 s"):
        Client(serve(slow), timeout_s=0.1).models()


@pytest.mark.parametrize(
    ("status", "body"),
    [("200 OK", b"<html>"), ("200 OK", b"[]"), ("404 Not Found", b"no"), ("500 X", b"{}")],
)
def test_what_is_no_shizi_is_told(serve: Serve, status: str, body: bytes) -> None:
    with pytest.raises(Unreachable, match="no Shizi"):
        Client(serve(_answering((status, {}, body)))).models()


@pytest.mark.parametrize("body", [b'{"a": 1}', b'{"documents": [{"success": true}]}'])
def test_an_answer_of_another_form_is_told(serve: Serve, body: bytes) -> None:
    with pytest.raises(Unreachable, match="another form"):
        Client(serve(_answering(("200 OK", {}, body)))).read(b"x")


def test_where_nobody_listens() -> None:
    with pytest.raises(Unreachable, match="no answer from 127"):
        Client("http://127.0.0.1:9").models()


def test_an_address_or_path_that_is_none(tmp_path: Path) -> None:
    for url in ("127.0.0.1:5000", "ftp://a.example", "http://"):
        with pytest.raises(OptionError, match="no address"):
            Client(url)
    with pytest.raises(FileAccessError, match="cannot be read"):
        Client("http://127.0.0.1:9").read(tmp_path / "none.png")


def test_it_needs_nothing_but_the_standard_library() -> None:
    code = (
        "import sys, shizi.client; base = set(sys.stdlib_module_names) | {'shizi', '__main__'};"
        "print(sorted({m.partition('.')[0] for m in sys.modules} - base - {'sitecustomize'}))"
    )
    command = [sys.executable, "-S", "-c", code]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, check=True, text=True)

    assert done.stdout.strip() == "[]"
