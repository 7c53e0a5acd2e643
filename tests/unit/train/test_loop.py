from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from shizi.compress.onnx import build_onnx  # noqa: E402
from shizi.compress.restore import restore_checkpoint  # noqa: E402
from shizi.core.errors import FileAccessError, IncompatibleModel  # noqa: E402
from shizi.nets.crnn import CrnnDims  # noqa: E402
from shizi.text.charset import Charset  # noqa: E402
from shizi.train.auxiliary import CenterLoss  # noqa: E402
from shizi.train.loop import Trainer, TrainOptions  # noqa: E402
from shizi.train.plot import plot_metrics  # noqa: E402
from shizi.train.stream import Batch, BatchStream, ChunkMaker, DataRecipe  # noqa: E402

pytestmark = pytest.mark.torch
OPTIONS = TrainOptions(negatives=64, threads=1, warmup_lines=50)


def dims(recipe: DataRecipe) -> CrnnDims:
    return CrnnDims(len(recipe.symbols) + 1, (4, 4, 8, 8, 8, 8, 12), hidden=8, narrow=6)


def trainer(folder: Path, recipe: DataRecipe) -> Trainer:
    return Trainer(folder, recipe, OPTIONS, dims(recipe))


def test_a_run_that_was_cut_goes_on_to_the_same_weights(recipe: DataRecipe, tmp_path: Path) -> None:
    batches = ChunkMaker(recipe).batches(0)[:6]
    straight = trainer(tmp_path / "straight", recipe)
    for batch in batches:
        straight.step(batch)
    cut = trainer(tmp_path / "cut", recipe)
    for batch in batches[:3]:
        cut.step(batch)
    cut.save()
    torch.manual_seed(99)
    resumed = trainer(tmp_path / "cut", recipe)
    assert resumed.progress.index == 3
    for batch in batches[3:]:
        resumed.step(batch)
    for name in ("net", "average"):
        states = [getattr(t, name).state_dict() for t in (straight, resumed)]
        assert all(torch.equal(states[0][key], states[1][key]) for key in states[0])
    assert straight.progress.lines == resumed.progress.lines


def test_learning_lowers_the_loss(recipe: DataRecipe, tmp_path: Path) -> None:
    batch = ChunkMaker(recipe).batches(0)[0]
    options = replace(OPTIONS, learning_rate=0.02)
    run = Trainer(tmp_path, replace(recipe, total_lines=100_000), options, dims(recipe))
    losses = [run.step(batch) for _ in range(40)]
    assert losses[-1] < 0.5 * losses[0]


def test_a_wider_network_starts_from_a_narrower_one(recipe: DataRecipe, tmp_path: Path) -> None:
    trainer(tmp_path / "small", recipe).save()
    wide = replace(dims(recipe), widths=(6, 6, 8, 9, 8, 8, 16), hidden=12)
    init = tmp_path / "small" / "last.pt"
    grown = Trainer(tmp_path / "large", recipe, OPTIONS, wide, init)
    assert grown.net.dims == wide
    small = trainer(tmp_path / "small", recipe)
    strips = torch.rand(2, 1, 32, 64)
    with torch.no_grad():
        before, after = small.net.eval()(strips), grown.net.eval()(strips)
    # Noise parts the copies; what was learned is still there.
    assert (before - after).abs().mean() < 0.3 * before.std()


def test_a_further_loss_goes_on_with_what_it_knew(recipe: DataRecipe, tmp_path: Path) -> None:
    options = replace(OPTIONS, auxiliary="center")
    first = Trainer(tmp_path, recipe, options, dims(recipe))
    first.step(ChunkMaker(recipe).batches(0)[0])
    assert isinstance(first.auxiliary, CenterLoss)
    first.auxiliary.seen[5], first.auxiliary.centers[5] = True, 0.5
    first.save()
    again = Trainer(tmp_path, recipe, options, dims(recipe))
    assert isinstance(again.auxiliary, CenterLoss)
    assert again.auxiliary.seen[5]
    assert torch.equal(first.auxiliary.centers, again.auxiliary.centers)


