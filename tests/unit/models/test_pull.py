from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from shizi.core.errors import (
    ChecksumMismatch,
    FileAccessError,
    IncompatibleModel,
    OptionError,
    PullFailed,
)
from shizi.models.download import DownloadOptions
from shizi.models.install import INCOMING
from shizi.models.pull import address_to_url, pull
from tests.unit.models.makers import accept, digest, make_model, tar_of, zip_of
from tests.unit.models.webserver import Files, serving_files

ONCE = DownloadOptions(tries=1, pause_s=0.0, timeout_s=5.0)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return make_model(tmp_path / "run").parent


@pytest.fixture
def web(model: Path) -> Iterator[Files]:
    with serving_files() as files:
        for file in model.iterdir():
            files.content[f"/hub/{file.name}"] = file.read_bytes()
        files.content["/mine.tgz"] = tar_of(model, model.parent / "mine.tgz").read_bytes()
        yield files


def test_a_folder_and_a_bundle_of_this_machine_are_taken(model: Path, tmp_path: Path) -> None:
    archive = zip_of(model, tmp_path / "mine.zip")
    for number, address in enumerate((model, archive)):
        assert pull(str(address), tmp_path / str(number), accept).ref == "mine@1"


@pytest.mark.parametrize("path", ["/hub/", "/hub/manifest.json", "/mine.tgz"])
def test_a_model_comes_over_http(web: Files, tmp_path: Path, path: str) -> None:
    told: list[str] = []
    installed = pull(web.url + path, tmp_path / "models", accept, tell=told.append)

    assert installed.ref == "mine@1"
    assert len(told) == (1 if path == "/mine.tgz" else 3)
    assert list((tmp_path / "models" / INCOMING).iterdir()) == []


def test_a_pull_goes_on_where_the_last_one_broke_off(web: Files, tmp_path: Path) -> None:
    web.cut = [100, 0]
    with pytest.raises(PullFailed):
        pull(web.url + "/mine.tgz", tmp_path / "models", accept, options=ONCE)
    web.cut, web.asked = [], []
    pull(web.url + "/mine.tgz", tmp_path / "models", accept, options=ONCE)

    assert web.asked == [("/mine.tgz", "bytes=100-")]


def test_a_file_that_is_not_what_the_manifest_signs_is_refused(web: Files, tmp_path: Path) -> None:
    web.content["/hub/model.onnx"] += b"!"
    with pytest.raises(ChecksumMismatch):
        pull(web.url + "/hub/", tmp_path / "models", accept, options=ONCE)


def test_a_digest_that_was_given_is_looked_at(web: Files, model: Path, tmp_path: Path) -> None:
    manifest, bundle = web.content["/hub/manifest.json"], web.content["/mine.tgz"]
    for number, (address, right) in enumerate(
        [
            (web.url + "/hub/", digest(manifest)),
            (web.url + "/mine.tgz", digest(bundle)),
            (str(model), digest(manifest)),
        ]
    ):
        with pytest.raises(ChecksumMismatch):
            pull(address, tmp_path / str(number), accept, sha256="0" * 64, options=ONCE)
        pull(address, tmp_path / str(number), accept, sha256=right, options=ONCE)


def test_a_manifest_from_outside_cannot_lead_elsewhere(web: Files, tmp_path: Path) -> None:
    for text in (b'"../../evil"', b'"/etc/passwd"', b'".."'):
        web.content["/hub/manifest.json"] = (
            (tmp_path / "run" / "manifest.json").read_bytes().replace(b'"model.onnx"', text)
        )
        with pytest.raises(IncompatibleModel):
            pull(web.url + "/hub/", tmp_path / "models", accept, options=ONCE)


def test_an_endless_manifest_is_refused(web: Files, tmp_path: Path) -> None:
    web.content["/hub/manifest.json"] = b" " * (2 << 20)
    with pytest.raises(PullFailed, match="larger"):
        pull(web.url + "/hub/", tmp_path / "models", accept, options=ONCE)


def test_a_repository_of_a_hub_is_an_address() -> None:
    assert (
        address_to_url("modelscope:shizi/crnn-s")
        == "https://www.modelscope.cn/models/shizi/crnn-s/resolve/master/"
    )
    assert (
        address_to_url("huggingface:shizi/crnn-s@v0.4.0")
        == "https://huggingface.co/shizi/crnn-s/resolve/v0.4.0/"
    )
    with pytest.raises(OptionError, match="owner/name"):
        address_to_url("modelscope:crnn-s")


def test_an_address_that_is_none_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileAccessError, match="neither"):
        pull("crnn-large", tmp_path, accept)
