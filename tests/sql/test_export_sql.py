"""The exported SQL gives what the model gives, on the same rows: run in DuckDB, PostgreSQL and SQLite, parsed in the other dialects."""
import collections
import csv
import io
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import unittest

import duckdb
import postgres
import small_crm
import sqlglot

LEADSCORE = os.environ["LEADSCORE"]
# A level whose name is a text only where it is quoted as the dialect asks for.
AWKWARD = "it's a \\ \"role\""


def run(folder, *args):
    done = subprocess.run([LEADSCORE, *args], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class ExportSql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = folder = pathlib.Path(cls.temporary.name)
        # Shape functions, pairwise interactions, levels; and then leads of a sort that training never saw, and without values.
        run(folder, "simulate", "--leads", "9000", "--world", "interactions", "--format", "csv", "--out", "crm")
        leads = folder / "crm" / "leads.csv"
        with leads.open(newline="") as file:
            header, *rows = csv.reader(file)
        role, source, seats = (header.index(name) for name in ("role", "source", "seats"))

        def write():
            with leads.open("w", newline="") as file:
                csv.writer(file).writerows([header, *rows])

        for number, row in enumerate(rows):
            if number % 5 == 0:
                row[role] = AWKWARD
        write()
        run(folder, "train", "-c", "crm/leadscore.toml", "--as-of", "2025-04-01", "-o", "model")
        for number, row in enumerate(rows):
            if number % 7 == 0:
                row[role] = "the boss's \\ \"own\" cat"
            if number % 11 == 0:
                row[source] = row[seats] = ""
        write()
        run(folder, "features", "-c", "crm/leadscore.toml", "-o", "features.parquet")
        run(folder, "evaluate", "model", "-c", "crm/leadscore.toml", "--from", "2025-04-01", "--scores", "scores.parquet")
        for dialect in ("duckdb", "sqlite", "postgres", "snowflake", "bigquery", "spark"):
            run(folder, "export", "sql", "model", "--dialect", dialect, "-o", f"{dialect}.sql")
        cls.expected = dict(
            ((lead, str(snapshot)), (log_odds, likelihood))
            for lead, snapshot, log_odds, likelihood in duckdb.execute(
                f"select lead_id, snapshot::varchar, log_odds, likelihood_to_close from '{folder}/scores.parquet'").fetchall())

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def check(self, rows):
        found = {(lead, str(snapshot)): (log_odds, likelihood, tier) for lead, snapshot, log_odds, likelihood, tier in rows}
        self.assertGreater(len(self.expected), 500)
        for key, (log_odds, likelihood) in self.expected.items():
            self.assertAlmostEqual(found[key][0], log_odds, delta=1e-9)
            self.assertAlmostEqual(found[key][1], likelihood, delta=1e-7)
            self.assertIn(found[key][2], ("Very high", "High", "Medium", "Low"))
        # Quartiles of all rows of the table.
        sizes = collections.Counter(tier for *_, tier in found.values())
        self.assertEqual(len(sizes), 4)
        self.assertLess(max(sizes.values()) - min(sizes.values()), 0.05 * len(found))

    def test_duckdb(self):
        statement = (self.folder / "duckdb.sql").read_text()
        with duckdb.connect() as database:
            database.execute(f"create view features as select * replace (snapshot::varchar as snapshot) from '{self.folder}/features.parquet'")
            self.check(database.execute(statement).fetchall())

    def test_features_and_score_in_one_statement(self):
        folder = self.folder
        run(folder, "score", "model", "-c", "crm/leadscore.toml", "--as-of", "2025-07-01", "-o", "as_of.parquet")
        run(folder, "export", "sql", "model", "--dialect", "duckdb", "--features", "-c", "crm/leadscore.toml", "--as-of", "2025-07-01", "-o", "whole.sql",
            "--place", f"outcomes=read_csv('{folder}/crm/deals.csv')", "--place", f"activities.web='{folder}/crm/web_sessions.csv'",
            "--place", f"activities.sales='{folder}/crm/sales_activities.csv'",
            *(f"--place={table}='{folder}/crm/{table.split('.')[-1]}.csv'" for table in ("leads", "activities.touches", "activities.stages", "lookups.accounts")))
        expected = {lead: rest for lead, *rest in duckdb.execute(f"select lead_id, log_odds, contact_priority from '{folder}/as_of.parquet' where log_odds is not null").fetchall()}
        found = {row[0]: row for row in duckdb.execute((folder / "whole.sql").read_text()).fetchall()}
        self.assertGreater(len({log_odds for log_odds, _ in expected.values()}), 200)
        self.assertEqual(found.keys(), expected.keys())
        for lead, (log_odds, tier) in expected.items():
            self.assertAlmostEqual(found[lead][2], log_odds, delta=1e-12 * max(1.0, abs(log_odds)))
            self.assertEqual(found[lead][4], tier)

    def test_a_calibrated_model(self):
        # The stored model of format 2 has a calibration curve; its stored scores are of this small CRM.
        folder = self.folder / "small"
        small_crm.write(folder)
        run(folder, "features", "-o", "features.parquet")
        fixtures = pathlib.Path(__file__).parent.parent / "fixtures"
        run(folder, "export", "sql", str(fixtures / "model-v2.leadscore"), "--dialect", "duckdb", "--key", "id", "-o", "score.sql",
            "--table", f"(select * from '{folder}/features.parquet' where snapshot = timestamp '2020-05-01')")
        statement = (folder / "score.sql").read_text()
        self.assertIn("WHEN ls_total <= ", statement)
        found = {lead: log_odds for lead, log_odds, *_ in duckdb.execute(statement).fetchall()}
        with (fixtures / "scores-v2.csv").open(newline="") as file:
            expected = {row["id"]: row["log_odds"] for row in csv.DictReader(file) if row["log_odds"]}
        self.assertGreater(len(expected), 50)
        for lead, log_odds in expected.items():
            self.assertAlmostEqual(found[lead], float(log_odds), delta=1e-9)

    def test_sqlite(self):
        with duckdb.connect() as source:
            table = source.execute(f"select * replace (snapshot::varchar as snapshot) from '{self.folder}/features.parquet'")
            names = [column[0] for column in table.description]
            rows = table.fetchall()
        database = sqlite3.connect(":memory:")
        self.addCleanup(database.close)
        database.execute(f"create table features ({', '.join(chr(34) + name + chr(34) for name in names)})")
        database.executemany(f"insert into features values ({', '.join('?' * len(names))})", rows)
        self.check(database.execute((self.folder / "sqlite.sql").read_text()).fetchall())

    @unittest.skipUnless(postgres.programs() or "CI" in os.environ, "no PostgreSQL is installed")
    def test_postgres(self):
        with duckdb.connect() as source:
            table = source.execute(f"select * replace (snapshot::varchar as snapshot) from '{self.folder}/features.parquet'")
            columns = [(name, "text" if str(kind) == "VARCHAR" else "boolean" if str(kind) == "BOOLEAN" else "double precision") for name, kind, *_ in table.description]
            rows = table.fetchall()
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(["" if value is None else value for value in row] for row in rows)
        create = ", ".join(f'"{name}" {kind}' for name, kind in columns)
        with postgres.Server() as server:
            server.sql(f"create table features ({create});\ncopy features from stdin csv;\n{text.getvalue()}\\.\n")
            found = csv.reader(io.StringIO(server.sql((self.folder / "postgres.sql").read_text())))
            self.check((lead, snapshot, float(log_odds), float(likelihood), tier) for lead, snapshot, log_odds, likelihood, tier in found)

    def test_other_dialects_are_well_formed(self):
        # These have no server here.
        for dialect in ("snowflake", "bigquery", "spark"):
            with self.subTest(dialect):
                statements = sqlglot.parse((self.folder / f"{dialect}.sql").read_text(), dialect=dialect)
                self.assertEqual(len(statements), 1)
                found = statements[0]
                self.assertEqual([column.alias_or_name for column in found.selects], ["lead_id", "snapshot", "log_odds", "likelihood_to_close", "contact_priority"])
                texts = {literal.this for literal in found.find_all(sqlglot.exp.Literal) if literal.is_string}
                self.assertLessEqual({"referral", AWKWARD}, texts)


if __name__ == "__main__":
    unittest.main()
