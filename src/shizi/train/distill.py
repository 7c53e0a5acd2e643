"""Trains a small detector on the maps of a large one; a run is one folder, as in `loop.py`."""

from __future__ import annotations

import copy
import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.data import DataLoader, Subset

from shizi.core.errors import ConfigError
from shizi.nets.dbnet import STRIDE, DbDims, DbNet, load_detector, save_detector
from shizi.nets.files import checkpoint_of, write_file
from shizi.train.crops import Crops, Example, read_examples
from shizi.train.likeness import Likeness, compare_maps
from shizi.train.metrics import log_metrics
from shizi.train.optimizer import average_into, make_optimizer, set_rate

# Every so many-th page is kept out of training.
_KEPT = 50
_MOST_KEPT = 60
_WEIGHT_DECAY = 0.02
_WARMUP_STEPS = 200
_DECAY = 0.998
_CLIP_NORM = 2.0
# Where text is and close to it a pixel counts so much more than elsewhere.
_NEAR_PX = 9
_NEAR_WEIGHT = 2.0
_OUTER = 0.3
# What lies between text and text decides whether two lines are one.
_GAP_STEP = 4
_GAP_CELLS = 13
_GAP_WEIGHT = 4.0
# Dice counts half, and is even on crops with hardly any text.
_DICE_SHARE = 0.5
_DICE_SMOOTHING = 50.0
_CHECKPOINT_S = 180.0


@dataclass(frozen=True, slots=True)
class DetectorRun:
    """What a user chooses of a run.

    Attributes:
        folder: holds the checkpoints; a folder with a checkpoint is gone on with.
        sets: folders of `shizi train maps`.
        crops: length of the run; the schedule is stretched to it.
        side: of a crop, pixels, a multiple of 32.
        batch: crops a step.
        learning_rate: peak of AdamW's.
        workers: processes that cut; 0 cuts in this one.
        threads: of torch on a CPU.
        seed: of the whole run.
    """

    folder: Path
    sets: tuple[Path, ...]
    crops: int = 192_000
    side: int = 320
    batch: int = 16
    learning_rate: float = 2e-3
    workers: int = 1
    threads: int = 1
    seed: int = 1


def train_detector(run: DetectorRun, report: Callable[[str], None]) -> Likeness:
    """Train, or go on with a run; an interrupt saves and is passed on.

    Returns:
        How the lines of the averaged network agree with the teacher's on pages kept out.

    Raises:
        ConfigError: there is nothing to learn from, or the crops have no possible size.
        IncompatibleModel: the folder holds a checkpoint of something else.
    """
    if run.side < STRIDE or run.side % STRIDE or run.batch < 1:
        raise ConfigError(f"a crop's side is a multiple of {STRIDE}, and a batch has at least one")
    examples = read_examples(run.sets)
    kept, learned = examples[::_KEPT][:_MOST_KEPT], [e for k, e in enumerate(examples) if k % _KEPT]
    if not learned:
        raise ConfigError(f"one page is too few; {_KEPT} and more teach something")
    trainer = DetectorTrainer(run)
    try:
        trainer.learn(learned, report)
    finally:
        trainer.save()
    likeness = judge(trainer.average, kept)
    trainer.log(report, f_measure=likeness.f_measure, recall=likeness.recall)
    return likeness


