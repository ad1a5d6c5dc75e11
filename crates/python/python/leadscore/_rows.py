"""Rows of a table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from leadscore._native import Table


def rows(table: Table) -> Iterator[tuple[Any, ...]]:
    """The rows, each a named tuple, which is what `pandas.DataFrame` takes with its names: columns may be called as no attribute can be."""
    names = tuple(table.columns)
    places = {name: place for place, name in enumerate(names)}

    class Row(tuple[Any, ...]):
        __slots__ = ()
        _fields = names

        def __getattr__(self, name: str) -> Any:
            if name not in places:
                raise AttributeError(f"the row has no column `{name}`")
            return self[places[name]]

        def _asdict(self) -> dict[str, Any]:
            return dict(zip(names, self, strict=True))

        def __repr__(self) -> str:
            return f"Row({', '.join(f'{name}={value!r}' for name, value in self._asdict().items())})"

    return map(Row, zip(*(table[name] for name in names), strict=True))
