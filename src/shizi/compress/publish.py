"""Turns a training checkpoint into a model folder that the store can serve."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from onnx import ModelProto

from shizi.compress.blend import Blend, blend_models
from shizi.compress.dbnet import build_detector_onnx
from shizi.compress.onnx import build_onnx
from shizi.core.errors import IncompatibleModel
from shizi.models.manifest import Task, check_ref, sign_model
from shizi.nets.crnn import Crnn, count_parameters, load_checkpoint
from shizi.nets.dbnet import DbNet, load_detector
from shizi.nets.files import checkpoint_of
from shizi.text.charset import Charset

_GRAPH = "model.onnx"


def read_checkpoint(path: Path) -> tuple[Crnn, Charset] | DbNet:
    """Load the averaged weights of a run's checkpoint, or plain weights, for inference.

    Returns:
        A recognizer with its charset, or a detector, whichever the file holds.

    Raises:
        FileAccessError: the file cannot be read.
        IncompatibleModel: it is no checkpoint of this program.
    """
    with checkpoint_of(path) as content:
        weights = content.get("average", content)
        if "symbols" not in weights:
            return load_detector(weights).eval()
        net, symbols = load_checkpoint(weights)
    return net.eval(), Charset(symbols)


def publish(
    checkpoint: Path,
    folder: Path,
    name: str,
    version: str,
    card: dict[str, Any],
    blend: Blend | None = None,
) -> Path:
    """Write `model.onnx`, `manifest.json`, and for a recognizer `charset.txt`.

    Args:
        checkpoint: of a training run.
        folder: the model's own folder, made where it is missing.
        name: of the model.
        version: of its weights.
        card: data, metrics and whatever else is known; kept in the manifest as it is.
        blend: the recognizer that the run began with, to be mixed in; None for the checkpoint
            alone.

    Returns:
        The manifest.

    Raises:
        IncompatibleModel: the file is no checkpoint of this program, or the model to be mixed in
            is another network; a detector is mixed with none.
        OptionError: the name or the version cannot be a model's, or the share is none.
    """
    check_ref(name, version)
    loaded = read_checkpoint(checkpoint)
    net = loaded if isinstance(loaded, DbNet) else loaded[0]
    facts = {
        "name": name,
        "version": version,
        "licence": "Apache-2.0",
        "source": "trained by Shizi's own recipe",
        "dims": net.dims.to_dict(),
        "parameters": count_parameters(net),
        **card,
    }
    if isinstance(loaded, DbNet):
        if blend:
            raise IncompatibleModel("a detector is not blended; leave --blend out")
        _write_graph(folder, build_detector_onnx(loaded, name))
        return sign_model(folder, _GRAPH, {"task": Task.DETECT.value, **facts})
    model = build_onnx(*loaded, name)
    if blend:
        model = blend_models(model, blend)
    return write_recognizer(folder, model, loaded[1], facts)


def write_recognizer(
    folder: Path, model: ModelProto, charset: Charset, facts: dict[str, Any]
) -> Path:
    """Write a recognizer's graph, its symbols, and last a manifest with their digest and facts.

    Args:
        folder: the model's own folder, made where it is missing.
        model: the graph.
        charset: symbols of its classes.
        facts: name, version, licence, source, and whatever else is known.

    Returns:
        The manifest.
    """
    _write_graph(folder, model)
    (folder / "charset.txt").write_text(charset.to_text(), encoding="utf-8")
    facts = {"task": Task.RECOGNIZE.value, **facts}
    return sign_model(folder, _GRAPH, facts, charset="charset.txt")


def _write_graph(folder: Path, model: ModelProto) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _GRAPH).write_bytes(model.SerializeToString(deterministic=True))
