"""The settings of the program: defaults < one file < environment < flags, resolved once.

`load` is called at the edge (the command line, or whoever embeds the service) and its result is
passed down; no other module reads the environment. A wrong or unknown value stops the start.
"""

from __future__ import annotations

import dataclasses
import difflib
import math
import os
import types
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from shizi.core.choices import parse_size
from shizi.core.errors import ConfigError, OptionError
from shizi.core.options import Decoder, Effort
from shizi.core.sections import (
    EngineSettings,
    JobSettings,
    PathSettings,
    ReaderSettings,
    ReleaseSettings,
    RoutingSettings,
    ServerSettings,
    Settings,
    Worker,
)
from shizi.core.telemetry import LogFormat

__all__ = [
    "EngineSettings",
    "JobSettings",
    "Loaded",
    "PathSettings",
    "ReaderSettings",
    "ReleaseSettings",
    "RoutingSettings",
    "ServerSettings",
    "Settings",
    "Worker",
    "find_file",
    "load",
    "text_to_routing",
    "to_environment",
]

FILE_NAME = "shizi.yaml"
FILE_VARIABLE = "SHIZI_CONFIG"
DEFAULT_ORIGIN = "default"
_PREFIX = "SHIZI_"
_ROUTING = "model_routing."
_MASK = "***"


@dataclass(frozen=True, slots=True)
class Loaded:
    """Settings, and where each value came from.

    Attributes:
        settings: resolved and checked.
        origins: by "section.key": "default", "file …", "environment …" or "flag".
    """

    settings: Settings
    origins: Mapping[str, str]

    def rows(self) -> Iterator[tuple[str, Any, str]]:
        """Walk (section.key, value, origin) in the order of the sections; secrets are masked."""
        for name, spec in _known():
            section, key = name.split(".")
            value = getattr(getattr(self.settings, section), key)
            shown = _MASK if value and spec.metadata.get("secret") else value
            yield name, shown, self.origins[name]


@dataclass(frozen=True, slots=True)
class _Given:
    """A value somebody gave, before it is checked."""

    value: object
    origin: str
    from_text: bool = False


def load(
    flags: Mapping[str, object] | None = None,
    *,
    file: Path | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    """Resolve the settings.

    Args:
        flags: values by "section.key"; None where a flag was not given.
        file: the configuration file; without it the one `SHIZI_CONFIG` names, else `shizi.yaml`
            of the working directory where there is one.
        environ: variables by name; the process's own where None.

    Returns:
        The settings with the origin of every value.

    Raises:
        ConfigError: a key is unknown, a value has the wrong type or lies outside its range, or the
            file named cannot be read.
    """
    variables = os.environ if environ is None else environ
    given: dict[str, _Given] = {}
    given |= _from_file(_find_file(file, variables))
    given |= _from_environment(variables)
    given |= {k: _Given(v, "flag") for k, v in (flags or {}).items() if v is not None}
    known = dict(_known())
    for name, value in given.items():
        if name not in known:
            raise _unknown(name, value.origin, known)
    values = {name: _checked(name, known[name], value) for name, value in given.items()}
    origins = {name: given[name].origin if name in given else DEFAULT_ORIGIN for name in known}
    return Loaded(_assemble(values), origins)


def find_file(file: Path | None = None) -> Path | None:
    """Give the settings file that `load` reads; None where there is none."""
    return _find_file(file, os.environ)


def text_to_routing(text: str, origin: str) -> RoutingSettings:
    """Read `model_routing` alone out of a file of settings; what is not given has its default.

    Raises:
        ConfigError: it is no valid YAML, or a value is unknown, of a wrong type or out of range.
    """
    given = _from_text_of_file(text, origin)
    known = {name: spec for name, spec in _known() if name.startswith(_ROUTING)}
    values = {}
    for name, value in given.items():
        if name.startswith(_ROUTING):
            if name not in known:
                raise _unknown(name, value.origin, known)
            values[name] = _checked(name, known[name], value)
    return _assemble(values).model_routing


def to_environment(settings: Settings) -> dict[str, str]:
    """Give the environment in which a process resolves these very settings.

    Returns:
        The process's own variables, with ours in place of those that were there.
    """
    variables = {k: v for k, v in os.environ.items() if not k.startswith(_PREFIX)}
    for name, _ in _known():
        section, key = name.split(".")
        value = getattr(getattr(settings, section), key)
        variables[_PREFIX + name.replace(".", "__").upper()] = "" if value is None else str(value)
    return variables | {FILE_VARIABLE: os.devnull}


def _known() -> Iterator[tuple[str, dataclasses.Field[Any]]]:
    for section, default in _sections().items():
        yield from ((f"{section}.{spec.name}", spec) for spec in fields(default))


def _sections() -> dict[str, Any]:
    defaults = Settings()
    return {spec.name: getattr(defaults, spec.name) for spec in fields(Settings)}


def _assemble(values: Mapping[str, object]) -> Settings:
    sections = {}
    for section, default in _sections().items():
        prefix = section + "."
        changes = {k.removeprefix(prefix): v for k, v in values.items() if k.startswith(prefix)}
        sections[section] = dataclasses.replace(default, **changes)
    return Settings(**sections)


def _find_file(file: Path | None, variables: Mapping[str, str]) -> Path | None:
    if file is not None:
        return file
    if named := variables.get(FILE_VARIABLE):
        return Path(named)
    return Path(FILE_NAME) if Path(FILE_NAME).is_file() else None


def _from_file(file: Path | None) -> dict[str, _Given]:
    if file is None:
        return {}
    try:
        text = file.read_text(encoding="utf-8")
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is no valid YAML") from error
    return _from_text_of_file(text, str(file))


def _from_text_of_file(text: str, origin: str) -> dict[str, _Given]:
    try:
        content = yaml.safe_load(text) or {}
    except yaml.YAMLError as error:
        place = getattr(error, "problem_mark", None)
        line = f" in line {place.line + 1}" if place else ""
        raise ConfigError(f"{origin} is no valid YAML{line}") from error
    given = {}
    for section, keys in _mapping(content, origin).items():
        for key, value in _mapping(keys or {}, f"{origin}: {section}").items():
            given[f"{section}.{key}"] = _Given(value, f"file {origin}")
    return given


def _mapping(content: object, place: str) -> Mapping[object, object]:
    if not isinstance(content, Mapping):
        raise ConfigError(f"{place} must hold names with values")
    return content


def _from_environment(variables: Mapping[str, str]) -> dict[str, _Given]:
    given = {}
    one_underscore = {name.replace(".", "_"): name for name, _ in _known()}
    for variable, text in variables.items():
        name = variable.removeprefix(_PREFIX).lower()
        if not variable.startswith(_PREFIX):
            continue
        if "__" in name:
            origin = f"environment {variable}"
            given[name.replace("__", ".", 1)] = _Given(text, origin, from_text=True)
        elif name in one_underscore:
            right = _PREFIX + one_underscore[name].replace(".", "__").upper()
            raise ConfigError(f"environment {variable} is not read; did you mean {right}?")
    return given


def _unknown(name: str, origin: str, known: Mapping[str, object]) -> ConfigError:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known)}"
    return ConfigError(f"unknown setting {name!r} ({origin}); {hint}")


