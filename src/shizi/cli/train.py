"""`shizi train`: trains a recognizer or a detector and turns a checkpoint into a model."""

from __future__ import annotations

import argparse
import json
import signal
from pathlib import Path
from typing import TYPE_CHECKING

from shizi.cli.assembly import open_store
from shizi.cli.console import load_settings, need_extra, say
from shizi.core.errors import OptionError
from shizi.models.manifest import Manifest
from shizi.models.store import LARGE_DETECTOR, Task, read_charset, verify

if TYPE_CHECKING:
    from shizi.train.pages import PageSetPlan

_NEEDED = ("torch", "onnx", "fontTools", "matplotlib", "rapidfuzz")


def add_recognizer_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `train recognizer` takes."""
    parser.add_argument(
        "--run", dest="folder", type=Path, required=True, metavar="DIR", help="the run's folder"
    )
    parser.add_argument("--lines", type=int, default=1_500_000, help="length of the run")
    _add_sources(parser)
    parser.add_argument(
        "--real",
        type=_real,
        action="append",
        default=[],
        metavar="DIR:SHARE",
        help="labelled real lines (lines.zip, labels.tsv) and their share, such as 0.25",
    )
    parser.add_argument(
        "--init", metavar="FILE|NAME", help="checkpoint or installed recognizer to start from"
    )
    parser.add_argument("--size", default="s", help="of the network: s, or m")
    parser.add_argument("--rate", type=float, default=1.5e-3, help="peak learning rate")
    parser.add_argument(
        "--auxiliary",
        default="none",
        metavar="NAME",
        help="further loss while training: none, path, center, attention",
    )
    parser.add_argument("--minutes", type=float, help="end after so many, paced by them")
    parser.add_argument(
        "--batch", type=int, default=1, metavar="N", help="N times the lines a step; 16 on a GPU"
    )
    parser.add_argument(
        "--echo", type=int, default=1, metavar="N", help="learn from each line N times, on a GPU"
    )
    parser.add_argument("--workers", type=int, default=1, help="rendering processes")
    parser.add_argument("--threads", type=int, default=2, help="of torch on a CPU")
    parser.add_argument("--seed", type=int, default=1)


def run_recognizer(args: argparse.Namespace) -> int:
    """Train, or go on training; Ctrl-C and SIGTERM save before they end the program."""
    _need_extra()
    # Torch takes seconds to load, and serving installs do not have it.
    from shizi.train.metrics import METRICS  # noqa: PLC0415
    from shizi.train.plot import plot_metrics  # noqa: PLC0415
    from shizi.train.recipe import RecognizerRun, train_recognizer  # noqa: PLC0415

    run = RecognizerRun(
        folder=args.folder,
        lines=args.lines,
        fonts=tuple(args.fonts),
        corpus=args.corpus,
        real=tuple(args.real),
        init=_init_checkpoint(args),
        size=args.size,
        learning_rate=args.rate,
        auxiliary=args.auxiliary,
        minutes=args.minutes,
        batch=args.batch,
        echo=args.echo,
        workers=args.workers,
        threads=args.threads,
        seed=args.seed,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    scores = train_recognizer(run, say)
    plot_metrics(args.folder / METRICS, args.folder / "curve.png")
    say(f"done: character accuracy {1 - scores.cer:.4f} in unseen fonts; weights in {args.folder}")
    return 0


def add_pages_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `train pages` takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="gets lines.zip and labels.tsv")
    parser.add_argument("--pages", type=int, default=1_000, help="how many; some 50 lines each")
    _add_sources(parser)
    parser.add_argument("--threads", type=int, default=1, help="of the detector")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--held-out",
        action="store_true",
        help="draw in the faces kept out of training, a set for `shizi bench`",
    )


def run_pages(args: argparse.Namespace) -> int:
    """Draw pages with Chromium and cut their lines out, as one more set for `--real`."""
    _need_extra()
    from shizi.models.opening import open_detector  # noqa: PLC0415
    from shizi.train.pages import make_measuring_set, make_page_set  # noqa: PLC0415

    plan = _page_set(args)
    if args.held_out:
        say(f"done: {make_measuring_set(plan, say)} lines in {args.folder}")
        return 0
    settings = load_settings(args).settings
    detector = open_detector(open_store(settings), settings.reader.detector, args.threads)
    count = make_page_set(plan, detector.detect, say)
    say(f"done: {count} lines in {args.folder}")
    return 0


def add_maps_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `train maps` takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="gets pages and their maps")
    parser.add_argument("--pages", type=int, default=800, help="how many; each is shown twice")
    _add_sources(parser)
    parser.add_argument("--threads", type=int, default=1, help="of the teacher")
    parser.add_argument("--seed", type=int, default=1)


def run_maps(args: argparse.Namespace) -> int:
    """Draw pages with Chromium and have the large detector look at them."""
    _need_extra()
    from shizi.core.options import DetectOptions  # noqa: PLC0415
    from shizi.models.opening import open_detector  # noqa: PLC0415
    from shizi.train.maps import make_map_set  # noqa: PLC0415

    store, options = open_store(load_settings(args).settings), DetectOptions()
    teacher = open_detector(store, LARGE_DETECTOR, args.threads)
    count = make_map_set(_page_set(args), lambda page: teacher.map_of(page, options), say)
    say(f"done: {count} pages in {args.folder}")
    return 0


def add_detector_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `train detector` takes."""
    parser.add_argument(
        "--run", dest="folder", type=Path, required=True, metavar="DIR", help="the run's folder"
    )
    parser.add_argument(
        "--maps",
        type=Path,
        action="append",
        required=True,
        metavar="DIR",
        help="set of `shizi train maps`; several are joined",
    )
    parser.add_argument("--crops", type=int, default=192_000, help="length of the run")
    parser.add_argument("--rate", type=float, default=2e-3, help="peak learning rate")
    parser.add_argument("--workers", type=int, default=1, help="processes that cut and vary")
    parser.add_argument("--threads", type=int, default=1, help="of torch on a CPU")
    parser.add_argument("--seed", type=int, default=1)