def test_a_run_paced_by_time_ends_with_it(recipe: DataRecipe, tmp_path: Path) -> None:
    options = replace(OPTIONS, most_s=100.0)
    run = Trainer(tmp_path, replace(recipe, total_lines=10**9), options, dims(recipe))
    batch = ChunkMaker(recipe).batches(0)[0]
    run.progress.lines = options.warmup_lines
    rates = []
    for seconds in (1.0, 50.0, 99.0):
        run.progress.seconds = seconds
        run.step(batch)
        rates.append(run.optimizer.param_groups[0]["lr"] / options.learning_rate)
    assert rates[0] == pytest.approx(1.0, abs=0.01)
    assert rates[1] == pytest.approx(0.505, abs=0.01)
    assert rates[2] < 0.02
    assert run.done < 1
    run.progress.seconds = 101.0
    assert run.done == 1


def test_a_served_model_is_gone_on_with(recipe: DataRecipe, tmp_path: Path) -> None:
    start = trainer(tmp_path / "start", recipe)
    charset = Charset(recipe.symbols)
    model = build_onnx(start.average, charset, "mini").SerializeToString()
    content = restore_checkpoint(model, start.net.dims.to_dict(), charset)
    torch.save(content, tmp_path / "init.pt")
    run = Trainer(tmp_path / "run", recipe, OPTIONS, dims(recipe), tmp_path / "init.pt")
    strips = torch.rand(4, 1, 32, 64)
    with torch.no_grad():
        before, after = start.average(strips), run.net.eval()(strips)
    assert torch.allclose(before, after, atol=1e-3)


def test_another_charset_is_refused(recipe: DataRecipe, tmp_path: Path) -> None:
    trainer(tmp_path, recipe).save()
    other = replace(recipe, symbols=recipe.symbols[::-1])
    with pytest.raises(IncompatibleModel, match=r"last\.pt .* another charset; take a new folder"):
        trainer(tmp_path, other)


def test_a_start_that_is_no_checkpoint_is_refused(recipe: DataRecipe, tmp_path: Path) -> None:
    def begin(start: Path) -> None:
        Trainer(tmp_path / "run", recipe, OPTIONS, dims(recipe), start)

    with pytest.raises(FileAccessError, match="missing"):
        begin(tmp_path / "missing.pt")
    (tmp_path / "text.pt").write_text("no weights")
    with pytest.raises(IncompatibleModel, match="text"):
        begin(tmp_path / "text.pt")
    torch.save({"state": {}}, tmp_path / "other.pt")
    with pytest.raises(IncompatibleModel, match="other"):
        begin(tmp_path / "other.pt")
    trainer(tmp_path / "large", recipe).save()
    narrower = replace(dims(recipe), hidden=4)
    with pytest.raises(IncompatibleModel, match="does not shrink"):
        Trainer(tmp_path / "run", recipe, OPTIONS, narrower, tmp_path / "large" / "last.pt")


def test_an_interrupt_keeps_what_was_learned(
    recipe: DataRecipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches = ChunkMaker(recipe).batches(0)
    run = Trainer(tmp_path, recipe, replace(OPTIONS, validate_lines=10), dims(recipe))

    def interrupted(_: object) -> Iterator[Batch]:
        yield from batches[:2]
        raise KeyboardInterrupt

    monkeypatch.setattr(BatchStream, "__iter__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run.run(lambda _: None)
    assert trainer(tmp_path, recipe).progress.step == 2


@pytest.mark.slow
def test_a_whole_run_leaves_weights_metrics_and_a_curve(recipe: DataRecipe, tmp_path: Path) -> None:
    heard: list[str] = []
    options = replace(OPTIONS, checkpoint_s=0.0, validate_s=0.0, validate_lines=30)
    run = Trainer(tmp_path, replace(recipe, total_lines=90), options, dims(recipe))
    scores = run.run(heard.append)
    rows = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text().splitlines()]
    assert [json.loads(line) for line in heard] == rows
    assert rows[-1]["lines"] >= 90
    assert rows[-1]["cer"] == pytest.approx(scores.cer, abs=1e-5)
    assert {"last.pt", "best.pt", "recipe.json"} <= {p.name for p in tmp_path.iterdir()}
    plot_metrics(tmp_path / "metrics.jsonl", tmp_path / "curve.png")
    assert (tmp_path / "curve.png").stat().st_size > 5_000


def test_an_echo_is_learned_from_and_no_progress(recipe: DataRecipe, tmp_path: Path) -> None:
    batch = ChunkMaker(recipe).batches(0)[0]
    run = trainer(tmp_path, recipe)
    run.step(batch)
    progress = replace(run.progress)
    before = run.net.head.weight.detach().clone()

    run.step(replace(batch, echo=1))

    assert replace(run.progress, step=progress.step) == progress
    assert run.progress.step == progress.step + 1
    assert not torch.equal(run.net.head.weight, before)
