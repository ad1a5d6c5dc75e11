"""Features, training and scores on an engine elsewhere are those of the command, to the bit; and what a user sees where it fails."""
import collections
import json
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import duckdb
from servers import Program, Proxy, TlsFront, free_port

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "sql"))
import linked_crm  # noqa: E402
import odd_crm  # noqa: E402

LEADSCORE = os.environ["LEADSCORE"]
ASK = pathlib.Path(LEADSCORE).parent / "examples" / "ask"


def bits(value):
    return value if isinstance(value, str) or value is None else struct.pack("<d", float(value) + 0.0)


class Engine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        # An engine that runs already, such as Spark, or Sail for this test.
        cls.server = None
        cls.address = os.environ.get("LEADSCORE_ENGINE")
        if not cls.address:
            cls.server = Program("sail", "spark", "server", "--ip", "127.0.0.1", "--port", "PORT", log=cls.folder / "sail.log")
            cls.address = f"sc://127.0.0.1:{cls.server.port}"
        cls.tables = odd_crm.rows()
        with duckdb.connect() as database:
            odd_crm.write(database, cls.tables, cls.folder)
            linked_crm.write(database, linked_crm.rows(), cls.folder / "linked")
        cls.run_line("simulate", "--leads", "9000", "--world", "interactions", "--out", "crm")
        crm = cls.folder / "crm" / "leadscore.toml"
        crm.write_text(crm.read_text() + '\n[features]\nfamilies = ["attributes", "created", "age", "weekdays", "counts", "values", "active_days", "recent_days", "share", "latest"]\n')
        cls.run_line("train", "-c", "crm/leadscore.toml", "--as-of", "2025-04-01", "-o", "model")

    @classmethod
    def tearDownClass(cls):
        if cls.server:
            cls.server.stop()
        cls.temporary.cleanup()

    @classmethod
    def run_line(cls, *args, status=0, **environment):
        done = subprocess.run([LEADSCORE, *args], cwd=cls.folder, capture_output=True, text=True, env={**os.environ, **environment}, timeout=600)
        assert done.returncode == status, f"{done.returncode}: {done.stderr}"
        return done.stderr

    def elsewhere(self, *args, **more):
        return self.run_line(*args, "--engine", "spark", "--connect", self.address, **more)

    def rows(self, place, keys):
        with duckdb.connect() as database:
            result = database.execute(f"select * from '{self.folder}/{place}'")
            names = [column[0] for column in result.description]
            return {tuple(str(cell)[:19] for cell in row[:keys]): dict(zip(names[keys:], row[keys:])) for row in result.fetchall()}

    def check_features(self, *args, least):
        self.run_line("features", *args, "-o", "matrix.parquet")
        said = self.elsewhere("features", *args, "-o", "elsewhere.parquet")
        expected, found = self.rows("matrix.parquet", 2), self.rows("elsewhere.parquet/*.parquet", 2)
        self.assertIn(f"({len(expected):,} rows, ", said)
        self.assertEqual(found.keys(), expected.keys())
        self.assertGreater(len(next(iter(expected.values()))), least)
        for key, row in expected.items():
            self.assertEqual((found[key]["mature"], found[key]["label"]), (row["mature"], row["label"]))
            for name, value in row.items():
                if name in ("label", "mature"):
                    continue
                if ".decay." in name:
                    self.assertAlmostEqual(found[key][name], value, delta=1e-12 * max(1.0, value))
                else:
                    self.assertEqual(bits(found[key][name]), bits(value), f"{key} {name}: {found[key][name]} and not {value}")

    def test_every_family_is_equal_to_the_bit(self):
        self.check_features(least=300)

    def test_links_merges_and_logs_are_equal_to_the_bit(self):
        for kind in linked_crm.KINDS:
            with self.subTest(kind):
                self.check_features("-c", f"linked/{kind}.toml", least=80)
        for kind in ("links_since", "merges_since", "all"):
            with self.subTest(kind, as_of="2022-07-01"):
                self.check_features("-c", f"linked/{kind}.toml", "--as-of", "2022-07-01", least=60)

    def test_times_that_are_never_missing(self):
        """Sail knows from a file that a column has no missing value, and concludes more than it should of a CASE."""
        linked = self.folder / "linked"
        duckdb.execute(f"copy (select * from '{linked}/deals.parquet' where closed is not null) to '{linked}/dated.parquet'")
        (linked / "dated.toml").write_text((linked / "merges_since.toml").read_text().replace("deals.parquet", "dated.parquet"))
        self.check_features("-c", "linked/dated.toml", least=80)

    def check_scores(self, model, config, as_of, least=1000):
        self.run_line("score", model, "-c", config, "--as-of", as_of, "-o", "scores.parquet")
        self.elsewhere("score", model, "-c", config, "--as-of", as_of, "-o", "elsewhere_scores.parquet")
        expected, found = self.rows("scores.parquet", 1), self.rows("elsewhere_scores.parquet/*.parquet", 1)
        self.assertGreater(len(expected), least)
        self.assertEqual(found.keys(), expected.keys())
        for lead, row in expected.items():
            # What is unlike training is told by the embedded engine alone.
            row.pop("guard")
            self.assertEqual(list(found[lead]), list(row))
            for name, value in row.items():
                if name == "as_of":
                    self.assertEqual(str(found[lead][name])[:19], str(value)[:19])
                elif isinstance(value, float):
                    self.assertAlmostEqual(found[lead][name], value, delta=1e-12 * max(1.0, abs(value)), msg=name)
                else:
                    self.assertEqual(found[lead][name], value, name)
        return collections.Counter(row["contact_priority"] for row in expected.values())

    def test_scores(self):
        for as_of in ("2025-04-01", "2025-07-01"):
            self.check_scores("model", "crm/leadscore.toml", as_of)

    def test_scores_of_links_merges_and_logs(self):
        for kind in linked_crm.SCORED:
            with self.subTest(kind):
                config = f"linked/few_{kind}.toml"
                self.run_line("train", "-c", config, "--allow-too-few", "-o", "linked_model")
                self.check_scores("linked_model", config, "2022-07-01", least=100)
                said = self.elsewhere("train", "-c", config, "--allow-too-few", "--encoded", "linked.parquet", "--sample", "150", "-o", "linked_there")
                self.assertIn("wrote linked_there", said)
                scores = self.rows("scores.parquet", 1).values()
                self.assertGreater(len({row["log_odds"] for row in scores}), 50)

    def test_links_merges_and_logs_that_contradict_themselves(self):
        tables = linked_crm.rows()
        log, chain = tables["deals"], [["L48", "L49", None]]
        for kind, table, rows, expected in (
            ("log", "deals", [*log, *(["D0", "L7", log[0][2], stage, None] for stage in ("won", "lost"))], "two rows of `L7` have different results at one moment, and rows of a database have no order"),
            ("merges", "merged", tables["merged"] + chain, "[merges] has a circle, or a chain of more than 8 merges, from this id on: L40"),
            ("links_since", "attendees", [[person, call, joined] for call, person, joined in tables["attendees"]], "hint: [links.attendees] has it as `lead`: swap its `from` and `lead`"),
        ):
            with self.subTest(kind):
                with duckdb.connect() as database:
                    linked_crm.write(database, {**tables, table: rows}, self.folder / "contradicting")
                self.assertIn(expected, self.elsewhere("features", "-c", f"contradicting/{kind}.toml", "-o", "no.parquet", status=2))

    def test_tiers_by_the_edges_of_the_model(self):
        config = self.folder / "crm" / "leadscore.toml"
        frozen = config.with_name("frozen.toml")
        frozen.write_text(config.read_text() + '\n[tiers]\nedges = "frozen"\n')
        relative, by_edges = (self.check_scores("model", f"crm/{file.name}", "2025-07-01") for file in (config, frozen))
        self.assertNotEqual(relative, by_edges)

    def test_leads_that_are_held_back(self):
        config = self.folder / "crm" / "leadscore.toml"
        held = config.with_name("held.toml")
        for name, account in (("lead", ""), ("account", 'account = "account_id"\n')):
            with self.subTest(name):
                held.write_text(config.read_text().replace("[leads]\n", "[leads]\n" + account) + "\n[operation]\nholdback = 0.2\n")
                self.check_scores("model", "crm/held.toml", "2025-07-01")
                scores = self.rows("elsewhere_scores.parquet/*.parquet", 1).values()
                share = sum(row["held_back"] for row in scores) / len(scores)
                self.assertTrue(0.1 < share < 0.3, share)

    def test_scores_that_an_engine_writes_are_a_history(self):
        for moment in ("2025-07-01", "2025-07-08"):
            part = self.folder / "crm" / "scores" / f"as_of={moment}" / "part-0.parquet"
            part.parent.mkdir(parents=True)
            self.elsewhere("score", "model", "-c", "crm/leadscore.toml", "--as-of", moment, "-o", str(part))
        with duckdb.connect() as database:
            expected = database.execute(f"select likelihood_to_close, lead_id from '{part}/*.parquet' where log_odds is not null order by log_odds desc limit 1").fetchone()
        done = subprocess.run([LEADSCORE, "history", expected[1], "-c", "crm/leadscore.toml", "--json"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        path = json.loads(done.stdout)
        self.assertAlmostEqual(path["points"][-1]["likelihood_to_close"], expected[0], delta=1e-9)
        done = subprocess.run([LEADSCORE, "history", "-c", "crm/leadscore.toml"], cwd=self.folder, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("2025-07-08", done.stdout)
        self.assertIn("--history writes here", self.elsewhere("score", "model", "-c", "crm/leadscore.toml", "--history", "-o", "no.parquet", status=2))

    def test_features_that_are_called_as_columns_of_a_statement(self):
        names = {"seats": "total", "role": "c", "source": "lead"}
        leads = self.folder / "crm" / "leads.parquet"
        with duckdb.connect() as database:
            columns = [row[0] for row in database.execute(f"describe select * from '{leads}'").fetchall()]
            renamed = ", ".join(f'"{column}" as "{names.get(column, column)}"' for column in columns)
            database.execute(f"copy (select {renamed} from '{leads}') to '{leads.with_name('odd_leads.parquet')}'")
        self.assertLess(names.keys(), set(columns))
        config = self.folder / "crm" / "leadscore.toml"
        text = config.read_text().replace("leads.parquet", "odd_leads.parquet")
        for column, name in names.items():
            text = text.replace(f'"{column}"', f'"{name}"')
        config.with_name("odd.toml").write_text(text)
        self.run_line("train", "-c", "crm/odd.toml", "--as-of", "2025-04-01", "-o", "odd_model")
        self.check_scores("odd_model", "crm/odd.toml", "2025-07-01")

    def test_training(self):
        said = self.elsewhere("train", "-c", "crm/leadscore.toml", "--as-of", "2025-04-01", "-o", "elsewhere_model")
        self.assertIn("wrote elsewhere_model", said)
        # No feature is a sum of powers, so the matrix is equal to the bit, and so is the model; only leads are numbered anew.
        models = []
        for name in ("model", "elsewhere_model"):
            self.run_line("export", "json", name, "-o", "model.json")
            models.append(json.loads((self.folder / "model.json").read_text()))
            models[-1]["card"].pop("data_fingerprint")
            models[-1]["card"].pop("model_id", None)
        self.assertGreater(len(models[0]["terms"]), 5)
        self.assertEqual(*models)

    def test_training_that_leaves_the_snapshots_there(self):
        train = ["train", "-c", "crm/leadscore.toml", "--as-of", "2025-04-01", "--encoded", "encoded.parquet"]
        cards, log_odds = {}, {}
        # All leads, by which everything is chosen as it is here; and most of them.
        for name, sample in (("model", None), ("there_by_all", "9000"), ("there_by_some", "7500")):
            if sample:
                said = self.elsewhere(*train, "--sample", sample, "-o", name)
                self.assertRegex(said, r"fit: native solver, \d+ pass(es)? over [\d,]+ snapshots where they are")
            self.run_line("export", "json", name, "-o", "model.json")
            cards[name] = json.loads((self.folder / "model.json").read_text())["card"]
            self.run_line("score", name, "-c", "crm/leadscore.toml", "--as-of", "2025-07-01", "-o", "scores.parquet")
            log_odds[name] = {lead: row["log_odds"] for lead, row in self.rows("scores.parquet", 1).items()}
        for key in ("n_snapshots", "n_leads", "n_wins", "snapshots_from", "snapshots_to"):
            self.assertEqual({card[key] for card in cards.values()}, {cards["model"][key]}, key)
        self.assertEqual(cards["there_by_all"]["limitations"], cards["model"]["limitations"])
        self.assertIn(f"the weights are of all {cards['model']['n_leads']:,} leads", " ".join(cards["there_by_some"]["limitations"]))
        self.assertLessEqual(max(card["certificate"]["gradient"] for card in cards.values()), 1e-9)

        def gaps(name):
            return [abs(value - log_odds[name][lead]) for lead, value in log_odds["model"].items() if value is not None]

        self.assertLess(max(gaps("there_by_all")), 1e-6)
        # Other bins and strengths, and the same data: near, and not the same.
        mean = sum(gaps("there_by_some")) / len(gaps("there_by_some"))
        self.assertTrue(1e-3 < mean < 0.25, mean)
        self.assertIn("give it a name that ends in .parquet", self.elsewhere(*train[:-1], "encoded", status=2))
        config = (self.folder / "crm" / "leadscore.toml").read_text()
        (self.folder / "crm" / "lasso.toml").write_text(config + '\n[model]\nkind = "linear"\nl1_ratio = 0.5\n')
        self.assertIn("[model] l1_ratio: it needs all snapshots here", self.elsewhere("train", "-c", "crm/lasso.toml", *train[3:], status=2))

    def test_queries_in_place_of_paths(self):
        config = (self.folder / "crm" / "leadscore.toml").read_text()
        config = config.replace('path = "leads.parquet"', f'query = "select * from parquet.`{self.folder}/crm/leads.parquet`"')
        (self.folder / "crm" / "query.toml").write_text(config)
        self.run_line("score", "model", "-c", "crm/leadscore.toml", "--as-of", "2025-07-01", "-o", "scores.parquet")
        self.elsewhere("score", "model", "-c", "crm/query.toml", "--as-of", "2025-07-01", "-o", "by_query.parquet")
        expected, found = self.rows("scores.parquet", 1), self.rows("by_query.parquet/*.parquet", 1)
        self.assertEqual({lead: row["contact_priority"] for lead, row in found.items()}, {lead: row["contact_priority"] for lead, row in expected.items()})

    def test_a_lost_connection_is_taken_up_again(self):
        proxy = Proxy(int(self.address.rsplit(":", 1)[1].split("/")[0]))
        self.addCleanup(proxy.stop)
        # Some seconds of work: the rows of a join that cannot be guessed.
        statement = "SELECT COUNT(*) AS n FROM RANGE(60000) a JOIN RANGE(60000) b ON (a.id * 31 + b.id) % 1000003 = 7"
        asked = subprocess.Popen([ASK, f"sc://127.0.0.1:{proxy.port}", statement], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        time.sleep(1.5)
        self.assertIsNone(asked.poll(), "the statement was over before the connection was cut")
        threading.Thread(target=proxy.cut, args=(3,), daemon=True).start()
        out, said = asked.communicate(timeout=300)
        self.assertEqual(asked.returncode, 0, said)
        self.assertIn("1 row, ", out)
        self.assertGreater(proxy.n_accepted, 1)

    def test_tls(self):
        front = TlsFront(int(self.address.rsplit(":", 1)[1].split("/")[0]), self.folder)
        score = ["score", "model", "-c", "crm/leadscore.toml", "--engine", "spark", "--connect", f"sc://localhost:{front.port}/;use_ssl=true", "-o"]
        said = self.run_line(*score, "by_tls.parquet", SSL_CERT_FILE=str(front.certificate), SPARK_CONNECT_AUTHENTICATE_TOKEN="hush")
        self.assertIn("by_tls.parquet (2,446 rows)", said)
        said = self.run_line(*score, "no.parquet", status=2)
        self.assertIn("does this machine trust its certificate (SSL_CERT_FILE names", said)

    def test_what_a_user_sees(self):
        port = free_port()
        score = ["score", "model", "-c", "crm/leadscore.toml", "-o", "no.parquet"]

        def said(*args, config=None, **environment):
            words = [*score[:3], config or score[3], *score[4:]]
            return self.run_line(*words, *args, status=2, **environment)

        self.assertIn(f"no engine answers at sc://127.0.0.1:{port}", said("--connect", f"sc://127.0.0.1:{port}"))
        self.assertIn("`http://x` is no address of an engine", said("--connect", "http://x"))
        self.assertIn("a token among the arguments is seen by everyone", said("--connect", "sc://127.0.0.1/;token=hush"))
        hidden = said("--connect", "env:ENGINE", ENGINE="sc://example.invalid/;token=hush")
        self.assertIn("insecure", hidden)
        self.assertNotIn("hush", hidden)
        self.assertIn("give it a name that ends in .parquet", self.elsewhere(*score[:-1], "scores.csv", status=2))
        config = (self.folder / "crm" / "leadscore.toml").read_text()

        def with_config(old, new):
            (self.folder / "crm" / "wrong.toml").write_text(config.replace(old, new))
            return said("--connect", self.address, config="crm/wrong.toml")

        # Sail shows an empty table there, Spark fails.
        self.assertRegex(with_config('"touches.parquet"', '"nowhere.parquet"'), r"\[activities.touches\]: the engine finds nothing there|failed while looking at \[activities.touches\]")
        self.assertIn("is no Parquet file, and the engine reads nothing else", with_config('"touches.parquet"', '"touches.csv"'))
        self.assertRegex(with_config('at = "entered_at"', 'at = "enter_at"'), r"\[activities.stages\].* has no column `enter_at`; its columns: (.|\n)*hint: did you mean `entered_at`\?")
        self.assertIn("undated data has no events, and needs no cluster", with_config(config, "[leads]\npath='leads.parquet'\nid='lead_id'\n[outcomes]\nflag='x'\nwon=['1']\n"))
        # Two rows of one key in a lookup would score leads twice: found by counting.
        with duckdb.connect() as database:
            accounts = self.folder / "crm" / "accounts.parquet"
            database.execute(f"copy (from '{accounts}' union all (from '{accounts}' limit 40)) to '{self.folder}/crm/twice.parquet'")
        self.assertIn("snapshots\n  hint: do not use it", with_config('"accounts.parquet"', '"twice.parquet"'))


if __name__ == "__main__":
    unittest.main()
