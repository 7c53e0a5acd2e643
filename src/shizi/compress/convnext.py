"""Writes a trained ConvNextVit as an ONNX graph, node by node.

Cutting lines into pieces and joining what was seen of them are part of the graph, so that whoever
runs it gives strips and takes scores as of any other recognizer.
"""

from __future__ import annotations

import numpy as np
import onnx
import torch

from shizi.compress.graph import INPUT, OUTPUT, Facts, Graph, Intake, to_array
from shizi.nets.convnext import (
    HEIGHT,
    PIECE,
    PIECE_PX,
    SEAM,
    STEP,
    STEP_PX,
    STRIDE,
    Attention,
    Block,
    ConvNext,
    ConvNextVit,
    Layer,
    Transformer,
)
from shizi.text.charset import Charset

_TO_CHANNELS_LAST = [0, 2, 3, 1]
_TO_CHANNELS_FIRST = [0, 3, 1, 2]
_END = np.iinfo(np.int64).max


def build_convnext_onnx(
    net: ConvNextVit, charset: Charset, name: str, intake: Intake | None = None
) -> onnx.ModelProto:
    """Give the graph of a network in evaluation mode.

    Input `strips` (B, 1, 32, W) float32 in [0, 1], with an intake (B, 3, 32, W), W one of 300,
    552, 804, …; output `logits` (B, W / 4, classes) float32. The metadata are those of a CRNN.
    """
    graph = Graph()
    with torch.no_grad():
        count = _count(graph)
        pieces = _cut(graph, graph.take_in(intake), count)
        maps = _convolutions(graph, net.cnn_model, pieces)
        columns = _transformer(graph, net.vitstr, maps)
        joined = _join(graph, columns, count, net.dims.width)
        head = net.vitstr.head
        graph.linear(joined, head.weight, head.bias, OUTPUT)
    planes = 3 if intake else 1
    return graph.finish(Facts(name, charset, net.dims.to_dict(), STRIDE, planes))


def _count(graph: Graph) -> str:
    """Append the count of a line's pieces, a list of one integer."""
    width = graph.node("Shape", [INPUT], "width", start=3, end=4)
    steps = graph.node("Sub", [width, graph.integers(PIECE_PX - STEP_PX)], "steps_px")
    return graph.node("Div", [steps, graph.integers(STEP_PX)], "count")


def _cut(graph: Graph, strips: str, count: str) -> str:
    """Cut (B, 1, 32, W) into pieces (B * count, 1, 32, 300), a line's one after another."""
    zero, one = (graph.weight(n, np.array(k, np.int64)) for k, n in enumerate(("zero", "one")))
    stop = graph.node("Squeeze", [count], "stop")
    steps = graph.node("Range", [zero, stop, one], "steps")
    lefts = graph.node("Mul", [steps, graph.integers(STEP_PX)], "lefts")
    lefts = graph.node("Unsqueeze", [lefts, graph.integers(1)], "lefts_down")  # (count, 1)
    along = graph.weight("along", np.arange(PIECE_PX, dtype=np.int64))
    places = graph.node("Add", [lefts, along], "places")  # (count, 300)
    x = graph.node("Gather", [strips, places], "overlapping", axis=3)  # (B, 1, 32, count, 300)
    x = graph.node("Transpose", [x], "by_piece", perm=[0, 3, 1, 2, 4])
    return graph.node("Reshape", [x, graph.integers(-1, 1, HEIGHT, PIECE_PX)], "pieces")


def _convolutions(graph: Graph, net: ConvNext, x: str) -> str:
    """Append the stages; their output is (B * count, C, 1, 75)."""
    for k, (smaller, stage) in enumerate(zip(net.downsample_layers, net.stages, strict=True)):
        assert isinstance(smaller, torch.nn.Sequential)
        for layer in smaller:
            name = f"smaller{k}.{'conv' if isinstance(layer, torch.nn.Conv2d) else 'norm'}"
            if isinstance(layer, torch.nn.Conv2d):
                x = graph.convolution(x, layer, name)
            else:
                assert isinstance(layer, torch.nn.LayerNorm)
                x = graph.node("Transpose", [x], f"{name}.in", perm=_TO_CHANNELS_LAST)
                x = graph.norm(x, layer, name)
                x = graph.node("Transpose", [x], f"{name}.out", perm=_TO_CHANNELS_FIRST)
        assert isinstance(stage, torch.nn.Sequential)
        for j, block in enumerate(stage):
            assert isinstance(block, Block)
            x = _block(graph, block, x, f"stage{k}.{j}")
    return x


