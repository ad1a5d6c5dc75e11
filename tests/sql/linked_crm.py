"""A CRM whose deals and calls reach their leads through association tables, whose leads were merged, and whose deals are a log of stages: with everything that can go wrong between ids."""
import collections
import datetime
import random

TYPES = {
    "leads": {"id": "varchar", "created": "timestamp", "account": "varchar", "region": "varchar", "size": "double", "typed": "timestamp"},
    "deals": {"deal": "varchar", "contact": "varchar", "closed": "timestamp", "stage": "varchar", "entered": "timestamp"},
    "contacts": {"deal": "varchar", "contact": "varchar", "role": "varchar", "since": "timestamp"},
    "calls": {"call": "varchar", "second": "bigint", "minutes": "double"},
    "attendees": {"call": "varchar", "person": "varchar", "joined": "date"},
    "visits": {"lead": "varchar", "at": "timestamp", "loaded": "timestamp", "kind": "varchar", "pages": "bigint"},
    "merged": {"old": "varchar", "new": "varchar", "at": "timestamp"},
    "changes": {"lead": "varchar", "property": "varchar", "value": "varchar", "changed": "timestamp"},
}

BASE = """[leads]
path = "leads.parquet"
id = "id"
created_at = "created"
recorded_at = "typed"
account = "account"
[activities.visits]
path = "visits.parquet"
lead = "lead"
at = "at"
recorded_at = "loaded"
kind = ["kind"]
values = ["pages"]
[activities.calls]
path = "calls.parquet"
lead = "call"
via = "attendees"
at = "second"
values = ["minutes"]
[links.attendees]
path = "attendees.parquet"
from = "call"
lead = "person"
ATTENDEES
[history]
path = "changes.parquet"
lead = "lead"
attribute = "property"
value = "value"
changed_at = "changed"
[outcomes]
path = "deals.parquet"
closed_at = "closed"
result = "stage"
won = ["won"]
lost = ["lost", "gone"]
open = ["open"]
ends = "2023-06-30"
OUTCOMES
[snapshots]
horizon = "60d"
SNAPSHOTS
observation_end = "2023-12-31"
[data]
undated_rows = 1.0
closed_before_creation = 1.0
slow_closings = 1.0
long_before_creation = 1.0
repeated_rows = 1.0
contradicting_changes = 1.0
unmatched_outcomes = 1.0
unmatched_rows = 1.0
recorded_together = 1.0
[features]
families = ["all"]
windows = ["3d", "90d"]
max_kinds = 3
"""

LINK = '[links.contacts]\npath = "contacts.parquet"\nfrom = "deal"\nlead = "contact"\n'
MERGES = '[merges]\npath = "merged.parquet"\nfrom = "old"\ninto = "new"\n'
LOG = "log = true\n"

# What of it a config names: the rest of [outcomes] and what stands behind it, of the link of calls, of [snapshots].
KINDS = {
    "links": ('lead = "deal"\nvia = "contacts"\nlog = false\n' + LINK + 'primary = "role"\n', "", 'every = "7d"'),
    "own_ids": ('lead = "deal"\nvia = "contacts"\nlog = false\n' + LINK + 'primary = "role"\n' + "own_ids = true\n", "own_ids = true\n", 'every = "7d"'),
    "own_ids_since": ('lead = "deal"\nvia = "contacts"\nlog = false\n' + LINK + 'linked_at = "since"\nown_ids = true\n' + MERGES + 'at = "at"\n', 'linked_at = "joined"\nown_ids = true\n', 'every = "7d"'),
    "own_ids_merged": ('lead = "deal"\nvia = "contacts"\nlog = false\n' + LINK + "own_ids = true\n" + MERGES, "own_ids = true\n", 'every = "7d"'),
    "links_since": ('lead = "deal"\nvia = "contacts"\nlog = false\n' + LINK + 'linked_at = "since"\n', 'linked_at = "joined"\n', 'every = "7d"'),
    "merges": ('lead = "contact"\nlog = false\n' + MERGES, "", 'ages = ["0d", "7d", "30d", "90d", "200d"]'),
    "merges_since": ('lead = "deal"\nvia = "contacts"\nlog = false\nrecorded_at = "entered"\n' + LINK + 'linked_at = "since"\n' + MERGES + 'at = "at"\n', 'linked_at = "joined"\n', 'every = "7d"'),
    "log": ('lead = "contact"\n' + LOG, "", 'every = "7d"'),
    "log_corrected": ('lead = "contact"\nrecorded_at = "entered"\ncorrections = "1d"\n' + LOG, "", 'ages = ["0d", "7d", "30d", "90d", "200d"]'),
    "all": ('lead = "deal"\nvia = "contacts"\nrecorded_at = "entered"\ncorrections = "1d"\n' + LOG + LINK + 'linked_at = "since"\n' + MERGES + 'at = "at"\n', 'linked_at = "joined"\n', 'every = "7d"'),
}


