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

    def test_wrong_input(self):
        frame, won = leads(200)
        classifier = LeadScoreClassifier().fit(frame, won)
        for wrong, text in (
            (frame.assign(age=np.inf), "infinity in column 'age'"),
            (frame.drop(columns="age"), "feature names"),
            (frame.assign(age="old"), "column `age` holds texts, and the model knows it as a number"),
        ):
            with self.assertRaisesRegex(ValueError, text):
                classifier.predict(wrong)
        with self.assertRaisesRegex(ValueError, "Only binary classification is supported"):
            LeadScoreClassifier().fit(frame, np.arange(200) % 3)
        with self.assertRaisesRegex(ValueError, "kind is 'quadratic'"):
            LeadScoreClassifier(kind="quadratic").fit(frame, won)


if __name__ == "__main__":
    unittest.main()
