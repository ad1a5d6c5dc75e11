"""A CRM with everything that a config can name: two clocks, dates, seconds since 1970, histories, lookups with a past, accounts, sets, gaps and ties."""
import random

TYPES = {
    "leads": {"id": "varchar", "created": "timestamp", "account": "varchar", "region": "varchar", "size": "double", "tier": "varchar", "interests": "varchar", "contract_end": "date", "renewal": "timestamp", "trial_end": "bigint", "entered": "timestamp"},
    "regions": {"region": "varchar", "country": "varchar", "people": "bigint", "opened": "date"},
    "firms": {"account": "varchar", "since": "date", "staff": "bigint", "industry": "varchar", "tags": "varchar", "expires": "timestamp"},
    "visits": {"lead": "varchar", "at": "timestamp", "loaded": "timestamp", "kind": "varchar", "device": "varchar", "pages": "bigint", "spend": "double", "topics": "varchar"},
    "news": {"account": "varchar", "day": "date", "topic": "varchar"},
    "calls": {"lead": "varchar", "second": "bigint", "minutes": "double"},
    "deals": {"lead": "varchar", "closed": "date", "stage": "varchar"},
    "changes": {"lead": "varchar", "property": "varchar", "value": "varchar", "changed": "timestamp"},
}

CONFIG = """[leads]
path = "leads.parquet"
id = "id"
created_at = "created"
recorded_at = "entered"
account = "account"
types.interests = { set = ";" }
types.tier = { set = "+" }
types.contract_end = "days"
types.renewal = "days"
types.trial_end = "days"
[lookups.regions]
path = "regions.parquet"
key = "region"
types.opened = "days"
[lookups.firms]
path = "firms.parquet"
key = "account"
changed_at = "since"
types.tags = { set = "||" }
types.expires = "days"
[activities.visits]
path = "visits.parquet"
lead = "lead"
at = "at"
recorded_at = "loaded"
kind = ["kind", "device", "topics"]
types.topics = { set = ";" }
values = ["pages", "spend"]
[activities.news]
path = "news.parquet"
account = "account"
at = "day"
kind = ["topic"]
[activities.calls]
path = "calls.parquet"
lead = "lead"
at = "second"
values = ["minutes"]
[outcomes]
path = "deals.parquet"
lead = "lead"
closed_at = "closed"
result = "stage"
won = ["won"]
lost = ["lost"]
open = ["open"]
[history]
path = "changes.parquet"
lead = "lead"
attribute = "property"
value = "value"
changed_at = "changed"
[snapshots]
observation_end = "2023-12-31"
[data]
earliest = "2009-03-01"
undated_rows = 1.0
closed_before_creation = 1.0
slow_closings = 1.0
long_before_creation = 1.0
repeated_rows = 1.0
contradicting_changes = 1.0
[features]
families = ["all"]
windows = ["3d", "30d"]
max_kinds = 3
"""


def _time(rng, first, n_days):
    """A moment as a text, mostly in the day and sometimes at its very beginning, where snapshots are."""
    day = first + rng.randrange(n_days)
    date = f"{2021 + day // 336}-{1 + day % 336 // 28:02}-{1 + day % 28:02}"
    return f"{date} 00:00:00" if rng.random() < 0.2 else f"{date} {rng.randrange(24):02}:{rng.randrange(60):02}:{rng.randrange(60):02}.{rng.randrange(10**6):06}"


