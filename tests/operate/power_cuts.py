"""Simulated power cuts of the event store: the writes and syncs of a run are recorded with strace, then files are made as a
disk could have them at random moments, and the store is opened on them.

    python tests/operate/power_cuts.py target/release/examples/crash [CUTS] [SECONDS] [SEED]

A write that was synced is on the disk. Of the others some are: none, all up to one, any of them, or any sectors of 512 bytes
of any of them. Whatever is left: acknowledged events are there once, calls whole or not at all."""
import pathlib
import random
import re
import subprocess
import sys
import tempfile
import time

CALLS = "pwrite64,write,fsync,fdatasync,ftruncate,unlink,unlinkat,link,linkat,rename,openat"
SECTOR = 512
WAYS = ["none", "prefix", "some", "sectors", "all"]


class File:
    """What is on the disk for sure, and what was written since."""

    def __init__(self):
        self.durable = bytearray()
        self.pending = []

    def synced(self, n_pending):
        for change in self.pending[:n_pending]:
            apply(self.durable, change)
        del self.pending[:n_pending]

    def after_cut(self, way, rng):
        image = bytearray(self.durable)
        changes = list(self.pending)
        if way == "none":
            changes = []
        elif way == "prefix":
            changes = changes[: rng.randrange(len(changes) + 1)]
        elif way == "some":
            changes = [change for change in changes if rng.random() < 0.5]
        elif way == "sectors":
            changes = [part for change in changes for part in sectors(change) if rng.random() < 0.5]
        for change in changes:
            apply(image, change)
        return image


def apply(image, change):
    offset, data = change
    if data is None:
        del image[offset:]
        image.extend(bytes(offset - len(image)))
        return
    image.extend(bytes(max(0, offset - len(image))))
    image[offset : offset + len(data)] = data


def sectors(change):
    offset, data = change
    if data is None:
        return [change]
    return [(offset + at, data[at : at + SECTOR]) for at in range(0, len(data), SECTOR)]


def unhex(text):
    return bytes.fromhex(text.replace("\\x", ""))


def record(program, folder, seconds):
    """The lines of a run, in order."""
    trace = folder / "trace"
    command = ["strace", "-f", "-y", "-xx", "-s", "200000", "-e", f"trace={CALLS}", "-o", trace, program, "append", folder / "events.store", "0"]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    time.sleep(seconds)
    # The tracer lets go of its child when it ends; the child is what has to end.
    subprocess.run(["pkill", "-KILL", "-P", str(child.pid)], check=True)
    child.wait()
    return trace


LINE = re.compile(r"^(\d+) +(?:<\.\.\. )?(\w+)(?: resumed>)?(.*)$")
FD = re.compile(r"^\((\d+)<([^>]*)>")


def steps(trace):
    """What happened, as tuples: ("write", path, offset, data), ("truncate", path, size), ("sync", path, is_done),
    ("link", old, new), ("answer", text)."""
    with open(trace, encoding="ascii", errors="replace") as lines:
        for line in lines:
            found = LINE.match(line)
            if not found:
                continue
            thread, call, rest = found.groups()
            is_end = "resumed>" in line
            is_begin = "<unfinished" in line
            if is_end:
                if call in ("fsync", "fdatasync") and rest.rstrip().endswith("= 0"):
                    yield ("synced", thread)
                continue
            fd = FD.match(rest)
            path = unhex(fd[2]).decode() if fd and "\\x" in fd[2] else (fd[2] if fd else None)
            texts = [unhex(text) for text in re.findall(r'"((?:\\x[0-9a-f]{2})*)"', rest)]
            if call == "pwrite64":
                offset = int(re.search(r", \d+, (\d+)(?:\)| <unf)", rest)[1])
                yield ("write", path, offset, texts[0])
            elif call == "write" and fd:
                if fd[1] == "1":
                    yield ("answer", texts[0].decode())
                else:
                    yield ("append", path, texts[0])
            elif call in ("fsync", "fdatasync"):
                yield ("sync", thread, path)
                if not is_begin:
                    yield ("synced", thread)
            elif call == "ftruncate":
                yield ("truncate", path, int(re.search(r", (\d+)(?:\)| <unf)", rest)[1]))
            elif call in ("link", "linkat"):
                yield ("link", texts[0].decode(), texts[-1].decode())
            elif call in ("unlink", "unlinkat"):
                yield ("unlink", texts[0].decode())


def look(program, folder, images, answered):
    """Fails where an answered call is lost, or anything is there twice or in part."""
    for suffix in ("", "-wal"):
        (folder / f"cut.store{suffix}").write_bytes(images[suffix])
    shown = subprocess.run([program, "show", folder / "cut.store"], capture_output=True, text=True)
    for left in folder.glob("cut.store*"):
        left.unlink()
    if shown.returncode:
        return f"it does not open: {shown.stderr}"
    calls = {}
    ids = set()
    for line in shown.stdout.splitlines():
        if line.startswith("wrong"):
            return line
        event = line.split(" ")[0]
        if event in ids:
            return f"{event} is there twice"
        ids.add(event)
        call = event.split(".")[0]
        calls[call] = calls.get(call, 0) + 1
    for call, n in answered.items():
        if calls.get(call) != n:
            return f"answered call {call} has {calls.get(call, 0)} of {n} events"
    for call, n in calls.items():
        if n != 1 + int(call.split("-")[2]) % 7:
            return f"call {call} is there in part"
    return None


def main(program, n_cuts="200", seconds="4", seed="1"):
    rng = random.Random(int(seed))
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        all_steps = list(steps(record(program, folder, float(seconds))))
        first = next(place for place, step in enumerate(all_steps) if step[0] == "answer")
        cuts = sorted(rng.sample(range(first, len(all_steps)), int(n_cuts)))
        print(f"{len(all_steps)} steps, {sum(step[0] == 'answer' for step in all_steps)} calls answered, "
              f"{sum(step[0] == 'sync' for step in all_steps)} syncs")
        files, syncing, answered, failures, n_pending = {}, {}, {}, [], 0
        store = str(folder / "events.store")
        place = 0
        for cut in cuts:
            while place <= cut:
                step = all_steps[place]
                place += 1
                if step[0] == "write":
                    files.setdefault(step[1], File()).pending.append((step[2], step[3]))
                elif step[0] == "truncate":
                    files.setdefault(step[1], File()).pending.append((step[2], None))
                elif step[0] == "sync":
                    file = files.setdefault(step[2], File())
                    syncing[step[1]] = (file, len(file.pending))
                elif step[0] == "synced":
                    file, n = syncing.pop(step[1])
                    file.synced(n)
                    # Syncs of other threads that are under way have less to do.
                    for thread, (other, m) in list(syncing.items()):
                        if other is file:
                            syncing[thread] = (other, max(0, m - n))
                elif step[0] == "link":
                    files[step[2]] = files[step[1]]
                elif step[0] == "unlink":
                    files.pop(step[1], None)
                elif step[0] == "answer":
                    for line in step[1].splitlines():
                        call, n, _ = line.split(" ")
                        answered[call] = int(n)
            way = rng.choice(WAYS)
            images = {suffix: files.get(store + suffix, File()).after_cut(way, rng) for suffix in ("", "-wal")}
            n_pending += sum(len(files[store + suffix].pending) for suffix in ("", "-wal") if store + suffix in files)
            wrong = look(program, folder, images, answered)
            if wrong:
                failures.append(f"cut at step {cut}, {way}: {wrong}")
                print(failures[-1])
        print(f"{len(cuts)} cuts with {n_pending / len(cuts):.0f} writes not synced on average, {len(failures)} failures")
        return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
