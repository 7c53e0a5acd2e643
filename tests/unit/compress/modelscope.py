"""Checkpoints as ModelScope publishes them, and what its networks compute with them.

Names and shapes are written down here from the published networks, and the computation layer by
layer, so that nothing of `shizi.nets` stands on both sides of a comparison.
"""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

CLASSES = 7644
# One symbol for every class but the blank, in no order of their own; one of them is a space.
VOCABULARY = tuple(" " if k == 40 else chr(0x4E00 + 7 * k % 20_000) for k in range(CLASSES - 1))

State = dict[str, Tensor]

_CRNN_CONVOLUTIONS = {
    "conv0": ((0, 64, 1, (3, 3)),),
    "conv1": ((0, 128, 64, (3, 3)),),
    "conv2": ((0, 256, 128, (3, 3)), (3, 256, 256, (3, 3))),
    "conv3": ((0, 512, 256, (3, 3)), (3, 512, 512, (3, 3))),
    "conv4": ((0, 512, 512, (2, 1)),),
}
_CRNN_POOLS = {"conv0": (2, 2), "conv1": (2, 2), "conv2": (2, 1), "conv3": (2, 1)}
_WIDTHS = (96, 192, 256, 512)
_DEPTHS = (3, 3, 8, 3)


def crnn_shapes(classes: int = CLASSES) -> dict[str, tuple[int, ...]]:
    """List what `cv_crnn_ocr-recognition-general_damo` holds."""
    shapes: dict[str, tuple[int, ...]] = {"cls.weight": (classes, 512)}
    for name, layers in _CRNN_CONVOLUTIONS.items():
        for place, outputs, inputs, kernel in layers:
            shapes[f"{name}.{place}.weight"] = (outputs, inputs, *kernel)
            shapes[f"{name}.{place}.bias"] = (outputs,)
            for part in ("weight", "bias", "running_mean", "running_var"):
                shapes[f"{name}.{place + 1}.{part}"] = (outputs,)
            shapes[f"{name}.{place + 1}.num_batches_tracked"] = ()
    for layer, (inputs, outputs) in enumerate(((512, 256), (256, 512))):
        for end in ("", "_reverse"):
            shapes[f"rnn.{layer}.rnn.weight_ih_l0{end}"] = (1024, inputs)
            shapes[f"rnn.{layer}.rnn.weight_hh_l0{end}"] = (1024, 256)
            shapes[f"rnn.{layer}.rnn.bias_ih_l0{end}"] = (1024,)
            shapes[f"rnn.{layer}.rnn.bias_hh_l0{end}"] = (1024,)
        shapes[f"rnn.{layer}.embedding.weight"] = (outputs, 512)
        shapes[f"rnn.{layer}.embedding.bias"] = (outputs,)
    return shapes


def convnext_shapes(classes: int = CLASSES) -> dict[str, tuple[int, ...]]:
    """List what `cv_convnextTiny_ocr-recognition-general_damo` holds."""
    shapes: dict[str, tuple[int, ...]] = {
        "vitstr.cls_token": (1, 1, 192),
        "vitstr.pos_embed": (1, 75, 192),
    }
    cnn = "cnn_model.downsample_layers"
    layers: dict[str, tuple[int, ...]] = {f"{cnn}.0.0": (96, 1, 4, 4), f"{cnn}.0.1": (96,)}
    for k, (before, after) in enumerate(((96, 192), (192, 256), (256, 512)), 1):
        layers |= {f"{cnn}.{k}.0": (before,), f"{cnn}.{k}.1": (after, before, 2, 1)}
    for k, (width, depth) in enumerate(zip(_WIDTHS, _DEPTHS, strict=True)):
        for j in range(depth):
            block = f"cnn_model.stages.{k}.{j}"
            shapes[f"{block}.gamma"] = (width,)
            layers |= {f"{block}.dwconv": (width, 1, 7, 7), f"{block}.norm": (width,)}
            layers |= {f"{block}.pwconv1": (4 * width, width)}
            layers |= {f"{block}.pwconv2": (width, 4 * width)}
    layers["vitstr.patch_embed.proj"] = (192, 512, 1, 1)
    for k in range(12):
        block = f"vitstr.blocks.{k}"
        layers |= {f"{block}.norm1": (192,), f"{block}.norm2": (192,)}
        layers |= {f"{block}.attn.qkv": (576, 192), f"{block}.attn.proj": (192, 192)}
        layers |= {f"{block}.mlp.fc1": (768, 192), f"{block}.mlp.fc2": (192, 768)}
    layers |= {"vitstr.norm": (192,), "vitstr.head": (classes, 192)}
    for name, shape in layers.items():
        shapes |= {f"{name}.weight": shape, f"{name}.bias": shape[:1]}
    return shapes


