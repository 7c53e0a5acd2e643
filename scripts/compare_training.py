"""Trains several variants of a recognizer side by side on the very same lines, in one process.

    python scripts/compare_training.py OUT --variant plain=s:none --variant guided=s:attention \
        --init INIT.pt --minutes 8 --workers 14 --batch 8 --fonts FONTS --corpus CORPUS \
        --real receipts-en:0.22

A variant is NAME=SIZE:LOSS[:RATE[:DECAY]]: a size of `train/recipe.py`, a further loss of
`train/auxiliary.py`, its own learning rate, and the decay of its averaged weights. Lines are
rendered once for all, so what parts two variants at the end is the variant, not luck with lines.
Each has a folder of its own in OUT with `last.pt`, as `shizi train recognizer` makes it; `shizi
train export` and `shizi bench` tell the rest.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path

import torch

from shizi.nets.crnn import save_checkpoint
from shizi.train.echoing import echo
from shizi.train.loop import Trainer
from shizi.train.recipe import RecognizerRun, data_recipe, make_trainer
from shizi.train.stream import BatchStream

REPORT_S = 15.0
CHECKPOINT_S = 120.0
EMA_DECAY = 0.998


def variant(text: str, run: RecognizerRun, out: Path) -> Trainer:
    """Make the trainer of NAME=SIZE:LOSS[:RATE[:DECAY]]."""
    name, _, spec = text.partition("=")
    size, loss, rate, decay = [*spec.split(":"), "", ""][:4]
    rate_of = float(rate) if rate else run.learning_rate
    one = replace(run, folder=out / name, size=size, auxiliary=loss, learning_rate=rate_of)
    return make_trainer(one, data_recipe(run), float(decay) if decay else EMA_DECAY)


def with_norms(run: RecognizerRun, out: Path) -> RecognizerRun:
    """Measure the norms of a served model once for all variants."""
    if run.init is None or not torch.load(run.init, weights_only=True).get("folded"):
        return run
    trainer = variant("init=s:none", run, out)
    path = out / "init.pt"
    torch.save(save_checkpoint(trainer.net, trainer.recipe.symbols), path)
    return replace(run, init=path)


def train(trainers: dict[str, Trainer], run: RecognizerRun) -> None:
    recipe = next(iter(trainers.values())).recipe
    started = reported = saved = given = time.monotonic()
    waited = 0.0
    with BatchStream(recipe, run.workers) as stream:
        for batch in echo(stream, run.echo, run.seed):
            waited += time.monotonic() - given
            losses = {name: trainer.step(batch) for name, trainer in trainers.items()}
            now = time.monotonic()
            for trainer in trainers.values():
                trainer.progress.seconds = now - started
            if now - reported > REPORT_S:
                first = next(iter(trainers.values()))
                row = {name: round(float(loss), 4) for name, loss in losses.items()}
                row |= {"lines": first.progress.lines, "step": first.progress.step}
                row |= {"seconds": round(now - started), "waited": round(waited)}
                print(json.dumps(row), flush=True)
                reported = now
            if now - saved > CHECKPOINT_S:
                for trainer in trainers.values():
                    trainer.save()
                saved = now
            if first_done(trainers):
                break
            given = time.monotonic()
    for trainer in trainers.values():
        trainer.save()


def first_done(trainers: dict[str, Trainer]) -> bool:
    return any(trainer.done >= 1.0 for trainer in trainers.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--variant", action="append", required=True, metavar="NAME=SIZE:LOSS")
    parser.add_argument("--init", type=Path)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--lines", type=int, default=1_000_000_000)
    parser.add_argument("--rate", type=float, default=1e-3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--echo", type=int, default=1)
    parser.add_argument("--fonts", type=Path, action="append", default=[])
    parser.add_argument("--corpus", type=Path)
    parser.add_argument("--real", action="append", default=[], metavar="DIR:SHARE")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    torch.set_float32_matmul_precision("high")
    real = tuple((Path(d), float(s)) for d, _, s in (r.rpartition(":") for r in args.real))
    run = RecognizerRun(
        folder=args.out,
        lines=args.lines,
        fonts=tuple(args.fonts),
        corpus=args.corpus,
        real=real,
        init=args.init,
        learning_rate=args.rate,
        minutes=args.minutes,
        batch=args.batch,
        echo=args.echo,
        workers=args.workers,
        threads=args.threads,
        seed=args.seed,
    )
    args.out.mkdir(parents=True, exist_ok=True)
    run = with_norms(run, args.out)
    trainers = {text.partition("=")[0]: variant(text, run, args.out) for text in args.variant}
    train(trainers, run)


if __name__ == "__main__":
    main()
