from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from shizi.bench import run
from shizi.bench.peers import CropText
from shizi.bench.report import Machine, to_dict, to_markdown
from shizi.bench.run import BenchPlan, PeerResult, measure_peer, run_bench
from shizi.core.errors import FileAccessError, InputError, OptionError
from shizi.core.pixels import RgbImage
from shizi.core.types import Quad, TextLine
from shizi.models.store import ModelStore, Task

MACHINE = Machine("A processor", 2, 2**34, "Linux", {"numpy": "2.0"}, 3.25)


def entry(image: str, variant: str, *texts: str) -> dict[str, object]:
    lines = [
        {"poly": [[5, 20 * k], [95, 20 * k], [95, 20 * k + 12], [5, 20 * k + 12]], "text": text}
        for k, text in enumerate(texts)
    ]
    return {"image": image, "variant": variant, "lines": lines}


@pytest.fixture
def plan(tmp_path: Path) -> BenchPlan:
    entries = [entry("a.png", "clean", "one", "two"), entry("b.png", "photo", "three")]
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, entries)))
    for name in ("a.png", "b.png"):
        Image.new("RGB", (100, 60), "white").save(tmp_path / name)
    return BenchPlan(tmp_path, by="variant")


class Oracle:
    """Knows the truth, but reads "two" wrongly and one line too many on b.png."""

    def __init__(self) -> None:
        self.crops: list[tuple[int, ...]] = []
        self.pages: list[str] = []

    def version(self) -> str:
        return "9"

    def model_bytes(self) -> int:
        return 7_000_000

    def peak_bytes(self) -> int:
        return 123_000_000

    def read_page(self, path: Path) -> list[TextLine]:
        self.pages.append(path.name)
        texts = ["one", "twp"] if path.name == "a.png" else ["three"]
        boxes = [Quad.from_rect(5, 20 * k, 95, 20 * k + 12) for k in range(3)]
        found = [TextLine(text, 0.9, boxes[k]) for k, text in enumerate(texts)]
        return [*found, TextLine("ghost", 0.5, boxes[2])] if path.name == "b.png" else found

    def read_crops(self, crops: Sequence[RgbImage]) -> list[CropText]:
        self.crops += [crop.shape for crop in crops]
        texts = ["one", "twp"] if len(crops) == 2 else ["three"]
        return [CropText(text, 0.8) for text in texts]


def test_pages_and_lines_are_scored_and_split(plan: BenchPlan) -> None:
    oracle = Oracle()
    result = measure_peer(plan, "oracle", oracle)
    assert (result.version, result.model_bytes) == ("9", 7_000_000)
    assert result.lines[""].cer == pytest.approx(1 / 11)
    assert result.lines["clean"].exact_rate == 0.5
    assert result.lines["photo"].cer == 0
    # Four fifths sure of three lines, of which two are right.
    assert result.lines[""].reliability.expected_error == pytest.approx(0.8 - 2 / 3)
    assert result.pages[""].precision == pytest.approx(3 / 4)
    assert result.pages["photo"].cer == pytest.approx(5 / 5)
    assert result.peak_bytes == 123_000_000
    # The first line and the first page are read once more to warm up.
    assert oracle.crops == [(12, 90, 3)] * 4
    assert oracle.pages == ["a.png", "a.png", "b.png"]


def test_only_what_is_asked_for_is_measured(plan: BenchPlan) -> None:
    oracle = Oracle()
    lines = measure_peer(replace(plan, pages=False, limit=1), "oracle", oracle)
    assert (lines.pages, lines.peak_bytes, oracle.pages) == ({}, 0, [])
    assert lines.lines[""].lines == 2
    assert lines.lines[""].pages == 1
    pages = measure_peer(replace(plan, lines=False), "oracle", oracle)
    assert pages.lines == {}


