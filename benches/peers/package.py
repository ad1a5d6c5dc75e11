"""What Python adds to the same Rust call, whether frames are copied, and the exported SQL beside the command."""
import argparse
import os
import pathlib
import shutil
import subprocess
import time

import duckdb
import pyarrow.parquet as parquet

import leadscore


def seconds(work):
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def resident():
    """Bytes of memory that this process holds, and held at most."""
    status = pathlib.Path("/proc/self/status").read_text()
    return [int(status.split(f"{name}:")[1].split()[0]) * 1024 for name in ("VmRSS", "VmHWM")]


def overhead(folder, example, leads, rounds):
    config = leadscore.simulate(leads, folder=folder / "crm")
    rust, python = [], []
    for _ in range(rounds):
        said = subprocess.run([example, config], capture_output=True, text=True, check=True).stdout.split()
        rust.append([float(said[0]), float(said[1])])
        trained, model = seconds(lambda: leadscore.train(config=config))
        scored, scores = seconds(lambda: model.score(config=config))
        python.append([trained, scored])
    for what, position in (("train", 0), ("score", 1)):
        ours, theirs = (min(times[position] for times in found) for found in (python, rust))
        print(f"{what}: Python {ours:.2f} s, the same Rust call {theirs:.2f} s, ratio {ours / theirs:.3f} ({leads:,} leads, best of {rounds}, taking turns)")
    print(f"{len(scores):,} rows of scores")


def copies(folder):
    frames = {
        "leads": parquet.read_table(folder / "crm/leads.parquet"),
        "outcomes": parquet.read_table(folder / "crm/deals.parquet"),
        "activities": {name: parquet.read_table(folder / f"crm/{file}.parquet") for name, file in (("touches", "touches"), ("web", "web_sessions"), ("sales", "sales_activities"), ("stages", "stages"))},
        "lookups": {"accounts": parquet.read_table(folder / "crm/accounts.parquet")},
    }
    n_bytes = sum(table.nbytes for table in (frames["leads"], frames["outcomes"], *frames["activities"].values(), *frames["lookups"].values()))
    before = resident()[0]
    took, data = seconds(lambda: leadscore.Data(folder / "crm" / "leadscore.toml", **frames))
    print(f"frames of {n_bytes / 1e6:,.0f} MB taken in {1000 * took:.1f} ms; memory grew by {(resident()[0] - before) / 1e6:,.1f} MB")
    del data


def in_sql(folder, program, rows):
    """A flat export of the simulated leads, many times over: the command and the exported SELECT, Parquet to Parquet."""
    flat = folder / "flat"
    flat.mkdir()
    database = duckdb.connect()
    copies = f"cross join range(1 + {rows} // (select count(*) from '{folder}/crm/leads.parquet')) as copies(copy)"
    database.execute(f"""create view known as select l.* exclude (account_id, created_at, manual_score), d.stage = 'closed_won' as won
        from '{folder}/crm/leads.parquet' l left join '{folder}/crm/deals.parquet' d using (lead_id)""")
    database.execute(f"copy (select * replace (won::varchar as won) from known where won is not null) to '{flat}/known.parquet'")
    database.execute(f"copy (select * replace (lead_id || '-' || copy as lead_id, 'open' as won) from known {copies} limit {rows}) to '{flat}/open.parquet'")
    for name in ("known", "open"):
        (flat / f"{name}.toml").write_text(f'[leads]\npath = "{name}.parquet"\nid = "lead_id"\n[outcomes]\nflag = "won"\nwon = ["true"]\nlost = ["false"]\nopen = ["open"]\n')
    run = lambda *args: subprocess.run([program, *args], cwd=flat, check=True, capture_output=True, text=True)
    run("train", "-c", "known.toml", "-o", "model")
    run("export", "sql", "model", "--dialect", "duckdb", "--table", "'open.parquet'", "--key", "lead_id", "-o", "score.sql")
    ours, _ = seconds(lambda: run("score", "model", "-c", "open.toml", "-o", "scores.parquet"))
    statement = (flat / "score.sql").read_text().rstrip().rstrip(";").replace("'open.parquet'", f"'{flat}/open.parquet'")
    theirs, _ = seconds(lambda: database.execute(f"copy ({statement}) to '{flat}/by_sql.parquet'"))
    n, largest = database.execute(f"select count(*), max(abs(a.log_odds - b.log_odds)) from '{flat}/scores.parquet' a join '{flat}/by_sql.parquet' b using (lead_id)").fetchone()
    print(f"{n:,} leads, Parquet to Parquet: `leadscore score` {ours:.1f} s, with tiers of these leads and reasons; the exported SELECT in DuckDB {theirs:.1f} s, without; largest difference of log-odds {largest:.1e}")
    assert n == rows and largest < 1e-9


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--leadscore", type=pathlib.Path, required=True)
    parser.add_argument("--example", type=pathlib.Path, required=True)
    parser.add_argument("--leads", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--rounds", type=int, default=2)
    given = parser.parse_args()
    shutil.rmtree(given.folder, ignore_errors=True)
    given.folder.mkdir(parents=True)
    overhead(given.folder, given.example, given.leads, given.rounds)
    copies(given.folder)
    in_sql(given.folder, given.leadscore, given.rows)


if __name__ == "__main__":
    main()
