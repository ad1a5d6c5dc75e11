"""A small server with the address, the words and the promises of `leadscore serve`, and faults on demand: what the scripts beside it
are tried on, since a check that never fails shows nothing.

`python stand_in.py PORT STORE`: `POST /v1/events` into SQLite by group commit, `POST /v1/score` (an answer after some work),
`GET /v1/leads/{id}`, `GET /readyz`. Faults: `--early` answers before the commit, `--twice` stores an event that comes again,
`--abrupt` ends at once when it is asked to, `--endless` refuses nothing.
"""
import argparse
import asyncio
import json
import os
import signal
import sqlite3
import time

STORE = """
pragma journal_mode = wal; pragma synchronous = full;
create table if not exists events (seq integer primary key, id text, entity text, row text);
create index if not exists by_id on events (id);
"""


class StandIn:
    def __init__(self, given):
        self.given = given
        self.store = sqlite3.connect(given.store, isolation_level=None, check_same_thread=False)
        self.store.executescript(STORE)
        self.waiting, self.wake = [], asyncio.Event()
        self.scoring, self.in_flight, self.is_ending = asyncio.Lock(), 0, False

    async def commit(self):
        """Events of several requests, one commit."""
        while True:
            await self.wake.wait()
            await asyncio.sleep(0.003)
            taken, self.waiting = self.waiting, []
            self.wake.clear()
            await asyncio.get_running_loop().run_in_executor(None, self.write, taken)
            for _, _, done in taken:
                if not done.done():
                    done.set_result(None)

    def write(self, taken):
        self.store.execute("begin immediate")
        for events, counts, _ in taken:
            for event in events:
                known = self.store.execute("select 1 from events where id = ?", [event["id"]]).fetchone()
                counts["accepted"] += 1
                counts["duplicates"] += bool(known)
                if not known or self.given.twice:
                    row = [event["id"], event["row"]["lead_id"], json.dumps(event["row"])]
                    self.store.execute("insert into events (id, entity, row) values (?, ?, ?)", row)
        self.store.execute("commit")

    async def append(self, head, body):
        text = body.decode()
        events = [json.loads(line) for line in text.splitlines() if line] if b"x-ndjson" in head else json.loads(text)
        events = events if isinstance(events, list) else [events]
        counts, done = {"accepted": 0, "duplicates": 0}, asyncio.get_running_loop().create_future()
        self.waiting.append((events, counts, done))
        self.wake.set()
        if self.given.early:
            return 202, {"accepted": len(events), "duplicates": 0}
        await done
        return 202, counts

    async def score(self, body):
        if self.in_flight >= self.given.at_once and not self.given.endless:
            return 503, {"title": "busy"}
        self.in_flight += 1
        try:
            lead = json.loads(body)["lead"]
            async with self.scoring:
                await asyncio.sleep(0)
                until = time.perf_counter() + self.given.work / 1000
                while time.perf_counter() < until:
                    pass
            return 200, {"lead_id": lead.get("lead_id"), "likelihood": 50.0}
        finally:
            self.in_flight -= 1

    async def answer(self, head, body):
        method, path, _ = head.split(b" ", 2)
        if (method, path) == (b"POST", b"/v1/events"):
            return await self.append(head.lower(), body)
        if (method, path) == (b"POST", b"/v1/score"):
            return await self.score(body)
        if path.startswith(b"/v1/leads/"):
            found = self.store.execute("select id from events where entity = ? order by seq", [path.rpartition(b"/")[2].decode()])
            return 200, {"events": [{"id": id} for (id,) in found]}
        return (200, {}) if path in (b"/readyz", b"/healthz") else (404, {})

    async def connection(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
                body = await reader.readexactly(int(lengths[0].partition(b":")[2])) if lengths else b""
                self.under_way = getattr(self, "under_way", 0) + 1
                status, content = await self.answer(head, body)
                content = json.dumps(content).encode()
                more = "Retry-After: 1\r\n" if status == 503 else ""
                more += "Connection: close\r\n" if self.is_ending else ""
                writer.write(f"HTTP/1.1 {status} Said\r\nContent-Type: application/json\r\n{more}Content-Length: {len(content)}\r\n\r\n".encode() + content)
                await writer.drain()
                self.under_way -= 1
                if self.is_ending:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    async def end(self, server):
        """Takes no new connection, answers what comes on those that are open for a moment, and ends."""
        if self.given.abrupt:
            os._exit(0)
        self.is_ending = True
        server.close()
        await asyncio.sleep(0.5)
        while getattr(self, "under_way", 0):
            await asyncio.sleep(0.01)
        os._exit(0)

    async def run(self):
        server = await asyncio.start_server(self.connection, "127.0.0.1", self.given.port, backlog=1024, limit=1 << 22)
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, lambda: loop.create_task(self.end(server)))
        await self.commit()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("store")
    parser.add_argument("--work", type=float, default=1, help="milliseconds of one score")
    parser.add_argument("--at-once", type=int, default=8, help="scores under way, above which the answer is 503")
    for fault in ("early", "twice", "abrupt", "endless"):
        parser.add_argument(f"--{fault}", action="store_true")
    asyncio.run(StandIn(parser.parse_args()).run())


if __name__ == "__main__":
    main()
