"""Makes the small files that `tests/e2e/doors.rs` changes at random: every type and codec that a table may come with.

    python tests/corpus/make.py        (needs pyarrow)
"""

import datetime
import decimal
import gzip
import pathlib
import uuid

import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pyarrow.parquet as pq

HERE = pathlib.Path(__file__).parent
N = 12
DAY = datetime.datetime(2024, 1, 1)


def leads(rich: bool) -> pa.Table:
    columns = {
        "id": [f"L{number:02d}" for number in range(N)],
        "created": [DAY + datetime.timedelta(days=3 * number, hours=number) for number in range(N)],
        "role": [None if number == 3 else ["Director", "staff", "Ärztin"][number % 3] for number in range(N)],
        "seats": [None if number == 5 else 1.5 * number for number in range(N)],
    }
    if not rich:
        return pa.table(columns)
    return pa.table(
        columns
        | {
            "when": pa.array([DAY.date()] * N, pa.date32()),
            "zoned": pa.array([DAY] * N, pa.timestamp("ms", "Europe/Berlin")),
            "money": pa.array([decimal.Decimal(f"{number}.50") for number in range(N)], pa.decimal128(12, 2)),
            "level": pa.array(["a", "b", None] * (N // 3)).dictionary_encode(),
            "tags": pa.array([["x"], [], None] * (N // 3), pa.list_(pa.string())),
            "flag": pa.array([True, False, None] * (N // 3)),
            "raw": pa.array([uuid.UUID(int=number).bytes for number in range(N)], pa.binary(16)),
            "large": pa.array(["x" * number for number in range(N)], pa.large_string()),
            "nested": pa.array([{"a": number} for number in range(N)], pa.struct([("a", pa.int32())])),
        }
    )


def main() -> None:
    plain, rich = leads(False), leads(True)
    pa.csv.write_csv(plain, HERE / "plain.csv")
    (HERE / "odd.csv").write_bytes(
        'sep=;\r\nid;created;role;seats\r\n"L00";01.02.2024 10:00;"a ""b""; c";1.234,5\r\n"L01";02.02.2024 11:00;=1+1;\r\n;;;\r\n'.encode("utf-16")
    )
    (HERE / "plain.csv.gz").write_bytes(gzip.compress((HERE / "plain.csv").read_bytes(), mtime=0))
    lines = [
        '{"id":"L%02d","created":"2024-01-%02dT10:00:00Z","role":%s,"seats":%s,"more":{"a":[1,"\\u00e9"]}}'
        % (number, number + 1, '"staff"' if number % 2 else "null", number)
        for number in range(N)
    ]
    (HERE / "plain.ndjson").write_text("\n".join(lines) + "\n", encoding="utf-8")
    nested = [
        '{"id":"L%02d","created":"2024-01-%02dT10:00:00Z","p":{"seats":%s,"log":[%s]},"tags":["a","b"]}'
        % (number, number + 1, number, ", ".join(['{"at":"2024-02-%02d","kind":{"name":"x"}}' % (day + 1) for day in range(number % 3)] + ["null"]))
        for number in range(N)
    ]
    (HERE / "nested.ndjson").write_text("\n".join(nested) + "\n", encoding="utf-8")
    for codec in ["none", "snappy", "zstd"]:
        pq.write_table(rich if codec == "none" else plain, HERE / f"{codec}.parquet", compression=codec, row_group_size=5)
    pq.write_table(rich, HERE / "pages.parquet", compression="gzip", data_page_version="2.0", use_dictionary=False, write_page_index=True)
    for codec in ["uncompressed", "lz4", "zstd"]:
        pa.feather.write_feather(rich.drop(["nested"]) if codec == "uncompressed" else plain, HERE / f"{codec}.arrow", compression=codec)


if __name__ == "__main__":
    main()
