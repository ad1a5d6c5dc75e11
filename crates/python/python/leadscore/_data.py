"""What calls are given: frames, a config, moments."""

from __future__ import annotations

import datetime
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, TypeAlias, runtime_checkable

from leadscore._native import Data as NativeData
from leadscore._progress import Listener


@runtime_checkable
class Frame(Protocol):
    """A frame of any library that has Arrow streams."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


Config: TypeAlias = str | os.PathLike[str] | Mapping[str, Any]
"""A config: the path of a `leadscore.toml`, or its content as a mapping; tables that are given as frames need no `path`."""

Moment: TypeAlias = str | datetime.date | float
"""A moment: a date, a time, or its text; in a flat export a value of `order_by`."""


def open_project(
    config: Config,
    leads: Frame | None,
    activities: Mapping[str, Frame] | None,
    outcomes: Frame | None,
    lookups: Mapping[str, Frame] | None,
    history: Frame | None,
    for_one: bool = False,
) -> NativeData:
    """The project of a config whose tables stand in memory or in files; for one lead alone, lookups are the only tables."""
    frames: dict[str, object] = {}
    for name, frame in (("leads", leads), ("outcomes", outcomes), ("history", history)):
        if frame is not None:
            frames[name] = frame
    for group, tables in (("activities", activities), ("lookups", lookups)):
        if tables is not None and not isinstance(tables, Mapping):
            raise TypeError(f"`{group}` is a {type(tables).__name__}, expected a mapping from the names in the config to frames")
        for name, frame in (tables or {}).items():
            frames[f"{group}.{name}"] = frame
    if isinstance(config, Mapping):
        return NativeData.from_json(Listener(), json.dumps(plain(config)), frames, for_one)
    if isinstance(config, (str, os.PathLike)):
        return NativeData.open(Listener(), Path(config), frames, for_one)
    raise TypeError(f"`config` is a {type(config).__name__}, expected the path of a leadscore.toml or a mapping")


def plain(value: Any) -> Any:
    """The value as JSON has it; TOML has no null, so what is None is left out."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (datetime.date, os.PathLike)):
        return moment(value) if isinstance(value, datetime.date) else os.fspath(value)
    return value


def moment(value: Moment | None) -> str | None:
    """The text of a moment."""
    if isinstance(value, datetime.date):
        return value.isoformat()
    return None if value is None else str(value)
