"""`leadscore.run` and `leadscore.monitor` do what the commands do, and say in Python's terms what is wrong."""
import fcntl
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest
import warnings

import polars as pl

import leadscore

LEADSCORE = os.environ["LEADSCORE"]
WEEKS = ("2025-06-02", "2025-06-09", "2025-06-16")


def command(folder, *args, code=0):
    done = subprocess.run([LEADSCORE, *args], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == code, done.stderr
    return done.stdout


def timeless(report):
    """What a run did, but not how long it took."""
    return {**report, "stages": [{**stage, "seconds": 0.0} for stage in report["stages"]]}


class Operate(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        config = leadscore.simulate(4_000, seed=3, folder=cls.folder / "python")
        config.write_text(config.read_text() + '\n[operation]\npublish = ["scores.parquet"]\n')
        shutil.copytree(cls.folder / "python", cls.folder / "command")
        shutil.copytree(cls.folder / "python", cls.folder / "empty")
        cls.config = config
        own = os.getcwd()
        # As the command does it, so that paths are the same.
        os.chdir(cls.folder / "python")
        try:
            cls.runs = [leadscore.run(as_of=day) for day in WEEKS]
        finally:
            os.chdir(own)
        cls.printed = [json.loads(command(cls.folder / "command", "run", "--as-of", day).splitlines()[-1]) for day in WEEKS]

    def setUp(self):
        warnings.simplefilter("ignore", leadscore.LeadscoreWarning)

    def elsewhere(self, name, change=lambda text: text):
        """The folder as it is by now, under another name."""
        shutil.copytree(self.folder / "python", self.folder / name)
        config = self.folder / name / "leadscore.toml"
        config.write_text(change(config.read_text()))
        return config

    def test_a_run_is_that_of_the_command(self):
        for run, printed in zip(self.runs, self.printed):
            self.assertEqual(timeless(run), timeless(printed))
        self.assertEqual([run["decision"] for run in self.runs], ["first", "not due", "not due"])
        self.assertTrue(any(stage["seconds"] > 0 for stage in self.runs[0]["stages"]))
        for name in ("scores.parquet", *(f"scores/as_of={day}/part-0.parquet" for day in WEEKS)):
            self.assertTrue(pl.read_parquet(self.folder / "python" / name).equals(pl.read_parquet(self.folder / "command" / name)), name)
        commands = [line["command"] for line in leadscore.Registry(self.folder / "python/models").journal]
        self.assertEqual(commands[0], "Python: leadscore.run(as_of=2025-06-02)")

    def test_the_same_inputs_are_no_work(self):
        again = leadscore.run(self.elsewhere("again"), as_of=WEEKS[-1])
        self.assertEqual((again["decision"], again["n_scored"]), ("unchanged", self.runs[-1]["n_scored"]))

    def test_a_dry_run_writes_nothing(self):
        before = sorted(self.folder.glob("empty/**"))
        planned = leadscore.run(self.folder / "empty/leadscore.toml", as_of=WEEKS[0], dry_run=True)
        self.assertEqual((planned["decision"], {stage["status"] for stage in planned["stages"]}), ("first", {"planned"}))
        self.assertEqual(sorted(self.folder.glob("empty/**")), before)

    def test_a_challenger_that_is_asked_for(self):
        config = self.elsewhere("challenger")
        run = leadscore.run(config, as_of="2025-08-04", retrain=True, accept_churn=True)
        self.assertIn(run["decision"], ("kept", "asked", "cannot tell"))
        registry = leadscore.Registry(config.parent / "models")
        self.assertEqual(registry.roles["challenger"], run["challenger"])
        self.assertNotEqual(run["challenger"], run["champion"])
        self.assertEqual(registry.journal[-1]["command"], "Python: leadscore.run(as_of=2025-08-04, retrain=True, accept_churn=True)")
        by_id = leadscore.monitor(f"@{run['challenger']}", config=config, as_of="2025-08-04")
        by_role = leadscore.monitor("@challenger", config=config, as_of="2025-08-04")
        self.assertEqual((by_id.to_json(), by_id.to_dict()["model_id"]), (by_role.to_json(), run["challenger"]))

    def test_a_run_that_fails_is_an_exception(self):
        with self.assertRaisesRegex(FileNotFoundError, "nowhere"):
            leadscore.run(self.folder / "nowhere.toml")
        with self.assertRaisesRegex(ValueError, "as_of.*soon"):
            leadscore.run(self.config, as_of="soon")
        with self.assertRaisesRegex(TypeError, "`config` is a dict, expected the path"):
            leadscore.run({"leads": {}})
        with self.assertRaisesRegex(TypeError, "`retrain` is 'yes': expected True or False"):
            leadscore.run(self.config, retrain="yes")
        config = self.elsewhere("broken", lambda text: text.replace('manual_score = "manual_score"', 'manual_score = "points"'))
        roles = leadscore.Registry(config.parent / "models").roles
        published = (config.parent / "scores.parquet").read_bytes()
        with self.assertRaisesRegex(KeyError, "points") as caught:
            leadscore.run(config)
        self.assertIn("\n  hint: ", str(caught.exception))
        registry = leadscore.Registry(config.parent / "models")
        self.assertEqual((registry.roles, (config.parent / "scores.parquet").read_bytes()), (roles, published))

    def test_another_run_has_the_lock(self):
        config = self.elsewhere("busy")
        with (config.parent / "models/.lock").open("r+") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with self.assertRaisesRegex(BlockingIOError, "lock"):
                leadscore.run(config)

    def test_monitoring_is_that_of_the_command(self):
        folder = self.folder / "command"
        printed = command(folder, "monitor", "@champion", "--as-of", WEEKS[-1], "--html", "page.html", "--json", "found.json", "--metrics", "found.prom")
        own = os.getcwd()
        self.addCleanup(os.chdir, own)
        os.chdir(folder)
        found = leadscore.monitor(as_of=WEEKS[-1])
        self.assertEqual(str(found), printed.rstrip("\n"))
        self.assertEqual(found.to_json(), (folder / "found.json").read_text().rstrip("\n"))
        self.assertEqual(found.html(), (folder / "page.html").read_text())
        self.assertEqual(found.metrics(), (folder / "found.prom").read_text())
        self.assertIn("iframe", found._repr_html_())
        self.assertEqual(found.verdict, found.to_dict()["verdict"])
        self.assertEqual(found.findings, found.to_dict()["findings"])
        os.chdir(own)

    def test_figures_of_monitoring(self):
        found = leadscore.monitor(config=self.config, as_of=WEEKS[-1])
        weeks = found.to_dict()["weeks"]
        self.assertGreater(len(weeks), 0)
        self.assertEqual([f"{at:%Y-%m-%d}" for at in found.weeks["week"]], [week["week"] for week in weeks])
        for column in ("n_open", "n_won", "expected", "evidence"):
            self.assertEqual(found.weeks[column], [week[column] for week in weeks])
        self.assertEqual(found.threshold, found.to_dict()["threshold"])
        self.assertEqual(list(found.charts), ["wins", "evidence"])
        self.assertTrue(all(chart.svg.startswith("<svg xmlns=") for chart in found.charts.values()))
        tables = found.to_dict()["tables"]
        self.assertEqual({title: (table.columns, len(table)) for title, table in found.tables.items()}, {table["title"]: ([name or "note" for name in table["head"]], len(table["rows"])) for table in tables})
        self.assertEqual({cell for table in found.tables.values() for row in table for cell in row}, {cell for table in tables for row in table["rows"] for cell in row})

    def test_models_and_tables_as_other_calls_take_them(self):
        champion = leadscore.Registry(self.config.parent / "models").champion
        named = leadscore.monitor(config=self.config, as_of=WEEKS[-1]).to_json()
        champion.save(self.folder / "model")
        for model in (champion, self.folder / "model", str(self.folder / "model")):
            self.assertEqual(leadscore.monitor(model, config=self.config, as_of=WEEKS[-1]).to_json(), named)
        self.assertEqual(leadscore.Data(self.config).as_of(WEEKS[-1]).monitor().to_json(), named)
        leads = pl.read_parquet(self.config.parent / "leads.parquet")
        self.assertEqual(leadscore.monitor(config=self.config, leads=leads, as_of=WEEKS[-1]).to_json(), named)
        # Weeks that no history has are scored as of then: the champion has none of its own there.
        self.assertEqual(leadscore.monitor(config=self.config, score_history=self.folder / "none", as_of=WEEKS[-1]).to_dict()["weeks"][-1]["week"], "2025-06-09")

    def test_what_cannot_be_monitored(self):
        with self.assertRaisesRegex(leadscore.NotFoundError, "challenger"):
            leadscore.monitor("@challenger", config=self.config)
        with self.assertRaisesRegex(FileNotFoundError, "nowhere"):
            leadscore.monitor("nowhere", config=self.config)
        with self.assertRaisesRegex(TypeError, "`model` is a int, expected a leadscore.Model"):
            leadscore.monitor(7, config=self.config)
        with self.assertRaisesRegex(ValueError, "as_of"):
            leadscore.monitor(config=self.config, as_of="soon")


if __name__ == "__main__":
    unittest.main()
