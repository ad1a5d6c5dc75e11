"""A fitted model."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from leadscore import _native
from leadscore._data import Config, Frame, Moment, moment, open_project, plain
from leadscore._progress import Listener
from leadscore._report import Explanation, Report

Dialect = Literal["duckdb", "postgres", "snowflake", "bigquery", "spark", "sqlite"]


class Model:
    """A model that `leadscore.train` has learned, or that a file holds.

    Attributes
    ----------
    report : Report or None
        The report on the snapshots that were held out, where training was asked for it.
    """

    def __init__(self, native: _native.Model, report: Report | None = None) -> None:
        self._native = native
        self.report = report

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Model:
        """Read a model file, and check all of it before believing anything.

        Raises
        ------
        OSError
            The file cannot be read.
        ValueError
            It is no model, or is damaged.
        """
        return cls(_native.Model.load(Path(path)))

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write a model file, whole or not at all."""
        self._native.save(Path(path))

    def __getstate__(self) -> bytes:
        return self._native.to_bytes()

    def __setstate__(self, state: bytes) -> None:
        self._native = _native.Model.from_bytes(state)
        self.report = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Model) and self._native.to_bytes() == other._native.to_bytes()

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        card = self.card
        return f"Model {self.id} ({card['kind']}, {card['n_snapshots']} snapshots, {card['n_wins']} won)"

    @property
    def id(self) -> str:
        """Name of the model, made from its content."""
        return self._native.id

    @property
    def card(self) -> dict[str, Any]:
        """What a person wants to know about it: what it learned from, what was chosen, how good it was, its caveats."""
        card: dict[str, Any] = self.to_dict()["card"]
        return card

    @property
    def features(self) -> dict[str, str]:
        """The features that it reads by name, each in words."""
        return {name: about for name, about, _ in self._native.features()}

    def to_dict(self) -> dict[str, Any]:
        """Everything that the model file holds."""
        found: dict[str, Any] = json.loads(self._native.json())
        return found

    def inspect(self, curves: bool = False) -> str:
        """Card and features as text, with every curve, level and table if asked for."""
        return self._native.inspect(curves)

    def html(self) -> str:
        """A page with every curve, level and table, which opens offline in any browser."""
        return self._native.page()

    def score(
        self,
        *,
        leads: Frame | None = None,
        activities: Mapping[str, Frame] | None = None,
        outcomes: Frame | None = None,
        lookups: Mapping[str, Frame] | None = None,
        history: Frame | None = None,
        config: Config = "leadscore.toml",
        as_of: Moment | None = None,
        intervals: bool = False,
    ) -> _native.Table:
        """Likelihood, tier and reasons of every open lead.

        Parameters
        ----------
        leads, activities, outcomes, lookups, history : frames, optional
            As in `leadscore.train`.
        config : path or mapping
            As in `leadscore.train`.
        as_of : moment, optional
            Score the leads as they stood at this moment; default: the day after the latest time in the data.
        intervals : bool
            Also give the 95 % interval of every likelihood.

        Returns
        -------
        Table
            A row for each open lead, best first, then one for each that was won, with the columns of a score file. Its ``summary`` counts leads
            by tier and by reason, and says what is unlike training.
        """
        project = open_project(config, leads, activities, outcomes, lookups, history)
        return project.score(Listener(), self._native, moment(as_of), intervals)

    def write_list(
        self,
        path: str | os.PathLike[str],
        *,
        top: int = 100,
        columns: Sequence[str] = (),
        owner: str | None = None,
        previous: str | os.PathLike[str] | None = None,
        leads: Frame | None = None,
        activities: Mapping[str, Frame] | None = None,
        outcomes: Frame | None = None,
        lookups: Mapping[str, Frame] | None = None,
        history: Frame | None = None,
        config: Config = "leadscore.toml",
        as_of: Moment | None = None,
    ) -> None:
        """Write the best open leads as a list for people, with reasons in words.

        Parameters
        ----------
        path : path
            Where to write it: ``.xlsx``, ``.html`` or ``.csv``.
        top : int
            The list has so many leads.
        columns : sequence of str
            Columns of the leads that it shows.
        owner : str, optional
            Column of the leads with the lead's owner: in ``.xlsx`` each has a sheet.
        previous : path, optional
            An earlier score file: the list says which leads rose, fell, and are new.
        leads, activities, outcomes, lookups, history, config, as_of
            As in `score`.
        """
        if isinstance(columns, str):
            raise TypeError("`columns` is a str, expected a sequence of names")
        project = open_project(config, leads, activities, outcomes, lookups, history)
        before = None if previous is None else Path(previous)
        project.write_list(Listener(), self._native, Path(path), top, list(columns), owner, before, moment(as_of))

    def score_features(self, features: Frame) -> _native.Table:
        """Likelihood and log-odds of rows that hold the model's features by name.

        Parameters
        ----------
        features : frame
            Such as ``leadscore.features(…, model=model)`` gives.

        Returns
        -------
        Table
            ``likelihood_to_close`` in per cent and ``log_odds``, a row for each row.
        """
        return self._native.score_frame(features)

    def explain(
        self,
        lead: str,
        *,
        leads: Frame | None = None,
        activities: Mapping[str, Frame] | None = None,
        outcomes: Frame | None = None,
        lookups: Mapping[str, Frame] | None = None,
        history: Frame | None = None,
        config: Config = "leadscore.toml",
        as_of: Moment | None = None,
        what_if: Mapping[str, Any] | None = None,
        since: Moment | None = None,
    ) -> Explanation:
        """Why one lead has its score, and what would lift it to the next tier.

        Parameters
        ----------
        lead : str
            Its id.
        leads, activities, outcomes, lookups, history, config, as_of
            As in `score`.
        what_if : mapping, optional
            Explain the lead as it would be with other values in columns or features that the model reads, such as
            ``{"seats": 40, "accounts.industry": "retail"}``; None is a missing value.
        since : date or text, optional
            An earlier moment: the explanation then has what changed since, by the same reasons, under ``"since"``.

        Raises
        ------
        KeyError
            There is no such lead.
        ValueError
            The lead is not open, or was not at ``since``; the model reads no such column; both ``since`` and ``what_if``.
        """
        project = open_project(config, leads, activities, outcomes, lookups, history)
        changes = [(name, _cell(value)) for name, value in (what_if or {}).items()]
        found, text = project.explain(Listener(), self._native, lead, moment(as_of), moment(since), changes)
        return Explanation(json.loads(found), text)

    def score_one(
        self,
        lead: Mapping[str, Any],
        *,
        lookups: Mapping[str, Frame] | None = None,
        config: Config = "leadscore.toml",
        as_of: Moment | None = None,
    ) -> Explanation:
        """Likelihood, tier and reasons of a lead that is in no table.

        Parameters
        ----------
        lead : mapping
            Columns of the leads by name; ``activities`` with a list of mappings for each table of activities; and ``lookups`` with
            a mapping for each lookup whose row is not to be looked up in its table. Cells are written as in the tables.
        lookups, config
            As in `score`; no other table is read.
        as_of : moment, optional
            Score the lead as it stands at this moment; default: now.

        Returns
        -------
        Explanation
            Its tier is told by the edges of ``[tiers]``, or the model's own: one lead has no quartiles.

        Raises
        ------
        ValueError
            A key is unknown, a value is not what the model reads, or the lead is not open.
        """
        if not isinstance(lead, Mapping):
            raise TypeError(f"`lead` is a {type(lead).__name__}, expected a mapping from columns to values")
        project = open_project(config, None, None, None, lookups, None, for_one=True)
        found, text = project.score_one(Listener(), self._native, json.dumps(_cells(lead)), moment(as_of))
        return Explanation(json.loads(found), text)

    def contributions(
        self,
        *,
        leads: Frame | None = None,
        activities: Mapping[str, Frame] | None = None,
        outcomes: Frame | None = None,
        lookups: Mapping[str, Frame] | None = None,
        history: Frame | None = None,
        config: Config = "leadscore.toml",
        as_of: Moment | None = None,
        by: Literal["concept", "feature"] = "concept",
    ) -> tuple[_native.Table, _native.Table]:
        """What adds up to the score of every open lead, in log-odds.

        Parameters
        ----------
        by : str
            A column for each ``concept``, as reasons have them, or for each ``feature``.

        Returns
        -------
        Table
            A row for each open lead: id, ``likelihood_to_close``, ``baseline_log_odds``, ``log_odds``, and the contributions, which
            add up from the baseline to the log-odds.
        Table
            The importance of each: its mean absolute contribution, and that as a share of all.
        """
        project = open_project(config, leads, activities, outcomes, lookups, history)
        return project.contributions(Listener(), self._native, moment(as_of), by)

    def recalibrate(
        self,
        *,
        leads: Frame | None = None,
        activities: Mapping[str, Frame] | None = None,
        outcomes: Frame | None = None,
        lookups: Mapping[str, Frame] | None = None,
        history: Frame | None = None,
        config: Config = "leadscore.toml",
        as_of: Moment | None = None,
        since: Moment | None = None,
        kind: str | None = None,
    ) -> Model:
        """A model whose percentages are recalibrated by outcomes that this one has not seen, those of snapshots since a moment.

        ``kind`` is ``shift``, ``line``, ``beta`` or ``isotonic``; without it, later outcomes decide.
        """
        project = open_project(config, leads, activities, outcomes, lookups, history)
        return Model(project.recalibrate(Listener(), self._native, moment(as_of), moment(since), kind))

    def to_sql(
        self,
        dialect: Dialect,
        *,
        table: str = "features",
        keys: Sequence[str] = (),
        edges: Literal["relative", "frozen"] | Sequence[float] = "relative",
    ) -> str:
        """The model as one SELECT over a table of its features.

        Parameters
        ----------
        dialect : str
            ``duckdb``, ``postgres``, ``snowflake``, ``bigquery``, ``spark`` or ``sqlite``.
        table : str
            The table with the columns that ``leadscore.features(…, model=model)`` gives.
        keys : sequence of str
            Columns of it that the result has, too.
        edges : str or three numbers
            Where tiers begin: ``relative`` for quartiles of all rows of the table, ``frozen`` for the model's own edges, or three
            likelihoods in per cent, such as ``(40, 20, 5)``.
        """
        rule = edges if isinstance(edges, str) else ",".join(str(edge) for edge in edges)
        return self._native.to_sql(dialect, table, list(keys), rule)

    def to_tables_sql(
        self,
        dialect: Dialect,
        *,
        leads: Frame | None = None,
        activities: Mapping[str, Frame] | None = None,
        outcomes: Frame | None = None,
        lookups: Mapping[str, Frame] | None = None,
        history: Frame | None = None,
        config: Config = "leadscore.toml",
        as_of: Moment | None = None,
        places: Mapping[str, str] | None = None,
    ) -> str:
        """The model with its features as one SELECT over tables of a database.

        Parameters
        ----------
        dialect : str
            ``duckdb``, ``postgres`` or ``spark``.
        leads, activities, outcomes, lookups, history, config, places
            As in `features_sql`.
        as_of : moment, optional
            The moment to score as of; by default that at which the statement runs.
        """
        project = open_project(config, leads, activities, outcomes, lookups, history)
        return project.score_sql(Listener(), self._native, dialect, dict(places or {}), moment(as_of))

    def to_onnx(self) -> bytes:
        """The model as the bytes of an ONNX file.

        It has an input for each feature by name, of shape (rows, 1): 64-bit floats with NaN for missing, or texts with the
        empty text for missing; and the outputs ``log_odds`` and ``likelihood_to_close`` of the same shape.
        """
        return self._native.to_onnx()

    def to_pmml(self) -> str:
        """The model as the text of a PMML 4.4 file.

        It has a data field for each feature by name, doubles or strings, either of which may be missing; and the outputs
        ``log_odds`` and ``likelihood_to_close``.

        Raises
        ------
        ValueError
            If a level has a control character, which XML cannot keep.
        """
        return self._native.to_pmml()

    def log_to_mlflow(self, name: str = "model") -> Any:
        """Log the model to the active run of MLflow; needs mlflow.

        Parameters
        ----------
        name : str
            Name of the logged model. Loaded as a pyfunc, it takes frames of the model's features, and gives a
            ``pandas.DataFrame`` with ``likelihood_to_close`` and ``log_odds``.

        Returns
        -------
        mlflow.models.model.ModelInfo
        """
        from leadscore import mlflow

        return mlflow.log_model(self, name)


def _cells(value: Any) -> Any:
    """A lead's values as JSON has them: what is no number is missing, and scalars of other libraries are plain ones."""
    if isinstance(value, Mapping):
        return {str(key): _cells(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_cells(item) for item in value]
    if hasattr(value, "item"):
        value = value.item()
    return None if value != value else plain(value)


def _cell(value: Any) -> str:
    """A value as a cell of a table has it."""
    if value is None:
        return ""
    return str(value).lower() if isinstance(value, bool) else str(value)