def _block(graph: Graph, block: Block, x: str, name: str) -> str:
    """Append a block; its factors by channel become part of its last layer."""
    y = graph.convolution(x, block.dwconv, f"{name}.around")
    y = graph.node("Transpose", [y], f"{name}.in", perm=_TO_CHANNELS_LAST)
    y = graph.norm(y, block.norm, f"{name}.norm")
    y = graph.linear(y, block.pwconv1.weight, block.pwconv1.bias, f"{name}.wide")
    y = graph.gelu(y, f"{name}.gelu")
    weight = block.gamma[:, None] * block.pwconv2.weight
    y = graph.linear(y, weight, block.gamma * block.pwconv2.bias, f"{name}.narrow")
    y = graph.node("Transpose", [y], f"{name}.out", perm=_TO_CHANNELS_FIRST)
    return graph.node("Add", [x, y], name)


def _transformer(graph: Graph, net: Transformer, maps: str) -> str:
    """Append the transformer; its output is (B * count, 75, width)."""
    x = graph.convolution(maps, net.patch_embed.proj, "embed")
    x = graph.node("Squeeze", [x, graph.integers(2)], "embed.rows")
    x = graph.node("Transpose", [x], "embed.columns", perm=[0, 2, 1])
    x = graph.node("Add", [x, graph.weight("places.w", to_array(net.pos_embed))], "placed")
    for k, layer in enumerate(net.blocks):
        assert isinstance(layer, Layer)
        y = graph.norm(x, layer.norm1, f"layer{k}.norm1")
        y = _attention(graph, layer.attn, y, f"layer{k}.attention")
        x = graph.node("Add", [x, y], f"layer{k}.seen")
        y = graph.norm(x, layer.norm2, f"layer{k}.norm2")
        y = graph.linear(y, layer.mlp.fc1.weight, layer.mlp.fc1.bias, f"layer{k}.wide")
        y = graph.gelu(y, f"layer{k}.gelu")
        y = graph.linear(y, layer.mlp.fc2.weight, layer.mlp.fc2.bias, f"layer{k}.narrow")
        x = graph.node("Add", [x, y], f"layer{k}")
    return graph.norm(x, net.norm, "last_norm")


def _attention(graph: Graph, layer: Attention, x: str, name: str) -> str:
    """Append an attention; the scale of its products becomes part of the queries."""
    width = layer.proj.in_features
    size = width // layer.heads
    split = graph.integers(0, 0, layer.heads, size)
    parts: list[str] = []
    for part, perm, factor in (
        ("query", [0, 2, 1, 3], size**-0.5),
        ("key", [0, 2, 3, 1], 1.0),
        ("value", [0, 2, 1, 3], 1.0),
    ):
        rows = slice(len(parts) * width, (len(parts) + 1) * width)
        weight, bias = factor * layer.qkv.weight[rows], factor * layer.qkv.bias[rows]
        y = graph.linear(x, weight, bias, f"{name}.{part}")
        y = graph.node("Reshape", [y, split], f"{name}.{part}.split")
        parts.append(graph.node("Transpose", [y], f"{name}.{part}.heads", perm=perm))
    query, key, value = parts
    y = graph.node("MatMul", [query, key], f"{name}.products")
    y = graph.node("Softmax", [y], f"{name}.shares", axis=-1)
    y = graph.node("MatMul", [y, value], f"{name}.mixed")
    y = graph.node("Transpose", [y], f"{name}.columns", perm=[0, 2, 1, 3])
    y = graph.node("Reshape", [y, graph.integers(0, 0, width)], f"{name}.joined")
    return graph.linear(y, layer.proj.weight, layer.proj.bias, name)


def _join(graph: Graph, columns: str, count: str, width: int) -> str:
    """Join (B * count, 75, width) to lines of 63 count + 12; see `join_pieces`."""
    sizes = [graph.integers(-1), count, graph.integers(PIECE), graph.integers(width)]
    shape = graph.node("Concat", sizes, "by_line.shape", axis=0)
    x = graph.node("Reshape", [columns, shape], "by_line")  # (B, count, 75, width)
    parts = []
    for name, first, last in (
        ("head", (0, 0), (1, SEAM)),
        ("inner", (0, SEAM), (_END, SEAM + STEP)),
        ("tail", (-1, SEAM + STEP), (_END, PIECE)),
    ):
        names = [x, graph.integers(*first), graph.integers(*last), graph.integers(1, 2)]
        y = graph.node("Slice", names, f"{name}.pieces")
        parts.append(graph.node("Reshape", [y, graph.integers(0, -1, width)], name))
    return graph.node("Concat", parts, "joined", axis=1)
