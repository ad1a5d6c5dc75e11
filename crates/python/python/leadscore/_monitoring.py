"""What monitoring found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from leadscore import _native
from leadscore._report import Chart, in_notebook


class Monitoring:
    """Whether a model still holds, before and after windows of snapshots have ended.

    A notebook shows the page; ``print`` shows what the command prints.
    """

    def __init__(self, native: _native.Monitoring) -> None:
        self._native = native
        self._found: dict[str, Any] = json.loads(native.json())

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return self._native.text()

    def _repr_html_(self) -> str:
        return in_notebook(self.html(), "Monitoring")

    @property
    def verdict(self) -> str:
        """``ok``, ``watch``, ``alarm`` or ``cannot tell``; the most urgent finding decides."""
        found: str = self._found["verdict"]
        return found

    @property
    def findings(self) -> list[dict[str, Any]]:
        """What was found, most urgent first: each has a ``layer``, its ``urgency``, a sentence (``text``), what to do (``action`` or
        None) and its ``figures``."""
        found: list[dict[str, Any]] = self._found["findings"]
        return found

    @property
    def weeks(self) -> _native.Table:
        """The early read by week: the Monday (``week``), open leads at its start, those won within it, wins that were ``expected``, and
        the ``evidence`` for a change by its end, as a base-10 logarithm. No rows where there is no early read."""
        return self._native.weeks()

    @property
    def threshold(self) -> float | None:
        """The evidence at which there is an alarm, as a base-10 logarithm; None where there is no early read."""
        found: float | None = self._found["threshold"]
        return found

    @property
    def tables(self) -> Mapping[str, _native.Table]:
        """The tables of the page by their title; cells are texts, as the page has them."""
        return dict(self._native.tables())

    @property
    def charts(self) -> Mapping[str, Chart]:
        """The pictures of the page, ``wins`` and ``evidence`` by week; none where there is no early read."""
        return {name: Chart(name, None, svg) for name, svg in self._native.pictures()}

    def html(self) -> str:
        """The page, which opens offline in any browser."""
        return self._native.html()

    def to_dict(self) -> dict[str, Any]:
        """Everything that was found, as the command's JSON has it."""
        found: dict[str, Any] = json.loads(self.to_json())
        return found

    def to_json(self) -> str:
        """The text that ``leadscore monitor --json`` writes."""
        return self._native.json()

    def metrics(self) -> str:
        """Figures in the text format of OpenMetrics, which Prometheus reads from a file."""
        return self._native.metrics()
