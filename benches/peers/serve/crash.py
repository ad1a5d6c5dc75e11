"""Kills a server with SIGKILL while clients post events, starts it again, and looks for what it had acknowledged.

`python crash.py --rounds 100 --sqlite FOLDER/events.sqlite -- leadscore serve … PORT …`, with PORT where the port goes. Events that
were sent and not acknowledged may be there or not; clients send them again in the next round under the same ids, as clients do. At
the end all are sent again until they are acknowledged, and each must be stored once.

What is stored is read from the file of the store by SQL that gives the id of each event (`--query`), after each start, and at the
end, for a sample of leads, from `GET /v1/leads/{id}` (`--events-of` names the list in its answer and the key of an id).
"""
import argparse
import collections
import http.client
import json
import pathlib
import random
import sqlite3
import sys
import threading
import time

from events import Events, content
from load import measure
from server import Server, free_port


class Ledger:
    """What was sent, and what of it was acknowledged."""

    def __init__(self, events, draw):
        self.events, self.draw = events, draw
        self.batches, self.unsure = {}, collections.deque()
        self.acknowledged, self.sent, self.leads = set(), set(), {}
        self.duplicates = 0

    def make(self, i):
        # One in three is one that nobody knows about, as long as there are any.
        again = self.unsure and self.draw.random() < 0.3
        batch = self.batches[i] = self.unsure.popleft() if again else self.events.batch()
        for event in batch:
            self.sent.add(event["id"])
            self.leads.setdefault(event["row"]["lead_id"], set()).add(event["id"])
        return self.events.request(batch)

    def seen(self, i, status, answer):
        batch = self.batches.pop(i)
        if status != 202:
            self.unsure.append(batch)
            return
        counts = content(answer)
        # Those that were there before are among the accepted.
        assert counts["accepted"] == len(batch) >= counts["duplicates"], (counts, batch)
        self.duplicates += counts["duplicates"]
        self.acknowledged.update(event["id"] for event in batch)

    def end_of_round(self):
        self.unsure.extend(self.batches.values())
        self.batches.clear()


def stored(path, query):
    """How often each event is stored."""
    connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=30)
    try:
        return collections.Counter(id for (id,) in connection.execute(query))
    finally:
        connection.close()


def compare(ledger, found):
    return {
        "lost": len(ledger.acknowledged - found.keys()),
        "doubled": sum(count > 1 for count in found.values()),
        "unknown": len(found.keys() - ledger.sent),
    }


def by_lead(server, ledger, given, n):
    """The same for some leads by the interface of the server."""
    lost = doubled = 0
    connection = http.client.HTTPConnection(*server.address, timeout=30)
    table, key = given.events_of.split(".")
    for lead in ledger.draw.sample(sorted(ledger.leads), min(n, len(ledger.leads))):
        connection.request("GET", f"/v1/leads/{lead}", headers={"Authorization": f"Bearer {given.token}"} if given.token else {})
        answer = connection.getresponse()
        body = answer.read()
        assert answer.status == 200, (answer.status, body[:500])
        ids = collections.Counter(event[key] for event in json.loads(body)[table])
        lost += len((ledger.leads[lead] & ledger.acknowledged) - ids.keys())
        doubled += sum(count > 1 for count in ids.values())
    return {"lost": lost, "doubled": doubled}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--rate", type=float, default=300, help="requests a second, of 5.5 events each")
    parser.add_argument("--longest", type=float, default=1.0, help="seconds from the first event to the kill, at most")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--sqlite", type=pathlib.Path, required=True, help="the file of the store")
    parser.add_argument("--query", default="select id from events")
    parser.add_argument("--events-of", help="for `GET /v1/leads/{id}`: the list of events and the key of an id, as in events.id")
    parser.add_argument("--path", default="/v1/events")
    parser.add_argument("--ready", default="/readyz")
    parser.add_argument("--token")
    parser.add_argument("--leads", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--log", type=pathlib.Path, default=pathlib.Path("crash.log"))
    parser.add_argument("command", nargs="+")
    given = parser.parse_args()
    draw, port = random.Random(given.seed), free_port()
    ledger = Ledger(Events(f"127.0.0.1:{port}", given.path, given.token, given.leads, given.seed), draw)
    worst, slowest = collections.Counter(), 0.0
    for at in range(given.rounds + 1):
        server = Server(given.command, given.log, given.ready, port=port)
        slowest = max(slowest, server.ready_after)
        if at:
            worst |= collections.Counter(compare(ledger, stored(given.sqlite, given.query)))
        if at == given.rounds:
            break
        # Most kills come while much is under way, some before the first answer.
        timer = threading.Timer(draw.uniform(0, given.longest), server.kill)
        timer.start()
        is_dead = lambda: server.process.poll() is not None
        measure(server.address, ledger.make, given.rate, 2 * given.longest + 1, given.clients, seen=ledger.seen, stop=is_dead, patience=5)
        timer.join()
        ledger.end_of_round()
    killed_at = len(ledger.unsure)
    until = time.monotonic() + 60
    while ledger.unsure and time.monotonic() < until:
        batches = list(ledger.unsure)
        ledger.unsure.clear()
        make = lambda i: ledger.batches.update({i: batches[i]}) or ledger.events.request(batches[i])
        measure(server.address, make, given.rate, len(batches) / given.rate + 0.001, given.clients, seen=ledger.seen)
    assert not ledger.unsure, f"{len(ledger.unsure)} batches were not acknowledged by a server that runs"
    found = stored(given.sqlite, given.query)
    worst |= collections.Counter(compare(ledger, found))
    if given.events_of:
        worst |= collections.Counter({f"{name}_by_lead": n for name, n in by_lead(server, ledger, given, 100).items()})
    server.kill()
    told = {"rounds": given.rounds, "acknowledged": len(ledger.acknowledged), "stored": len(found), "unsure_at_the_end": killed_at}
    told |= {"duplicates_refused": ledger.duplicates, "slowest_start": round(slowest, 3)}
    verdict = {name: worst[name] for name in ("lost", "doubled", "unknown", "lost_by_lead", "doubled_by_lead")}
    print(json.dumps(told | verdict))
    sys.exit(1 if any(verdict.values()) or found.keys() != ledger.sent else 0)


if __name__ == "__main__":
    main()
