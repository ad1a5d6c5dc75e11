"""Features of events at snapshots, by leadscore and by its peers: the same 16 numbers, checked cell by cell.

Called by `cargo xtask bench features`, which builds the environment. All times are CPU seconds of all threads, over tables
that are in memory already; the job from Parquet to Parquet is timed as a whole process.
"""
import argparse, json, os, subprocess, sys, time

import duckdb, numpy as np, pandas as pd, polars as pl

from picture import picture

WINDOWS = [7, 30, 90]
KINDS = ["page", "mail", "call"]
AGES = [90, 120, 150]
CONFIG = """[leads]
path = "leads.parquet"
id = "lead_id"
created_at = "created_at"

[activities.e]
path = "events.parquet"
lead = "lead_id"
at = "at"
kind = ["kind"]
values = ["value"]

[outcomes]
path = "deals.parquet"
lead = "lead_id"
closed_at = "won_at"

[snapshots]
ages = [{ages}]
horizon = "30d"
observation_end = "2025-12-31"
from = "2024-01-01"

[data]
slow_closings = 1.0

[features]
families = ["counts", "values", "recency"]
windows = ["7d", "30d", "90d"]
only = [{only}]
"""


def names():
    """The 16 features: three windows of five statistics, and the recency."""
    found = []
    for window in WINDOWS:
        found += [f"e.count.{window}d", *(f"e.{kind}.count.{window}d" for kind in KINDS), f"e.sum_value.{window}d"]
    return found + ["e.recency"]


def make(folder, leads, events, ages):
    """Leads, events in order of time as a log has them, and deals; the same for the same numbers."""
    os.makedirs(folder, exist_ok=True)
    c = duckdb.connect()
    c.execute(f"""copy (select printf('L%09d', i) as lead_id, timestamp '2024-01-01' + to_microseconds((hash(i * 7 + 1) % 17280000000000)::bigint) as created_at
        from range({leads}) t(i)) to '{folder}/leads.parquet' (format parquet)""")
    c.execute(f"""copy (select printf('L%09d', (hash(i) % {leads})::bigint) as lead_id,
        timestamp '2024-01-01' + to_microseconds((i * (31536000000000.0 / {events}))::bigint) as at,
        ['page', 'mail', 'call'][1 + (hash(i * 3 + 5) % 3)::int] as kind, ((hash(i * 11 + 2) % 1000) / 8.0)::double as value
        from range({events}) t(i)) to '{folder}/events.parquet' (format parquet)""")
    c.execute(f"""copy (select printf('L%09d', i) as lead_id, timestamp '2025-06-01' + to_microseconds((hash(i * 7 + 3) % 8640000000000)::bigint) as won_at
        from range({leads}) t(i) where hash(i * 13) % 10 = 0) to '{folder}/deals.parquet' (format parquet)""")
    with open(f"{folder}/leadscore.toml", "w") as file:
        file.write(CONFIG.format(ages=", ".join(f'"{age}d"' for age in ages), only=", ".join(f'"{name}"' for name in names())))


def snapshots_sql(folder, ages):
    union = " union all ".join(f"select lead_id, created_at + interval {age} day as snapshot from '{folder}/leads.parquet'" for age in ages)
    return f"select * from ({union})"


def duck_features():
    """The 16 features as aggregates over events `e` joined to snapshots `s`."""
    columns = []
    for window in WINDOWS:
        inside = f"e.at >= s.snapshot - interval {window} day"
        columns.append(f'count(*) filter ({inside}) as "e.count.{window}d"')
        columns += [f"count(*) filter ({inside} and e.kind = '{kind}') as \"e.{kind}.count.{window}d\"" for kind in KINDS]
        columns.append(f'coalesce(sum(e.value) filter ({inside}), 0) as "e.sum_value.{window}d"')
    columns.append('epoch_us(s.snapshot - max(e.at)) / 86400e6 as "e.recency"')
    return ", ".join(columns)


def timed(run):
    start, wall = time.process_time(), time.perf_counter()
    result = run()
    return result, time.process_time() - start, time.perf_counter() - wall


def by_duckdb(folder, ages):
    c = duckdb.connect()
    c.execute(f"create table e as from '{folder}/events.parquet'; create table s as {snapshots_sql(folder, ages)}")
    query = f"""create table f as select s.lead_id, s.snapshot, {duck_features()} from s join e on e.lead_id = s.lead_id and e.at < s.snapshot group by s.lead_id, s.snapshot"""
    _, cpu, wall = timed(lambda: c.execute(query))
    filled = ", ".join(f'coalesce("{name}", 0) as "{name}"' if name != "e.recency" else f'"{name}"' for name in names())
    return c.sql(f"select lead_id, snapshot, {filled} from s left join f using (lead_id, snapshot)").pl(), cpu, wall


