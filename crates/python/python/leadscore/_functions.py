"""What the package does, a function each."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, overload

from leadscore import _native
from leadscore._data import Config, Frame, Moment, moment, open_project
from leadscore._model import Dialect, Model
from leadscore._progress import Listener
from leadscore._report import Findings, Report
from leadscore._simulated import Simulated

World = Literal["linear", "curved", "interactions", "drift", "noise"]


def train(
    *,
    leads: Frame | None = None,
    activities: Mapping[str, Frame] | None = None,
    outcomes: Frame | None = None,
    lookups: Mapping[str, Frame] | None = None,
    history: Frame | None = None,
    config: Config = "leadscore.toml",
    as_of: Moment | None = None,
    report: bool = False,
    cross_validate: bool = False,
    learning_curve: bool = False,
    allow_too_few: bool = False,
    allow_leaks: bool = False,
) -> Model:
    """Learn from won and lost leads how likely a lead is to be won.

    Parameters
    ----------
    leads, outcomes, history : frame, optional
        Tables that stand in memory; others are read from the ``path`` that the config gives them.
    activities, lookups : mapping from name to frame, optional
        The same for the tables that the config names under ``activities`` and ``lookups``.
    config : path or mapping
        The path of a ``leadscore.toml``, or its content as a mapping, such as
        ``{"leads": {"id": "lead_id", "created_at": "created_at"}, "outcomes": {…}}``.
    as_of : moment, optional
        Nothing known at or after this moment exists.
    report : bool
        Also make the report on the snapshots that were held out, as ``model.report``.
    cross_validate : bool
        Measure on all snapshots, each by a fit that has not seen its lead, in place of the latest fifth.
    learning_curve : bool
        Also say what more wins would change; takes several times as long.
    allow_too_few, allow_leaks : bool
        Train although there are too few wins or losses, or on attributes that are proven to know the outcome.

    Returns
    -------
    Model

    Raises
    ------
    KeyError
        A column that the config names is not there.
    OSError
        A file cannot be read.
    ValueError
        Anything else that is wrong with config or tables; the text says where, and what to do.
    """
    project = open_project(config, leads, activities, outcomes, lookups, history)
    native, held_out = project.train(Listener(), moment(as_of), cross_validate, learning_curve, allow_too_few, allow_leaks, report)
    return Model(native, Report(held_out) if held_out is not None else None)


def features(
    *,
    leads: Frame | None = None,
    activities: Mapping[str, Frame] | None = None,
    outcomes: Frame | None = None,
    lookups: Mapping[str, Frame] | None = None,
    history: Frame | None = None,
    config: Config = "leadscore.toml",
    as_of: Moment | None = None,
    model: Model | None = None,
) -> _native.Table:
    """The matrix of all snapshots with their labels; no feature sees anything at or after its snapshot.

    Parameters
    ----------
    leads, activities, outcomes, lookups, history, config, as_of
        As in `train`.
    model : Model, optional
        Exactly the features that this model reads, in place of those that the config asks for.
    """
    project = open_project(config, leads, activities, outcomes, lookups, history)
    return project.features(Listener(), moment(as_of), None if model is None else model._native)


def features_sql(
    dialect: Dialect,
    *,
    leads: Frame | None = None,
    activities: Mapping[str, Frame] | None = None,
    outcomes: Frame | None = None,
    lookups: Mapping[str, Frame] | None = None,
    history: Frame | None = None,
    config: Config = "leadscore.toml",
    as_of: Moment | None = None,
    model: Model | None = None,
    places: Mapping[str, str] | None = None,
) -> str:
    """The same matrix as one statement over tables of a database, for the data to stay where it is.

    Parameters
    ----------
    dialect : str
        ``duckdb``, ``postgres`` or ``spark``.
    leads, activities, outcomes, lookups, history, config, as_of
        As in `train`. From these tables, or a sample of them, come the features, the moments, and which times are dates.
    model : Model, optional
        Exactly the features that this model reads, in place of those that the config asks for.
    places : mapping from table to str, optional
        What a table (``leads``, ``outcomes``, ``history``, ``activities.NAME``, ``lookups.NAME``) is called in the database,
        as it is written behind FROM; by default as in the config.
    """
    project = open_project(config, leads, activities, outcomes, lookups, history)
    return project.features_sql(Listener(), dialect, dict(places or {}), moment(as_of), None if model is None else model._native)


def evaluate(
    model: Model,
    *,
    leads: Frame | None = None,
    activities: Mapping[str, Frame] | None = None,
    outcomes: Frame | None = None,
    lookups: Mapping[str, Frame] | None = None,
    history: Frame | None = None,
    config: Config = "leadscore.toml",
    start: Moment | None = None,
    end: Moment | None = None,
    rules: Sequence[str | os.PathLike[str]] = (),
    against: Mapping[str, Model] | None = None,
    threshold: float | None = None,
    capacity: str | None = None,
    cost: float | None = None,
    value: float | None = None,
    backtest: bool = False,
    allow_in_sample: bool = False,
    other_leads: bool = False,
) -> Report:
    """Measure a model on snapshots that it has not seen, beside every other score.

    Parameters
    ----------
    model : Model
        The model.
    leads, activities, outcomes, lookups, history, config
        As in `train`.
    start, end : moment, optional
        First snapshot to look at, by default where the model's knowledge ends; and the moment before which the last one lies.
    rules : sequence of paths
        Files of rules whose points, computed as of each snapshot, are compared.
    against : mapping from name to Model, optional
        Other models to compare with.
    threshold : float, optional
        Points of the manual score from which a lead is called today.
    capacity : str, optional
        Leads that the team can call, such as ``"200/week"``; default: the best quarter.
    cost, value : float, optional
        Cost of a call and value of a win.
    backtest : bool
        Also say how often to retrain, by fitting again as time goes on.
    allow_in_sample : bool
        Also look at snapshots from before the model's training cutoff; the report says so.
    other_leads : bool
        These are not the leads of training, such as the other part of a split by lead: measure on all of their snapshots. An error
        where a lead of training is among them.
    """
    project = open_project(config, leads, activities, outcomes, lookups, history)
    others = [(Path(name), other._native) for name, other in (against or {}).items()]
    found = project.evaluate(
        Listener(),
        model._native,
        moment(start),
        moment(end),
        allow_in_sample,
        other_leads,
        [Path(path) for path in rules],
        others,
        threshold,
        capacity,
        cost,
        value,
        backtest,
    )
    return Report(found)


def rules(
    paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    leads: Frame | None = None,
    activities: Mapping[str, Frame] | None = None,
    outcomes: Frame | None = None,
    lookups: Mapping[str, Frame] | None = None,
    history: Frame | None = None,
    config: Config = "leadscore.toml",
    as_of: Moment | None = None,
    every_snapshot: bool = False,
    crossings: bool = False,
    roll_up: Literal["max", "sum", "mean"] | None = None,
) -> _native.Table:
    """Points by rules, as marketing gives them.

    Parameters
    ----------
    paths : path or sequence of paths
        Files of rules; several give several scores side by side.
    leads, activities, outcomes, lookups, history, config
        As in `train`.
    as_of : moment, optional
        Count what was known before this moment; default: the day after the latest time in the data.
    every_snapshot : bool
        Every snapshot at which a lead was open, with its points as of then and its label, in place of the open leads.
    crossings : bool
        Also say when each threshold and stage was reached.
    roll_up : {"max", "sum", "mean"}, optional
        One row an account in place of one a lead.
    """
    project = open_project(config, leads, activities, outcomes, lookups, history)
    files = [paths] if isinstance(paths, (str, os.PathLike)) else list(paths)
    return project.rules(Listener(), [Path(path) for path in files], moment(as_of), every_snapshot, crossings, roll_up)


def check(
    *,
    leads: Frame | None = None,
    activities: Mapping[str, Frame] | None = None,
    outcomes: Frame | None = None,
    lookups: Mapping[str, Frame] | None = None,
    history: Frame | None = None,
    config: Config = "leadscore.toml",
) -> Findings:
    """What is wrong with these tables, what leaks, and whether there is enough to learn from.

    Parameters
    ----------
    leads, activities, outcomes, lookups, history, config
        As in `train`.
    """
    project = open_project(config, leads, activities, outcomes, lookups, history)
    found, text, is_wrong = project.check(Listener())
    return Findings(json.loads(found), text, is_wrong)


@overload
def simulate(n_leads: int = ..., *, world: World = ..., seed: int = ..., folder: None = ..., format: str = ...) -> Simulated: ...
@overload
def simulate(n_leads: int = ..., *, world: World = ..., seed: int = ..., folder: str | os.PathLike[str], format: str = ...) -> Path: ...
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
