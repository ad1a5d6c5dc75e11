"""`leadscore.Data`: tables that are given once, what its methods give, and how pandas takes it."""
import datetime
import inspect
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import tomllib
import unittest

import numpy as np
import pandas as pd
import polars as pl

import leadscore

N_LEADS = 3_000
RULES = '[[rule]]\nname = "wrote"\nactivity = "touches"\nkind = "form_submit"\npoints = 5\n'


class Given(unittest.TestCase):
    """What is given once gives what it gives to every call."""

    @classmethod
    def setUpClass(cls):
        cls.crm = leadscore.simulate(N_LEADS, seed=3)
        cls.given = {**cls.crm.tables, "config": cls.crm.config}
        cls.data = leadscore.Data(cls.crm.config, **cls.crm.tables)
        cls.past = cls.data.as_of("2025-04-01")
        cls.model = cls.past.train()
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.rules = cls.folder / "rules.toml"
        cls.rules.write_text(RULES)

    def same(self, *tables):
        first, *others = (pl.DataFrame(table) for table in tables)
        for other in others:
            self.assertTrue(first.equals(other))

    def test_what_happens_to_a_frame_later_changes_nothing(self):
        leads = self.crm.tables["leads"].to_pandas()
        leads["first_pages"] = leads["first_pages"].astype("float64")
        data = leadscore.Data(self.crm.config, **{**self.crm.tables, "leads": leads})
        before = data.score(self.model)
        leads.loc[:, "first_pages"] = 0.0
        leads["first_pages"].to_numpy()
        self.same(before, data.score(self.model), data.as_of(None).score(self.model))

    def test_what_is_no_model_is_named(self):
        for call in (
            lambda: self.data.score("a.leadscore"),
            lambda: self.data.evaluate(None),
            lambda: self.data.features(model=3),
            lambda: self.data.export_points("a"),
            lambda: self.data.evaluate(self.model, against={"a": 3}),
        ):
            with self.assertRaisesRegex(TypeError, "expected a leadscore.Model"):
                call()
        with self.assertRaisesRegex(TypeError, "`against` is a list, expected a mapping"):
            self.data.evaluate(self.model, against=[self.model])
        with self.assertRaisesRegex(TypeError, "`lead` is a float"):
            self.data.explain(self.model, 3.5)
        self.same(self.data.evaluate(self.model, rules=self.rules).snapshots, self.data.evaluate(self.model, rules=[self.rules]).snapshots)

    def test_methods_give_what_functions_give(self):
        data, past, model, given = self.data, self.past, self.model, self.given
        self.assertEqual(model, leadscore.train(**given, as_of="2025-04-01"))
        self.assertEqual(model, leadscore.train(data=data, as_of=datetime.date(2025, 4, 1)))
        self.assertEqual(model, leadscore.train(data=past))
        self.same(data.score(model), model.score(**given), model.score(data=data), self.crm.data.score(model))
        self.same(past.score(model), model.score(**given, as_of="2025-04-01"), model.score(data=past))
        self.assertEqual(data.check().items(), leadscore.check(**given).items())
        self.same(data.features(model=model), leadscore.features(**given, model=model), leadscore.features(data=data, model=model))
        report = data.evaluate(model, capacity="20/week")
        self.assertEqual(report.html(), leadscore.evaluate(model, **given, capacity="20/week").html())
        self.same(report.snapshots, leadscore.evaluate(model, data=data).snapshots)
        self.same(data.rules(self.rules), leadscore.rules(self.rules, **given))
        before, today = (data.as_of(at).score(model) for at in ("2025-12-01", None))
        won = {lead for table in (before, today) for lead, tier in zip(table["lead_id"], table["contact_priority"]) if tier == "Closed won"}
        lead = min(set(before["lead_id"]) & set(today["lead_id"]) - won)
        self.assertEqual(data.explain(model, lead, since="2025-12-01").items(), model.explain(lead, **given, since="2025-12-01").items())
        for ours, theirs in zip(data.contributions(model, by="feature"), model.contributions(**given, by="feature"), strict=True):
            self.same(ours, theirs)
        self.assertEqual(data.recalibrate(model), model.recalibrate(**given))
        places = {"leads": "crm.leads", "outcomes": "deals"}
        places |= {f"activities.{name}": name for name in self.crm.tables["activities"]} | {"lookups.accounts": "accounts"}
        self.assertEqual(data.features_sql("duckdb", places=places), leadscore.features_sql("duckdb", **given, places=places))
        self.assertEqual(past.score_sql(model, "duckdb", places=places), model.to_tables_sql("duckdb", **given, places=places, as_of="2025-04-01"))
        for name, write in (("a.csv", lambda path: data.write_list(model, path, top=7)), ("b.csv", lambda path: model.write_list(path, top=7, **given))):
            write(self.folder / name)
        self.assertEqual((self.folder / "a.csv").read_text(), (self.folder / "b.csv").read_text())
        row = {"created_at": "2026-01-01", "source": "paid"}
        alone = model.score_one(row, config=self.crm.config, lookups=self.crm.tables["lookups"], as_of="2026-01-05")
        self.assertEqual(data.as_of("2026-01-05").score_one(model, row)["log_odds"], alone["log_odds"])
        self.assertEqual(model.score_one(row, data=data, as_of="2026-01-05")["log_odds"], alone["log_odds"])

    def test_a_view_leaves_its_data_as_it_is(self):
        before = pl.DataFrame(self.data.score(self.model))
        self.assertIs(self.data.as_of(None), self.data)
        self.past.score(self.model)
        self.assertTrue(before.equals(pl.DataFrame(self.data.score(self.model))))
        self.assertIn("as of 2025-04-01", repr(self.past))
        self.assertIn("a config in memory with the frames leads", repr(self.data))
        self.assertNotIn("as of", repr(self.data))
        with self.assertRaisesRegex(ValueError, "as_of `soon` is not a moment"):
            self.data.as_of("soon")

    def test_files_and_frames(self):
        config = leadscore.simulate(N_LEADS, seed=3, folder=self.folder / "crm")
        self.assertEqual(leadscore.Data(config).as_of("2025-04-01").train(), self.model)
        mixed = leadscore.Data(str(config), leads=self.crm.tables["leads"])
        self.assertEqual(mixed.as_of("2025-04-01").train(), self.model)
        self.assertEqual(repr(mixed), f"Data of {config} with the frames leads")

    def test_data_and_tables_beside_it_are_refused(self):
        for beside in ({"config": self.crm.config}, {"leads": self.crm.tables["leads"]}):
            with self.assertRaisesRegex(TypeError, f"both `data` and `{next(iter(beside))}` are given"):
                self.model.score(data=self.data, **beside)
        with self.assertRaisesRegex(TypeError, "`data` is a dict, expected a leadscore.Data"):
            leadscore.check(data=self.crm.config)
        with self.assertRaises(TypeError):
            leadscore.check(config=self.crm.config, leeds=self.crm.tables["leads"])

    def test_functions_have_the_arguments_and_the_documentation_of_the_methods(self):
        tables = [*inspect.signature(leadscore.check).parameters]
        self.assertEqual(tables, ["data", "config", "leads", "activities", "outcomes", "lookups", "history", "links", "merges", "deleted", "as_of"])
        pairs = [(getattr(leadscore, name), getattr(leadscore.Data, name)) for name in ("train", "features", "features_sql", "evaluate", "rules", "check")]
        of_models = ("score", "write_list", "explain", "contributions", "recalibrate", "export_points")
        pairs += [(getattr(leadscore.Model, name), getattr(leadscore.Data, name)) for name in of_models]
        pairs.append((leadscore.Model.to_tables_sql, leadscore.Data.score_sql))
        for function, method in pairs:
            with self.subTest(function.__qualname__):
                found, wanted = (inspect.signature(each).parameters.values() for each in (function, method))
                own = [str(parameter) for parameter in found if parameter.name not in {*tables, "self"}]
                of_method = [str(parameter) for parameter in wanted if parameter.name != "self"]
                is_of_model = function.__qualname__.startswith("Model.")
                self.assertEqual(own, [parameter for parameter in of_method if not (is_of_model and parameter.startswith("model:"))])
                self.assertEqual(function.__doc__.splitlines()[0], inspect.getdoc(method).splitlines()[0])
                for parameter in inspect.signature(function).parameters:
                    if parameter != "self":
                        self.assertRegex(function.__doc__, rf"(?m)^(\w+, )*{parameter}(, \w+)* : ")
                self.assertEqual("\nmodel : Model" in function.__doc__, "model" in inspect.signature(function).parameters)

    def test_points(self):
        points = self.data.export_points(self.model, rules=20)
        self.assertLessEqual(len(tomllib.loads(points.toml)["rule"]), 20)
        # What everyone has is a row, too.
        self.assertEqual(len(points.table), points.n_rules + 1)
        self.assertEqual(points.losses["name"][0], "the model")
        self.assertEqual(len(points.losses), 5)
        self.assertIn("same tier", repr(points))
        self.assertIn("snapshots that came after", points.measured_on)
        self.assertIn("<iframe srcdoc=", points._repr_html_())
        for ending, text in (("toml", points.toml), ("html", points.html)):
            points.save(self.folder / f"points.{ending}")
            self.assertEqual((self.folder / f"points.{ending}").read_text(), text)
        points.save(self.folder / "points.csv")
        self.assertEqual(pl.read_csv(self.folder / "points.csv").columns, points.table.columns)
        self.assertIn("points", self.data.rules(self.folder / "points.toml").columns)
        self.assertEqual(self.model.export_points(rules=20, data=self.data).toml, points.toml)
        with self.assertRaisesRegex(ValueError, "not written as `.xlsx`: expected .toml, .csv or .html"):
            points.save(self.folder / "points.xlsx")
        for wrong in (0, 501):
            with self.assertRaisesRegex(ValueError, f"`rules` is {wrong}: expected 1 to 500"):
                self.data.export_points(self.model, rules=wrong)
        for call, error, message in (
            (lambda: self.data.explain(self.model, "L00000000", what_if=["seats"]), TypeError, "`what_if` is a list, expected a mapping"),
            (lambda: self.data.write_list(self.model, "list.csv", top=-1), ValueError, "`top` is -1: expected 0 or more"),
            (lambda: self.data.write_list(self.model, "list.csv", previous="nope.csv"), FileNotFoundError, "cannot compare with nope.csv"),
            (lambda: self.data.train(report=5), TypeError, "`report` is 5: expected True or False"),
            (lambda: self.data.score(self.model, intervals="yes"), TypeError, "`intervals` is 'yes': expected True or False"),
            (lambda: self.data.evaluate(self.model, capacity=5), TypeError, "`capacity` is 5: expected a text"),
            (lambda: self.data.evaluate(self.model, threshold="a"), TypeError, "`threshold` is 'a': expected a number"),
            (lambda: self.data.evaluate(self.model, rules=5), TypeError, "`rules` is 5: expected a path or a sequence of paths"),
            (lambda: self.data.evaluate(self.model, against={"": self.model}), ValueError, "a model of `against` has no name"),
            (lambda: self.data.contributions(self.model, by=5), TypeError, "`by` is 5: expected a text"),
            (lambda: self.data.rules([]), ValueError, "`paths` is empty"),
            (lambda: leadscore.simulate("5"), TypeError, "`n_leads` is '5': expected a whole number"),
            (lambda: leadscore.simulate(seed=-1), ValueError, "`seed` is -1: expected 0 or more"),
        ):
            with self.assertRaisesRegex(error, message):
                call()
        for wrong in (True, 1.5, "5"):
            with self.assertRaisesRegex(TypeError, f"`rules` is {wrong!r}: expected a whole number"):
                self.data.export_points(self.model, rules=wrong)


