"""What calls are given: frames, a config, moments."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Callable, Mapping
from inspect import Parameter, cleandoc, signature
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, TypedDict, TypeVar, runtime_checkable

if TYPE_CHECKING:
    from leadscore._data import Data


@runtime_checkable
class Frame(Protocol):
    """A frame of any library that has Arrow streams."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object: ...


Config: TypeAlias = str | os.PathLike[str] | Mapping[str, Any]
"""A config: the path of a `leadscore.toml`, or its content as a mapping; tables that are given as frames need no `path`."""

Moment: TypeAlias = str | datetime.date | float
"""A moment: a date, a time, or its text; for undated data a value of `order_by`."""


Dialect: TypeAlias = Literal["duckdb", "postgres", "snowflake", "bigquery", "spark", "sqlite"]
"""A dialect of SQL."""


class Tables(TypedDict, total=False):
    """
    data : Data, optional
        A config with its tables, in place of a config and frames.
    config : path or mapping
        The path of a ``leadscore.toml``, or its content as a mapping, such as
        ``{"leads": {"id": "lead_id", "created_at": "created_at"}, "outcomes": {…}}``.
    leads, outcomes, history, merges, deleted : frame, optional
        Tables in memory; others are read from the ``path`` that the config gives them.
    activities, lookups, links : mapping from name to frame, optional
        The same for the tables that the config names under ``activities``, ``lookups`` and ``links``.
    as_of : moment, optional
        The tables as they were known at this moment: see `Data.as_of`.
    """

    data: Data | None
    config: Config
    leads: Frame | None
    activities: Mapping[str, Frame] | None
    outcomes: Frame | None
    lookups: Mapping[str, Frame] | None
    history: Frame | None
    links: Mapping[str, Frame] | None
    merges: Frame | None
    deleted: Frame | None
    as_of: Moment | None


_Function = TypeVar("_Function", bound=Callable[..., Any])
_SECTION = re.compile(r"^(\w+)\n-+\n", flags=re.MULTILINE)


def over_tables(method: Callable[..., Any]) -> Callable[[_Function], _Function]:
    """A function that takes `Tables`, and calls this method of `Data` on them: the method's documentation is the function's, too."""

    def document(function: _Function) -> _Function:
        own = signature(function)
        named = [parameter for parameter in own.parameters.values() if parameter.kind is not Parameter.VAR_KEYWORD]
        tables = [
            Parameter(name, Parameter.KEYWORD_ONLY, default="leadscore.toml" if name == "config" else None, annotation=annotation.__forward_arg__)
            for name, annotation in Tables.__annotations__.items()
        ]
        function.__signature__ = own.replace(parameters=[*named, *tables])  # type: ignore[attr-defined]
        function.__doc__ = _documentation(method, own.parameters)
        return function

    return document


def _documentation(method: Callable[..., Any], parameters: Mapping[str, Parameter]) -> str:
    """What the method's says, of these parameters and of `Tables`."""
    about, *sections = _SECTION.split(cleandoc(method.__doc__ or ""))
    texts = {title: text.strip("\n") for title, text in zip(sections[::2], sections[1::2], strict=True)}
    entries = re.split(r"\n(?=\S)", texts.pop("Parameters", ""))
    kept = [entry for entry in entries if any(name.strip() in parameters for name in entry.split(" : ")[0].split(","))]
    texts = {"Parameters": "\n".join([*kept, cleandoc(Tables.__doc__ or "")]), **texts}
    return "\n\n".join([about.strip("\n"), *(f"{title}\n{'-' * len(title)}\n{text}" for title, text in texts.items())])


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
