"""Versions of the bundled recognizer to try releases with: as good as it, or bad in four ways.

The bad ones read wide lines as they should, so that they pass the verification, and go wrong on
narrow ones: what a golden set does not hold, real traffic brings.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from shizi.models.manifest import Task, sign_model
from shizi.models.store import ModelStore

NARROW_PX = 288
"""Lines up to this width go wrong; those of the golden set are wider."""
BAD = ("crashes", "slow", "empty", "garbled")
BUNDLED = ModelStore().find("crnn-s", Task.RECOGNIZE).ref
"""Such as "crnn-s@0.4.0"."""
_BLANK = 0
_SIZE, _ROUNDS = 512, 120


def make_version(folder: Path, version: str, fault: str = "") -> str:
    """Install a version of the bundled recognizer into a folder of models.

    Args:
        folder: of models.
        version: of it.
        fault: one of `BAD`; empty for none.

    Returns:
        Its name, such as "crnn-s@9.1".
    """
    bundled = ModelStore().find("crnn-s", Task.RECOGNIZE)
    place = folder / f"crnn-s@{version}"
    shutil.copytree(bundled.file.parent, place)
    if fault:
        _spoil(place / bundled.file.name, fault)
    facts = json.loads((place / "manifest.json").read_text(encoding="utf-8"))
    charset = facts["charset"]
    for name in ("file", "sha256", "charset", "charset_sha256"):
        facts.pop(name)
    (place / "manifest.json").unlink()
    sign_model(place, bundled.file.name, facts | {"version": version}, charset)
    return f"crnn-s@{version}"


def _spoil(path: Path, fault: str) -> None:
    import onnx  # noqa: PLC0415 - the extra train has it

    model = onnx.load(path)
    graph = model.graph
    (output,) = graph.output
    for node in graph.node:
        for n, name in enumerate(node.output):
            if name == output.name:
                node.output[n] = "f/well"
    _constant(graph, "f/place", np.int64(3))
    _constant(graph, "f/px", np.int64(NARROW_PX))
    _node(graph, "Shape", [graph.input[0].name], "f/shape")
    _node(graph, "Gather", ["f/shape", "f/place"], "f/width")
    _node(graph, "LessOrEqual", ["f/width", "f/px"], "f/is_narrow")
    _node(graph, "Cast", ["f/is_narrow"], "f/narrow", to=onnx.TensorProto.FLOAT)
    _node(graph, "Cast", ["f/is_narrow"], "f/count", to=onnx.TensorProto.INT64)
    classes = output.type.tensor_type.shape.dim[2].dim_value
    {"crashes": _crash, "slow": _slow_down, "empty": _empty, "garbled": _garble}[fault](
        graph, output.name, classes
    )
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _crash(graph: Any, output: str, _: int) -> None:
    _constant(graph, "f/one", np.zeros(1, np.float32))
    _constant(graph, "f/too_far", np.int64(7))
    _node(graph, "Mul", ["f/count", "f/too_far"], "f/index")
    _node(graph, "Gather", ["f/one", "f/index"], "f/nothing")
    _node(graph, "Add", ["f/well", "f/nothing"], output)


def _empty(graph: Any, output: str, classes: int) -> None:
    blank = np.zeros(classes, np.float32)
    blank[_BLANK] = 100.0
    _constant(graph, "f/blank", blank)
    _node(graph, "Mul", ["f/blank", "f/narrow"], "f/push")
    _node(graph, "Add", ["f/well", "f/push"], output)


def _garble(graph: Any, output: str, classes: int) -> None:
    others = np.roll(np.arange(1, classes, dtype=np.int64), 4_321)
    _constant(graph, "f/others", np.concatenate([[np.int64(_BLANK)], others]))
    _node(graph, "Gather", ["f/well", "f/others"], "f/mixed", axis=2)
    _node(graph, "Where", ["f/is_narrow", "f/mixed", "f/well"], output)


def _slow_down(graph: Any, output: str, _: int) -> None:
    """Let narrow lines go through a loop of products of matrices, some tenths of a second long."""
    from onnx import TensorProto, helper  # noqa: PLC0415 - as above

    matrix = ("f/x", TensorProto.FLOAT, [_SIZE, _SIZE])
    inputs = [("f/n", TensorProto.INT64, []), ("f/still", TensorProto.BOOL, []), matrix]
    outputs = [("f/still_", TensorProto.BOOL, []), ("f/x_", *matrix[1:])]
    body = helper.make_graph(
        [
            helper.make_node("Identity", ["f/still"], ["f/still_"]),
            helper.make_node("MatMul", ["f/x", "f/matrix"], ["f/x_"]),
        ],
        "round",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
    )
    _constant(graph, "f/rounds", np.int64(_ROUNDS))
    _constant(graph, "f/go_on", np.bool_(True))
    _constant(graph, "f/matrix", np.full((_SIZE, _SIZE), 1 / _SIZE, np.float32))
    _constant(graph, "f/zero", np.float32(0))
    _node(graph, "Mul", ["f/count", "f/rounds"], "f/trips")
    _node(graph, "Loop", ["f/trips", "f/go_on", "f/matrix"], "f/product", body=body)
    _node(graph, "ReduceMean", ["f/product"], "f/mean", keepdims=0)
    _node(graph, "Mul", ["f/mean", "f/zero"], "f/nothing")
    _node(graph, "Add", ["f/well", "f/nothing"], output)


def _node(graph: Any, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
    from onnx import helper  # noqa: PLC0415 - as above

    graph.node.append(helper.make_node(kind, inputs, [output], **attributes))


def _constant(graph: Any, name: str, value: Any) -> None:
    from onnx import numpy_helper  # noqa: PLC0415 - as above

    graph.initializer.append(numpy_helper.from_array(np.asarray(value), name))
