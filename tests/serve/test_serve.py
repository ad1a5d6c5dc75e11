"""A server with a real model, asked by the clients that people have: those of the Open Inference Protocol, and requests made up
from its description. `PROTOCOL`, `OPENAPI` and `MLSERVER` are the Pythons of these groups; without one its test is skipped.
"""
import contextlib
import csv
import json
import math
import os
import pathlib
import re
import sqlite3
import subprocess
import sys
import tempfile
import unittest
import urllib.request

ROOT = pathlib.Path(__file__).resolve().parents[2]
LEADSCORE = os.environ.get("LEADSCORE", "leadscore")
PEERS = {name: os.environ.get(name.upper()) for name in ("protocol", "openapi", "mlserver")}


def run(folder, *args):
    done = subprocess.run([LEADSCORE, *map(str, args)], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, (args, done.stdout, done.stderr)
    return done.stdout


def ask(url, token, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"authorization": f"Bearer {token}"} | ({"content-type": "application/json"} if data else {})
    request = urllib.request.Request(url, data, headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


class Serve(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        folder = pathlib.Path(cls.folder.name)
        run(folder, "simulate", "--leads", 2000, "--format", "csv", "-o", "crm")
        run(folder, "run", "-c", "crm/leadscore.toml")
        cls.token = run(folder, "tokens", "create", "tests", "--role", "admin", "-c", "crm/leadscore.toml").strip().splitlines()[-1]
        cls.model = next((folder / "crm").rglob("*.leadscore"))
        command = [LEADSCORE, "serve", "-c", "crm/leadscore.toml", "--now", "2026-01-01", "--address", "127.0.0.1:0"]
        cls.log = open(folder / "serve.log", "w")
        cls.server = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=cls.log, text=True)
        line = cls.server.stdout.readline()
        cls.address = re.search(r"http://(\S+)", line).group(1)
        cls.url = f"http://{cls.address}"

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        assert cls.server.wait(60) == 0
        cls.server.stdout.close()
        cls.log.close()
        cls.folder.cleanup()

    def rows(self, moment):
        """The model's features at a moment, by name, and the likelihood of each lead by the command."""
        folder = pathlib.Path(self.folder.name)
        features = ["features", "-c", "crm/leadscore.toml", "--model", self.model, "-o", "features.csv"]
        run(folder, *features)
        run(folder, "score", self.model, "-c", "crm/leadscore.toml", "--as-of", moment, "-o", "scores.csv")
        with open(folder / "scores.csv", newline="") as file:
            scores = {row["lead_id"]: float(row["likelihood_to_close"]) for row in csv.DictReader(file) if row["likelihood_to_close"]}
        with open(folder / "features.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["snapshot"].startswith(moment) and row["lead_id"] in scores]
        return rows, [scores[row["lead_id"]] for row in rows]

    def tensors(self, rows, missing):
        """A tensor for each input of the model; `missing` stands for a number that is not there."""
        metadata = ask(f"{self.url}/v2/models/leadscore", self.token)
        for given in metadata["inputs"]:
            cells = [row[given["name"]] for row in rows]
            if given["datatype"] == "BYTES":
                yield given["name"], "BYTES", [cell or None for cell in cells]
            else:
                number = lambda cell: {"": missing, "true": 1.0, "false": 0.0}.get(cell) if cell in ("", "true", "false") else float(cell)
                yield given["name"], "FP64", [number(cell) for cell in cells]

    def infer(self, tensors, n):
        inputs = [{"name": name, "datatype": kind, "shape": [n], "data": data} for name, kind, data in tensors]
        (output,) = ask(f"{self.url}/v2/models/leadscore/infer", self.token, {"inputs": inputs})["outputs"]
        return output["data"]

    def test_rows_of_features_have_the_score_of_the_command(self):
        rows, expected = self.rows("2025-09-01")
        self.assertGreater(len(rows), 20)
        tensors = list(self.tensors(rows, None))
        self.assertIn("BYTES", [kind for _, kind, _ in tensors])
        for found, wanted in zip(self.infer(tensors, len(rows)), expected, strict=True):
            # The file has so many digits.
            self.assertTrue(math.isclose(100 * found, wanted, rel_tol=1e-9, abs_tol=1e-9), (found, wanted))

    def clients(self, python, *names):
        rows, _ = self.rows("2025-09-01")
        # Clients have no number that is missing.
        tensors = list(self.tensors(rows, 0.0))
        of_rows = [[data[row] for _, _, data in tensors] for row in range(len(rows))]
        expected = {"features": [name for name, _, _ in tensors], "rows": of_rows, "probabilities": self.infer(tensors, len(rows))}
        path = pathlib.Path(self.folder.name) / "expected.json"
        path.write_text(json.dumps(expected))
        command = [python, ROOT / "tests/operate/protocol.py", self.address, "leadscore", "--expect", path, "--token", self.token]
        for name in names:
            command += ["--client", name]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        sys.stderr.write(done.stdout)

    def test_what_is_acknowledged_outlives_kills(self):
        # `ROUNDS=1000` asks for more; of tables, so that what was imported can be told from what was sent.
        folder = pathlib.Path(self.folder.name) / "killed"
        folder.mkdir()
        run(folder, "simulate", "--leads", 2000, "--format", "csv", "-o", "crm")
        run(folder, "run", "-c", "crm/leadscore.toml")
        run(folder, "store", "import", "-c", "crm/leadscore.toml")
        store = folder / "crm/events.store"
        with contextlib.closing(sqlite3.connect(f"file:{store}?mode=ro", uri=True)) as connection:
            (imported,) = connection.execute("select max(seq) from events").fetchone()
        command = [sys.executable, ROOT / "benches/peers/serve/crash.py", "--rounds", os.environ.get("ROUNDS", "8"), "--longest", 0.6]
        command += ["--sqlite", store, "--query", f"select id from events where seq > {imported}", "--leads", 2000, "--ready", "/healthz"]
        command += ["--log", folder / "crash.log", "--", LEADSCORE, "serve", "-c", folder / "crm/leadscore.toml", "--address", "127.0.0.1:PORT"]
        done = subprocess.run([*map(str, command)], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertGreater(json.loads(done.stdout)["acknowledged"], 100)
        sys.stderr.write(done.stdout)

    @unittest.skipUnless(PEERS["protocol"], "PROTOCOL names no Python")
    def test_clients_of_triton_and_kserve(self):
        self.clients(PEERS["protocol"], "tritonclient", "kserve")

    @unittest.skipUnless(PEERS["mlserver"], "MLSERVER names no Python")
    def test_the_client_of_mlserver(self):
        self.clients(PEERS["mlserver"], "mlserver")

    @unittest.skipUnless(PEERS["openapi"], "OPENAPI names no Python")
    def test_requests_made_up_from_the_description(self):
        examples = os.environ.get("EXAMPLES", "10")
        done = subprocess.run([PEERS["openapi"], ROOT / "tests/operate/openapi.py", self.url, "--examples", examples, "--token", self.token], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-6000:] + done.stderr[-2000:])


if __name__ == "__main__":
    unittest.main()
