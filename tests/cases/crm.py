"""A CRM with a fixed seed, as plain values: leads, touches, deals and a log of changes; writers put it into files as exports look."""
import csv
import dataclasses
import math
import os
import random
import subprocess
from datetime import datetime, timedelta

LEADSCORE = os.environ.get("LEADSCORE", "leadscore")
FIRST, LAST = datetime(2022, 7, 1), datetime(2024, 7, 1)
INDUSTRIES = ["Handel", "Gesundheit", "Metall", "Medien", "Energie"]
KINDS = ["call", "mail", "visit"]

# How each table is called in the config, its columns, and which of them are ids, times, numbers, and names of outcomes.
COLUMNS = {
    "leads": ["lead_id", "created_at", "employees", "revenue", "industry", "vip"],
    "touches": ["lead_id", "at", "kind", "minutes"],
    "deals": ["lead_id", "closed_at", "stage"],
    "changes": ["lead_id", "changed_at", "field", "value"],
}
TIMES = [("leads", "created_at"), ("touches", "at"), ("deals", "closed_at"), ("changes", "changed_at")]
NUMBERS = [("leads", "employees"), ("leads", "revenue"), ("touches", "minutes")]
SECTIONS = {"leads": "[leads]", "touches": "[activities.touches]", "deals": "[outcomes]", "changes": "[history]"}

CONFIG = """[leads]
path = "{leads}"
id = "lead_id"
created_at = "created_at"
[activities.touches]
path = "{touches}"
lead = "lead_id"
at = "at"
kind = ["kind"]
values = ["minutes"]
[outcomes]
path = "{deals}"
lead = "lead_id"
closed_at = "closed_at"
result = "stage"
won = ["won"]
lost = ["lost"]
open = ["open"]
"""
HISTORY = """[history]
path = "{changes}"
lead = "lead_id"
attribute = "field"
value = "value"
changed_at = "changed_at"
"""


@dataclasses.dataclass
class Crm:
    """Rows by table; a cell is a text, a number, a truth value, a time, or None."""

    tables: dict
    config: str = CONFIG + HISTORY

    def column(self, table, column):
        return COLUMNS[table].index(column)

    def map(self, table, column, change, rows=None):
        """The same with the cells of a column changed, in all rows or in some."""
        at = self.column(table, column)
        picked = set(range(len(self.tables[table]))) if rows is None else set(rows)
        new = [[change(cell) if idx == at and number in picked and cell is not None else cell for idx, cell in enumerate(row)] for number, row in enumerate(self.tables[table])]
        return dataclasses.replace(self, tables={**self.tables, table: new})

    def without(self, table, rows):
        gone = set(rows)
        return dataclasses.replace(self, tables={**self.tables, table: [row for number, row in enumerate(self.tables[table]) if number not in gone]})


def build(n_leads=400, seed=5):
    rng = random.Random(seed)
    tables = {name: [] for name in COLUMNS}
    days = (LAST - FIRST).days
    for number in range(n_leads):
        lead = f"{100_000 + number * 7}"
        created = (FIRST + timedelta(days=rng.uniform(0, days - 3))).replace(microsecond=0)
        employees = int(math.exp(rng.gauss(4.4, 1.2))) + 1
        tables["leads"].append([lead, created, employees, round(employees * 91.25 + rng.randrange(90), 2), rng.choice(INDUSTRIES), rng.random() < 0.3])
        closed = created + timedelta(days=rng.uniform(12, 150), seconds=rng.randrange(86_400))
        n_calls = 0
        for _ in range(rng.randrange(2, 9)):
            at = (created + timedelta(days=rng.expovariate(1 / 35))).replace(microsecond=0)
            kind = rng.choices(KINDS, [4, 5, 1])[0]
            n_calls += kind == "call"
            if at < min(closed, LAST):
                tables["touches"].append([lead, at, kind, round(rng.uniform(1, 90), 1)])
        chance = 1 / (1 + math.exp(1.4 - 0.7 * (math.log(employees) - 4.4) - 0.5 * (n_calls - 2)))
        stage = "open" if closed >= LAST else "won" if rng.random() < chance else "lost"
        if rng.random() < 0.9:
            tables["deals"].append([lead, closed.replace(microsecond=0) if stage != "open" else None, stage])
        if rng.random() < 0.6:
            for step in range(rng.randrange(1, 4)):
                at = (created + timedelta(days=rng.uniform(0, 60))).replace(microsecond=0)
                if at < LAST:
                    tables["changes"].append([lead, at, "status", ["new", "working", "warm"][step]])
    for table, column in TIMES[1:]:
        at = COLUMNS[table].index(column)
        tables[table].sort(key=lambda row: (row[at] or LAST, row[0]))
    return Crm(tables)


def text(cell):
    """A cell as CSV has it."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    return str(cell)


def write_csv(path, header, rows, delimiter=",", encoding="utf-8", newline="\n", quoting=csv.QUOTE_MINIMAL, before="", after=""):
    with open(path, "w", encoding=encoding, newline="") as file:
        file.write(before)
        writer = csv.writer(file, delimiter=delimiter, lineterminator=newline, quoting=quoting)
        writer.writerow(header)
        writer.writerows([[text(cell) for cell in row] for row in rows])
        file.write(after)


def save(crm, folder, names=None, write=None):
    """Writes the files and the config; `write` has a function for tables that are not plain CSV."""
    names = {table: f"{table}.csv" for table in crm.tables} | (names or {})
    for table, rows in crm.tables.items():
        path = folder / names[table]
        if write and table in write:
            write[table](path, COLUMNS[table], rows)
        else:
            write_csv(path, COLUMNS[table], rows)
    (folder / "leadscore.toml").write_text(crm.config.format(**names))


def run(folder, *arguments, expect=None):
    """Runs the command in a folder; fails where the exit code is not the one expected, or a panic comes out."""
    done = subprocess.run([LEADSCORE, *arguments], cwd=folder, capture_output=True, text=True)
    assert "panicked" not in done.stderr and done.returncode in (0, 1, 2), (arguments, done.returncode, done.stderr)
    assert expect is None or done.returncode == expect, (arguments, done.returncode, done.stderr, done.stdout)
    return done


def matrix(folder):
    """The feature matrix as text, or None and what was refused."""
    out = folder / "matrix.csv"
    out.unlink(missing_ok=True)
    done = run(folder, "features", "-o", "matrix.csv")
    return (out.read_text() if done.returncode == 0 else None), done.stderr
