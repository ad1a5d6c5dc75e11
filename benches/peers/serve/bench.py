"""One lead with 200 activities from JSON to likelihood, tier and three reasons, over HTTP: `leadscore serve` beside what a data
team would run. Called by `cargo xtask bench serve`, which makes the environments.

For each server: how soon it answers, its memory, the highest rate at which the 99th percentile stays below a bound, with one and
with two workers, and the times at one rate that all of them hold. The load generator has the other core, or what is left of it.
"""
import argparse
import datetime
import http.client
import json
import math
import pathlib
import subprocess

import bodies
from load import highest_rate, load, request
from server import Server

HERE = pathlib.Path(__file__).resolve().parent


def servers(given, folder):
    """Name, command, readiness, path, body and environment of each server."""
    if given.fastapi:
        uvicorn = given.fastapi.with_name("uvicorn")
        for name, scoring in (("FastAPI, pandas", "pandas"), ("FastAPI, loops by hand", "by_hand")):
            for workers in given.workers:
                command = [uvicorn, "app_fastapi:app", "--port", "PORT", "--workers", workers, "--no-access-log", "--log-level", "warning"]
                yield name, workers, command, "/healthz", "/score", bodies.plain, {"SCORING": scoring}
    if given.mlserver:
        # Without parallel workers the server scores in its own process; with them it scores in others and passes messages.
        for workers in [0, *given.workers]:
            settings = {"HOST": "127.0.0.1", "HTTP_PORT": "PORT", "GRPC_PORT": "0", "METRICS_PORT": "0", "PARALLEL_WORKERS": workers, "DEBUG": "false"}
            # It writes there, by default into the working folder.
            settings |= {"METRICS_DIR": folder / "metrics", "ENVIRONMENTS_DIR": folder / "environments"}
            (folder / "metrics").mkdir(exist_ok=True)
            settings = {f"MLSERVER_{name}": value for name, value in settings.items()}
            command = [given.mlserver.with_name("mlserver"), "start", HERE / "mlserver"]
            yield "MLServer, pandas", workers, command, "/v2/models/leads/ready", "/v2/models/leads/infer", bodies.inference, settings
        for workers in given.workers:
            command = [given.mlserver.with_name("bentoml"), "serve", "service_bentoml:Scores", "--host", "127.0.0.1", "--port", "PORT"]
            quiet = {"BENTOML_DO_NOT_TRACK": "True", "BENTOML_HOME": folder / "bentoml"}
            yield "BentoML, pandas", workers, command, "/readyz", "/score", bodies.plain, {"WORKERS": workers, **quiet}
    if given.serve:
        yield "leadscore", None, given.serve.split(), "/readyz", given.path, bodies.plain, {}


def ask(server, path, body, token=None):
    """One answer, as JSON."""
    connection = http.client.HTTPConnection(*server.address, timeout=30)
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    connection.request("POST", path, body, headers)
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 200, (answer.status, content[:500])
    connection.close()
    answer = json.loads(content)
    return json.loads(answer["outputs"][0]["data"][0]) if "outputs" in answer else answer


def measure(given, folder, leads, name, workers, command, ready, path, body, environment):
    server = Server(command, folder / "server.log", ready, HERE, MODEL=folder / "model.pickle", **environment)
    token = given.token if name == "leadscore" else None
    try:
        requests = [request(f"127.0.0.1:{server.port}", path, body(lead), token=token) for lead in leads]
        answer = ask(server, path, body(leads[0]), token)
        run = lambda rate, seconds=given.seconds: load(server.address, requests, rate, seconds, given.connections)
        run(10, 2)
        best = highest_rate(run, given.bound, 5, given.highest, given.steps)
        rates = {"name": name, "workers": workers, "answer": answer, "ready_after": server.ready_after, "memory": server.memory()}
        if best is not None:
            print(f"{name}, workers {workers}: {json.dumps(best.summary())}", flush=True)
        # The common rate is not known yet, so several are measured.
        rates["at"] = {rate: run(rate, 2 * given.seconds) for rate in given.common if best is not None and rate <= best.rate}
        # What a request costs does not depend on what else the machine does, as times do.
        before, found = server.cpu(), run(min(best.rate if best else 10, 200))
        rates["cpu"] = 1000 * (server.cpu() - before) / max(1, found.succeeded)
        return rates | {"best": best, "memory": max(rates["memory"], server.memory())}
    finally:
        server.stop()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--leadscore", type=pathlib.Path, required=True, help="the command, which simulates a CRM")
    parser.add_argument("--fastapi", type=pathlib.Path, help="the Python of the group `fastapi`")
    parser.add_argument("--mlserver", type=pathlib.Path, help="the Python of the group `mlserver`")
    parser.add_argument("--serve", help="the command of `leadscore serve`, with PORT in place of its port")
    parser.add_argument("--path", default="/v1/score")
    parser.add_argument("--token")
    parser.add_argument("--bound", type=float, default=100, help="milliseconds of the 99th percentile")
    parser.add_argument("--highest", type=float, default=50_000)
    parser.add_argument("--common", type=float, nargs="*", default=[10, 20, 40])
    parser.add_argument("--workers", type=int, nargs="*", default=[1, 2])
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=8)
    parser.add_argument("--steps", type=int, default=9)
    parser.add_argument("--leads", type=int, default=5_000)
    parser.add_argument("--only", default="", help="servers with this in their name")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    folder = given.folder.resolve()
    crm = folder / "crm"
    if not crm.exists():
        subprocess.run([given.leadscore, "simulate", "--leads", str(given.leads), "--format", "csv", "-o", crm], check=True, capture_output=True)
    python = given.fastapi or given.mlserver
    if python and not (folder / "model.pickle").exists():
        subprocess.run([python, HERE / "scoring.py", crm, folder / "model.pickle"], check=True)
    leads = bodies.leads(crm, 500, datetime.datetime.now(datetime.UTC))
    print(f"{len(leads)} leads of {len(bodies.plain(leads[0])):,} bytes, one a request")
    rows = [measure(given, folder, leads, *server) for server in servers(given, folder) if given.only in server[0]]
    of_pandas = [row["answer"]["likelihood"] for row in rows if row["name"] != "leadscore"]
    # A moment passes between two answers.
    assert not of_pandas or max(of_pandas) - min(of_pandas) < 0.01, of_pandas
    print(f"\n| server | workers | ready after s | MB | CPU ms a request | requests a second, p99 ≤ {given.bound:g} ms | p50 ms | p99 ms | p99.9 ms |\n" + "| --- " * 9 + "|")
    for row in rows:
        best = row["best"]
        times = [f"{best.percentile(share):.1f}" for share in (0.5, 0.99, 0.999)] if best else ["–"] * 3
        cells = [row["name"], row["workers"], f"{row['ready_after']:.2f}", f"{row['memory']:.0f}", f"{row['cpu']:.2f}", f"{best.achieved:,.0f}" if best else "–", *times]
        print("|", " | ".join("" if cell is None else str(cell) for cell in cells), "|")
    for rate in given.common:
        print(f"\n| at {rate:g} requests a second | workers | p50 ms | p99 ms | p99.9 ms |\n" + "| --- " * 5 + "|")
        for row in rows:
            found = row["at"].get(rate)
            times = [found.percentile(share) for share in (0.5, 0.99, 0.999)] if found else [math.inf] * 3
            cells = [row["name"], row["workers"], *(f"{time:.2f}" if time < math.inf else "–" for time in times)]
            print("|", " | ".join("" if cell is None else str(cell) for cell in cells), "|")


if __name__ == "__main__":
    main()
