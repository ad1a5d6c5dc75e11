"""Features by SQL are those of the sweep, to the bit: run in DuckDB and PostgreSQL, on tables with everything that a config can name."""
import csv
import io
import os
import pathlib
import struct
import subprocess
import tempfile
import unittest

import duckdb
import odd_crm
import postgres

LEADSCORE = os.environ["LEADSCORE"]
PLACES = ["--place", "outcomes=deals", "--place", "history=changes"]


def run(folder, *args, status=0):
    done = subprocess.run([LEADSCORE, *args], cwd=folder, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stderr


def bits(value):
    return value if isinstance(value, str) or value is None else struct.pack("<d", float(value) + 0.0)


def matrix(result):
    """Cells by lead and snapshot, then by column."""
    names = [column[0] for column in result.description]
    return {(row[0], str(row[1])[:19]): dict(zip(names[2:], row[2:])) for row in result.fetchall()}


class FeatureSql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = folder = pathlib.Path(cls.temporary.name)
        cls.tables = odd_crm.rows()
        with duckdb.connect() as database:
            odd_crm.write(database, cls.tables, folder)
        run(folder, "features", "-o", "matrix.parquet")
        cls.expected = matrix(duckdb.execute(f"select * from '{folder}/matrix.parquet'"))

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def statement(self, dialect):
        run(self.folder, "features", "--sql", dialect, *PLACES, "-o", f"{dialect}.sql")
        return (self.folder / f"{dialect}.sql").read_text()

    def check(self, found):
        self.assertGreater(len(self.expected), 1000)
        self.assertEqual(found.keys(), self.expected.keys())
        columns = [name for name in next(iter(self.expected.values())) if name not in ("label", "mature")]
        self.assertGreater(len(columns), 200)
        seen = {name: set() for name in columns}
        for key, row in self.expected.items():
            cells = found[key]
            self.assertEqual((cells["mature"], cells["label"]), (row["mature"], row["label"]))
            for name in columns:
                value, expected = cells[name], row[name]
                seen[name].add(expected)
                if ".decay." in name:
                    # Sums of powers: the last digits are each engine's own.
                    self.assertAlmostEqual(float(value), expected, delta=1e-12 * max(1.0, expected), msg=f"{key} {name}")
                else:
                    self.assertEqual(bits(value), bits(expected), f"{key} {name}: {value} and not {expected}")
        # Columns that never change would prove nothing.
        self.assertGreater(sum(len(values) > 1 for values in seen.values()), 0.85 * len(columns))

    def test_duckdb(self):
        with duckdb.connect() as database:
            odd_crm.load(database, self.tables)
            # The zone of the session changes nothing.
            database.execute("set timezone = 'America/New_York'")
            self.check(matrix(database.execute(self.statement("duckdb"))))

    @unittest.skipUnless(postgres.programs() or "CI" in os.environ, "no PostgreSQL is installed")
    def test_postgres(self):
        # Names of more than 63 bytes are an error there.
        run(self.folder, "features", "--sql", "postgres", *PLACES, "-o", "postgres.sql")
        statement = (self.folder / "postgres.sql").read_text()
        with postgres.Server() as server:
            for name, columns in odd_crm.TYPES.items():
                kinds = ", ".join(f"{column} {kind.replace('double', 'double precision')}" for column, kind in columns.items())
                text = io.StringIO()
                csv.writer(text, lineterminator="\n").writerows(["" if cell is None else cell for cell in row] for row in self.tables[name])
                server.sql(f"create table {name} ({kinds});\ncopy {name} from stdin csv;\n{text.getvalue()}\\.\n")
            text = server.run("psql", "-h", server.folder, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-q", "--csv", "-f", "-", stdin="set time zone 'Europe/Berlin';\n" + statement)
            found = {}
            kinds = {name: type(next((row[name] for row in self.expected.values() if row[name] is not None), 0.0)) for name in next(iter(self.expected.values()))}
            for row in csv.DictReader(io.StringIO(text)):
                cells = {name: None if row[name] == "" else row[name] if kind is str else row[name] == "t" if kind is bool else float(row[name]) for name, kind in kinds.items()}
                found[row["id"], row["snapshot"][:19]] = cells
            self.check(found)

    def test_nothing_that_becomes_known_later_leaves_a_trace(self):
        moment = "2022-04-01 00:00:00"
        statement = self.statement("duckdb")

        def rows(tables):
            with duckdb.connect() as database:
                odd_crm.load(database, tables)
                found = matrix(database.execute(statement))
            # Sums of powers depend on the order of adding.
            cell = lambda name, value: round(value, 9) if ".decay." in name else value
            return {key: {name: cell(name, value) for name, value in row.items() if name != "label"} for key, row in found.items() if key[1] <= moment}

        before = rows(self.tables)
        self.assertGreater(sum(key[1] == moment for key in before), 50)
        # No message: the rows are thousands.
        self.assertTrue(before == rows(odd_crm.later(self.tables, moment)), "the future is seen")
        # And what becomes known one microsecond before it is seen there, and nowhere else.
        just_before = "2022-03-31 23:59:59.999999"
        visits = self.tables["visits"] + [[lead, just_before, just_before, "mail", "desk", 5, 0.25, "price"] for lead, _ in before]
        after = rows({**self.tables, "visits": visits})
        self.assertEqual({key[1] for key in before if before[key] != after[key]}, {moment})

    def test_what_cannot_be_said_is_an_error_that_names_it(self):
        def said(*args):
            return run(self.folder, "features", *args, "-o", "no.sql", status=2)

        self.assertIn("features are written in the SQL of duckdb, postgres, spark, not of snowflake", said("--sql", "snowflake"))
        self.assertIn("there is no table `visit` in leadscore.toml\n  hint: it has leads, ", said("--sql", "duckdb", "--place", "visit=v"))
        local = odd_crm.CONFIG.replace('path = "visits.parquet"', 'path = "visits.parquet"\ntime_zone = "Europe/Berlin"')
        (self.folder / "local.toml").write_text(local)
        self.assertIn('[activities.visits] has `time_zone = "Europe/Berlin"`', said("--sql", "duckdb", "-c", "local.toml"))
        long = odd_crm.CONFIG.replace("[lookups.regions]", f"[lookups.{'regions' * 9}]")
        (self.folder / "long.toml").write_text(long)
        self.assertIn("bytes, and PostgreSQL takes 63", said("--sql", "postgres", "-c", "long.toml"))
        self.assertFalse((self.folder / "no.sql").exists())


if __name__ == "__main__":
    unittest.main()
