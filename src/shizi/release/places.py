"""Opens the places that settings name: of the state, of the lock, of the owner's wishes."""

from __future__ import annotations

from pathlib import Path

from shizi.release.filestore import FileStore
from shizi.release.leadership import FileLeadership, Leadership
from shizi.release.nacos import NacosSource
from shizi.release.routing import ConfigSource, FileSource
from shizi.release.store import ReleaseStore

_REDIS = ("redis://", "rediss://")


def open_store(place: str) -> ReleaseStore:
    """Open the store of a setting `releases.store`.

    Args:
        place: a folder, or the address of a Redis server.

    Raises:
        MissingExtra: the library for it is not installed.
    """
    if place.startswith(_REDIS):
        from shizi.release.redisstore import RedisStore  # noqa: PLC0415 - needs an extra

        return RedisStore(place)
    return FileStore(Path(place).expanduser())


def open_leadership(place: str) -> Leadership:
    """Open the lock that belongs to a store."""
    if place.startswith(_REDIS):
        from shizi.release.redisstore import RedisLeadership  # noqa: PLC0415 - needs an extra

        return RedisLeadership(place)
    return FileLeadership(Path(place).expanduser())


def open_source(place: str, file: Path | None) -> ConfigSource | None:
    """Open the source of a setting `releases.config`.

    Args:
        place: address of a server, or a file; empty for the settings file.
        file: the settings file; None where there is none, and nothing is watched.

    Raises:
        ConfigError: the address is malformed.
        MissingExtra: the library for it is not installed.
    """
    if place.startswith(_REDIS):
        from shizi.release.redisstore import RedisSource  # noqa: PLC0415 - needs an extra

        return RedisSource(place)
    if place.startswith("nacos://"):
        return NacosSource(place)
    if place:
        return FileSource(Path(place).expanduser())
    return FileSource(file) if file else None
