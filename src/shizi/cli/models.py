"""The models on this machine: listed, verified, installed, fetched, removed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from shizi.cli.assembly import open_store
from shizi.cli.console import load_settings, say, say_error, table
from shizi.core.config import Settings
from shizi.core.errors import ModelNotFound, OptionError, ShiziError
from shizi.models.manifest import Manifest, Task, split_ref, verify
from shizi.models.store import ModelStore

# What installs, fetches and opens models is loaded by those who do: the other verbs start faster.


def add_verify_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `models verify` takes."""
    parser.add_argument("names", nargs="*", metavar="NAME[@VERSION]", help="default: all")


def add_pull_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `models pull` takes."""
    parser.add_argument(
        "address",
        metavar="ADDRESS",
        help="a folder, a bundle, https://… of either, modelscope:owner/name, "
        "huggingface:owner/name",
    )
    parser.add_argument("--sha256", default="", metavar="DIGEST", help="of the bundle or manifest")
    add_folder_argument(parser)


def add_install_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `models install` takes."""
    parser.add_argument("source", type=Path, metavar="PATH", help="a model's folder, or a bundle")
    add_folder_argument(parser)


def add_remove_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what `models remove` takes."""
    parser.add_argument("ref", metavar="NAME[@VERSION]", help="see `shizi models list`")
    add_folder_argument(parser)


def run_list(args: argparse.Namespace) -> int:
    """List the installed models."""
    manifests = open_store(load_settings(args).settings).manifests()
    if args.json:
        models = [m.to_dict() | m.details for m in manifests]
        sys.stdout.write(json.dumps({"models": models}, ensure_ascii=False, indent=2) + "\n")
        return 0
    rows = [
        (m.name, m.task.value, m.version, f"{m.size_bytes / 1e6:.1f} MB", m.licence, m.source)
        for m in manifests
    ]
    sys.stdout.write(table(rows) if rows else "")
    return 0


def run_verify(args: argparse.Namespace) -> int:
    """Compare model files with their digests; every one is looked at."""
    store = open_store(load_settings(args).settings)
    manifests = store.manifests()
    if args.names:
        manifests = [m for name in args.names for m in _named(store, name)]
    status = 0
    for manifest in manifests:
        try:
            verify(manifest)
        except ShiziError as error:
            say_error(error)
            status = error.exit_status
        else:
            sys.stdout.write(f"{manifest.ref}  ok\n")
    return status


def run_pull(args: argparse.Namespace) -> int:
    """Fetch a model and install it."""
    from shizi.models.opening import try_out  # noqa: PLC0415
    from shizi.models.pull import pull  # noqa: PLC0415

    digest = args.sha256.lower()
    tell_installed(
        pull(args.address, models_folder(args), try_out, sha256=digest, tell=_tell_fetch)
    )
    return 0


def run_install(args: argparse.Namespace) -> int:
    """Install a model that is on this machine."""
    from shizi.models.install import install  # noqa: PLC0415
    from shizi.models.opening import try_out  # noqa: PLC0415

    tell_installed(install(args.source, models_folder(args), try_out))
    return 0


def run_remove(args: argparse.Namespace) -> int:
    """Remove a model, unless it is in use."""
    from shizi.models.install import remove  # noqa: PLC0415

    settings = load_settings(args).settings
    manifest = remove(args.ref, models_folder(args), lambda m: _use(m, settings))
    say(f"removed {manifest.ref}")
    return 0


def add_folder_argument(parser: argparse.ArgumentParser) -> None:
    """Declare `--to`."""
    parser.add_argument(
        "--to", dest="paths.models", metavar="DIR", help="of the models; default: paths.models"
    )


def models_folder(args: argparse.Namespace) -> Path:
    """Give the folder that models are put into.

    Raises:
        OptionError: neither a flag nor a setting names one.
    """
    folder = load_settings(args).settings.paths.models
    if folder is None:
        raise OptionError("no folder of models: give --to, or the setting paths.models")
    return folder


def _named(store: ModelStore, ref: str) -> list[Manifest]:
    """Give all versions of a name, or the one that is named."""
    name, version = split_ref(ref)
    known = store.manifests()
    fitting = [m for m in known if m.name == name and version in ("", m.version)]
    if not fitting:
        raise ModelNotFound(f"no model {ref!r}; installed: {', '.join(m.ref for m in known)}")
    return fitting


def _use(manifest: Manifest, settings: Settings) -> str:
    """Say what a model is used for; empty for nothing."""
    named = {Task.RECOGNIZE: "recognizer", Task.DETECT: "detector"}
    if manifest.task in named:
        setting = named[manifest.task]
        ref: str = getattr(settings.reader, setting)
        if ref in (manifest.name, manifest.ref):
            read_with = open_store(settings).find(ref, manifest.task)
            if read_with.file == manifest.file:
                return f"the setting reader.{setting} names it"
    if settings.releases.store:
        # Only a machine with releases loads what reads their state.
        from shizi.release.places import open_store as open_release_store  # noqa: PLC0415

        document = open_release_store(settings.releases.store).read()
        if document is not None and manifest.ref in document.wanted:
            return f"the service reads with it (release {document.release_id})"
    return ""


def _tell_fetch(url: str) -> None:
    say(f"fetching {url}")


def tell_installed(manifest: Manifest) -> None:
    """Give the name of an installed model, and tell where it is."""
    sys.stdout.write(f"{manifest.ref}\n")
    say(f"installed in {manifest.file.parent}")
