"""Trains a recognizer: the loop, its schedule, its memory.

A run keeps everything in one folder: `last.pt` (resumes exactly), `best.pt` (averaged weights
with the best validation so far), `metrics.jsonl` (one object a report), `recipe.json`.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from shizi.nets.crnn import Crnn, CrnnDims, load_checkpoint, save_checkpoint, warm_start
from shizi.nets.files import checkpoint_of, write_file
from shizi.nets.growth import grow
from shizi.nets.norms import measure_norms
from shizi.train.auxiliary import Lesson, make_auxiliary
from shizi.train.echoing import echo, vary
from shizi.train.loss import align
from shizi.train.metrics import log_metrics
from shizi.train.optimizer import average_into, make_optimizer, set_rate
from shizi.train.stream import Batch, BatchStream, ChunkMaker, DataRecipe
from shizi.train.validate import Scores, validate

# Rendered anew at the start of a run from a served model: enough to know the mean of a channel.
_MEASURED_LINES = 600


@dataclass(frozen=True, slots=True)
class TrainOptions:
    """How a recognizer is trained.

    Attributes:
        learning_rate: peak of AdamW's, after warm-up; falls along a cosine.
        weight_decay: of AdamW, on matrices only.
        warmup_lines: lines until the peak.
        negatives: classes drawn a step that stand for all in the normalizer; 0 takes all.
        full_share: last share of the run that uses every class.
        ema_decay: of the averaged weights, a step.
        clip_norm: gradients are scaled down to this length.
        workers: rendering processes.
        threads: of torch on a CPU.
        checkpoint_s: seconds between checkpoints.
        validate_s: seconds between validations.
        validate_lines: rendered lines a validation reads, in fonts kept out of training.
        auxiliary: further loss in training, a name of `auxiliary.AUXILIARIES`.
        echo: how often each batch is learned from; above 1 where rendering is what takes the time.
        most_s: the run ends after so many seconds, its schedule stretched to them; None for no
            such end.
    """

    learning_rate: float = 1.5e-3
    weight_decay: float = 0.01
    warmup_lines: int = 20_000
    negatives: int = 1_024
    full_share: float = 0.08
    ema_decay: float = 0.999
    clip_norm: float = 5.0
    workers: int = 1
    threads: int = 2
    checkpoint_s: float = 180.0
    validate_s: float = 600.0
    validate_lines: int = 600
    auxiliary: str = "none"
    echo: int = 1
    most_s: float | None = None


@dataclass(slots=True)
class Progress:
    """Where a run stands; part of its checkpoint. Lines that are seen again count once."""

    step: int = 0
    lines: int = 0
    chunk: int = 0
    index: int = 0
    seconds: float = 0.0
    best: float = math.inf


class Trainer:
    """One run in one folder; made anew, it goes on where the folder's checkpoint ends."""

    def __init__(
        self,
        folder: Path,
        recipe: DataRecipe,
        options: TrainOptions,
        dims: CrnnDims,
        init: Path | None = None,
    ) -> None:
        torch.manual_seed(recipe.seed)
        torch.set_num_threads(options.threads)
        self.folder, self.recipe, self.options = folder, recipe, options
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.net = Crnn(dims).to(self.device)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        if init:
            self._warm_start(init)
        self.average = copy.deepcopy(self.net).eval()
        self.auxiliary = make_auxiliary(options.auxiliary, dims.classes, dims.narrow)
        if self.auxiliary:
            self.auxiliary.to(self.device)
        self.optimizer = make_optimizer(
            [self.net, self.auxiliary], options.learning_rate, options.weight_decay
        )
        self.progress = Progress()
        self.negatives = torch.Generator().manual_seed(recipe.seed)
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / "last.pt").exists():
            self._resume()
        plan: dict[str, Any] = {"recipe": {**asdict(recipe), "symbols": len(recipe.symbols)}}
        plan |= {"options": asdict(options), "dims": dims.to_dict(), "init": str(init or "")}
        (folder / "recipe.json").write_text(json.dumps(plan, indent=1, ensure_ascii=False))

    def run(self, report: Callable[[str], None]) -> Scores:
        """Train until the recipe's lines are through.

        An interrupt (Ctrl-C) saves and is passed on; a crash loses `checkpoint_s` at most.
        """
        held_out = self._held_out()
        try:
            self._run(held_out, report)
        finally:
            self.save()
        return self._validate(held_out, report)

    def _held_out(self) -> list[Batch]:
        """Render the lines of the validations; the same ones in every run of a recipe."""
        lines = self.options.validate_lines
        probe = replace(self.recipe, real=(), chunk_lines=lines, seed=97, joined=0.0)
        return ChunkMaker(replace(probe, curriculum=0.0), held_out=True).batches(0)

    def _run(self, held_out: list[Batch], report: Callable[[str], None]) -> None:
        options, progress = self.options, self.progress
        started = saved = validated = time.monotonic()
        before = progress.seconds
        losses: list[Tensor] = []
        with BatchStream(self.recipe, options.workers, progress.chunk, progress.index) as stream:
            for batch in self._until_done(echo(stream, options.echo, self.recipe.seed)):
                losses.append(self.step(batch))
                now = time.monotonic()
                progress.seconds = before + now - started
                if now - validated > options.validate_s:
                    self._validate(held_out, report)
                    validated = time.monotonic()
                if now - saved > options.checkpoint_s:
                    self.save()
                    self._log(report, loss=float(torch.stack(losses).mean()))
                    losses.clear()
                    saved = time.monotonic()

    def step(self, batch: Batch) -> Tensor:
        """Learn from one batch; gives its CTC loss a symbol, (), which may still be computing."""
        self._schedule()
        self.net.train()
        with torch.autocast(self.device.type, torch.bfloat16):
            features = self.net.features(vary(_to_strips(batch, self.device), batch))
        targets = torch.from_numpy(batch.targets).to(self.device)
        lengths = torch.from_numpy(batch.lengths)
        with torch.autocast(self.device.type, enabled=False):
            found = align(features, self.net.head, targets, lengths, self._negatives())
            loss = found.loss
            if self.auxiliary:
                loss = loss + self.auxiliary(Lesson(features, targets, found, self.done))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), self.options.clip_norm)
        self.optimizer.step()
        progress = self.progress
        average_into(self.average, self.net, self.options.ema_decay, progress.step)
        progress.step += 1
        if not batch.echo:
            progress.lines += len(batch.lengths)
            progress.chunk, progress.index = batch.chunk, batch.index + 1
            if batch.last:
                progress.chunk, progress.index = batch.chunk + 1, 0
        return found.loss.detach()

    @property
    def done(self) -> float:
        """Share of the run that is through, by lines or by time, in [0, 1]."""
        progress = self.progress
        lines = progress.lines / max(1, self.recipe.total_lines)
        most_s = self.options.most_s
        return min(1.0, max(lines, progress.seconds / most_s if most_s else 0.0))

    def save(self) -> None:
        """Write `last.pt` whole or not at all."""
        content = {
            "net": save_checkpoint(self.net, self.recipe.symbols),
            "average": save_checkpoint(self.average, self.recipe.symbols),
            "optimizer": self.optimizer.state_dict(),
            "progress": asdict(self.progress),
            "negatives": self.negatives.get_state(),
        }
        if self.auxiliary:
            content["auxiliary"] = self.auxiliary.state_dict()
        write_file(content, self.folder / "last.pt")

    def _until_done(self, stream: Iterator[Batch]) -> Iterator[Batch]:
        for batch in stream:
            if self.done >= 1.0:
                return
            yield batch

    def _schedule(self) -> None:
        options = self.options
        warm = (self.progress.lines + 1) / max(1, options.warmup_lines)
        set_rate(self.optimizer, options.learning_rate, warm, self.done)

    def _negatives(self) -> Tensor | None:
        options = self.options
        if options.negatives == 0 or self.done >= 1 - options.full_share:
            return None
        classes = self.net.dims.classes
        order = torch.randperm(classes - 1, generator=self.negatives)
        return (order[: options.negatives] + 1).to(self.device)

    def _warm_start(self, path: Path) -> None:
        dims = self.net.dims
        with checkpoint_of(path) as content:
            old = content.get("average", content)
            start = replace(CrnnDims.from_dict(old["dims"]), classes=dims.classes)
            net = Crnn(start)
            warm_start(net, self.recipe.symbols, old["state"], tuple(old["symbols"]))
            if old.get("folded"):
                measure_norms(net, self._first_strips())
            if start != dims:
                net = grow(net, dims, seed=self.recipe.seed)
        self.net.load_state_dict(net.state_dict())

    def _first_strips(self) -> Iterator[Tensor]:
        """Render some lines of the run as strips, to measure norms with."""
        some = replace(self.recipe, chunk_lines=_MEASURED_LINES, curriculum=0.0)
        for batch in ChunkMaker(some).batches(0):
            yield _to_strips(batch, torch.device("cpu"))

    def _resume(self) -> None:
        with checkpoint_of(self.folder / "last.pt") as content:
            for net, name in ((self.net, "net"), (self.average, "average")):
                old, symbols = load_checkpoint(content[name])
                if symbols != self.recipe.symbols:
                    raise ValueError("it has another charset; take a new folder")
                net.load_state_dict(old.state_dict())
            if self.auxiliary:
                self.auxiliary.load_state_dict(content["auxiliary"])
            self.optimizer.load_state_dict(content["optimizer"])
            self.progress = Progress(**content["progress"])
            self.negatives.set_state(content["negatives"])

    def _validate(self, batches: list[Batch], report: Callable[[str], None]) -> Scores:
        scores = validate(self.average, batches, self.device)
        self._log(report, **asdict(scores))
        if scores.cer < self.progress.best:
            self.progress.best = scores.cer
            torch.save(save_checkpoint(self.average, self.recipe.symbols), self.folder / "best.pt")
        return scores

    def _log(self, report: Callable[[str], None], **values: float) -> None:
        progress = self.progress
        place = {
            "lines": progress.lines,
            "step": progress.step,
            "seconds": round(progress.seconds, 1),
            "rate": self.optimizer.param_groups[0]["lr"],
        }
        log_metrics(self.folder, place, values, report)


def _to_strips(batch: Batch, device: torch.device) -> Tensor:
    """Give a batch's strips as the network takes them, (B, 1, 32, W) float32 in [-1, 1]."""
    strips = torch.from_numpy(batch.strips).to(device).float().div_(127.5).sub_(1.0)
    return strips.contiguous(memory_format=torch.channels_last)
