"""Further losses beside CTC's, for training alone: what serves has no part of them.

Each looks at the features before the head and adds to the loss of a step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - torch's own convention
from torch import Tensor, nn

from shizi.core.errors import ConfigError
from shizi.train.loss import Alignment


@dataclass(frozen=True, slots=True)
class Lesson:
    """What a further loss may look at.

    Attributes:
        features: (B, T, D) before the head.
        targets: (B, L) int64 classes, 0 beyond a line's end.
        alignment: of CTC, this step's.
        done: share of the run that is through, in [0, 1].
    """

    features: Tensor
    targets: Tensor
    alignment: Alignment
    done: float


class PathLoss(nn.Module):
    """Cross-entropy with the likeliest class of each column, given the text.

    Zhang et al., "Self-distillation Regularized Connectionist Temporal Classification Loss for
    Text Recognition" (DCTC), AAAI 2024 (arXiv 2308.08806): CTC's gradient fades where a column is
    nearly right, a column-wise loss keeps going.
    """

    def __init__(self, weight: float = 0.2) -> None:
        super().__init__()
        self.weight = weight

    def forward(self, lesson: Lesson) -> Tensor:
        """Give the loss per symbol."""
        found = lesson.alignment
        chosen = found.log_probs.gather(2, found.path.unsqueeze(2)).squeeze(2)  # (T, B)
        lengths = (lesson.targets > 0).sum(1).clamp_min(1)
        return self.weight * -((chosen.sum(0) / lengths) * found.possible).mean()


class CenterLoss(nn.Module):
    """Distance of each symbol's features from the mean of its class; look-alikes move apart.

    Wen et al., "A Discriminative Feature Learning Approach for Deep Face Recognition", ECCV 2016,
    used for CTC by PP-OCRv2 (C-CTC). Centers are only measured at first: a distance from centers
    that mean nothing yet is no help (PaddleOCR's `enhanced_ctc_loss.md`).
    """

    centers: Tensor
    seen: Tensor
    size: Tensor

    def __init__(
        self, classes: int, width: int, weight: float = 0.1, start: float = 0.4, rate: float = 0.1
    ) -> None:
        super().__init__()
        self.weight, self.start, self.rate = weight, start, rate
        self.register_buffer("centers", torch.zeros(classes, width))
        self.register_buffer("seen", torch.zeros(classes, dtype=torch.bool))
        self.register_buffer("size", torch.ones(()))

    def forward(self, lesson: Lesson) -> Tensor:
        """Give the mean squared distance, in shares of the features' own size."""
        found = lesson.alignment
        classes = found.classes.gather(1, found.path.T)  # (B, T)
        inked = (found.path.T > 0) & found.possible.unsqueeze(1)
        features, classes = lesson.features.float()[inked], classes[inked]
        known = self.seen[classes]
        self._measure(features.detach(), classes)
        if lesson.done < self.start or not len(features):
            return lesson.features.new_zeros((), dtype=torch.float32)
        distances = (features - self.centers[classes]).square().sum(1)
        return self.weight * (distances * known).mean() / self.size

    @torch.no_grad()
    def _measure(self, features: Tensor, classes: Tensor) -> None:
        if not len(features):
            return
        self.size.lerp_(features.square().sum(1).mean(), self.rate)
        counts = torch.zeros_like(self.centers[:, 0]).index_add_(
            0, classes, torch.ones_like(features[:, 0])
        )
        sums = torch.zeros_like(self.centers).index_add_(0, classes, features)
        here = counts > 0
        means = sums[here] / counts[here].unsqueeze(1)
        rates = torch.where(self.seen[here], self.rate, 1.0).unsqueeze(1)
        self.centers[here] += rates * (means - self.centers[here])
        self.seen |= here


class AttentionReader(nn.Module):
    """A decoder that reads the same features symbol by symbol, and guides them.

    Hu et al., "GTC: Guided Training of CTC towards Efficient and Accurate Scene Text Recognition",
    AAAI 2020 (arXiv 2002.01276), with one layer of a transformer as PP-OCRv4 has it. It learns on
    its own until it reads, so as not to pull the features anywhere before.
    """

    def __init__(
        self,
        classes: int,
        width: int,
        weight: float = 0.5,
        start: float = 0.1,
        model: int = 192,
        longest: int = 512,
    ) -> None:
        super().__init__()
        self.weight, self.start, self.longest = weight, start, longest
        self.memory = nn.Linear(width, model)
        self.symbols = nn.Embedding(classes, model)  # class 0 begins and ends a text
        self.places = nn.Embedding(2 * longest, model)
        layer = nn.TransformerDecoderLayer(
            model, 4, 4 * model, dropout=0.1, batch_first=True, norm_first=True
        )
        self.decoder = nn.TransformerDecoder(layer, 1, nn.LayerNorm(model))
        nn.init.normal_(self.symbols.weight, std=model**-0.5)
        nn.init.normal_(self.places.weight, std=0.02)

    def forward(self, lesson: Lesson) -> Tensor:
        """Give the mean cross-entropy of the next symbol."""
        features = lesson.features.float()
        features = features if lesson.done >= self.start else features.detach()
        columns = torch.arange(features.shape[1], device=features.device)
        memory = self.memory(features) + self.places(columns.clamp_max(self.longest - 1))
        before = F.pad(lesson.targets, (1, 0))  # (B, L + 1), a beginning first
        length = before.shape[1]
        places = torch.arange(length, device=before.device).clamp_max(self.longest - 1)
        tokens = self.symbols(before) + self.places(self.longest + places)
        mask = nn.Transformer.generate_square_subsequent_mask(length, device=before.device)
        read = self.decoder(tokens, memory, tgt_mask=mask, tgt_is_causal=True)
        after = F.pad(lesson.targets, (0, 1))  # the end is class 0, once
        wanted = torch.where((before > 0) | (places == 0), after, -1)
        kept = wanted >= 0
        scores = F.linear(read[kept], self.symbols.weight)
        return self.weight * F.cross_entropy(scores, wanted[kept])


AUXILIARIES: dict[str, Callable[[int, int], nn.Module | None]] = {
    "none": lambda _, __: None,
    "path": lambda _, __: PathLoss(),
    "center": CenterLoss,
    "attention": AttentionReader,
}


def make_auxiliary(name: str, classes: int, width: int) -> nn.Module | None:
    """Make the further loss of a name, for so many classes and features of this width.

    Raises:
        ConfigError: there is none of this name.
    """
    if name not in AUXILIARIES:
        raise ConfigError(f"there is no further loss {name!r}; there are {', '.join(AUXILIARIES)}")
    return AUXILIARIES[name](classes, width)
