"""Ten times the load that a server holds, for 20 seconds: whether those that it admits are answered as fast as ever, whether the rest
is told to come back, and whether its memory stays where it was.

`python overload.py --body LEAD.json -- leadscore serve … PORT …`. Without `--holds`, the rate that it holds is measured first.
The times of what was admitted are from when it was sent: under such a load the clients, too, have no free connection, and what
waits there is not the server's. Those from when it was due are printed beside them.
"""
import argparse
import json
import pathlib
import sys
import threading
import time

from load import highest_rate, load, percentile, request
from server import Server


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--body", type=pathlib.Path, required=True, help="a request of `POST /v1/score`, as JSON")
    parser.add_argument("--path", default="/v1/score")
    parser.add_argument("--ready", default="/readyz")
    parser.add_argument("--token")
    parser.add_argument("--holds", type=float, help="requests a second that the server holds")
    parser.add_argument("--bound", type=float, default=10, help="milliseconds of the 99th percentile at the rate that it holds")
    parser.add_argument("--times", type=float, default=10)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--connections", type=int, default=256)
    parser.add_argument("--admitted", type=float, default=10, help="milliseconds: the largest 99th percentile of what is admitted")
    parser.add_argument("--growth", type=float, default=1.1, help="memory at the end over memory a quarter of the time after the start")
    parser.add_argument("--log", type=pathlib.Path, default=pathlib.Path("overload.log"))
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    server = Server(given.command, given.log, given.ready)
    try:
        one = request(f"127.0.0.1:{server.port}", given.path, given.body.read_bytes(), token=given.token)
        holds = given.holds
        if holds is None:
            best = highest_rate(lambda rate: load(server.address, [one], rate, 5), given.bound, 10, 50_000, 9)
            assert best is not None, f"10 requests a second take longer than {given.bound} ms"
            holds = best.rate
        calm = load(server.address, [one], holds / 2, 3)
        memory, is_over = [(0.0, server.memory())], threading.Event()
        start = time.perf_counter()

        def watch():
            while not is_over.wait(0.5):
                memory.append((time.perf_counter() - start, server.memory()))

        watcher = threading.Thread(target=watch)
        watcher.start()
        found = load(server.address, [one], given.times * holds, given.seconds, given.connections, patience=5)
        is_over.set()
        watcher.join()
        after = load(server.address, [one], holds / 2, 3)
        n_answers = sum(found.statuses.values())
        busy = found.statuses.get(503, 0)
        settled = next((size for at, size in memory if at >= given.seconds / 4), memory[-1][1])
        told = {
            "holds": round(holds, 1), "asked": round(given.times * holds, 1), "offered": round(n_answers / found.seconds, 1),
            "admitted": round(found.achieved, 1), "p99_admitted": round(percentile(found.since_sent, 0.99), 3),
            "p99_admitted_from_due": round(percentile(found.times, 0.99), 3), "p99_refused": round(percentile(found.refused, 0.99), 3),
            "share_503": round(busy / max(1, n_answers), 4), "with_retry_after": found.retry_after, "statuses": found.statuses,
            "errors": found.errors, "never": found.never, "p99_before": round(calm.percentile(0.99), 3), "p99_after": round(after.percentile(0.99), 3),
            "memory_mb": [round(size, 1) for _, size in memory[:: max(1, len(memory) // 10)]],
            "memory_start_settled_end": [round(size, 1) for size in (memory[0][1], settled, memory[-1][1])],
        }  # fmt: skip
        verdict = {
            "fast": percentile(found.since_sent, 0.99) <= given.admitted,
            "all_answered": not found.errors and all(status in (200, 503) for status in found.statuses),
            "told_to_come_back": busy > 0 and found.retry_after == busy,
            "flat": memory[-1][1] <= given.growth * settled,
            "recovers": not after.failed and after.percentile(0.99) <= max(given.bound, 2 * calm.percentile(0.99)),
        }
        print(json.dumps(told | {"verdict": verdict}))
        sys.exit(0 if all(verdict.values()) else 1)
    finally:
        server.kill()


if __name__ == "__main__":
    main()
