"""A convolutional recurrent network for lines of text, trained with CTC.

Shi, Bai and Yao, "An End-to-End Trainable Neural Network for Image-based Sequence Recognition
and Its Application to Scene Text Recognition", TPAMI 2017 (arXiv 1507.05717): convolutions turn
the strip into one feature column every four pixels, a bidirectional LSTM lets the columns see
each other, a linear layer scores every class. The narrow layer before the head is PP-OCRv2's:
with ten thousand classes the head is most of the weights, and 96 inputs carry enough.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

STRIDE = 4


@dataclass(frozen=True, slots=True)
class CrnnDims:
    """Sizes of a CRNN; stored in every checkpoint, so that loading needs nothing else.

    Attributes:
        classes: symbols and the blank.
        widths: channels of the seven convolutions.
        hidden: LSTM units a direction.
        layers: stacked LSTM layers.
        narrow: width of the layer before the head.
        height: rows of the input strip; the convolutions reduce 32 rows to one.
    """

    classes: int
    widths: tuple[int, ...] = (32, 64, 96, 96, 128, 128, 192)
    hidden: int = 128
    layers: int = 1
    narrow: int = 96
    height: int = 32

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild from `to_dict`, as a checkpoint holds it."""
        return cls(**{**values, "widths": tuple(values["widths"])})

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for a checkpoint or a manifest."""
        return asdict(self)


def _conv(inputs: int, outputs: int, kernel: tuple[int, int] = (3, 3)) -> nn.Sequential:
    """Convolution, batch norm, ReLU; the norm's shift makes a bias needless."""
    padding = (1, 1) if kernel == (3, 3) else (0, 0)
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, padding=padding, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class Crnn(nn.Module):
    """Strips of text to class scores.

    Shape: (B, 1, 32, W) float in [-1, 1], W a multiple of 4, to (B, W / 4, classes) logits;
    class 0 is the blank.
    """

    def __init__(self, dims: CrnnDims) -> None:
        super().__init__()
        if dims.height != 32 or len(dims.widths) != 7:
            raise ValueError("this network takes strips of 32 rows and seven widths")
        self.dims = dims
        c1, c2, c3, c4, c5, c6, c7 = dims.widths
        self.cnn = nn.Sequential(
            _conv(1, c1),
            nn.MaxPool2d(2, 2),  # (B, c1, 16, W/2)
            _conv(c1, c2),
            nn.MaxPool2d(2, 2),  # (B, c2, 8, W/4)
            _conv(c2, c3),
            _conv(c3, c4),
            nn.MaxPool2d((2, 1), (2, 1)),  # (B, c4, 4, W/4)
            _conv(c4, c5),
            _conv(c5, c6),
            nn.MaxPool2d((2, 1), (2, 1)),  # (B, c6, 2, W/4)
            _conv(c6, c7, (2, 1)),  # (B, c7, 1, W/4)
        )
        self.rnn = nn.LSTM(
            c7, dims.hidden, num_layers=dims.layers, bidirectional=True, batch_first=True
        )
        self.narrow = nn.Linear(2 * dims.hidden, dims.narrow)
        self.head = nn.Linear(dims.narrow, dims.classes)

    def features(self, strips: Tensor) -> Tensor:
        """Compute what the head scores: (B, W / 4, narrow)."""
        columns = self.cnn(strips).squeeze(2).transpose(1, 2)  # (B, W/4, c7)
        context, _ = self.rnn(columns)  # (B, W/4, 2 * hidden)
        narrow: Tensor = self.narrow(context)
        return narrow

    def forward(self, strips: Tensor) -> Tensor:
        """Score every class at every column; see the class for shapes."""
        logits: Tensor = self.head(self.features(strips))
        return logits


def convolutions(net: Crnn) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
    """Give the convolutions of a network with their norms, from the strip on."""
    pairs = []
    for layer in net.cnn:
        if isinstance(layer, nn.Sequential):
            conv, norm = layer[0], layer[1]
            if not isinstance(conv, nn.Conv2d) or not isinstance(norm, nn.BatchNorm2d):
                raise ValueError("a layer of the network is no convolution with its norm")
            pairs.append((conv, norm))
    return pairs


def count_parameters(net: nn.Module) -> int:
    """Count the trainable numbers of a network."""
    return sum(p.numel() for p in net.parameters() if p.requires_grad)


def save_checkpoint(net: Crnn, symbols: tuple[str, ...]) -> dict[str, Any]:
    """Give the dictionary that `load_checkpoint` takes: dims, symbols, fp32 state."""
    state = {key: value.detach().cpu().clone() for key, value in net.state_dict().items()}
    return {"dims": net.dims.to_dict(), "symbols": list(symbols), "state": state}


def load_checkpoint(content: dict[str, Any]) -> tuple[Crnn, tuple[str, ...]]:
    """Rebuild a network and its symbols from `save_checkpoint`'s dictionary."""
    net = Crnn(CrnnDims.from_dict(content["dims"]))
    net.load_state_dict(content["state"])
    return net, tuple(content["symbols"])


def warm_start(
    net: Crnn, symbols: tuple[str, ...], state: dict[str, Tensor], old_symbols: tuple[str, ...]
) -> int:
    """Take over the weights of a trained network with another charset.

    Layers of equal shape are copied; rows of the head are copied symbol by symbol, and a symbol
    the old network did not know starts at the mean of all rows, which is neither likely nor
    absurd.

    Args:
        net: changed in place.
        symbols: of `net`.
        state: state dict of the old network, same dims but for the classes.
        old_symbols: of the old network.

    Returns:
        How many symbols were taken over.
    """
    old = {key: value.float() for key, value in state.items()}
    head_weight, head_bias = old.pop("head.weight"), old.pop("head.bias")
    missing, unexpected = net.load_state_dict(old, strict=False)
    if unexpected or set(missing) != {"head.weight", "head.bias"}:
        raise ValueError(f"the checkpoint does not fit: {missing} missing, {unexpected} unknown")
    index = {symbol: k for k, symbol in enumerate(old_symbols, start=1)}
    with torch.no_grad():
        # Unknown symbols start lower than the known: they have no evidence yet.
        net.head.weight.copy_(head_weight.mean(0, keepdim=True).expand_as(net.head.weight))
        net.head.bias.fill_(float(head_bias[1:].mean()) - 2.0)
        net.head.weight[0], net.head.bias[0] = head_weight[0], head_bias[0]
        known = [(k, index[s]) for k, s in enumerate(symbols, start=1) if s in index]
        for new, was in known:
            net.head.weight[new], net.head.bias[new] = head_weight[was], head_bias[was]
    return len(known)