def test_the_report_holds_every_figure(plan: BenchPlan) -> None:
    good = measure_peer(plan, "oracle", Oracle())
    results = [good, PeerResult("broken", error="it is not installed")]
    text = to_markdown(plan, results, MACHINE)
    assert "| oracle 9 | 0.0909 | 0.667 | 1.000 |" in text
    assert "broken was not measured: it is not installed" in text
    assert "A processor" in text
    assert "load 3.2 before it began" in text
    assert "3 horizontal lines at their true places" in text
    assert "2 whole pages (3 lines)" in text
    assert "| 123 | 7.0 |" in text
    assert "first" not in text.split("\n")[0]
    assert "| photo | 0.0000 |" in text
    content = json.loads(json.dumps(to_dict(plan, results, MACHINE)))
    first, second = content["results"]
    assert first["lines"]["all"]["cer"] == pytest.approx(1 / 11, abs=1e-5)
    assert first["pages"]["photo"]["lines"] == 1
    assert second["error"] == "it is not installed"


def test_what_cannot_be_measured_is_refused_at_once(plan: BenchPlan, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="nothing to measure"):
        run_bench(replace(plan, pages=False, lines=False), print)
    with pytest.raises(OptionError, match="did you mean 'variant'"):
        run_bench(replace(plan, by="varient"), print)
    with pytest.raises(OptionError, match="rapidocr"):
        run_bench(replace(plan, peers=("shizi", "rapidocm")), print)
    with pytest.raises(FileAccessError):
        run_bench(replace(plan, folder=tmp_path / "none"), print)
    (tmp_path / "manifest.jsonl").write_text("\n")
    with pytest.raises(InputError, match="no picture"):
        run_bench(plan, print)


def test_a_peer_that_fails_spoils_no_other(plan: BenchPlan) -> None:
    said: list[str] = []
    peers = ("shizi:no-such-model", "shizi")
    broken, good = run_bench(replace(plan, peers=peers, threads=1), said.append)
    assert "no-such-model" in broken.error
    assert good.error == ""
    assert good.pages[""].lines == 3
    assert said[0] == "measuring shizi:no-such-model"


def _dies(*_: object) -> None:
    raise SystemExit(7)


def test_a_peer_that_crashes_is_told(plan: BenchPlan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "_child", _dies)
    (result,) = run_bench(replace(plan, peers=("shizi",)), lambda _: None)
    assert "status 7" in result.error


def test_a_part_of_a_set_is_told_to_be_one(plan: BenchPlan) -> None:
    part = replace(plan, limit=1, by="")
    results = [measure_peer(part, "tesseract", Oracle())]
    text = to_markdown(part, results, MACHINE)
    assert "first 1 pictures" in text.split("\n")[0]
    assert "hold the start of its program" in text
    content = json.loads(json.dumps(to_dict(part, results, MACHINE)))
    assert content["limit"] == 1
    assert content["results"][0]["pages"]["all"]["pages"] == 1


def test_warming_up_waits_for_a_page_with_lines(plan: BenchPlan) -> None:
    entries = [entry("a.png", "clean"), entry("b.png", "photo", "three")]
    (plan.folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, entries)))
    oracle = Oracle()
    result = measure_peer(replace(plan, pages=False), "oracle", oracle)
    assert oracle.crops == [(12, 90, 3)] * 2
    assert result.lines[""].lines == 1


def test_a_model_of_an_own_folder_is_looked_for_there(plan: BenchPlan, tmp_path: Path) -> None:
    peers = ("shizi:mine",)
    (result,) = run_bench(replace(plan, peers=peers, models=tmp_path), lambda _: None)
    assert "mine" in result.error
    own = tmp_path / "mine"
    shutil.copytree(ModelStore().find("crnn-s", Task.RECOGNIZE).file.parent, own)
    manifest = json.loads((own / "manifest.json").read_text(encoding="utf-8"))
    (own / "manifest.json").write_text(json.dumps({**manifest, "name": "mine"}))
    (result,) = run_bench(replace(plan, peers=peers, models=tmp_path), lambda _: None)
    assert result.error == ""
    assert result.model_bytes > 10e6
