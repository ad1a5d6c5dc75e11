"""Every type that an Arrow or Parquet file can hold, in every role: read right, or refused with the column's name.

python types_of_arrow.py           prints the table, and writes it into docs with --write
"""
import argparse
import collections
import pathlib
import sys
import tempfile
from datetime import datetime

import pyarrow as pa
import pyarrow.parquet as pq

import crm as base

DOCS = pathlib.Path(__file__).parents[2] / "docs" / "what-is-read.md"
BEGIN, END = "<!-- types -->", "<!-- end of types -->"

TYPES = {
    "null": pa.null(), "bool": pa.bool_(),
    **{f"int{bits}": getattr(pa, f"int{bits}")() for bits in (8, 16, 32, 64)}, **{f"uint{bits}": getattr(pa, f"uint{bits}")() for bits in (8, 16, 32, 64)},
    "float16": pa.float16(), "float32": pa.float32(), "float64": pa.float64(),
    "decimal32": pa.decimal32(9, 2), "decimal64": pa.decimal64(18, 2), "decimal128": pa.decimal128(38, 2), "decimal256": pa.decimal256(50, 2),
    "string": pa.string(), "large_string": pa.large_string(), "string_view": pa.string_view(),
    "binary": pa.binary(), "large_binary": pa.large_binary(), "binary_view": pa.binary_view(), "fixed_size_binary": pa.binary(16),
    "date32": pa.date32(), "date64": pa.date64(), "time32[s]": pa.time32("s"), "time32[ms]": pa.time32("ms"), "time64[us]": pa.time64("us"), "time64[ns]": pa.time64("ns"),
    **{f"timestamp[{unit}]": pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")},
    "timestamp[us, UTC]": pa.timestamp("us", "UTC"), "timestamp[ns, Europe/Berlin]": pa.timestamp("ns", "Europe/Berlin"), "timestamp[us, +02:00]": pa.timestamp("us", "+02:00"),
    "timestamp[us, Nowhere/City]": pa.timestamp("us", "Nowhere/City"),
    **{f"duration[{unit}]": pa.duration(unit) for unit in ("s", "ms", "us", "ns")}, "month_day_nano_interval": pa.month_day_nano_interval(),
    "list": pa.list_(pa.string()), "large_list": pa.large_list(pa.string()), "fixed_size_list": pa.list_(pa.int64(), 2), "list_view": pa.list_view(pa.string()),
    "list of lists": pa.list_(pa.list_(pa.int64())), "struct": pa.struct([("a", pa.int64())]), "map": pa.map_(pa.string(), pa.int64()),
    "dictionary of strings": pa.dictionary(pa.int32(), pa.string()), "dictionary of integers": pa.dictionary(pa.int8(), pa.int64()),
    "run_end_encoded": pa.run_end_encoded(pa.int32(), pa.string()), "uuid": pa.uuid(), "json": pa.json_(), "bool8": pa.bool8(), "opaque": pa.opaque(pa.binary(), "geo", "gis"),
    "dense_union": pa.dense_union([pa.field("a", pa.int64()), pa.field("b", pa.string())]), "sparse_union": pa.sparse_union([pa.field("a", pa.int64()), pa.field("b", pa.string())]),
}
ROLES = {
    "id": ("leads", "lead_id"), "created_at": ("leads", "created_at"), "attribute (number)": ("leads", "employees"), "attribute (words)": ("leads", "industry"), "excluded": ("leads", "odd"),
    "key of events": ("touches", "lead_id"), "at": ("touches", "at"), "kind": ("touches", "kind"), "values": ("touches", "minutes"),
    "key of outcomes": ("deals", "lead_id"), "closed_at": ("deals", "closed_at"), "result": ("deals", "stage"), "changed_at": ("changes", "changed_at"), "value": ("changes", "value"),
}


def something(kind, n):
    """Any values of a type."""
    if pa.types.is_union(kind):
        ids = pa.array([row % 2 for row in range(n)], pa.int8())
        children = [pa.array(range(n), pa.int64()), pa.array([f"v{row}" for row in range(n)])]
        if kind.mode == "sparse":
            return pa.UnionArray.from_sparse(ids, children)
        return pa.UnionArray.from_dense(ids, pa.array([row // 2 for row in range(n)], pa.int32()), [child.slice(0, n // 2 + 1) for child in children])
    if pa.types.is_run_end_encoded(kind):
        return pa.RunEndEncodedArray.from_arrays(pa.array([n], pa.int32()), pa.array(["a"]))
    if kind.id == pa.month_day_nano_interval().id:
        return pa.array([pa.MonthDayNano([1, row % 28, 0]) for row in range(n)], kind)
    if isinstance(kind, pa.BaseExtensionType):
        storage = {"extension<arrow.uuid>": [bytes([row % 256]) * 16 for row in range(n)], "extension<arrow.json>": ['{"a":1}'] * n}.get(str(kind))
        if storage is None:
            storage = [1] * n if "bool8" in str(kind) else [b"x"] * n
        return pa.ExtensionArray.from_storage(kind, pa.array(storage, kind.storage_type))
    values = {
        "list": [["a", "b"]] * n, "large_list": [["a"]] * n, "list_view": [["a"]] * n, "fixed_size_list": [[1, 2]] * n, "struct": [{"a": 1}] * n, "map": [[("a", 1)]] * n,
    }
    for name, cells in values.items():
        if TYPES[name] == kind:
            return pa.array(cells, kind)
    if TYPES["list of lists"] == kind:
        return pa.array([[[1]]] * n, kind)
    if pa.types.is_fixed_size_binary(kind):
        return pa.array([bytes([row % 250]) * 16 for row in range(n)], kind)
    whole = pa.array([row % 100 for row in range(n)], pa.int64())
    if pa.types.is_null(kind):
        return pa.nulls(n)
    if pa.types.is_boolean(kind):
        return pa.array([row % 2 == 0 for row in range(n)])
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or kind == pa.binary_view():
        return pa.array([f"v{row % 100}".encode() for row in range(n)], pa.binary()).cast(kind)
    if pa.types.is_temporal(kind) and not pa.types.is_timestamp(kind):
        return whole.cast(pa.int32() if kind.bit_width == 32 else pa.int64()).cast(kind) if not pa.types.is_date64(kind) else whole.cast(pa.int32()).cast(pa.date32()).cast(kind)
    if pa.types.is_timestamp(kind):
        return pa.array([datetime(2023, 1, 1)] * n, pa.timestamp("us")).cast(pa.timestamp(kind.unit)).cast(kind)
    if pa.types.is_float16(kind):
        return whole.cast(pa.float64()).cast(kind)
    if pa.types.is_dictionary(kind):
        return whole.cast(kind.value_type).dictionary_encode().cast(kind)
    if pa.types.is_decimal(kind):
        return pa.array([row % 100 for row in range(n)], pa.int64()).cast(pa.decimal128(21, 2)).cast(kind)
    return whole.cast(kind)


def converted(cells, kind):
    """The cells as a type, or None where they are not the same cells any more."""
    plain = pa.array(cells)
    try:
        if pa.types.is_run_end_encoded(kind):
            import pyarrow.compute as pc
            return pc.run_end_encode(plain.cast(pa.string()), pa.int32())
        if kind == pa.binary(16) or isinstance(kind, pa.BaseExtensionType):
            return None
        if pa.types.is_decimal(kind):
            there = plain.cast(pa.float64() if pa.types.is_floating(plain.type) else pa.int64()).cast(kind)
        elif pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or kind == pa.binary_view():
            there = plain.cast(pa.string()).cast(pa.binary()).cast(kind)
        elif pa.types.is_dictionary(kind):
            there = plain.cast(kind.value_type).dictionary_encode().cast(kind)
        elif pa.types.is_timestamp(plain.type) and pa.types.is_integer(kind):
            # Seconds since 1970.
            there = plain.cast(pa.timestamp("s")).cast(pa.int64()).cast(kind)
        elif pa.types.is_timestamp(plain.type) and (pa.types.is_string(kind) or pa.types.is_large_string(kind) or kind == pa.string_view()):
            there = pa.array([None if cell is None else base.text(cell) for cell in cells]).cast(kind)
        elif pa.types.is_timestamp(plain.type) and pa.types.is_timestamp(kind) and kind.tz:
            there = plain.cast(pa.timestamp(kind.unit)).cast(pa.timestamp(kind.unit, "UTC")).cast(kind)
        else:
            there = plain.cast(kind)
        if pa.types.is_timestamp(plain.type) or pa.types.is_dictionary(kind) or kind in (pa.binary(), pa.large_binary(), pa.binary_view()):
            return there
        return there if there.cast(plain.type).to_pylist() == plain.to_pylist() else None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowTypeError, pa.ArrowKeyError):
        return None


def writers():
    def parquet(path, table):
        pq.write_table(table, path)

    def arrow(path, table):
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as out:
            out.write_table(table)

    return {"parquet": parquet, "arrow": arrow}


def columns_of(table, rows):
    columns = {column: pa.array([row[at] for row in rows]) for at, column in enumerate(base.COLUMNS[table])}
    return columns


class Trials:
    def __init__(self, folder, n_leads=150):
        self.folder = pathlib.Path(folder)
        self.crm = base.build(n_leads)
        self.clean = {}

    def matrix_of(self, crm):
        base.save(crm, self.folder)
        return base.matrix(self.folder)[0]

    def expected(self, kind, table, column):
        """The matrix where the column holds what the type can hold: of times only the day."""
        is_day = pa.types.is_date(kind) and (table, column) in base.TIMES
        key = (table, column) if is_day else None
        if key not in self.clean:
            day = lambda at: at.strftime("%Y-%m-%d")
            self.clean[key] = self.matrix_of(self.crm.map(table, column, day) if is_day else self.crm)
        return self.clean[key]

    def run(self, name, role, ending):
        """`read`, `refused`, or what went wrong; None where the format cannot hold the type."""
        kind = TYPES[name]
        table, column = ROLES[role]
        rows = self.crm.tables[table]
        columns = columns_of(table, rows)
        is_same = False
        if role == "excluded":
            array = something(kind, len(rows))
        else:
            array = converted([row[self.crm.column(table, column)] for row in rows], kind)
            is_same = array is not None
            array = array if is_same else something(kind, len(rows))
        columns[column] = array
        packed = pa.table(columns)
        file = f"{table}.{ending}"
        try:
            writers()[ending](self.folder / file, packed)
        except (pa.ArrowNotImplementedError, pa.ArrowInvalid):
            return None
        expected = self.expected(kind, table, column)
        config = self.crm.config
        if role == "excluded":
            config = config.replace('path = "{leads}"\n', 'path = "{leads}"\nexclude = ["odd"]\n')
        base.save(base.Crm(self.crm.tables, config), self.folder, {table: file}, {table: lambda *_: None})
        try:
            found, said = base.matrix(self.folder)
        except AssertionError as error:
            return f"wrong: {error}"
        if found is None:
            # Beside some types the engine reads no column of an Arrow file.
            may_be = role != "excluded" or ending == "arrow" and "beside which no column can be read" in said
            return "refused" if f"`{column}`" in said and may_be else f"wrong: {said}"
        # Times are no attributes, and `check` says so.
        is_idle = role.startswith("attribute") and pa.types.is_temporal(kind)
        if is_same or role == "excluded":
            return "read" if found == expected or role == "attribute (words)" or is_idle else "wrong: another matrix"
        # Other values: an attribute may be anything, and so may what is counted.
        return "read" if role in ("attribute (number)", "attribute (words)", "kind", "values", "value") else "wrong: read what it cannot know"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = try_all(folder)
    wrong = [f"{key}: {verdict}" for key, verdict in found.items() if verdict and verdict.startswith("wrong")]
    text = table_of(found)
    print(text)
    print(collections.Counter((verdict or "not written").split(":")[0] for verdict in found.values()))
    print("\n".join(wrong))
    if asked.write:
        page = DOCS.read_text()
        before, rest = page.split(BEGIN)
        DOCS.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")
    return 1 if wrong else 0


def try_all(folder, types=None):
    trials = Trials(folder)
    return {(name, role, ending): trials.run(name, role, ending) for name in types or TYPES for role in ROLES for ending in writers()}


def table_of(found):
    """A line for each type, a cell for each role: read, or not (the formats agree, or one cannot hold the type)."""
    lines = [f"| | {' | '.join(ROLES)} |", f"| --- |{' --- |' * len(ROLES)}"]
    for name in TYPES:
        cells = []
        for role in ROLES:
            verdicts = {found.get((name, role, ending)) for ending in writers()} - {None}
            short = sorted({"read": "read", "refused": "no"}.get(verdict, "wrong") for verdict in verdicts)
            cells.append(" / ".join(short) or "–")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
