"""A config with its tables, and everything that is done with them."""

from __future__ import annotations

import json
import operator
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from leadscore import _native
from leadscore._checked import checked
from leadscore._inputs import Config, Dialect, Frame, Moment, Tables, moment, plain
from leadscore._points import Points
from leadscore._progress import Listener
from leadscore._report import Explanation, Findings, Report

if TYPE_CHECKING:
    from leadscore._model import Model
    from leadscore._monitoring import Monitoring


class Data:
    """A config with its tables, opened once.

    Parameters
    ----------
    config : path or mapping
        The path of a ``leadscore.toml``, or its content as a mapping, such as
        ``{"leads": {"id": "lead_id", "created_at": "created_at"}, "outcomes": {…}}``.
    leads, outcomes, history, merges, deleted : frame, optional
        Tables in memory; others are read from the ``path`` that the config gives them, by each call that needs them. Queries are
        asked once.
    activities, lookups, links : mapping from name to frame, optional
        The same for the tables that the config names under ``activities``, ``lookups`` and ``links``.

    Raises
    ------
    OSError
        The config or a table is not there.
    ValueError
        The config is wrong, or a frame is; the text says where, and what to do.

    Notes
    -----
    Ids of leads and accounts come back in the type that the frame of the leads has them in: whole numbers stay whole numbers. Frames
    of pandas are copied, so that changes that are made to them later do not reach the data; others cannot be changed.
    """

    # Of a view: the data that it is one of.
    _whole: Data | None = None

    def __init__(
        self,
        config: Config = "leadscore.toml",
        *,
        leads: Frame | None = None,
        activities: Mapping[str, Frame] | None = None,
        outcomes: Frame | None = None,
        lookups: Mapping[str, Frame] | None = None,
        history: Frame | None = None,
        links: Mapping[str, Frame] | None = None,
        merges: Frame | None = None,
        deleted: Frame | None = None,
    ) -> None:
        frames = _frames(
            leads=leads,
            activities=activities,
            outcomes=outcomes,
            lookups=lookups,
            history=history,
            links=links,
            merges=merges,
            deleted=deleted,
        )
        self._open(config, {name: _own(frame) for name, frame in frames.items()})

    def _open(self, config: Config, frames: dict[str, object], for_one: bool = False) -> None:
        """Opens all tables, or for one lead alone the lookups."""
        if isinstance(config, Mapping):
            self._native = _native.Data.from_json(Listener(), json.dumps(plain(config)), frames, for_one)
        elif isinstance(config, (str, os.PathLike)):
            self._native = _native.Data.open(Listener(), Path(config), frames, for_one)
        else:
            raise TypeError(f"`config` is a {type(config).__name__}, expected the path of a leadscore.toml or a mapping")
        where = "a config in memory" if isinstance(config, Mapping) else os.fspath(config)
        self._name = f"Data of {where}" + (f" with the frames {', '.join(frames)}" if frames else "")

    @classmethod
    def _given(cls, tables: Tables) -> Data:
        """The data that a call is given: open already, or to be opened."""
        given: dict[str, Any] = dict(tables)
        as_of = given.pop("as_of", None)
        data = given.pop("data", None)
        if data is None:
            # For one call, frames stay as they are.
            data = cls.__new__(cls)
            data._open(given.pop("config", "leadscore.toml"), _frames(**given))
            return data.as_of(as_of)
        if not isinstance(data, Data):
            raise TypeError(f"`data` is a {type(data).__name__}, expected a leadscore.Data")
        if beside := [name for name, value in given.items() if value is not None]:
            raise TypeError(f"both `data` and `{beside[0]}` are given: `data` has a config and tables of its own")
        return data.as_of(as_of)

    @classmethod
    def _for_one(cls, config: Config, lookups: Mapping[str, Frame] | None) -> Data:
        """A config without tables, but for its lookups."""
        data = cls.__new__(cls)
        data._open(config, _in_group("lookups", lookups), for_one=True)
        return data

    def __repr__(self) -> str:
        return self._name

    def as_of(self, moment: Moment | None) -> Data:
        """The same tables as they were known at a moment: nothing known at or after it exists.

        Nothing is opened or read again. Models are trained on what was known then, and leads are scored as they were then. Of data that
        is no view all is known, and leads are scored as of the day after the latest time in it. A view of a view is one of all data.

        Parameters
        ----------
        moment : moment or None
            A date, a time, or its text; for undated data a value of ``order_by``. None is the moment of this view.

        Returns
        -------
        Data
        """
        text = _moment(moment)
        if text is None:
            return self
        whole = self._whole or self
        view = Data.__new__(Data)
        view._native = whole._native.as_of(text)
        view._name = f"{whole._name} as of {text}"
        view._whole = whole
        return view

    def check(self) -> Findings:
        """What is wrong with these tables, what leaks, and whether there is enough to learn from.

        Returns
        -------
        Findings
        """
        found, text, is_wrong = self._native.check(Listener())
        return Findings(json.loads(found), text, is_wrong)

    @checked
    def features(self, *, model: Model | None = None) -> _native.Table:
        """The matrix of all snapshots with their labels; no feature sees anything at or after its snapshot.

        Parameters
        ----------
        model : Model, optional
            Exactly the features that this model reads, in place of those that the config asks for.

        Returns
        -------
        Table
        """
        return self._native.features(Listener(), None if model is None else _native_of(model))

    @checked
    def features_sql(self, dialect: Dialect, *, model: Model | None = None, places: Mapping[str, str] | None = None) -> str:
        """The same matrix as one statement over tables of a database, for the data to stay where it is.

        From the tables here, or a sample of them, come the features, the moments, and which times are dates.

        Parameters
        ----------
        dialect : str
            ``duckdb``, ``postgres`` or ``spark``.
        model : Model, optional
            Exactly the features that this model reads, in place of those that the config asks for.
        places : mapping from table to str, optional
            What a table (``leads``, ``outcomes``, ``history``, ``activities.NAME``, ``lookups.NAME``) is called in the database,
            as it is written behind FROM; by default as in the config.

        Returns
        -------
        str
        """
        return self._native.features_sql(Listener(), dialect, dict(places or {}), None if model is None else _native_of(model))

    @checked
    def train(
        self,
        *,
        report: bool = False,
        cross_validate: bool = False,
        learning_curve: bool = False,
        allow_too_few: bool = False,
        allow_leaks: bool = False,
    ) -> Model:
        """Learn from won and lost leads how likely a lead is to be won.

        Parameters
        ----------
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
        from leadscore._model import Model

        native, held_out = self._native.train(Listener(), cross_validate, learning_curve, allow_too_few, allow_leaks, report)
        return Model(native, Report(held_out) if held_out is not None else None)

    @checked
    def evaluate(
        self,
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
    ) -> Report:
        """Measure a model on snapshots that it has not seen, beside every other score.

        Parameters
        ----------
        model : Model
            The model.
        start, end : moment, optional
            First snapshot to look at, by default where the model's knowledge ends; and the moment before which the last one lies.
        rules : path or sequence of paths
            Files of rules whose points, computed as of each snapshot, are compared.
        against : mapping from name to Model, optional
            Other models to compare with.
        threshold : float, optional
            Points of the manual score from which a lead is called today.
        capacity : str, optional
            Leads that the team can call, such as ``"200/week"``; default: the top quartile.
        cost, value : float, optional
            Cost of a call and value of a win.
        backtest : bool
            Also say how often to retrain, by fitting again as time goes on.
        allow_in_sample : bool
            Also look at snapshots from before the model's training cutoff; the report says so.
        other_leads : bool
            These are not the leads of training, such as the other part of a split by lead: measure on all of their snapshots. An
            error where a lead of training is among them.

        Returns
        -------
        Report
        """
        if any(not str(name).strip() for name in against or {}):
            raise ValueError("a model of `against` has no name")
        others = [(Path(name), _native_of(other, f"against[{name!r}]")) for name, other in (against or {}).items()]
        found = self._native.evaluate(
            Listener(),
            _native_of(model),
            _moment(start),
            _moment(end),
            allow_in_sample,
            other_leads,
            _paths("rules", rules),
            others,
            threshold,
            capacity,
            cost,
            value,
            backtest,
        )
        return Report(found)

    @checked
    def monitor(
        self, model: Model | str | os.PathLike[str] = "@champion", *, score_history: str | os.PathLike[str] | None = None
    ) -> Monitoring:
        """Whether a model still holds, before and after windows of snapshots have ended.

        Parameters
        ----------
        model : Model, str or path
            The model; ``@champion``, ``@challenger``, ``@previous`` or ``@`` before an ID is one of the registry that the config names,
            any other text is the path of a model file.
        score_history : path, optional
            The folder of the score history, in place of the one that the config names. Weeks that no history has are scored as of then.

        Returns
        -------
        Monitoring
            Also where there is an alarm: look at its ``verdict``.

        Raises
        ------
        KeyError
            The registry has no such model.
        OSError
            A file cannot be read.
        ValueError
            The data is undated, or anything else that is wrong with config, tables or history.
        """
        from leadscore._monitoring import Monitoring

        folder = None if score_history is None else Path(score_history)
        return Monitoring(_native.monitor(Listener(), self._native, _native_of(self._model(model)), folder))

    def _model(self, model: Model | str | os.PathLike[str]) -> Model:
        """A model, or one by its file or its name in the registry."""
        from leadscore._model import Model
        from leadscore._registry import Registry

        if isinstance(model, str) and model.startswith("@") and not {os.sep, os.altsep} & set(model):
            return Registry(_native.registry_folder(self._native)).find(model)
        return Model.load(model) if isinstance(model, (str, os.PathLike)) else model

    @checked
    def score(self, model: Model, *, intervals: bool = False) -> _native.Table:
        """Likelihood, tier and reasons of every open lead.

        Parameters
        ----------
        model : Model
            The model.
        intervals : bool
            Also give the 95 % interval of every likelihood.

        Returns
        -------
        Table
            A row for each open lead, best first, then one for each that was won, with the columns of a score file. Its ``summary`` counts leads
            by tier and by reason, and says what is unlike training.
        """
        return self._native.score(Listener(), _native_of(model), intervals)

    @checked
    def write_list(
        self,
        model: Model,
        path: str | os.PathLike[str],
        *,
        top: int = 100,
        columns: Sequence[str] = (),
        owner: str | None = None,
        previous: str | os.PathLike[str] | None = None,
    ) -> None:
        """Write the best open leads as a list for people, with reasons in words.

        Parameters
        ----------
        model : Model
            The model.
        path : path
            Where to write it: ``.xlsx``, ``.html`` or ``.csv``.
        top : int
            The list has so many leads.
        columns : sequence of str
            Columns of the leads that it shows.
        owner : str, optional
            Column of the leads with the lead's owner: in ``.xlsx`` each has a sheet.
        previous : path, optional
            An earlier score file: the list marks leads that rose, fell or are new.
        """
        if isinstance(columns, str):
            raise TypeError("`columns` is a str, expected a sequence of names")
        before = None if previous is None else Path(previous)
        self._native.write_list(Listener(), _native_of(model), Path(path), top, list(columns), owner, before)

    @checked
    def explain(
        self, model: Model, lead: str | int, *, what_if: Mapping[str, Any] | None = None, since: Moment | None = None
    ) -> Explanation:
        """Why one lead has its score, and what would lift it to the next tier.

        Parameters
        ----------
        model : Model
            The model.
        lead : str or int
            Its id.
        what_if : mapping, optional
            Explain the lead as it would be with other values in columns or features that the model reads, such as
            ``{"seats": 40, "accounts.industry": "retail"}``; None is a missing value.
        since : date or text, optional
            An earlier moment: the explanation then has what changed since, by the same reasons, under ``"since"``.

        Returns
        -------
        Explanation

        Raises
        ------
        KeyError
            There is no such lead.
        ValueError
            The lead is not open, or was not at ``since``; the model reads no such column; both ``since`` and ``what_if``.
        """
        id = _id_of(lead)
        changes = [(name, _cell(value)) for name, value in (what_if or {}).items()]
        found, text = self._native.explain(Listener(), _native_of(model), id, _moment(since), changes)
        return Explanation(json.loads(found), text)

    @checked
    def score_one(self, model: Model, lead: Mapping[str, Any]) -> Explanation:
        """Likelihood, tier and reasons of a lead that is in no table, as of the moment of this view, by default now.

        Parameters
        ----------
        model : Model
            The model.
        lead : mapping
            Columns of the leads by name; ``activities`` with a list of mappings for each table of activities; and ``lookups`` with
            a mapping for each lookup whose row is not to be looked up in its table. Cells are written as in the tables.

        Returns
        -------
        Explanation
            Its tier is told by the edges of ``[tiers]``, or the model's own: one lead has no quartiles.

        Raises
        ------
        ValueError
            A key is unknown, a value is not what the model reads, or the lead is not open.
        """
        found, text = self._native.score_one(Listener(), _native_of(model), json.dumps(_cells(lead)))
        return Explanation(json.loads(found), text)

    @checked
    def contributions(self, model: Model, *, by: Literal["concept", "feature"] = "concept") -> tuple[_native.Table, _native.Table]:
        """What adds up to the score of every open lead, in log-odds.

        Parameters
        ----------
        model : Model
            The model.
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
        return self._native.contributions(Listener(), _native_of(model), by)

    @checked
    def recalibrate(self, model: Model, *, since: Moment | None = None, kind: str | None = None) -> Model:
        """A model whose percentages are recalibrated by outcomes that this one has not seen.

        Parameters
        ----------
        model : Model
            The model, which stays as it is.
        since : moment, optional
            First snapshot to learn from, by default where the model's knowledge ends.
        kind : str, optional
            ``shift``, ``line``, ``beta`` or ``isotonic``; without it, later outcomes decide.

        Returns
        -------
        Model
        """
        from leadscore._model import Model

        return Model(self._native.recalibrate(Listener(), _native_of(model), _moment(since), kind))

    @checked
    def rules(
        self,
        paths: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
        *,
        every_snapshot: bool = False,
        crossings: bool = False,
        roll_up: Literal["max", "sum", "mean"] | None = None,
    ) -> _native.Table:
        """Points by rules, as marketing gives them.

        Parameters
        ----------
        paths : path or sequence of paths
            Files of rules; several give several scores side by side.
        every_snapshot : bool
            Every snapshot at which a lead was open, with its points as of then and its label, in place of the open leads.
        crossings : bool
            Also say when each threshold and stage was reached.
        roll_up : {"max", "sum", "mean"}, optional
            One row an account in place of one a lead.

        Returns
        -------
        Table
        """
        files = _paths("paths", paths)
        if not files:
            raise ValueError("`paths` is empty: expected at least one file of rules")
        return self._native.rules(Listener(), files, every_snapshot, crossings, roll_up)

    @checked
    def export_points(self, model: Model, *, rules: int = 50) -> Points:
        """A model as points that any system can add up, with what that costs.

        Parameters
        ----------
        model : Model
            The model.
        rules : int
            Most rules, 1 to 500.

        Returns
        -------
        Points
        """
        if not 1 <= rules <= _native.MOST_RULES:
            raise ValueError(f"`rules` is {rules}: expected 1 to {_native.MOST_RULES}")
        return Points(self._native.export_points(Listener(), _native_of(model), rules))

    @checked
    def score_sql(self, model: Model, dialect: Dialect, *, places: Mapping[str, str] | None = None) -> str:
        """The model with its features as one SELECT over tables of a database, as of this view's moment, by default that at which
        the statement runs.

        Parameters
        ----------
        model : Model
            The model.
        dialect : str
            ``duckdb``, ``postgres`` or ``spark``.
        places : mapping from table to str, optional
            As in `Data.features_sql`.

        Returns
        -------
        str
        """
        return self._native.score_sql(Listener(), _native_of(model), dialect, dict(places or {}))


