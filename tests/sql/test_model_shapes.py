"""Every shape of model as SQL gives what the model gives: each statement is run in DuckDB, SQLite and PostgreSQL."""
import csv
import io
import json
import os
import pathlib
import sqlite3
import subprocess
import tempfile
import time
import unicodedata
import unittest

import duckdb
import postgres
import sqlglot

LEADSCORE = os.environ["LEADSCORE"]
# Built with all targets, beside the command.
SHAPES = pathlib.Path(LEADSCORE).with_name("examples") / "shapes"
# What a tier is compared with: quartiles of the rows, or the edges that the model file has.
EDGES = {"relative": "quartiles", "frozen": "frozen", "40,20,5": "percent"}


def export(model, dialect, *args, status=0):
    output = model.with_suffix(f".{dialect}.sql")
    done = subprocess.run([LEADSCORE, "export", "sql", str(model), "--dialect", dialect, "-o", str(output), *args], capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    # As most programs read a text: whatever ends a line becomes a line feed.
    return output.read_text(encoding="utf-8") if status == 0 else done.stderr


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class ModelShapes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = folder = pathlib.Path(cls.temporary.name)
        subprocess.run([SHAPES, folder], check=True)
        cls.shapes = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(folder.glob("*.json"))}
        assert len(cls.shapes) > 25

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def each(self, dialect, run, cannot=()):
        """Runs the statement of every shape for either kind of edges."""
        for name, shape in self.shapes.items():
            if name not in cannot:
                for edges in EDGES:
                    with self.subTest(f"{name}, {edges} edges, {dialect}"):
                        found = run(shape, export(self.folder / f"{name}.leadscore", dialect, "--key", "row", "--edges", edges))
                        self.check(shape, edges, found)

    def check(self, shape, edges, rows):
        self.assertEqual([row[0] for row in rows], list(range(len(shape["rows"]))))
        for number, log_odds, likelihood, tier in rows:
            expected = shape["log_odds"][number]
            self.assertAlmostEqual(log_odds, expected, delta=1e-12 * max(1.0, abs(expected)), msg=f"row {number}: {shape['rows'][number]}")
            self.assertAlmostEqual(likelihood, shape["likelihoods"][number], delta=1e-10)
            self.assertEqual(tier, shape[EDGES[edges]][number], f"row {number}: {shape['rows'][number]}")

    @staticmethod
    def table(shape, text, number):
        """The columns of the features' table in SQL, and its rows."""
        kinds = {name: text if name in shape["categories"] else number for name in shape["features"]}
        columns = ", ".join(["row integer", *(f"{quoted(name)} {kind}" for name, kind in kinds.items())])
        return columns, [[position, *(row[name] for name in kinds)] for position, row in enumerate(shape["rows"])]

    def test_duckdb(self):
        def run(shape, statement):
            columns, rows = self.table(shape, "varchar", "double")
            with duckdb.connect() as database:
                database.execute(f"create table features ({columns})")
                database.executemany(f"insert into features values ({', '.join('?' * len(rows[0]))})", rows)
                return sorted(database.execute(statement).fetchall())

        self.each("duckdb", run)

    def test_sqlite(self):
        def run(shape, statement):
            columns, rows = self.table(shape, "text", "real")
            database = sqlite3.connect(":memory:")
            self.addCleanup(database.close)
            database.execute(f"create table features ({columns})")
            database.executemany(f"insert into features values ({', '.join('?' * len(rows[0]))})", rows)
            start = time.monotonic()
            found = sorted(database.execute(statement).fetchall())
            self.assertLess(time.monotonic() - start, 10)
            return found

        self.each("sqlite", run)

    @unittest.skipUnless(postgres.programs() or "CI" in os.environ, "no PostgreSQL is installed")
    def test_postgres(self):
        with postgres.Server() as server:
            def run(shape, statement):
                columns, rows = self.table(shape, "text", "double precision")
                # A text in quotes is not missing.
                cell = lambda value: "" if value is None else str(value) if isinstance(value, (int, float)) else quoted(value)
                lines = "".join(",".join(map(cell, row)) + "\n" for row in rows)
                copied = f"create temporary table features ({columns});\ncopy features from stdin csv;\n{lines}\\.\n"
                found = csv.reader(io.StringIO(server.sql(copied + statement)))
                return sorted((int(row), float(log_odds), float(likelihood), tier) for row, log_odds, likelihood, tier in found)

            self.each("postgres", run, cannot=["levels_nul"])

    def test_a_statement_is_text_of_lines(self):
        """No character is in it that editors, version control or drivers change; and each is one statement of its dialect."""
        for dialect in ("duckdb", "postgres", "sqlite", "snowflake", "bigquery", "spark"):
            for name in ("levels", "tables", "levels_none", "nothing", "unread", "everything_on_a_beta_curve"):
                for edges in EDGES:
                    with self.subTest(f"{name}, {edges} edges, {dialect}"):
                        statement = export(self.folder / f"{name}.leadscore", dialect, "--key", "row", "--edges", edges)
                        odd = {character for character in statement if unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp")} - {"\n"}
                        self.assertEqual(odd, set())
                        parsed = sqlglot.parse(statement, dialect=dialect)
                        self.assertEqual(len(parsed), 1)
                        self.assertEqual([column.alias_or_name for column in parsed[0].selects], ["row", "log_odds", "likelihood_to_close", "contact_priority"])

    def test_values_that_are_no_numbers(self):
        """NaN is a missing value, and what is infinite lies beyond the ends, as the largest number does."""
        largest = 1.7976931348623157e308
        tried = {"'NaN'": None, "'inf'": largest, "'-inf'": -largest}
        values = ", ".join(f"({number}, cast({value} as double precision), cast(null as double precision))" for number, value in enumerate(tried))
        table = f"(select * from (values {values}) as t(row, a, b)) as features"
        model = self.folder / "lines_without_ends.leadscore"
        expected = {}
        for number, value in enumerate(tried.values()):
            columns = "row integer, a double, b double"
            with duckdb.connect() as database:
                database.execute(f"create table features ({columns})")
                database.execute("insert into features values (?, ?, null)", [number, value])
                expected[number] = database.execute(export(model, "duckdb", "--key", "row")).fetchone()[1]
        self.assertEqual(len(set(expected.values())), 3)
        found = {"duckdb": duckdb.execute(export(model, "duckdb", "--key", "row", "--table", table)).fetchall()}
        if postgres.programs():
            with postgres.Server() as server:
                text = server.sql(export(model, "postgres", "--key", "row", "--table", table))
                found["postgres"] = [(int(row), float(log_odds)) for row, log_odds, *_ in csv.reader(io.StringIO(text))]
        for dialect, rows in found.items():
            with self.subTest(dialect):
                self.assertEqual({row[0]: row[1] for row in rows}, expected)

    def test_what_a_statement_cannot_say_is_an_error_that_names_it(self):
        model = self.folder / "lines.leadscore"
        self.assertIn("column `Log_Odds` cannot go along", export(model, "duckdb", "--key", "Log_Odds", status=2))
        self.assertIn("column `ls_x0` cannot go along", export(model, "duckdb", "--key", "ls_x0", status=2))
        self.assertIn("column `row` goes along twice", export(model, "duckdb", "--key", "row,row", status=2))
        self.assertIn("tells no capital letters from small ones", export(model, "sqlite", "--key", "A", status=2))
        export(model, "postgres", "--key", "A")
        self.assertIn("carriage return or a NUL", export(model, "duckdb", "--key", "a\rb", status=2))
        self.assertIn("PostgreSQL has no texts with a NUL character", export(self.folder / "levels_nul.leadscore", "postgres", status=2))


if __name__ == "__main__":
    unittest.main()