def generated(shapes: dict[str, tuple[int, ...]], seed: int = 5) -> State:
    """Give weights of these names and shapes."""
    chance = torch.Generator().manual_seed(seed)
    state: State = {}
    for name, shape in shapes.items():
        noise = torch.randn(shape, generator=chance)
        if name.endswith("num_batches_tracked"):
            state[name] = torch.tensor(1000)
        elif name.endswith("running_var"):
            state[name] = noise.abs() + 0.5
        elif len(shape) > 1 and "_embed" not in name and "token" not in name:
            state[name] = noise / noise[0].numel() ** 0.5
        else:
            alone = len(shape) == 1 and name.endswith("weight")
            state[name] = 0.3 * noise + (1.0 if alone else 0.0)
    return state


@torch.no_grad()
def talkative(state: State) -> State:
    """Change generated weights so that they say something else at nearly every column.

    Norms learn their statistics from a picture, and what all its columns share is taken away before
    the head.
    """
    sample = canvas(picture(1100, seed=99), 804)[..., :640]
    if "cls.weight" in state:
        crnn_scores(state, sample, learn=True)
        seen = crnn_scores(state | {"cls.weight": torch.eye(512)}, sample)
        state["rnn.1.embedding.bias"] -= seen.mean((0, 1))
        state["cls.weight"] *= 4
    else:
        sample = canvas(picture(1100, seed=99), 804)
        state["vitstr.head.bias"] -= convnext_scores(state, sample).mean((0, 1))
    return state


def canvas(picture: NDArray[np.uint8], width: int) -> Tensor:
    """Bring a picture into the form ModelScope's preprocessor gives it: (1, 3, 32, width)."""
    rows, columns = picture.shape[:2]
    scaled = width if columns / rows > width / 32 else int(32 * (columns / rows))
    black = np.zeros((32, width, 3), np.uint8)
    black[:, :scaled] = cv2.resize(picture, (scaled, 32))
    return torch.FloatTensor(black).permute(2, 0, 1)[None] / 255


def grey(colors: Tensor) -> Tensor:
    """Weigh red, green and blue."""
    red, green, blue = colors.split(1, dim=1)
    return red * 0.2989 + green * 0.5870 + blue * 0.1140


def crnn_scores(state: State, colors: Tensor, *, learn: bool = False) -> Tensor:
    """Compute what ModelScope's CRNN gives: (B, 3, 32, W) to (B, W / 4, classes)."""
    x = grey(colors)
    for name, layers in _CRNN_CONVOLUTIONS.items():
        for place, _, _, kernel in layers:
            conv, norm = f"{name}.{place}", f"{name}.{place + 1}"
            stride, padding = ((1, 1), (1, 1)) if kernel == (3, 3) else ((2, 1), (0, 0))
            x = functional.conv2d(
                x, state[f"{conv}.weight"], state[f"{conv}.bias"], stride, padding
            )
            x = functional.batch_norm(
                x,
                state[f"{norm}.running_mean"],
                state[f"{norm}.running_var"],
                state[f"{norm}.weight"],
                state[f"{norm}.bias"],
                training=learn,
                momentum=1.0,
            ).relu()
        if name in _CRNN_POOLS:
            x = functional.max_pool2d(x, _CRNN_POOLS[name], _CRNN_POOLS[name])
    x = x.squeeze(2).permute(2, 0, 1)
    for layer, inputs in enumerate((512, 256)):
        prefix = f"rnn.{layer}.rnn."
        lstm = nn.LSTM(inputs, 256, bidirectional=True)
        lstm.load_state_dict(
            {name.removeprefix(prefix): v for name, v in state.items() if name.startswith(prefix)}
        )
        x = _linear(state, f"rnn.{layer}.embedding", lstm(x)[0])
    return functional.linear(x, state["cls.weight"]).permute(1, 0, 2)