# `Data.as_of` has an argument of this name.
_moment = moment


def _frames(
    *,
    leads: Frame | None = None,
    activities: Mapping[str, Frame] | None = None,
    outcomes: Frame | None = None,
    lookups: Mapping[str, Frame] | None = None,
    history: Frame | None = None,
    links: Mapping[str, Frame] | None = None,
    merges: Frame | None = None,
    deleted: Frame | None = None,
) -> dict[str, object]:
    """The frames that are given, by the names of their tables in the config."""
    frames: dict[str, object] = {}
    for name, frame in (("leads", leads), ("outcomes", outcomes), ("history", history), ("merges", merges), ("deleted", deleted)):
        if frame is not None:
            frames[name] = frame
    for group, tables in (("activities", activities), ("lookups", lookups), ("links", links)):
        frames.update(_in_group(group, tables))
    return frames


def _own(frame: object) -> object:
    """The frame, copied where its library lets it be written into: what happens to it later does not reach the data."""
    is_pandas = type(frame).__module__.partition(".")[0] == "pandas"
    return frame.copy() if is_pandas and hasattr(frame, "copy") else frame


def _native_of(model: object, name: str = "model") -> _native.Model:
    """The native half of a model."""
    from leadscore._model import Model

    if not isinstance(model, Model):
        raise TypeError(f"`{name}` is a {type(model).__name__}, expected a leadscore.Model")
    return model._native


