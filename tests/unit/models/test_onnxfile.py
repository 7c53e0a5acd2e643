from __future__ import annotations

import pytest

from shizi.core.errors import IncompatibleModel
from shizi.models.onnxfile import external_data
from shizi.models.store import ModelStore
from tests.unit.models.makers import WEIGHTS

onnx = pytest.importorskip("onnx", reason="needs the extra train")


def external(name: str = "w") -> object:
    """Make a tensor that lies in another file."""
    tensor = onnx.helper.make_tensor(name, onnx.TensorProto.FLOAT, [1], [1.0])
    tensor.ClearField("float_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    entry = tensor.external_data.add()
    entry.key, entry.value = "location", "../../etc/passwd"
    return tensor


def model_with(nodes: list[object], tensors: list[object] = [], functions: object = ()) -> bytes:  # noqa: B006
    graph = onnx.helper.make_graph(nodes, "g", [], [], initializer=tensors)
    made = onnx.helper.make_model(graph, functions=list(functions))  # type: ignore[call-overload]
    return bytes(made.SerializeToString())


def node_with(**attributes: object) -> object:
    return onnx.helper.make_node("Any", [], [], **attributes)


def graph_with(nodes: list[object], tensors: list[object] = []) -> object:  # noqa: B006
    return onnx.helper.make_graph(nodes, "inner", [], [], initializer=tensors)


def sparse() -> object:
    indices = onnx.helper.make_tensor("i", onnx.TensorProto.INT64, [1], [0])
    return onnx.helper.make_sparse_tensor(external(), indices, [1])


@pytest.mark.parametrize(
    "model",
    [
        pytest.param(lambda: model_with([], [external()]), id="initializer"),
        pytest.param(lambda: model_with([node_with(value=external())]), id="constant"),
        pytest.param(lambda: model_with([node_with(values=[external()])]), id="tensors"),
        pytest.param(lambda: model_with([node_with(body=graph_with([], [external()]))]), id="loop"),
        pytest.param(
            lambda: model_with([node_with(branches=[graph_with([node_with(v=external())])])]),
            id="branches",
        ),
        pytest.param(lambda: model_with([node_with(value=sparse())]), id="sparse"),
        pytest.param(
            lambda: model_with(
                [],
                functions=[
                    onnx.helper.make_function(
                        "d",
                        "f",
                        [],
                        [],
                        [node_with(v=external())],
                        [onnx.helper.make_opsetid("", 17)],
                    )
                ],
            ),
            id="function",
        ),
    ],
)
def test_a_tensor_in_another_file_is_found_wherever_it_hides(model: object) -> None:
    assert external_data(model()) == 1  # type: ignore[operator]


def test_a_location_without_its_flag_counts_too() -> None:
    tensor = external()
    tensor.data_location = onnx.TensorProto.DEFAULT  # type: ignore[attr-defined]
    assert external_data(model_with([], [tensor])) == 1


def test_the_bundled_networks_hold_all_their_weights() -> None:
    models = [m.file.read_bytes() for m in ModelStore().manifests() if m.file.suffix == ".onnx"]
    assert len(models) >= 3
    assert [external_data(model) for model in models] == [0] * len(models)
    assert external_data(WEIGHTS) == 0


def test_a_network_nested_without_end_is_refused() -> None:
    graph = b""
    for _ in range(30):
        for number in (6, 5, 1):  # a graph in an attribute of a node of a graph
            graph = bytes([number << 3 | 2]) + varint(len(graph)) + graph
    with pytest.raises(IncompatibleModel):
        external_data(bytes([7 << 3 | 2]) + varint(len(graph)) + graph)


def varint(number: int) -> bytes:
    return bytes([number & 0x7F | 0x80]) + varint(number >> 7) if number > 0x7F else bytes([number])


@pytest.mark.parametrize(
    "data", [b"weights", b"\x3a\xff", b"\x3a", b"\xff" * 12, b"\x0b", b"\x39\x01"]
)
def test_what_is_no_protocol_buffer_is_told(data: bytes) -> None:
    with pytest.raises(IncompatibleModel):
        external_data(data)
