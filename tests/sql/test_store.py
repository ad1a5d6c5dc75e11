"""The event store in PostgreSQL, as a company uses it: the same numbers as with a file, to the bit, and a server that goes on."""
import csv
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

import postgres

LEADSCORE = os.environ.get("LEADSCORE", "leadscore")


def run(folder, *args, code=0, **environment):
    done = subprocess.run(
        [LEADSCORE, *args], cwd=folder, capture_output=True, text=True, env={**os.environ, **environment}
    )
    if done.returncode != code:
        raise AssertionError(f"{args}: {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


class Served:
    """A server of a folder, until it is asked to end."""

    def __init__(self, folder, *args):
        command = [LEADSCORE, "serve", "--address", "127.0.0.1:0", "--now", "2026-01-01", "--log", "answers", *args]
        self.log = folder / "serve.log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(command, cwd=folder, stdout=subprocess.PIPE, stderr=log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on http://"):
            raise AssertionError(line + self.log.read_text())
        self.address = line.removeprefix("listening on http://").strip()
        for _ in range(600):
            if self.ask("GET", "/readyz")[0] == 200:
                return
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def ask(self, method, path, body=None):
        connection = http.client.HTTPConnection(self.address, timeout=30)
        headers = {"content-type": "application/json"} if body is not None else {}
        connection.request(method, path, json.dumps(body) if body is not None else None, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        try:
            return answer.status, json.loads(text)
        except ValueError:
            return answer.status, text.decode()

    def end(self):
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout=60)
        self.process.stdout.close()
        return code


def touch(name, lead, day="2025-12-30"):
    row = {"lead_id": lead, "at": f"{day}T09:00:00Z", "activity_type": "demo"}
    return {"id": name, "table": "activities.sales", "row": row}