def by_duckdb_asof(folder, ages):
    """Running sums, then one ASOF join for each window edge."""
    c = duckdb.connect()
    c.execute(f"create table e as from '{folder}/events.parquet'; create table s as {snapshots_sql(folder, ages)}")
    running = ["count(*) over w as n", *(f"count(*) filter (kind = '{kind}') over w as n_{kind}" for kind in KINDS), "sum(value) over w as v"]
    parts = ["n", *(f"n_{kind}" for kind in KINDS), "v"]
    edges = [0, *WINDOWS]

    def run():
        c.execute(f"""create table r as select lead_id, "at", {', '.join(running)} from e
            window w as (partition by lead_id order by "at" range between unbounded preceding and current row)""")
        source = "s"
        for edge in edges:
            columns = ", ".join(f"coalesce(r.{part}, 0) as {part}_{edge}" for part in parts)
            source = f"""(select b.*, {columns}, r.at as at_{edge} from {source} b asof left join r on b.lead_id = r.lead_id and r.at < b.snapshot - interval {edge} day)"""
        found = []
        for window in WINDOWS:
            labels = [f"e.count.{window}d", *(f"e.{kind}.count.{window}d" for kind in KINDS), f"e.sum_value.{window}d"]
            found += [f'{part}_0 - {part}_{window} as "{label}"' for part, label in zip(parts, labels)]
        c.execute(f"""create table f as select lead_id, snapshot, {', '.join(found)}, epoch_us(snapshot - at_0) / 86400e6 as "e.recency" from {source}""")

    _, cpu, wall = timed(run)
    return c.sql("from f").pl(), cpu, wall


def by_polars(folder, ages):
    """Running sums, and `join_asof` at both edges of each window."""
    e = pl.read_parquet(f"{folder}/events.parquet")
    s = duckdb.sql(snapshots_sql(folder, ages)).pl()

    def run():
        parts = [pl.int_range(1, pl.len() + 1).over("lead_id").alias("n"), *((pl.col("kind") == kind).cum_sum().over("lead_id").alias(f"n_{kind}") for kind in KINDS),
            pl.col("value").cum_sum().over("lead_id").alias("v")]
        r = e.sort("at").with_columns(parts).select("lead_id", "at", "n", *(f"n_{kind}" for kind in KINDS), "v")
        found = s
        for edge in [0, *WINDOWS]:
            left = found.with_columns(edge=pl.col("snapshot") - pl.duration(days=edge)).sort("edge")
            right = r.rename({name: f"{name}_{edge}" for name in r.columns if name != "lead_id"})
            found = left.join_asof(right, left_on="edge", right_on=f"at_{edge}", by="lead_id", allow_exact_matches=False, coalesce=False, check_sortedness=False)
        columns = []
        for window in WINDOWS:
            labels = {"n": f"e.count.{window}d", **{f"n_{kind}": f"e.{kind}.count.{window}d" for kind in KINDS}, "v": f"e.sum_value.{window}d"}
            columns += [(pl.col(f"{part}_0").fill_null(0).cast(pl.Float64) - pl.col(f"{part}_{window}").fill_null(0)).alias(label) for part, label in labels.items()]
        recency = (pl.col("snapshot") - pl.col("at_0")).dt.total_microseconds() / 86400e6
        return found.select("lead_id", "snapshot", *columns, recency.alias("e.recency"))

    return timed(run)


def by_pandas(folder, ages):
    """The same running sums, and `merge_asof`."""
    e = pd.read_parquet(f"{folder}/events.parquet").astype({"at": "datetime64[us]"})
    s = duckdb.sql(snapshots_sql(folder, ages)).df().astype({"snapshot": "datetime64[us]"})

    def run():
        r = e.sort_values("at", kind="stable")
        g = r.groupby("lead_id", sort=False)
        r = r.assign(n=g.cumcount() + 1, v=g["value"].cumsum(), **{f"n_{kind}": (r["kind"] == kind).astype("int64").groupby(r["lead_id"], sort=False).cumsum() for kind in KINDS})
        parts = ["n", *(f"n_{kind}" for kind in KINDS), "v"]
        r = r[["lead_id", "at", *parts]]
        found = s
        for edge in [0, *WINDOWS]:
            left = found.assign(edge=(found["snapshot"] - pd.Timedelta(days=edge)).astype("datetime64[us]")).sort_values("edge")
            right = r.rename(columns={name: f"{name}_{edge}" for name in r.columns if name != "lead_id"})
            found = pd.merge_asof(left, right, left_on="edge", right_on=f"at_{edge}", by="lead_id", allow_exact_matches=False)
        out = found[["lead_id", "snapshot"]].copy()
        for window in WINDOWS:
            labels = {"n": f"e.count.{window}d", **{f"n_{kind}": f"e.{kind}.count.{window}d" for kind in KINDS}, "v": f"e.sum_value.{window}d"}
            for part, label in labels.items():
                out[label] = found[f"{part}_0"].fillna(0) - found[f"{part}_{window}"].fillna(0)
        out["e.recency"] = (found["snapshot"] - found["at_0"]).dt.total_seconds() / 86400
        return out

    out, cpu, wall = timed(run)
    return pl.from_pandas(out), cpu, wall


