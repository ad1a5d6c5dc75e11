"""Changes one thing at random in a clean CRM: the matrix is the clean one to the bit, or an error names table and column.

python mutations.py --n 2000 --seed 1        prints what happened, and writes it into docs with --write
"""
import argparse
import collections
import csv
import dataclasses
import gzip
import json
import pathlib
import random
import sys
import tempfile
from datetime import datetime, timedelta, timezone

import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq

import crm as base

DOCS = pathlib.Path(__file__).parents[2] / "docs" / "what-is-read.md"
BEGIN, END = "<!-- mutations -->", "<!-- end of mutations -->"


@dataclasses.dataclass
class Mutation:
    """One thing changed: of which kind, in which table and column, and what the matrix may be."""

    family: str
    what: str
    crm: base.Crm
    table: str
    column: str = None
    # The world whose matrix is the right one; None for the clean one.
    same_as: base.Crm = None
    names: dict = None
    write: dict = None


def utc(at):
    return at.replace(tzinfo=timezone.utc).timestamp()


def in_zone(at, hours):
    return (at + timedelta(hours=hours)).strftime("%Y-%m-%d %H:%M:%S") + f"{hours:+03}:00"


def serial(at, epoch=datetime(1899, 12, 30)):
    return f"{(at - epoch).total_seconds() / 86_400:.10f}"


