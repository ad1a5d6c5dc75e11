"""Ids that reach their leads through association tables and merges, and outcomes that are a log: features by SQL are those of the sweep, to the bit."""
import csv
import io
import os
import pathlib
import tempfile
import unittest

import duckdb
import linked_crm
import postgres
from test_feature_sql import bits, matrix, run

# Leads merged in 2030 are not yet, and a table that goes on then would be planned.
AS_OF = "2022-07-01"


class LinkedSql(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = folder = pathlib.Path(cls.temporary.name)
        cls.tables = linked_crm.rows()
        with duckdb.connect() as database:
            linked_crm.write(database, cls.tables, folder)
        cls.expected = {}
        for kind in linked_crm.KINDS:
            run(folder, "features", "-c", f"{kind}.toml", "-o", f"{kind}.parquet")
            cls.expected[kind] = matrix(duckdb.execute(f"select * from '{folder}/{kind}.parquet'"))

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def statement(self, dialect, kind, *args):
        run(self.folder, "features", "-c", f"{kind}.toml", "--sql", dialect, *linked_crm.places(kind), *args, "-o", "statement.sql")
        return (self.folder / "statement.sql").read_text()

    def check(self, found, expected, least=500):
        self.assertGreater(len(expected), least)
        self.assertEqual(found.keys(), expected.keys())
        for key, row in expected.items():
            cells = found[key]
            for name, value in row.items():
                if ".decay." in name:
                    self.assertAlmostEqual(float(cells[name]), value, delta=1e-12 * max(1.0, value), msg=f"{key} {name}")
                elif isinstance(value, bool):
                    self.assertEqual(cells[name], value, f"{key} {name}")
                else:
                    self.assertEqual(bits(cells[name]), bits(value), f"{key} {name}: {cells[name]} and not {value}")

    def test_the_kinds_differ(self):
        """What is compared below is no matrix of missing cells: each kind has its wins, and features that change."""
        for kind, rows in self.expected.items():
            with self.subTest(kind):
                self.assertGreater(sum(row["label"] == 1 for row in rows.values()), 20)
                columns = next(iter(rows.values()))
                changing = sum(len({row[name] for row in rows.values()}) > 1 for name in columns)
                self.assertGreater(changing, 0.8 * len(columns))
                if "log" in kind or kind == "all":
                    for name in ("closed_before", "reopened"):
                        found = [column for column in columns if name in column]
                        self.assertTrue(found, columns)
                        self.assertGreater(len({row[found[0]] for row in rows.values()}), 3)

    def test_duckdb(self):
        with duckdb.connect() as database:
            linked_crm.load(database, self.tables)
            for kind, expected in self.expected.items():
                with self.subTest(kind):
                    self.check(matrix(database.execute(self.statement("duckdb", kind))), expected)

    def test_duckdb_as_of_a_moment(self):
        with duckdb.connect() as database:
            linked_crm.load(database, self.tables)
            for kind in ("links_since", "own_ids_since", "merges", "merges_since", "log", "log_corrected", "all"):
                with self.subTest(kind):
                    run(self.folder, "features", "-c", f"{kind}.toml", "--as-of", AS_OF, "-o", "then.parquet")
                    expected = matrix(duckdb.execute(f"select * from '{self.folder}/then.parquet'"))
                    self.check(matrix(database.execute(self.statement("duckdb", kind, "--as-of", AS_OF))), expected, 200)

    def test_tables_that_are_drawn_anew(self):
        folder = self.folder / "anew"
        for seed in (1, 2):
            with duckdb.connect() as database:
                linked_crm.write(database, linked_crm.rows(seed, n_leads=150), folder)
                for kind in ("own_ids_since", "all"):
                    with self.subTest(kind, seed=seed):
                        run(folder, "features", "-c", f"{kind}.toml", "-o", "matrix.parquet")
                        expected = matrix(duckdb.execute(f"select * from '{folder}/matrix.parquet'"))
                        run(folder, "features", "-c", f"{kind}.toml", "--sql", "duckdb", *linked_crm.places(kind), "-o", "statement.sql")
                        self.check(matrix(database.execute((folder / "statement.sql").read_text())), expected)

    def test_scores_in_one_statement(self):
        with duckdb.connect() as database:
            linked_crm.load(database, self.tables)
            for kind in linked_crm.SCORED:
                with self.subTest(kind):
                    config = ["-c", f"few_{kind}.toml", "--as-of", AS_OF]
                    run(self.folder, "train", *config[:2], "--allow-too-few", "-o", "model")
                    run(self.folder, "score", "model", *config, "-o", "scores.parquet")
                    run(self.folder, "export", "sql", "model", "--dialect", "duckdb", "--features", *config, *linked_crm.places(kind), "-o", "score.sql")
                    scores = duckdb.execute(f"select id, log_odds, contact_priority from '{self.folder}/scores.parquet' where log_odds is not null").fetchall()
                    found = {row[0]: row for row in database.execute((self.folder / "score.sql").read_text()).fetchall()}
                    self.assertGreater(len({log_odds for _, log_odds, _ in scores}), 50)
                    self.assertEqual(found.keys(), {lead for lead, *_ in scores})
                    for lead, log_odds, tier in scores:
                        self.assertAlmostEqual(found[lead][2], log_odds, delta=1e-12 * max(1.0, abs(log_odds)))
                        self.assertEqual(found[lead][4], tier)

    @unittest.skipUnless(postgres.programs() or "CI" in os.environ, "no PostgreSQL is installed")
    def test_postgres(self):
        with postgres.Server() as server:
            for name, columns in linked_crm.TYPES.items():
                kinds = ", ".join(f"{column} {kind.replace('double', 'double precision')}" for column, kind in columns.items())
                text = io.StringIO()
                csv.writer(text, lineterminator="\n").writerows(["" if cell is None else cell for cell in row] for row in self.tables[name])
                server.sql(f"create table {name} ({kinds});\ncopy {name} from stdin csv;\n{text.getvalue()}\\.\n")
            for kind, expected in self.expected.items():
                with self.subTest(kind):
                    statement = self.statement("postgres", kind)
                    text = server.run("psql", "-h", server.folder, "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-q", "--csv", "-f", "-", stdin="set time zone 'Europe/Berlin';\n" + statement)
                    kinds = {name: type(next((row[name] for row in expected.values() if row[name] is not None), 0.0)) for name in next(iter(expected.values()))}
                    found = {}
                    for row in csv.DictReader(io.StringIO(text)):
                        cells = {name: None if row[name] == "" else row[name] if of is str else row[name] == "t" if of is bool else float(row[name]) for name, of in kinds.items()}
                        found[row["id"], row["snapshot"][:19]] = cells
                    self.check(found, expected)

    def test_what_contradicts_itself_later_fails_and_says_where(self):
        """A statement outlives the tables that it was written for."""
        merged = self.tables["merged"]
        log = self.tables["deals"]
        at = log[0][2] or "2022-01-01 10:00:00"
        for kind, table, rows, said in (
            ("merges", "merged", [*merged, ["L1", "L5", None], ["L5", "L6", None], ["L6", "L1", None]], "[merges] has a circle, or a chain of more than 8 merges, from this id on: "),
            ("merges", "merged", [*merged, ["L100", "L101", None], ["L100", "L102", None]], "[merges] has an id that is merged into two: L100"),
            ("merges", "merged", [*merged, ["L48", "L49", None]], "a chain of more than 8 merges, from this id on: L40"),
            ("links", "contacts", [[*row[:2], "no", row[3]] for row in self.tables["contacts"]], "[links.contacts] has no row whose `role` says yes, so no link is a primary one, not even of D"),
            ("log", "deals", [*log, ["D0", "L7", at, "won", at], ["D0", "L7", at, "lost", at]], "[outcomes] is a log, and rows of a database have no order: two have different results at one moment, of L7"),
        ):
            with self.subTest(said), duckdb.connect() as database:
                statement = self.statement("duckdb", kind)
                linked_crm.load(database, {**self.tables, table: rows})
                with self.assertRaises(duckdb.Error) as failed:
                    database.execute(statement).fetchall()
                self.assertIn(said, str(failed.exception))

    def test_ids_with_a_decimal_point_are_refused(self):
        """As pandas writes whole numbers beside missing ones: a text of them is `5001.0` in DuckDB."""
        for table, columns, kind, place in (
            ("merged", "5001.0::double as old, 'L1' as new", "merges", "[merges] column `old`"),
            ("merged", "'L1' as old, 5001.5::decimal(9, 1) as new", "merges", "[merges] column `new`"),
            ("contacts", "deal, 7::float as contact, role", "links", "[links.contacts] column `contact`"),
            ("deals", "* exclude (contact), 7.0::double as contact", "log", "[outcomes] column `contact`"),
        ):
            with self.subTest(place):
                duckdb.execute(f"copy (select {columns} from '{self.folder}/{table}.parquet') to '{self.folder}/fractions.parquet'")
                (self.folder / "fractions.toml").write_text(linked_crm.config(kind).replace(f"{table}.parquet", "fractions.parquet"))
                said = run(self.folder, "features", "-c", "fractions.toml", "--sql", "duckdb", "-o", "no.sql", status=2)
                self.assertIn(place, said)
                self.assertIn("ids that are numbers with a decimal point", said)

    def test_a_log_without_an_order_is_refused(self):
        log = linked_crm.config("log")
        with duckdb.connect() as database:
            rows = [*self.tables["deals"], ["D0", "L7", "2022-01-01 10:00:00", "won", None], ["D0", " L7", "2022-01-01 10:00:00", "lost", None]]
            linked_crm.load(database, {**self.tables, "deals": rows})
            database.execute(f"copy deals to '{self.folder}/tied.parquet'")
        (self.folder / "tied.toml").write_text(log.replace("deals.parquet", "tied.parquet"))
        said = run(self.folder, "features", "-c", "tied.toml", "--sql", "duckdb", "-o", "no.sql", status=2)
        self.assertIn("two rows of `L7` have different results at one moment (the other one: ", said)
        self.assertIn("compute features from files, whose order decides", said)


if __name__ == "__main__":
    unittest.main()
