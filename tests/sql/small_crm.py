"""The small CRM that stored models were trained on, and whose scores are stored with them."""


def write(folder):
    """Writes its tables and config into a new folder."""
    folder.mkdir()
    tables = {"leads": ["id,created,source,size"], "deals": ["lead,closed,stage"], "visits": ["lead,at,kind"]}
    for number in range(240):
        month, day = 1 + number % 6, 1 + number % 27
        is_won = number * 7 % 10 < (2 if number % 2 else 6)
        tables["leads"].append(f"L{number},2020-{month:02}-{day:02}T10:00:00,{'mail' if number % 2 else 'web'},{number % 13}")
        tables["deals"].append(f"L{number},2020-{month + 2:02}-{day:02}T10:00:00,{'won' if is_won else 'lost'}")
        tables["visits"].append(f"L{number},2020-{month:02}-{day:02}T12:00:00,{'form' if number % 3 else 'page'}")
    for name, lines in tables.items():
        (folder / f"{name}.csv").write_text("\n".join(lines) + "\n")
    (folder / "leadscore.toml").write_text("""[leads]
path = "leads.csv"
id = "id"
created_at = "created"
[activities.visits]
path = "visits.csv"
lead = "lead"
at = "at"
kind = ["kind"]
[outcomes]
path = "deals.csv"
lead = "lead"
closed_at = "closed"
result = "stage"
won = ["won"]
lost = ["lost"]
[snapshots]
observation_end = "2021-01-01"
[features]
families = ["attributes", "created", "age", "counts", "values", "recency"]
windows = ["7d", "30d", "90d"]
""")
