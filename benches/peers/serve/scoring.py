"""What a data team would write to score leads over HTTP: features in pandas, a logistic pipeline of scikit-learn, and the
largest contributions as reasons. All peers score with this module.

`python scoring.py FOLDER MODEL` trains on the tables that `leadscore simulate --format csv` wrote into a folder.

`score` computes features with pandas, by the function that training used. `score_by_hand` computes the same features and the
same numbers in loops over dictionaries: the fastest that this model can be in Python without a second feature store.
"""
import datetime
import json
import math
import pathlib
import pickle
import sys

import numpy as np
import pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

WINDOWS = (7, 30, 90)
# The column of a table that says what happened; a session has no kind.
KIND_COLUMNS = {"touches": "touch_type", "web": None, "sales": "activity_type", "stages": "stage"}
FILES = {"touches": "touches", "web": "web_sessions", "sales": "sales_activities", "stages": "stages"}
VALUES = ("page_views", "minutes")
KINDS = (
    "email_open", "email_click", "form_submit", "webinar", "unsubscribe",
    "web", "call", "meeting", "demo", "proposal", "stage qualified", "stage proposal",
)  # fmt: skip
CATEGORIES = ("source", "role", "free_mail", "industry", "employees", "country")
NUMBERS = ("seats", "first_pages", "age")
HORIZON = 90
# Days since what has not happened.
NEVER = 365.0
TIERS = ((0.95, "Very high"), (0.8, "High"), (0.5, "Medium"), (0.0, "Low"))
NAMES = [
    *NUMBERS,
    *(f"{kind} within {window} days" for kind in KINDS for window in WINDOWS),
    *(f"{value} within {window} days" for value in VALUES for window in WINDOWS),
    *(f"days since {kind}" for kind in KINDS),
    "days since anything",
]


def numbers(leads, events):
    """Features of leads at their moments: `leads` has `created_at` and `as_of`, and `events` has `row` (the position of its
    lead), `at`, `kind`, and the values of sessions."""
    row, n = events["row"].to_numpy(), len(leads)
    days = (leads["as_of"].to_numpy()[row] - events["at"].to_numpy()) / np.timedelta64(1, "D")
    events = events.assign(days=days)
    events = events[events["days"] > 0]
    columns = {
        "seats": leads["seats"],
        "first_pages": leads["first_pages"],
        "age": (leads["as_of"] - leads["created_at"]) / np.timedelta64(1, "D"),
    }
    for window in WINDOWS:
        recent = events[events["days"] <= window]
        counts = recent.groupby(["row", "kind"]).size().unstack(fill_value=0).reindex(index=range(n), columns=KINDS, fill_value=0)
        columns |= {f"{kind} within {window} days": counts[kind] for kind in KINDS}
        sums = recent.groupby("row")[list(VALUES)].sum().reindex(range(n), fill_value=0)
        columns |= {f"{value} within {window} days": sums[value] for value in VALUES}
    last = events.groupby(["row", "kind"])["days"].min().unstack().reindex(index=range(n), columns=KINDS)
    columns |= {f"days since {kind}": last[kind] for kind in KINDS}
    columns["days since anything"] = last.min(axis=1)
    columns = {name: column.fillna(NEVER) if name.startswith("days since") else column for name, column in columns.items()}
    return pd.DataFrame(columns)[NAMES]


def events_of(tables):
    """One table of all activities, from a table each."""
    frames = []
    for name, frame in tables.items():
        column = KIND_COLUMNS[name]
        kind = name if column is None else frame[column]
        frames.append(frame.assign(kind="stage " + kind if name == "stages" else kind))
    events = pd.concat(frames, ignore_index=True)
    for value in VALUES:
        if value not in events:
            events[value] = 0.0
    return events


