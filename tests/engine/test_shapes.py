"""Every shape of model as Spark's SQL gives what the model gives: each statement is run on the engine."""
import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import warnings

import duckdb
from servers import Program

LEADSCORE = os.environ["LEADSCORE"]
# Built with all targets, beside the command.
SHAPES = pathlib.Path(LEADSCORE).with_name("examples") / "shapes"
EDGES = {"relative": "quartiles", "frozen": "frozen", "40,20,5": "percent"}


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


class Shapes(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.temporary = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(cls.temporary.name)
        cls.server = None
        address = os.environ.get("LEADSCORE_ENGINE")
        if not address:
            cls.server = Program("sail", "spark", "server", "--ip", "127.0.0.1", "--port", "PORT", log=cls.folder / "sail.log")
            address = f"sc://127.0.0.1:{cls.server.port}"
        # It warns of a newer pandas, which nothing here uses.
        with warnings.catch_warnings(action="ignore"):
            from pyspark.sql import SparkSession
            cls.session = SparkSession.builder.remote(address).getOrCreate()
        subprocess.run([SHAPES, cls.folder], check=True)

    @classmethod
    def tearDownClass(cls):
        # Else it would look for the server at the end of the program, for minutes.
        cls.session.stop()
        if cls.server:
            cls.server.stop()
        cls.temporary.cleanup()

    def table(self, name, shape):
        """The features in a file, as a table of the engine."""
        path = self.folder / f"{name}.parquet"
        kinds = {name: "varchar" if name in shape["categories"] else "double" for name in shape["features"]}
        columns = ", ".join(['"row" integer', *(f"{quoted(name)} {kind}" for name, kind in kinds.items())])
        with duckdb.connect() as database:
            database.execute(f"create table features ({columns})")
            rows = [[number, *(row[name] for name in kinds)] for number, row in enumerate(shape["rows"])]
            database.executemany(f"insert into features values ({', '.join('?' * (len(kinds) + 1))})", rows)
            database.execute(f"copy features to '{path}'")
        return f"parquet.`{path}`"

    def test_every_shape(self):
        models = sorted(self.folder.glob("*.leadscore"))
        self.assertGreater(len(models), 30)
        for model in models:
            shape = json.loads(model.with_suffix(".json").read_text(encoding="utf-8"))
            table = self.table(model.stem, shape)
            for edges, tiers in EDGES.items():
                with self.subTest(f"{model.stem}, {edges} edges"):
                    output = self.folder / "score.sql"
                    subprocess.run([LEADSCORE, "export", "sql", model, "--dialect", "spark", "--key", "row", "--edges", edges, "--table", table, "-o", output],
                                   check=True, capture_output=True)
                    rows = sorted(tuple(row) for row in self.session.sql(output.read_text(encoding="utf-8")).collect())
                    self.assertEqual([row[0] for row in rows], list(range(len(shape["rows"]))))
                    for number, log_odds, likelihood, tier in rows:
                        expected = shape["log_odds"][number]
                        self.assertAlmostEqual(log_odds, expected, delta=1e-12 * max(1.0, abs(expected)))
                        self.assertAlmostEqual(likelihood, shape["likelihoods"][number], delta=1e-10)
                        self.assertEqual(tier, shape[tiers][number])


if __name__ == "__main__":
    unittest.main()
