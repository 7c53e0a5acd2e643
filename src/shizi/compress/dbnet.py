"""Writes a trained DbNet as an ONNX graph, node by node; see `compress/onnx.py`."""

from __future__ import annotations

import onnx
import torch
from torch import nn

from shizi.compress.graph import Graph, Port
from shizi.compress.onnx import fold_batch_norm
from shizi.nets.dbnet import PATCH, DbNet, Stage

INPUT = "page"
OUTPUT = "map"


def build_detector_onnx(net: DbNet, name: str) -> onnx.ModelProto:
    """Give the graph of a network in evaluation mode, its batch norms folded.

    Input `page` (1, 1, H, W) float32 in [-1, 1], sides multiples of 32; output `map` (1, 1, H, W)
    float32 in [0, 1]. The metadata hold the dims and how many planes are taken.
    """
    graph = Graph()
    with torch.no_grad():
        logits = _pyramid(graph, net)
    graph.node("Sigmoid", [logits], OUTPUT)
    metadata = {"planes": "1", "dims": str(net.dims.to_dict())}
    sides: tuple[str | int, ...] = (1, 1, "H", "W")
    return graph.model(name, Port(INPUT, sides), Port(OUTPUT, sides), metadata)


def _pyramid(graph: Graph, net: DbNet) -> str:
    """Append the whole network; its output are the logits of the map."""
    x4 = _relu(graph, _norm(graph, INPUT, net.first, "first"))
    x4 = _relu(graph, _norm(graph, x4, net.second, "second"))
    x4 = _relu(graph, _norm(graph, x4, net.spread, "spread"))
    x4 = _relu(graph, _norm(graph, x4, net.mix, "mix"))
    x8 = _stage(graph, x4, net.stage8, "stage8")
    x16 = _stage(graph, x8, net.stage16, "stage16")
    x32 = _stage(graph, x16, net.stage32, "stage32")
    top = _norm(graph, x32, net.side32, "side32")
    top = _join(graph, _norm(graph, x16, net.side16, "side16"), top)
    top = _join(graph, _norm(graph, x8, net.side8, "side8"), top)
    top = _norm(graph, top, net.narrow, "narrow")
    top = _join(graph, _norm(graph, x4, net.side4, "side4"), top)
    top = _relu(graph, _norm(graph, top, net.smooth, "smooth"))
    patches = graph.convolution(top, net.patches, "patches")
    return graph.node("DepthToSpace", [patches], "logits", blocksize=PATCH, mode="CRD")


def _stage(graph: Graph, x: str, stage: Stage, name: str) -> str:
    """Append one stage."""
    x = _relu(graph, _norm(graph, x, stage.down, f"{name}.down"))
    for k, layer in enumerate(stage.more):
        more = _norm(graph, x, layer, f"{name}.more{k}")
        x = _relu(graph, graph.node("Add", [x, more], f"{more}.sum"))
    return x


def _norm(graph: Graph, x: str, layer: nn.Module, name: str) -> str:
    """Append a convolution with the norm behind it."""
    assert isinstance(layer, nn.Sequential)
    conv, norm = layer[0], layer[1]
    assert isinstance(conv, nn.Conv2d)
    weight, bias = fold_batch_norm(conv, norm)
    return graph.convolve(x, conv, weight, bias, name)


def _relu(graph: Graph, x: str) -> str:
    return graph.node("Relu", [x], f"{x}.relu")


def _join(graph: Graph, side: str, top: str) -> str:
    """Append the sum of a side and of what comes from above at half its scale."""
    scales = graph.scales(1.0, 1.0, 2.0, 2.0)
    twice = graph.node(
        "Resize",
        [top, "", scales],
        f"{top}.twice",
        mode="nearest",
        nearest_mode="floor",
        coordinate_transformation_mode="asymmetric",
    )
    return _relu(graph, graph.node("Add", [side, twice], f"{side}.sum"))
