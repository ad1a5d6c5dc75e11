"""The DAG for Airflow, run by Airflow itself on a database of its own: states of the task, and its XCom."""
import os
import pathlib
import sys
import tempfile
import unittest

HOME = tempfile.TemporaryDirectory(prefix="leadscore-airflow-")
unittest.addModuleCleanup(HOME.cleanup)
RECIPES = pathlib.Path(__file__).parents[2] / "docs" / "recipes" / "schedule"
os.environ |= {
    "AIRFLOW_HOME": HOME.name,
    "AIRFLOW__CORE__DAGS_FOLDER": str(RECIPES),
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "CRITICAL",
    "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
}
from airflow.utils.db import initdb  # noqa: E402

from worlds import CODES, world  # noqa: E402

sys.path.insert(0, str(RECIPES))


class Airflow(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        initdb()

    def run_in(self, state):
        """What becomes of the task in a state of the CRM, its XCom, and the state of the run."""
        import airflow_dag

        with world(state) as place:
            airflow_dag.FOLDER = str(place)
            ended = airflow_dag.lead_scores().test()
            (task,) = ended.get_task_instances()
            return str(task.state), task.xcom_pull("run"), str(ended.state)

    def test_what_is_done_is_a_success_with_its_decision(self):
        for state in [state for state, code in CODES.items() if code == 0 and state != "unchanged"]:
            with self.subTest(state):
                task, result, dag = self.run_in(state)
                self.assertEqual((task, dag, result["decision"]), ("success", "success", state))
                self.assertGreater(result["n_scored"], 0)

    def test_what_is_unchanged_is_skipped(self):
        self.assertEqual(self.run_in("unchanged"), ("skipped", None, "success"))

    def test_an_alarm_fails_and_has_its_figures(self):
        task, result, dag = self.run_in("alarm")
        self.assertEqual((task, dag, result["verdict"]), ("failed", "failed", "alarm"))

    def test_a_refusal_fails_at_once(self):
        task, _, dag = self.run_in("failed")
        self.assertEqual((task, dag), ("failed", "failed"))

    def test_what_is_locked_is_tried_again(self):
        import airflow_dag

        run = airflow_dag.lead_scores().get_task("run")
        self.assertEqual(run.retries, 3)
        with world("busy") as place:
            airflow_dag.FOLDER = str(place)
            with self.assertRaisesRegex(Exception, "another process has the lock") as raised:
                run.python_callable()
        # Airflow tries again unless it is told not to.
        self.assertEqual(type(raised.exception).__name__, "AirflowException")


if __name__ == "__main__":
    unittest.main()
