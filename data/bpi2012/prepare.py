"""Makes leads.csv, events.csv and outcomes.csv from bpi_12_w.csv, all beside this file."""
import csv
import pathlib

HERE = pathlib.Path(__file__).parent
KINDS = {"1": "lead_handling", "2": "fraud_check", "3": "complete_application", "4": "call_incomplete_file", "5": "call_after_offer"}
VALIDATED = "6"

created, won, events = {}, {}, []
with open(HERE / "bpi_12_w.csv", newline="") as file:
    for row in csv.DictReader(file):
        case, kind, at = row["CaseID"], row["ActivityID"], row["CompleteTimestamp"].replace(" ", "T")
        created[case] = min(at, created.get(case, at))
        if kind == VALIDATED:
            won[case] = min(at, won.get(case, at))
        else:
            events.append((case, KINDS[kind], at))

for name, header, rows in (
    ("leads.csv", ("lead_id", "created_at"), created.items()),
    ("events.csv", ("lead_id", "event_type", "ts"), events),
    ("outcomes.csv", ("lead_id", "won_at"), won.items()),
):
    with open(HERE / name, "w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
