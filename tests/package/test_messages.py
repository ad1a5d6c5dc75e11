"""Messages name the arguments of Python, not the flags of the command."""
import contextlib
import logging
import pathlib
import re
import tempfile
import unittest
import warnings

import numpy as np

import leadscore
from leadscore import _native

ROOT = pathlib.Path(__file__).parents[2]
FLAG = re.compile(r"(?<!var\()(?<![\w-])--[a-z][a-z-]*")
# Python neither fits by linfa nor reads from an engine.
NOT_IN_PYTHON = ("--solver",)
ENGINE = {"engine", "engine.rs", "population.rs"}


class Messages(unittest.TestCase):
    def test_every_flag_that_a_message_of_the_library_has_is_an_argument(self):
        n_found = 0
        for crate in ("config", "core", "databases", "dataset", "features", "inference", "io", "leadscore", "metrics", "report", "rules", "solver", "sql", "training", "values"):
            for path in sorted((ROOT / "crates" / crate / "src").rglob("*.rs")):
                if ENGINE & set(path.parts):
                    continue
                code = path.read_text().split("#[cfg(test)]")[0]
                for line in code.splitlines():
                    if line.lstrip().startswith("//") or '"' not in line or not FLAG.search(line) or "`cargo " in line:
                        continue
                    n_found += 1
                    left = [flag for flag in FLAG.findall(_native.in_python(line)) if flag not in NOT_IN_PYTHON]
                    self.assertEqual(left, [], f"{path.name}: {line.strip()}")
        self.assertGreater(n_found, 25)

    def test_how_flags_become_arguments(self):
        for text, expected in (
            ("train with an earlier --as-of, pass --other-leads, or --allow-in-sample", "train with an earlier as_of=, pass other_leads=True, or allow_in_sample=True"),
            ("--from 2024-01-01 is before", "start=2024-01-01 is before"),
            ("--from 2024-02-01 is not before --to 2024-01-01", "start=2024-02-01 is not before end=2024-01-01"),
            ("--since: this export has no dates", "since: this export has no dates"),
            ("--what-if seats: no such column", "what_if seats: no such column"),
            ("no list by owner `x` (--owner)", "no list by owner `x` (owner=)"),
            # Values of tables, and what is no flag.
            ("there is no lead `--from`", "there is no lead `--from`"),
            ("a--from, ---from, --frommage, -- from", "a--from, ---from, --frommage, -- from"),
        ):
            self.assertEqual(_native.in_python(text), expected)