@unittest.skipUnless(postgres.programs() or "CI" in os.environ, "no PostgreSQL is installed")
class StoreInPostgres(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = postgres.Server("-c max_connections=50")
        cls.server.__enter__()
        cls.addClassCleanup(cls.server.__exit__)
        cls.company = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory())) / "company"
        cls.company.mkdir()
        run(cls.company, "simulate", "--leads", "1000", "--world", "linear", "--format", "csv", "--out", ".")
        run(cls.company, "run")

    def folder(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory())) / "company"
        shutil.copytree(self.company, folder)
        return folder

    def uri(self, schema, user="postgres"):
        return f"postgresql:///postgres?host={self.server.folder}&user={user}&schema={schema}"

    def add(self, folder, text):
        path = folder / "leadscore.toml"
        path.write_text(path.read_text() + text)

    def test_same_model_and_same_scores(self):
        found = []
        for place in ["events.store", self.uri("same")]:
            folder = self.folder()
            self.add(folder, f'\n[store]\npath = "{place}"\n')
            self.assertIn("imported ", run(folder, "store", "import"))
            self.assertIn(" is whole: ", run(folder, "store", "check"))
            # The tables are not read any more.
            (folder / "leads.csv").unlink()
            run(folder, "train", "-o", "own.leadscore")
            run(folder, "score", "own.leadscore", "-o", "scores.csv")
            run(folder, "store", "export", "-o", "exported")
            scores = (folder / "scores.csv").read_bytes()
            leads = [row["lead_id"] for row in csv.DictReader(scores.decode().splitlines())]
            self.assertGreater(len(leads), 100)
            explained = run(folder, "explain", "own.leadscore", leads[0])
            exported = {path.name: path.read_bytes() for path in sorted((folder / "exported").rglob("*.parquet"))}
            monitored = run(folder, "monitor", "own.leadscore")
            found.append(((folder / "own.leadscore").read_bytes(), scores, explained, exported, monitored))
            run(folder, "run")
        of_file, of_server = found
        self.assertEqual([one == other for one, other in zip(of_file, of_server)], [True] * 5)
        self.assertIn("is there already\n  hint: name a new schema", run(folder, "store", "import", code=2))
        self.assertIn("pg_dump --schema=same", run(folder, "store", "backup", "-o", "copy", code=2))

    def test_served_and_replayed(self):
        folder = self.folder()
        self.add(folder, f'\n[store]\npath = "{self.uri("served")}"\n')
        served = Served(folder)
        self.addCleanup(served.process.kill)
        status, queue = served.ask("GET", "/v1/leads?limit=500")
        self.assertEqual(status, 200)
        leads = [lead["score"]["lead"] for lead in queue["leads"]]
        likelihoods = {lead["score"]["lead"]: lead["score"]["likelihood"] for lead in queue["leads"]}
        run(folder, "score", "@champion", "--as-of", queue["as_of"], "-o", "batch.csv")
        batch = {row["lead_id"]: row["likelihood_to_close"] for row in csv.DictReader((folder / "batch.csv").read_text().splitlines())}
        self.assertEqual({lead: float(batch[lead]) for lead in leads}, likelihoods)
        # One server writes.
        refused = run(folder, "serve", "--address", "127.0.0.1:0", code=2)
        self.assertIn("is open in another process that writes to it", refused)
        self.assertIn("is open in another process", run(folder, "store", "forget", leads[0], code=2))
        events = [touch(f"e{n}", lead) for n, lead in enumerate(leads[:50])]
        self.assertEqual(served.ask("POST", "/v1/events", events)[1]["accepted"], len(events))
        self.assertEqual(served.ask("POST", "/v1/events", events)[1]["duplicates"], len(events))
        # The database crashes and comes back: callers wait; if it is away for longer, they are told.
        self.server.run("pg_ctl", "-D", self.server.folder / "data", "-m", "immediate", "-w", "stop")
        begin = time.monotonic()
        status, problem = served.ask("POST", "/v1/events", [touch("later", leads[0])])
        self.assertEqual((status, problem["title"]), (503, "Something the server needs is missing"))
        self.assertLess(time.monotonic() - begin, 15)
        status, problem = served.ask("GET", f"/v1/leads/{leads[0]}")
        self.assertEqual(status, 503, problem)
        self.assertEqual(served.ask("GET", "/healthz")[0], 200)
        options = f"-c listen_addresses='' -c unix_socket_directories='{self.server.folder}' {self.server.options}"
        self.server.run(
            "pg_ctl", "-D", self.server.folder / "data", "-o", options, "-l", self.server.folder / "log", "-w", "start"
        )
        for _ in range(200):
            status, answer = served.ask("POST", "/v1/events", [touch("later", leads[0])])
            if status == 202:
                break
            time.sleep(0.05)
        self.assertEqual((status, answer["accepted"]), (202, 1), answer)
        for lead in leads:
            self.assertEqual(served.ask("GET", f"/v1/leads/{lead}")[0], 200)
        forgotten = leads[7]
        status, answer = served.ask("DELETE", f"/v1/leads/{forgotten}")
        self.assertEqual(status, 200, answer)
        self.assertEqual(served.end(), 0)
        self.assertIn(" 0 differ", run(folder, "replay", "answers"))
        self.assertIn(" is whole: ", run(folder, "store", "check"))
        self.assertTrue((folder / "served.server").is_dir())
        self.assertNotIn("user=postgres", served.log.read_text())
        said = run(folder, "store", "forget", leads[8])
        self.assertIn("its ID is in no row of the store any more", said)
        count = "select count(*) from served.events where strpos(entity || id || \"row\", '%s') > 0"
        for lead in (forgotten, leads[8]):
            self.assertEqual(self.server.sql(count % lead).strip(), "0")

    def test_addresses_are_secrets(self):
        folder = self.folder()
        config = (folder / "leadscore.toml").read_text()

        def said(path, *args, **environment):
            (folder / "leadscore.toml").write_text(config + f'\n[store]\npath = "{path}"\n')
            text = run(folder, *(args or ("store", "check")), code=2, **environment)
            for secret in ("s3cret", "zoe9"):
                self.assertNotIn(secret, text)
            return text

        uri = "postgresql://zoe9:s3cret@127.0.0.1:1/crm"
        self.assertIn("`path` of [store] has a password", said(uri))
        self.assertIn("which is not set", said("env:LEADSCORE_NO_SUCH"))
        self.assertIn("names no environment variable", said("env:" + uri))
        self.assertIn("is an address of something else than PostgreSQL", said("mysql://zoe9@db/crm"))
        typed = ("store", "check", "--store", "mysql://zoe9@db/crm")
        self.assertIn("is no address of PostgreSQL\n  hint: write postgresql://HOST", said("events.store", *typed))
        self.assertIn("cannot be reached", said("env:STORE_URI", STORE_URI=uri))
        (folder / "store.uri").write_text(uri + "\n")
        self.assertIn("which others can read", said("file:store.uri"))
        (folder / "store.uri").chmod(0o600)
        self.assertIn("cannot be reached", said("file:store.uri"))
        # A database that is away is no reason to read old tables.
        self.assertIn("cannot be reached", said("file:store.uri", "train", "-o", "x.leadscore"))
        self.assertIn("is no address of PostgreSQL", said("env:STORE_URI", STORE_URI="events.store"))
        self.assertIn("names no database", said("env:STORE_URI", STORE_URI="postgresql://zoe9:s3cret@127.0.0.1:1"))
        self.assertIn("does not let in the user", said(self.uri("x", user="zoe9")))


if __name__ == "__main__":
    unittest.main()
