"""Where the page is, what Gunicorn is told, and which processes there are."""

from __future__ import annotations

import json
import socket
from dataclasses import replace
from pathlib import Path

import pytest

from shizi.core.config import EngineSettings, ServerSettings, Settings, Worker, load, to_environment
from shizi.core.errors import ConfigError
from shizi.engine.allowance import allow
from shizi.server.serve import bind, make_programs, page_url, with_folder
from shizi.server.web import gunicorn_options


def test_one_worker_with_the_threads_asked_for() -> None:
    options = gunicorn_options(ServerSettings(threads=7, timeout_s=9.6), 5)

    assert options["bind"] == "fd://5"
    assert (options["workers"], options["worker_class"], options["threads"]) == (1, "gthread", 7)
    assert options["graceful_timeout"] == 10
    assert gunicorn_options(ServerSettings(worker=Worker.GEVENT), 5)["worker_class"] == "gevent"


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:5000/"),
        ("0.0.0.0", "http://127.0.0.1:5000/"),
        ("::", "http://[::1]:5000/"),
        ("shizi.local", "http://shizi.local:5000/"),
    ],
)
def test_the_page_is_named_by_an_address_a_browser_can_open(host: str, url: str) -> None:
    assert page_url(host, 5000) == url


def test_a_taken_port_is_told() -> None:
    with bind(ServerSettings(port=0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ConfigError, match=f"cannot listen on 127.0.0.1:{port}: .*in use"):
            bind(ServerSettings(port=port))


def test_an_address_of_the_sixth_version_is_listened_on() -> None:
    with bind(ServerSettings(host="::1", port=0)) as listener:
        assert listener.family == socket.AF_INET6


def test_the_processes_start_in_the_order_they_need_each_other(tmp_path: Path) -> None:
    settings = replace(Settings(), engine=EngineSettings(places=3))
    programs = make_programs(settings, allow(settings, 2.0), tmp_path, 9)

    assert [program.name for program in programs] == ["decoders", "engine", "jobs", "web"]
    decoders, engine, jobs, web = (json.loads(p.command(2, 7)[-1]) for p in programs)
    assert decoders["options"]["children"] == engine["places"] == 3
    assert engine["decoders"] == decoders["socket"]
    assert (jobs["engine"], jobs["places"]) == (web["engine"], 3)
    assert web["listener"] == 9
    assert engine["socket"] != web["engine"]

    programs[1].on_ready(2)
    assert str(Path(web["engine"]).readlink()) == engine["socket"]
    programs[1].on_ready(3)
    assert Path(web["engine"]).readlink().name == "engine-3.sock"


def test_a_service_may_take_no_jobs_or_leave_them_to_workers(tmp_path: Path) -> None:
    def programs(**jobs: object) -> dict[str, list[str]]:
        settings = load({f"jobs.{name}": value for name, value in jobs.items()}).settings
        made = make_programs(settings, allow(settings, 2.0), tmp_path, 9)
        return {program.name: list(program.command(1, 7)) for program in made}

    assert "jobs" not in programs(enabled=False)
    assert json.loads(programs(broker="redis://a")["jobs"][-1])["places"] == 0


def test_jobs_without_a_folder_last_as_long_as_the_service(tmp_path: Path) -> None:
    own = load({"jobs.folder": "/x"}).settings

    assert with_folder(load().settings, tmp_path).jobs.folder == tmp_path / "jobs"
    assert with_folder(own, tmp_path) == own
    with pytest.raises(ConfigError, match=r"jobs\.ledger"):
        with_folder(load({"jobs.broker": "redis://a"}).settings, tmp_path)


def test_another_process_resolves_the_same_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SHIZI_SERVER__PORT", "1")
    monkeypatch.setenv("OTHER", "kept")
    settings = load({"server.port": 81, "reader.doubt": 0.5, "server.worker": "gevent"}).settings

    variables = to_environment(settings)

    assert variables["OTHER"] == "kept"
    assert load(environ=variables).settings == settings
