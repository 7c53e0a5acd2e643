"""The weights of two recognizers that ModelScope publishes, in networks of this program.

Its ConvNextViT has the modules of `nets.convnext` under the same names. Its CRNN is `nets.crnn` but
for what can be written into other weights without changing any score: biases of convolutions
before a norm, and a linear layer between two recurrent ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor

from shizi.core.errors import IncompatibleModel
from shizi.nets.convnext import ConvNextDims, ConvNextVit
from shizi.nets.crnn import Crnn, CrnnDims

State = Mapping[str, Tensor]
Shapes = dict[str, tuple[int, ...]]

# What training on several GPUs and fine-tuning put before, or into, the names of weights.
_WRAPPERS = ("recognizer.", "module.")
# Of a file whose head has no rows: the published ones have so many.
_CLASSES = 7644
# Differences that a refusal names; the rest are counted.
_NAMED = 6


class Family(StrEnum):
    """A kind of network that ModelScope publishes."""

    CRNN = "CRNN"
    CONVNEXT_VIT = "ConvNextViT"


# Where each convolution is there, where its norm is, and where both are in `Crnn.cnn`.
_CONVOLUTIONS = (
    ("conv0.0", "conv0.1", 0, (64, 1, 3, 3)),
    ("conv1.0", "conv1.1", 2, (128, 64, 3, 3)),
    ("conv2.0", "conv2.1", 4, (256, 128, 3, 3)),
    ("conv2.3", "conv2.4", 5, (256, 256, 3, 3)),
    ("conv3.0", "conv3.1", 7, (512, 256, 3, 3)),
    ("conv3.3", "conv3.4", 8, (512, 512, 3, 3)),
    ("conv4.0", "conv4.1", 10, (512, 512, 2, 1)),
)
_NORM = ("weight", "bias", "running_mean", "running_var")
_HIDDEN = 256
# Inputs of each recurrent layer there, and outputs of the linear layer after it.
_RECURRENT = ((512, 256), (256, 512))
_HEADS = {Family.CRNN: "cls.weight", Family.CONVNEXT_VIT: "vitstr.head.weight"}


@dataclass(frozen=True, slots=True)
class Weights:
    """The weights of a checkpoint whose every name and shape was looked at.

    Attributes:
        family: whose they are.
        state: by the names that ModelScope's own network gives them, float32.
    """

    family: Family
    state: dict[str, Tensor]

    @property
    def classes(self) -> int:
        """How many classes the head scores, the blank included."""
        return len(self.state[_HEADS[self.family]])


def check_weights(content: object) -> Weights:
    """Tell whose weights a checkpoint holds.

    Args:
        content: what the file held: tensors by name, at will with `recognizer.` or `module.`
            in their names.

    Raises:
        IncompatibleModel: they are no recognizer's of these, or not all of them; the message names
            what is missing, what is too much, and shapes that differ.
    """
    state = _unwrapped(content)
    wanted = {family: _shapes(family, _classes(family, state)) for family in Family}
    family = max(Family, key=lambda family: len(state.keys() & wanted[family].keys()))
    if not state.keys() & wanted[family].keys():
        names = ", ".join(sorted(state)[:3])
        raise IncompatibleModel(f"weights of neither {' nor '.join(Family)}: {names}, …")
    if wrong := _differences(state, wanted[family]):
        raise IncompatibleModel(f"no whole {family}: {'; '.join(wrong)}")
    kept = {name: state[name].float() for name in wanted[family]}
    if broken := [name for name, value in kept.items() if not bool(torch.isfinite(value).all())]:
        raise IncompatibleModel(f"{_some(broken)} of this {family} hold no finite numbers")
    return Weights(family, kept)


def build_network(weights: Weights, kept: list[int]) -> Crnn | ConvNextVit:
    """Give the network that scores as ModelScope's does.

    Args:
        weights: of the checkpoint.
        kept: classes it scores, in the order they will have; the blank is the first.

    Returns:
        A network in evaluation mode that takes strips of grey in [0, 1].
    """
    net: Crnn | ConvNextVit
    if weights.family is Family.CRNN:
        widths = tuple(shape[0] for *_, shape in _CONVOLUTIONS)
        dims = CrnnDims(len(kept), widths, _HIDDEN, len(_RECURRENT), narrow=_RECURRENT[-1][1])
        net, state = Crnn(dims), _crnn_state(weights.state, kept)
    else:
        net, state = ConvNextVit(ConvNextDims(len(kept))), dict(weights.state)
        for part in ("weight", "bias"):
            state[f"vitstr.head.{part}"] = state[f"vitstr.head.{part}"][kept]
    net.load_state_dict(state)
    return net.eval()


def _unwrapped(content: object) -> dict[str, Tensor]:
    """Take wrappers off the names, and leave out what no network computes with."""
    if not isinstance(content, Mapping) or not content:
        raise IncompatibleModel("a checkpoint holds weights by name; this one does not")
    state: dict[str, Tensor] = {}
    for name, value in content.items():
        if not isinstance(name, str) or not isinstance(value, Tensor):
            raise IncompatibleModel(f"a checkpoint holds weights by name; {name!r} is no weight")
        for wrapper in _WRAPPERS:
            name = name.replace(wrapper, "")  # noqa: PLW2901 - the name without its wrappers
        # A counter of training, and a token of the transformer that nothing looks at.
        if name.endswith(".num_batches_tracked") or name == "vitstr.cls_token":
            continue
        if name in state:
            raise IncompatibleModel(f"the checkpoint holds {name} twice")
        state[name] = value
    return state


def _classes(family: Family, state: State) -> int:
    head = state.get(_HEADS[family])
    return len(head) if head is not None and head.ndim > 0 else _CLASSES


def _shapes(family: Family, classes: int) -> Shapes:
    """Give every name and shape of a family's checkpoint."""
    if family is Family.CRNN:
        return _crnn_shapes(classes)
    with torch.device("meta"):  # shapes alone, without memory
        net = ConvNextVit(ConvNextDims(classes))
    return {name: tuple(value.shape) for name, value in net.state_dict().items()}


