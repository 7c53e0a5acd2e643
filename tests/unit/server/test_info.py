"""What the service tells of itself."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from shizi.core.config import ServerSettings, Settings
from shizi.core.errors import error_kinds
from shizi.formats import Json
from shizi.server.app import create_app
from shizi.server.openapi import openapi_document
from shizi.server.schema import make_options, plain_options
from tests.fakes import FakeReader
from tests.program import environment
from tests.unit.server.calls import client_of, content_of


class _Warming:
    """An engine that is not ready yet."""

    def unready(self) -> str | None:
        return "two of three models are loaded"

    def models(self) -> list[Json]:
        return [{"name": "m"}]

    def metrics(self) -> bytes:
        return b"shizi_queue 3\n"


def test_a_reader_in_this_process_is_ready() -> None:
    answer = client_of().get("/readyz")

    assert (answer.status_code, content_of(answer)) == (200, {"status": "ready"})


def test_an_engine_tells_its_own_state() -> None:
    client = create_app(Settings(), FakeReader(), state=_Warming()).test_client()

    answer = client.get("/readyz")

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert content_of(answer)["reason"] == "two of three models are loaded"
    assert client.get("/healthz").status_code == 200
    assert content_of(client.get("/v1/models")) == {"models": [{"name": "m"}]}
    assert client.get("/metrics").get_data().endswith(b"shizi_queue 3\n")


def test_the_installed_models_are_listed() -> None:
    models = content_of(client_of().get("/v1/models"))["models"]

    (recognizer,) = (model for model in models if model["name"] == "crnn-s")
    assert recognizer["active"] is True
    assert recognizer["task"] == "recognize"
    assert re.fullmatch("[0-9a-f]{64}", recognizer["sha256"])
    assert "file" not in recognizer


def test_the_document_names_every_option_and_error() -> None:
    document = content_of(client_of().get("/openapi.json"))

    schemas = document["components"]["schemas"]
    options = make_options(ServerSettings())
    assert schemas["Options"]["properties"].keys() == options.keys()
    assert {kind.code for kind in error_kinds()} <= set(
        schemas["Problem"]["properties"]["code"]["enum"]
    )
    for path in ("/v1/ocr", "/ocr", "/api/ocr"):
        names = {parameter["name"] for parameter in document["paths"][path]["post"]["parameters"]}
        taken = options if path != "/api/ocr" else plain_options(options)
        assert taken.keys() == names & options.keys()


def test_the_document_names_the_routes_that_are_served() -> None:
    app = create_app(Settings(), FakeReader())
    served = {
        (re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule), method.lower())
        for rule in app.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    document = content_of(app.test_client().get("/openapi.json"))
    told = {(path, method) for path, methods in document["paths"].items() for method in methods}

    assert told <= served
    # What is for people, and what only the packages of Baidu ask for.
    assert {path for path, _ in served - told} == {
        "/",
        "/docs",
        "/docs/style.css",
        "/openapi.json",
        "/oauth/2.0/token",
        "/releases",
        "/static/{filename}",
    }


def test_the_document_is_always_the_same() -> None:
    options = make_options(ServerSettings())

    assert openapi_document("1", options, 5) == openapi_document("1", options, 5)


@pytest.mark.parametrize("path", ["/docs", "/errors/busy"])
def test_the_documentation_needs_no_script_and_nothing_from_elsewhere(path: str) -> None:
    answer = client_of().get(path)

    page = answer.get_data(as_text=True)
    assert answer.content_type == "text/html; charset=utf-8"
    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    assert not re.search(r"<script|<style|style=|\son\w+=|https?://", page)
    assert client_of().get("/docs/style.css").content_type.startswith("text/css")


def test_the_documentation_names_routes_options_and_errors() -> None:
    page = client_of().get("/docs").get_data(as_text=True)

    for name in ("/v1/ocr", "/metrics", *make_options(ServerSettings())):
        assert f"<code>{name}</code>" in page
    for kind in error_kinds():
        assert f"href='/errors/{kind.code}'" in page


def test_the_service_loads_nothing_heavy() -> None:
    heavy = (
        "numpy cv2 onnxruntime PIL pydantic limits asyncio requests rapidocr shizi.engine.reader"
    )
    code = f"import sys, shizi.server.app; print([m for m in {heavy.split()} if m in sys.modules])"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment(), stdout=subprocess.PIPE, check=True, text=True)

    assert done.stdout.strip() == "[]"
