"""A fitted model."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leadscore import _native
from leadscore._checked import checked
from leadscore._data import Data
from leadscore._inputs import Config, Dialect, Frame, Moment, Tables, over_tables
from leadscore._points import Points
from leadscore._report import Explanation, Report

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Model:
    """A model that `leadscore.train` has learned, or of a file.

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
        return f"Model {self.id} ({card['kind']}, {card['n_snapshots']} {'snapshot' if card['n_snapshots'] == 1 else 'snapshots'}, {card['n_wins']} won)"

    @property
    def id(self) -> str:
        """Name of the model, made from its content."""
        return self._native.id

    @property
    def card(self) -> dict[str, Any]:
        """What a person wants to know about it: what it learned from, what was chosen, how good it was, its limitations."""
        card: dict[str, Any] = self.to_dict()["card"]
        return card

    @property
    def features(self) -> dict[str, str]:
        """The features that it reads by name, each in words."""
        return {name: about for name, about, _ in self._native.features()}

    def to_dict(self) -> dict[str, Any]:
        """Everything that the model file has."""
        found: dict[str, Any] = json.loads(self._native.json())
        return found

    @checked
    def inspect(self, shapes: bool = False) -> str:
        """Card and features as text, with every shape function, level and interaction if asked for."""
        return self._native.inspect(shapes)

    def html(self) -> str:
        """A page with every shape function, level and interaction, which opens offline in any browser."""
        return self._native.page()

    @over_tables(Data.score)
    def score(self, *, intervals: bool = False, **tables: Unpack[Tables]) -> _native.Table:
        return Data._given(tables).score(self, intervals=intervals)

    @over_tables(Data.write_list)
    def write_list(
        self,
        path: str | os.PathLike[str],
        *,
        top: int = 100,
        columns: Sequence[str] = (),
        owner: str | None = None,
        previous: str | os.PathLike[str] | None = None,
        **tables: Unpack[Tables],
    ) -> None:
        Data._given(tables).write_list(self, path, top=top, columns=columns, owner=owner, previous=previous)

    def score_features(self, features: Frame) -> _native.Table:
        """Likelihood and log-odds of rows that have the model's features by name.

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

    @over_tables(Data.explain)
    def explain(
        self, lead: str | int, *, what_if: Mapping[str, Any] | None = None, since: Moment | None = None, **tables: Unpack[Tables]
    ) -> Explanation:
        return Data._given(tables).explain(self, lead, what_if=what_if, since=since)

    def score_one(
        self,
        lead: Mapping[str, Any],
        *,
        data: Data | None = None,
        lookups: Mapping[str, Frame] | None = None,
        config: Config = "leadscore.toml",
        as_of: Moment | None = None,
    ) -> Explanation:
        """Likelihood, tier and reasons of a lead that is in no table: `Data.score_one`, for which no table but lookups is needed.

        Parameters
        ----------
        lead : mapping
            As in `Data.score_one`.
        data : Data, optional
            A config with its tables, in place of a config and lookups.
        lookups, config
            As in `Data`; no other table is read.
        as_of : moment, optional
            Score the lead as it was at this moment; default: now.
        """
        opened = Data._for_one(config, lookups) if data is None else data
        return opened.as_of(as_of).score_one(self, lead)

    @over_tables(Data.contributions)
    def contributions(
        self, *, by: Literal["concept", "feature"] = "concept", **tables: Unpack[Tables]
    ) -> tuple[_native.Table, _native.Table]:
        return Data._given(tables).contributions(self, by=by)

    @over_tables(Data.recalibrate)
    def recalibrate(self, *, since: Moment | None = None, kind: str | None = None, **tables: Unpack[Tables]) -> Model:
        return Data._given(tables).recalibrate(self, since=since, kind=kind)

    @over_tables(Data.export_points)
    def export_points(self, *, rules: int = 50, **tables: Unpack[Tables]) -> Points:
        return Data._given(tables).export_points(self, rules=rules)

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

    @over_tables(Data.score_sql)
    def to_tables_sql(self, dialect: Dialect, *, places: Mapping[str, str] | None = None, **tables: Unpack[Tables]) -> str:
        return Data._given(tables).score_sql(self, dialect, places=places)

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
