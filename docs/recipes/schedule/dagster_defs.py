"""Dagster: `leadscore run` as an asset with checks. The command is a process of Dagster Pipes and reports by itself.

A morning on which nothing changed has the data version of the morning before, so that nothing behind it has to run. An alarm is a
failed check, which stops the assets behind this one. A refusal fails the run and says why, and so does a run that another one locked
out.
"""
import os

import dagster as dg

FOLDER = os.environ.get("LEADSCORE_FOLDER", "/srv/leadscore")
# What `leadscore run` looks at: "inputs", "forecast", "ripe_snapshots" and "hold_back_arm", too.
CHECKS = ["verdict", "early_read"]


@dg.asset(
    check_specs=[dg.AssetCheckSpec(name, asset="lead_scores", blocking=name == "verdict") for name in CHECKS],
    pool="leadscore",  # one run at a time
)
def lead_scores(context: dg.AssetExecutionContext, pipes: dg.PipesSubprocessClient):
    command = ["leadscore", "run", "--config", "leadscore.toml"]
    return pipes.run(context=context, command=command, cwd=FOLDER, extras={"checks": CHECKS}).get_results()


defs = dg.Definitions(
    assets=[lead_scores],
    resources={"pipes": dg.PipesSubprocessClient()},
    schedules=[
        dg.ScheduleDefinition(
            name="every_morning", target=dg.AssetSelection.assets("lead_scores"), cron_schedule="15 5 * * *"
        )
    ],
)
