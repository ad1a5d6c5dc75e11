"""The load generator on servers that misbehave in known ways, without which its numbers would mean nothing."""
import math
import socket
import threading
import time
import unittest

from load import highest_rate, measure, percentile, request

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n"
REFUSED = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"


class Behaves:
    """A server whose `n`-th request is answered by `answer(n)`: bytes, after which the connection stays, or nothing, which ends it."""

    def __init__(self, answer):
        self.answer, self.n, self.lock = answer, 0, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        threading.Thread(target=self.accept, daemon=True).start()

    @property
    def address(self):
        return self.listener.getsockname()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        got = b""
        with connection:
            while True:
                while b"\r\n\r\n" not in got:
                    data = connection.recv(1 << 16)
                    if not data:
                        return
                    got += data
                got = got.partition(b"\r\n\r\n")[2]
                with self.lock:
                    self.n += 1
                    answer = self.answer(self.n)
                if answer is None:
                    return
                connection.sendall(answer)
                if b"Connection: close" in answer:
                    return


class Load(unittest.TestCase):
    def run_against(self, answer, rate=200, seconds=1, connections=4, **more):
        server = Behaves(answer)
        self.addCleanup(server.listener.close)
        make = lambda i: request("test", "/", b"")
        return measure(server.address, make, rate, seconds, connections, **more)

    def test_a_server_that_answers(self):
        for answer in (ANSWER, CHUNKED):
            found = self.run_against(lambda n: answer)
            self.assertEqual((found.due, found.statuses, found.failed), (200, {200: 200}, 0))
            self.assertLessEqual(found.achieved, 201)
            self.assertLess(found.percentile(0.5), 20)

    def test_a_pause_is_charged_to_all_that_was_due_in_it(self):
        def answer(n):
            if n == 50:
                time.sleep(0.5)
            return ANSWER

        found = self.run_against(answer)
        self.assertEqual(found.statuses, {200: 200})
        # Half a second at 200 a second: about 100 requests waited, half of them longer than a quarter of a second.
        self.assertGreater(sum(took > 100 for took in found.times), 60)
        self.assertGreater(found.percentile(0.99), 400)
        # Those that were sent after the pause were answered at once; this is what a closed loop would have seen.
        self.assertLess(sum(took > 100 for took in found.since_sent), 10)

    def test_what_is_refused_is_no_success(self):
        found = self.run_against(lambda n: REFUSED if n % 2 else ANSWER)
        self.assertEqual(found.statuses, {200: 100, 503: 100})
        self.assertEqual((found.retry_after, found.errors, found.reconnected), (100, 0, 100))
        self.assertLessEqual(found.achieved, 101)

    def test_a_connection_that_ends_is_an_error_of_its_request(self):
        lost = []
        found = self.run_against(lambda n: None if n % 10 == 0 else ANSWER, seen=lambda i, status, _: status or lost.append(i))
        self.assertEqual((found.statuses, found.errors, len(lost)), ({200: 180}, 20, 20))
        self.assertEqual(found.percentile(0.99), math.inf)

    def test_what_is_never_answered_is_infinite(self):
        found = self.run_against(lambda n: b"" if n > 150 else ANSWER, patience=0.3)
        self.assertEqual(found.statuses, {200: 150})
        self.assertEqual(found.never, 50)
        self.assertEqual(found.percentile(0.99), math.inf)


class Arithmetic(unittest.TestCase):
    def test_percentiles(self):
        times = list(range(1, 101))
        self.assertEqual([percentile(times, share) for share in (0.5, 0.99, 1)], [50, 99, 100])
        self.assertEqual(percentile([7], 0.99), 7)
        self.assertEqual(percentile([], 0.99), math.inf)
        self.assertEqual(percentile(times, 0.99, n_infinite=2), math.inf)

    def test_the_highest_rate_is_found(self):
        class Found:
            def __init__(self, rate):
                self.rate, self.failed = rate, rate > 5000

            def percentile(self, share):
                return 1 if self.rate < 700 else 30

        self.assertAlmostEqual(highest_rate(Found, 10, 5, 50_000, steps=20).rate, 700, delta=35)
        self.assertAlmostEqual(highest_rate(Found, 50, 5, 50_000, steps=20).rate, 5000, delta=250)
        self.assertIsNone(highest_rate(Found, 0.5, 5, 50_000))


if __name__ == "__main__":
    unittest.main()
