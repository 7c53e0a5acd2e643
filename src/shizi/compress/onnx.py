"""Writes a trained CRNN as an ONNX graph, node by node.

The graph is built by hand rather than traced: batch norms are folded into their convolutions,
no shape arithmetic is left, and the file is the same for the same weights.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from torch import nn

from shizi.compress.graph import OUTPUT, Facts, Graph, Intake, to_array
from shizi.nets.crnn import STRIDE, Crnn
from shizi.text.charset import Charset


def build_onnx(
    net: Crnn, charset: Charset, name: str, intake: Intake | None = None
) -> onnx.ModelProto:
    """Give the graph of a network in evaluation mode.

    Input `strips` (B, 1, 32, W) float32 in [-1, 1], with an intake (B, 3, 32, W), W a multiple
    of 4; output `logits` (B, W / 4, classes) float32. The metadata hold the dims, the stride and
    the charset's digest.
    """
    graph = Graph()
    with torch.no_grad():
        features = _convolutions(graph, net, graph.take_in(intake))
        context = _lstm(graph, net, features)
        _head(graph, net, context)
    planes = 3 if intake else 1
    return graph.finish(Facts(name, charset, net.dims.to_dict(), STRIDE, planes))


def export_onnx(net: Crnn, charset: Charset, name: str, path: Path) -> None:
    """Write the graph of `build_onnx` to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save_model(build_onnx(net, charset, name), str(path))


def _convolutions(graph: Graph, net: Crnn, x: str) -> str:
    """Append the convolutional part; its output is (B, c7, 1, W / 4)."""
    for k, layer in enumerate(net.cnn):
        if isinstance(layer, nn.MaxPool2d):
            size = layer.kernel_size
            kernel = [size, size] if isinstance(size, int) else list(size)
            x = graph.node("MaxPool", [x], f"pool{k}", kernel_shape=kernel, strides=kernel)
            continue
        assert isinstance(layer, nn.Sequential)
        conv, norm = layer[0], layer[1]
        assert isinstance(conv, nn.Conv2d)
        assert isinstance(conv.padding, tuple)
        weight, bias = fold_batch_norm(conv, norm)
        pads = [*conv.padding, *conv.padding]
        names = [x, graph.weight(f"conv{k}.w", weight), graph.weight(f"conv{k}.b", bias)]
        kernel = list(weight.shape[2:])
        x = graph.node("Conv", names, f"conv{k}", kernel_shape=kernel, pads=pads)
        x = graph.node("Relu", [x], f"relu{k}")
    return x


def fold_batch_norm(
    conv: nn.Conv2d, norm: nn.Module
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give weight and bias of one convolution that does what both did in evaluation mode."""
    assert isinstance(norm, nn.BatchNorm2d)
    assert norm.running_var is not None
    assert norm.running_mean is not None
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    weight = conv.weight * scale.view(-1, 1, 1, 1)
    bias = norm.bias - norm.running_mean * scale
    return to_array(weight), to_array(bias)


def _lstm(graph: Graph, net: Crnn, features: str) -> str:
    """Append the recurrent part; its output is (B, T, 2 * hidden)."""
    axis = graph.weight("height_axis", np.array([2], np.int64))
    x = graph.node("Squeeze", [features, axis], "columns")  # (B, c7, T)
    x = graph.node("Transpose", [x], "sequence0", perm=[2, 0, 1])  # (T, B, c7)
    hidden = net.dims.hidden
    for layer in range(net.dims.layers):
        names = [x, *_lstm_weights(graph, net, layer)]
        y = graph.node("LSTM", names, f"lstm{layer}", hidden_size=hidden, direction="bidirectional")
        # (T, 2, B, hidden) to (T, B, 2 * hidden)
        y = graph.node("Transpose", [y], f"directions{layer}", perm=[0, 2, 1, 3])
        shape = graph.weight(f"merge{layer}", np.array([0, 0, 2 * hidden], np.int64))
        x = graph.node("Reshape", [y, shape], f"sequence{layer + 1}")
    return graph.node("Transpose", [x], "context", perm=[1, 0, 2])


def _lstm_weights(graph: Graph, net: Crnn, layer: int) -> list[str]:
    """Store one layer's weights in ONNX's order of gates (i, o, f, c; torch has i, f, c, o)."""
    hidden = net.dims.hidden

    def gates(name: str) -> NDArray[np.float32]:
        both = []
        for suffix in ("", "_reverse"):
            value = to_array(getattr(net.rnn, f"{name}_l{layer}{suffix}"))
            i, f, c, o = np.split(value, 4)
            both.append(np.concatenate((i, o, f, c)))
        return np.stack(both)

    bias = np.concatenate((gates("bias_ih"), gates("bias_hh")), axis=1)
    assert bias.shape == (2, 8 * hidden)
    return [
        graph.weight(f"lstm{layer}.w", gates("weight_ih")),
        graph.weight(f"lstm{layer}.r", gates("weight_hh")),
        graph.weight(f"lstm{layer}.b", bias),
    ]


def _head(graph: Graph, net: Crnn, context: str) -> None:
    """Append the narrow layer and the head.

    The head's bias rides on one more narrow column that is always 1: an addition over ten
    thousand scores a column would cost a tenth of the whole network.
    """
    narrow_weight = np.pad(to_array(net.narrow.weight).T, ((0, 0), (0, 1)))
    narrow_bias = np.pad(to_array(net.narrow.bias), (0, 1), constant_values=1.0)
    head = np.vstack([to_array(net.head.weight).T, to_array(net.head.bias)])
    names = [context, graph.weight("narrow.w", narrow_weight)]
    x = graph.node("MatMul", names, "narrow.product")
    x = graph.node("Add", [x, graph.weight("narrow.b", narrow_bias)], "narrow")
    graph.node("MatMul", [x, graph.weight("head.w", head)], OUTPUT)
