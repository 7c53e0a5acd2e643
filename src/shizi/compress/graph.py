"""Writes ONNX graphs node by node; knows layers, but no network."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from shizi.text.charset import Charset

OPSET = 17
IR_VERSION = 8
INPUT = "strips"
OUTPUT = "logits"


@dataclass(frozen=True, slots=True)
class Intake:
    """A first node that makes grey of colored strips, as a network from elsewhere takes it.

    Attributes:
        weights: of blue, green and red in [-1, 1].
        offset: added to their sum.
    """

    weights: tuple[float, float, float]
    offset: float


@dataclass(frozen=True, slots=True)
class Facts:
    """What a graph tells of itself.

    Attributes:
        name: of the model.
        charset: symbols of its classes.
        dims: sizes of the network.
        stride: columns of pixels a column of scores.
        planes: of a strip: 1 for grey, 3 for colors.
    """

    name: str
    charset: Charset
    dims: dict[str, Any]
    stride: int
    planes: int


@dataclass(frozen=True, slots=True)
class Port:
    """What a graph takes or gives.

    Attributes:
        name: of the array.
        shape: its sides, float32; one that may differ has a name.
    """

    name: str
    shape: tuple[str | int, ...]


class Graph:
    """Collects nodes and weights; each call appends one node and names its output."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.weights: list[onnx.TensorProto] = []
        self._constants: set[str] = set()

    def weight(self, name: str, value: NDArray[np.generic]) -> str:
        """Store an array under a name of its own."""
        self.weights.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def integers(self, *values: int) -> str:
        """Store a list of integers, as shapes and axes are; the same list once."""
        return self._constant("list_" + "_".join(map(str, values)), np.array(values, np.int64))

    def number(self, value: float) -> str:
        """Store a number; the same number once."""
        return self._constant(f"number_{value!r}", np.array(value, np.float32))

    def scales(self, *values: float) -> str:
        """Store a list of numbers, as a resize takes it; the same list once."""
        name = "scales_" + "_".join(map(repr, values))
        return self._constant(name, np.array(values, np.float32))

    def _constant(self, name: str, value: NDArray[np.generic]) -> str:
        if name not in self._constants:
            self._constants.add(name)
            self.weight(name, value)
        return name

    def node(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        """Append one node."""
        self.nodes.append(helper.make_node(kind, inputs, [output], name=output, **attributes))
        return output

    def linear(self, x: str, weight: Tensor, bias: Tensor, name: str) -> str:
        """Append a linear layer; the weight is (outputs, inputs), as torch has it."""
        x = self.node(
            "MatMul", [x, self.weight(f"{name}.w", to_array(weight.T))], f"{name}.product"
        )
        return self.node("Add", [x, self.weight(f"{name}.b", to_array(bias))], name)

    def norm(self, x: str, layer: nn.LayerNorm, name: str) -> str:
        """Append a layer norm over the last axis."""
        weight = self.weight(f"{name}.w", to_array(layer.weight))
        bias = self.weight(f"{name}.b", to_array(layer.bias))
        return self.node("LayerNormalization", [x, weight, bias], name, axis=-1, epsilon=layer.eps)

    def gelu(self, x: str, name: str) -> str:
        """Append the exact GELU, x (1 + erf(x / √2)) / 2, as the runtime fuses it."""
        y = self.node("Div", [x, self.number(math.sqrt(2))], f"{name}.scaled")
        y = self.node("Erf", [y], f"{name}.erf")
        y = self.node("Add", [y, self.number(1.0)], f"{name}.share")
        y = self.node("Mul", [x, y], f"{name}.twice")
        return self.node("Mul", [y, self.number(0.5)], name)

    def convolution(self, x: str, layer: nn.Conv2d, name: str) -> str:
        """Append a convolution as it stands."""
        assert layer.bias is not None
        return self.convolve(x, layer, to_array(layer.weight), to_array(layer.bias), name)

    def convolve(
        self,
        x: str,
        layer: nn.Conv2d,
        weight: NDArray[np.float32],
        bias: NDArray[np.float32],
        name: str,
    ) -> str:
        """Append a convolution of a layer's form with weights and biases of its own."""
        assert isinstance(layer.padding, tuple)
        return self.node(
            "Conv",
            [x, self.weight(f"{name}.w", weight), self.weight(f"{name}.b", bias)],
            name,
            kernel_shape=list(layer.kernel_size),
            strides=list(layer.stride),
            pads=[*layer.padding, *layer.padding],
            group=layer.groups,
        )

    def take_in(self, intake: Intake | None) -> str:
        """Give the strips as the network takes them."""
        if intake is None:
            return INPUT
        weight = np.array(intake.weights, np.float32).reshape(1, 3, 1, 1)
        bias = np.array([intake.offset], np.float32)
        names = [INPUT, self.weight("intake.w", weight), self.weight("intake.b", bias)]
        return self.node("Conv", names, "grey", kernel_shape=[1, 1])

    def finish(self, facts: Facts) -> onnx.ModelProto:
        """Give the model: `strips` (B, planes, 32, W) to `logits` (B, T, classes), float32.

        Its metadata hold the name, the stride, the dims and the charset's digest.
        """
        metadata = {
            "stride": str(facts.stride),
            "dims": str(facts.dims),
            "charset_sha256": facts.charset.sha256,
        }
        taken = Port(INPUT, ("B", facts.planes, 32, "W"))
        given = Port(OUTPUT, ("B", "T", len(facts.charset)))
        return self.model(facts.name, taken, given, metadata)

    def model(
        self, name: str, taken: Port, given: Port, metadata: dict[str, str]
    ) -> onnx.ModelProto:
        """Give the model of the nodes so far; its metadata hold the name as well."""
        inputs, outputs = (
            [helper.make_tensor_value_info(port.name, TensorProto.FLOAT, list(port.shape))]
            for port in (taken, given)
        )
        body = helper.make_graph(self.nodes, name, inputs, outputs, self.weights)
        opsets = [helper.make_opsetid("", OPSET)]
        model = helper.make_model(body, opset_imports=opsets, producer_name="shizi")
        model.ir_version = IR_VERSION
        helper.set_model_props(model, {"name": name, **metadata})
        onnx.checker.check_model(model, full_check=True)
        return model


def to_array(weight: Tensor) -> NDArray[np.float32]:
    """Give a weight as it is stored in a file."""
    array: NDArray[np.float32] = weight.detach().to(torch.float32).cpu().numpy()
    return array
