"""Turns a checkpoint of ModelScope's recognizers into a model folder that the store can serve.

Such a checkpoint is a folder with `pytorch_model.pt` and `vocab.txt`. The file is read as weights
and nothing else: what it might hold beside them is refused, never run.
"""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from onnx import ModelProto

from shizi.compress.convnext import build_convnext_onnx
from shizi.compress.graph import INPUT, Intake
from shizi.compress.onnx import build_onnx
from shizi.compress.publish import write_recognizer
from shizi.core.errors import FileAccessError, GateFailed, IncompatibleModel
from shizi.imaging.lines import LINE_HEIGHT, Canvas, Scaling
from shizi.models.install import install
from shizi.models.lineform import LineForm
from shizi.models.manifest import Manifest, check_ref, file_digest
from shizi.models.opening import try_out
from shizi.models.session import OrtSession
from shizi.nets.convnext import PIECE_PX, SEAM, STEP_PX, STRIDE, ConvNextVit
from shizi.nets.crnn import Crnn, count_parameters
from shizi.nets.files import load_file
from shizi.nets.modelscope import Family, Weights, build_network, check_weights
from shizi.text.charset import BLANK, Charset

CHECKPOINTS = ("pytorch_model.pt", "pytorch_model.bin")
VOCABULARY = "vocab.txt"

# Their networks weigh red, green and blue in [0, 1]; ours are given blue, green and red in [-1, 1].
_GREY = (0.2989, 0.5870, 0.1140)
INTAKE = Intake((_GREY[2] / 2, _GREY[1] / 2, _GREY[0] / 2), sum(_GREY) / 2)
# What lies beyond a line is black. A CRNN's line has 640 pixels at least; the other's is cut into
# as many pieces as it takes for its own columns to be those that three pieces give.
_CANVASES = {
    Family.CRNN: Canvas(first=640, step=64, pad=0),
    Family.CONVNEXT_VIT: Canvas(PIECE_PX, STEP_PX, margin=SEAM * STRIDE, pad=0),
}
# Class of a vocabulary's first line.
_FIRST_CLASS = {Family.CRNN: 1, Family.CONVNEXT_VIT: 2}
# Share of a vocabulary's lines that may be no single character.
_ODD_LINES = 0.01
# How far two computations of the same scores may lie apart.
PARITY = 1e-3


