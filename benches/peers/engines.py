"""The same features and scores by the embedded sweep, DuckDB, Sail and Spark, Parquet to Parquet: wall, CPU, memory, and whether they agree."""
import argparse
import contextlib
import json
import os
import pathlib
import resource
import shutil
import socket
import subprocess
import sys
import threading
import time

import polars as pl
import psutil

sys.path.insert(0, str(pathlib.Path(__file__).parents[2] / "tests" / "engine"))
from servers import Program, free_port  # noqa: E402

# Rows that are compared cell by cell.
AT_MOST = 1_000_000


class Watch:
    """Largest resident memory of a command and its servers with all that they start, and CPU seconds of the servers."""

    def __init__(self, command, *servers):
        self.command, self.servers = command, servers
        self.peak, self.is_done, self.seconds = 0, False, {}
        self.look()
        self.before = sum(self.seconds.values())
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def look(self):
        resident = 0
        for root in (self.command, *self.servers):
            with contextlib.suppress(psutil.NoSuchProcess):
                for process in [psutil.Process(root), *psutil.Process(root).children(recursive=True)]:
                    with contextlib.suppress(psutil.NoSuchProcess):
                        resident += process.memory_info().rss
                        if root != self.command:
                            times = process.cpu_times()
                            self.seconds[process.pid] = times.user + times.system
        self.peak = max(self.peak, resident)

    def run(self):
        while not self.is_done:
            self.look()
            time.sleep(0.02 if not self.servers else 0.2)

    def stop(self):
        self.is_done = True
        self.thread.join()
        self.look()

    def of_servers(self):
        return sum(self.seconds.values()) - self.before


class Failed(Exception):
    """A command ended with an error, which it says."""


