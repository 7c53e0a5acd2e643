"""Gray releases from the command line: begun, watched, moved, reported."""

from __future__ import annotations

import argparse
import getpass
import json
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec

from shizi.cli import assembly
from shizi.cli.console import load_settings, open_output, say, table
from shizi.core.config import Settings
from shizi.core.errors import FileAccessError, OptionError
from shizi.models.store import Task
from shizi.release.desk import Desk, Order, Status
from shizi.release.document import Document, Phase
from shizi.release.places import open_store
from shizi.release.plan import Guards, Plan
from shizi.release.report import draw_report, write_report
from shizi.release.transitions import Event

Declare = Callable[[argparse.ArgumentParser], None]
Run = Callable[[argparse.Namespace], int]

_WATCH_S = 0.5
_PLAN_FLAGS = {
    "step_s": (float, "seconds a step takes at least"),
    "step_requests": (int, "requests the new version answers in a step at least"),
    "shadow_s": (float, "seconds it reads unseen at least"),
    "shadow_requests": (int, "requests it reads unseen at least"),
    "soak_s": (float, "seconds it answers everything before it is promoted"),
    "patience_s": (float, "a step without enough requests is held after so long"),
}
_GUARD_FLAGS = {
    "failure_rate": (float, "failures it may have at most, such as 0.05"),
    "latency_ratio": (float, "its seconds over those of the stable version, at most"),
}


def add_start_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `release start` takes."""
    parser.add_argument("version", metavar="VERSION", help="see `shizi models list`")
    parser.add_argument("--shares", metavar="LIST", help="in %%, default 10,30,60,100")
    for name, (kind, help_) in (_PLAN_FLAGS | _GUARD_FLAGS).items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=kind, dest=name, metavar="N", help=help_
        )
    parser.add_argument(
        "--tester",
        action="append",
        default=[],
        metavar="UNIT",
        help="who meets it whatever the share, such as key:anna",
    )
    parser.add_argument(
        "--exclude", action="append", default=[], metavar="UNIT", help="who never meets it"
    )
    add_change_arguments(parser)


def add_change_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what every change takes."""
    parser.add_argument("--reason", default="", metavar="TEXT", help="goes into the log")
    parser.add_argument("--json", action="store_true", help="write the state as JSON")
    add_store_argument(parser)


def add_hold_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `release hold` takes."""
    parser.add_argument("--share", type=float, metavar="PERCENT", help="and set this share")
    add_change_arguments(parser)


def add_status_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `release status` takes."""
    parser.add_argument("--json", action="store_true", help="write JSON")
    add_store_argument(parser)


def add_report_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `release report` takes."""
    parser.add_argument("-o", "--out", metavar="FILE", help="of the text; default: standard output")
    parser.add_argument("--plot", type=Path, metavar="FILE.svg", help="of the plot")
    add_store_argument(parser)


def add_store_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--store`."""
    parser.add_argument(
        "--store", dest="releases.store", metavar="PLACE", help="a folder, or redis://HOST:PORT/DB"
    )


def run_start(args: argparse.Namespace) -> int:
    """Begin a release."""
    settings = load_settings(args).settings
    models = assembly.open_store(settings)
    canary = models.find(args.version, Task.RECOGNIZE).ref
    stable = models.find(settings.reader.recognizer, Task.RECOGNIZE).ref
    plan, guards = _plan(args), _guards(args)
    testers, excluded = tuple(args.tester), tuple(args.exclude)
    order = Order(canary, stable, args.reason, plan, guards, testers, excluded)
    return _tell(_desk(settings).start(order), args)


def run_status(args: argparse.Namespace) -> int:
    """Show the state of the latest release, its guards and its log."""
    status = _desk(load_settings(args).settings).status()
    if args.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(status)).decode() + "\n")
        return 0
    sys.stdout.write(table(list(_facts(status))))
    if status.memo.readings:
        sys.stdout.write("\n" + table(list(_guard_rows(status))))
    sys.stdout.write("\n" + table(list(_log_rows(status))))
    return 0


def run_watch(args: argparse.Namespace) -> int:
    """Write a line whenever something changes, until the release is over."""
    desk, told = _desk(load_settings(args).settings), ""
    while True:
        status = desk.status()
        line = "  ".join(cell for row in _facts(status) for cell in row[1:])
        if line != told:
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
            told = line
        if status.document.ended:
            return 0 if status.document.phase is Phase.PROMOTED else GATE_STATUS
        time.sleep(_WATCH_S)


GATE_STATUS = 11
"""Exit status of `watch` for a release that was rolled back: it missed a bound."""