# Of which leads are scored, with fewer features.
SCORED = ("own_ids_since", "merges_since", "log", "all")
FEW = '["attributes", "reopened", "account", "counts", "recency", "latest"]'


def config(kind):
    """The config of one kind."""
    outcomes, attendees, snapshots = KINDS[kind]
    return BASE.replace("OUTCOMES\n", outcomes).replace("ATTENDEES\n", attendees).replace("SNAPSHOTS", snapshots)


def places(kind):
    """Where the tables are in a database, as `--place` takes it."""
    named = ["outcomes=deals", "history=changes"] + ["merges=merged"] * ("[merges]" in config(kind))
    return [word for name in named for word in ("--place", name)]


class Times:
    """Moments of a table as texts: mostly within a day, some at the very moment of a snapshot or just after it, and none twice."""

    def __init__(self, rng):
        self.rng = rng
        self.known = set()

    def free(self, moment):
        while moment in self.known:
            moment += datetime.timedelta(microseconds=1)
        self.known.add(moment)
        return str(moment)

    def at(self, first, n_days):
        moment = datetime.datetime(2021, 1, 1) + datetime.timedelta(days=first + self.rng.randrange(n_days))
        if self.rng.random() < 0.3:
            # Snapshots of every seventh day are on Thursdays, as the first day of 1970 is.
            return self.free(moment - datetime.timedelta(days=(moment.weekday() - 3) % 7))
        return self.free(moment + datetime.timedelta(microseconds=self.rng.randrange(86_400_000_000)))

    def later(self, text, seconds):
        return self.free(datetime.datetime.fromisoformat(plus(text, seconds)))


def plus(text, seconds):
    """A moment some seconds later."""
    return str(datetime.datetime.fromisoformat(text) + datetime.timedelta(seconds=seconds))


