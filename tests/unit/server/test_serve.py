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
from shizi.engine.fleet import FleetOptions, socket_of
from shizi.engine.keeper import Program
from shizi.engine.plans import GOLDEN_ERRORS
from shizi.release.filestore import FileStore
from shizi.release.transitions import Change, Event, start
from shizi.server.engines import make_fleet
from shizi.server.serve import (
    Place,
    bind,
    make_programs,
    page_url,
    wanted_versions,
    with_folder,
)
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
    programs = make_programs(settings, allow(settings, 2.0), Place(tmp_path, 9, "m@1"), _wanted)

    decode, fleet, work, serve = programs
    assert isinstance(work, Program)
    assert isinstance(decode, Program)
    assert isinstance(fleet, FleetOptions)
    assert isinstance(serve, Program)
    decoders, web = (json.loads(p.command(2, 7)[-1]) for p in (decode, serve))
    engine = json.loads(fleet.program("m@1").command(2, 7)[-1])
    jobs = json.loads(work.command(2, 7)[-1])
    assert (decode.name, work.name, serve.name) == ("decoders", "jobs", "web")
    assert (jobs["engines"], jobs["places"]) == (str(tmp_path), 3)
    assert decoders["options"]["children"] == engine["places"] == 3
    assert engine["decoders"] == decoders["socket"]
    assert (web["listener"], web["stable"]) == (9, "m@1")
    assert engine["recognizer"] == "m@1"


def test_the_name_of_a_version_leads_to_its_present_engine(tmp_path: Path) -> None:
    settings = Settings()
    fleet = make_fleet(settings, allow(settings, 2.0), tmp_path, "m@1", _wanted)
    name = socket_of(tmp_path, "m@1")
    for generation in (2, 3):
        program = fleet.program("m@1")
        plan = json.loads(program.command(generation, 7)[-1])
        program.on_ready(generation)
        assert str(name.readlink()) == plan["socket"]

    assert socket_of(tmp_path, "m@2") != name
    assert len(str(socket_of(Path("/tmp/shizi-abcdefgh"), "n" * 64 + "@" + "v" * 32))) < 60


def test_a_service_takes_its_model_as_it_is_and_a_release_a_good_one_alone(tmp_path: Path) -> None:
    settings = Settings()
    fleet = make_fleet(settings, allow(settings, 2.0), tmp_path, "m@1", _wanted)
    plans = [json.loads(fleet.program(v).command(1, 7)[-1]) for v in ("m@1", "m@2")]

    assert [plan["golden_errors"] for plan in plans] == [1.0, GOLDEN_ERRORS]


def test_who_leads_releases_runs_where_there_are_some(tmp_path: Path) -> None:
    settings = replace(Settings(), releases=replace(Settings().releases, store="/nowhere"))
    place = Place(tmp_path, 9, "m@1", Path("shizi.yaml"))
    lead = make_programs(settings, allow(settings, 2.0), place, _wanted)[2]

    assert isinstance(lead, Program)
    assert lead.name == "release"
    assert json.loads(lead.command(1, 7)[-1])["config"] == "shizi.yaml"


def test_the_release_says_which_versions_are_kept(tmp_path: Path) -> None:
    settings = replace(Settings(), releases=replace(Settings().releases, store=str(tmp_path)))
    assert list(wanted_versions(Settings(), "m@1")()) == ["m@1"]
    assert list(wanted_versions(settings, "m@1")()) == ["m@1"]

    change = Change(Event.ADVANCE, "anna", "a new model", 1.0)
    FileStore(tmp_path).swap(0, start(None, "r1", "m@0", "m@2", change))
    assert list(wanted_versions(settings, "m@1")()) == ["m@0", "m@2"]


def _wanted() -> tuple[str, ...]:
    return ("m@1",)


def test_a_service_may_take_no_jobs_or_leave_them_to_workers(tmp_path: Path) -> None:
    def programs(**jobs: object) -> dict[str, list[str]]:
        settings = load({f"jobs.{name}": value for name, value in jobs.items()}).settings
        place = Place(tmp_path, 9, "m@1")
        made = make_programs(settings, allow(settings, 2.0), place, _wanted)
        return {p.name: list(p.command(1, 7)) for p in made if isinstance(p, Program)}

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
