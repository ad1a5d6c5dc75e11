"""The early read's worlds watched by others: NannyML, Evidently, and a monitor that waits for labels. Run by `cargo xtask bench early`.

Each monitor looks at the end of every week, with its default settings and the 52 weeks before as its reference:

- NannyML: estimated performance (CBPE) by week, ROC AUC, F1 and accuracy at the default thresholds, which are three standard
  deviations of the weeks of the reference. A look is an alarm if one of the three is.
- Evidently: data drift over features and score, by the default verdict, which is that half of the columns drifted. Its reference is the
  last 13 weeks, since a look takes a third of a second otherwise.
- Labels: observed by predicted wins of the leads that were open 13 weeks ago, the first week of which all outcomes are known. A
  week is an alarm three standard deviations from the mean of the reference.

A false alarm is one in any of 104 weeks without a change; a delay counts from the week of the change to the end of the week of the
first alarm after it.
"""
import argparse
import concurrent.futures
import os
import pathlib
import subprocess
import tempfile
import warnings

os.environ |= {"NML_DISABLE_USAGE_LOGGING": "1", "DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1"}
warnings.filterwarnings("ignore")
import numpy as np
import pandas as pd

# Weeks until all outcomes of a week are known.
HORIZON = 13
# Week of the change, among those that are monitored.
CHANGE = 52
COLUMNS = ["probability", "age_weeks", "x1", "x2", "x3", "tier", "source"]


def nannyml_looks(reference, monitored):
    """Whether each monitored week is an alarm."""
    import nannyml

    def weekly(rows):
        # 2024 began on a Monday, as weeks of pandas do.
        start = pd.Timestamp("2024-01-01") + pd.to_timedelta(7 * rows["week"], unit="D")
        return rows.assign(start=start, predicted=(rows["probability"] >= 0.5).astype(int))

    estimator = nannyml.CBPE(
        problem_type="binary",
        y_pred_proba="probability",
        y_pred="predicted",
        y_true="won_90",
        timestamp_column_name="start",
        chunk_period="W",
        metrics=["roc_auc", "f1", "accuracy"],
    )
    estimator.fit(weekly(reference))
    found = estimator.estimate(weekly(monitored).drop(columns="won_90")).filter(period="analysis").to_df()
    return found.xs("alert", axis=1, level=1).any(axis=1).to_numpy()


def evidently_looks(reference, monitored):
    """The same."""
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import DriftedColumnsCount

    kinds = DataDefinition(numerical_columns=COLUMNS[:5], categorical_columns=COLUMNS[5:])
    latest = reference[reference["week"] > reference["week"].max() - HORIZON]
    before = Dataset.from_pandas(latest[COLUMNS].astype({"tier": str, "source": str}), kinds)
    looks = []
    for _, week in monitored.groupby("week", sort=True):
        now = Dataset.from_pandas(week[COLUMNS].astype({"tier": str, "source": str}), kinds)
        # The verdict of `DataDriftPreset`, without its pictures.
        (found,) = Report([DriftedColumnsCount()]).run(now, before).dict()["metrics"]
        looks.append(found["value"]["share"] >= 0.5)
    return np.array(looks)


def label_looks(reference, monitored):
    """The same; what a look sees is `HORIZON` − 1 weeks old."""

    def ratio(rows):
        sums = rows.groupby("week", sort=True)[["won_90", "probability"]].sum()
        return (sums["won_90"] / sums["probability"]).to_numpy()

    usual = ratio(reference)
    alarms = np.abs(ratio(monitored) - usual.mean()) > 3 * usual.std(ddof=1)
    return np.concatenate([np.zeros(HORIZON - 1, dtype=bool), alarms])[: len(alarms)]


MONITORS = {"nannyml": nannyml_looks, "evidently": evidently_looks, "labels": label_looks}


def watch(worlds, kind, seed, monitors):
    """The looks of each monitor at one world."""
    with tempfile.TemporaryDirectory(prefix="early-read-") as folder:
        subprocess.run([worlds, "--csv", folder, "--world", kind, "--seed", str(seed)], check=True)
        reference, monitored = (pd.read_csv(pathlib.Path(folder) / f"{name}.csv", usecols=["week", "won_90", *COLUMNS], engine="pyarrow") for name in ("reference", "monitored"))
    return {name: MONITORS[name](reference, monitored) for name in monitors}


def row_of(kind, name, looks):
    """A row of the table: of quiet worlds how many had an alarm, of others how many were found in time."""
    if kind.startswith("quiet"):
        alarmed = sum(bool(weeks.any()) for weeks in looks)
        mean = np.mean([weeks.mean() for weeks in looks])
        return f"| {name} | {kind} | {len(looks)} | {alarmed / len(looks):.0%} | {mean:.1%} | – | – | – |"
    delays = np.array([np.argmax(weeks[CHANGE:]) + 1 if weeks[CHANGE:].any() else np.inf for weeks in looks])
    before = sum(bool(weeks[:CHANGE].any()) for weeks in looks)
    median = np.median(delays)
    shares = " | ".join(f"{np.mean(delays <= limit):.0%}" for limit in (8, 16))
    return f"| {name} | {kind} | {len(looks)} | {before / len(looks):.0%} | – | {shares} | {median if np.isfinite(median) else 'never'} |"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--worlds", required=True, help="the example `early_worlds` of leadscore-monitoring")
    arguments.add_argument("--kinds", default="quiet,fall-0.7,fall-0.8")
    arguments.add_argument("--n", type=int, default=100, help="worlds of each kind")
    arguments.add_argument("--monitors", default=",".join(MONITORS))
    arguments.add_argument("--processes", type=int, default=1)
    asked = arguments.parse_args()
    monitors = asked.monitors.split(",")
    print("| monitor | world | worlds | with a false alarm | weeks with one | found within 8 weeks | within 16 | median delay, weeks |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    with concurrent.futures.ProcessPoolExecutor(asked.processes) as processes:
        for kind in asked.kinds.split(","):
            jobs = [processes.submit(watch, asked.worlds, kind, seed, monitors) for seed in range(1, asked.n + 1)]
            found = [job.result() for job in jobs]
            for name in monitors:
                print(row_of(kind, name, [looks[name] for looks in found]), flush=True)


if __name__ == "__main__":
    main()
