"""A small convolutional network that marks the core of every line of text on a grey page.

Liao, Wan, Yao, Chen and Bai, "Real-time Scene Text Detection with Differentiable Binarization",
AAAI 2020 (arXiv 1911.08947): a map of probabilities whose connected regions are lines, shrunk away
from their neighbours. The features come down a pyramid (Lin and others, "Feature Pyramid Networks
for Object Detection", CVPR 2017), with sums in place of joins; the last layer gives sixteen values
for a patch of four by four pixels, put in their places (Shi and others, "Real-Time Single Image
and Video Super-Resolution Using an Efficient Sub-Pixel Convolutional Neural Network", CVPR 2016),
so that nothing but the first layer runs at half of the page's scale. Serving brings text to some
18 pixels first, which is why five scales are enough.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from torch import Tensor, nn
from torch.nn import functional

#: Sides of the input are multiples of this.
STRIDE = 32
PATCH = 4


@dataclass(frozen=True, slots=True)
class DbDims:
    """Sizes of a DbNet; stored in every checkpoint, so that loading needs nothing else.

    Attributes:
        widths: channels at strides 2, 4, 8, 16 and 32; multiples of 16 run fastest.
        depths: further convolutions at strides 8, 16 and 32.
        neck: channels that come down the pyramid to stride 8.
        head: channels at stride 4, from which the map is made.
    """

    widths: tuple[int, ...] = (16, 32, 48, 96, 128)
    depths: tuple[int, ...] = (2, 3, 3)
    neck: int = 48
    head: int = 32

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Self:
        """Rebuild from `to_dict`, as a checkpoint holds it."""
        lists = {name: tuple(values[name]) for name in ("widths", "depths")}
        return cls(**{**values, **lists})

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for a checkpoint or a manifest."""
        return asdict(self)


def _conv(
    inputs: int, outputs: int, kernel: int = 3, stride: int = 1, groups: int = 1
) -> nn.Module:
    """Convolution and batch norm; the norm's shift makes a bias needless."""
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
    )


class Stage(nn.Module):
    """Halves the scale, then adds to what it sees what further convolutions make of it."""

    def __init__(self, inputs: int, outputs: int, depth: int) -> None:
        super().__init__()
        self.down = _conv(inputs, outputs, stride=2)
        self.more = nn.ModuleList([_conv(outputs, outputs) for _ in range(depth)])

    def forward(self, x: Tensor) -> Tensor:
        """(B, inputs, H, W) to (B, outputs, H / 2, W / 2)."""
        x = functional.relu(self.down(x))
        for layer in self.more:
            x = functional.relu(x + layer(x))
        return x


class DbNet(nn.Module):
    """Grey pages to maps of where lines of text are.

    Shape: (B, 1, H, W) float in [-1, 1], sides multiples of 32, to (B, 1, H, W) logits of the
    probability that a pixel is in the core of a line.
    """

    def __init__(self, dims: DbDims) -> None:
        super().__init__()
        if len(dims.widths) != 5 or len(dims.depths) != 3:
            raise ValueError("this network takes five widths and three depths")
        self.dims = dims
        c2, c4, c8, c16, c32 = dims.widths
        self.first = _conv(1, c2, stride=2)
        self.second = _conv(c2, c4, stride=2)
        self.spread = _conv(c4, c4, groups=c4)
        self.mix = _conv(c4, c4, kernel=1)
        self.stage8 = Stage(c4, c8, dims.depths[0])
        self.stage16 = Stage(c8, c16, dims.depths[1])
        self.stage32 = Stage(c16, c32, dims.depths[2])
        self.side4 = _conv(c4, dims.head, kernel=1)
        self.side8 = _conv(c8, dims.neck, kernel=1)
        self.side16 = _conv(c16, dims.neck, kernel=1)
        self.side32 = _conv(c32, dims.neck, kernel=1)
        self.narrow = _conv(dims.neck, dims.head)
        self.smooth = _conv(dims.head, dims.head)
        self.patches = nn.Conv2d(dims.head, PATCH * PATCH, 1)

    def forward(self, pages: Tensor) -> Tensor:
        """Give the logits of the map; see the class for shapes."""
        x4 = functional.relu(self.second(functional.relu(self.first(pages))))
        x4 = functional.relu(self.mix(functional.relu(self.spread(x4))))
        x8 = self.stage8(x4)
        x16 = self.stage16(x8)
        x16, x8 = (
            functional.relu(self.side16(x16) + _twice(self.side32(self.stage32(x16)))),
            self.side8(x8),
        )
        x8 = functional.relu(x8 + _twice(x16))
        x4 = functional.relu(self.side4(x4) + _twice(self.narrow(x8)))
        return functional.pixel_shuffle(self.patches(functional.relu(self.smooth(x4))), PATCH)


def _twice(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


def save_detector(net: DbNet) -> dict[str, Any]:
    """Give the dictionary that `load_detector` takes: dims and fp32 state."""
    state = {key: value.detach().cpu().clone() for key, value in net.state_dict().items()}
    return {"dims": net.dims.to_dict(), "state": state}


def load_detector(content: dict[str, Any]) -> DbNet:
    """Rebuild a network from `save_detector`'s dictionary."""
    net = DbNet(DbDims.from_dict(content["dims"]))
    net.load_state_dict(content["state"])
    return net
