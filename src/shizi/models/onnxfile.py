"""Looks into an ONNX file without running it: are its weights all inside?

A network may name other files its tensors lie in. The runtime would open them wherever they are,
outside the model's folder too, and no digest covers them. The file is Protocol Buffers; only the
few fields on the way to a tensor are followed, so that no package is needed for it.
"""

from __future__ import annotations

from collections.abc import Iterator

from shizi.core.errors import IncompatibleModel

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_DEEPEST = 64

# By message, the fields that lead to tensors, and the message each holds; numbers of onnx.proto3.
_WAYS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
    "graph": {1: "node", 5: "tensor", 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {
        5: "tensor",
        6: "graph",
        10: "tensor",
        11: "graph",
        22: "sparse",
        23: "sparse",
    },
    "sparse": {1: "tensor", 2: "tensor"},
}
_EXTERNAL_DATA = 13
_DATA_LOCATION = 14


def external_data(model: bytes) -> int:
    """Count the tensors of a network that lie in other files.

    Args:
        model: content of an ONNX file.

    Raises:
        IncompatibleModel: it is no ONNX file, or nested deeper than any network is.
    """
    try:
        return _count(memoryview(model), "model", 0)
    except (IndexError, ValueError) as error:
        raise IncompatibleModel("a model's file is no ONNX file") from error


def _count(data: memoryview, message: str, depth: int) -> int:
    if depth > _DEEPEST:
        raise ValueError("nested too deep")
    if message == "tensor":
        return int(any(_is_external(number, value) for number, value in _fields(data)))
    ways = _WAYS[message]
    return sum(
        _count(value, ways[number], depth + 1)
        for number, value in _fields(data)
        if number in ways and isinstance(value, memoryview)
    )


def _is_external(number: int, value: memoryview | int) -> bool:
    return number == _EXTERNAL_DATA or (number == _DATA_LOCATION and value != 0)


def _fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Walk (number, value) of a message; what has a length is given as its bytes."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            size, at = _varint(data, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise ValueError(f"wire type {kind}")
        if at + size > len(data):
            raise IndexError("cut short")
        if kind == _BYTES:
            yield number, data[at : at + size]
        at += size


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
        if shift > 63:
            raise ValueError("a number is too long")