class Tables(unittest.TestCase):
    """pandas takes tables, and ids come back as they were given."""

    @classmethod
    def setUpClass(cls):
        cls.crm = leadscore.simulate(N_LEADS, seed=3)
        cls.model = cls.crm.data.as_of("2025-04-01").train()

    def test_pandas_takes_a_table(self):
        for table in (self.crm.data.score(self.model), self.crm.data.features(), self.crm.tables["leads"], self.crm.truth):
            found, expected = pd.DataFrame(table), table.to_pandas()
            self.assertEqual(found.columns.to_list(), table.columns)
            plain = [frame.astype(object).where(frame.notna(), None) for frame in (found, expected)]
            pd.testing.assert_frame_equal(*plain)
            self.assertEqual(pd.DataFrame(dict(table)).columns.to_list(), table.columns)

    def test_columns_rows_and_heads(self):
        scores = self.crm.data.score(self.model)
        frame = scores.to_pandas()
        frame["twice"] = scores["likelihood_to_close"]
        pd.testing.assert_series_equal(frame["twice"], frame["likelihood_to_close"], check_names=False)
        self.assertIsInstance(scores["as_of"][0], datetime.datetime)
        self.assertEqual(scores["as_of"][0], frame["as_of"][0])
        self.assertEqual(scores["contact_priority"], frame["contact_priority"].to_list())
        self.assertIsNone(scores["likelihood_to_close"][-1])
        self.assertEqual(len(scores), len(list(scores)))
        row = next(iter(scores))
        self.assertEqual((row.lead_id, row[0]), (scores["lead_id"][0], scores["lead_id"][0]))
        self.assertEqual(row._asdict()["log_odds"], scores["log_odds"][0])
        with self.assertRaisesRegex(AttributeError, "no column `nothing`"):
            row.nothing
        self.assertEqual(list(scores.keys()), scores.columns)
        self.assertIn("lead_id", scores)
        self.assertNotIn("nothing", scores)
        self.assertNotIn(5, scores)
        for wrong in (0, None, slice(2), ["lead_id"]):
            with self.assertRaisesRegex(TypeError, "a table is indexed by the name of a column, not by "):
                scores[wrong]
        self.assertEqual(scores.head().shape, (5, len(scores.columns)))
        self.assertTrue(pl.DataFrame(scores.head(3)).equals(pl.DataFrame(scores).head(3)))
        self.assertEqual(len(scores.head(10**9)), len(scores))
        with self.assertRaisesRegex(KeyError, "the table has no column `nothing`; its columns: lead_id, "):
            scores["nothing"]
        matrix = self.crm.data.features()
        self.assertIsInstance(matrix["label"][0], int)

    def with_numbers(self, numbered):
        """The CRM with other ids of its leads and accounts."""
        def convert(table):
            frame = table.to_pandas()
            for column in ("lead_id", "account_id"):
                if column in frame:
                    frame[column] = numbered(frame[column].str[1:].astype("int64") + 10_000)
            return frame

        tables = {name: {key: convert(table) for key, table in value.items()} if isinstance(value, dict) else convert(value) for name, value in self.crm.tables.items()}
        with_accounts = {**self.crm.config, "leads": {**self.crm.config["leads"], "account": "account_id"}}
        return tables["leads"], *(leadscore.Data(config, **tables) for config in (self.crm.config, with_accounts))

    def test_a_view_of_a_view_is_one_of_all_data(self):
        data = self.crm.data
        view = data.as_of("2025-04-01")
        self.assertIs(view.as_of(None), view)
        later = [one.as_of("2025-06-01") for one in (view, data)]
        self.assertEqual(*map(repr, later))
        self.assertEqual(*(one.train() for one in later))

    def test_ids_come_back_in_the_type_that_they_came_in(self):
        with tempfile.TemporaryDirectory() as folder:
            rules = pathlib.Path(folder) / "rules.toml"
            rules.write_text(RULES)
            beyond_signed = 2**63
            for kind, first in (("int64", 0), ("int32", 0), ("uint64", 0), ("uint64", beyond_signed), ("float64", 0)):
                leads, data, with_accounts = self.with_numbers(lambda ids: ids.astype(kind) + np.array(first, dtype=kind))
                model = data.as_of("2025-04-01").train()
                scores = data.score(model)
                tables = [scores, data.features(), data.evaluate(model).snapshots, data.contributions(model)[0], data.rules(rules), data.as_of("2025-06-01").score(model)]
                for table in tables:
                    self.assertEqual(str(table.to_pandas()["lead_id"].dtype), kind)
                self.assertEqual(str(with_accounts.rules(rules, roll_up="max").to_pandas()["account_id"].dtype), kind)
                merged = leads.merge(pd.DataFrame(scores), on="lead_id")
                self.assertEqual(len(merged), len(scores))
                lead = scores["lead_id"][0]
                self.assertIsInstance(lead, float if kind == "float64" else int)
                for id in (lead, leads["lead_id"].dtype.type(lead), str(int(lead))):
                    self.assertAlmostEqual(data.explain(model, id)["log_odds"], scores["log_odds"][0], 12)

    def test_ids_that_are_texts_stay_texts(self):
        leads, data, _ = self.with_numbers(lambda ids: ids.astype(str))
        scores = data.score(data.as_of("2025-04-01").train())
        self.assertEqual(set(map(type, scores["lead_id"])), {str})
        self.assertEqual(len(leads.merge(pd.DataFrame(scores), on="lead_id")), len(scores))
        for wrong in (None, 1.5, ["L1"]):
            with self.assertRaises(TypeError):
                data.explain(self.model, wrong)


