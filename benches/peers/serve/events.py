"""Events at a constant rate from 64 clients, in batches of 1 to 10 as NDJSON: how long until they are acknowledged.

`python events.py http://127.0.0.1:8080 --token T --rate 20000 --seconds 30` counts events, not requests. Leads are L00000000 and
so on, as `leadscore simulate` names them.
"""
import argparse
import datetime
import json
import random
import urllib.parse
import uuid

from load import measure, request

TOUCHES = ("email_open", "email_click", "form_submit", "webinar")
SIZES = range(1, 11)
MEAN = sum(SIZES) / len(SIZES)


class Events:
    """Requests with events that nobody has sent before. The same seed gives the same sizes, leads and times, under other ids."""

    def __init__(self, host, path="/v1/events", token=None, leads=5_000, seed=1, table="activities.touches"):
        self.host, self.path, self.token, self.leads, self.table = host, path, token, leads, table
        self.draw, self.run = random.Random(seed), uuid.uuid4().hex[:12]
        self.sizes, self.n = {}, 0
        self.moment = datetime.datetime.now(datetime.UTC)

    def batch(self):
        made = []
        for _ in range(self.draw.choice(SIZES)):
            self.n += 1
            at = self.moment - datetime.timedelta(seconds=self.draw.randrange(86_400))
            row = {"lead_id": f"L{self.draw.randrange(self.leads):08}", "at": f"{at:%Y-%m-%dT%H:%M:%SZ}", "touch_type": self.draw.choice(TOUCHES)}
            made.append({"id": f"{self.run}-{self.n}", "table": self.table, "row": row})
        return made

    def request(self, batch):
        body = "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in batch).encode()
        return request(self.host, self.path, body, "application/x-ndjson", self.token)

    def make(self, i):
        batch = self.batch()
        self.sizes[i] = len(batch)
        return self.request(batch)


def content(answer):
    return json.loads(answer.partition(b"\r\n\r\n")[2])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url", help="the server, without a path")
    parser.add_argument("--path", default="/v1/events")
    parser.add_argument("--token")
    parser.add_argument("--rate", type=float, default=1_000, help="events a second")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--leads", type=int, default=5_000)
    given = parser.parse_args()
    url = urllib.parse.urlsplit(given.url)
    events = Events(url.netloc, given.path, given.token, given.leads)
    # Made before, so that making them takes no time of the processor that the server needs.
    n = max(1, int(given.rate / MEAN * given.seconds))
    ready = [events.make(i) for i in range(n)]
    counts = {"accepted": 0, "duplicates": 0, "acknowledged": 0}

    def seen(i, status, answer):
        if status == 202:
            counts["acknowledged"] += events.sizes[i]
            answered = content(answer)
            for name in ("accepted", "duplicates"):
                counts[name] += answered[name]

    found = measure((url.hostname, url.port or 80), ready.__getitem__, n / given.seconds, given.seconds, given.clients, seen=seen)
    assert counts["accepted"] == counts["acknowledged"] and counts["duplicates"] == 0, counts
    print(json.dumps({"events_per_second": round(counts["acknowledged"] / found.seconds, 1), **counts, **found.summary()}))


if __name__ == "__main__":
    main()
