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
from shizi.nets.dbnet import load_detector
from shizi.nets.files import checkpoint_of
from shizi.text.charset import Charset


def read_checkpoint(path: Path) -> tuple[Crnn, Charset]:
    """Load the averaged weights of a run's checkpoint, or plain weights, for inference.

    Raises:
        FileAccessError: the file cannot be read.
        IncompatibleModel: it is no checkpoint of this program.
    """
    with checkpoint_of(path) as content:
        net, symbols = load_checkpoint(content.get("average", content))
    return net.eval(), Charset(symbols)


def publish(
    checkpoint: Path,
    folder: Path,
    name: str,
    version: str,
    card: dict[str, Any],
    blend: Blend | None = None,
) -> Path:
    """Write the model of a recognizer's or a detector's checkpoint; see `publish_recognizer`.

    Raises:
        IncompatibleModel: also where a detector is to be blended, which there is no need for yet.
    """
    with checkpoint_of(checkpoint) as content:
        is_recognizer = "symbols" in content.get("average", content)
    if is_recognizer:
        return publish_recognizer(checkpoint, folder, name, version, card, blend)
    if blend:
        raise IncompatibleModel("a detector is not blended; leave --blend out")
    return publish_detector(checkpoint, folder, name, version, card)


def publish_detector(
    checkpoint: Path, folder: Path, name: str, version: str, card: dict[str, Any]
) -> Path:
    """Write `model.onnx` and `manifest.json` of a detector; see `publish_recognizer`."""
    check_ref(name, version)
    with checkpoint_of(checkpoint) as content:
        net = load_detector(content.get("average", content)).eval()
    folder.mkdir(parents=True, exist_ok=True)
    model = build_detector_onnx(net, name)
    (folder / "model.onnx").write_bytes(model.SerializeToString(deterministic=True))
    facts = {
        "name": name,
        "version": version,
        "task": Task.DETECT.value,
        "licence": "Apache-2.0",
        "source": "trained by Shizi's own recipe",
        "dims": net.dims.to_dict(),
        "parameters": count_parameters(net),
        **card,
    }
    return sign_model(folder, "model.onnx", facts)


def publish_recognizer(
    checkpoint: Path,
    folder: Path,
    name: str,
    version: str,
    card: dict[str, Any],
    blend: Blend | None = None,
) -> Path:
    """Write `model.onnx`, `charset.txt` and `manifest.json`.

    Args:
        checkpoint: of a training run.
        folder: the model's own folder, made where it is missing.
        name: of the model.
        version: of its weights.
        card: data, metrics and whatever else is known; kept in the manifest as it is.
        blend: the model that the run began with, to be mixed in; None for the checkpoint alone.

    Returns:
        The manifest.

    Raises:
        IncompatibleModel: the file is no checkpoint of this program, or the model to be mixed in
            is another network.
        OptionError: the name or the version cannot be a model's, or the share is none.
    """
    check_ref(name, version)
    net, charset = read_checkpoint(checkpoint)
    facts = {
        "name": name,
        "version": version,
        "licence": "Apache-2.0",
        "source": "trained by Shizi's own recipe",
        "dims": net.dims.to_dict(),
        "parameters": count_parameters(net),
        **card,
    }
    model = build_onnx(net, charset, name)
    if blend:
        model = blend_models(model, blend)
    return write_recognizer(folder, model, charset, facts)


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
    folder.mkdir(parents=True, exist_ok=True)
    content = model.SerializeToString(deterministic=True)
    (folder / "model.onnx").write_bytes(content)
    (folder / "charset.txt").write_text(charset.to_text(), encoding="utf-8")
    facts = {"task": Task.RECOGNIZE.value, **facts}
    return sign_model(folder, "model.onnx", facts, charset="charset.txt")