class Raised(unittest.TestCase):
    """Every error that is easily had, and every remark on the way there."""

    @classmethod
    def setUpClass(cls):
        cls.crm = leadscore.simulate(3_000, seed=3)
        cls.data = cls.crm.data
        cls.enterClassContext(warnings.catch_warnings())
        warnings.simplefilter("ignore")
        cls.model = cls.data.train()
        cls.past = cls.data.as_of("2025-04-01").train()
        outcomes = cls.crm.tables["outcomes"].to_pandas().drop_duplicates("lead_id")
        leads = cls.crm.tables["leads"].to_pandas().merge(outcomes[["lead_id", "stage"]], on="lead_id")
        leads["won"] = np.where(leads["stage"] == "closed_won", "yes", "no")
        flat = {"leads": {"id": "lead_id"}, "outcomes": {"flag": "won", "won": ["yes"]}}
        cls.flat = leadscore.Data(flat, leads=leads[["lead_id", "source", "role", "won"]])
        cls.of_flat = cls.flat.train()
        owners = cls.crm.tables["leads"].to_pandas().assign(owner=lambda leads: [f"owner {row}" for row in range(len(leads))])
        # Without an outcome every lead is open.
        cls.of_owners = leadscore.Data(cls.crm.config, **{**cls.crm.tables, "leads": owners, "outcomes": cls.crm.tables["outcomes"].head(0)})
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.rules = cls.folder / "rules.toml"
        cls.rules.write_text('[[rule]]\nname = "paid"\nattribute = "source"\nin = ["paid"]\npoints = 5\n')

    def raised(self, call, *texts):
        with self.assertLogs("leadscore", logging.DEBUG) as logs, self.assertRaises((ValueError, KeyError, OSError)) as caught:
            logging.getLogger("leadscore").debug("a call")
            call()
        message = str(caught.exception)
        for text in (message, *logs.output):
            self.assertIsNone(FLAG.search(text), text)
        for text in texts:
            self.assertIn(text, message)

    def test_evaluate(self):
        data, past = self.data, self.past
        self.raised(lambda: data.evaluate(past, start="2024-06-01"), "start=2024-06-01", "is before the model's training cutoff", "an earlier as_of=", "other_leads=True", "allow_in_sample=True")
        self.raised(lambda: data.evaluate(self.model), "no mature snapshot lies in the range", "as_of=")
        self.raised(lambda: data.evaluate(past, other_leads=True), "other_leads=True: the model was trained on")
        self.raised(lambda: data.evaluate(past, capacity="20"), "capacity=20 has no unit of time")
        self.raised(lambda: data.evaluate(past, start="soon"), "start `soon` is not a moment")
        self.raised(lambda: self.flat.evaluate(self.of_flat, other_leads=True, backtest=True))
        self.raised(lambda: self.flat.evaluate(self.of_flat, allow_in_sample=True, capacity="20/week"), "no time unit for capacity=", "give a plain number of leads")

    def test_explain(self):
        data, model = self.data, self.model
        lead = data.score(model)["lead_id"][0]
        self.raised(lambda: data.explain(model, lead, since="2026-06-01"), "since=2026-06-01", "is not before")
        self.raised(lambda: data.explain(model, lead, since="2010-01-01"), "was not open at")
        self.raised(lambda: data.explain(model, lead, what_if={"shoe_size": 40}), "what_if shoe_size: the model reads no such column", "`model.features`")
        self.raised(lambda: data.explain(model, lead, what_if={"seats": "many"}), "what_if seats=many", "None is a missing one")
        flat_lead = self.flat.score(self.of_flat)["lead_id"][0]
        self.raised(lambda: self.flat.explain(self.of_flat, flat_lead, since="2026-01-01"))

    def test_explanations_and_reports(self):
        lead = self.data.score(self.model)["lead_id"][0]
        texts = [repr(self.data.explain(self.model, lead)), repr(self.data.explain(self.model, lead, since="2025-12-31"))]
        texts += [repr(self.data.check()), str(self.data.evaluate(self.past)), self.model.inspect(shapes=True), repr(self.data.export_points(self.model))]
        for text in texts:
            self.assertIsNone(FLAG.search(text), text)

    def test_recalibrate(self):
        self.raised(lambda: self.data.recalibrate(self.past, since="2024-01-01"), "since lies before 2025-04-01")
        self.raised(lambda: self.data.recalibrate(self.model), "were won")

    def test_the_rest(self):
        data, model = self.data, self.model
        self.raised(lambda: data.as_of("2000-01-01").contributions(model), "no lead is open", "as_of=")
        self.raised(lambda: data.as_of("2024-02-01").train(), "as_of=")
        self.raised(lambda: data.as_of("2024-05-15").train(), "allow_too_few=True")
        self.raised(lambda: self.of_owners.write_list(model, self.folder / "list.xlsx", owner="owner", top=600), "pass a smaller top=")
        self.raised(lambda: data.write_list(model, self.folder / "list.xlsx", owner="nobody"), "nobody")
        self.raised(lambda: data.export_points(model, rules=1).toml, "allow more with rules=")
        self.raised(lambda: data.rules(self.rules, roll_up="max"), "roll_up needs to know the account of each lead")
        self.raised(lambda: self.flat.rules(self.rules, crossings=True), "crossings=True needs dates")
        with contextlib.chdir(self.folder):
            self.raised(lambda: leadscore.check(), "config= names another")
        fewer = {**self.crm.config, "model": {"negative_sampling_rate": 0.5}}
        kept = leadscore.Data(fewer, **self.crm.tables)
        self.raised(lambda: kept.train(learning_curve=True), "learning_curve=True")
        self.raised(lambda: kept.train(report=True), "report=True")
        wrong = {**self.crm.config, "model": {"directions": {"nothing": "increasing"}}}
        self.raised(lambda: leadscore.Data(wrong, **self.crm.tables).train(), "`leadscore.features()` lists them all")


if __name__ == "__main__":
    unittest.main()
