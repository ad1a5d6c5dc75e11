"""SIGTERM while clients ask: every request that the server had taken is answered, and then nobody listens.

`python stop.py --body LEAD.json --rate 500 -- leadscore serve … PORT …`. A request is dropped where it was sent before the signal and
its connection ended without an answer. One that was sent after the signal, on a connection that the server was just closing, crossed
with the end of the connection: HTTP cannot prevent that, and clients send it again; such requests are counted apart. So are those
that found nobody listening.
"""
import argparse
import collections
import json
import pathlib
import signal
import sys
import threading
import time

from load import measure, request
from server import Server


def one_round(given, body):
    server = Server(given.command, given.log, given.ready)
    try:
        one = request(f"127.0.0.1:{server.port}", given.path, body, token=given.token)
        sent, dropped, counts = {}, [], collections.Counter()
        at = {"signal": None, "exit": None}

        def make(i):
            sent[i] = time.perf_counter()
            return one

        def seen(i, status, _):
            now, signal_at = time.perf_counter(), at["signal"]
            if status is None:
                before = signal_at is None or sent[i] < signal_at - given.margin / 1000
                counts["dropped" if before else "crossed"] += 1
                if before:
                    dropped.append({"sent_before_the_signal_by": signal_at and round(signal_at - sent[i], 6), "ended_after": round(now - sent[i], 6)})
                return
            when = "before" if signal_at is None else "after"
            counts[f"{status}_{when}"] += 1
            if signal_at is not None and sent[i] < signal_at:
                counts["under_way_and_answered"] += 1

        def end():
            at["signal"] = time.perf_counter()
            server.process.send_signal(signal.SIGTERM)
            server.process.wait(given.patience)
            at["exit"] = time.perf_counter()

        ending = threading.Timer(given.after, end)
        ending.start()
        measure(
            server.address, make, given.rate, given.after + given.patience, given.connections, seen=seen,
            stop=lambda: at["exit"] is not None, patience=given.patience,
        )  # fmt: skip
        ending.join()
        took = at["exit"] - at["signal"]
        listens = server.answers(given.ready)
        return counts | {"took": round(took, 3), "code": server.process.returncode, "listens": listens, "which": dropped[:5]}
    finally:
        server.kill()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--body", type=pathlib.Path, required=True)
    parser.add_argument("--path", default="/v1/score")
    parser.add_argument("--ready", default="/readyz")
    parser.add_argument("--token")
    parser.add_argument("--rate", type=float, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--after", type=float, default=1.0, help="seconds from the first request to the signal")
    parser.add_argument("--margin", type=float, default=0.0, help="milliseconds before the signal that count as after it")
    parser.add_argument("--patience", type=float, default=30)
    parser.add_argument("--code", type=int, default=0, help="the exit code of a server that was asked to end")
    parser.add_argument("--log", type=pathlib.Path, default=pathlib.Path("stop.log"))
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    body, rounds = given.body.read_bytes(), []
    for _ in range(given.rounds):
        rounds.append(one_round(given, body))
        print(json.dumps(rounds[-1]), flush=True)
    dropped = sum(one.get("dropped", 0) for one in rounds)
    under_way = sum(one.get("under_way_and_answered", 0) for one in rounds)
    bad = [one for one in rounds if one["listens"] or one["code"] != given.code]
    print(json.dumps({"dropped": dropped, "crossed": sum(one.get("crossed", 0) for one in rounds), "under_way_and_answered": under_way, "rounds": len(rounds)}))
    # Where nothing was under way at the signal, nothing was shown.
    sys.exit(1 if dropped or bad or not under_way else 0)


if __name__ == "__main__":
    main()
