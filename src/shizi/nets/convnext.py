"""A convolutional network and a transformer that read lines piece by piece, with CTC.

Liu et al., "A ConvNet for the 2020s", CVPR 2022 (arXiv 2201.03545) turns a piece of 32 x 300
pixels into 75 columns; Atienza, "Vision Transformer for Fast and Efficient Scene Text
Recognition", ICDAR 2021 (arXiv 2105.08582) lets the columns of a piece see each other. Pieces
overlap by 48 pixels, and near a seam the columns of the piece that sees further count.

Modules are named as in the checkpoints that ModelScope publishes of such networks, so that those
load as they are.
"""

from __future__ import annotations

import itertools
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 4
HEIGHT = 32
# Pixels of a piece, and from one piece to the next.
PIECE_PX = 300
STEP_PX = 252
# The same in columns, and those that a piece leaves to its neighbour at each seam.
PIECE = PIECE_PX // STRIDE
STEP = STEP_PX // STRIDE
SEAM = (PIECE - STEP) // 2
EPSILON = 1e-6
_SHRINK = (2, 1)


@dataclass(frozen=True, slots=True)
class ConvNextDims:
    """Sizes of the network; the defaults are those of ModelScope's.

    Attributes:
        classes: symbols and the blank.
        widths: channels of the four stages.
        depths: blocks of each.
        width: of the transformer.
        layers: of the transformer.
        heads: of its attention; they share the width.
    """

    classes: int
    widths: tuple[int, int, int, int] = (96, 192, 256, 512)
    depths: tuple[int, int, int, int] = (3, 3, 8, 3)
    width: int = 192
    layers: int = 12
    heads: int = 3

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for a manifest."""
        return asdict(self)


class ChannelNorm(nn.LayerNorm):
    """Layer norm over the channels of (B, C, H, W)."""

    def forward(self, maps: Tensor) -> Tensor:
        """Norm every place for itself."""
        return super().forward(maps.permute(0, 2, 3, 1)).permute(0, 3, 1, 2)


class Block(nn.Module):
    """One block of a stage: each channel looks around, then each place thinks."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.full((width,), 1e-6))
        self.dwconv = nn.Conv2d(width, width, 7, padding=3, groups=width)
        self.norm = nn.LayerNorm(width, eps=EPSILON)
        self.pwconv1 = nn.Linear(width, 4 * width)
        self.pwconv2 = nn.Linear(4 * width, width)

    def forward(self, maps: Tensor) -> Tensor:
        """Add what the block finds to (B, C, H, W)."""
        places = self.norm(self.dwconv(maps).permute(0, 2, 3, 1))
        found = self.gamma * self.pwconv2(functional.gelu(self.pwconv1(places)))
        out: Tensor = maps + found.permute(0, 3, 1, 2)
        return out


class ConvNext(nn.Module):
    """Pieces to columns: (B, 1, 32, W) in [0, 1] to (B, C, 1, W / 4)."""

    def __init__(self, dims: ConvNextDims) -> None:
        super().__init__()
        first, *_ = widths = dims.widths
        stem = nn.Sequential(nn.Conv2d(1, first, STRIDE, STRIDE), ChannelNorm(first, EPSILON))
        shrinking = [
            nn.Sequential(ChannelNorm(before, EPSILON), nn.Conv2d(before, after, _SHRINK, _SHRINK))
            for before, after in itertools.pairwise(widths)
        ]
        self.downsample_layers = nn.ModuleList([stem, *shrinking])
        self.stages = nn.ModuleList(
            nn.Sequential(*(Block(width) for _ in range(depth)))
            for width, depth in zip(widths, dims.depths, strict=True)
        )

    def forward(self, pieces: Tensor) -> Tensor:
        """Compute the columns; see the class for shapes."""
        maps = pieces
        for smaller, stage in zip(self.downsample_layers, self.stages, strict=True):
            maps = stage(smaller(maps))
        return maps


