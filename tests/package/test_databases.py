"""Tables from queries and scores into a table, against a PostgreSQL server of the test's own: to the bit, all or nothing."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import adbc_driver_postgresql
import adbc_driver_postgresql.dbapi as adbc
import polars as pl
import pyarrow as pa

import leadscore

LEADSCORE = os.environ["LEADSCORE"]
sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "sql"))
import postgres  # noqa: E402

DRIVER = adbc_driver_postgresql._driver_path()
N_LEADS = 3_000


@unittest.skipUnless(postgres.programs() or "CI" in os.environ, "skipped: there is no PostgreSQL server")
class Databases(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.addClassCleanup(cls.temporary.cleanup)
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.server = cls.enterClassContext(postgres.Server())
        cls.uri = f"postgresql://postgres@/postgres?host={cls.server.folder}"
        leadscore.simulate(N_LEADS, seed=3, folder=cls.folder / "files")
        config = (cls.folder / "files" / "leadscore.toml").read_text()
        with adbc.connect(cls.uri, autocommit=True) as connection, connection.cursor() as cursor:
            for name in ("leads", "accounts", "touches", "web_sessions", "sales_activities", "deals", "stages"):
                cursor.adbc_ingest(name, pl.read_parquet(cls.folder / "files" / f"{name}.parquet").to_arrow(compat_level=pl.CompatLevel.oldest()), mode="create")
        cls.config = re.sub(r'path = "(\w+)\.parquet"', r'query = "select * from \1 order by random()"', config)
        cls.config += f'\n[database]\nuri = "env:CRM_URI"\ndriver = "{DRIVER}"\n'
        cls.write("leadscore.toml", cls.config)
        cls.run_command("train", "-c", "files/leadscore.toml", "-o", "model")
        cls.run_command("score", "model", "-c", "files/leadscore.toml", "-o", "scores.parquet")

    @classmethod
    def write(cls, name, text):
        (cls.folder / name).write_text(text)

    @classmethod
    def start(cls, *args, uri=None):
        environment = {**os.environ, "CRM_URI": uri or cls.uri}
        return subprocess.Popen([LEADSCORE, *args], cwd=cls.folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    @classmethod
    def run_command(cls, *args, fails=False, **given):
        process = cls.start(*args, **given)
        out, said = process.communicate(timeout=300)
        assert (process.returncode != 0) == fails, said
        return out + said

    def rows(self, statement):
        return [line.split(",") for line in self.server.sql(statement).split("\n") if line]

    def scores(self, table):
        with adbc.connect(self.uri) as connection, connection.cursor() as cursor:
            cursor.execute(f"select lead_id, as_of, likelihood_to_close, log_odds, contact_priority, reason_1 from {table} order by lead_id, as_of")
            return pl.from_arrow(cursor.fetch_arrow_table())

    def test_queries_give_what_files_give_to_the_bit(self):
        self.run_command("train", "-o", "from-queries")
        self.assertEqual((self.folder / "from-queries").read_bytes(), (self.folder / "model").read_bytes())
        self.run_command("score", "from-queries", "-o", "from-queries.parquet")
        self.assertEqual((self.folder / "from-queries.parquet").read_bytes(), (self.folder / "scores.parquet").read_bytes())

    def test_python_reads_queries_too(self):
        os.environ["CRM_URI"] = self.uri
        self.addCleanup(os.environ.pop, "CRM_URI")
        model = leadscore.train(config=self.folder / "leadscore.toml")
        self.assertEqual(model, leadscore.Model.load(self.folder / "model"))

    def test_scores_are_written_and_replaced(self):
        for _ in range(2):
            self.run_command("score", "model", "--table", "lead_scores")
        expected = pl.read_parquet(self.folder / "scores.parquet").sort("lead_id")
        found = self.scores("lead_scores")
        self.assertTrue(found.equals(expected.select(found.columns)), found)
        self.run_command("score", "model", "--table", "lead_scores", "--as-of", "2025-06-01")
        moments = dict(self.rows("select as_of::date, count(*) from lead_scores group by 1"))
        self.assertEqual(set(moments), {"2025-06-01", "2026-01-01"})
        self.assertEqual(int(moments["2026-01-01"]), expected.height)
        self.server.sql("create schema marts;")
        self.run_command("score", "model", "--table", "marts.scores")
        self.assertEqual(self.rows("select count(*) from marts.scores"), [[str(expected.height)]])

    def test_a_table_that_does_not_fit_stays_as_it_is(self):
        self.server.sql("create table narrow (lead_id text, as_of timestamp); insert into narrow values ('L1', '2026-01-01');")
        said = self.run_command("score", "model", "--table", "narrow", fails=True)
        self.assertIn('cannot write into narrow', said)
        self.assertIn('"likelihood_to_close"', said)
        self.assertEqual(self.rows("select lead_id from narrow"), [["L1"]])

    def kill(self, where):
        """Ends our connections whose statement looks like this, as soon as there is one."""
        for _ in range(400):
            killed = self.rows(f"select pg_terminate_backend(pid) from pg_stat_activity where query ~ '{where}' and pid <> pg_backend_pid() and query !~ 'pg_stat_activity'")
            if killed:
                return
            time.sleep(0.05)
        self.fail("there was nothing to kill")

    def test_a_connection_killed_while_reading(self):
        slow = self.config.replace("select * from touches order by random()", "select t.* from touches t, lateral (select pg_sleep(0.001), t.lead_id) s")
        self.write("slow.toml", slow)
        process = self.start("train", "-c", "slow.toml", "-o", "never")
        self.kill("pg_sleep")
        _, said = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 2)
        self.assertIn("cannot read the query of activities.touches from postgresql://…@/postgres?…", said)
        self.assertIn("terminating connection", said)
        self.assertFalse((self.folder / "never").exists())

    def test_a_connection_killed_while_writing_leaves_all_or_nothing(self):
        self.run_command("score", "model", "--table", "kept")
        before = self.scores("kept")
        self.server.sql("update kept set contact_priority = 'as before';")
        # Somebody reads the table, so that the writer waits in the middle of its transaction.
        with adbc.connect(self.uri) as holder, holder.cursor() as cursor:
            cursor.execute("lock table kept in access exclusive mode")
            process = self.start("score", "model", "--table", "kept")
            self.kill("DELETE FROM .kept.")
            _, said = process.communicate(timeout=60)
            holder.rollback()
        self.assertEqual(process.returncode, 2)
        self.assertIn("cannot write into kept", said)
        self.assertEqual(self.rows("select count(*), count(distinct contact_priority) from kept"), [[str(before.height), "1"]])
        self.run_command("score", "model", "--table", "kept")
        self.assertTrue(self.scores("kept").equals(before))

    def test_all_queries_see_one_moment(self):
        """A deal that is written while we read is in none of the tables, or in all."""
        self.server.sql("create table moments (at int); insert into moments values (1);")
        query = "select l.*, (select max(at) from moments) as moment{} from leads l"
        slow = query.format(", (select 1 from pg_sleep(1)) as waited")
        text = self.config.replace("select * from leads order by random()", slow)
        text = text.replace("select * from accounts order by random()", "select a.*, (select max(at) from moments) as moment from accounts a")
        self.write("moment.toml", text)
        process = self.start("features", "-c", "moment.toml", "-o", "moment.parquet")
        time.sleep(0.6)
        self.server.sql("insert into moments values (2);")
        _, said = process.communicate(timeout=120)
        self.assertEqual(process.returncode, 0, said)
        # Constant columns are no features: had a table seen the second moment, it would differ from the first.
        matrix = pl.read_parquet(self.folder / "moment.parquet")
        seen = {name: matrix[name].unique().to_list() for name in matrix.columns if name.endswith("moment")}
        self.assertEqual(set(map(tuple, seen.values())), {(1.0,)}, seen)

    def test_what_is_wrong_is_said_without_secrets(self):
        secret = "postgresql://ann:s3cret@127.0.0.1:1/crm"
        said = self.run_command("train", fails=True, uri=secret)
        self.assertIn("cannot connect to postgresql://…@127.0.0.1:1/crm", said)
        self.assertIn("refused", said)
        self.assertNotIn("s3cret", said)
        self.write("inline.toml", self.config.replace("env:CRM_URI", secret))
        said = self.run_command("train", "-c", "inline.toml", fails=True)
        self.assertIn("has a password", said)
        self.assertNotIn("s3cret", said)
        self.write("unset.toml", self.config.replace("env:CRM_URI", "env:NO_SUCH_URI"))
        self.assertIn("environment variable NO_SUCH_URI, which is not set", self.run_command("train", "-c", "unset.toml", fails=True))
        self.write("driver.toml", self.config.replace(DRIVER, "adbc_driver_nowhere"))
        self.assertIn("there is no ADBC driver `adbc_driver_nowhere`", self.run_command("train", "-c", "driver.toml", fails=True))
        self.write("table.toml", self.config.replace("from deals", "from dealz"))
        said = self.run_command("train", "-c", "table.toml", fails=True)
        self.assertIn("cannot read the query of outcomes", said)
        self.assertIn('relation "dealz" does not exist', said)
        self.write("column.toml", self.config.replace('id = "lead_id"', 'id = "leadid"', 1))
        self.assertIn("`leads` has no column `leadid`; its columns: lead_id,", self.run_command("train", "-c", "column.toml", fails=True))
        self.write("both.toml", self.config.replace('[leads]\n', '[leads]\npath = "leads.csv"\n'))
        self.assertIn("[leads] has both `path` and `query`", self.run_command("train", "-c", "both.toml", fails=True))
        self.write("nowhere.toml", self.config.split("[database]")[0])
        self.assertIn("has a `query` and no `uri`", self.run_command("train", "-c", "nowhere.toml", fails=True))
        self.assertIn("there is no [database]", self.run_command("score", "model", "-c", "files/leadscore.toml", "--table", "t", fails=True))

    def test_no_form_of_a_password_is_seen(self):
        """What the driver and the server say of it, and what is written where they take it."""
        halves = ["Zq7xKv", "Wj4mTp"]
        marks = ["", "/", "?", "@", "@@", "#", ":", "%20", "&", ";", "=", "\\", "'", '"', "[", "%2F", "%zz", "%", "://", "ä→", ",", "+", "!", "/?@"]
        forms = [f"postgresql://ann:{mark.join(halves)}@127.0.0.1:1/crm" for mark in marks]
        forms += [f"postgresql://{mark.join(halves)}@{self.server.folder}/crm" for mark in marks]
        names = ("password", "sslpassword", "%70assword", "options", "service", "sslmode", "port", "x")
        forms += [f"postgresql://127.0.0.1:1/crm?{name}={mark.join(halves)}" for name in names for mark in marks]
        forms += [f"host=127.0.0.1 port=1 user=ann password={halves[0]}", f"host=127.0.0.1 port={halves[0]}", f"postgresql://127.0.0.1:{halves[0]}/crm"]
        for uri in forms:
            for said in (self.run_command("check", fails=True, uri=uri), self.python_error(uri)):
                for half in halves:
                    self.assertNotIn(half.lower(), said.lower(), uri)
        taken = self.uri.replace("postgres@", f"postgres:{halves[0]}%2F{halves[1]}@", 1) + f"&sslpassword={halves[1]}"
        said = self.run_command("train", "-o", "kept", "--report", "kept.html", "--json", "kept.json", uri=taken)
        said += self.run_command("check", "--json", uri=taken) + self.run_command("inspect", "kept", "--json") + self.run_command("inspect", "kept", "--shapes")
        said += self.run_command("score", "kept", "-o", "kept.csv", uri=taken) + self.run_command("score", "kept", "--table", "kept_scores", uri=taken)
        said += self.run_command("score", "kept", "--table", "no.such", fails=True, uri=taken)
        written = [path for path in self.folder.glob("kept*")]
        self.assertGreaterEqual(len(written), 4)
        for text in [said, *(path.read_bytes().decode("latin-1") for path in written)]:
            for half in halves:
                self.assertNotIn(half.lower(), text.lower())

    def python_error(self, uri):
        os.environ["CRM_URI"] = uri
        try:
            leadscore.check(config=self.folder / "leadscore.toml")
        except Exception as error:
            return f"{error} {error!r} {error.args} {error.__cause__}"
        finally:
            del os.environ["CRM_URI"]
        self.fail(f"{uri} is taken")


if __name__ == "__main__":
    unittest.main()