def run_hold(args: argparse.Namespace) -> int:
    """Hold the release; with a share, at that one."""
    if args.share is None:
        return _moved(args, Event.HOLD)
    if not 0 <= args.share <= 100:
        raise OptionError(f"--share {args.share:g} is none from 0 to 100")
    return _moved(args, Event.SHARE, round(args.share * 100))


def run_report(args: argparse.Namespace) -> int:
    """Write the comparison of both versions by kind of picture."""
    desk = _desk(load_settings(args).settings)
    status, snapshots = desk.status(), desk.snapshots()
    with open_output(args.out) as out:
        out.write(write_report(status, snapshots).encode())
    if args.plot:
        try:
            args.plot.write_text(draw_report(status.document, snapshots), encoding="utf-8")
        except OSError as error:
            raise FileAccessError(f"{args.plot}: {error.strerror}") from error
    return 0


def _mover(event: Event) -> Run:
    return lambda args: _moved(args, event)


COMMANDS: tuple[tuple[str, str, Declare, Run], ...] = (
    ("start", "begin to release a version", add_start_arguments, run_start),
    ("status", "show how a release is", add_status_arguments, run_status),
    ("watch", "follow a release to its end", add_store_argument, run_watch),
    ("advance", "go to the next step now", add_change_arguments, _mover(Event.ADVANCE)),
    ("hold", "stay where it is, or at a share", add_hold_arguments, run_hold),
    ("resume", "go on after a hold", add_change_arguments, _mover(Event.RESUME)),
    ("promote", "make the new version the stable one", add_change_arguments, _mover(Event.PROMOTE)),
    ("rollback", "end it; the old version answers", add_change_arguments, _mover(Event.ROLL_BACK)),
    ("report", "compare the versions by kind of picture", add_report_arguments, run_report),
)
"""By verb: one line of help, what declares its arguments, what does it."""


def _moved(args: argparse.Namespace, event: Event, share_bp: int = 0) -> int:
    desk = _desk(load_settings(args).settings)
    return _tell(desk.move(event, args.reason, share_bp=share_bp), args)


def _desk(settings: Settings) -> Desk:
    place = settings.releases.store
    if not place:
        raise OptionError("no store of releases: give --store, or the setting releases.store")
    return Desk(open_store(place), getpass.getuser())


def _plan(args: argparse.Namespace) -> Plan:
    given = {name: getattr(args, name) for name in _PLAN_FLAGS if getattr(args, name) is not None}
    try:
        if args.shares:
            shares = tuple(round(float(part) * 100) for part in args.shares.split(","))
            return Plan(shares_bp=shares, **given)
        return Plan(**given)
    except ValueError as error:
        raise OptionError(f"the plan: {error}") from error


def _guards(args: argparse.Namespace) -> Guards:
    given = {name: getattr(args, name) for name in _GUARD_FLAGS if getattr(args, name) is not None}
    try:
        return Guards(**given)
    except ValueError as error:
        raise OptionError(f"the guards: {error}") from error


def _tell(document: Document, args: argparse.Namespace) -> int:
    if args.json:
        sys.stdout.write(json.dumps(msgspec.to_builtins(document), ensure_ascii=False) + "\n")
    say(f"{document.release_id}: {_phase(document)}, share {document.ratio_bp / 100:g} %")
    return 0


def _phase(document: Document) -> str:
    return f"{document.phase} ({document.held})" if document.held else document.phase.value


def _facts(status: Status) -> Iterator[tuple[str, str]]:
    document, memo = status.document, status.memo
    yield "release", document.release_id
    yield "phase", _phase(document)
    yield "share", f"{document.ratio_bp / 100:g} %"
    yield "stable", document.stable
    yield "canary", document.canary
    yield "reason", document.reason
    yield "by", document.actor
    if memo.missing and not document.ended:
        yield "next", memo.missing


def _guard_rows(status: Status) -> Iterator[tuple[str, ...]]:
    for reading in status.memo.readings:
        state = "BROKEN" if reading.broken else "crossed" if reading.crossed else "holds"
        figure = "" if reading.value is None else f"{reading.value:.3g}"
        yield reading.guard.value, state, figure, f"{reading.bound:.3g}", reading.detail


def _log_rows(status: Status) -> Iterator[tuple[str, ...]]:
    for entry in status.entries:
        when = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(entry.at_s))
        share = f"{entry.ratio_bp / 100:g} %"
        yield str(entry.epoch), when, entry.phase.value, share, entry.actor, entry.reason
