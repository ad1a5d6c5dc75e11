"""Reports, explanations and findings."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from leadscore import _native


class Chart:
    """One chart of a report.

    Attributes
    ----------
    name : str
        Such as ``gains``.
    spec : dict or None
        The chart as a Vega-Lite specification that holds its data; None where there is only the picture.
    svg : str or None
        The picture of the page; None where there is only the specification.
    """

    def __init__(self, name: str, spec: dict[str, Any] | None, svg: str | None) -> None:
        self.name = name
        self.spec = spec
        self.svg = svg

    def __repr__(self) -> str:
        return f"Chart({self.name!r})"

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, Any]:
        if self.svg is not None:
            return {"image/svg+xml": self.svg, "text/plain": repr(self)}
        return {"application/vnd.vegalite.v5+json": self.spec, "text/plain": repr(self)}

    def to_altair(self) -> Any:
        """The chart as an ``altair.Chart``, to be restyled; needs altair.

        Raises
        ------
        ValueError
            Where there is only the picture.
        """
        import altair

        if self.spec is None:
            raise ValueError(f"the chart `{self.name}` is a picture only\n  hint: look at its `svg`")
        return altair.Chart.from_dict(self.spec)


class Report:
    """What a model is worth, beside every other score.

    A notebook shows the page; ``print`` shows its short form.
    """

    def __init__(self, native: _native.Report) -> None:
        self._native = native

    def __repr__(self) -> str:
        return str(self)

    def __str__(self) -> str:
        return self._native.text()

    def _repr_html_(self) -> str:
        return in_notebook(self.html(), "Report")

    def html(self) -> str:
        """The page, which opens offline in any browser."""
        return self._native.html()

    def to_dict(self) -> dict[str, Any]:
        """Every figure of the report."""
        found: dict[str, Any] = json.loads(self._native.json())
        return found

    def markdown(self) -> str:
        """The short tables as Markdown."""
        return self._native.markdown()

    @property
    def charts(self) -> Mapping[str, Chart]:
        """The charts of the page by name, such as ``gains``, ``reliability`` and ``tiers``."""
        specs = {name: json.loads(spec) for name, spec in self._native.charts()}
        pictures = dict(self._native.pictures())
        names = dict.fromkeys([*pictures, *specs])
        return {name: Chart(name, specs.get(name), pictures.get(name)) for name in names}

    @property
    def snapshots(self) -> _native.Table | None:
        """Every evaluated snapshot with its prediction and label; None for a report of training."""
        return self._native.snapshots()

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the report, whole or not at all.

        Parameters
        ----------
        path : str or path-like
            Its ending says the form: ``.html``, ``.json``, ``.xlsx`` or ``.md``.
        """
        self._native.save(Path(path))


def in_notebook(page: str, title: str) -> str:
    """A page in a frame of its own: it has a look of its own, which must not meet the notebook's."""
    return f'<iframe srcdoc="{html.escape(page, quote=True)}" style="width: 100%; height: 720px; border: 0" title="{title}"></iframe>'


class Explanation(Mapping[str, Any]):
    """Why one lead has its score: its parts by name, as the command's JSON has them. ``print`` draws them."""

    def __init__(self, found: dict[str, Any], text: str) -> None:
        self._found = found
        self._text = text

    def __getitem__(self, key: str) -> Any:
        return self._found[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __repr__(self) -> str:
        return self._text


class Findings(Explanation):
    """What is wrong with tables, what leaks, and whether there is enough of them.

    Attributes
    ----------
    is_wrong : bool
        Whether an attribute knows the outcome, a feature sees the future, or there is too little data.
    """

    def __init__(self, found: dict[str, Any], text: str, is_wrong: bool) -> None:
        super().__init__(found, text)
        self.is_wrong = is_wrong