def by_featuretools(folder, ages, rows):
    """A sample of cutoffs, one call a window: CPU seconds a cutoff, for the running time of all of them."""
    import warnings

    import featuretools as ft
    warnings.filterwarnings("ignore")
    e = pd.read_parquet(f"{folder}/events.parquet").reset_index(names="event_id")
    leads = pd.read_parquet(f"{folder}/leads.parquet")
    s = duckdb.sql(f"{snapshots_sql(folder, ages)} order by hash(lead_id), snapshot limit {rows}").df().rename(columns={"snapshot": "time"})

    es = ft.EntitySet("crm")
    try:
        es.add_dataframe(dataframe_name="leads", dataframe=leads, index="lead_id", time_index="created_at")
        es.add_dataframe(dataframe_name="events", dataframe=e, index="event_id", time_index="at")
        es.add_relationship("leads", "lead_id", "events", "lead_id")
        arguments = dict(entityset=es, target_dataframe_name="leads", cutoff_time=s, agg_primitives=["count", "sum"], trans_primitives=[], max_depth=1, include_cutoff_time=False)
        _, cpu, _ = timed(lambda: [ft.dfs(training_window=f"{window} days", **arguments) for window in WINDOWS])
    except Exception as error:  # a comparison that its own dependencies break should not hide the others
        return f"does not run here: {type(error).__name__}: {str(error)[:80]}"
    return cpu / rows


def compare(ours, theirs, who):
    """Every cell equal: counts to the bit, sums and days within 1e-9 (their sums are floating-point)."""
    keys = ["lead_id", "snapshot"]
    theirs = theirs.with_columns(pl.col("snapshot").cast(pl.Datetime("us")))
    both = ours.join(theirs, on=keys, how="inner", suffix="_theirs")
    assert both.height == ours.height == theirs.height, f"{who}: {both.height} rows of {ours.height} and {theirs.height} in common"
    for name in names():
        a, b = both[name].cast(pl.Float64).to_numpy(), both[f"{name}_theirs"].cast(pl.Float64).to_numpy()
        wrong = ~((np.abs(a - b) <= 1e-9 * np.maximum(1, np.abs(a))) | (np.isnan(a) & np.isnan(b)))
        assert not wrong.any(), f"{who}: {name} differs in {wrong.sum()} of {len(a)} cells"


# A process begins with the memory of the one that made it: a small one in between keeps that out of the peak.
MEASURE = """
import json, os, resource, subprocess, sys, time
start = time.perf_counter()
done = subprocess.Popen(sys.argv[1:], stdout=subprocess.DEVNULL)
_, status, usage = os.wait4(done.pid, 0)
print(json.dumps([time.perf_counter() - start, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 2**20]))
sys.exit(status != 0)
"""


