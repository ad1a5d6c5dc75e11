"""A load of requests at a constant rate over connections that stay open, and how long the answers took.

The load is open: request `i` is due at `i / rate` whatever the server does. Where all connections wait for an answer, what is due
waits for the next one that is free, and its time counts from when it was due, not from when it was sent. So a server that stops
for a second is charged for all that would have come in this second (what is called coordinated omission is not omitted).

One process with one thread, since the cores are shared with the server: 20,000 requests of 19 kB a second take a third of a core,
and 60,000 nearly all of it (against nginx, which answers at once). `python load.py http://127.0.0.1:8000/score --body FILE --rate
100` measures a server by hand.
"""
import argparse
import array
import heapq
import json
import math
import pathlib
import re
import resource
import select
import selectors
import socket
import time
import urllib.parse
from dataclasses import dataclass, field

LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.I)


def request(host, path, body, content_type="application/json", token=None, method="POST"):
    """The bytes of a request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}", f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
    if token:
        lines.append(f"Authorization: Bearer {token}")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection:
    """One keep-alive connection with at most one request under way."""

    def __init__(self, address):
        self.address = address
        self.socket = None
        # The request under way, when it was sent, what of it is not sent yet, and what of its answer came.
        self.index = -1
        self.sent = 0.0
        self.unsent = b""
        self.got = b""
        self.want = None

    def open(self):
        self.socket = socket.create_connection(self.address, timeout=10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)

    def close(self):
        if self.socket is not None:
            self.socket.close()
        self.socket = None

    def send(self):
        """Sends what the socket takes; whether all is sent."""
        n = self.socket.send(self.unsent)
        self.unsent = self.unsent[n:]
        return not self.unsent

    def receive(self):
        """The status and the bytes of an answer once it is complete, else nothing; an error where the connection ends before."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise ConnectionResetError("closed")
        self.got = self.got + data if self.got else data
        if self.want is None:
            end = self.got.find(b"\r\n\r\n")
            if end < 0:
                return None
            head = self.got[:end]
            length = LENGTH.search(head)
            if length:
                self.want = end + 4 + int(length[1])
            elif b"chunked" in head.lower():
                self.want = -1
            else:
                self.want = end + 4
        if self.want >= 0 and len(self.got) < self.want or self.want < 0 and not self.got.endswith(b"0\r\n\r\n"):
            return None
        answer, self.got, self.want = self.got, b"", None
        return int(answer[9:12]), answer


def percentile(times, share, n_infinite=0):
    at = math.ceil(share * (len(times) + n_infinite)) - 1
    return sorted(times)[at] if 0 <= at < len(times) else math.inf


@dataclass
class Measured:
    """What a load found. Times are in milliseconds, from when a request was due to the last byte of its answer."""

    rate: float
    seconds: float = 0.0
    due: int = 0
    statuses: dict = field(default_factory=dict)
    errors: int = 0
    never: int = 0
    cpu: float = 0.0
    reconnected: int = 0
    # Of answers of success, and of all others.
    times: array.array = field(default_factory=lambda: array.array("d"))
    refused: array.array = field(default_factory=lambda: array.array("d"))
    # Of answers of success from when their requests were sent.
    since_sent: array.array = field(default_factory=lambda: array.array("d"))
    retry_after: int = 0

    @property
    def succeeded(self):
        return sum(n for status, n in self.statuses.items() if 200 <= status < 300)

    @property
    def achieved(self):
        return self.succeeded / self.seconds if self.seconds else 0.0

    @property
    def failed(self):
        return self.errors + self.never + sum(n for status, n in self.statuses.items() if not 200 <= status < 300)

    def percentile(self, share):
        """The smallest time that so large a share did not exceed; what was never answered counts as infinite."""
        return percentile(self.times, share, self.never + self.errors)

    def summary(self):
        of = lambda share: round(self.percentile(share), 3)
        return {
            "rate": round(self.rate, 1), "achieved": round(self.achieved, 1), "due": self.due, "succeeded": self.succeeded,
            "p50": of(0.5), "p99": of(0.99), "p999": of(0.999), "max": round(max(self.times, default=math.inf), 3),
            "statuses": self.statuses, "errors": self.errors, "never": self.never, "retry_after": self.retry_after,
            "reconnected": self.reconnected, "cpu": round(self.cpu, 2),
        }  # fmt: skip


