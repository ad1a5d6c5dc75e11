"""A server that is started for a measurement, and what its processes take."""
import contextlib
import http.client
import os
import pathlib
import signal
import socket
import subprocess
import time


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """A command that listens on a port of loopback; PORT in its words is that port."""

    def __init__(self, command, log, ready="/healthz", folder=None, patience=300, port=None, **environment):
        self.port = port or free_port()
        words = [str(word).replace("PORT", str(self.port)) for word in command]
        self.log = open(log, "ab")
        environment = {name: str(value).replace("PORT", str(self.port)) for name, value in environment.items()}
        one_thread = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
        started = time.perf_counter()
        # A session of its own, so that workers end with it.
        self.process = subprocess.Popen(
            words, stdout=self.log, stderr=self.log, cwd=folder, env={**os.environ, **one_thread, **environment}, start_new_session=True
        )
        until = time.monotonic() + patience
        while not self.answers(ready):
            if time.monotonic() > until or self.process.poll() is not None:
                self.kill()
                raise RuntimeError(f"{words[0]} does not answer: {pathlib.Path(log).read_text(errors='replace')[-3000:]}")
            time.sleep(0.002)
        self.ready_after = time.perf_counter() - started

    @property
    def address(self):
        return ("127.0.0.1", self.port)

    def answers(self, path):
        connection = http.client.HTTPConnection(*self.address, timeout=5)
        with contextlib.closing(connection):
            try:
                connection.request("GET", path)
                return connection.getresponse().status < 400
            except (OSError, http.client.HTTPException):
                return False

    def pids(self):
        """The process and all below it."""
        children = {}
        for status in pathlib.Path("/proc").glob("[0-9]*/stat"):
            with contextlib.suppress(OSError):
                # The name of the program may have spaces and parentheses.
                parent = int(status.read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(status.parent.name))
        found, todo = [], [self.process.pid]
        while todo:
            found.append(todo.pop())
            todo += children.get(found[-1], [])
        return found

    def memory(self):
        """Megabytes that the processes have, a page that some share being divided among them."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
                total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
        return total * 1024 / 1e6

    def cpu(self):
        """Seconds of the processor's time of the processes that are there."""
        total = 0
        for pid in self.pids():
            with contextlib.suppress(OSError):
                fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                total += int(fields[11]) + int(fields[12])
        return total / os.sysconf("SC_CLK_TCK")

    def kill(self):
        """Ends it at once, with all below it."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.log.close()

    def stop(self, patience=30):
        """Asks it to end."""
        self.process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(patience)
        self.kill()