def train(folder):
    """A pipeline, and the edges of the tiers, from monthly snapshots of the leads that were open."""
    folder = pathlib.Path(folder)
    times = {"leads": "created_at", "deals": "closed_at", "stages": "entered_at"}

    def read(name):
        frame, time = pd.read_csv(folder / f"{name}.csv"), times.get(name, "at")
        # A few times are days without an hour.
        return frame.assign(**{time: pd.to_datetime(frame[time], utc=True, format="ISO8601")})

    leads = read("leads").merge(pd.read_csv(folder / "accounts.csv"), on="account_id", how="left")
    leads["free_mail"] = leads["free_mail"].astype(str).str.lower()
    leads = leads.merge(read("deals")[["lead_id", "stage", "closed_at"]], on="lead_id", how="left")
    tables = {name: read(file).rename(columns={"entered_at": "at"}) for name, file in FILES.items()}
    tables["stages"] = tables["stages"][tables["stages"]["stage"].isin(["qualified", "proposal"])]
    activities = events_of(tables)
    moments = pd.date_range("2024-02-01", "2025-09-01", freq="MS", tz="UTC")
    parts = []
    for moment in moments:
        is_open = (leads["created_at"] < moment) & ~(leads["closed_at"] <= moment)
        rows = leads[is_open].reset_index(drop=True).assign(as_of=moment)
        rows["won"] = (rows["stage"] == "closed_won") & (rows["closed_at"] <= moment + pd.Timedelta(days=HORIZON))
        events = activities.merge(rows[["lead_id"]].reset_index(names="row"), on="lead_id")
        parts.append(pd.concat([numbers(naive(rows), naive(events)), rows[[*CATEGORIES, "won"]]], axis=1))
    table = pd.concat(parts, ignore_index=True)
    pipeline = Pipeline([
        ("columns", ColumnTransformer([
            ("numbers", Pipeline([("missing", SimpleImputer(strategy="median")), ("scale", StandardScaler())]), NAMES),
            ("categories", OneHotEncoder(handle_unknown="ignore", sparse_output=False), list(CATEGORIES)),
        ])),
        ("model", LogisticRegression(max_iter=5000)),
    ])  # fmt: skip
    pipeline.fit(table.drop(columns="won"), table["won"])
    likelihoods = pipeline.predict_proba(table.drop(columns="won"))[:, 1]
    edges = [(float(np.quantile(likelihoods, share)), tier) for share, tier in TIERS]
    return {"pipeline": pipeline, "edges": edges, "snapshots": len(table), "won": float(table["won"].mean())}


def naive(frame):
    """Times without their zone, which numpy does not know."""
    zoned = frame.select_dtypes("datetimetz").columns
    return frame.assign(**{name: frame[name].dt.tz_localize(None) for name in zoned})