class DetectorTrainer:
    """One run in one folder; made anew, it goes on where the folder's checkpoint ends."""

    def __init__(self, run: DetectorRun, dims: DbDims | None = None) -> None:
        torch.manual_seed(run.seed)
        torch.set_num_threads(run.threads)
        self.run = run
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.net = DbNet(dims or DbDims()).to(self.device)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.average = copy.deepcopy(self.net).eval()
        self.optimizer = make_optimizer([self.net], run.learning_rate, _WEIGHT_DECAY)
        self.step_count = 0
        run.folder.mkdir(parents=True, exist_ok=True)
        if (run.folder / "last.pt").exists():
            self._resume()

    @property
    def steps(self) -> int:
        """Give how many steps the whole run has."""
        return math.ceil(self.run.crops / self.run.batch)

    def learn(self, examples: list[Example], report: Callable[[str], None]) -> None:
        """Go through the run's crops from where it stands."""
        losses: list[Tensor] = []
        saved = time.monotonic()
        for pages, maps in self._batches(examples):
            losses.append(self.step(pages, maps))
            if time.monotonic() - saved > _CHECKPOINT_S:
                self.save()
                self.log(report, loss=float(torch.stack(losses).mean()))
                losses.clear()
                saved = time.monotonic()

    def step(self, pages: Tensor, maps: Tensor) -> Tensor:
        """Learn from one batch; gives its loss, which may still be computing.

        Args:
            pages: (B, 1, side, side) float32 in [-1, 1].
            maps: likewise, in [0, 1].
        """
        warm, done = (self.step_count + 1) / _WARMUP_STEPS, self.step_count / self.steps
        set_rate(self.optimizer, self.run.learning_rate, warm, done)
        self.net.train()
        pages = pages.to(self.device).contiguous(memory_format=torch.channels_last)
        with torch.autocast(self.device.type, torch.bfloat16):
            logits = self.net(pages)
        loss = map_loss(logits.float(), maps.to(self.device))
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self.net.parameters(), _CLIP_NORM)
        self.optimizer.step()
        average_into(self.average, self.net, _DECAY, self.step_count)
        self.step_count += 1
        return loss.detach()

    def save(self) -> None:
        """Write `last.pt` whole or not at all."""
        content: dict[str, Any] = {
            "net": save_detector(self.net),
            "average": save_detector(self.average),
            "optimizer": self.optimizer.state_dict(),
            "step": self.step_count,
        }
        write_file(content, self.run.folder / "last.pt")

    def log(self, report: Callable[[str], None], **values: float) -> None:
        """Append to the run's metrics; see `log_metrics`."""
        place = {"step": self.step_count, "of": self.steps}
        log_metrics(self.run.folder, place, values, report)

    def _batches(self, examples: list[Example]) -> Iterator[tuple[Tensor, Tensor]]:
        run = self.run
        crops = Crops(examples, run.side, self.steps * run.batch, run.seed)
        left = Subset(crops, range(self.step_count * run.batch, len(crops)))
        return iter(DataLoader(left, run.batch, num_workers=run.workers))

    def _resume(self) -> None:
        with checkpoint_of(self.run.folder / "last.pt") as content:
            for net, name in ((self.net, "net"), (self.average, "average")):
                net.load_state_dict(load_detector(content[name]).state_dict())
            self.optimizer.load_state_dict(content["optimizer"])
            self.step_count = int(content["step"])


def map_loss(logits: Tensor, maps: Tensor) -> Tensor:
    """Compare maps with the teacher's: cross-entropy, and Dice over each crop; ().

    Args:
        logits: (B, 1, H, W) float32.
        maps: likewise, in [0, 1].
    """
    near = functional.max_pool2d(maps, _NEAR_PX, 1, _NEAR_PX // 2) > _OUTER
    weights = 1 + _NEAR_WEIGHT * near + _GAP_WEIGHT * _gaps(maps)
    entropy = functional.binary_cross_entropy_with_logits(logits, maps, weights, reduction="sum")
    mine = torch.sigmoid(logits)
    common = (mine * maps).sum((1, 2, 3))
    both = (mine * mine).sum((1, 2, 3)) + (maps * maps).sum((1, 2, 3))
    dice = 1 - (2 * common + _DICE_SMOOTHING) / (both + _DICE_SMOOTHING)
    loss: Tensor = entropy / weights.sum() + _DICE_SHARE * dice.mean()
    return loss


def _gaps(maps: Tensor) -> Tensor:
    """Mark what is no text and lies between text, across or down: where a line ends.

    A closing, as morphology has it, fills such gaps; what it adds is marked with 1.
    """
    # At a quarter of the scale: at the full one it would take longer than the network.
    small = functional.max_pool2d(maps, _GAP_STEP)
    closed = torch.zeros_like(small)
    for size in ((1, _GAP_CELLS), (_GAP_CELLS, 1)):
        pad = (size[0] // 2, size[1] // 2)
        grown = functional.max_pool2d(small, size, 1, pad)
        closed = torch.maximum(closed, -functional.max_pool2d(-grown, size, 1, pad))
    filled = functional.interpolate(closed, scale_factor=float(_GAP_STEP), mode="nearest")
    return ((filled > 0.5) & (maps < _OUTER)).float()


@torch.no_grad()
def judge(net: DbNet, examples: list[Example]) -> Likeness:
    """Compare a network in evaluation mode with the teacher on whole pages."""
    device = next(net.parameters()).device
    total = Likeness()
    for example in examples:
        rows, columns = example.page.shape
        pad = (0, -columns % STRIDE, 0, -rows % STRIDE)
        page = torch.from_numpy(example.page)[None, None].to(device).float() / 127.5 - 1
        logits = net(functional.pad(page, pad, mode="replicate"))
        mine = np.asarray(torch.sigmoid(logits[0, 0, :rows, :columns]).cpu(), np.float32)
        total += compare_maps(mine, np.asarray(example.map / np.float32(255), np.float32))
    return total