def rows(seed=11, n_leads=260):
    """The rows of every table."""
    rng, of_entries = random.Random(seed), random.Random(seed + 1)
    clocks = collections.defaultdict(lambda: Times(rng))
    pick = lambda *values: rng.choice(values)
    tables = {name: [] for name in TYPES}
    # Ids as people have them: in small letters beside the same in large ones, with quotes, with letters of other languages.
    ids = [f"L{number}" for number in range(n_leads)] + ["l1", "l2", "it's", "Ü9", "ü9", 'a"b', "00L1"]
    # Blanks around an id say nothing, and these words are no ids.
    blank = lambda name: pick(name, name, name, f" {name}", f"{name} ")
    someone = lambda: pick(*ids) if rng.random() < 0.96 else pick("nobody", "", "NA", None)
    # When a lead was entered: as it was created, at the very age of a snapshot or just after it, and sometimes nobody knows.
    typed = lambda at: at and of_entries.choice([*[None, at] * 6, plus(at, 7 * 86400), plus(at, 7 * 86400 + 1), plus(at, of_entries.randrange(100 * 86400)), plus(at, -86400)])
    regions, created = {}, {}
    for number, lead in enumerate(ids):
        regions[lead] = pick("north", "south", None)
        created[lead] = clocks["leads"].at(0, 500) if number % 40 else None
        tables["leads"].append([blank(lead), created[lead], pick(None, *(f"A{account}" for account in range(30))), regions[lead], pick(None, 1.5, 2.25), typed(created[lead])])
        for _ in range(rng.randrange(6)):
            at = clocks["visits"].at(0, 900)
            tables["visits"].append([blank(lead), at, pick(at, at, max(at, clocks["visits"].at(0, 900)), None), pick("mail", "page", "NA", None), pick(None, 1, 2, 70)])
        for _ in range(rng.randrange(3)):
            tables["changes"].append([lead, "size", str(pick(1.5, 2.5, 4)), clocks["changes"].at(0, 900)])
    for number in range(n_leads):
        call = f"C{5000 + number}"
        tables["calls"].append([blank(call), 1609459200 + rng.randrange(900 * 86400), pick(None, 0.5, 7.3)])
        for _ in range(pick(0, 1, 1, 1, 2, 3)):
            tables["attendees"].append([pick(*[call] * 9, "C none", None), someone(), pick(*[clocks["attendees"].at(0, 900) for _ in range(9)], None)])
    for number in range(2 * n_leads):
        deal, contact = f"D{5000 + number}", someone()
        # How a deal went: closed and open again, closed twice alike, open before anything else, replaced within a day.
        deals = clocks["deals"]
        at = deals.at(60, 700)
        if created.get(contact) and rng.random() < 0.2:
            # At the very age of a snapshot.
            at = deals.later(created[contact], pick(0, 7, 30, 90) * 86400)
        won = "won" if rng.random() < (0.9 if regions.get(contact) == "north" else 0.04) else pick("lost", "gone")
        course = pick([won], [won], ["open", won], ["lost", "open", won], [won, "lost"], ["lost", "lost"], [won, "open"], ["open", "open", won, "open", "lost", "open"], [None, won])
        for stage in course:
            entered = pick(at, at, at, plus(at, rng.randrange(40 * 86400)), plus(at, -86400), None)
            tables["deals"].append([blank(deal), contact and blank(contact), at if rng.random() < 0.97 else None, stage, entered])
            if rng.random() < 0.1:
                tables["deals"].append([deal, contact, at, stage, plus(at, rng.randrange(86400))])
            # At the very moment of a snapshot again, or within corrections and just beyond.
            at = deals.later(at, pick(7 * 86400, 23 * 86400, 60, 3600, 86399, 86400, 86401, 5 * 86400, 50 * 86400))
        for _ in range(pick(0, 1, 1, 2, 4)):
            link = [blank(deal), pick(contact, contact, someone()), pick("Primary contact", "yes", " TRUE", "1", "Да", "no", "0", "secondary", None), pick(clocks["contacts"].at(0, 300), clocks["contacts"].at(0, 900), None)]
            tables["contacts"].append(link)
            if rng.random() < 0.2:
                # The same again, from another time on, or not a primary one.
                tables["contacts"].append([*link[:2], pick("yes", "no"), clocks["contacts"].at(0, 900)])
    tables["contacts"] += [["D5001", None, "yes", "2021-05-05 10:00:00"], [None, "L1", "yes", "2021-05-05 10:00:00"], ["D none", "L1", "yes", "2021-05-05 10:00:00"]]
    # Chains of up to eight merges, many into one, into nobody, of nobody, into itself, twice, later than the data, without a time.
    merge = lambda old, new, at: tables["merged"].append([blank(old), blank(new), at])
    for first, length in ((10, 1), (20, 2), (30, 5), (40, 8)):
        for step in range(length):
            # The last merge of the longest one is the latest.
            merge(f"L{first + step}", f"L{first + step + 1}", clocks["merged"].at(*(100, 600) if step < 7 else (750, 50)))
    for number in range(60, 75):
        for _ in range(1 + number % 2):
            merge(f"L{number}", f"L{75 + number % 3}", clocks["merged"].at(100, 700))
    # A deal has many of them as contacts, who are one lead later.
    tables["contacts"] += [["D5005", f"L{number}", "yes", clocks["contacts"].at(0, 900)] for number in (60, 63, 66, 75, 34, 35)]
    merge("L80", "nobody", clocks["merged"].at(100, 700))
    merge("gone", "L81", clocks["merged"].at(100, 700))
    tables["visits"].append(["gone", "2021-06-06 10:00:00", "2021-06-06 10:00:00", "mail", 3])
    merge("L82", "L82", clocks["merged"].at(100, 700))
    for _ in range(2):
        merge("L83", "L84", clocks["merged"].at(100, 700))
    merge("l1", "L1", clocks["merged"].at(100, 700))
    merge("L85", "L86", "2030-01-01 00:00:00")
    # Deals and calls that name a lead itself, also one that was merged, or nobody; and ids of leads that are linked to others: by a primary link or another, from a time on or without one.
    for _ in range(n_leads // 4):
        own = pick(*ids, "gone", "nobody")
        tables["calls"].append([blank(own), 1609459200 + rng.randrange(900 * 86400), pick(None, 0.5, 7.3)])
        tables["deals"].append([blank(own), blank(own), clocks["deals"].at(60, 700), pick("won", "won", "lost", "open"), None])
        if rng.random() < 0.3:
            tables["contacts"].append([own, someone(), pick("yes", "no"), pick(clocks["contacts"].at(0, 300), None)])
            tables["attendees"].append([own, someone(), pick(clocks["attendees"].at(0, 300), None)])
    tables["merged"] += [["L87", "L88", None], ["L89", None, clocks["merged"].at(100, 700)], [None, "L90", clocks["merged"].at(100, 700)], ["L91", "NA", clocks["merged"].at(100, 700)]]
    return tables


def load(connection, tables):
    """Creates the tables in DuckDB."""
    for name, columns in TYPES.items():
        typed = ", ".join(f'"{column}" {kind}' for column, kind in columns.items())
        connection.execute(f"create or replace table {name} ({typed})")
        connection.executemany(f"insert into {name} values ({', '.join('?' * len(columns))})", tables[name])


def write(connection, tables, folder):
    """Writes the tables, and a config of each kind, into a folder."""
    folder.mkdir(exist_ok=True)
    load(connection, tables)
    for name in TYPES:
        connection.execute(f"copy {name} to '{folder}/{name}.parquet'")
    for kind in KINDS:
        (folder / f"{kind}.toml").write_text(config(kind))
    for kind in SCORED:
        (folder / f"few_{kind}.toml").write_text(config(kind).replace('["all"]', FEW) + '[model]\nkind = "linear"\n')
