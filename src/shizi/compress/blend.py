"""Mixes a network's weights with those of the one that its training began with.

Wortsman et al., "Robust fine-tuning of zero-shot models", CVPR 2022 (WiSE-FT): what was trained on
gains where it was trained and loses elsewhere; between both lies what keeps the old and has the
new, as long as one began where the other ended.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from shizi.core.errors import IncompatibleModel, OptionError


@dataclass(frozen=True, slots=True)
class Blend:
    """What is mixed in.

    Attributes:
        model: the ONNX file that training began with, as `compress/onnx.py` writes it.
        share: of its weights in the result, above 0 and below 1.
    """

    model: Path
    share: float


def blend_models(model: onnx.ModelProto, blend: Blend) -> onnx.ModelProto:
    """Give the model with weights between its own and the other's.

    Raises:
        IncompatibleModel: the other is another network, has other symbols, or is no model.
        OptionError: the share is not between 0 and 1.
    """
    if not 0 < blend.share < 1:
        raise OptionError(f"a share of {blend.share} cannot be mixed in; give one between 0 and 1")
    try:
        other = onnx.load_model(str(blend.model))
    except Exception as error:
        raise IncompatibleModel(f"{blend.model} is no model that can be mixed in") from error
    if _shape(model) != _shape(other):
        raise IncompatibleModel(
            f"{blend.model} is another network or has other symbols: its weights cannot be mixed in"
        )
    mixed = onnx.ModelProto()
    mixed.CopyFrom(model)
    theirs = {weight.name: numpy_helper.to_array(weight) for weight in other.graph.initializer}
    for weight in mixed.graph.initializer:
        own = numpy_helper.to_array(weight)
        if own.dtype == np.float32:
            value = (1 - blend.share) * own + blend.share * theirs[weight.name]
            weight.CopyFrom(numpy_helper.from_array(value.astype(np.float32), weight.name))
    return mixed


def _shape(model: onnx.ModelProto) -> tuple[object, ...]:
    """Give what two models share whose weights mean the same."""
    weights = {w.name: (w.data_type, tuple(w.dims)) for w in model.graph.initializer}
    facts = {fact.key: fact.value for fact in model.metadata_props if fact.key != "name"}
    return weights, facts
