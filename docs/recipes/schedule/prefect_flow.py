"""Prefect 3: `leadscore run` every morning. The state of the flow is the answer, and an artifact has the verdict.

A morning on which nothing changed ends as Skipped. A run that another one locked out is tried again. An alarm and a refusal fail
the flow at once and say why.
"""
import json
import os
import subprocess

from prefect import flow, task
from prefect.artifacts import create_table_artifact
from prefect.states import Completed, Failed

FOLDER = os.environ.get("LEADSCORE_FOLDER", "/srv/leadscore")
COMMAND = ["leadscore", "run", "--config", "leadscore.toml", "--skip-code", "99"]


class Busy(Exception):
    """Another run holds the lock."""


def is_busy(task, task_run, state):
    return isinstance(state.result(raise_on_failure=False), Busy)


@task(retries=3, retry_delay_seconds=600, retry_condition_fn=is_busy)
def run():
    ended = subprocess.run(COMMAND, cwd=FOLDER, stdout=subprocess.PIPE, text=True)
    result = json.loads(ended.stdout.splitlines()[-1]) if ended.stdout else {}
    if ended.returncode == 75:
        raise Busy(result["error"]["message"])
    return ended.returncode, result


@flow
def lead_scores():
    code, result = run()
    if code == 99:
        return Completed(name="Skipped", message="nothing changed since the last run")
    if code not in (0, 1):
        error = result.get("error") or {"message": f"exit code {code}; see the log"}
        return Failed(message=error["message"])
    figures = ("decision", "verdict", "as_of", "champion", "n_scored")
    create_table_artifact(
        [{"what": name, "value": str(result[name])} for name in figures]
        + [{"what": check["name"], "value": check["message"]} for check in result["checks"]],
        key="lead-scores",
    )
    if code == 1:
        failed = [check["message"] for check in result["checks"] if not check["passed"]]
        return Failed(message="alarm: " + "; ".join(failed))
    return Completed(message=result["decision"])


if __name__ == "__main__":
    lead_scores.serve(name="every-morning", cron="15 5 * * *")
