"""The flow for Prefect, run on a server that lives as long as the tests: states, retries and the artifact."""
import os
import sys
import unittest

os.environ |= {"PREFECT_SERVER_ANALYTICS_ENABLED": "false", "DO_NOT_TRACK": "1", "PREFECT_LOGGING_LEVEL": "CRITICAL"}
from prefect.artifacts import Artifact  # noqa: E402
from prefect.testing.utilities import prefect_test_harness  # noqa: E402

from worlds import CODES, RECIPES, world  # noqa: E402

sys.path.insert(0, str(RECIPES))
import prefect_flow  # noqa: E402


class Prefect(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.enterClassContext(prefect_test_harness())
        prefect_flow.run.retry_delay_seconds = 0

    def run_in(self, state):
        """The state in which the flow ends in a state of the CRM, and the latest artifact."""
        with world(state) as place:
            prefect_flow.FOLDER = str(place)
            ended = prefect_flow.lead_scores(return_state=True)
        artifact = Artifact.get("lead-scores")
        return ended, artifact.data if artifact else ""

    def test_what_is_done_is_completed_and_shown(self):
        for state in [state for state, code in CODES.items() if code == 0 and state != "unchanged"]:
            with self.subTest(state):
                ended, artifact = self.run_in(state)
                self.assertEqual((ended.type.name, ended.message), ("COMPLETED", state))
                self.assertIn(f'"value": "{state}"', artifact)

    def test_what_is_unchanged_is_skipped(self):
        ended, _ = self.run_in("unchanged")
        self.assertEqual((ended.type.name, ended.name), ("COMPLETED", "Skipped"))

    def test_an_alarm_fails_and_is_shown(self):
        ended, artifact = self.run_in("alarm")
        self.assertEqual(ended.type.name, "FAILED")
        self.assertRegex(ended.message, "alarm: .")
        self.assertIn('"value": "alarm"', artifact)

    def test_a_refusal_fails_and_says_why(self):
        ended, _ = self.run_in("failed")
        self.assertEqual(ended.type.name, "FAILED")
        self.assertIn("leads.csv", ended.message)

    def test_what_is_locked_is_tried_again(self):
        with world("busy") as place:
            prefect_flow.FOLDER = str(place)
            tries = []
            run = prefect_flow.subprocess.run
            prefect_flow.subprocess.run = lambda *words, **more: (tries.append(words), run(*words, **more))[1]
            self.addCleanup(setattr, prefect_flow.subprocess, "run", run)
            ended = prefect_flow.lead_scores(return_state=True)
        self.assertEqual((len(tries), ended.type.name), (4, "FAILED"))
        self.assertIn("another process has the lock", ended.message)


if __name__ == "__main__":
    unittest.main()
