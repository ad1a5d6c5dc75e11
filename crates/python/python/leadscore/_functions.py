"""What the package does, a function each: methods of `Data` on the tables that they are given."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, overload

from leadscore import _native
from leadscore._checked import checked
from leadscore._data import Data, _id_of
from leadscore._inputs import Dialect, Moment, Tables, moment, over_tables
from leadscore._model import Model
from leadscore._monitoring import Monitoring
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


@over_tables(Data.monitor)
def monitor(
    model: Model | str | os.PathLike[str] = "@champion",
    *,
    score_history: str | os.PathLike[str] | None = None,
    **tables: Unpack[Tables],
) -> Monitoring:
    return Data._given(tables).monitor(model, score_history=score_history)


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


@checked
def history(
    lead: str | int | None = None,
    *,
    config: str | os.PathLike[str] = "leadscore.toml",
    folder: str | os.PathLike[str] | None = None,
    since: Moment | None = None,
    all: bool = False,
) -> _native.Table:
    """What was predicted for a lead over time and what changed, or the score history by week.

    The history is what ``leadscore score --history`` and ``leadscore run`` have kept.

    Parameters
    ----------
    lead : str or int, optional
        Its id; the history by week if not given.
    config : path
        The ``leadscore.toml``, which names the folder of the history.
    folder : path, optional
        The folder, in place of the one that the config names.
    since : date or text, optional
        Begin with this moment.
    all : bool
        Every moment, in place of the last one of each week.

    Returns
    -------
    Table
        A row for each moment. ``summary`` has all of it as a mapping: for a lead every difference of reasons, for the history by
        week how many leads went from which tier to which.

    Raises
    ------
    KeyError
        The history has no such lead.
    OSError
        There is no history yet, or a file of it cannot be read.
    ValueError
        A file of the history is damaged, or is of another config.
    """
    id = None if lead is None else _id_of(lead)
    return _native.history(Path(config), None if folder is None else Path(folder), id, moment(since), all)


@checked
def run(
    config: str | os.PathLike[str] = "leadscore.toml",
    *,
    as_of: Moment | None = None,
    dry_run: bool = False,
    retrain: bool = False,
    accept_churn: bool = False,
) -> dict[str, Any]:
    """One scheduled run, as ``leadscore run`` does it: check, score, monitor, train and compare where it is time, then publish.

    Everything appears at the end, or nothing: a run that fails leaves registry roles, history and published files as they were. The
    same inputs again are no work (``decision`` is ``unchanged``).

    Parameters
    ----------
    config : path
        The ``leadscore.toml``; its section ``[operation]`` names the registry, the history, and where scores are published.
    as_of : moment, optional
        Score the leads as they were at this moment; the day after the latest time in the data if not given.
    dry_run : bool
        Only say what would be done; nothing is written.
    retrain : bool
        Train a challenger although it is not time.
    accept_churn : bool
        Accept that more leads change their tier than ``max_churn`` of ``[operation]`` allows.

    Returns
    -------
    dict
        The object that the command prints: among others ``decision`` (``first``, ``promoted``, ``kept``, ``asked``, ``cannot tell``,
        ``not due`` or ``unchanged``), ``because``, the ``verdict`` of monitoring, ``champion``, ``n_scored``, ``published``,
        ``stages`` and ``checks``. An alarm of monitoring is a ``verdict``, not an exception: the scores are published.

    Raises
    ------
    BlockingIOError
        Another run has the lock of the registry; try again later. Any other OSError: a file cannot be read or written.
    KeyError
        Something that the config names is not there.
    ValueError
        Anything else that is wrong with config or tables; the text says where, and what to do.

    Notes
    -----
    Ctrl-C returns at once; the run itself ends, and gives the lock back, after the stage that it is in.
    """
    if not isinstance(config, (str, os.PathLike)):
        raise TypeError(f"`config` is a {type(config).__name__}, expected the path of a leadscore.toml: a run keeps files beside it")
    found: dict[str, Any] = json.loads(_native.run(Listener(), Path(config), moment(as_of), dry_run, retrain, accept_churn))
    return found


def families() -> str:
    """The families of features with their definitions, as a Markdown table."""
    return _native.families()
