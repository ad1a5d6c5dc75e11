"""Feature values against SQL in DuckDB, on a simulated CRM whose events are partly recorded late."""
import os
import pathlib
import subprocess
import tempfile
import unittest

try:
    import duckdb
except ImportError:
    duckdb = None

CONFIG = """
[features]
families = ["age", "weekdays", "counts", "values", "max", "active_days", "recent_days", "recency", "first", "decay", "trend", "share", "gaps", "reply", "sequence", "latest", "history"]
windows = ["7d", "30d"]
half_lives = ["7d"]
"""

# One row for each event that a snapshot may see: it happened before, and was recorded before.
VISIBLE = """
create or replace view v as
select s.lead_id, s.snapshot, l.created_at, e.* exclude (lead_id, "at"), e.at as moment, epoch_us(s.snapshot - e.at) / 86400e6 as ago
from s join leads l using (lead_id) join {table} e on e.lead_id = s.lead_id and e.at < s.snapshot and e.recorded_at < s.snapshot
"""

DAYS = "epoch_us({}) / 86400e6"


def windowed(condition, window):
    return condition if window == "ever" else f"({condition}) and moment >= snapshot - interval {window[:-1]} day"


def statements(kind, windows):
    """Name ending and SQL aggregate over the visible events `v`, and its value where there are none."""
    is_kind = "true" if kind is None else f"kind = '{kind}'"
    yield "recency", f"min(ago) filter ({is_kind})", None
    yield "first", f"max(ago) filter ({is_kind})", None
    yield "decay.7d", f"sum(pow(0.5, ago / 7)) filter ({is_kind})", 0
    yield "reply", f"min({DAYS.format('moment - created_at')}) filter ({is_kind} and moment >= created_at)", None
    for window in windows:
        inside = windowed(is_kind, window)
        yield f"count.{window}", f"count(*) filter ({inside})", 0
        yield f"days.{window}", f"count(distinct moment::date) filter ({inside})", 0
        if window != "ever":
            double = windowed(is_kind, f"{2 * int(window[:-1])}d")
            yield f"trend.{window}", f"2 * count(*) filter ({inside}) - count(*) filter ({double})", 0
    if kind is not None:
        yield "share.ever", f"count(*) filter ({is_kind}) / count(*)", None


@unittest.skipIf(duckdb is None or "LEADSCORE" not in os.environ, "needs duckdb, and LEADSCORE with the path of the program")
class FeatureParity(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.crm = pathlib.Path(cls.folder.name) / "crm"
        program = os.environ["LEADSCORE"]
        subprocess.run([program, "simulate", "--leads", "2000", "--out", cls.crm], check=True, capture_output=True)
        config = cls.crm / "leadscore.toml"
        config.write_text(config.read_text() + CONFIG)
        subprocess.run([program, "features", "-c", config, "-o", cls.crm / "features.parquet"], check=True, capture_output=True)
        cls.db = duckdb.connect()
        for name in ["leads", "touches", "web_sessions", "sales_activities", "features"]:
            cls.db.execute(f"create view {name} as from '{cls.crm}/{name}.parquet'")
        cls.db.execute("create view s as select lead_id, snapshot from features")

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def check(self, feature, aggregate, empty):
        """The feature equals the aggregate at every snapshot; sums and powers within 1e-9, everything else exactly."""
        value = "a.value" if empty is None else f"coalesce(a.value, {empty})"
        is_inexact = "decay" in feature or "sum_" in feature or "mean" in feature
        near = f"and not coalesce(abs(f.value - {value}) <= 1e-9 * greatest(1, abs(f.value)), false)" if is_inexact else ""
        n, wrong = self.db.execute(f"""
            with f as (select lead_id, snapshot, "{feature}" as value from features),
                 a as (select lead_id, snapshot, {aggregate} as value from v group by lead_id, snapshot)
            select count(*), count(*) filter (f.value is distinct from {value} {near})
            from f left join a using (lead_id, snapshot)""").fetchone()
        self.assertGreater(n, 1000)
        self.assertEqual(wrong, 0, feature)

    def test_kinds(self):
        for table, source, column, kinds in [("touches", "touches", "touch_type", ["email_open", "webinar"]), ("sales", "sales_activities", "activity_type", ["call", "demo"])]:
            self.db.execute(VISIBLE.format(table=f"(select *, {column} as kind from {source})"))
            for kind in [None, *kinds]:
                for ending, aggregate, empty in statements(kind, ["7d", "30d", "ever"]):
                    self.check(f"{table}.{kind}.{ending}" if kind else f"{table}.{ending}", aggregate, empty)
            self.check(f"{table}.latest_{column}", "arg_max(kind, (moment, recorded_at, kind))", None)
        self.check("sales.demo.after.call", "coalesce((max(moment) filter (kind = 'demo') > min(moment) filter (kind = 'call'))::int, 0)", 0)

    def test_values(self):
        self.db.execute(VISIBLE.format(table="web_sessions"))
        for window in ["7d", "30d", "ever"]:
            inside = windowed("true", window)
            for column in ["page_views", "minutes"]:
                self.check(f"web.sum_{column}.{window}", f"sum({column}) filter ({inside})", 0)
                self.check(f"web.mean_{column}.{window}", f"avg({column}) filter ({inside})", None)
                self.check(f"web.max_{column}.{window}", f"max({column}) filter ({inside})", None)
        self.check("web.gap_mean", f"case when count(*) > 1 then {DAYS.format('max(moment) - min(moment)')} / (count(*) - 1) end", None)

    def test_gaps(self):
        self.db.execute(VISIBLE.format(table="touches"))
        self.db.execute(f"""create or replace view v as select *, {DAYS.format('moment - lag(moment) over (partition by lead_id, snapshot order by moment)')} as gap from
            (select s.lead_id, s.snapshot, e.at as moment from s join touches e on e.lead_id = s.lead_id and e.at < s.snapshot and e.recorded_at < s.snapshot)""")
        self.check("touches.gap_max", "max(gap)", None)

    def test_age(self):
        wrong = self.db.execute(f"select count(*) from features join leads using (lead_id) where age <> {DAYS.format('snapshot - created_at')}").fetchone()[0]
        self.assertEqual(wrong, 0)


if __name__ == "__main__":
    unittest.main()
