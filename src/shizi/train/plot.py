"""Draws the curve of a run from its metrics."""

from __future__ import annotations

import json
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt


def plot_metrics(metrics: Path, picture: Path) -> None:
    """Plot loss and character accuracy over the lines seen.

    Args:
        metrics: the run's `metrics.jsonl`.
        picture: PNG or SVG to write.
    """
    rows = [json.loads(line) for line in metrics.read_text().splitlines()]
    losses = [(r["lines"] / 1e3, r["loss"]) for r in rows if "loss" in r]
    scores = [(r["lines"] / 1e3, 1 - r["cer"]) for r in rows if "cer" in r]
    figure, left = plt.subplots(figsize=(7, 4), layout="constrained")
    if losses:
        left.plot(*zip(*losses, strict=True), color="tab:gray", label="loss a symbol")
    left.set_xlabel("lines seen (thousands)")
    left.set_ylabel("loss a symbol")
    right = left.twinx()
    if scores:
        right.plot(*zip(*scores, strict=True), "o-", color="tab:blue", label="accuracy")
    right.set_ylabel("character accuracy, unseen fonts")
    figure.savefig(picture, dpi=110)
    plt.close(figure)
