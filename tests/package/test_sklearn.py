"""LeadScoreClassifier is a classifier as scikit-learn means it, and reads categories and missing values as they are."""
import pickle
import unittest

import matplotlib
import numpy as np
import pandas as pd
import polars as pl
from sklearn.calibration import CalibrationDisplay
from sklearn.datasets import make_classification
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator

from leadscore.sklearn import LeadScoreClassifier

matplotlib.use("Agg")


def leads(n=3_000, seed=0):
    """A category that matters, a number that matters in a curve and is often missing, and noise."""
    draw = np.random.default_rng(seed)
    source = draw.choice(["web", "event", "list"], n)
    age = np.where(draw.random(n) < 0.2, np.nan, draw.uniform(0, 10, n))
    log_odds = np.where(source == "web", 1.0, -0.5) - 0.3 * np.where(np.isnan(age), 6, (age - 5) ** 2) + 0.5
    won = draw.random(n) < 1 / (1 + np.exp(-log_odds))
    return pd.DataFrame({"source": source, "age": age, "noise": draw.normal(size=n)}), np.where(won, "won", "lost")


class Classifier(unittest.TestCase):
    def test_scikit_learns_own_checks(self):
        for classifier in (LeadScoreClassifier(), LeadScoreClassifier(kind="linear")):
            results = check_estimator(classifier, on_fail=None, on_skip=None)
            failed = [f"{result['check_name']}: {result['exception']}" for result in results if result["status"] == "failed"]
            self.assertEqual(failed, [])
            self.assertGreater(len(results), 40)

    def test_categories_and_missing_values_are_read_as_they_are(self):
        frame, won = leads()
        as_category = frame.assign(source=pd.Categorical(frame["source"], categories=["event", "list", "web", "nobody"]))
        found = [LeadScoreClassifier().fit(x, won).predict_proba(x) for x in (frame, as_category, pl.from_pandas(frame))]
        self.assertEqual(found[0].tobytes(), found[1].tobytes())
        self.assertEqual(found[0].tobytes(), found[2].tobytes())
        later, later_won = leads(seed=1)
        classifier = LeadScoreClassifier().fit(frame, won)
        self.assertEqual(classifier.model_.card["kind"], "additive")
        said = classifier.predict_proba(later)[:, list(classifier.classes_).index("won")]
        self.assertLess(abs(said.mean() - (later_won == "won").mean()), 0.03)
        unseen = later.assign(source="a source that nobody knew")
        self.assertTrue(np.isfinite(classifier.predict_proba(unseen)).all())

    def test_it_finds_what_is_there(self):
        x, y = make_classification(4_000, n_features=8, n_informative=4, random_state=0)
        folds = {name: cross_validate(model, x, y, scoring="neg_log_loss", cv=4)["test_score"].mean() for name, model in (("ours", LeadScoreClassifier()), ("logistic", LogisticRegression()))}
        self.assertGreater(folds["ours"], folds["logistic"] - 0.005)

    def test_pipelines_displays_and_pickles(self):
        frame, won = leads()
        pipeline = make_pipeline(FunctionTransformer(lambda x: x.drop(columns="noise")), LeadScoreClassifier()).fit(frame, won)
        self.assertEqual(list(pipeline[-1].feature_names_in_), ["source", "age"])
        display = CalibrationDisplay.from_estimator(pipeline, frame, won, n_bins=5, pos_label="won")
        self.assertLess(np.abs(display.prob_true - display.prob_pred).max(), 0.1)
        again = pickle.loads(pickle.dumps(pipeline[-1]))
        self.assertEqual(again.predict(frame.drop(columns="noise")).tolist(), pipeline.predict(frame).tolist())

    def test_the_order_of_rows_changes_nothing(self):
        frame, won = leads(500)
        order = np.random.default_rng(1).permutation(500)
        found = [LeadScoreClassifier().fit(*rows).predict_proba(frame) for rows in ((frame, won), (frame.iloc[order], won[order]))]
        self.assertEqual(found[0].tobytes(), found[1].tobytes())

    def test_weights(self):
        frame, won = leads(600)
        unweighted = LeadScoreClassifier().fit(frame, won).predict_proba(frame)
        self.assertEqual(LeadScoreClassifier().fit(frame, won, np.ones(600)).predict_proba(frame).tobytes(), unweighted.tobytes())
        # Whole numbers are counts.
        counts = np.random.default_rng(2).integers(0, 4, 600)
        repeated = LeadScoreClassifier().fit(frame.loc[frame.index.repeat(counts)], won.repeat(counts))
        weighted = LeadScoreClassifier().fit(frame, won, sample_weight=counts)
        self.assertEqual(weighted.predict_proba(frame).tobytes(), repeated.predict_proba(frame).tobytes())
        # Others are relative, and count the rows of one class for more.
        weights = np.where(won == "won", 1.5, 0.5)
        found = [LeadScoreClassifier().fit(frame, won, weights * scale).predict_proba(frame) for scale in (1, 0.25)]
        np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-6)
        self.assertGreater((found[0] - unweighted)[:, 1].mean(), 0.05)
        with self.assertRaisesRegex(ValueError, "[Nn]egative"):
            LeadScoreClassifier().fit(frame, won, -weights)
        with self.assertRaisesRegex(ValueError, "y has 1 class only once rows of weight 0 are left out"):
            LeadScoreClassifier().fit(frame, won, won == "won")

    def test_settings_of_the_model(self):
        frame, won = leads()
        frame["age"] = frame["age"].fillna(5)
        rising = LeadScoreClassifier(directions={"age": "increasing"}).fit(frame, won)
        ages = frame.iloc[[0]].loc[[0] * 50].assign(age=np.linspace(0, 10, 50))
        self.assertTrue((np.diff(rising.decision_function(ages)) >= -1e-9).all())
        self.assertFalse((np.diff(LeadScoreClassifier().fit(frame, won).decision_function(ages)) >= -1e-9).all())
        lasso = LeadScoreClassifier("linear", l1_ratio=1.0).fit(frame, won)
        self.assertEqual(lasso.model_.card["kind"], "linear")
        folds = LeadScoreClassifier(smoothing="folds").fit(frame, won).predict_proba(frame)
        self.assertNotEqual(folds.tobytes(), LeadScoreClassifier(smoothing="reml").fit(frame, won).predict_proba(frame).tobytes())
        draw = np.random.default_rng(3)
        x = pd.DataFrame({"a": draw.uniform(-1, 1, 4_000), "b": draw.uniform(-1, 1, 4_000)})
        y = draw.random(4_000) < 1 / (1 + np.exp(-4 * x["a"] * x["b"]))
        with_pairs, without = (LeadScoreClassifier(max_pairs=pairs).fit(x, y).model_.to_dict()["terms"] for pairs in (30, 0))
        self.assertGreater(len(with_pairs), len(without))
        for wrong, text in (
            ({"l1_ratio": 0.5}, "an elastic net is for linear terms"),
            ({"kind": "linear", "l1_ratio": 2.0}, "l1_ratio"),
            ({"directions": {"nothing": "increasing"}}, "`nothing` is none of the features"),
            ({"directions": {"age": "up"}}, "directions has 'up', expected 'increasing' or 'decreasing'"),
            ({"smoothing": "much"}, "smoothing is 'much', expected 'reml' or 'folds'"),
            ({"max_pairs": -1}, "max_pairs is -1"),
        ):
            with self.assertRaisesRegex(ValueError, text):
                LeadScoreClassifier(**wrong).fit(frame, won)

    def test_wrong_input(self):
        frame, won = leads(200)
        classifier = LeadScoreClassifier().fit(frame, won)
        for wrong, text in (
            (frame.assign(age=np.inf), "infinity in column 'age'"),
            (frame.drop(columns="age"), "feature names"),
            (frame.assign(age="old"), "column `age` has texts, and the model expects a number"),
        ):
            with self.assertRaisesRegex(ValueError, text):
                classifier.predict(wrong)
        with self.assertRaisesRegex(ValueError, "Only binary classification is supported"):
            LeadScoreClassifier().fit(frame, np.arange(200) % 3)
        with self.assertRaisesRegex(ValueError, "kind is 'quadratic'"):
            LeadScoreClassifier(kind="quadratic").fit(frame, won)


if __name__ == "__main__":
    unittest.main()
