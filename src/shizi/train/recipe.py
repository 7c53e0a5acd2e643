"""The recipe of the bundled recognizer: one function from a few choices to a whole run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from shizi.core.errors import ConfigError
from shizi.nets.crnn import CrnnDims
from shizi.text.charset import standard_charset
from shizi.train.loop import Trainer, TrainOptions
from shizi.train.stream import DataRecipe
from shizi.train.validate import Scores

SYSTEM_FONTS = ("/usr/share/fonts", "/usr/share/texmf/fonts/opentype")


# Two sizes of one network: for two milliseconds a line of 320 pixels on two cores, and for five.
SIZES = {
    "s": CrnnDims(classes=0),
    "m": CrnnDims(
        classes=0, widths=(48, 96, 144, 144, 192, 192, 288), hidden=192, layers=1, narrow=128
    ),
}


# What two cores like of a step; large batches need larger chunks, or most would be cut short.
_CHUNK_LINES = 3_000
_BATCH_COLUMNS = 20_480
_BATCH_LINES = 160
_WARMUP_LINES = 20_000


@dataclass(frozen=True, slots=True)
class RecognizerRun:
    """What a user chooses of a training run.

    Attributes:
        folder: holds the checkpoints; a folder with a checkpoint is gone on with.
        lines: length of the run; the schedule is stretched to it.
        fonts: folders of fonts beside the system's.
        corpus: folder of plain text; its `chars_level*.txt` join the charset.
        real: (folder, share) of labelled real lines.
        init: checkpoint to start from; the curriculum is then left out. A narrower network grows.
        size: of the network, a name of `SIZES`.
        learning_rate: at the peak.
        auxiliary: further loss while training, a name of `auxiliary.AUXILIARIES`.
        minutes: the run ends after so many at the latest; its schedule is paced by them.
        batch: times as many lines in a step as two cores like; a GPU likes sixteen.
        echo: how often each line is learned from; for a GPU that learns faster than cores render.
        workers: rendering processes.
        threads: of torch.
        seed: of everything.
    """

    folder: Path
    lines: int = 1_500_000
    fonts: tuple[Path, ...] = ()
    corpus: Path | None = None
    real: tuple[tuple[Path, float], ...] = ()
    init: Path | None = None
    size: str = "s"
    learning_rate: float = 1.5e-3
    auxiliary: str = "none"
    minutes: float | None = None
    batch: int = 1
    echo: int = 1
    workers: int = 1
    threads: int = 2
    seed: int = 1


def data_recipe(run: RecognizerRun) -> DataRecipe:
    """Turn a user's choices into the plan of the data.

    Raises:
        ConfigError: a folder named does not exist, the real shares exceed 0.9, or a number is
            below 1.
    """
    named = [*run.fonts, *(folder for folder, _ in run.real)]
    for folder in [*named, *([run.corpus] if run.corpus else [])]:
        if not folder.is_dir():
            raise ConfigError(f"{folder} is not a folder")
    if min(run.lines, run.workers, run.threads, run.batch, run.echo) < 1:
        raise ConfigError("lines, batch, echo, workers and threads of a run are 1 at least")
    if run.minutes is not None and not run.minutes > 0:
        raise ConfigError("a run takes more than no minutes")
    if sum(share for _, share in run.real) > 0.9:
        raise ConfigError("the shares of real lines may sum to 0.9 at most")
    return DataRecipe(
        symbols=standard_charset(level_symbols(run.corpus)).symbols,
        fonts=(*SYSTEM_FONTS, *map(str, run.fonts)),
        font_cache=str(run.folder / "font-coverage.json"),
        corpus=str(run.corpus) if run.corpus else None,
        real=tuple((str(folder), share) for folder, share in run.real),
        total_lines=run.lines,
        curriculum=0.0 if run.init else 0.25,
        chunk_lines=_CHUNK_LINES * max(1, run.batch // 4),
        batch_columns=_BATCH_COLUMNS * run.batch,
        max_lines=_BATCH_LINES * run.batch,
        seed=run.seed,
    )


def level_symbols(corpus: Path | None) -> list[str]:
    """Read the characters a corpus lists as standard, in `chars_level*.txt`."""
    levels = sorted(corpus.glob("chars_level*.txt")) if corpus else []
    return [c for path in levels for c in path.read_text(encoding="utf-8").split()]


def train_recognizer(run: RecognizerRun, report: Callable[[str], None]) -> Scores:
    """Train, or go on training, a recognizer.

    Args:
        run: what to train and where.
        report: takes a JSON line every few minutes.

    Returns:
        The averaged weights' scores on rendered lines in fonts kept out of training.

    Raises:
        ConfigError: the choices do not fit together.
    """
    return make_trainer(run, data_recipe(run)).run(report)


def make_trainer(run: RecognizerRun, recipe: DataRecipe, ema_decay: float = 0.999) -> Trainer:
    """Set a run up.

    Args:
        run: what to train and where.
        recipe: of its lines; runs side by side share one.
        ema_decay: of the averaged weights, a step; short runs with large steps want less.

    Raises:
        ConfigError: there is no such size or further loss.
    """
    if run.size not in SIZES:
        raise ConfigError(f"there is no size {run.size!r}; there are {', '.join(SIZES)}")
    options = TrainOptions(
        learning_rate=run.learning_rate,
        auxiliary=run.auxiliary,
        echo=run.echo,
        most_s=run.minutes and 60 * run.minutes,
        warmup_lines=_WARMUP_LINES * run.batch,
        workers=run.workers,
        ema_decay=ema_decay,
        threads=run.threads,
    )
    dims = replace(SIZES[run.size], classes=len(recipe.symbols) + 1)
    return Trainer(run.folder, recipe, options, dims, run.init)