class Attention(nn.Module):
    """Every column of a piece looks at all of them."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(width, 3 * width)
        self.proj = nn.Linear(width, width)

    def forward(self, columns: Tensor) -> Tensor:
        """Mix (B, T, width)."""
        pieces, length, width = columns.shape
        split = self.qkv(columns).view(pieces, length, 3, self.heads, width // self.heads)
        query, key, value = split.permute(2, 0, 3, 1, 4)
        mixed = functional.scaled_dot_product_attention(query, key, value)
        out: Tensor = self.proj(mixed.transpose(1, 2).reshape(pieces, length, width))
        return out


class Mlp(nn.Module):
    """Every column thinks for itself."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(width, 4 * width)
        self.fc2 = nn.Linear(4 * width, width)

    def forward(self, columns: Tensor) -> Tensor:
        """Change (B, T, width)."""
        out: Tensor = self.fc2(functional.gelu(self.fc1(columns)))
        return out


class Layer(nn.Module):
    """One layer of the transformer."""

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.norm1 = nn.LayerNorm(width, EPSILON)
        self.attn = Attention(width, heads)
        self.norm2 = nn.LayerNorm(width, EPSILON)
        self.mlp = Mlp(width)

    def forward(self, columns: Tensor) -> Tensor:
        """Change (B, T, width)."""
        columns = columns + self.attn(self.norm1(columns))
        out: Tensor = columns + self.mlp(self.norm2(columns))
        return out


class PatchEmbed(nn.Module):
    """The width of the convolutions to that of the transformer."""

    def __init__(self, inputs: int, width: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(inputs, width, 1)

    def forward(self, maps: Tensor) -> Tensor:
        """Turn (B, C, 1, T) into (B, T, width)."""
        out: Tensor = self.proj(maps).squeeze(2).transpose(1, 2)
        return out


class Transformer(nn.Module):
    """The columns of pieces to scores of lines: (B * n, C, 1, 75) to (B, 63 n + 12, classes)."""

    def __init__(self, dims: ConvNextDims) -> None:
        super().__init__()
        self.pos_embed = nn.Parameter(torch.zeros(1, PIECE, dims.width))
        self.patch_embed = PatchEmbed(dims.widths[-1], dims.width)
        self.blocks = nn.ModuleList(Layer(dims.width, dims.heads) for _ in range(dims.layers))
        self.norm = nn.LayerNorm(dims.width, EPSILON)
        self.head = nn.Linear(dims.width, dims.classes)

    def forward(self, maps: Tensor, lines: int) -> Tensor:
        """Score the columns of so many lines, whose pieces follow one another."""
        columns = self.patch_embed(maps) + self.pos_embed
        for block in self.blocks:
            columns = block(columns)
        scores: Tensor = self.head(join_pieces(self.norm(columns), lines))
        return scores


class ConvNextVit(nn.Module):
    """Strips of text to class scores.

    Shape: (B, 1, 32, W) float in [0, 1], W one of 300, 552, 804, …, to (B, W / 4, classes)
    logits; class 0 is the blank.
    """

    def __init__(self, dims: ConvNextDims) -> None:
        super().__init__()
        self.dims = dims
        self.cnn_model = ConvNext(dims)
        self.vitstr = Transformer(dims)

    def forward(self, strips: Tensor) -> Tensor:
        """Score every class at every column; see the class for shapes."""
        pieces = strips.unfold(3, PIECE_PX, STEP_PX).permute(0, 3, 1, 2, 4)
        maps = self.cnn_model(pieces.reshape(-1, 1, HEIGHT, PIECE_PX))
        scores: Tensor = self.vitstr(maps, len(strips))
        return scores


def join_pieces(columns: Tensor, lines: int) -> Tensor:
    """Join the columns of pieces into those of lines, cutting each overlap in its middle.

    Shape: (lines * n, 75, width) to (lines, 63 n + 12, width).
    """
    pieces = columns.view(lines, -1, PIECE, columns.shape[2])
    inner = pieces[:, :, SEAM : SEAM + STEP].flatten(1, 2)
    return torch.cat([pieces[:, 0, :SEAM], inner, pieces[:, -1, SEAM + STEP :]], 1)