def rows(seed=7, n_leads=400):
    """The rows of every table."""
    rng, of_dates, of_entries = random.Random(seed), random.Random(seed + 1), random.Random(seed + 2)
    pick = lambda *values: rng.choice(values)

    def date(write=lambda text: text):
        """A date before, among or after all that happens."""
        return write(_time(of_dates, -900, 3000)) if of_dates.random() < 0.8 else None

    def entered(created):
        """When a lead was entered: nobody knows, as it was created, before or after."""
        return of_entries.choice([None, created, created, _time(of_entries, 0, 700)])

    tables = {name: [] for name in TYPES}

    def dates():
        return [date(lambda text: text[:10]), date(), date(lambda text: 1400000000 + of_dates.randrange(3000) * 43200)]

    def some(separator, *values):
        """A set as people write it: in any order, with blanks, empty members and members twice."""
        return separator.join(pick(*values, "") for _ in range(rng.randrange(1, 5))) or None

    for number in range(n_leads):
        lead = f"L{number}"
        account = pick(None, *(f"A{account}" for account in range(40)))
        region = pick("north", "south", "nowhere", None)
        created = _time(rng, 0, 600) if number % 50 else None
        tables["leads"].append([lead, created, account, region, pick(None, 1.5, 2.25, 1e9 / 3), "today", some(";", "red", " red", "blue\t", "it's (50%) [^x]", "ü$1"), *dates(), entered(created)])
        for _ in range(rng.randrange(8)):
            at = _time(rng, 0, 900)
            loaded = pick(at, at, max(at, _time(rng, 0, 900)), _time(rng, 0, 900))
            # Ties, blanks around words, words for nothing, and values whose sum depends on the order of adding.
            kind = pick("mail", "page", "page", " form ", "it's", "NA", None)
            tables["visits"].append([lead, at, pick(loaded, loaded, loaded, loaded, None), kind, pick("desk", "phone", None), pick(None, 1, 2, 70), pick(None, 0.1, -3.3, 1e9 + 0.7, 123456.789), some(";", "price", "price list", " demo")])
            if rng.random() < 0.2:
                tables["visits"].append([lead, at, loaded, pick("mail", None), "desk", pick(None, 3), 0.3, "price"])
        n_calls = rng.randrange(4)
        for _ in range(n_calls):
            tables["calls"].append([lead, 1609459200 + rng.randrange(900 * 86400), pick(None, 0.5, 7.3)])
        for _ in range(rng.randrange(5)):
            tables["changes"].append([lead, pick("tier", "tier", "phase"), pick("a", "b", "b + c", "b", None), _time(rng, 0, 900)])
            tables["changes"].append([lead, "budget", str(pick(1, 2, 2.5)), _time(rng, 0, 900)])
        if rng.random() < 0.7:
            tables["deals"].append([lead, _time(rng, 100, 800)[:10], "won" if region == "north" or n_calls > 2 else pick("lost", "open")])
            if rng.random() < 0.1:
                tables["deals"].append([lead, _time(rng, 100, 800)[:10], "won"])
    # So long ago that nothing is left of them by half-lives of days: beside later events, and alone.
    for lead in ("L2", f"L{n_leads}"):
        tables["visits"].append([lead, "2009-03-01 10:00:00", "2009-03-01 10:00:00", "page", "desk", 1, 1.0, None])
        tables["calls"].append([lead, 1235901600, 2.5])
    tables["leads"].append([f"L{n_leads}", "2021-01-20 12:00:00", None, "north", 1.5, "today", "red", *dates(), None])
    tables["visits"].append(["nobody", "2021-05-05 10:00:00", "2021-05-05 10:00:00", "page", "desk", 1, 1.0, "demo"])
    for account in range(40):
        for day in sorted({_time(rng, 0, 900)[:10] for _ in range(rng.randrange(4))}):
            tables["firms"].append([f"A{account}", day, pick(None, 10, 2000), pick("retail", "health"), some("||", "a|b", "c ", "d"), date()])
        for _ in range(rng.randrange(6)):
            tables["news"].append([f"A{account}", _time(rng, 0, 900)[:10], pick("hiring", "funding")])
    tables["regions"] = [["north", "FI", 5, "2020-02-29"], ["south", "IT", None, None]]
    return tables


def later(tables, moment, seed=1):
    """The same tables with everything that becomes known at or after a moment (a text) changed, left out or added to."""
    rng = random.Random(seed)
    known = {"visits": lambda row: max(row[1], row[2] or "9"), "news": lambda row: row[1] + " 23:59", "calls": None,
             "deals": lambda row: row[1] + " 23:59", "changes": lambda row: row[3], "firms": lambda row: row[1] + " 23:59"}
    import calendar
    import time
    limit = calendar.timegm(time.strptime(moment[:10], "%Y-%m-%d"))
    changed = {name: [list(row) for row in rows] for name, rows in tables.items()}
    for name, of_row in known.items():
        is_later = (lambda row: row[1] >= limit) if name == "calls" else (lambda row: of_row(row) >= moment)
        kept = [row for row in changed[name] if not is_later(row)]
        shaken = [row for row in changed[name] if is_later(row) and rng.random() < 0.5]
        for row in shaken:
            if name == "visits":
                row[3:] = ["page", "phone", 9, 99.5, "late"]
            elif name == "deals":
                row[2] = "lost"
            elif name == "changes":
                row[2] = "3" if row[1] == "budget" else "z"
            elif name == "firms":
                row[2] = 1
        changed[name] = kept + shaken
    for lead in range(0, 400, 3):
        changed["visits"].append([f"L{lead}", moment, moment, "mail", "desk", 5, 0.25, "late;price"])
        changed["calls"].append([f"L{lead}", limit, 4.0])
    return changed


def load(connection, tables):
    """Creates the tables in DuckDB."""
    for name, columns in TYPES.items():
        typed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        connection.execute(f"create or replace table {name} ({typed})")
        connection.executemany(f"insert into {name} values ({', '.join('?' * len(columns))})", tables[name])


def write(connection, tables, folder, config=CONFIG):
    """Writes tables and config into a folder."""
    folder.mkdir(exist_ok=True)
    load(connection, tables)
    for name in TYPES:
        connection.execute(f"copy {name} to '{folder}/{name}.parquet'")
    (folder / "leadscore.toml").write_text(config)