@dataclass(frozen=True, slots=True)
class ImportPlan:
    """What is to be imported, and as what.

    Attributes:
        source: a checkpoint, or the folder of one.
        vocabulary: its symbols, one a line; None looks for `vocab.txt` beside the checkpoint.
        folder: of models.
        name: of the model.
        version: of its weights.
        licence: SPDX name.
    """

    source: Path
    vocabulary: Path | None
    folder: Path
    name: str
    version: str
    licence: str = "Apache-2.0"


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a checkpoint.

    Attributes:
        manifest: of the installed model.
        family: whose checkpoint it was.
        classes: it scores, the blank included.
        left_out: classes of the checkpoint that stand for no symbol of their own.
        difference: largest one between the scores of torch and of the graph, on random lines.
    """

    manifest: Manifest
    family: Family
    classes: int
    left_out: int
    difference: float


def import_recognizer(plan: ImportPlan) -> Imported:
    """Install a checkpoint of ModelScope's as a model.

    Raises:
        FileAccessError: a file cannot be read, or the folder of models not written.
        GateFailed: the graph scores otherwise than the network it was made from.
        IncompatibleModel: the checkpoint or the vocabulary is not one of these networks'.
        ModelConflict: another model of this name and version is there.
        OptionError: the name or the version cannot be a model's.
    """
    check_ref(plan.name, plan.version)
    checkpoint, vocabulary = _files(plan)
    weights = read_weights(checkpoint)
    kept, charset = read_vocabulary(vocabulary, weights)
    net = build_network(weights, kept)
    model = _build(net, charset, plan.name)
    canvas = _CANVASES[weights.family]
    form = LineForm(LINE_HEIGHT, color=True, scaling=Scaling.BILINEAR, canvas=canvas)
    facts = {
        "name": plan.name,
        "version": plan.version,
        "licence": plan.licence,
        "source": f"imported from ModelScope's {weights.family} ({checkpoint.name})",
        "source_sha256": file_digest(checkpoint),
        "form": form.to_dict(),
        "dims": net.dims.to_dict(),
        "parameters": count_parameters(net),
    }
    with tempfile.TemporaryDirectory() as made:
        write_recognizer(Path(made), model, charset, facts)
        difference = compare_scores(net, model, canvas)
        manifest = install(Path(made), plan.folder, try_out)
    left_out = weights.classes - len(kept)
    return Imported(manifest, weights.family, len(kept), left_out, difference)


def read_weights(path: Path) -> Weights:
    """Read the weights of a checkpoint; see `check_weights`.

    Raises:
        FileAccessError: the file cannot be read.
        IncompatibleModel: it holds something else, or weights of another network.
    """
    content = load_file(path)
    try:
        return check_weights(content)
    except IncompatibleModel as error:
        raise IncompatibleModel(f"{path}: {error.detail}") from error


def read_vocabulary(path: Path, weights: Weights) -> tuple[list[int], Charset]:
    """Read which classes of a checkpoint stand for which symbols.

    Where a symbol has two classes, training wrote the later one. A line that is no single character
    has no class in our charsets; what the network would have given it goes to the next best.

    Returns:
        The classes that are kept, the blank first, and the symbols of all but the first.

    Raises:
        FileAccessError: the file cannot be read.
        IncompatibleModel: it has another number of symbols than the network, or is no vocabulary.
    """
    try:
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    except OSError as error:
        raise FileAccessError(f"{path} cannot be read") from error
    except UnicodeDecodeError as error:
        raise IncompatibleModel(f"{path} is no text in UTF-8") from error
    first = _FIRST_CLASS[weights.family]
    last = first + len(lines) - 1
    # The published vocabularies of the networks that begin at 2 have one line too many.
    if not weights.classes <= last + 1 < weights.classes + first:
        raise IncompatibleModel(
            f"{path} has {len(lines)} symbols; the {weights.family} scores {weights.classes} "
            f"classes, which takes {weights.classes - 1}"
        )
    if sum(len(line) != 1 for line in lines) > _ODD_LINES * len(lines):
        raise IncompatibleModel(f"{path} is no vocabulary of one character a line")
    classes = range(first, weights.classes)
    class_of = {line: k for k, line in zip(classes, lines, strict=False) if len(line) == 1}
    symbols = tuple(sorted(class_of, key=class_of.__getitem__))
    return [BLANK, *(class_of[symbol] for symbol in symbols)], Charset(symbols)


def compare_scores(net: Crnn | ConvNextVit, model: ModelProto, canvas: Canvas) -> float:
    """Give the largest difference between a network's scores and those of its graph.

    Args:
        net: in evaluation mode, taking strips of grey in [0, 1].
        model: the graph, taking strips as the recognizer gives them.
        canvas: the widths both take; random lines of the first two are compared.

    Raises:
        GateFailed: it is more than `PARITY`.
    """
    session = OrtSession(model.SerializeToString(), name=model.graph.name)
    worst = 0.0
    for lines, width in ((2, canvas.first), (1, canvas.first + canvas.step)):
        colors = np.random.default_rng(width).uniform(-1, 1, (lines, 3, LINE_HEIGHT, width))
        strips: NDArray[np.float32] = colors.astype(np.float32)
        (scores,) = session.run({INPUT: strips})
        weights = torch.tensor(INTAKE.weights).view(1, 3, 1, 1)
        grey = (torch.from_numpy(strips) * weights).sum(1, keepdim=True) + INTAKE.offset
        with torch.no_grad():
            wanted = net(grey).numpy()
        scale = max(1.0, float(np.abs(wanted).max()))
        worst = max(worst, float(np.abs(scores - wanted).max()) / scale)
    if not worst <= PARITY:
        raise GateFailed(f"the graph scores lines otherwise than its weights, by {worst:.2g}")
    return worst


def _files(plan: ImportPlan) -> tuple[Path, Path]:
    """Find the checkpoint and its vocabulary."""
    source = plan.source
    if source.is_dir():
        found = [source / name for name in CHECKPOINTS if (source / name).is_file()]
        if not found:
            raise FileAccessError(f"{source} holds no {' or '.join(CHECKPOINTS)}")
        source = found[0]
    return source, plan.vocabulary or source.parent / VOCABULARY


def _build(net: Crnn | ConvNextVit, charset: Charset, name: str) -> ModelProto:
    if isinstance(net, Crnn):
        return build_onnx(net, charset, name, INTAKE)
    return build_convnext_onnx(net, charset, name, INTAKE)