def _paths(name: str, given: str | os.PathLike[str] | Sequence[str | os.PathLike[str]]) -> list[Path]:
    """One path or several, as a list; `name` is what the argument is called."""
    several = [given] if isinstance(given, (str, os.PathLike)) else given
    if not isinstance(several, Iterable) or not all(isinstance(path, (str, os.PathLike)) for path in several):
        raise TypeError(f"`{name}` is {given!r}: expected a path or a sequence of paths")
    return [Path(path) for path in several]


def _in_group(group: str, tables: Mapping[str, Frame] | None) -> dict[str, object]:
    """The frames of a group by their names in the config."""
    if tables is not None and not isinstance(tables, Mapping):
        raise TypeError(f"`{group}` is a {type(tables).__name__}, expected a mapping from the names in the config to frames")
    return {f"{group}.{name}": frame for name, frame in (tables or {}).items()}


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


def _id_of(lead: Any) -> str:
    """The id of a lead as a text."""
    # A column of whole numbers is one of floats where it once had a gap.
    if isinstance(lead, float) and lead.is_integer():
        lead = int(lead)
    if not isinstance(lead, (str, int)) and not hasattr(lead, "__index__"):
        raise TypeError(f"`lead` is a {type(lead).__name__}, expected its id as a text or a whole number")
    return lead if isinstance(lead, str) else str(operator.index(lead))