def _crnn_shapes(classes: int) -> Shapes:
    shapes: Shapes = {"cls.weight": (classes, _RECURRENT[-1][1])}
    for conv, norm, _, shape in _CONVOLUTIONS:
        shapes |= {f"{conv}.weight": shape, f"{conv}.bias": shape[:1]}
        shapes |= {f"{norm}.{part}": shape[:1] for part in _NORM}
    gates = 4 * _HIDDEN
    for layer, (inputs, outputs) in enumerate(_RECURRENT):
        shapes[f"rnn.{layer}.embedding.weight"] = (outputs, 2 * _HIDDEN)
        shapes[f"rnn.{layer}.embedding.bias"] = (outputs,)
        for end in ("", "_reverse"):
            shapes[f"rnn.{layer}.rnn.weight_ih_l0{end}"] = (gates, inputs)
            shapes[f"rnn.{layer}.rnn.weight_hh_l0{end}"] = (gates, _HIDDEN)
            shapes[f"rnn.{layer}.rnn.bias_ih_l0{end}"] = (gates,)
            shapes[f"rnn.{layer}.rnn.bias_hh_l0{end}"] = (gates,)
    return shapes


def _differences(state: State, wanted: Shapes) -> list[str]:
    """Tell what a checkpoint lacks, has too much, or has in another shape."""
    missing, extra = sorted(wanted.keys() - state.keys()), sorted(state.keys() - wanted.keys())
    misshapen = [
        f"{name} is {list(state[name].shape)} instead of {list(shape)}"
        for name, shape in sorted(wanted.items())
        if name in state and tuple(state[name].shape) != shape
    ]
    told = [f"missing {_some(missing)}"] if missing else []
    told += [f"unexpected {_some(extra)}"] if extra else []
    return told + ([_some(misshapen)] if misshapen else [])


def _some(names: list[str]) -> str:
    more = len(names) - _NAMED
    return ", ".join(names[:_NAMED]) + (f" and {more} more" if more > 0 else "")


def _crnn_state(old: State, kept: list[int]) -> dict[str, Tensor]:
    """Write the weights of ModelScope's CRNN into the places of ours.

    Sums and products are taken in double precision: they stand for two layers each.
    """
    new: dict[str, Tensor] = {}
    for conv, norm, place, _ in _CONVOLUTIONS:
        new[f"cnn.{place}.0.weight"] = old[f"{conv}.weight"]
        for part in _NORM:
            new[f"cnn.{place}.1.{part}"] = old[f"{norm}.{part}"]
        # The norm takes the mean away, so that a bias is as well taken off the mean.
        mean = old[f"{norm}.running_mean"].double() - old[f"{conv}.bias"].double()
        new[f"cnn.{place}.1.running_mean"] = mean.float()
        new[f"cnn.{place}.1.num_batches_tracked"] = torch.tensor(0)
    for layer in range(len(_RECURRENT)):
        for end in ("", "_reverse"):
            for part in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                new[f"rnn.{part}_l{layer}{end}"] = old[f"rnn.{layer}.rnn.{part}_l0{end}"]
    # The linear layer after the first recurrent one becomes part of how the second one listens.
    between, offset = (old[f"rnn.0.embedding.{part}"].double() for part in ("weight", "bias"))
    for end in ("", "_reverse"):
        listens = new[f"rnn.weight_ih_l1{end}"].double()
        new[f"rnn.weight_ih_l1{end}"] = (listens @ between).float()
        bias = new[f"rnn.bias_ih_l1{end}"].double() + listens @ offset
        new[f"rnn.bias_ih_l1{end}"] = bias.float()
    for part in ("weight", "bias"):
        new[f"narrow.{part}"] = old[f"rnn.1.embedding.{part}"]
    new["head.weight"] = old["cls.weight"][kept]
    new["head.bias"] = torch.zeros(len(kept))
    return new
