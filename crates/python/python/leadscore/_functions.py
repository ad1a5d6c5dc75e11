"""What the package does, a function each: methods of `Data` on the tables that they are given."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from leadscore import _native
from leadscore._checked import checked
from leadscore._data import Data
from leadscore._inputs import Dialect, Moment, Tables, over_tables
from leadscore._model import Model
from leadscore._progress import Listener
from leadscore._report import Findings, Report
from leadscore._simulated import Simulated

if TYPE_CHECKING:
    from typing_extensions import Unpack

World = Literal["linear", "curved", "interactions", "drift", "noise"]


@over_tables(Data.train)
def train(
    *,
    report: bool = False,
    cross_validate: bool = False,
    learning_curve: bool = False,
    allow_too_few: bool = False,
    allow_leaks: bool = False,
    **tables: Unpack[Tables],
) -> Model:
    return Data._given(tables).train(
        report=report, cross_validate=cross_validate, learning_curve=learning_curve, allow_too_few=allow_too_few, allow_leaks=allow_leaks
    )


@over_tables(Data.features)
def features(*, model: Model | None = None, **tables: Unpack[Tables]) -> _native.Table:
    return Data._given(tables).features(model=model)


@over_tables(Data.features_sql)
def features_sql(dialect: Dialect, *, model: Model | None = None, places: Mapping[str, str] | None = None, **tables: Unpack[Tables]) -> str:
    return Data._given(tables).features_sql(dialect, model=model, places=places)


@over_tables(Data.evaluate)
def evaluate(
    model: Model,
    *,
    start: Moment | None = None,
    end: Moment | None = None,
    rules: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    against: Mapping[str, Model] | None = None,
    threshold: float | None = None,
    capacity: str | None = None,
    cost: float | None = None,
    value: float | None = None,
    backtest: bool = False,
    allow_in_sample: bool = False,
    other_leads: bool = False,
    **tables: Unpack[Tables],
) -> Report:
    return Data._given(tables).evaluate(
        model,
        start=start,
        end=end,
        rules=rules,
        against=against,
        threshold=threshold,
        capacity=capacity,
        cost=cost,
        value=value,
        backtest=backtest,
        allow_in_sample=allow_in_sample,
        other_leads=other_leads,
    )


@over_tables(Data.rules)
def rules(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    every_snapshot: bool = False,
    crossings: bool = False,
    roll_up: Literal["max", "sum", "mean"] | None = None,
    **tables: Unpack[Tables],
) -> _native.Table:
    return Data._given(tables).rules(paths, every_snapshot=every_snapshot, crossings=crossings, roll_up=roll_up)


@over_tables(Data.check)
def check(**tables: Unpack[Tables]) -> Findings:
    return Data._given(tables).check()


@overload
def simulate(n_leads: int = ..., *, world: World = ..., seed: int = ..., folder: None = ..., format: str = ...) -> Simulated: ...
@overload
def simulate(n_leads: int = ..., *, world: World = ..., seed: int = ..., folder: str | os.PathLike[str], format: str = ...) -> Path: ...
@checked
def simulate(
    n_leads: int = 20_000,
    *,
    world: World = "linear",
    seed: int = 7,
    folder: str | os.PathLike[str] | None = None,
    format: str = "parquet",
) -> Simulated | Path:
    """Make up a CRM whose truth is known.

    Parameters
    ----------
    n_leads : int
        Number of leads, 1,000 to 10,000,000.
    world : str
        How leads come to be won: ``linear``, ``curved``, ``interactions``, ``drift`` or ``noise``.
    seed : int
        The same seed gives the same leads.
    folder : path, optional
        Write the tables and their config there, in place of returning them.
    format : {"parquet", "csv"}
        Format of the files.

    Returns
    -------
    Simulated or Path
        The tables, or the path of the config.
    """
    if folder is not None:
        _native.write_crm(Listener(), n_leads, world, seed, Path(folder), format)
        return Path(folder) / "leadscore.toml"
    made = dict(_native.simulated_tables(n_leads, world, seed))
    return Simulated(
        tables={
            "leads": made["leads"],
            "activities": {
                "touches": made["touches"],
                "web": made["web_sessions"],
                "sales": made["sales_activities"],
                "stages": made["stages"],
            },
            "outcomes": made["deals"],
            "lookups": {"accounts": made["accounts"]},
        },
        config=json.loads(_native.simulated_config(n_leads, world, seed)),
        truth=made["truth"],
    )


def families() -> str:
    """The families of features with their definitions, as a Markdown table."""
    return _native.families()