def measured(command, servers=(), **more):
    """Wall and CPU seconds and bytes of memory of a command and of the servers that it speaks to."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    begun = time.perf_counter()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **more)
    watch = Watch(process.pid, *servers)
    _, said = process.communicate()
    wall = time.perf_counter() - begun
    watch.stop()
    if process.returncode:
        raise Failed(f"{' '.join(map(str, command))}\n{said}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, watch.of_servers() + after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, watch.peak


def wait_for(port, process, log):
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.2)
    raise RuntimeError(f"no server on port {port}: {log.read_text()[-2000:]}")


@contextlib.contextmanager
def sail(folder, memory):
    """Without a bound it would take all memory of the machine, and this program with it."""
    bound = {"SAIL_RUNTIME__MEMORY_POOL__TYPE": "greedy", "SAIL_RUNTIME__MEMORY_POOL__GREEDY__MAX_SIZE": str(memory * 2**30)}
    server = Program("sail", "spark", "server", "--ip", "127.0.0.1", "--port", "PORT", log=folder / "sail.log", **bound)
    try:
        yield server.port, [server.process.pid]
    finally:
        server.stop()


@contextlib.contextmanager
def spark(folder, memory, home, workers=0):
    """A Connect server over threads of its own, or over a standalone master with workers of one core each."""
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1", "SPARK_WORKER_DIR": str(folder / "work"), "SPARK_LOCAL_DIRS": str(folder / "spill")}
    with contextlib.ExitStack() as stack:
        pids = []

        def start(name, *command):
            log = folder / f"{name}.log"
            out = stack.enter_context(open(log, "wb"))
            process = subprocess.Popen([str(word) for word in command], stdout=out, stderr=subprocess.STDOUT, env=environment, start_new_session=True)
            stack.callback(stop, process)
            pids.append(process.pid)
            return process, log

        master, heap = "local[2]", memory
        settings = []
        if workers:
            port = free_port()
            process, log = start("master", home / "bin/spark-class", "org.apache.spark.deploy.master.Master", "--host", "127.0.0.1", "--port", port, "--webui-port", free_port())
            wait_for(port, process, log)
            for number in range(workers):
                start(f"worker{number}", home / "bin/spark-class", "org.apache.spark.deploy.worker.Worker", "--host", "127.0.0.1", "--port", free_port(), "--webui-port", free_port(),
                      "--cores", "1", "--memory", f"{memory // workers + 1}g", f"spark://127.0.0.1:{port}")
            time.sleep(5)
            master, heap = f"spark://127.0.0.1:{port}", 2
            settings = ["--executor-memory", f"{memory // workers}g", "--executor-cores", "1"]
        port = free_port()
        process, log = start("connect", home / "sbin/start-connect-server.sh", "--wait", "--master", master, "--driver-memory", f"{heap}g", *settings,
                             "--conf", "spark.connect.grpc.binding.address=127.0.0.1", "--conf", f"spark.connect.grpc.binding.port={port}",
                             "--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1", "--conf", "spark.ui.enabled=false")
        wait_for(port, process, log)
        yield port, pids


def stop(process):
    with contextlib.suppress(psutil.NoSuchProcess):
        for child in [*psutil.Process(process.pid).children(recursive=True), process]:
            child.kill()
    process.wait()


def result_of(path):
    """The rows of a result; where they are very many, those of every so manieth lead, which are the same leads in each result."""
    rows = pl.scan_parquet(path / "*.parquet" if path.is_dir() else path)
    n_rows = rows.select(pl.len()).collect().item()
    return n_rows, rows.filter(pl.col("lead_id").hash(seed=1) % max(1, n_rows // AT_MOST) == 0).collect()


def differences(found, expected, keys):
    """How many cells differ at all, and the largest difference of numbers."""
    found, expected = (frame.sort(keys) for frame in (found, expected))
    assert found.height == expected.height, (found.height, expected.height)
    n_differ, largest = 0, 0.0
    for name in expected.columns:
        ours, theirs = expected[name], found[name]
        if ours.dtype.is_numeric() or ours.dtype == pl.Boolean:
            ours, theirs = ours.cast(pl.Float64).fill_null(-1e300), theirs.cast(pl.Float64).fill_null(-1e300)
            if n := int((ours != theirs).sum()):
                n_differ += n
                largest = max(largest, float((ours - theirs).abs().max()))
        else:
            # A moment has a zone here and none there.
            texts = (column.dt.epoch("us") if column.dtype == pl.Datetime else column.cast(pl.String) for column in (ours, theirs))
            n_differ += int((next(texts).ne_missing(next(texts))).sum())
    return n_differ, largest


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--folder", type=pathlib.Path, required=True)
    arguments.add_argument("--leadscore", type=pathlib.Path, required=True)
    arguments.add_argument("--leads", type=int, nargs="+", default=[100_000, 1_000_000])
    arguments.add_argument("--engines", nargs="+", default=["embedded", "duckdb", "sail", "spark", "cluster"])
    arguments.add_argument("--lines", nargs="+", choices=["features", "score", "train"], default=["features", "score", "train"])
    arguments.add_argument("--spark-home", type=pathlib.Path, help="the folder of the package pyspark; without it there is no Spark")
    arguments.add_argument("--memory", type=int, default=10, help="GiB of memory for Sail's operators, and of heap for Spark over all workers")
    args = arguments.parse_args()
    if not args.spark_home and {"spark", "cluster"} & set(args.engines):
        args.engines = [engine for engine in args.engines if engine not in ("spark", "cluster")]
        print("no --spark-home: Spark is left out")
    folder, program = args.folder.resolve(), args.leadscore.resolve()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run([program, "simulate", "--leads", "20000", "--world", "curved", "-o", folder / "small"], check=True, capture_output=True)
    model = folder / "model.leadscore"
    subprocess.run([program, "train", "-c", folder / "small/leadscore.toml", "-o", model], check=True, capture_output=True)
    print(f"{'leads':>10} {'events':>11}  {'line':8}  {'engine':8} {'wall s':>8} {'CPU s':>8} {'GiB':>6} {'us CPU/event':>13}  cells that differ, by at most")
    n_failed = 0
    for n_leads in args.leads:
        crm = folder / str(n_leads)
        subprocess.run([program, "simulate", "--leads", str(n_leads), "--world", "curved", "-o", crm], check=True, capture_output=True)
        events = sum(pl.scan_parquet(crm / f"{name}.parquet").select(pl.len()).collect().item() for name in ("touches", "web_sessions", "sales_activities", "stages"))
        # Halfway through its time most of a CRM is open.
        lines = {line: more for line, more in {"features": ["--model", model], "score": ["--as-of", "2024-10-01"], "train": []}.items() if line in args.lines}
        expected = {}
        for engine in args.engines:
            with contextlib.ExitStack() as stack:
                servers = {"sail": lambda folder: sail(folder, args.memory), "spark": lambda folder: spark(folder, args.memory, args.spark_home), "cluster": lambda folder: spark(folder, args.memory, args.spark_home, workers=2)}
                port, pids = stack.enter_context(servers[engine](crm)) if engine in servers else (None, [])
                for line, more in lines.items():
                    result = crm / f"{line}-{engine}.parquet"
                    config = ["-c", crm / "leadscore.toml"]
                    words = [program, line, *([model] if line == "score" else []), *more, *config, "-o", result]
                    if line == "train" and engine == "duckdb":
                        continue
                    if line == "train" and port:
                        # A fifth of the leads comes here, or as many as at least it takes.
                        words += ["--coded", crm / "coded.parquet", "--sample", str(max(2_000, n_leads // 5))]
                    if engine == "duckdb":
                        statement = by_duckdb(program, line, model, more, config, crm, result)
                        words = [sys.executable, "-c", "import duckdb, sys; duckdb.sql('set threads = 2'); duckdb.sql(open(sys.argv[1]).read())", statement]
                    elif port:
                        words += ["--engine", "spark", "--connect", f"sc://127.0.0.1:{port}"]
                    begins = f"{n_leads:>10,} {events:>11,}  {line:8}  {engine:8}"
                    try:
                        wall, cpu, peak = measured(words, pids, cwd=crm)
                    except Failed as failed:
                        # The others are still of use; in the end it is an error all the same.
                        print(f"{begins} failed: {failed}", flush=True)
                        n_failed += 1
                        continue
                    if line == "train":
                        agreement = compare_models(program, engine, result, config, expected)
                    else:
                        agreement = compare(line, engine, *result_of(result), expected)
                    print(f"{begins} {wall:8.1f} {cpu:8.1f} {peak / 2**30:6.2f} {1e6 * cpu / events:13.2f}  {agreement}", flush=True)
                    if engine != "embedded":
                        shutil.rmtree(result) if result.is_dir() else result.unlink()
        shutil.rmtree(crm)
    if n_failed:
        sys.exit(f"{n_failed} lines failed")


def by_duckdb(program, line, model, more, config, crm, result):
    """A file with the statement that DuckDB is given; its score has no reasons and no percentiles."""
    places = []
    for table, file in (("leads", "leads"), ("outcomes", "deals"), ("activities.touches", "touches"), ("activities.web", "web_sessions"), ("activities.sales", "sales_activities"), ("activities.stages", "stages"), ("lookups.accounts", "accounts")):
        places += ["--place", f"{table}=read_parquet('{crm}/{file}.parquet')"]
    text = crm / "statement.sql"
    dialect = ["--sql", "duckdb"] if line == "features" else ["--dialect", "duckdb", "--features"]
    words = [program, "features"] if line == "features" else [program, "export", "sql", model]
    subprocess.run([*words, *more, *dialect, *config, *places, "-o", text], check=True, capture_output=True)
    text.write_text(f"copy ({text.read_text().rstrip().rstrip(';')}) to '{result}' (format parquet)")
    return text


def compare_models(program, engine, model, config, expected):
    """How near its optimum over all snapshots a fit ended, and how far its scores are from those of the embedded one."""
    exported, scores = model.with_suffix(".json"), model.with_suffix(".scores.parquet")
    subprocess.run([program, "export", "json", model, "-o", exported], check=True, capture_output=True)
    subprocess.run([program, "score", model, *config, "--as-of", "2024-10-01", "-o", scores], check=True, capture_output=True)
    card = json.loads(exported.read_text())["card"]
    certificate = card["certificate"]
    assert certificate["gradient"] <= 1e-9, certificate
    found = pl.read_parquet(scores).filter(pl.col("log_odds").is_not_null()).select("lead_id", "log_odds").sort("lead_id")
    said = f"{card['n_snapshots']:,} snapshots, {certificate['passes']} passes, gradient {certificate['gradient']:.0e}"
    if engine == "embedded":
        expected["train"] = (card["n_snapshots"], found)
        return said
    n_snapshots, wanted = expected["train"]
    assert card["n_snapshots"] == n_snapshots and found["lead_id"].equals(wanted["lead_id"]), said
    return f"{said}; log-odds by {(found['log_odds'] - wanted['log_odds']).abs().mean():.3f} on average"


def compare(line, engine, n_rows, found, expected):
    """What the embedded result has, or how another differs from it."""
    if line == "score":
        found = found.filter(pl.col("log_odds").is_not_null())
    if engine == "embedded":
        expected[line] = found
        return f"{n_rows:,} rows x {len(found.columns)} columns"
    wanted = expected[line]
    if line == "features":
        keys = ["lead_id", "snapshot"]
        found = found.select(wanted.columns)
        # Sums of powers: the last digits are each engine's own.
        decays = [name for name in wanted.columns if ".decay." in name]
        n_differ, _ = differences(found.drop(decays), wanted.drop(decays), keys)
        _, decay = differences(found.select(*keys, *decays), wanted.select(*keys, *decays), keys)
        assert n_differ == 0 and decay < 1e-9, f"{engine}: {n_differ:,} cells differ; decay by {decay}"
        return f"{n_differ:,} of {wanted.height * (len(wanted.columns) - len(decays)):,}; decay by {decay:.0e}"
    _, log_odds = differences(found.select("lead_id", "log_odds"), wanted.select("lead_id", "log_odds"), ["lead_id"])
    said = f"log-odds by {log_odds:.0e}"
    assert log_odds < 1e-12, said
    if engine == "duckdb":
        # Tiers there are by the model's own edges, and closed leads are not among the rows.
        return said
    ranks = ["lead_id", "contact_priority", "percentile"]
    n_ranks, _ = differences(found.select(ranks), wanted.select(ranks), ["lead_id"])
    assert n_ranks == 0, f"{engine}: {n_ranks:,} tiers and percentiles differ"
    return f"{said}; {n_ranks:,} tiers and percentiles"


if __name__ == "__main__":
    main()