class Forks(unittest.TestCase):
    """A fork has no threads: it is told, and does not wait for them."""

    def run_script(self, script):
        return subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, timeout=120)

    def test_a_process_that_was_forked_after_use_is_told(self):
        done = self.run_script("""
            import multiprocessing, warnings
            import leadscore
            warnings.simplefilter("ignore")
            crm = leadscore.simulate(1_000)
            model = crm.data.train(allow_too_few=True)
            calls = {
                "score": lambda: crm.data.score(model),
                "simulate": lambda: leadscore.simulate(1_000),
                "a frame": lambda: leadscore.Data(crm.config, **crm.tables),
                "a column": lambda: crm.truth["lead_id"],
                "a model": lambda: model.html(),
                "as_of": lambda: crm.data.as_of("2025-01-01"),
            }
            def ask(name, to):
                try:
                    calls[name]()
                    to.put((name, "no error"))
                except Exception as error:
                    to.put((name, f"{type(error).__name__}: {error}"))
            fork = multiprocessing.get_context("fork")
            answers = fork.Queue()
            for name in calls:
                process = fork.Process(target=ask, args=(name, answers))
                process.start()
                print(*answers.get(timeout=20))
                process.join()
            print(len(crm.data.score(model)) > 0)
        """)
        lines = done.stdout.splitlines()
        self.assertEqual(len(lines), 7, done.stderr)
        for line in lines[:-1]:
            self.assertRegex(line, r"RuntimeError: this process was forked from one that had used leadscore.*get_context\(\"spawn\"\)")
        self.assertEqual(lines[-1], "True")

    def test_a_process_that_was_forked_before_use_works(self):
        done = self.run_script("""
            import multiprocessing
            import leadscore
            def work(seed):
                return len(leadscore.simulate(1_000, seed=seed).tables["leads"])
            with multiprocessing.get_context("fork").Pool(2) as pool:
                print(pool.map(work, [1, 2]))
            print(work(3))
        """)
        self.assertEqual(done.stdout, "[1000, 1000]\n1000\n", done.stderr)


if __name__ == "__main__":
    unittest.main()
