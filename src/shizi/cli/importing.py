"""`shizi models import`: makes a model of a checkpoint that ModelScope publishes."""

from __future__ import annotations

import argparse
from pathlib import Path

from shizi.cli.console import need_extra, say
from shizi.cli.models import add_folder_argument, models_folder, tell_installed


def add_import_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `models import` takes."""
    add = parser.add_argument
    add(
        "source",
        type=Path,
        metavar="SOURCE",
        help="folder with pytorch_model.pt and vocab.txt, or a checkpoint",
    )
    add("--name", required=True, help="of the model")
    add("--vocab", type=Path, metavar="FILE", help="instead of vocab.txt beside the checkpoint")
    add("--weights-version", default="1.0.0", metavar="VERSION")
    add("--licence", default="Apache-2.0", metavar="SPDX", help="of the weights")
    add_folder_argument(parser)


def run_import(args: argparse.Namespace) -> int:
    """Install a model, and tell what became of the checkpoint."""
    need_extra("train", ("torch", "onnx"))
    folder = models_folder(args)
    # Torch takes seconds to load, and serving installs do not have it.
    from shizi.compress.importing import ImportPlan, import_recognizer  # noqa: PLC0415

    plan = ImportPlan(
        source=args.source,
        vocabulary=args.vocab,
        folder=folder,
        name=args.name,
        version=args.weights_version,
        licence=args.licence,
    )
    done = import_recognizer(plan)
    say(f"{done.family}: {done.classes} classes, {done.left_out} without a symbol left out")
    say(f"the graph's scores differ from torch's by {done.difference:.1e} at most")
    tell_installed(done.manifest)
    return 0