def measure(address, make, rate, seconds, connections=64, patience=10.0, seen=None, stop=None):
    """Sends `make(i)`, which are bytes, at a constant rate for so long, then waits for what is under way.

    `seen(i, status, answer)` is called with each answer, and `stop()` ends the load early. An error of a connection counts as one
    of its request, and a new connection takes its place.
    """
    found = Measured(rate)
    n = max(1, int(rate * seconds))
    free, opened = [], [Connection(address) for _ in range(connections)]
    chosen = selectors.EpollSelector()
    clock, ready = time.perf_counter, chosen.select
    cpu = resource.getrusage(resource.RUSAGE_SELF)
    sent, under_way, closed = 0, 0, []

    def again(connection):
        """A new connection in place of one that ended; later where the server takes none."""
        if connection.socket is not None:
            chosen.unregister(connection.socket)
            connection.close()
        connection.got, connection.want, connection.unsent = b"", None, b""
        try:
            connection.open()
        except OSError:
            heapq.heappush(closed, (clock() + 0.05, id(connection), connection))
            return
        found.reconnected += 1
        chosen.register(connection.socket, selectors.EVENT_READ, connection)
        free.append(connection)

    def failed(connection):
        """A connection that ended before an answer, or while it was idle."""
        nonlocal under_way
        index, connection.index = connection.index, -1
        if index >= 0:
            under_way -= 1
            found.errors += 1
            if seen is not None:
                seen(index, None, b"")
        else:
            free.remove(connection)
        again(connection)

    for connection in opened:
        again(connection)
    found.reconnected -= len(free)
    start = clock() + 0.01
    end = start + n / rate
    while True:
        now = clock()
        if stop is not None and stop():
            n = sent
        while closed and closed[0][0] <= now:
            again(heapq.heappop(closed)[2])
        while free and sent < n and start + sent / rate <= now:
            connection = free.pop()
            connection.index, connection.unsent = sent, make(sent)
            connection.sent = clock()
            sent += 1
            under_way += 1
            try:
                if not connection.send():
                    chosen.modify(connection.socket, selectors.EVENT_READ | selectors.EVENT_WRITE, connection)
            except OSError:
                failed(connection)
        if sent >= n and not under_way:
            break
        if now > end + patience:
            break
        wait = 0.05 if sent >= n or not free else max(0.0, start + sent / rate - clock())
        # The selector rounds to milliseconds; its own descriptor can be waited for in microseconds.
        if wait > 0:
            select.select([chosen.fileno()], [], [], min(wait, 0.05))
        for key, events in ready(0):
            connection, is_broken = key.data, False
            if events & selectors.EVENT_WRITE:
                try:
                    if connection.send():
                        chosen.modify(connection.socket, selectors.EVENT_READ, connection)
                except BlockingIOError:
                    pass
                except OSError:
                    # A server that refuses before it has read a body may have answered all the same.
                    is_broken = True
            if not is_broken and not events & selectors.EVENT_READ:
                continue
            try:
                answer = connection.receive()
            except BlockingIOError:
                continue
            except OSError:
                failed(connection)
                continue
            if answer is None:
                continue
            status, content = answer
            now = clock()
            took = 1000 * (now - start - connection.index / rate)
            found.statuses[status] = found.statuses.get(status, 0) + 1
            if 200 <= status < 300:
                found.times.append(took)
                found.since_sent.append(1000 * (now - connection.sent))
            else:
                found.refused.append(took)
                found.retry_after += b"\r\nretry-after:" in content[:2000].lower()
            if seen is not None:
                seen(connection.index, status, content)
            under_way -= 1
            connection.index = -1
            if is_broken or connection.unsent or b"\r\nconnection: close" in content[:2000].lower():
                again(connection)
            else:
                free.append(connection)
    found.seconds = max(clock() - start, n / rate) if n == sent else clock() - start
    found.due, found.never = n, n - sent + under_way
    after = resource.getrusage(resource.RUSAGE_SELF)
    found.cpu = after.ru_utime + after.ru_stime - cpu.ru_utime - cpu.ru_stime
    for connection in opened:
        connection.close()
    chosen.close()
    return found


def load(address, requests, rate, seconds, connections=64, patience=10.0):
    """Requests in turn."""
    return measure(address, lambda i: requests[i % len(requests)], rate, seconds, connections, patience)


def highest_rate(run, bound, low, high, steps=7):
    """The highest rate at which the 99th percentile stays below a bound in milliseconds, by bisection of its logarithm.

    `run(rate)` measures. A rate holds where everything was answered with success in time. The result is the measurement at that
    rate, or nothing where not even `low` holds.
    """
    holds = lambda found: not found.failed and found.percentile(0.99) <= bound
    best = run(low)
    if not holds(best):
        return None
    while high / low > 1.05 and steps:
        middle = math.sqrt(low * high)
        found = run(middle)
        if holds(found):
            best, low = found, middle
        else:
            high = middle
        steps -= 1
    return best


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("url")
    parser.add_argument("--body", type=pathlib.Path, required=True)
    parser.add_argument("--content-type", default="application/json")
    parser.add_argument("--token")
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--connections", type=int, default=64)
    given = parser.parse_args()
    url = urllib.parse.urlsplit(given.url)
    one = request(url.netloc, url.path, given.body.read_bytes(), given.content_type, given.token)
    print(json.dumps(load((url.hostname, url.port or 80), [one], given.rate, given.seconds, given.connections).summary()))


if __name__ == "__main__":
    main()