def convnext_scores(state: State, colors: Tensor) -> Tensor:
    """Compute what ModelScope's ConvNextViT gives: (1, 3, 32, 804) to (1, 201, classes)."""
    pieces = torch.cat([colors[..., left : left + 300] for left in (0, 252, 504)])
    x = grey(pieces)
    for k, depth in enumerate(_DEPTHS):
        down = f"cnn_model.downsample_layers.{k}"
        if k == 0:
            x = functional.conv2d(x, state[f"{down}.0.weight"], state[f"{down}.0.bias"], 4)
            x = _channel_norm(state, f"{down}.1", x)
        else:
            x = _channel_norm(state, f"{down}.0", x)
            weight, bias = state[f"{down}.1.weight"], state[f"{down}.1.bias"]
            x = functional.conv2d(x, weight, bias, (2, 1))
        for j in range(depth):
            x = _block(state, f"cnn_model.stages.{k}.{j}", x)
    weight, bias = (state[f"vitstr.patch_embed.proj.{part}"] for part in ("weight", "bias"))
    x = functional.conv2d(x, weight, bias).flatten(2).transpose(1, 2) + state["vitstr.pos_embed"]
    for k in range(12):
        block = f"vitstr.blocks.{k}"
        x = x + _attention(state, f"{block}.attn", _norm(state, f"{block}.norm1", x))
        y = _linear(state, f"{block}.mlp.fc1", _norm(state, f"{block}.norm2", x))
        x = x + _linear(state, f"{block}.mlp.fc2", functional.gelu(y))
    x = _norm(state, "vitstr.norm", x)
    x = torch.cat([x[0, :69], x[1, 6:69], x[2, 6:]])[None]
    return _linear(state, "vitstr.head", x)


def decoded(scores: Tensor, first: int) -> str:
    """Decode one line's scores (T, classes) as ModelScope does, classes numbered from `first`."""
    text, last = "", 0
    for class_id in scores.argmax(1).tolist():
        if class_id not in (last, 0):
            text += VOCABULARY[class_id - first]
        last = class_id
    return text


def save(state: State, folder: Path, vocabulary: tuple[str, ...] = VOCABULARY) -> Path:
    """Write a model's folder as it is downloaded."""
    folder.mkdir()
    torch.save(state, folder / "pytorch_model.pt")
    (folder / "vocab.txt").write_text("".join(f"{s}\n" for s in vocabulary), encoding="utf-8")
    (folder / "configuration.json").write_text('{"framework": "pytorch"}')
    return folder


def picture(columns: int, rows: int = 45, seed: int = 0) -> NDArray[np.uint8]:
    """Draw a line that is nothing but colored spots."""
    chance = np.random.default_rng(seed)
    spots = chance.integers(0, 256, (4, max(2, columns // 11), 3), dtype=np.uint8)
    return np.asarray(cv2.resize(spots, (columns, rows)), np.uint8)


def _linear(state: State, name: str, x: Tensor) -> Tensor:
    return functional.linear(x, state[f"{name}.weight"], state[f"{name}.bias"])


def _norm(state: State, name: str, x: Tensor) -> Tensor:
    weight, bias = state[f"{name}.weight"], state[f"{name}.bias"]
    return functional.layer_norm(x, weight.shape, weight, bias, 1e-6)


def _channel_norm(state: State, name: str, x: Tensor) -> Tensor:
    mean = x.mean(1, keepdim=True)
    spread = torch.sqrt((x - mean).pow(2).mean(1, keepdim=True) + 1e-6)
    weight, bias = (state[f"{name}.{part}"][:, None, None] for part in ("weight", "bias"))
    return weight * (x - mean) / spread + bias


def _block(state: State, name: str, x: Tensor) -> Tensor:
    weight, bias = state[f"{name}.dwconv.weight"], state[f"{name}.dwconv.bias"]
    y = functional.conv2d(x, weight, bias, padding=3, groups=len(weight)).permute(0, 2, 3, 1)
    y = _linear(state, f"{name}.pwconv1", _norm(state, f"{name}.norm", y))
    y = _linear(state, f"{name}.pwconv2", functional.gelu(y)) * state[f"{name}.gamma"]
    return x + y.permute(0, 3, 1, 2)


def _attention(state: State, name: str, x: Tensor) -> Tensor:
    pieces, length, width = x.shape
    query, key, value = (
        part.view(pieces, length, 3, 64).transpose(1, 2)
        for part in _linear(state, f"{name}.qkv", x).split(width, dim=2)
    )
    shares = (query @ key.transpose(2, 3) / 8).softmax(3)
    mixed = (shares @ value).transpose(1, 2).reshape(pieces, length, width)
    return _linear(state, f"{name}.proj", mixed)
