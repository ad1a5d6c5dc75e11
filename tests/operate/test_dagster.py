"""The asset for Dagster, materialized by Dagster, which hears of the command by Pipes: materializations, checks, and what is behind."""
import os
import sys
import unittest

os.environ |= {"DAGSTER_DISABLE_TELEMETRY": "1"}
import dagster as dg  # noqa: E402

from worlds import CODES, RECIPES, world  # noqa: E402

sys.path.insert(0, str(RECIPES))
import dagster_defs  # noqa: E402


@dg.asset(deps=[dagster_defs.lead_scores])
def called_by_sales():
    """What reads the scores."""


def materialize(assets, instance, resources=None):
    """Runs assets, without the lines of Dagster's log."""
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    resources = resources or dagster_defs.defs.resources
    return dg.materialize(assets, resources=resources, instance=instance, run_config=quiet, raise_on_error=False)


class Dagster(unittest.TestCase):
    def run_in(self, state):
        """What Dagster has after a run in a state of the CRM."""
        with world(state) as place, dg.DagsterInstance.ephemeral() as instance:
            dagster_defs.FOLDER = str(place)
            ended = materialize([dagster_defs.lead_scores, called_by_sales], instance)
            self.events = [line.dagster_event for line in instance.all_logs(ended.run_id) if line.dagster_event]
            return ended

    def materialized(self, ended):
        return [event.asset_key.to_user_string() for event in ended.get_asset_materialization_events()]

    def test_what_is_done_is_a_materialization_with_a_verdict(self):
        for state in [state for state, code in CODES.items() if code == 0 and state != "unchanged"]:
            with self.subTest(state):
                ended = self.run_in(state)
                self.assertTrue(ended.success)
                self.assertEqual(self.materialized(ended), ["lead_scores", "called_by_sales"])
                scores = ended.get_asset_materialization_events()[0].materialization
                self.assertEqual(scores.metadata["decision"].value, state)
                self.assertGreater(scores.metadata["dagster/row_count"].value, 0)
                self.assertIn("scores.parquet", scores.metadata["published"].value)
                self.assertIn("score", [row.data["stage"] for row in scores.metadata["stages"].records])
                self.assertRegex(scores.tags["dagster/data_version"], "^[0-9a-f]{16,}$")
                checks = {check.check_name: check for check in ended.get_asset_check_evaluations()}
                self.assertTrue(checks["verdict"].passed)
                self.assertEqual(set(checks), set(dagster_defs.CHECKS))

    def test_what_is_unchanged_has_the_version_of_before(self):
        versions = []
        with world("first") as place, dg.DagsterInstance.ephemeral() as instance:
            dagster_defs.FOLDER = str(place)
            for decision in ("first", "unchanged"):
                ended = materialize([dagster_defs.lead_scores], instance)
                (event,) = ended.get_asset_materialization_events()
                self.assertEqual(event.materialization.metadata["decision"].value, decision)
                versions.append(event.materialization.tags["dagster/data_version"])
        self.assertEqual(versions[0], versions[1])

    def test_an_alarm_is_a_failed_check_that_stops_what_is_behind(self):
        ended = self.run_in("alarm")
        self.assertFalse(ended.success)
        self.assertEqual(self.materialized(ended), ["lead_scores"])
        checks = {check.check_name: check for check in ended.get_asset_check_evaluations()}
        self.assertFalse(checks["verdict"].passed)
        self.assertEqual(checks["verdict"].severity, dg.AssetCheckSeverity.ERROR)
        self.assertTrue(checks["verdict"].metadata["message"].value)

    def test_a_refusal_and_a_lock_fail_and_say_why(self):
        for state, why in (("failed", "leads.csv"), ("busy", "lock")):
            with self.subTest(state):
                ended = self.run_in(state)
                self.assertFalse(ended.success)
                self.assertEqual(self.materialized(ended), [])
                told = [event.engine_event_data.error for event in self.events if event.is_engine_event]
                (error,) = filter(None, told)
                self.assertRegex(error.message, rf"(?s){why}.*hint: ")


class Pipes(unittest.TestCase):
    """Steps that are not those of the recipe."""

    def materialize(self, step, resources=None):
        with world("first") as place, dg.DagsterInstance.ephemeral() as instance:
            dagster_defs.FOLDER = str(place)
            return materialize([step], instance, resources)

    def test_a_step_without_checks_gets_none_that_it_does_not_know(self):
        @dg.asset
        def plain(context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient):
            extras = {"checks": []}
            return pipes.run(context=context, command=["leadscore", "run"], cwd=dagster_defs.FOLDER, extras=extras).get_results()

        ended = self.materialize(plain)
        self.assertTrue(ended.success)
        self.assertEqual(ended.get_asset_check_evaluations(), [])

    def test_a_step_with_a_key_of_parts_and_a_context_in_the_variable(self):
        @dg.asset(key=["crm", "scores"], check_specs=[dg.AssetCheckSpec("verdict", asset=["crm", "scores"])])
        def parts(context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient):
            return pipes.run(context=context, command=["leadscore", "run"], cwd=dagster_defs.FOLDER).get_results()

        client = dg.PipesSubprocessClient(context_injector=dg.PipesEnvContextInjector())
        ended = self.materialize(parts, {"pipes": client})
        self.assertTrue(ended.success)
        (event,) = ended.get_asset_materialization_events()
        self.assertEqual(event.asset_key.path, ["crm", "scores"])
        self.assertEqual(len(ended.get_asset_check_evaluations()), 1)


if __name__ == "__main__":
    unittest.main()
