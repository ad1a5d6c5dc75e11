"""A model as points."""

from __future__ import annotations

import os
from pathlib import Path

from leadscore import _native
from leadscore._report import in_notebook


class Points:
    """A model as points that any system can add up. ``print`` shows what points of several sizes cost; a notebook shows the page."""

    def __init__(self, native: _native.Points) -> None:
        self._native = native

    def __repr__(self) -> str:
        return f"{self._native.losses_text()}\nmeasured on {self.measured_on}"

    def _repr_html_(self) -> str:
        return in_notebook(self.html, "Points")

    @property
    def losses(self) -> _native.Table:
        """The model, then points of several sizes: ``roc_auc``, ``log_loss`` with points calibrated, and the share of leads that
        stay in their tier."""
        return self._native.losses()

    @property
    def measured_on(self) -> str:
        """Which snapshots the losses are measured on."""
        return self._native.measured_on()

    @property
    def n_rules(self) -> int:
        """Number of rules."""
        return self._native.n_rules()

    @property
    def toml(self) -> str:
        """The rules as a ``rules.toml``, which `Data.rules` and the ``rules`` of `Data.evaluate` read."""
        return self._native.toml()

    @property
    def table(self) -> _native.Table:
        """The rules as a table to type from: feature, meaning, condition, points."""
        return self._native.table()

    @property
    def html(self) -> str:
        """The rules as a page that prints well."""
        return self._native.html()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the points, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            Its ending says the form: ``.toml``, ``.csv`` or ``.html``.
        """
        self._native.save(Path(path))
