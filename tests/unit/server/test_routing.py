"""Headers, keys, cookies and pictures decide who reads; answers tell who did."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from shizi.core.config import JobSettings, Settings
from shizi.jobs.site import open_site
from shizi.jobs.spec import text_to_spec
from shizi.release.document import Phase
from shizi.server.app import create_app
from shizi.server.keys import draw_key, write_keys
from shizi.server.routing import RequestRouter
from tests.fakes import FakeReader
from tests.unit.release.live import CANARY, STABLE, Live

PNG = b"\x89PNG a picture"


def client_of(live: Live, **server: object) -> FlaskClient:
    settings = replace(Settings(), server=replace(Settings().server, **server))  # type: ignore[arg-type]
    router = RequestRouter(live.member, settings.server)
    return create_app(settings, FakeReader(), router=router).test_client()


def ask(client: FlaskClient, data: bytes = PNG, **headers: str) -> tuple[int, dict[str, object]]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.post("/ocr", data=data, content_type="image/png", headers=named)
    return answer.status_code, {**answer.get_json(), "headers": answer.headers}


def version_of(client: FlaskClient, data: bytes = PNG, **headers: str) -> str:
    status, content = ask(client, data, **headers)
    assert status == 200
    return str(content["headers"]["X-Model-Version"])  # type: ignore[index]


def test_an_answer_tells_version_and_epoch_in_its_body_and_headers() -> None:
    live = Live()
    client = client_of(live)
    _, before = ask(client)
    live.set(Phase.CANARY, 10_000)
    _, content = ask(client)

    assert before["model"] == {"name": "m", "version": "1", "epoch": 0}
    assert content["model"] == {"name": "m", "version": "2", "epoch": 1}
    assert content["headers"]["X-Model-Version"] == CANARY  # type: ignore[index]
    assert content["headers"]["X-Release-Epoch"] == "1"  # type: ignore[index]


def test_the_share_goes_by_the_units_and_stays_with_them() -> None:
    live = Live()
    live.set(Phase.CANARY, 3_000)
    client = client_of(live)
    first = {unit: version_of(client, X_Route_Key=unit) for unit in map(str, range(60))}
    live.set(Phase.CANARY, 6_000)
    second = {unit: version_of(client, X_Route_Key=unit) for unit in first}

    assert 8 <= list(first.values()).count(CANARY) <= 28
    assert all(second[unit] == CANARY for unit, version in first.items() if version == CANARY)
    assert list(second.values()).count(CANARY) > list(first.values()).count(CANARY)


def test_the_same_picture_meets_the_same_version() -> None:
    live = Live()
    live.set(Phase.CANARY, 5_000)
    client = client_of(live)
    pictures = [b"picture %d" % k for k in range(20)]
    first = [version_of(client, picture) for picture in pictures]

    assert [version_of(client, picture) for picture in pictures] == first
    assert set(first) == {STABLE, CANARY}


def test_all_pictures_of_a_request_meet_one_version() -> None:
    live = Live()
    live.set(Phase.CANARY, 5_000)
    client = client_of(live)
    for k in range(6):
        data = {"file": [(io.BytesIO(b"%d %d" % (k, n)), f"{n}.png") for n in range(4)]}
        documents = client.post("/v1/ocr", data=data).get_json()["documents"]
        assert len({document["model"]["version"] for document in documents}) == 1


def test_a_tester_chooses() -> None:
    live = Live()
    live.set(Phase.SHADOW)
    client = client_of(live)
    for wish in ("canary", CANARY):
        assert version_of(client, X_Shizi_Model=wish) == CANARY
    for wish in ("stable", STABLE):
        assert version_of(client, X_Shizi_Model=wish) == STABLE


@pytest.mark.parametrize("wish", ["canary", CANARY, "m@9"])
def test_a_version_that_answers_nobody_cannot_be_chosen(wish: str) -> None:
    live = Live()
    live.set(Phase.LOADING)
    status, content = ask(client_of(live), X_Shizi_Model=wish)

    assert status == 422
    assert content["error"]["code"] == "bad_option"  # type: ignore[index]


def test_just_anybody_must_not_choose(tmp_path: Path) -> None:
    live = Live()
    live.set(Phase.CANARY, 0)
    status, _ = ask(client_of(live, host="0.0.0.0"), X_Shizi_Model="canary")
    assert status == 422
    text, key = draw_key("anna")
    write_keys(tmp_path / "keys", [key])
    keyed = client_of(live, host="0.0.0.0", keys=tmp_path / "keys")
    assert ask(keyed, X_Shizi_Model="canary")[0] == 401
    assert version_of(keyed, X_Shizi_Model="canary", X_API_Key=text) == CANARY


def test_a_key_is_a_unit(tmp_path: Path) -> None:
    live = Live()
    live.set(Phase.CANARY, 5_000)
    texts, keys = zip(*(draw_key(f"client-{k}") for k in range(12)), strict=True)
    write_keys(tmp_path / "keys", list(keys))
    client = client_of(live, keys=tmp_path / "keys")
    met = [{version_of(client, b"%d" % n, X_API_Key=t) for n in range(4)} for t in texts]

    assert all(len(versions) == 1 for versions in met)
    assert {version for versions in met for version in versions} == {STABLE, CANARY}


def test_a_browser_stays_with_one_version_while_a_release_goes_on() -> None:
    live = Live()
    client = client_of(live)
    assert not cookie_of(client)
    live.set(Phase.CANARY, 5_000)
    cookie = cookie_of(client)
    assert "HttpOnly" in cookie
    assert "SameSite=Strict" in cookie
    assert not cookie_of(client)
    assert len({version_of(client, b"%d" % n) for n in range(12)}) == 1


def cookie_of(client: FlaskClient) -> str:
    with client.get("/") as answer:
        return answer.headers.get("Set-Cookie", "")


def test_an_endless_unit_is_refused() -> None:
    live = Live()
    live.set(Phase.CANARY, 5_000)
    assert ask(client_of(live), X_Route_Key="x" * 257)[0] == 422


def _given_to(live: Live, folder: Path, data: bytes, **headers: str) -> tuple[str, str, str]:
    """Hand in a job; gives its id, the version that is to read it, and the one that was told."""
    jobs = JobSettings(folder=folder)
    site = open_site(jobs)
    settings = replace(Settings(), jobs=jobs)
    router = RequestRouter(live.member, settings.server)
    client = create_app(settings, FakeReader(), router=router, site=site).test_client()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    answer = client.post("/v1/jobs", data=data, content_type="image/png", headers=named)
    assert answer.status_code == 202, answer.text
    job = site.ledger.job(answer.get_json()["id"])
    site.close()
    return job.id, text_to_spec(job.spec).version, answer.headers["X-Model-Version"]


def test_a_job_keeps_the_version_it_met_when_it_was_handed_in(tmp_path: Path) -> None:
    live = Live()
    assert _given_to(live, tmp_path, PNG)[1:] == (STABLE, STABLE)
    live.set(Phase.CANARY, 10_000)
    assert _given_to(live, tmp_path, PNG)[1:] == (CANARY, CANARY)
    assert _given_to(live, tmp_path, PNG, X_Shizi_Model="stable")[1:] == (STABLE, STABLE)


def test_jobs_go_by_the_same_units_as_requests(tmp_path: Path) -> None:
    live = Live()
    live.set(Phase.CANARY, 5_000)
    client = client_of(live)
    units = [str(k) for k in range(8)]
    met = [version_of(client, X_Route_Key=unit) for unit in units]

    assert [_given_to(live, tmp_path, PNG, X_Route_Key=unit)[1] for unit in units] == met
    assert set(met) == {STABLE, CANARY}
    files = [_given_to(live, tmp_path, b"picture %d" % k)[1] for k in range(8)]
    assert set(files) == {STABLE, CANARY}
    assert [_given_to(live, tmp_path, b"picture %d" % k)[1] for k in range(8)] == files


def test_a_job_sent_twice_is_one_whatever_the_share_became(tmp_path: Path) -> None:
    live = Live()
    live.set(Phase.CANARY, 0)
    first = _given_to(live, tmp_path, PNG, Idempotency_Key="order-17")
    live.set(Phase.CANARY, 10_000)
    second = _given_to(live, tmp_path, PNG, Idempotency_Key="order-17")

    assert first[:2] == second[:2]
    assert first[1] == STABLE