def process(command):
    """Runs a process; wall and CPU seconds and peak GiB."""
    done = subprocess.run([sys.executable, "-S", "-c", MEASURE, *command], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{command} failed: {done.stderr}")
    return json.loads(done.stdout)


DUCK_FILE = """
import duckdb, sys
folder, memory, query = sys.argv[1:4]
c = duckdb.connect()
c.execute("set preserve_insertion_order = false")
c.execute(f"set temp_directory = '{folder}/duckdb-temp'")
if memory: c.execute(f"set memory_limit = '{memory}'")
c.execute(query)
"""


def duck_file(folder, memory):
    age = AGES[0]
    query = f"""copy (with s as (select l.lead_id, l.created_at + interval {age} day as snapshot,
          coalesce(d.won_at < l.created_at + interval {age + 30} day, false)::int as label
        from '{folder}/leads.parquet' l left join '{folder}/deals.parquet' d using (lead_id)),
      f as (select s.lead_id, s.snapshot, {duck_features()} from s join '{folder}/events.parquet' e on e.lead_id = s.lead_id and e.at < s.snapshot group by s.lead_id, s.snapshot)
      select s.*, f.* exclude (lead_id, snapshot) from s left join f using (lead_id, snapshot)) to '{folder}/duckdb.parquet' (format parquet)"""
    return process([sys.executable, "-c", DUCK_FILE, folder, memory, query])


def in_memory(args):
    folder = f"{args.folder}/memory"
    make(folder, args.leads, args.events, AGES)
    out = subprocess.run([args.sweep, f"{folder}/leadscore.toml", f"{folder}/ours.parquet", str(args.rounds)], check=True, capture_output=True, text=True).stdout
    ours_cpu = json.loads(out)
    # The clock goes in hundredths; a tiny run takes less than one.
    ours_cpu["cpu"] = max(ours_cpu["sort"] + ours_cpu["sweep"], 0.01)
    ours = pl.read_parquet(f"{folder}/ours.parquet").drop("label", "mature")
    rows = [(f"leadscore: sort {ours_cpu['sort']:.2f}, sweep {ours_cpu['sweep']:.2f}", ours_cpu["cpu"], None)]
    best = None
    for who, run in [("DuckDB: range join", by_duckdb), ("DuckDB: ASOF", by_duckdb_asof), ("Polars: dual join_asof", by_polars), ("pandas: merge_asof", by_pandas)]:
        found, cpu, _ = run(folder, AGES)
        compare(ours, found, who)
        best = min(best or cpu, cpu)
        rows.append((who, cpu, "equal"))
    print(f"\n{args.events:,} events, {ours.height:,} snapshots, 16 features, tables in memory\n\n| who | CPU s | against leadscore | cells |\n| --- | --- | --- | --- |")
    for who, cpu, equal in rows:
        print(f"| {who} | {cpu:.3f} | {cpu / ours_cpu['cpu']:.1f} | {equal or 'reference'} |")
    each = by_featuretools(folder, AGES, min(args.featuretools, ours.height))
    if isinstance(each, str):
        print(f"| featuretools | {each} | | |")
    else:
        print(f"| featuretools, extrapolated from {args.featuretools} snapshots | {each * ours.height:,.0f} | {each * ours.height / ours_cpu['cpu']:,.0f} | not compared |")
    return best / ours_cpu["cpu"]


def from_files(args):
    """Parquet to Parquet, at growing sizes: ours, ours under 2 GB, DuckDB, DuckDB under 2 GB."""
    points = []
    print("\nParquet to Parquet, a tenth as many leads as events, one snapshot each\n\n| events | who | wall s | CPU s | peak GiB | CPU µs an event |\n| --- | --- | --- | --- | --- | --- |")
    for events in args.sizes:
        folder = f"{args.folder}/{events}"
        make(folder, max(events // 10, 100), events, AGES[:1])
        ours = [args.leadscore, "features", "-c", f"{folder}/leadscore.toml", "-o", f"{folder}/ours.parquet"]
        runs = [("leadscore", lambda: process(ours)), ("leadscore, 2 GB", lambda: process([*ours, "--memory", "2GB"])), ("DuckDB", lambda: duck_file(folder, "")), ("DuckDB, 2 GB", lambda: duck_file(folder, "2GB"))]
        for who, run in runs:
            wall, cpu, peak = run()
            print(f"| {events:,} | {who} | {wall:.1f} | {cpu:.1f} | {peak:.2f} | {1e6 * cpu / events:.2f} |", flush=True)
            points.append((who, events, 1e6 * cpu / events))
        a, b = pl.read_parquet(f"{folder}/ours.parquet").drop("mature"), pl.read_parquet(f"{folder}/duckdb.parquet")
        filled = b.with_columns(pl.col(name).fill_null(0) for name in names() if name != "e.recency")
        compare(a, filled, "DuckDB")
        survey = process([args.leadscore, "features", "-c", f"{folder}/leadscore.toml", "--describe", "--memory", "2GB"])
        size = os.path.getsize(f"{folder}/events.parquet")
        print(f"| {events:,} | (read, split and sort alone) | {survey[0]:.1f} | {survey[1]:.1f} | {survey[2]:.2f} | {1e6 * survey[1] / events:.2f}; {size / events:.1f} bytes read an event |", flush=True)
    if args.picture:
        picture(points, args.picture, "events", "CPU µs an event")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", required=True)
    parser.add_argument("--leadscore", required=True)
    parser.add_argument("--sweep", required=True)
    parser.add_argument("--leads", type=int, default=100_000)
    parser.add_argument("--events", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--featuretools", type=int, default=100)
    parser.add_argument("--sizes", type=int, nargs="*", default=[1_000_000, 10_000_000, 100_000_000])
    parser.add_argument("--picture")
    args = parser.parse_args()
    in_memory(args)
    from_files(args)
