"""The report's arithmetic beside scikit-learn, and rules beside the same rules as SQL in DuckDB, in one run."""
import argparse
import pathlib
import re
import subprocess
import sys
import time

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from sklearn.metrics import roc_auc_score

AS_OF = np.datetime64("2026-01-01T00:00:00", "us")
KINDS = ["page", "form", "email_open", "email_click", "webinar", "call", "meeting"]


def timed(command, cwd=None):
    """Wall seconds, CPU seconds, peak MiB and stdout of a process."""
    done = subprocess.run(["/usr/bin/time", "-f", "%e %U %S %M", *map(str, command)], cwd=cwd, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr)
    wall, user, system, kib = done.stderr.strip().splitlines()[-1].split()
    return float(wall), float(user) + float(system), int(kib) / 1024, done.stdout


def seconds(text, what):
    return float(re.search(rf"{what}\t([\d.]+) s", text).group(1))


def arithmetic(args):
    rng = np.random.default_rng(1)
    scores = rng.random(args.rows)
    labels = rng.random(args.rows) < 0.2 * scores
    peer = []
    for _ in range(args.rounds):
        started = time.process_time()
        roc_auc_score(labels, scores)
        peer.append(time.process_time() - started)
    ours = []
    for _ in range(args.rounds):
        _, _, _, text = timed([args.report_size, args.rows, 1])
        ours.append(seconds(text, "DeLong pair and calibration"))
    print(f"{args.rows:,} rows: AUCs with DeLong of two scores and calibration {min(ours):.3f} s, one thread; scikit-learn's AUC of one "
          f"{min(peer):.3f} s; ratio {min(ours) / min(peer):.2f}", flush=True)
    wall, cpu, mib, text = timed([args.report_size, args.snapshots, args.replicates])
    print(f"{args.snapshots:,} snapshots, {args.replicates:,} replicates: evaluation {seconds(text, 'evaluation')} s, comparison of two scores "
          f"{seconds(text, 'comparison')} s; all {wall:.1f} s wall, {cpu:.1f} CPU s, {mib / 1024:.2f} GiB", flush=True)


def tables(folder, leads, events):
    rng = np.random.default_rng(2)
    ids = pa.array([f"L{number:08d}" for number in range(leads)])
    created = AS_OF - np.timedelta64(400, "D") - rng.integers(0, 300 * 86400, leads).astype("timedelta64[s]")
    roles = np.array(["student", "staff", "manager", "director"])
    columns = {"id": ids, "created": pa.array(created), "role": pa.array(roles[rng.integers(0, 4, leads)]), "seats": pa.array(rng.integers(1, 60, leads))}
    pq.write_table(pa.table(columns), folder / "leads.parquet")
    pq.write_table(pa.table({"id": pa.array([], pa.string()), "closed": pa.array([], pa.timestamp("us"))}), folder / "deals.parquet")
    with pq.ParquetWriter(folder / "events.parquet", pa.schema([("lead", pa.string()), ("at", pa.timestamp("us")), ("kind", pa.string()), ("minutes", pa.float64())])) as writer:
        for start in range(0, events, 5_000_000):
            n = min(5_000_000, events - start)
            at = AS_OF - (rng.random(n) ** 2 * 400 * 86400e6).astype("timedelta64[us]") - np.timedelta64(1, "us")
            kind = pa.DictionaryArray.from_arrays(pa.array(rng.integers(0, len(KINDS), n), pa.int32()), KINDS).cast(pa.string())
            writer.write_table(pa.table({"lead": ids.take(pa.array(rng.integers(0, leads, n))), "at": at, "kind": kind, "minutes": np.round(rng.random(n) * 30)}))
    (folder / "leadscore.toml").write_text("""[leads]
path = "leads.parquet"
id = "id"
created_at = "created"
[activities.events]
path = "events.parquet"
lead = "lead"
at = "at"
kind = ["kind"]
values = ["minutes"]
[outcomes]
path = "deals.parquet"
lead = "id"
closed_at = "closed"
[snapshots]
observation_end = "2026-01-01"
""")


