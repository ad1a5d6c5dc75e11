"""The Python package says what the command says, to the bit, whatever the tables come from; and says clearly what is wrong."""
import contextlib
import decimal
import io
import logging
import os
import pathlib
import pickle
import signal
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
import unittest
import unittest.mock
import warnings

import duckdb
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

import leadscore
from leadscore import _progress

LEADSCORE = os.environ["LEADSCORE"]
ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "sql"))
import postgres  # noqa: E402

N_LEADS = 3_000


def run(folder, *args):
    done = subprocess.run([LEADSCORE, *args], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done


def converted(tables, convert):
    return {name: {key: convert(table) for key, table in value.items()} if isinstance(value, dict) else convert(value) for name, value in tables.items()}


def bits(scores):
    """Likelihoods to the bit, by lead; won leads have none."""
    frame = pl.DataFrame(scores).sort("lead_id")
    return frame["lead_id"].to_list(), np.array(frame["log_odds"].fill_null(np.nan)).tobytes(), frame["contact_priority"].to_list()


class Parity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        for kind in ("parquet", "csv"):
            run(cls.folder, "simulate", "--leads", str(N_LEADS), "--seed", "3", "--format", kind, "--out", kind)
        run(cls.folder, "train", "-c", "parquet/leadscore.toml", "-o", "model")
        run(cls.folder, "score", "model", "-c", "parquet/leadscore.toml", "-o", "scores.parquet")
        cls.expected = bits(pl.read_parquet(cls.folder / "scores.parquet"))
        cls.crm = leadscore.simulate(N_LEADS, seed=3)

    @classmethod
    def tearDownClass(cls):
        cls.temporary.cleanup()

    def check(self, **given):
        model = leadscore.train(**given)
        self.assertEqual(model, leadscore.Model.load(self.folder / "model"))
        self.assertEqual(bits(model.score(**given)), self.expected)

    def test_files_of_either_format(self):
        self.check(config=self.folder / "parquet" / "leadscore.toml")
        self.check(config=str(self.folder / "csv" / "leadscore.toml"))

    def test_every_format_of_a_score_file_has_the_same_values(self):
        expected = pl.read_parquet(self.folder / "scores.parquet")
        read = {"csv": lambda path: pl.read_csv(path, infer_schema=False), "ndjson": lambda path: pl.read_ndjson(path, infer_schema_length=None)}
        for ending, reader in read.items():
            run(self.folder, "score", "model", "-c", "parquet/leadscore.toml", "-o", f"scores.{ending}")
            found = reader(self.folder / f"scores.{ending}").select(expected.columns)
            for name, kind in expected.schema.items():
                column = found[name].str.to_datetime(time_unit="us") if kind.is_temporal() else found[name].cast(kind)
                self.assertTrue(column.equals(expected[name], null_equal=True), (ending, name))

    def test_tables_that_were_made_here(self):
        self.check(**self.crm.tables, config=self.crm.config)

    def test_pandas(self):
        self.check(**converted(self.crm.tables, lambda table: table.to_pandas()), config=self.crm.config)

    def test_pandas_with_objects_categories_and_zones(self):
        def convert(table):
            frame = table.to_pandas()
            for column in frame.columns:
                if frame[column].dtype.kind == "M":
                    frame[column] = frame[column].dt.tz_localize("UTC").dt.tz_convert("America/New_York")
                elif column in ("source", "role", "touch_type"):
                    known = list(frame[column].dropna().unique())
                    frame[column] = pd.Categorical(frame[column], categories=[*known, "a level that nobody has"])
                elif frame[column].dtype.kind == "O" or str(frame[column].dtype) == "str":
                    frame[column] = frame[column].astype(object)
            return frame

        self.check(**converted(self.crm.tables, convert), config=self.crm.config)

    def test_polars_pyarrow_duckdb(self):
        self.check(**converted(self.crm.tables, pl.DataFrame), config=self.crm.config)
        in_chunks = lambda table: pa.concat_tables([pa.table(table).slice(0, 700), pa.table(table).slice(700)])
        self.check(**converted(self.crm.tables, in_chunks), config=self.crm.config)
        database = duckdb.connect()

        def relation(table):
            name = f"t{len(database.execute('show tables').fetchall())}"
            arrow = pa.table(table)
            database.register("arrow", arrow)
            database.execute(f"create table {name} as from arrow")
            database.unregister("arrow")
            return database.sql(f"from {name}").to_arrow_table()

        self.check(**converted(self.crm.tables, relation), config=self.crm.config)

    def test_some_tables_in_memory_and_some_in_files(self):
        self.check(config=self.folder / "csv" / "leadscore.toml", leads=self.crm.tables["leads"], activities={"web": self.crm.tables["activities"]["web"]})

    @unittest.skipIf(postgres.programs() is None, "skipped: there is no PostgreSQL server")
    def test_postgresql(self):
        import adbc_driver_postgresql.dbapi as adbc

        with postgres.Server() as server, adbc.connect(f"postgresql://postgres@/postgres?host={server.folder}") as connection:
            cursor = connection.cursor()

            def queried(table, name=iter(range(100))):
                name = f"t{next(name)}"
                cursor.adbc_ingest(name, pa.table(table), mode="create")
                cursor.execute(f"select * from {name} order by random()")
                return cursor.fetch_arrow_table()

            self.check(**converted(self.crm.tables, queried), config=self.crm.config)

    def test_the_rest_says_what_the_command_says(self):
        config = self.folder / "parquet" / "leadscore.toml"
        model = leadscore.Model.load(self.folder / "model")
        self.assertEqual(model.inspect(shapes=True) + "\n", run(self.folder, "inspect", "model", "--shapes").stdout)
        run(self.folder, "train", "-c", config, "-o", "early", "--as-of", "2025-04-01")
        early = leadscore.train(config=config, as_of="2025-04-01", report=True)
        self.assertEqual(early, leadscore.Model.load(self.folder / "early"))
        run(self.folder, "train", "-c", config, "-o", "early", "--as-of", "2025-04-01", "--report", "held-out.html")
        self.assertEqual(early.report.html(), (self.folder / "held-out.html").read_text())
        said = run(self.folder, "evaluate", "early", "-c", config, "-o", "report.html", "--scores", "evaluated.parquet", "--capacity", "20/week")
        report = leadscore.evaluate(early, config=config, capacity="20/week")
        self.assertEqual(str(report) + "\n", said.stdout)
        self.assertEqual(report.html(), (self.folder / "report.html").read_text())
        self.assertTrue(pl.DataFrame(report.snapshots).equals(pl.read_parquet(self.folder / "evaluated.parquet")))
        lead = self.expected[0][next(row for row, tier in enumerate(self.expected[2]) if tier != "Closed won")]
        explanation = model.explain(lead, config=config)
        self.assertEqual(repr(explanation) + "\n", run(self.folder, "explain", "model", lead, "-c", config).stdout)
        self.assertAlmostEqual(explanation["baseline_log_odds"] + sum(part["log_odds"] for part in explanation["reasons"]), explanation["log_odds"], 9)
        for by in ("concept", "feature"):
            tables = ["--table", "contributions.parquet", "--importance", "importance.parquet"]
            run(self.folder, "explain", "model", "-c", config, "--by", by, *tables)
            contributions, importance = (pl.DataFrame(table) for table in model.contributions(config=config, by=by))
            self.assertTrue(contributions.equals(pl.read_parquet(self.folder / "contributions.parquet")))
            self.assertTrue(importance.equals(pl.read_parquet(self.folder / "importance.parquet")))
            sums = contributions["baseline_log_odds"] + contributions.drop(contributions.columns[:4]).sum_horizontal()
            np.testing.assert_allclose(sums, contributions["log_odds"], rtol=0, atol=1e-9)
        with self.assertRaisesRegex(ValueError, "concept"):
            model.contributions(config=config, by="leads")
        with self.assertRaisesRegex(ValueError, "is not before"):
            model.explain(lead, config=config, since="2026-06-01")
        run(self.folder, "features", "-c", config, "--model", "model", "-o", "matrix.parquet")
        matrix = leadscore.features(config=config, model=model)
        self.assertTrue(pl.DataFrame(matrix).equals(pl.read_parquet(self.folder / "matrix.parquet")))
        findings = leadscore.check(config=config)
        self.assertFalse(findings.is_wrong)
        self.assertEqual(repr(findings) + "\n", run(self.folder, "check", "-c", config).stdout)
        rules = self.folder / "rules.toml"
        rules.write_text('[[rule]]\nname = "wrote"\nactivity = "touches"\nkind = "form_submit"\npoints = 5\n')
        run(self.folder, "rules", "score", rules, "-c", config, "-o", "points.parquet")
        self.assertTrue(pl.DataFrame(leadscore.rules(rules, config=config)).equals(pl.read_parquet(self.folder / "points.parquet")))
        run(self.folder, "export", "sql", "model", "--dialect", "duckdb", "--table", "features", "--key", "lead_id", "-o", "model.sql")
        self.assertEqual(model.to_sql("duckdb", keys=["lead_id"]), (self.folder / "model.sql").read_text())
        place = ["--place", "leads=crm.leads"]
        run(self.folder, "features", "-c", config, "--sql", "postgres", *place, "-o", "features.sql")
        self.assertEqual(leadscore.features_sql("postgres", config=config, places={"leads": "crm.leads"}), (self.folder / "features.sql").read_text())
        run(self.folder, "export", "sql", "model", "--dialect", "spark", "--features", "-c", config, *place, "-o", "tables.sql")
        self.assertEqual(model.to_tables_sql("spark", config=config, places={"leads": "crm.leads"}), (self.folder / "tables.sql").read_text())

    def test_frames_of_a_sample_say_what_a_database_computes(self):
        model = leadscore.Model.load(self.folder / "model")
        names = ["leads", "outcomes", *(f"activities.{name}" for name in self.crm.tables["activities"]), *(f"lookups.{name}" for name in self.crm.tables["lookups"])]
        tables = {**{name: self.crm.tables[name] for name in ("leads", "outcomes")}, **self.crm.tables["activities"], **self.crm.tables["lookups"]}
        with duckdb.connect() as database:
            for name, table in tables.items():
                database.register(f"the_{name}", pa.table(table))
            places = {name: f"the_{name.rsplit('.')[-1]}" for name in names}
            statement = model.to_tables_sql("duckdb", **self.crm.tables, config=self.crm.config, places=places, as_of="2025-06-01")
            found = database.sql(f"select lead_id, log_odds from ({statement}) order by 1").pl()
            matrix = database.sql(leadscore.features_sql("duckdb", **self.crm.tables, config=self.crm.config, places=places, model=model)).pl()
        with self.assertWarns(leadscore.LeadscoreWarning):
            scores = model.score(**self.crm.tables, config=self.crm.config, as_of="2025-06-01")
        expected = pl.DataFrame(scores).filter(pl.col("log_odds").is_not_null()).sort("lead_id")
        self.assertEqual(found["lead_id"].to_list(), expected["lead_id"].to_list())
        np.testing.assert_allclose(found["log_odds"], expected["log_odds"], rtol=0, atol=1e-9)
        keys = ["lead_id", "snapshot"]
        wanted = pl.DataFrame(leadscore.features(**self.crm.tables, config=self.crm.config, model=model)).sort(keys)
        matrix = matrix.sort(keys)
        self.assertEqual(matrix["lead_id"].to_list(), wanted["lead_id"].to_list())
        for name in model.features:
            if wanted.schema[name] == pl.String:
                self.assertEqual(matrix[name].to_list(), wanted[name].to_list(), name)
            else:
                np.testing.assert_allclose(matrix[name].cast(float), wanted[name].cast(float), rtol=0, atol=1e-9, err_msg=name)
        with self.assertRaisesRegex(ValueError, "no table `activity.web`"):
            model.to_tables_sql("duckdb", **self.crm.tables, config=self.crm.config, places={"activity.web": "x"})

    def test_the_matrix_of_a_model_scores_as_the_leads_do_in_sql_too(self):
        model = leadscore.Model.load(self.folder / "model")
        matrix = pl.DataFrame(leadscore.features(**self.crm.tables, config=self.crm.config, model=model))
        scored = pl.DataFrame(model.score_features(matrix))
        by_sql = duckdb.sql(f"select log_odds from ({model.to_sql('duckdb', table='matrix', keys=['lead_id', 'snapshot'])}) order by lead_id, snapshot").pl()
        ordered = pl.concat([matrix.select("lead_id", "snapshot"), scored], how="horizontal").sort("lead_id", "snapshot")
        np.testing.assert_allclose(ordered["log_odds"], by_sql["log_odds"], rtol=0, atol=1e-9)

    def test_a_model_survives_pickling_and_files(self):
        model = leadscore.Model.load(self.folder / "model")
        self.assertEqual(pickle.loads(pickle.dumps(model)), model)
        model.save(self.folder / "copy")
        self.assertEqual((self.folder / "copy").read_bytes(), (self.folder / "model").read_bytes())

    def test_scores_are_best_first_and_a_list_is_written(self):
        model = leadscore.Model.load(self.folder / "model")
        given = {**self.crm.tables, "config": self.crm.config}
        scores = pl.DataFrame(model.score(**given))
        self.assertEqual(scores["lead_id"].to_list(), pl.read_parquet(self.folder / "scores.parquet")["lead_id"].to_list())
        open_leads = scores.filter(pl.col("likelihood_to_close").is_not_null())
        self.assertEqual(open_leads["likelihood_to_close"].to_list(), sorted(open_leads["likelihood_to_close"].to_list(), reverse=True))
        for ending in ("xlsx", "html", "csv"):
            path = self.folder / f"list.{ending}"
            model.write_list(path, top=5, columns=["role"], owner="source", previous=self.folder / "scores.parquet", **given)
            options = ["--top", "5", "--columns", "role", "--owner", "source", "--previous", "scores.parquet"]
            run(self.folder, "score", "model", "-c", "parquet/leadscore.toml", "--list", f"command.{ending}", *options)
            self.assertEqual(path.read_bytes(), (self.folder / f"command.{ending}").read_bytes())
        with self.assertRaisesRegex(KeyError, "has no column `Owner`"):
            model.write_list(self.folder / "none.csv", owner="Owner", **given)
        with self.assertRaisesRegex(ValueError, "top is 0"):
            model.write_list(self.folder / "none.csv", top=0, **given)
        with self.assertRaisesRegex(TypeError, "`columns` is a str"):
            model.write_list(self.folder / "none.csv", columns="role", **given)

    def test_one_lead_without_a_table(self):
        model = leadscore.Model.load(self.folder / "model")
        scores = pl.DataFrame(model.score(**self.crm.tables, config=self.crm.config))
        id, log_odds, at = scores["lead_id"][0], scores["log_odds"][0], scores["as_of"][0]
        tables = converted(self.crm.tables, pl.DataFrame)
        row = tables["leads"].filter(pl.col("lead_id") == id).drop("manual_score").to_dicts()[0]
        known = {"touches": ["at", "recorded_at", "touch_type"], "web": ["at", "recorded_at", "page_views", "minutes"], "sales": ["at", "recorded_at", "activity_type"], "stages": ["entered_at", "stage"]}
        row["activities"] = {name: tables["activities"][name].filter(pl.col("lead_id") == id).select(columns).to_dicts() for name, columns in known.items()}
        found = model.score_one(row, lookups=self.crm.tables["lookups"], config=self.crm.config, as_of=at)
        self.assertEqual(found["log_odds"], log_odds)
        # Without its account's row.
        alone = model.score_one({key: value for key, value in row.items() if key != "account_id"}, config=self.crm.config, as_of=at)
        self.assertIn("as missing", alone["notes"][0])
        with self.assertRaisesRegex(ValueError, "did you mean `source`"):
            model.score_one({**row, "sorce": "web"}, config=self.crm.config)
        with self.assertRaisesRegex(TypeError, "`lead` is a list"):
            model.score_one([row], config=self.crm.config)
        changed = model.explain(id, **self.crm.tables, config=self.crm.config, what_if={"source": "paid", "seats": None})
        self.assertEqual(len(changed["what_if"]["changes"]), 2)

    def test_a_registry_is_the_one_of_the_command(self):
        with tempfile.TemporaryDirectory() as folder:
            folder = pathlib.Path(folder)
            registry = leadscore.Registry(folder / "models")
            self.assertEqual((registry.list(), registry.verify(), registry.journal), ([], [], []))
            with self.assertRaisesRegex(leadscore.NotFoundError, "has no champion"):
                registry.champion
            model = leadscore.Model.load(self.folder / "model")
            self.assertEqual(registry.add(model), model.id)
            self.assertEqual(registry.add(model), model.id)
            self.assertTrue(registry.promote(model.id[:10], because="the first", evidence={"log_loss": 0.4}))
            self.assertFalse(registry.promote("@champion", because="again"))
            self.assertEqual(registry.champion, model)
            self.assertEqual(run(folder, "models", "list").stdout.count("champion"), 1)
            self.assertEqual(registry.why()[-1]["figures"], [["log loss", "0.4"]])
            self.assertEqual([line["event"] for line in registry.journal], ["added", "promoted"])
            self.assertEqual(registry.roles, {"champion": model.id, "challenger": None, "previous": None})
            for error, call in (
                (leadscore.NotFoundError, lambda: registry.find("zz")),
                (leadscore.NotFoundError, registry.revert),
                (ValueError, lambda: registry.promote(model.id, because=" ")),
                (ValueError, lambda: registry.retire(model.id, because="old")),
                (TypeError, lambda: registry.find(3)),
                (OSError, lambda: leadscore.Registry(self.folder / "model")),
            ):
                with self.assertRaises(error):
                    call()
            path = folder / "models" / f"{model.id}.leadscore"
            content = bytearray(path.read_bytes())
            content[500] ^= 1
            path.write_bytes(content)
            self.assertEqual([finding["kind"] for finding in registry.verify()], ["model_altered"])
            with self.assertRaisesRegex(ValueError, "is not the file that was added"):
                registry.champion

    def test_reports_have_all_their_forms(self):
        config = self.folder / "parquet" / "leadscore.toml"
        model = leadscore.train(config=config, as_of="2025-04-01")
        report = leadscore.evaluate(model, config=config)
        for ending in ("html", "json", "xlsx", "md"):
            report.save(self.folder / f"r.{ending}")
            self.assertGreater((self.folder / f"r.{ending}").stat().st_size, 1_000)
        with self.assertRaisesRegex(ValueError, r"not written as `.pdf`"):
            report.save(self.folder / "r.pdf")
        self.assertIn("<iframe srcdoc=", report._repr_html_())
        self.assertGreaterEqual((self.folder / "r.html").read_text().count("<svg "), sum(chart.svg is not None for chart in report.charts.values()))
        for name, chart in report.charts.items():
            shown = chart._repr_mimebundle_()
            self.assertIn("image/svg+xml", shown, name) if chart.svg else self.assertIn("$schema", chart.spec)
        self.assertEqual(report.charts["gains"].to_altair().to_dict()["title"], "Gains")


class WrongInput(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.crm = leadscore.simulate(N_LEADS, seed=3)
        cls.leads = cls.crm.tables["leads"].to_pandas()

    def fails(self, kind, text, config=None, **given):
        with self.assertRaises(kind) as caught:
            leadscore.train(config=config or self.crm.config, **{**self.crm.tables, **given})
        self.assertIn(text, str(caught.exception))

    def with_column(self, values):
        frame = self.leads.copy()
        frame["new"] = values
        return frame

    def test_what_is_no_frame(self):
        self.fails(TypeError, "`leads` is a list, expected a frame", leads=[1])
        self.fails(TypeError, "`leads` is a single column, expected a frame\n  hint: pass `leads.to_frame()`", leads=self.leads["role"])
        self.fails(TypeError, "`activities` is a DataFrame, expected a mapping", activities=self.leads)
        self.fails(TypeError, "`config` is a int", config=5)

    def test_links_and_merges_as_frames(self):
        day = lambda n: pd.Timestamp("2021-01-01T10:00:00") + pd.Timedelta(days=n)
        leads = pd.DataFrame({"id": [f"C{n}" for n in range(200)], "created": [day(n % 150) for n in range(200)], "interests": [["a;b", "b", "c;a"][n % 3] for n in range(200)]})
        deals = pd.DataFrame({"deal": [f"D{n}" for n in range(100)], "closed": [day(n % 150 + 60) for n in range(100)], "stage": ["won" if n % 3 else "lost" for n in range(100)]})
        links = pd.DataFrame({"deal": [f"D{n // 2}" for n in range(200)], "contact": [f"C{n}" for n in range(200)]})
        merges = pd.DataFrame({"old": ["C1", "C5"], "new": ["C3", "C7"]})
        config = {
            "leads": {"id": "id", "created_at": "created", "types": {"interests": {"set": ";"}}},
            "outcomes": {"lead": "deal", "via": "contacts", "closed_at": "closed", "result": "stage", "won": ["won"], "lost": ["lost"]},
            "links": {"contacts": {"from": "deal", "lead": "contact"}},
            "merges": {"from": "old", "into": "new"},
            "snapshots": {"horizon": "30d"},
        }
        data = leadscore.Data(config, leads=leads, outcomes=deals, links={"contacts": links}, merges=merges)
        features = pd.DataFrame(data.features())
        self.assertIn("interests.a", features.columns)
        seen = set(features["id"])
        self.assertFalse(seen & {"C1", "C5"})
        # The same rows written out for each lead.
        survivors = links.assign(contact=links["contact"].replace({"C1": "C3", "C5": "C7"})).drop_duplicates()
        written = survivors.merge(deals, on="deal").rename(columns={"contact": "lead"})
        plain = {name: part for name, part in config.items() if name not in ("links", "merges")}
        plain["outcomes"] = {**config["outcomes"], "lead": "lead", "via": None}
        other = leadscore.Data(plain, leads=leads[~leads["id"].isin(["C1", "C5"])], outcomes=written)
        pd.testing.assert_frame_equal(features, pd.DataFrame(other.features()))

    def test_frames_of_odd_columns(self):
        n = len(self.leads)
        self.fails(ValueError, "Conversion failed for column new", leads=self.with_column([1 if row % 2 else "a" for row in range(n)]))
        self.fails(ValueError, "[leads] column `new` (frame `leads`): it holds lists, which are not read", leads=self.with_column([[1]] * n))
        self.fails(ValueError, "it holds lengths of time, which are not read", leads=self.with_column(pd.Timedelta(days=1)))
        self.fails(ValueError, "it holds bytes that are no text, which are not read", leads=self.with_column([b"\xff\xfe"] * n))
        self.fails(ValueError, "it holds `pandas.period` values, which are not read", leads=self.with_column(pd.period_range("2020-01", periods=n, freq="D")))
        self.fails(ValueError, "frame `leads`, row 1, column `new`: the number is infinite", leads=self.with_column(np.inf))
        twice = self.leads.copy()
        twice.columns = [*twice.columns[:-1], "role"]
        self.fails(ValueError, "rename one of the columns", leads=twice)
        self.fails(ValueError, "two columns are called `role`\n  hint: rename one of them", leads=pa.table([[1], [2]], names=["role", "role"]))
        again = pd.concat([self.leads, self.leads.iloc[:1]])
        self.fails(ValueError, f"frame `leads`, row {n + 1}, column `lead_id`: the lead `L00000000` appears a second time", leads=again)

    def test_columns_that_say_nothing_do_no_harm(self):
        with_nothing = self.with_column(None)
        with_nothing["price"] = [decimal.Decimal("1.50")] * len(self.leads)
        with_nothing["same"] = pd.Categorical(np.arange(len(self.leads)) % 1)
        model = leadscore.train(config=self.crm.config, **{**self.crm.tables, "leads": with_nothing})
        plain = leadscore.train(config=self.crm.config, **self.crm.tables)
        scored = [bits(m.score(config=self.crm.config, **{**self.crm.tables, "leads": with_nothing})) for m in (model, plain)]
        self.assertEqual(scored[0], scored[1])

    def test_no_rows(self):
        self.fails(ValueError, "no rows", leads=self.leads.iloc[:0])
        self.fails(ValueError, "was won within the horizon", outcomes=self.crm.tables["outcomes"].to_pandas().iloc[:0])
        empty = {**self.crm.tables["activities"], "touches": pl.DataFrame(self.crm.tables["activities"]["touches"]).clear()}
        leadscore.train(config=self.crm.config, **{**self.crm.tables, "activities": empty})
        self.fails(ValueError, "no rows", leads=pa.table(self.leads.iloc[:0]).to_reader())

    def test_configs(self):
        changed = {**self.crm.config, "leads": {**self.crm.config["leads"], "id": "lead_idd"}}
        self.fails(KeyError, "frame `leads` has no column `lead_idd`; its columns: lead_id, account_id, created_at, source, role, seats, first_pages, free_mail, manual_score\n  hint: did you mean `lead_id`?", config=changed)
        self.fails(ValueError, "a frame is given for `activities.foo`, and the config has no such table", activities={**self.crm.tables["activities"], "foo": self.leads})
        self.fails(ValueError, "[outcomes] has no `path`\n  hint: name its file", outcomes=None)
        self.fails(ValueError, "unknown key `horizn`", config={**self.crm.config, "snapshots": {"horizn": "90d"}})
        self.fails(FileNotFoundError, "cannot read the config nowhere.toml", config="nowhere.toml")
        missing = {**self.crm.config, "leads": {**self.crm.config["leads"], "path": "nowhere.csv"}}
        self.fails(FileNotFoundError, "[leads]: no file at nowhere.csv", config=missing, leads=None)

    def test_leads_and_models(self):
        model = leadscore.train(config=self.crm.config, **self.crm.tables)
        with self.assertRaisesRegex(leadscore.NotFoundError, "there is no lead `L-9`"):
            model.explain("L-9", config=self.crm.config, **self.crm.tables)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder) / "model"
            with self.assertRaises(FileNotFoundError):
                leadscore.Model.load(path)
            model.save(path)
            damaged = bytearray(path.read_bytes())
            damaged[len(damaged) // 2] ^= 1
            path.write_bytes(damaged)
            with self.assertRaisesRegex(ValueError, "cannot use the model"):
                leadscore.Model.load(path)
            with self.assertRaises(OSError):
                model.save(pathlib.Path("/proc/nowhere"))

    def test_what_makes_a_result_worth_less_is_a_warning(self):
        with self.assertWarnsRegex(leadscore.LeadscoreWarning, "no signal"):
            noise = leadscore.simulate(N_LEADS, world="noise", seed=3)
            leadscore.train(**noise.tables, config=noise.config)
        with self.assertLogs("leadscore", logging.INFO) as logs, warnings.catch_warnings():
            warnings.simplefilter("ignore")
            leadscore.train(**noise.tables, config=noise.config)
        self.assertTrue(any("leads gave" in line for line in logs.output))


class Manners(unittest.TestCase):
    def test_the_wheel_has_the_command(self):
        own = pathlib.Path(sys.executable).with_name("leadscore")
        with tempfile.TemporaryDirectory() as folder:
            run(folder, "simulate", "--leads", "2000", "--seed", "5", "--format", "csv", "--out", "crm")
            made = []
            for command in (LEADSCORE, own):
                steps = [["train", "-c", "crm/leadscore.toml", "-o", "model"], ["score", "model", "-c", "crm/leadscore.toml", "-o", "scores.csv"]]
                for step in steps:
                    done = subprocess.run([command, *step], cwd=folder, capture_output=True, text=True)
                    self.assertEqual(done.returncode, 0, done.stderr)
                made.append([(pathlib.Path(folder) / name).read_bytes() for name in ("model", "scores.csv")])
            self.assertEqual(*made)
            refused = subprocess.run([own, "score", "no-such-model"], cwd=folder, capture_output=True, text=True)
            self.assertEqual((refused.returncode, refused.stdout), (2, ""))
            self.assertIn("error: cannot read the model no-such-model", refused.stderr)
            self.assertNotIn("Traceback", refused.stderr)

    def test_python_goes_on_meanwhile(self):
        crm = leadscore.simulate(20_000)
        ticks = []
        done = threading.Event()

        def tick():
            while not done.wait(0.01):
                ticks.append(time.monotonic())

        thread = threading.Thread(target=tick)
        thread.start()
        begun = time.monotonic()
        leadscore.train(**crm.tables, config=crm.config)
        took = time.monotonic() - begun
        done.set()
        thread.join()
        self.assertGreater(len(ticks), took / 0.01 / 10)

    def test_ctrl_c_is_heard_at_once(self):
        script = textwrap.dedent("""
            import sys, time
            import leadscore
            crm = leadscore.simulate(60_000)
            print("go", flush=True)
            try:
                leadscore.train(**crm.tables, config=crm.config)
            except KeyboardInterrupt:
                print("interrupted", flush=True)
        """)
        process = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
        self.assertEqual(process.stdout.readline(), "go\n")
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        sent = time.monotonic()
        self.assertEqual(process.stdout.readline(), "interrupted\n")
        self.assertLess(time.monotonic() - sent, 1.0)
        process.stdout.close()
        process.wait(timeout=120)

    def test_the_code_of_the_readmes_runs(self):
        for path in (ROOT / "README.md", ROOT / "crates" / "python" / "README.md"):
            for block in path.read_text().split("```python\n")[1:]:
                with contextlib.redirect_stdout(io.StringIO()):
                    exec(compile(block.split("```")[0], path, "exec"), {})

    def test_the_stages_of_the_work_are_shown(self):
        shown = []

        class Display(_progress._Nowhere):
            def show(self, what, share, seconds):
                shown.append((what, share))

            def clear(self):
                shown.append(None)

        with unittest.mock.patch.object(_progress, "_display", Display):
            crm = leadscore.simulate(30_000)
            leadscore.train(**crm.tables, config=crm.config)
        self.assertIn(("fitting", None), shown)
        self.assertIsNone(shown[-1])
        said = io.StringIO()
        with contextlib.redirect_stderr(said):
            terminal = _progress._Terminal()
            terminal.show("making leads", 0.5, 3.2)
            terminal.clear()
        self.assertIn("making leads ███████████████                 50 % 3 s", said.getvalue())

    def test_types_are_right(self):
        config = ROOT / "crates" / "python" / "pyproject.toml"
        with tempfile.TemporaryDirectory() as cache:
            for command in (["mypy", "--config-file", config, "-p", "leadscore"], ["mypy.stubtest", "leadscore._native"]):
                environment = {**os.environ, "MYPY_CACHE_DIR": cache}
                done = subprocess.run([sys.executable, "-m", *command], cwd=cache, capture_output=True, text=True, env=environment)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
