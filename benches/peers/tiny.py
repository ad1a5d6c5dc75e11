"""Tiny data: a ridge chosen by folds against Firth's penalty with the intercept fitted again (FLIC). Run by `cargo xtask bench tiny`.

Leads with `p` standard normal features, of which the first three tell something; log-loss on 20,000 others, mean over draws.
"""
import argparse, warnings

warnings.filterwarnings("ignore")
import numpy as np
from sklearn.linear_model import LogisticRegression, LogisticRegressionCV


def firth(x, y):
    """Maximises the likelihood times the root of the information (Firth 1993); then fits the intercept alone (Puhr et al. 2017)."""
    z = np.column_stack([np.ones(len(x)), x])
    beta = np.zeros(z.shape[1])
    for _ in range(200):
        p = 1 / (1 + np.exp(-z @ beta))
        w = p * (1 - p)
        information = z.T @ (z * w[:, None]) + 1e-9 * np.eye(z.shape[1])
        hat = w * np.einsum("ij,ji->i", z, np.linalg.solve(information, z.T))
        step = np.linalg.solve(information, z.T @ (y - p + hat * (0.5 - p)))
        beta += step * min(1.0, 2.0 / np.abs(step).max())
        if np.abs(step).max() < 1e-8:
            break
    offset = x @ beta[1:]
    low, high = -20.0, 20.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if (1 / (1 + np.exp(-(middle + offset)))).sum() < y.sum() else (low, middle)
    return np.concatenate([[low], beta[1:]])


def ridge(x, y):
    wins = int(min(y.sum(), len(y) - y.sum()))
    strengths = [1000.0, 300.0, 100.0, 30.0, 10.0, 3.0, 1.0, 0.3]
    model = LogisticRegressionCV(Cs=[1 / s for s in strengths], cv=min(5, wins), scoring="neg_log_loss", max_iter=1000, refit=False).fit(x, y)
    best = 1 / np.asarray(model.C_).ravel()[0]
    final = LogisticRegression(C=1 / best, max_iter=1000).fit(x, y)
    return np.concatenate([final.intercept_, final.coef_[0]])


def loss(beta, x, y):
    eta = beta[0] + x @ beta[1:]
    return float(np.mean(np.logaddexp(0, eta) - y * eta))


parser = argparse.ArgumentParser()
parser.add_argument("--draws", type=int, default=200)
draws = parser.parse_args().draws
print("| leads | wins, about | features | win rate alone | ridge by folds | FLIC | truth |\n| --- | --- | --- | --- | --- | --- | --- |")
for n, p in ((100, 3), (200, 5), (200, 15), (400, 5), (400, 30)):
    rng = np.random.default_rng(n + p)
    truth = np.concatenate([[-2.4], np.array([0.8, -0.5, 0.3] + [0.0] * (p - 3))])
    found = []
    while len(found) < draws:
        x, y = rng.normal(size=(n, p)), None
        y = (rng.random(n) < 1 / (1 + np.exp(-(truth[0] + x @ truth[1:])))).astype(float)
        if y.sum() < 4:
            continue
        test = rng.normal(size=(20_000, p))
        won = (rng.random(20_000) < 1 / (1 + np.exp(-(truth[0] + test @ truth[1:])))).astype(float)
        rate = np.concatenate([[np.log(y.mean() / (1 - y.mean()))], np.zeros(p)])
        found.append([y.sum(), *(loss(beta, test, won) for beta in (rate, ridge(x, y), firth(x, y), truth))])
    wins, *means = np.mean(found, 0)
    print(f"| {n} | {wins:.0f} | {p} | " + " | ".join(f"{mean:.4f}" for mean in means) + " |", flush=True)
