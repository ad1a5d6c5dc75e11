"""Which leads are held back is the same in DuckDB, in PostgreSQL and in Python as in the command: by the expressions that the book shows."""
import csv
import hashlib
import os
import pathlib
import re
import subprocess
import tempfile
import unittest

import duckdb
import postgres

LEADSCORE = os.environ["LEADSCORE"]
PAGE = pathlib.Path(__file__).parents[2] / "docs" / "holdback.md"


def run(folder, *args):
    done = subprocess.run([LEADSCORE, *args], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def expression(engine):
    """The expression of the table of the page."""
    return re.search(rf"^\| {engine} \| `(.*)` \|$", PAGE.read_text(), flags=re.MULTILINE)[1].replace("\\|", "|")


class HoldBack(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = folder = pathlib.Path(cls.temporary.name)
        run(folder, "simulate", "--leads", "6000", "--format", "csv", "--out", ".")
        # Ids beyond ASCII, and with a quotation mark, are hashed by their UTF-8.
        with (folder / "deals.csv").open(newline="") as file:
            open_leads = [row["lead_id"] for row in csv.DictReader(file) if row["stage"] == "open"]
        for old, new in zip(open_leads, ("Größe", "o'Neill", "日本", "a b")):
            for path in folder.glob("*.csv"):
                path.write_text(path.read_text().replace(f"{old},", f"{new},"))
        config = folder / "leadscore.toml"
        config.write_text(config.read_text() + "\n[operation]\nholdback = 0.05\n")
        run(folder, "train", "-o", "model", "--allow-too-few")
        run(folder, "score", "model", "-o", "scores.csv")
        with (folder / "scores.csv").open(newline="") as file:
            cls.expected = {row["lead_id"]: row["held_back"] == "true" for row in csv.DictReader(file)}
        assert "Größe" in cls.expected, list(cls.expected)[:5]

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def test_the_share_is_kept(self):
        n, held = len(self.expected), sum(self.expected.values())
        # Four standard deviations.
        self.assertLess(abs(held - 0.05 * n), 4 * (n * 0.05 * 0.95) ** 0.5)

    def test_in_python(self):
        for lead, held in self.expected.items():
            digits = hashlib.sha256(f"leadscore-holdback:{lead}".encode()).hexdigest()[:8]
            self.assertEqual(digits < "0ccccccc", held, lead)

    def test_in_duckdb(self):
        with duckdb.connect() as database:
            found = database.execute(f"select lead_id, {expression('DuckDB')} from read_csv('{self.folder}/scores.csv', all_varchar = true)").fetchall()
        self.assertEqual(dict(found), self.expected)

    def test_in_postgresql(self):
        if not postgres.programs():
            self.skipTest("there is no PostgreSQL server")
        quoted = ", ".join("('" + lead.replace("'", "''") + "')" for lead in self.expected)
        with postgres.Server() as server:
            rows = server.sql(f"select lead_id, {expression('PostgreSQL')} from (values {quoted}) as leads(lead_id);")
        found = {lead: held == "t" for lead, held in csv.reader(rows.splitlines())}
        self.assertEqual(found, self.expected)


if __name__ == "__main__":
    unittest.main()
