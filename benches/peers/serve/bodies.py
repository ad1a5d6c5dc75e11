"""Leads as JSON, each with its activities, made of the tables that `leadscore simulate --format csv` wrote."""
import csv
import datetime
import json
import pathlib
import random

# Of 200 activities: what a lead of the tables has on average, ten times over.
SHARES = {"touches": 91, "web": 78, "sales": 30, "stages": 1}
FILES = {"touches": "touches", "web": "web_sessions", "sales": "sales_activities", "stages": "stages"}
NUMBERS = {"seats": int, "first_pages": int, "page_views": int, "minutes": float}


def rows(folder, name):
    with open(pathlib.Path(folder) / f"{name}.csv", newline="") as file:
        return list(csv.DictReader(file))


def cell(name, text):
    return None if text == "" else NUMBERS.get(name, str)(text)


def leads(folder, n, now, activities=200, seed=1):
    """`n` open leads that came in 100 days before `now`, with so many activities since. Everything was recorded as it happened."""
    draw = random.Random(seed)
    accounts = {row["account_id"]: row for row in rows(folder, "accounts")}
    known = rows(folder, "leads")
    events = {name: rows(folder, file) for name, file in FILES.items()}
    # A lead that has closed has no score.
    events["stages"] = [row for row in events["stages"] if row["stage"] in ("qualified", "proposal")]
    time = lambda days: (now - datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")
    made = []
    for row in draw.choices(known, k=n):
        lead = {name: cell(name, text) for name, text in row.items() if name != "manual_score"}
        lead["created_at"] = time(100)
        lead["activities"] = {}
        for name, share in SHARES.items():
            drawn = draw.choices(events[name], k=round(activities * share / 200))
            ages = sorted((draw.uniform(0.01, 99) for _ in drawn), reverse=True)
            lead["activities"][name] = [activity(name, row, time(age)) for row, age in zip(drawn, ages)]
        if row["account_id"] in accounts:
            lead["lookups"] = {"accounts": accounts[row["account_id"]]}
        made.append(lead)
    return made


def activity(name, row, at):
    given = {column: cell(column, text) for column, text in row.items() if column not in ("lead_id", "deal_id")}
    times = {"entered_at": at} if name == "stages" else {"at": at, "recorded_at": at}
    return given | times


def plain(lead):
    """What `leadscore serve`, FastAPI and BentoML get."""
    return json.dumps({"lead": lead}, separators=(",", ":")).encode()


def inference(lead):
    """What MLServer gets: a text in a request of the Open Inference Protocol, as its documentation has it for JSON."""
    text = json.dumps(lead, separators=(",", ":"))
    tensor = {"name": "lead", "shape": [1], "datatype": "BYTES", "parameters": {"content_type": "str"}, "data": [text]}
    return json.dumps({"inputs": [tensor]}, separators=(",", ":")).encode()
