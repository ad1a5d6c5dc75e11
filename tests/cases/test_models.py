"""Situations of models, built after public reports, each with the sentence or the refusal that is right."""
import csv
import pathlib
import random
import tempfile
import unittest
from datetime import datetime, timedelta

import crm as base
import verdicts

BEGIN = datetime(2022, 1, 1)


def shown(day):
    return (BEGIN + timedelta(days=day)).strftime("%Y-%m-%d %H:%M:%S")


class Models(unittest.TestCase):
    def setUp(self):
        scratch = tempfile.TemporaryDirectory()
        self.addCleanup(scratch.cleanup)
        self.folder = pathlib.Path(scratch.name)

    def crm(self, n, attributes, cycle=40, span=1_000, chance=lambda row: 0.25, snapshots='every = "month"', more=""):
        """Leads that come all along and close after a cycle; `attributes` are functions of the row: its draws, its day, where it ended."""
        rng = random.Random(7)
        leads, deals = [], []
        for number in range(n):
            row = {"x": rng.gauss(0, 1), "day": rng.uniform(0, span), "u": rng.random(), "v": rng.random()}
            days = rng.expovariate(1 / cycle)
            row["ended"] = ("won" if rng.random() < chance(row) else "lost") if row["day"] + days < span else "open"
            leads.append([f"L{number:05}", shown(row["day"]), *[of(row) for of in attributes.values()]])
            if row["ended"] != "open":
                deals.append([f"L{number:05}", row["ended"], shown(row["day"] + days)])
        self.write(["lead_id", "created_at", *attributes], leads, deals)
        config = verdicts.CONFIG.replace('manual_score = "points"\n', "").replace("{account}", more).replace('ages = ["0d"]', snapshots).replace("outside_training = 1.0", "outside_training = 0.2")
        (self.folder / "leadscore.toml").write_text(config)
        return leads, deals

    def write(self, header, leads, deals):
        base.write_csv(self.folder / "leads.csv", header, leads)
        base.write_csv(self.folder / "deals.csv", ["lead_id", "stage", "closed_at"], deals)

    def run_line(self, *arguments, expect=0):
        done = base.run(self.folder, *arguments, expect=expect)
        return done.stdout + done.stderr

    def test_columns_of_the_outcome_in_a_long_cycle(self):
        attributes = {
            "x": lambda row: f"{row['x']:.3f}",
            "lifecycle": lambda row: "customer" if row["ended"] == "won" else ["lead", "prospect"][row["u"] > 0.5],
            "num_deals": lambda row: 1 + int(3 * row["u"]) if row["ended"] == "won" else 0,
            "manager": lambda row: "success" if row["ended"] == "won" and row["v"] < 0.7 else ["ann", "bob", "cem"][int(3 * row["u"])],
        }
        self.crm(3_000, attributes, cycle=260)
        said = self.run_line("check", expect=1)
        for column in ("lifecycle", "num_deals", "manager"):
            self.assertRegex(said, rf"{column} +leak .*by where leads ended")
        # A model as of an earlier day is judged by what is known today, as its columns are.
        self.assertIn("leak: `lifecycle`", self.run_line("train", "--as-of", "2024-03-01", "-o", "m"))

    def test_another_horizon_is_refused(self):
        self.crm(1_500, {"x": lambda row: f"{row['x']:.3f}"})
        self.run_line("train", "--as-of", "2024-02-01", "-o", "m")
        config = (self.folder / "leadscore.toml").read_text().replace("[snapshots]\n", '[snapshots]\nhorizon = "30d"\n')
        (self.folder / "h30.toml").write_text(config)
        self.run_line("train", "-c", "h30.toml", "--as-of", "2024-02-01", "-o", "m30")
        for line in (["evaluate", "m"], ["recalibrate", "m", "-o", "r"], ["score", "m", "-o", "s.csv"], ["explain", "m", "L00001"], ["features", "--model", "m", "-o", "f.csv"]):
            self.assertIn('set `horizon = "90d"`', self.run_line(*line, "-c", "h30.toml", expect=2), line)
        self.assertIn("predicts wins within 30d", self.run_line("evaluate", "m", "--against", "m30", expect=2))

    def test_sampled_losses_are_not_measured(self):
        self.crm(3_000, {"x": lambda row: f"{row['x']:.3f}"}, more="")
        with open(self.folder / "leadscore.toml", "a") as file:
            file.write("\n[model]\nlosses_kept = 0.1\n")
        self.run_line("train", "--as-of", "2024-02-01", "-o", "m")
        for line in (["evaluate", "m"], ["recalibrate", "m", "-o", "r"]):
            self.assertIn("the tables hold 0.1 of the leads not won", self.run_line(*line, expect=2))

    def test_a_budget_in_cents(self):
        chance = lambda row: 1 / (1 + 2.718 ** (1.2 - 1.2 * row["x"]))
        budget = lambda row: f"{2_000 * 2.718 ** row['x'] * (100 if row['day'] > 900 else 1):.2f}"
        self.crm(3_000, {"budget": budget}, chance=chance)
        self.run_line("train", "--as-of", "2024-05-01", "-o", "m")
        said = self.run_line("score", "m", "-o", "s.csv", expect=2)
        self.assertIn("lie outside of what the model was trained on: `budget`", said)
        self.assertIn("outside_training = ", said)
        config = (self.folder / "leadscore.toml").read_text().replace("outside_training = 0.2", "outside_training = 1.0")
        (self.folder / "leadscore.toml").write_text(config)
        self.run_line("score", "m", "-o", "s.csv")
        with open(self.folder / "s.csv", newline="") as file:
            self.assertTrue(any(row["guard"].startswith("budget") for row in csv.DictReader(file)))

    def test_a_model_of_new_leads_and_old_ones(self):
        self.crm(3_000, {"x": lambda row: f"{row['x']:.3f}"}, cycle=200, snapshots='ages = ["0d"]')
        self.run_line("train", "-o", "m")
        self.assertRegex(self.run_line("score", "m", "-o", "s.csv"), r"open leads \(\d+ %\) are older than any that the model was trained on \(at most 0 days\)")

    def test_no_signal_is_said_by_score(self):
        self.crm(3_000, {"x": lambda row: f"{row['x']:.3f}", "title": lambda row: f"title {int(500 * row['u'])}"})
        self.assertIn("no signal", self.run_line("train", "-o", "m"))
        self.assertIn("no signal: the model tells no lead from another", self.run_line("score", "m", "-o", "s.csv"))

    def test_a_break_within_what_recalibration_learns_from(self):
        chance = lambda row: 0.1 if row["day"] > 700 else 0.35
        self.crm(4_000, {"x": lambda row: f"{row['x']:.3f}"}, chance=chance, snapshots='ages = ["0d"]')
        self.run_line("train", "--as-of", "2023-01-01", "-o", "m")
        said = self.run_line("recalibrate", "m", "-o", "r", expect=2)
        self.assertRegex(said, r"a break runs through these outcomes.*before 202[34]-\d\d-\d\d")
        day = said.split("pass --from ")[1].split(" ")[0]
        self.run_line("recalibrate", "m", "--from", day, "-o", "r")
