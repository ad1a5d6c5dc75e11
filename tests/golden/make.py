"""Golden numbers from scikit-learn, glum and statsmodels: run `cargo xtask golden`. Writes metrics.json, logistic.json and
solver.json beside this file."""
import json
import pathlib

import numpy as np
import statsmodels.api as sm
from glum import GeneralizedLinearRegressor
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

# Coefficients and clustered covariances: unpenalised by statsmodels, with a ridge by scikit-learn and glum.
n, p = 400, 5
x = rng.normal(size=(n, p))
clusters = rng.integers(0, 130, n)
weights = rng.integers(1, 4, n).astype(float)
y = rng.random(n) < 1 / (1 + np.exp(-(-0.8 + x @ [0.9, -0.4, 0.0, 0.3, -0.7] + 0.6 * np.sin(clusters))))
design = sm.add_constant(x)
plain = sm.GLM(y.astype(float), design, family=sm.families.Binomial()).fit(tol=1e-14, maxiter=200)
robust = sm.GLM(y.astype(float), design, family=sm.families.Binomial()).fit(
    tol=1e-14, maxiter=200, cov_type="cluster", cov_kwds=dict(groups=clusters, use_correction=False))
ridge = LogisticRegression(C=0.5, tol=1e-13, max_iter=10_000, solver="newton-cholesky").fit(x, y)
weighted = LogisticRegression(C=0.5, tol=1e-13, max_iter=10_000, solver="newton-cholesky").fit(x, y, sample_weight=weights)
# glum means over rows: a ridge of 2 on the sum is one of 2 / n on the mean.
# Elastic nets by scikit-learn's saga: mean objective with C, so that λ = 1 / C splits into ridge and lasso by l1_ratio.
nets = {}
for name, strength, share in (("lasso", 20.0, 1.0), ("net", 30.0, 0.5)):
    net = LogisticRegression(C=1 / strength, l1_ratio=share, penalty="elasticnet", solver="saga", tol=1e-14, max_iter=200_000).fit(x, y)
    nets[name] = [float(net.intercept_[0]), *map(float, net.coef_[0])]
glum = GeneralizedLinearRegressor(family="binomial", alpha=2 / n, l1_ratio=0, gradient_tol=1e-12, max_iter=200).fit(x, y.astype(float))
row = lambda model: [float(model.intercept_ if np.ndim(model.intercept_) == 0 else model.intercept_[0]), *map(float, np.ravel(model.coef_))]
(HERE / "solver.json").write_text(json.dumps(dict(
    columns=[list(map(float, column)) for column in x.T], labels=[bool(label) for label in y], clusters=[int(c) for c in clusters],
    weights=[float(w) for w in weights], plain=list(map(float, plain.params)), covariance=[list(map(float, r)) for r in plain.cov_params()],
    clustered=[list(map(float, r)) for r in robust.cov_params()], ridge=row(ridge), weighted=row(weighted), glum=row(glum), **nets), indent=0))
