"""Turns a model folder back into a checkpoint, so that training can go on from what is served.

An exported graph has its batch norms folded into its convolutions. Their weights come back exactly;
what the norms had measured is gone, and is measured anew on the first lines of a run
(`nets/norms.py`).
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from shizi.core.errors import IncompatibleModel
from shizi.nets.crnn import Crnn, CrnnDims, convolutions, save_checkpoint
from shizi.nets.files import write_file
from shizi.nets.norms import set_identity
from shizi.text.charset import Charset

_Weights = dict[str, NDArray[np.float32]]


def restore_checkpoint(model: bytes, dims: dict[str, Any], charset: Charset) -> dict[str, Any]:
    """Read the weights of an exported CRNN.

    Args:
        model: ONNX file as `compress/onnx.py` writes it.
        dims: of the network, as its manifest holds them.
        charset: of the model.

    Returns:
        What `nets.crnn.save_checkpoint` gives, and `folded`: the norms are still to be measured.

    Raises:
        IncompatibleModel: the graph is no CRNN of these dims.
    """
    try:
        weights = _weights(model)
        net = Crnn(CrnnDims.from_dict(dims))
        with torch.no_grad():
            _restore_convolutions(net, weights)
            _restore_lstm(net, weights)
            _restore_head(net, weights)
    except (KeyError, TypeError, ValueError, RuntimeError) as error:
        raise IncompatibleModel("the model's graph is no CRNN that training could go on") from error
    return save_checkpoint(net, charset.symbols) | {"folded": True}


def write_restored(model: Path, manifest: dict[str, Any], charset: Charset, to: Path) -> None:
    """Write the checkpoint of a model folder's graph; see `restore_checkpoint`."""
    content = restore_checkpoint(model.read_bytes(), manifest.get("dims", {}), charset)
    write_file(content, to)


def _weights(model: bytes) -> _Weights:
    try:
        graph = onnx.load_model_from_string(model).graph
    except Exception as error:
        raise ValueError("no ONNX file") from error
    return {w.name: numpy_helper.to_array(w) for w in graph.initializer}


def _take(weights: _Weights, name: str) -> Tensor:
    return torch.from_numpy(weights[name].copy())


def _restore_convolutions(net: Crnn, weights: _Weights) -> None:
    places = [k for k, layer in enumerate(net.cnn) if isinstance(layer, nn.Sequential)]
    for k, (conv, norm) in zip(places, convolutions(net), strict=True):
        conv.weight.copy_(_take(weights, f"conv{k}.w"))
        set_identity(norm, _take(weights, f"conv{k}.b"))


def _restore_lstm(net: Crnn, weights: _Weights) -> None:
    for layer in range(net.dims.layers):
        biases = np.split(weights[f"lstm{layer}.b"], 2, axis=1)
        values = {
            "weight_ih": weights[f"lstm{layer}.w"],
            "weight_hh": weights[f"lstm{layer}.r"],
            "bias_ih": biases[0],
            "bias_hh": biases[1],
        }
        for name, both in values.items():
            for way, suffix in enumerate(("", "_reverse")):
                i, o, f, c = np.split(both[way], 4)  # ONNX's order of gates; torch has i, f, c, o
                value = torch.from_numpy(np.concatenate((i, f, c, o)))
                getattr(net.rnn, f"{name}_l{layer}{suffix}").copy_(value)


def _restore_head(net: Crnn, weights: _Weights) -> None:
    """Take the narrow layer and the head apart; the head's bias rides on the last narrow column."""
    net.narrow.weight.copy_(_take(weights, "narrow.w")[:, :-1].T)
    net.narrow.bias.copy_(_take(weights, "narrow.b")[:-1])
    head = _take(weights, "head.w")
    net.head.weight.copy_(head[:-1].T)
    net.head.bias.copy_(head[-1])
