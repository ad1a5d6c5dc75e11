"""`leadscore.history` has what the command prints, and frames mark leads that are held back as the command does."""
import hashlib
import json
import os
import pathlib
import subprocess
import tempfile
import unittest

import polars as pl

import leadscore

LEADSCORE = os.environ["LEADSCORE"]


class History(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.config = leadscore.simulate(4_000, seed=3, folder=cls.folder)
        cls.config.write_text(cls.config.read_text() + "\n[operation]\nholdback = 0.2\n")
        cls.command("train", "--as-of", "2025-05-01", "-o", "model")
        for day in ("2025-06-02", "2025-06-09", "2025-06-16"):
            cls.command("score", "model", "--as-of", day, "--history", "-o", "scores.parquet")

    @classmethod
    def command(cls, *args):
        done = subprocess.run([LEADSCORE, *args], cwd=cls.folder, capture_output=True, text=True, timeout=300)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def test_by_week(self):
        table = leadscore.history(config=self.config)
        self.assertEqual(table.summary, json.loads(self.command("history", "--json")))
        self.assertEqual(len(table), 3)
        self.assertEqual(table["tier_churn"][1:], [moment["migration"]["churn"] for moment in table.summary["moments"][1:]])
        self.assertEqual(len(leadscore.history(config=self.config, since="2025-06-09", all=True)), 2)

    def test_of_a_lead(self):
        first, last = (pl.read_parquet(path).drop_nulls("log_odds") for path in (self.folder / "scores/as_of=2025-06-02/part-0.parquet", self.folder / "scores.parquet"))
        lead = last.join(first, on="lead_id", how="semi")["lead_id"][0]
        table = leadscore.history(lead, config=self.config)
        self.assertEqual(table.summary, json.loads(self.command("history", lead, "--json")))
        change = table.summary["change"]
        self.assertAlmostEqual(sum(item["difference"] for item in change["items"]), change["log_odds"], delta=1e-9)
        self.assertEqual(table["log_odds"][-1], last.row(by_predicate=pl.col("lead_id") == lead, named=True)["log_odds"])

    def test_what_is_not_there(self):
        with self.assertRaisesRegex(KeyError, "no scores of lead `nobody`"):
            leadscore.history("nobody", config=self.config)
        with self.assertRaisesRegex(OSError, "no scores are kept here yet"):
            leadscore.history(config=self.config, folder=self.folder / "nowhere")
        with self.assertRaisesRegex(ValueError, "since=`soon` is not a moment"):
            leadscore.history(config=self.config, since="soon")

    def test_frames_mark_who_is_held_back(self):
        scores = leadscore.Data(self.config).as_of("2025-06-16").score(leadscore.Model.load(self.folder / "model"))
        expected = pl.read_parquet(self.folder / "scores.parquet")
        self.assertTrue(pl.DataFrame(scores).equals(expected))
        for lead, held in zip(scores["lead_id"], scores["held_back"]):
            self.assertEqual(hashlib.sha256(f"leadscore-holdback:{lead}".encode()).hexdigest()[:8] < "33333333", held)
        self.assertEqual(scores.summary["hold_back"]["share"], 0.2)


if __name__ == "__main__":
    unittest.main()
