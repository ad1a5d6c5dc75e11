"""Situations of models, built after public reports, each with the sentence or the refusal that is right."""
import csv
import json
import pathlib
import random
import re
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
        self.assertIn("leak, left out: `lifecycle`", self.run_line("train", "--as-of", "2024-03-01", "-o", "m"))
        self.assertRegex(self.run_line("evaluate", "m"), r"Left out, because written at the close: `\w+`, `\w+` and 1 more\.")
        # A first config leaves them out, too.
        self.run_line("init", "--leads", "leads.csv", "--outcomes", "deals.csv", "-o", "first.toml")
        first = (self.folder / "first.toml").read_text()
        self.assertRegex(first, r'"lifecycle",   # written at the close|"lifecycle",   # a status')
        for column in ("num_deals", "manager"):
            self.assertRegex(first, rf'"{column}",   # written at the close: by where leads ended')

    def test_a_suspicious_column_and_what_is_left_without_it(self):
        tags = lambda row: "hot" if row["v"] < (0.8 if row["ended"] == "won" else 0.12) else "cold"
        self.crm(3_000, {"x": lambda row: f"{row['x']:.3f}", "tags": tags, "marital_status": lambda row: "single" if row["u"] < 0.5 else "married"})
        said = self.run_line("train", "--as-of", "2024-02-01", "-o", "m")
        self.assertRegex(said, r"suspicious: `tags`: .*; without it, held out: AUC 0\.[45]\d+ in place of 0\.[89]\d+")
        self.assertIn("held-out evaluation, of an earlier fit and not of the model written:", said)
        self.assertIn("The ranking rests on `tags`, which may know the outcome.", self.run_line("evaluate", "m"))
        self.assertNotIn('"marital_status"', self.run_line("init", "--leads", "leads.csv", "--outcomes", "deals.csv", "-o", "first.toml").split("[outcomes]")[0])

    def test_other_leads_at_the_same_time(self):
        chance = lambda row: 1 / (1 + 2.718 ** (1.2 - 1.2 * row["x"]))
        leads, deals = self.crm(4_000, {"x": lambda row: f"{row['x']:.3f}"}, chance=chance)
        header = ["lead_id", "created_at", "x"]
        self.write(header, leads[:3_000], deals)
        config = self.folder / "leadscore.toml"
        config.write_text(config.read_text() + "\n[data]\nunmatched_outcomes = 1.0\n")
        self.run_line("train", "-o", "m")
        self.assertIn("training cutoff", self.run_line("evaluate", "m", expect=2))
        self.assertRegex(self.run_line("evaluate", "m", "--other-leads", expect=2), r"trained on [\d,]+ of these leads, such as `L\d+`")
        self.write(header, leads[3_000:], deals)
        said = self.run_line("evaluate", "m", "--other-leads", "--json", "r.json")
        self.assertIn("it is calibrated", said)
        self.assertNotIn("in sample", said)

    def test_what_is_outside_of_training_is_said_by_all(self):
        chance = lambda row: 1 / (1 + 2.718 ** (1.2 - 1.2 * row["x"]))
        budget = lambda row: f"{2_000 * 2.718 ** row['x'] * (100 if row['day'] > 800 else 1):.2f}"
        self.crm(3_000, {"budget": budget}, chance=chance)
        self.run_line("train", "--as-of", "2023-12-01", "-o", "m")
        self.assertRegex(self.run_line("evaluate", "m"), r"Outside of\s+training: \d\d % of these snapshots have values that training never saw")
        config = (self.folder / "leadscore.toml").read_text().replace("outside_training = 0.2", "outside_training = 1.0").replace('every = "month"', 'every = "week"')
        (self.folder / "leadscore.toml").write_text(config)
        said = self.run_line("score", "m", "--intervals", "--json", "s.json", "-o", "s.csv")
        summary = json.loads((self.folder / "s.json").read_text())
        self.assertEqual(summary["outside"]["findings"][0]["feature"], "budget")
        self.assertIn("week", summary["outside"]["rule"])
        self.assertEqual(sum(tier["n_leads"] for tier in summary["tiers"]), summary["n_scored"])
        self.assertIn('the model was trained on snapshots by every = "month", and the config has every = "week"', said)
        with open(self.folder / "s.csv", newline="") as file:
            row = next(row for row in csv.DictReader(file) if row["guard"].startswith("budget"))
        # Nothing goes on beyond training, and the interval says how little is known.
        self.assertLess(float(row["likelihood_to_close"]), 99.9)
        self.assertGreater(float(row["likelihood_high"]) - float(row["likelihood_low"]), 30)
        self.assertIn("outside of what training saw: budget: ", self.run_line("explain", "m", row["lead_id"]))

    def test_all_leads_are_accounted_for(self):
        leads, deals = self.crm(3_000, {"x": lambda row: f"{row['x']:.3f}"}, chance=lambda row: 0.3 + 0.2 * (row["x"] > 0))
        # Some are taken up again after they were lost, and some have no date.
        lost = [row for row in deals if row[1] == "lost"][-40:]
        self.write(["lead_id", "created_at", "x"], [row[:1] + [""] + row[2:] if number < 7 else row for number, row in enumerate(leads)], deals + [[row[0], "open", shown(999)] for row in lost])
        config = self.folder / "leadscore.toml"
        config.write_text(config.read_text().replace('lost = ["lost"]', 'lost = ["lost"]\nopen = ["open"]'))
        self.run_line("train", "-o", "m")
        said = self.run_line("score", "m", "-o", "s.csv")
        self.assertIn("(40 of the closed have an open row after it, and count as closed)", said)
        counted = next(line for line in said.splitlines() if line.startswith("scored "))
        numbers = [int(number.replace(",", "")) for number in re.findall(r"([\d,]+) (?:leads open|closed won|closed otherwise|not yet created|without a creation)", counted)]
        self.assertEqual(sum(numbers), 3_000, counted)

    def test_leads_end_by_silence(self):
        rng = random.Random(3)
        leads, deals = self.crm(3_000, {"x": lambda row: f"{row['x']:.3f}"}, cycle=300, chance=lambda row: 0.25 + 0.2 * (row["x"] > 0))
        closed = {row[0]: row[2] for row in deals}
        touches = [[lead[0], at] for lead in leads for at in {shown(rng.uniform(0, 1_000))} if lead[1] < at < closed.get(lead[0], "9")]
        base.write_csv(self.folder / "calls.csv", ["lead_id", "at"], touches)
        config = self.folder / "leadscore.toml"
        text = config.read_text().replace("[outcomes]", '[activities.calls]\npath = "calls.csv"\nlead = "lead_id"\nat = "at"\n\n[outcomes]', 1)
        config.write_text(text)
        (self.folder / "silent.toml").write_text(text.replace("[snapshots]\n", '[snapshots]\nsilent = "180d"\n'))
        self.run_line("train", "-o", "m")
        self.assertRegex(self.run_line("train", "-c", "silent.toml", "-o", "n"), r"[\d,]+ snapshots of leads that nobody had touched for longer than `silent`")
        said = self.run_line("score", "n", "-c", "silent.toml", "-o", "s.csv")
        self.assertRegex(said, r"[\d,]+ open and without an event for longer than `silent`")
        last = {}
        for lead, at in touches:
            last[lead] = max(at, last.get(lead, ""))
        with open(self.folder / "s.csv", newline="") as file:
            rows = [row for row in csv.DictReader(file) if row["likelihood_to_close"]]
        scored = {row["lead_id"] for row in rows}
        limit = shown((datetime.fromisoformat(rows[0]["as_of"][:10]) - BEGIN).days - 180)
        expected = {lead[0] for lead in leads if lead[0] not in closed and max(lead[1], last.get(lead[0], "")) >= limit}
        self.assertEqual(scored, expected)
        self.assertIn('silent = "180d"', self.run_line("score", "n", "-o", "s.csv"))
        self.assertIn("do not end leads by silence", self.run_line("features", "-c", "silent.toml", "--sql", "duckdb", "-o", "f.sql", expect=2))

    def test_contacts_of_one_deal_count_together(self):
        rng = random.Random(5)
        leads, deals = [], []
        for deal in range(700):
            day, is_won = rng.uniform(0, 900), rng.random() < 0.3
            closed = shown(day + rng.uniform(5, 80))
            # Of the account, and drawn before anything was known.
            employees, industry = int(10 ** rng.uniform(1, 5)), rng.choice(["it", "retail", "bank"])
            for contact in range(8):
                leads.append([f"L{deal:04}{contact}", shown(day + rng.uniform(0, 4)), f"{rng.gauss(0, 1):.3f}", employees, industry])
                deals.append([leads[-1][0], "won" if is_won else "lost", closed])
        self.crm(10, {"x": lambda row: "0"})
        # Those of the last months are open.
        end = max(row[2] for row in deals if row[2] < shown(940))
        self.write(["lead_id", "created_at", "x", "employees", "industry"], leads, [row for row in deals if row[2] <= end])
        self.assertNotRegex(self.run_line("check", expect=None), r"(employees|industry) +leak")
        said = self.run_line("train", "--as-of", "2023-10-01", "--allow-too-few", "-o", "m")
        self.assertRegex(said, r"note: [\d,]+ of [\d,]+ closed leads close in the very moment of another one")
        self.run_line("evaluate", "m", "--json", "r.json")
        report = json.loads((self.folder / "r.json").read_text())
        self.assertEqual(report["clusters"], "leads or joint closings")
        # Eight contacts to a deal.
        self.assertGreater(report["calibration"]["design_effect"], 4)

    def test_contract_numbers_are_proven(self):
        self.crm(3_000, {"x": lambda row: f"{row['x']:.3f}", "contract": lambda row: f"C{int(1e6 * row['u']):06}" if row["ended"] == "won" else ""}, cycle=120, chance=lambda row: 0.3)
        self.assertRegex(self.run_line("check", expect=1), r"contract +leak")

    def test_an_effect_that_fades_is_recalibrated_by_a_line(self):
        chance = lambda row: 1 / (1 + 2.718 ** (1.2 - (1.4 if row["day"] < 620 else 0.6) * row["x"]))
        self.crm(2_500, {"x": lambda row: f"{row['x']:.3f}"}, chance=chance, snapshots='ages = ["0d"]')
        self.run_line("train", "--as-of", shown(620)[:10], "-o", "m")
        self.assertIn("too extreme", self.run_line("evaluate", "m"))
        self.assertRegex(self.run_line("recalibrate", "m", "-o", "n"), r"taken: (a line|a beta curve|an isotonic curve)")

    def test_what_stopped_and_what_has_another_scale(self):
        rng = random.Random(9)
        leads, deals = self.crm(3_000, {"x": lambda row: f"{row['x']:.3f}", "region": lambda row: "north" if row["u"] < 0.2 else "south"}, chance=lambda row: 0.15 + 0.3 * (row["x"] > 0) + 0.3 * (row["u"] < 0.2))
        day_of = lambda lead: (datetime.fromisoformat(lead[1]) - BEGIN).days
        events = [[lead[0], shown(min(day_of(lead) + rng.uniform(0, 30), 999)), "mail" if rng.random() < 0.3 else "call"] for lead in leads for _ in range(2)]
        base.write_csv(self.folder / "touches.csv", ["lead_id", "at", "kind"], events)
        config = self.folder / "leadscore.toml"
        config.write_text(config.read_text().replace("[outcomes]", '[activities.touches]\npath = "touches.csv"\nlead = "lead_id"\nat = "at"\nkind = ["kind"]\n\n[outcomes]', 1))
        self.run_line("train", "-o", "m")
        self.assertNotIn("outside of training", self.run_line("score", "m", "-o", "s.csv"))
        base.write_csv(self.folder / "touches.csv", ["lead_id", "at", "kind"], [event for event in events if event[2] != "mail" or event[1] < shown(700)])
        self.assertRegex(self.run_line("score", "m", "-o", "s.csv"), r"empty or 0 for every lead.*has a kind of event stopped\?")
        base.write_csv(self.folder / "touches.csv", ["lead_id", "at", "kind"], events)
        header = ["lead_id", "created_at", "x", "region"]
        self.write(header, [lead[:3] + ["south"] for lead in leads], deals)
        self.assertRegex(self.run_line("score", "m", "-o", "s.csv"), r"`region` is `north` for no lead, and was for \d+ % of the training snapshots")
        for factor in (0.01, 0.1, 10, 100):
            self.write(header, [lead[:2] + [f"{factor * float(lead[2]):.5f}", lead[3]] for lead in leads], deals)
            self.assertIn("another unit?", self.run_line("score", "m", "-o", "s.csv", expect=2), factor)

    def test_another_horizon_is_refused(self):
        self.crm(1_500, {"x": lambda row: f"{row['x']:.3f}"})
        self.run_line("train", "--as-of", "2024-02-01", "-o", "m")
        config = (self.folder / "leadscore.toml").read_text().replace("[snapshots]\n", '[snapshots]\nhorizon = "30d"\n')
        (self.folder / "h30.toml").write_text(config)
        self.run_line("train", "-c", "h30.toml", "--as-of", "2024-02-01", "-o", "m30")
        for line in (["evaluate", "m"], ["recalibrate", "m", "-o", "r"], ["score", "m", "-o", "s.csv"], ["explain", "m", "L00001"], ["features", "--model", "m", "-o", "f.csv"]):
            self.assertIn('set `horizon = "90d"`', self.run_line(*line, "-c", "h30.toml", expect=2), line)
        self.assertIn("predicts wins within 30d", self.run_line("evaluate", "m", "--against", "m30", expect=2))

    def test_a_column_that_the_model_reads_and_the_config_leaves_out(self):
        self.crm(2_000, {"x": lambda row: f"{row['x']:.3f}", "role": lambda row: ["buyer", "user"][row["u"] > 0.5]}, chance=lambda row: 0.2 + 0.4 * (row["u"] > 0.5))
        self.run_line("train", "--as-of", "2024-02-01", "-o", "m")
        text = (self.folder / "leadscore.toml").read_text()
        for line, why in (('exclude = ["role"]', "`exclude` leaves it out"), ('types = { role = "id" }', "`types` calls it an id"), ('attributes = ["x"]', "`attributes` does not name it")):
            (self.folder / "hidden.toml").write_text(text.replace("[leads]\n", f"[leads]\n{line}\n"))
            for command in (["score", "m", "-o", "s.csv"], ["evaluate", "m"], ["explain", "m", "L00001"], ["recalibrate", "m", "-o", "r"], ["features", "--model", "m", "-o", "f.csv"], ["export", "sql", "m", "--features", "--dialect", "duckdb", "-o", "x.sql"]):
                self.assertIn(f"the model reads `role` of [leads], and by the config {why}", self.run_line(*command, "-c", "hidden.toml", expect=2))

    def test_sampled_losses_are_not_measured(self):
        self.crm(3_000, {"x": lambda row: f"{row['x']:.3f}"}, more="")
        with open(self.folder / "leadscore.toml", "a") as file:
            file.write("\n[model]\nnegative_sampling_rate = 0.1\n")
        self.run_line("train", "--as-of", "2024-02-01", "-o", "m")
        (self.folder / "whole.toml").write_text((self.folder / "leadscore.toml").read_text().replace("negative_sampling_rate = 0.1", ""))
        self.assertIn("the model was trained on tables with 0.1 of the leads not won", self.run_line("evaluate", "m", "-c", "whole.toml"))
        for line in (["evaluate", "m"], ["recalibrate", "m", "-o", "r"], ["train", "--learning-curve", "-o", "n"], ["train", "--report", "r.html", "-o", "n"]):
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
