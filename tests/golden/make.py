"""Golden numbers from scikit-learn: run `cargo xtask golden`. Writes metrics.json and logistic.json beside this file."""
import json
import pathlib

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

HERE = pathlib.Path(__file__).parent
rng = np.random.default_rng(11)


def metrics_case(name, labels, scores):
    labels = np.asarray(labels)
    scores = np.asarray(scores, float)
    return dict(
        name=name,
        labels=[bool(label) for label in labels],
        scores=[float(score) for score in scores],
        roc_auc=float(roc_auc_score(labels, scores)),
        average_precision=float(average_precision_score(labels, scores)),
        log_loss=float(log_loss(labels, scores)),
        brier_loss=float(brier_score_loss(labels, scores)),
    )


p = rng.beta(1, 6, 400)
cases = [
    metrics_case("distinct", rng.random(400) < p, p),
    metrics_case("ties", rng.random(300) < 0.2, np.round(rng.random(300), 1).clip(0.05, 0.95)),
    metrics_case("ties at zero", [0, 1, 0, 1], [0.0, 0.0, 0.2, 0.9]),
    metrics_case("closer than 1e-10", [0, 0, 1, 1], [1e-13, 2e-13, 3e-13, 4e-13]),
    metrics_case("all equal", [1, 0, 0, 0], [0.25] * 4),
    metrics_case("certain and right", [1, 0, 1], [1.0, 0.0, 1.0]),
    metrics_case("certain and wrong", [1, 0, 1], [1.0, 1.0, 0.0]),
]
(HERE / "metrics.json").write_text(json.dumps(cases, indent=0))

fits = []
for rate, penalty in ((-2.0, 1.0), (0.0, 10.0), (2.0, 0.5)):
    x = rng.normal(size=(250, 4))
    x = (x - x.mean(0)) / x.std(0)
    y = rng.random(250) < 1 / (1 + np.exp(-(rate + x @ [1.0, -0.5, 0.0, 0.3])))
    model = LogisticRegression(C=1 / penalty, tol=1e-12, max_iter=10_000, solver="newton-cholesky").fit(x, y)
    fits.append(dict(penalty=penalty, columns=[list(map(float, column)) for column in x.T], labels=[bool(label) for label in y],
                     intercept=float(model.intercept_[0]), weights=[float(weight) for weight in model.coef_[0]]))
(HERE / "logistic.json").write_text(json.dumps(fits, indent=0))