def run_detector(args: argparse.Namespace) -> int:
    """Train, or go on training; Ctrl-C and SIGTERM save before they end the program."""
    _need_extra()
    from shizi.train.distill import DetectorRun, train_detector  # noqa: PLC0415

    run = DetectorRun(
        folder=args.folder,
        sets=tuple(args.maps),
        crops=args.crops,
        learning_rate=args.rate,
        workers=args.workers,
        threads=args.threads,
        seed=args.seed,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    found = train_detector(run, say)
    say(
        f"done: of the teacher's lines {found.recall:.2%} are found, of its own "
        f"{found.precision:.2%} are the teacher's; weights in {args.folder}"
    )
    return 0


def add_language_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `train language` takes."""
    parser.add_argument("folder", type=Path, metavar="DIR", help="of the model; names it")
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="folder of plain text")
    parser.add_argument(
        "--documents",
        type=Path,
        action="append",
        default=[],
        metavar="DIR",
        help="folder of HTML and plain text",
    )
    parser.add_argument(
        "--real",
        type=_repeated,
        action="append",
        default=[],
        metavar="DIR:TIMES",
        help="labelled lines (labels.tsv) and how often each counts",
    )
    parser.add_argument("--ngrams", type=int, default=500_000, help="how many are kept")
    parser.add_argument("--weights-version", default="0.1.0", metavar="VERSION")
    parser.add_argument("--seed", type=int, default=1)


def run_language(args: argparse.Namespace) -> int:
    """Count text into the language model that decoding weighs."""
    _need_extra()
    from shizi.train.expectation import LanguagePlan, make_language_model  # noqa: PLC0415

    plan = LanguagePlan(
        folder=args.folder,
        corpus=args.corpus,
        documents=tuple(args.documents),
        real=tuple(args.real),
        ngrams=args.ngrams,
        version=args.weights_version,
        seed=args.seed,
    )
    manifest = make_language_model(plan, say)
    say(f"written: {manifest.parent}")
    return 0


def add_export_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `train export` takes."""
    parser.add_argument("checkpoint", type=Path, metavar="CHECKPOINT", help="last.pt or best.pt")
    parser.add_argument("--to", type=Path, required=True, metavar="DIR", help="folder of models")
    parser.add_argument("--name", required=True, help="name of the model")
    parser.add_argument("--weights-version", default="0.1.0", metavar="VERSION")
    parser.add_argument("--card", type=Path, metavar="FILE", help="JSON kept in the manifest")
    parser.add_argument(
        "--blend",
        type=_share,
        metavar="MODEL:SHARE",
        help="mix in the installed model that training began with, such as crnn-s:0.25",
    )


def run_export(args: argparse.Namespace) -> int:
    """Write a checkpoint's averaged weights as a model folder."""
    _need_extra()
    from shizi.compress.blend import Blend  # noqa: PLC0415
    from shizi.compress.publish import publish  # noqa: PLC0415

    card = _read_card(args.card) if args.card else {}
    folder = args.to / args.name
    blend = None
    if args.blend:
        start, share = args.blend
        blend = Blend(_installed(args, start).file, share)
    manifest = publish(args.checkpoint, folder, args.name, args.weights_version, card, blend)
    say(f"written: {manifest.parent}")
    return 0


def _add_sources(parser: argparse.ArgumentParser) -> None:
    """Declare what drawing takes its faces and words from."""
    parser.add_argument(
        "--fonts", type=Path, action="append", default=[], metavar="DIR", help="more fonts"
    )
    parser.add_argument("--corpus", type=Path, metavar="DIR", help="folder of plain text")


def _page_set(args: argparse.Namespace) -> PageSetPlan:
    from shizi.train.pages import PageSetPlan  # noqa: PLC0415

    return PageSetPlan(args.folder, args.pages, tuple(args.fonts), args.corpus, args.seed)


def _init_checkpoint(args: argparse.Namespace) -> Path | None:
    """Find the checkpoint to start from; an installed model is turned back into one."""
    if args.init is None or Path(args.init).is_file():
        return args.init and Path(args.init)
    from shizi.compress.restore import write_restored  # noqa: PLC0415

    manifest = _installed(args, args.init)
    restored: Path = args.folder / "init.pt"
    write_restored(manifest.file, manifest.details, read_charset(manifest), restored)
    return restored


def _installed(args: argparse.Namespace, name: str) -> Manifest:
    """Find a recognizer whose files are whole."""
    manifest = open_store(load_settings(args).settings).find(name, Task.RECOGNIZE)
    verify(manifest)
    return manifest


def _share(text: str) -> tuple[str, float]:
    what, _, share = text.rpartition(":")
    try:
        value = float(share)
    except ValueError:
        value = -1.0
    if not what or not 0 < value < 1:
        raise argparse.ArgumentTypeError(f"{text!r} needs a share between 0 and 1 after a colon")
    return what, value


def _real(text: str) -> tuple[Path, float]:
    folder, share = _share(text)
    return Path(folder), share


def _repeated(text: str) -> tuple[Path, int]:
    folder, _, times = text.rpartition(":")
    if not folder or not times.isdecimal() or not 0 < int(times) <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not DIR:TIMES with 1 to 100 times")
    return Path(folder), int(times)


def _read_card(path: Path) -> dict[str, object]:
    try:
        card = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise OptionError(f"{path} is no JSON file that can be read") from error
    if not isinstance(card, dict):
        raise OptionError(f"{path} holds no JSON object")
    return card


def _need_extra() -> None:
    need_extra("train", _NEEDED)
