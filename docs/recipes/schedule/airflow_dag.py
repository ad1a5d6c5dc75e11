"""Airflow 3: `leadscore run` every morning. The XCom of the task is what was decided.

A morning on which nothing changed is skipped. A run that another one locked out is tried again. An alarm and a refusal fail the
task at once and say why; a second try on the same data would be of no use.
"""
import json
import os
import subprocess
from datetime import datetime, timedelta

from airflow.sdk import dag, task
from airflow.sdk.exceptions import AirflowException, AirflowFailException, AirflowSkipException

FOLDER = os.environ.get("LEADSCORE_FOLDER", "/srv/leadscore")
COMMAND = ["leadscore", "run", "--config", "leadscore.toml", "--skip-code", "99"]


@dag(schedule="15 5 * * *", start_date=datetime(2025, 1, 1), catchup=False, max_active_runs=1)
def lead_scores():
    @task(retries=3, retry_delay=timedelta(minutes=10))
    def run(ti=None) -> dict:
        ended = subprocess.run(COMMAND, cwd=FOLDER, stdout=subprocess.PIPE, text=True)
        # The log of the command goes to stderr, and so to the log of the task.
        result = json.loads(ended.stdout.splitlines()[-1]) if ended.stdout else {}
        error = result.get("error") or {"message": f"exit code {ended.returncode}; see the log"}
        if ended.returncode == 99:
            raise AirflowSkipException("nothing changed since the last run")
        if ended.returncode == 75:
            raise AirflowException(error["message"])
        if ended.returncode == 1:
            ti.xcom_push("return_value", result)
            failed = [check["message"] for check in result["checks"] if not check["passed"]]
            raise AirflowFailException("alarm: " + "; ".join(failed))
        if ended.returncode != 0:
            raise AirflowFailException(error["message"])
        return result

    run()


lead_scores()
