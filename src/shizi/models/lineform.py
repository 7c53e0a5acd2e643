"""How a network takes lines and gives scores, as its manifest may say it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Self

from shizi.core.errors import IncompatibleModel
from shizi.imaging.lines import LINE_HEIGHT, MAX_WIDTH, OUR_CANVAS, Canvas, Scaling

_LARGEST = {"height": 256, "stride": 64, "first": MAX_WIDTH, "step": MAX_WIDTH}


@dataclass(frozen=True, slots=True)
class LineForm:
    """How a network takes lines and gives scores.

    Attributes:
        height: rows of a strip.
        color: whether strips keep their colors.
        stride: columns of pixels a column of scores.
        probabilities: whether the scores are probabilities already.
        scaling: how a crop is brought to that height.
        canvas: the widths it takes.
    """

    height: int = LINE_HEIGHT
    color: bool = False
    stride: int = 4
    probabilities: bool = False
    scaling: Scaling = Scaling.CAREFUL
    canvas: Canvas = OUR_CANVAS

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Rebuild from `to_dict`, as a manifest holds it.

        Raises:
            IncompatibleModel: it is something else.
        """
        try:
            canvas = Canvas(**values["canvas"])
            form = cls(**{**values, "scaling": Scaling(values["scaling"]), "canvas": canvas})
        except (TypeError, KeyError, ValueError) as error:
            raise IncompatibleModel(f"a manifest's form of lines is damaged: {values!r}") from error
        sizes = {"height": form.height, "stride": form.stride}
        sizes |= {"first": canvas.first, "step": canvas.step}
        sound = all(_between(1, n, _LARGEST[name]) for name, n in sizes.items())
        sound &= _between(0, canvas.margin, MAX_WIDTH) and _between(0, canvas.pad, 255)
        if not (sound and isinstance(form.color, bool) and isinstance(form.probabilities, bool)):
            raise IncompatibleModel(f"a manifest's form of lines is impossible: {values!r}")
        return form

    def to_dict(self) -> dict[str, Any]:
        """Give plain values for a manifest."""
        return asdict(self) | {"scaling": self.scaling.value}


def _between(least: int, value: object, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