def rules():
    """Forty rules as our file and as SQL over `events` (aggregates) and `leads`."""
    text, aggregates, points = ["[score]\nmin = -200\nmax = 500\n"], [], []

    def rule(name, keys, sql):
        text.append(f'[[rule]]\nname = "{name}"\n{keys}\n')
        points.append(sql)

    rule("student", 'attribute = "role"\nequals = "student"\npoints = -20', "case when role = 'student' then -20 else 0 end")
    rule("decides", 'attribute = "role"\nin = ["manager", "director"]\npoints = 15', "case when role in ('manager', 'director') then 15 else 0 end")
    for number, (low, high) in enumerate([(1, 9), (10, 29), (30, 60)]):
        rule(f"seats {low}", f'attribute = "seats"\nmin = {low}\nmax = {high}\npoints = {number + 1}', f"case when seats between {low} and {high} then {number + 1} else 0 end")
    for number, kind in enumerate(KINDS):
        on = f'activity = "events"\nkind = "{kind}"\n'
        name = f"{kind}_{number}"
        within = lambda days: f"kind = '{kind}' and \"at\" >= as_of - interval {days} day"
        aggregates += [
            f"count(*) filter (where {within(7)}) as {name}_7",
            f"count(*) filter (where {within(30)}) as {name}_30",
            f"count(*) filter (where {within(90)}) as {name}_90",
            f"count(*) filter (where {within(90)} and minutes >= 10) as {name}_long",
            f"sum(pow(0.5, epoch(as_of - \"at\") / 86400.0 / 14)) filter (where kind = '{kind}') as {name}_half",
        ]
        rule(f"{kind} this week", on + 'within = "7d"\npoints = 5', f"case when {name}_7 >= 1 then 5 else 0 end")
        rule(f"{kind} thrice", on + 'within = "30d"\nat_least = 3\npoints = 4', f"case when {name}_30 >= 3 then 4 else 0 end")
        rule(f"{kind} each", on + 'within = "90d"\nwhere = { minutes = { min = 10 } }\nper_event = true\ncap = 10\npoints = 2', f"least(2 * coalesce({name}_long, 0), 10)")
        rule(f"{kind} fading", on + 'per_event = true\nhalf_life = "14d"\npoints = 3', f"3 * coalesce({name}_half, 0)")
        rule(f"no {kind}", on + 'within = "90d"\nat_most = 0\npoints = -2', f"case when coalesce({name}_90, 0) = 0 then -2 else 0 end")
    sql = f"""copy (with seen as (select lead, {', '.join(aggregates)} from (select *, timestamp '2026-01-01' as as_of from 'events.parquet') where "at" < as_of group by lead)
        select id, least(greatest({' + '.join(points)}, -200), 500) as points
        from 'leads.parquet' left join seen on id = lead) to 'duckdb.parquet'"""
    return "".join(text), sql


def points_beside_sql(args):
    folder = args.folder
    tables(folder, args.leads, args.events)
    text, sql = rules()
    (folder / "rules.toml").write_text(text)
    (folder / "run.sql").write_text(sql)
    (folder / "run.py").write_text("import duckdb\nduckdb.execute('set threads = 2')\nduckdb.execute(open('run.sql').read())\n")
    for _ in range(args.rounds):
        ours = timed([args.leadscore, "rules", "score", "rules.toml", "--as-of", "2026-01-01", "-o", "ours.parquet"], folder)
        peer = timed([sys.executable, "run.py"], folder)
        print(f"{args.leads:,} leads, {args.events:,} activities, {text.count('[[rule]]')} rules: leadscore {ours[0]:.1f} s wall, {ours[1]:.1f} CPU s, "
              f"{ours[2] / 1024:.2f} GiB; the same as SQL in DuckDB {peer[0]:.1f} s, {peer[1]:.1f} CPU s, {peer[2] / 1024:.2f} GiB", flush=True)
    gap, n = duckdb.execute(f"select max(abs(a.points - b.points)), count(*) from '{folder}/ours.parquet' a join '{folder}/duckdb.parquet' b using (id)").fetchone()
    if n != args.leads or gap > 1e-6:
        raise SystemExit(f"points differ by up to {gap} over {n} leads")
    print(f"points equal within {gap:.1e} for all {n:,} leads")


parser = argparse.ArgumentParser()
parser.add_argument("--leadscore", type=pathlib.Path, required=True)
parser.add_argument("--report-size", type=pathlib.Path, required=True)
parser.add_argument("--folder", type=pathlib.Path, required=True)
parser.add_argument("--rows", type=int, default=1_000_000)
parser.add_argument("--snapshots", type=int, default=5_000_000)
parser.add_argument("--replicates", type=int, default=2_000)
parser.add_argument("--leads", type=int, default=1_000_000)
parser.add_argument("--events", type=int, default=50_000_000)
parser.add_argument("--rounds", type=int, default=3)
arguments = parser.parse_args()
arguments.folder.mkdir(parents=True, exist_ok=True)
arithmetic(arguments)
points_beside_sql(arguments)