def _checked(name: str, spec: dataclasses.Field[Any], given: _Given) -> object:
    """Turn a given value into the field's type, within the field's range."""
    kind = _type_of(name)
    value = given.value
    if spec.metadata.get("unit") == "bytes" and isinstance(value, str):
        value = _size(name, given)
    if given.from_text and isinstance(value, str):
        value = _from_text(kind, value)
    if value in (None, "") and _may_be_none(name):
        return None
    if kind is float and type(value) is int:
        value = float(value)
    if kind is Path and isinstance(value, str):
        value = Path(value).expanduser()
    if issubclass(kind, StrEnum) and value in list(kind):
        value = kind(str(value))
    if not (type(value) is kind or (kind is Path and isinstance(value, Path))):
        raise ConfigError(f"{name} is {given.value!r} ({given.origin}), not {_KINDS[kind]}")
    if isinstance(value, int | float) and kind is not bool:
        least = spec.metadata.get("least", 1)
        most = spec.metadata.get("most", math.inf)
        if not least <= value <= most:
            bounds = f"from {least} to {most}" if most < math.inf else f"at least {least}"
            raise ConfigError(f"{name} is {value} ({given.origin}); it must be {bounds}")
    return value


def _size(name: str, given: _Given) -> int:
    try:
        return parse_size(str(given.value))
    except OptionError as error:
        raise ConfigError(f"{name} ({given.origin}): {error.detail}") from error


_KINDS = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    Path: "a path",
    Effort: f"one of {', '.join(Effort)}",
    Decoder: f"one of {', '.join(Decoder)}",
    Worker: f"one of {', '.join(Worker)}",
    LogFormat: f"one of {', '.join(LogFormat)}",
}


_FLAGS = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}


def _from_text(kind: type, text: str) -> object:
    if kind is bool:
        return _FLAGS.get(text.lower(), text)
    if kind not in (int, float):
        return text
    try:
        return kind(text)
    except ValueError:
        return text


def _may_be_none(name: str) -> bool:
    return isinstance(_hint_of(name), types.UnionType)


def _hint_of(name: str) -> object:
    section, key = name.split(".")
    return typing.get_type_hints(type(_sections()[section]))[key]


def _type_of(name: str) -> type:
    """Give a field's type; of `Path | None` the Path."""
    hint = _hint_of(name)
    if isinstance(hint, types.UnionType):
        hint = next(part for part in typing.get_args(hint) if part is not type(None))
    return typing.cast("type", hint)
