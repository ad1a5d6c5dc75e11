"""What others start the server with: the unit of systemd, and the image of the Containerfile."""
import contextlib
import json
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import tempfile
import time
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEADSCORE = shutil.which(os.environ.get("LEADSCORE", "leadscore"))
UNIT = ROOT / "docs/recipes/serve/leadscore-serve.service"
INSTALLED = "/usr/local/bin/leadscore"
# Ten times the exposure that `systemd-analyze security` finds at most; it is 1.4.
MOST_EXPOSURE = 20


def said(command, **more):
    """What a command says, which succeeds."""
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300, **more)
    assert done.returncode == 0, (command, done.stdout, done.stderr)
    return done.stdout


class Unit(unittest.TestCase):
    def setUp(self):
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze")
        folder = self.enterContext(tempfile.TemporaryDirectory())
        text = UNIT.read_text()
        self.assertIn(f"ExecStart={INSTALLED} serve\n", text)
        self.unit = pathlib.Path(folder) / UNIT.name
        # Verification looks for the program, too.
        self.unit.write_text(text.replace(INSTALLED, LEADSCORE))

    def analyze(self, *args):
        ended = subprocess.run(["systemd-analyze", *map(str, args)], capture_output=True, text=True, env={**os.environ, "SYSTEMD_LOG_LEVEL": "warning"})
        return ended.returncode, ended.stdout + ended.stderr

    def test_it_is_valid(self):
        self.assertEqual(self.analyze("verify", "--man=no", "--recursive-errors=no", self.unit), (0, ""))

    def test_the_server_can_do_little_else(self):
        code, text = self.analyze("security", "--offline=true", "--no-pager", f"--threshold={MOST_EXPOSURE}", self.unit)
        self.assertEqual(code, 0, text)
        print(re.search(r"Overall exposure.*", text).group())

    def test_the_command_knows_what_it_is_started_with(self):
        (line,) = re.findall(r"^ExecStart=(.*)", self.unit.read_text(), re.M)
        said([*shlex.split(line), "--help"])

    def test_a_refusal_is_not_tried_again(self):
        folder = self.enterContext(tempfile.TemporaryDirectory())
        ended = subprocess.run([LEADSCORE, "serve"], cwd=folder, capture_output=True)
        self.assertIn(f"RestartPreventExitStatus={ended.returncode}\n", self.unit.read_text())


class Container(unittest.TestCase):
    TEXT = (ROOT / "Containerfile").read_text()

    def lines(self, word):
        return [line.split() for line in re.findall(rf"^{word} (.*)", self.TEXT, re.M)]

    def test_it_copies_what_is_there_and_runs_what_it_copied(self):
        copied = dict(self.lines("COPY"))
        # `cargo xtask dist` puts these into one folder.
        dist = (ROOT / "crates/xtask/src/dist.rs").read_text()
        for name in copied:
            self.assertIn(f'folder.join("{name}")', dist)
        ((entry,),) = [json.loads(" ".join(line)) for line in self.lines("ENTRYPOINT")]
        self.assertIn(entry, copied.values())
        self.assertEqual(self.lines("FROM"), [["scratch"]])

    def test_the_image_serves(self):
        """Built and run without a network. The binary of the tests is not static, so its libraries are put beside it."""
        if not shutil.which("buildah"):
            self.skipTest("there is no buildah, so no image was built")
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        store = ["buildah", "--root", folder / "root", "--runroot", folder / "run", "--storage-driver", "vfs"]
        able = subprocess.run([*map(str, store), "info"], capture_output=True, text=True)
        if able.returncode != 0:
            self.skipTest(f"buildah cannot work here, so no image was built: {able.stderr.strip()}")
        context = folder / "dist"
        context.mkdir()
        for name in ("Containerfile", "certificates"):
            source = ROOT / "Containerfile" if name == "Containerfile" else pathlib.Path("/etc/ssl/certs/ca-certificates.crt")
            shutil.copy(source, context / source.name)
        shutil.copy(LEADSCORE, context / "leadscore")
        said([*store, "build", "--isolation", "chroot", "-q", "-t", "leadscore", context])
        image = json.loads(said([*store, "inspect", "--type", "image", "leadscore"]))["OCIv1"]["config"]
        self.assertEqual(image["WorkingDir"], "/data")
        container = said([*store, "from", "leadscore"]).strip()
        mounted = pathlib.Path(said([*store, "mount", container]).strip())
        for library in re.findall(r"/\S+(?= \(0x)", said(["ldd", LEADSCORE])):
            place = mounted / library.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, place)
        data = folder / "data"
        data.mkdir()
        run = [*store, "run", "--isolation", "chroot", "-v", f"{data}:/data", container, "--", *image["Entrypoint"]]
        said([*run, "simulate", "--leads", 1000, "--world", "linear", "--format", "csv", "-o", "."])
        said([*run, "run"])
        said([*run, "tokens", "create", "board", "--role", "read"])
        with self.served([*run, "serve", "--address", "0.0.0.0:0", "--now", "2026-01-01"], data) as (address, log):
            for _ in range(600):
                with contextlib.suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{address}/readyz") as answer:
                    self.assertEqual(answer.status, 200)
                    break
                time.sleep(0.05)
            else:
                self.fail(log.read_text())
            self.assertIn("travel in the clear", log.read_text())
        # What it has is in the volume, and the next container goes on with it.
        self.assertTrue((data / "events.store").exists())
        said([*store, "umount", container])
        said([*store, "rm", container])

    @contextlib.contextmanager
    def served(self, command, folder):
        log = folder / "serve.log"
        with open(log, "w") as errors:
            server = subprocess.Popen([*map(str, command)], stdout=subprocess.PIPE, stderr=errors, text=True)
        try:
            line = server.stdout.readline()
            found = re.search(r"http://\S+:(\d+)", line)
            assert found, (line, log.read_text())
            yield found.group(1), log
        finally:
            server.terminate()
            server.wait(60)
            server.stdout.close()


if __name__ == "__main__":
    unittest.main()