WRITINGS_OF_TIMES = {
    "ISO 8601 with T": lambda at: at.isoformat(),
    "ISO 8601 with T and Z": lambda at: at.isoformat() + "Z",
    "ISO 8601 with milliseconds": lambda at: at.strftime("%Y-%m-%dT%H:%M:%S.000Z"),
    "an offset of +02:00": lambda at: in_zone(at, 2),
    "an offset of -05:00": lambda at: in_zone(at, -5),
    "an offset without a colon": lambda at: at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
    "seconds since 1970": lambda at: str(int(utc(at))),
    "seconds since 1970, with a fraction": lambda at: f"{utc(at):.1f}",
    "milliseconds since 1970": lambda at: str(int(utc(at)) * 1000),
    "milliseconds since 1970, as 1.7E+12": lambda at: f"{utc(at) * 1000:.6E}",
    "milliseconds since 1970, with .0": lambda at: f"{int(utc(at)) * 1000}.0",
    "microseconds since 1970": lambda at: str(int(utc(at)) * 10**6),
    "nanoseconds since 1970": lambda at: str(int(utc(at)) * 10**9),
    "day numbers of a spreadsheet": serial,
    "day numbers of a spreadsheet from 1904": lambda at: serial(at, datetime(1904, 1, 1)),
    "31/12/2024 23:59:59": lambda at: at.strftime("%d/%m/%Y %H:%M:%S"),
    "12/31/2024 23:59:59": lambda at: at.strftime("%m/%d/%Y %H:%M:%S"),
    "12/31/2024 11:59:59 PM": lambda at: at.strftime("%m/%d/%Y %I:%M:%S %p"),
    "31.12.2024 23:59:59": lambda at: at.strftime("%d.%m.%Y %H:%M:%S"),
    "31.12.24 23:59": lambda at: at.strftime("%d.%m.%y %H:%M"),
    "31-Dec-2024 23:59:59": lambda at: at.strftime("%d-%b-%Y %H:%M:%S"),
    "2024/12/31 23:59:59": lambda at: at.strftime("%Y/%m/%d %H:%M:%S"),
    "20241231235959": lambda at: at.strftime("%Y%m%d%H%M%S"),
    "202412312359": lambda at: at.strftime("%Y%m%d%H%M"),
    "20241231": lambda at: at.strftime("%Y%m%d"),
    "Tue Dec 31 2024 23:59:59 GMT+0000": lambda at: at.strftime("%a %b %d %Y %H:%M:%S GMT+0000"),
    "Tue, 31 Dec 2024 23:59:59 GMT": lambda at: at.strftime("%a, %d %b %Y %H:%M:%S GMT"),
    "zone text CET": lambda at: (at + timedelta(hours=1)).strftime("%Y-%m-%d %H:%M:%S CET"),
    "zone text UTC": lambda at: at.strftime("%Y-%m-%d %H:%M:%S UTC"),
    "year and day of the year": lambda at: at.strftime("%Y-%j"),
    "year and week": lambda at: at.strftime("%G-W%V-%u"),
}
WRITINGS_OF_NUMBERS = {
    "1,090.5": lambda v: f"{v:,}",
    "1,090.50": lambda v: f"{v:,.2f}",
    "1.090,50": lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")),
    "1090,50": lambda v: f"{v:.2f}".replace(".", ","),
    "1'090.5": lambda v: f"{v:,}".replace(",", "'"),
    "1’090.5": lambda v: f"{v:,}".replace(",", "’"),
    "1 090.5": lambda v: f"{v:,}".replace(",", " "),
    "1 090,5 with a narrow blank": lambda v: f"{v:,}".replace(",", "\u202f").replace(".", ","),
    "$ 1090.5": lambda v: f"$ {v}",
    "$1,090.50": lambda v: f"${v:,.2f}",
    "1.090,50 €": lambda v: f"{v:,.2f}".translate(str.maketrans(",.", ".,")) + " €",
    "1090.5 EUR": lambda v: f"{v} EUR",
    "1090.5%": lambda v: f"{v}%",
    "+1090.5": lambda v: f"+{v}",
    "1.0905E+03": lambda v: f"{v:.10E}",
    "1090.5000": lambda v: f"{v:.4f}",
    "blanks around": lambda v: f"  {v} ",
    "1.1k": lambda v: f"{v / 1000:.4f}k",
    "1090.5 people": lambda v: f"{v} people",
    "~1090.5": lambda v: f"~{v}",
    ">1090.5": lambda v: f">{v}",
    "1090.5-": lambda v: f"{v}-",
    "(1090.5) for some": lambda v: f"({v})" if int(v) % 7 == 0 else f"{v}",
    "leading zeros": lambda v: f"{int(v):06}" if v == int(v) else f"0{v}",
}
FORMS_OF_IDS = {
    "123.0": lambda i: f"{i}.0",
    "1.23E+05": lambda i: f"{int(i):.2E}",
    "1.00014E+05": lambda i: f"{int(i):.5E}",
    "leading zeros": lambda i: i.zfill(10),
    "no first digit": lambda i: i[1:],
    "blanks around": lambda i: f" {i} ",
    "a prefix": lambda i: f"L-{i}",
    "a suffix": lambda i: f"{i}@crm",
    "thousands separators": lambda i: f"{int(i):,}",
    "curly braces": lambda i: "{" + i + "}",
    "an apostrophe before": lambda i: f"'{i}",
    "a no-break blank": lambda i: f"{i}\u00a0",
    "two ids in a cell": lambda i: f"{i};{int(i) + 7}",
    "another CRM's": lambda i: str(int(i) + 3),
}
PLACEHOLDERS = ["?", "-", "--", "n/a", "N/A", "#N/A", "NULL", "null", "none", "unknown", "unbekannt", "k. A.", ".", "\\N", "TBD", "0000-00-00", "NaN", "inf", "#DIV/0!", "999999999", "999,999,999", "-999"]
PLACEHOLDERS_OF_TIMES = ["0000-00-00 00:00:00", "1900-01-01 00:00:00", "1970-01-01 00:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "1899-12-30 00:00:00", "0", "?", "TBD", "open", "31.12.9999"]
RESULTS = {
    "Won": lambda s: s.title(),
    "closedwon": lambda s: f"closed{s}",
    "true and false": lambda s: {"won": "true", "lost": "false"}.get(s, ""),
    "1 and 0": lambda s: {"won": "1", "lost": "0"}.get(s, ""),
    "Gewonnen": lambda s: {"won": "Gewonnen", "lost": "Verloren", "open": "Offen"}[s],
    "won (contract)": lambda s: "won (contract)" if s == "won" else s,
    "not won": lambda s: "not won" if s == "lost" else s,
    "blanks around": lambda s: f" {s} ",
    "a stage more": lambda s: "proposal" if s == "open" else s,
    "lost as a sentence": lambda s: "lost: no budget" if s == "lost" else s,
}
ENCODINGS = {"UTF-8 with a mark": "utf-8-sig", "UTF-16": "utf-16", "Windows-1252": "cp1252", "UTF-16 without a mark": "utf-16-le", "Latin-1": "latin-1"}


def some(rng, rows, share):
    return rng.sample(range(len(rows)), max(1, round(share * len(rows))))


def writing_of_times(rng, crm):
    table, column = rng.choice(base.TIMES)
    name = rng.choice(list(WRITINGS_OF_TIMES))
    share = rng.choice([1, 1, 0.1, 0.003])
    rows = None if share == 1 else some(rng, crm.tables[table], share)
    what = name if share == 1 else f"{name}, in some rows"
    return Mutation("writing of a time column", what, crm.map(table, column, WRITINGS_OF_TIMES[name], rows), table, column)


def writing_of_numbers(rng, crm):
    table, column = rng.choice(base.NUMBERS)
    name = rng.choice(list(WRITINGS_OF_NUMBERS))
    share = rng.choice([1, 1, 0.1, 0.003])
    rows = None if share == 1 else some(rng, crm.tables[table], share)
    what = name if share == 1 else f"{name}, in some rows"
    return Mutation("writing of a number column", what, crm.map(table, column, WRITINGS_OF_NUMBERS[name], rows), table, column)


def form_of_ids(rng, crm):
    table = rng.choice(["touches", "deals", "changes", "leads"])
    name = rng.choice(list(FORMS_OF_IDS))
    # Events of a third that are nobody's may be visitors, as long as nothing says that they are leads written otherwise.
    may_be_others = table in ("touches", "changes") and name in ("another CRM's", "no first digit")
    share = 1 if may_be_others else rng.choice([1, 1, 0.3])
    rows = None if share == 1 else some(rng, crm.tables[table], share)
    what = name if share == 1 else f"{name}, in some rows"
    # Ids of leads may be anything as long as they match: then all other tables are at fault, and one of them is named.
    return Mutation("form of the ids of a table", what, crm.map(table, "lead_id", FORMS_OF_IDS[name], rows), table, "lead_id")


def placeholder(rng, crm):
    times = rng.random() < 0.5
    table, column = rng.choice(base.TIMES if times else base.NUMBERS)
    rows = crm.tables[table]
    at = crm.column(table, column)
    full = [row for row in range(len(rows)) if rows[row][at] is not None]
    picked = rng.sample(full, max(1, len(rows) // 1000))
    word = rng.choice(PLACEHOLDERS_OF_TIMES if times else PLACEHOLDERS)
    return Mutation("a placeholder in one of 1,000 rows", f"`{word}`", crm.map(table, column, lambda _: word, picked), table, column, crm.map(table, column, lambda _: None, picked))


def another_year(rng, crm):
    table, column = rng.choice(base.TIMES)
    rows = crm.tables[table]
    at = crm.column(table, column)
    row = rng.choice([row for row in range(len(rows)) if rows[row][at] is not None])
    years = rng.choice([2, 3, 5, 10, 20, 80, -20, -10, 100])
    moved = lambda cell: cell.replace(year=cell.year + years, day=min(cell.day, 28))
    # A row that nobody can have meant counts as if it were not there, where it is not refused.
    same_as = crm.without(table, [row]) if table in ("touches", "changes") else crm.map(table, column, lambda _: None, [row])
    return Mutation("one date years off", f"{years:+} years", crm.map(table, column, moved, [row]), table, column, same_as)


def names_of_outcomes(rng, crm):
    name = rng.choice(list(RESULTS))
    share = rng.choice([1, 1, 0.02])
    rows = None if share == 1 else some(rng, crm.tables["deals"], share)
    what = name if share == 1 else f"{name}, in some rows"
    changed = crm.map("deals", "stage", RESULTS[name], rows)
    # An empty cell says that nothing is known yet, as `open` does.
    return Mutation("names of outcomes", what, changed, "deals", "stage")


def encoding(rng, crm):
    table = rng.choice(list(base.COLUMNS))
    name = rng.choice(list(ENCODINGS))
    rows = crm.tables["leads"]
    # Letters that differ between encodings; few enough leads to be a category.
    crm = dataclasses.replace(crm, tables={**crm.tables, "leads": [[*row[:4], {"Medien": "Möbel", "Energie": "Café"}.get(row[4], row[4]), *row[5:]] for row in rows]})
    write = {table: lambda path, header, rows: base.write_csv(path, header, rows, encoding=ENCODINGS[name])}
    return Mutation("encoding", name, crm, table, same_as=crm, write=write)


def delimiter(rng, crm):
    table = rng.choice(list(base.COLUMNS))
    name, sign = rng.choice([("semicolon", ";"), ("tab", "\t"), ("bar", "|"), ("colon", ":"), ("blank", " ")])
    return Mutation("delimiter", name, crm, table, write={table: lambda path, header, rows: base.write_csv(path, header, rows, delimiter=sign)})


def layout(rng, crm):
    table = rng.choice(list(base.COLUMNS))
    order = list(range(len(base.COLUMNS[table])))
    rng.shuffle(order)
    shuffled = list(crm.tables[table])
    rng.shuffle(shuffled)
    plain = base.write_csv
    total = lambda rows, header: ["Total", *[""] * (len(header) - 2), str(len(rows))]
    n = len(base.COLUMNS[table])
    ways = {
        "another order of columns": lambda p, h, r: plain(p, [h[i] for i in order], [[row[i] for i in order] for row in r]),
        "lines end in CR LF": lambda p, h, r: plain(p, h, r, newline="\r\n"),
        "every cell in quotes": lambda p, h, r: plain(p, h, r, quoting=csv.QUOTE_ALL),
        "blank lines at the end": lambda p, h, r: plain(p, h, r, after="\n\n\n"),
        "rows of empty cells at the end": lambda p, h, r: plain(p, h, r, after=("," * (n - 1) + "\n") * 3),
        "a first line sep=;": lambda p, h, r: plain(p, h, r, delimiter=";", before="sep=;\n"),
        "a title above the header": lambda p, h, r: plain(p, h, r, before="Export of 2 July 2024\n\n"),
        "a total below": lambda p, h, r: plain(p, h, [*r, total(r, h)]),
        "blanks around names of columns": lambda p, h, r: plain(p, [f" {name} " for name in h], r),
        "no end of the last line": lambda p, h, r: (plain(p, h, r), p.write_bytes(p.read_bytes().rstrip(b"\n"))),
        "a column more": lambda p, h, r: plain(p, [*h, "note"], [[*row, "x, y\nz"] for row in r]) if table != "leads" else plain(p, h, r),
        "cut off in the middle of a row": lambda p, h, r: (plain(p, h, r), p.write_bytes(p.read_bytes()[: -7 if n > 3 else -12])),
        "the header twice": lambda p, h, r: plain(p, h, [*r[: len(r) // 2], h, *r[len(r) // 2 :]]),
        "a zero byte": lambda p, h, r: plain(p, h, [*r[:5], [f"{base.text(r[5][0])}\0", *r[5][1:]], *r[6:]]),
        "old Mac line ends": lambda p, h, r: plain(p, h, r, newline="\r"),
        "the mark of the end of a file": lambda p, h, r: plain(p, h, r, after="\x1a"),
    }
    if table != "changes":
        # The order of changes at one moment says which came first.
        ways["another order of rows"] = lambda p, h, _: plain(p, h, shuffled)
    name = rng.choice(list(ways))
    return Mutation("layout of the file", name, crm, table, write={table: ways[name]})


def gzipped(rng, crm):
    table = rng.choice(list(base.COLUMNS))

    def write(path, header, rows):
        base.write_csv(path, header, rows)
        path.write_bytes(gzip.compress(path.read_bytes()))

    return Mutation("layout of the file", "packed with gzip", crm, table, names={table: f"{table}.csv.gz"}, write={table: write})


def arrays(table, rows):
    columns = {}
    for at, column in enumerate(base.COLUMNS[table]):
        columns[column] = pa.array([row[at] for row in rows])
    return columns


CASTS = {
    "lead_id": {
        "int64": lambda a: pa.array([int(v) for v in a.to_pylist()], pa.int64()),
        "int32": lambda a: pa.array([int(v) for v in a.to_pylist()], pa.int32()),
        "uint64": lambda a: pa.array([int(v) for v in a.to_pylist()], pa.uint64()),
        "double": lambda a: pa.array([float(v) for v in a.to_pylist()]),
        "decimal(38, 0)": lambda a: pa.array([int(v) for v in a.to_pylist()], pa.decimal128(38, 0)),
        "decimal(38, 9)": lambda a: pa.array([int(v) for v in a.to_pylist()], pa.int64()).cast(pa.decimal128(38, 9)),
        "dictionary": lambda a: a.dictionary_encode(),
        "large_string": lambda a: a.cast(pa.large_string()),
        "binary": lambda a: a.cast(pa.binary()),
        "string_view": lambda a: a.cast(pa.string_view()),
        "date32": lambda a: pa.array([int(v) for v in a.to_pylist()], pa.int32()).cast(pa.date32()),
        "list": lambda a: pa.array([[v] for v in a.to_pylist()]),
    },
    "time": {
        "timestamp[s]": lambda a: a.cast(pa.timestamp("s")),
        "timestamp[ms]": lambda a: a.cast(pa.timestamp("ms")),
        "timestamp[us]": lambda a: a.cast(pa.timestamp("us")),
        "timestamp[ns]": lambda a: a.cast(pa.timestamp("ns")),
        "timestamp[us, UTC]": lambda a: a.cast(pa.timestamp("us", "UTC")),
        "timestamp[ns, America/New_York]": lambda a: a.cast(pa.timestamp("us", "UTC")).cast(pa.timestamp("ns", "America/New_York")),
        "timestamp of an unknown zone": lambda a: a.cast(pa.timestamp("us", "Nowhere/City")),
        "int64 of milliseconds": lambda a: a.cast(pa.timestamp("ms")).cast(pa.int64()),
        "int64 of seconds": lambda a: a.cast(pa.timestamp("s")).cast(pa.int64()),
        "int64 of nanoseconds": lambda a: a.cast(pa.timestamp("ns")).cast(pa.int64()),
        "double of milliseconds": lambda a: a.cast(pa.timestamp("ms")).cast(pa.int64()).cast(pa.float64()),
        "double of day numbers": lambda a: pa.array([None if v is None else float(serial(v)) for v in a.to_pylist()]),
        "string": lambda a: pa.array([None if v is None else base.text(v) for v in a.to_pylist()]),
        "dictionary": lambda a: pa.array([None if v is None else base.text(v) for v in a.to_pylist()]).dictionary_encode(),
        "time of day": lambda a: pa.array([None if v is None else v.time() for v in a.to_pylist()]),
        "duration": lambda a: a.cast(pa.timestamp("us")).cast(pa.int64()).cast(pa.duration("us")),
    },
    "number": {
        "double": lambda a: a.cast(pa.float64()),
        "decimal(18, 4)": lambda a: a.cast(pa.float64()).cast(pa.decimal128(18, 4)),
        "string": lambda a: pa.array([base.text(v) for v in a.to_pylist()]),
        "string as 1,090.50": lambda a: pa.array([f"{v:,.2f}" for v in a.to_pylist()]),
        "dictionary": lambda a: pa.array([base.text(v) for v in a.to_pylist()]).dictionary_encode(),
        "decimal256": lambda a: a.cast(pa.float64()).cast(pa.decimal256(50, 4)),
        "list": lambda a: pa.array([[v] for v in a.to_pylist()]),
        "struct": lambda a: pa.array([{"value": v} for v in a.to_pylist()]),
    },
    "word": {
        "dictionary": lambda a: a.cast(pa.string()).dictionary_encode(),
        "large_string": lambda a: a.cast(pa.large_string()),
        "binary": lambda a: a.cast(pa.string()).cast(pa.binary()),
    },
}


def types(rng, crm):
    table = rng.choice(list(base.COLUMNS))
    columns = arrays(table, crm.tables[table])
    column = rng.choice([column for column in columns if column not in ("vip", "value")])
    kind = "lead_id" if column == "lead_id" else "time" if (table, column) in base.TIMES else "number" if (table, column) in base.NUMBERS else "word"
    name = rng.choice(list(CASTS[kind]))
    columns[column] = CASTS[kind][name](columns[column])
    packed = pa.table(columns)
    is_parquet = rng.random() < 0.7
    ending = "parquet" if is_parquet else "arrow"

    def write(path, *_):
        # What one format cannot hold, the other does.
        if is_parquet:
            pq.write_table(packed, path)
        else:
            with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, packed.schema) as out:
                out.write_table(packed)

    try:
        with tempfile.NamedTemporaryFile() as scratch:
            write(scratch.name)
    except (pa.ArrowNotImplementedError, pa.ArrowInvalid, OSError):
        return types(rng, crm)
    return Mutation(f"types in {'Parquet' if is_parquet else 'Arrow'}", f"{kind.replace('lead_id', 'id')} as {name}", crm, table, column, names={table: f"{table}.{ending}"}, write={table: write})


def ndjson(rng, crm):
    table = rng.choice(list(base.COLUMNS))
    ways = {
        "plain": lambda column, v: v,
        "numbers as texts": lambda column, v: str(v) if isinstance(v, (int, float)) and not isinstance(v, bool) else v,
        "ids as numbers": lambda column, v: int(v) if column == "lead_id" else v,
        "ids as numbers and as texts": lambda column, v: int(v) if column == "lead_id" and int(v) % 2 else v,
        "missing keys": lambda column, v: v,
        "times as milliseconds": lambda column, v: int(utc(v)) * 1000 if isinstance(v, datetime) else v,
        "some numbers as texts": lambda column, v: str(v) if isinstance(v, (int, float)) and not isinstance(v, bool) and int(v) % 3 == 0 else v,
    }
    name = rng.choice(list(ways))

    def write(path, header, rows):
        with open(path, "w") as file:
            for row in rows:
                cells = {column: ways[name](column, cell) for column, cell in zip(header, row) if not (name == "missing keys" and cell is None)}
                file.write(json.dumps({key: value.isoformat() if isinstance(value, datetime) else value for key, value in cells.items()}) + "\n")

    return Mutation("types in NDJSON", name, crm, table, names={table: f"{table}.ndjson"}, write={table: write})


def ends_early(rng, crm):
    table, column = rng.choice(base.TIMES[1:3])
    at = crm.column(table, column)
    days = rng.randrange(60, 300)
    end = base.LAST - timedelta(days=days)
    gone = [number for number, row in enumerate(crm.tables[table]) if row[at] is None or row[at] >= end]
    return Mutation("a table that ends early", f"{'2 to 5' if days < 150 else '5 to 10'} months", crm.without(table, gone), table)


FAMILIES = [writing_of_times, writing_of_numbers, form_of_ids, placeholder, another_year, names_of_outcomes, encoding, delimiter, layout, gzipped, types, ndjson, ends_early]
WEIGHTS = [5, 4, 3, 3, 2, 2, 1, 1, 3, 0.2, 4, 1, 1]


class Trial:
    """Matrices of a clean world, and of what one mutation made of it."""

    def __init__(self, folder, crm=None):
        self.folder = pathlib.Path(folder)
        self.crm = crm or base.build()
        self.clean = self.matrix(self.crm)
        assert self.clean, "the clean world is read"

    def matrix(self, crm):
        base.save(crm, self.folder)
        return base.matrix(self.folder)[0]

    def run(self, mutation):
        """`same`, `refused`, or `silent`, and what was printed."""
        base.save(mutation.crm, self.folder, mutation.names, mutation.write)
        found, said = base.matrix(self.folder)
        if found is None:
            named = mutation.table in said or base.SECTIONS[mutation.table] in said
            # Ids of leads that nothing matches are named where they do not match.
            named |= mutation.table == "leads" and mutation.family.startswith("form of the ids") and "lead_id" in said
            named &= mutation.column is None or mutation.column in said or mutation.table == "leads" and "lead_id" in said
            return ("refused" if named else "unnamed"), said
        if found == self.clean or mutation.same_as and found == self.matrix(mutation.same_as):
            return "same", said
        return "silent", said


def draw(rng, crm):
    return rng.choices(FAMILIES, WEIGHTS)[0](rng, crm)


def table_of(counts):
    lines = ["| what was changed | tries | the same matrix | refused, with table and column | silently another |", "| --- | ---: | ---: | ---: | ---: |"]
    for family in sorted({family for family, _ in counts}):
        of = lambda verdict: counts.get((family, verdict), 0)
        lines.append(f"| {family} | {of('same') + of('refused') + of('silent') + of('unnamed')} | {of('same')} | {of('refused')} | {of('silent')} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--all", action="store_true", help="print every try")
    asked = parser.parse_args()
    rng = random.Random(asked.seed)
    counts = collections.Counter()
    wrong = []
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(folder)
        for number in range(asked.n):
            mutation = draw(rng, trial.crm)
            verdict, said = trial.run(mutation)
            counts[mutation.family, verdict] += 1
            line = f"{verdict}: {mutation.family}: {mutation.what}: {mutation.table} {mutation.column or ''}"
            if verdict in ("silent", "unnamed"):
                wrong.append(line)
                print(f"{number}: {line}\n    {said[:1500]}", flush=True)
            elif asked.all:
                print(line + (": " + said.splitlines()[0][:200] if verdict == "refused" else ""))
    text = table_of(counts)
    print(text)
    if asked.write:
        page = DOCS.read_text()
        before, rest = page.split(BEGIN)
        note = f"{asked.n} mutations, seed {asked.seed}."
        DOCS.write_text(f"{before}{BEGIN}\n{note}\n\n{text}\n{END}{rest.split(END)[1]}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
