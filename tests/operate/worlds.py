"""A CRM with its registry in each state that a scheduler can meet: what `leadscore run` answers there is the name of the state.

`python worlds.py FOLDER` makes all of them; `OPERATE_WORLDS` names that folder, so that tests of several virtual environments share
it.
"""
import contextlib
import fcntl
import functools
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

LEADSCORE = os.environ["LEADSCORE"]
RECIPES = pathlib.Path(__file__).parents[2] / "docs" / "recipes" / "schedule"

# Exit code of each state.
CODES = {"first": 0, "kept": 0, "promoted": 0, "unchanged": 0, "alarm": 1, "failed": 2, "busy": 75}


def command(folder, *arguments):
    """Runs the command, which has to be done; what it prints."""
    return subprocess.run([LEADSCORE, *arguments], cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def make_all(folder):
    """Makes each state in a folder of its name."""
    crm = folder / "crm"
    command(folder, "simulate", "--leads", "3000", "--format", "csv", "-o", str(crm))

    def copy(name, operation=""):
        place = folder / name
        shutil.copytree(crm, place)
        with open(place / "leadscore.toml", "a") as config:
            config.write(f'\n[operation]\npublish = ["scores.parquet"]\n{operation}\n')
        return place

    def promote_model_of(place, as_of):
        command(place, "train", "--as-of", as_of, "-o", "old.leadscore")
        command(place, "models", "promote", command(place, "models", "add", "old.leadscore"), "--because", "the first model")

    copy("first")
    copy("busy")
    command(copy("unchanged"), "run")

    retrain = 'retrain = "30d"\npromote = "auto"\n'
    promote_model_of(copy("kept", retrain + 'max_age = "3650d"'), "2025-07-01")
    # The champion is old, and a challenger that is no worse replaces it.
    promote_model_of(copy("promoted", retrain + 'max_age = "30d"\nmargin = 0.5\nmax_churn = 1.0'), "2024-10-01")

    failed = copy("failed")
    command(failed, "run")
    leads = failed / "leads.csv"
    leads.write_text(leads.read_text().replace("lead_id", "lead", 1))

    # Since March, three of four wins have been losses.
    alarm = copy("alarm")
    promote_model_of(alarm, "2025-01-01")
    deals = (alarm / "deals.csv").read_text().splitlines()
    late = [number for number, deal in enumerate(deals) if ",closed_won,2025-" in deal and deal.rsplit(",", 1)[1] >= "2025-03"]
    for number in late:
        if number % 4:
            deals[number] = deals[number].replace("closed_won", "closed_lost")
    (alarm / "deals.csv").write_text("\n".join(deals) + "\n")


@functools.cache
def worlds():
    """The folder with all states."""
    if made := os.environ.get("OPERATE_WORLDS"):
        return pathlib.Path(made)
    folder = pathlib.Path(tempfile.mkdtemp(prefix="leadscore-operate-"))
    make_all(folder)
    return folder


@contextlib.contextmanager
def world(state):
    """A copy of a state, and the environment in which a recipe finds it and the command."""
    with tempfile.TemporaryDirectory(prefix="leadscore-schedule-") as folder:
        place = pathlib.Path(folder) / "crm"
        shutil.copytree(worlds() / state, place)
        (pathlib.Path(folder) / "bin").mkdir()
        (pathlib.Path(folder) / "bin" / "leadscore").symlink_to(LEADSCORE)
        before = dict(os.environ)
        os.environ |= {"LEADSCORE_FOLDER": str(place), "PATH": f"{folder}/bin:{os.environ['PATH']}"}
        try:
            with locked(place) if state == "busy" else contextlib.nullcontext():
                yield place
        finally:
            os.environ.clear()
            os.environ.update(before)


@contextlib.contextmanager
def locked(place):
    """Another process has the lock of the registry."""
    (place / "models").mkdir(exist_ok=True)
    with open(place / "models" / ".lock", "a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    make_all(pathlib.Path(sys.argv[1]))