class Scorer:
    def __init__(self, path):
        with open(path, "rb") as file:
            kept = pickle.load(file)
        self.columns, self.model = kept["pipeline"]["columns"], kept["pipeline"]["model"]
        self.edges = kept["edges"]
        names = self.columns.get_feature_names_out()
        self.names = [name.split("__", 1)[1] for name in names]
        self.coefficients = self.model.coef_[0]
        self.medians = self.columns.named_transformers_["numbers"]["missing"].statistics_.tolist()
        scale = self.columns.named_transformers_["numbers"]["scale"]
        n = len(NAMES)
        self.slopes = (self.coefficients[:n] / scale.scale_).tolist()
        self.centers = scale.mean_.tolist()
        encoder = self.columns.named_transformers_["categories"]
        self.levels, at = [], n
        for name, levels in zip(CATEGORIES, encoder.categories_):
            self.levels.append((name, {level: (f"{name}_{level}", float(self.coefficients[at + i])) for i, level in enumerate(levels)}))
            at += len(levels)
        self.intercept = float(self.model.intercept_[0])

    def score(self, lead, as_of=None):
        """The answer for a lead with its activities, by pandas and scikit-learn."""
        moment = pd.Timestamp(as_of or datetime.datetime.now(datetime.UTC))
        account = lead.get("lookups", {}).get("accounts", {})
        row = {name: lead.get(name, account.get(name)) for name in (*CATEGORIES, "seats", "first_pages", "created_at")}
        leads = pd.DataFrame([row]).assign(as_of=moment)
        leads[["seats", "first_pages"]] = leads[["seats", "first_pages"]].astype(float)
        leads["created_at"] = pd.to_datetime(leads["created_at"], utc=True)
        leads["free_mail"] = leads["free_mail"].astype(str).str.lower()
        tables = {name: pd.DataFrame(rows) for name, rows in lead["activities"].items() if rows}
        if tables:
            events = events_of({name: frame.rename(columns={"entered_at": "at"}) for name, frame in tables.items()})
            events["at"] = pd.to_datetime(events["at"], utc=True, format="ISO8601")
        else:
            events = pd.DataFrame({"at": pd.to_datetime([], utc=True), "kind": [], **{value: [] for value in VALUES}})
        events["row"] = 0
        table = pd.concat([numbers(naive(leads), naive(events)), leads[list(CATEGORIES)]], axis=1)
        encoded = self.columns.transform(table)
        probability = float(self.model.predict_proba(encoded)[0, 1])
        contributions = encoded[0] * self.coefficients
        largest = np.argsort(-np.abs(contributions))[:3]
        return self.answer(lead, probability, [(self.names[i], float(contributions[i])) for i in largest])

    def score_by_hand(self, lead, as_of=None):
        """The same answer without pandas and scikit-learn."""
        moment = (as_of or datetime.datetime.now(datetime.UTC)).timestamp()
        parse = datetime.datetime.fromisoformat
        account = lead.get("lookups", {}).get("accounts", {})
        counts = {(kind, window): 0 for kind in KINDS for window in WINDOWS}
        sums = {(value, window): 0.0 for value in VALUES for window in WINDOWS}
        last = dict.fromkeys(KINDS)
        for table, rows in lead["activities"].items():
            column = KIND_COLUMNS[table]
            for row in rows:
                days = (moment - parse(row.get("at") or row["entered_at"]).timestamp()) / 86400
                kind = table if column is None else "stage " + row[column] if table == "stages" else row[column]
                if days <= 0 or kind not in last:
                    continue
                if last[kind] is None or days < last[kind]:
                    last[kind] = days
                for window in WINDOWS:
                    if days <= window:
                        counts[kind, window] += 1
                        if column is None:
                            for value in VALUES:
                                sums[value, window] += row[value]
        known = [days for days in last.values() if days is not None]
        age = (moment - parse(lead["created_at"]).timestamp()) / 86400
        since = [NEVER if days is None else days for days in (*last.values(), min(known, default=None))]
        values = [lead["seats"], lead["first_pages"], age, *counts.values(), *sums.values(), *since]
        terms = [
            ((median if value is None else value) - center) * slope
            for value, median, center, slope in zip(values, self.medians, self.centers, self.slopes)
        ]
        contributions = list(zip(NAMES, terms))
        for name, levels in self.levels:
            level = lead.get(name, account.get(name))
            found = levels.get(str(level).lower() if name == "free_mail" else level)
            if found:
                contributions.append(found)
        log_odds = self.intercept + math.fsum(term for _, term in contributions)
        contributions.sort(key=lambda term: -abs(term[1]))
        return self.answer(lead, 1 / (1 + math.exp(-log_odds)), contributions[:3])

    def answer(self, lead, probability, reasons):
        return {
            "lead_id": lead.get("lead_id"),
            "likelihood": 100 * probability,
            "tier": next((tier for edge, tier in self.edges if probability >= edge), "Low"),
            "reasons": [{"feature": name, "contribution": contribution} for name, contribution in reasons],
        }


def main():
    folder, path = sys.argv[1:]
    kept = train(folder)
    with open(path, "wb") as file:
        pickle.dump(kept, file)
    print(json.dumps({"snapshots": kept["snapshots"], "won": kept["won"], "edges": kept["edges"]}))


if __name__ == "__main__":
    main()
