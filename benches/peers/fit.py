"""Fits beside peers on the same columns, to the same optimum. Called by `cargo xtask bench fit`, which builds the environment.

Times are of the fit alone, data in memory in each library's own form, CPU seconds of one thread; leadscore also with two.
"""
import argparse, json, os, subprocess, sys, time, warnings

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ[_name] = "1"
warnings.filterwarnings("ignore")
import numpy as np

from picture import picture

LEVELS = [8, 16, 24, 32, 60, 80, 120, 130]


def data(n, p, levels, seed=2):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p))
    codes = np.stack([(rng.random(n) ** 2 * k).astype(np.uint32) for k in levels], 1) if levels else np.zeros((n, 0), np.uint32)
    eta = -2.2 + x @ (0.4 * np.sin(0.7 * np.arange(p)))
    for j in range(len(levels)):
        eta += 0.3 * np.sin(codes[:, j] * 7.0 + j)
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(np.uint8)
    return x, codes, y


def write(folder, x, codes, y):
    os.makedirs(folder, exist_ok=True)
    np.asfortranarray(x).T.tofile(f"{folder}/x.f64")
    np.asfortranarray(codes).T.astype("<u4").tofile(f"{folder}/c.u32")
    y.tofile(f"{folder}/y.u8")


def timed(run):
    wall, cpu = time.perf_counter(), time.process_time()
    result = run()
    return result, time.process_time() - cpu, time.perf_counter() - wall


def objective(z, beta, intercept, y):
    eta = z @ beta + intercept
    return float(np.logaddexp(0, eta).sum() - y @ eta + 0.5 * beta @ beta)


def gradient(z, beta, intercept, y):
    r = 1 / (1 + np.exp(-(z @ beta + intercept))) - y
    return max(float(np.abs(z.T @ r + beta).max()), abs(float(r.sum()))) / len(y)


def ours(program, folder, n, p, levels, threads, precision, task):
    arguments = [folder, n, p, ",".join(map(str, levels)) or "-", threads, precision, task]
    out = json.loads(subprocess.run([program, *map(str, arguments)], check=True, capture_output=True, text=True).stdout)
    return out


def show(title, rows):
    print(f"\n{title}\n| who | CPU s | wall s | against leadscore | objective above the lowest | gradient a row |\n| --- | --- | --- | --- | --- | --- |")
    first, best = rows[0][1], min(row[3] for row in rows if row[3] is not None) if any(row[3] is not None for row in rows) else None
    for who, cpu, wall, value, slope in rows:
        above = f"{value - best:.1e}" if value is not None else ""
        slope = f"{slope:.1e}" if slope is not None else ""
        print(f"| {who} | {cpu:.2f} | {wall:.2f} | {cpu / first:.1f} | {above} | {slope} |", flush=True)


def one_fit(args, title, n, p, levels):
    import scipy.sparse as sp
    from sklearn.linear_model import LogisticRegression
    x, codes, y = data(n, p, levels)
    folder = os.path.join(args.folder, "columns")
    write(folder, x, codes, y)
    rows = []
    for threads, precision in ((1, "f32"), (1, "f64"), (2, "f32")):
        runs = [ours(args.fit, folder, n, p, levels, threads, precision, "ridge") for _ in range(args.rounds)]
        best = min(runs, key=lambda run: run["wall"])
        name = f"leadscore, {precision}, {threads} thread{'s' * (threads > 1)}, with standard errors"
        # Numbers rounded to four bytes have another optimum.
        rows.append((name, best["wall"] * threads, best["wall"], best["objective"] if precision == "f64" else None, best["gradient"]))
    blocks = [sp.csr_matrix((np.ones(n), (np.arange(n), codes[:, j])), shape=(n, k)) for j, k in enumerate(levels)]
    z = sp.hstack([sp.csr_matrix(x), *blocks], format="csr") if levels else x
    for who, settings in (("lbfgs, tol 1e-4", dict(solver="lbfgs", tol=1e-4)), ("lbfgs, tol 1e-9", dict(solver="lbfgs", tol=1e-9)),
                          ("newton-cholesky", dict(solver="newton-cholesky", tol=1e-9))):
        model, cpu, wall = timed(lambda: LogisticRegression(C=1.0, max_iter=1000, **settings).fit(z, y))
        rows.append((f"scikit-learn, {who}", cpu, wall, objective(z, model.coef_[0], model.intercept_[0], y), gradient(z, model.coef_[0], model.intercept_[0], y)))
    from glum import GeneralizedLinearRegressor
    frame = x
    if levels:
        import pandas as pd
        frame = pd.DataFrame(x, columns=[f"x{i}" for i in range(p)]).assign(**{f"c{j}": pd.Categorical(codes[:, j], categories=range(k)) for j, k in enumerate(levels)})
    model, cpu, wall = timed(lambda: GeneralizedLinearRegressor(family="binomial", alpha=1 / n, l1_ratio=0, gradient_tol=1e-7, drop_first=False).fit(frame, y.astype(float)))
    rows.append(("glum, irls", cpu, wall, objective(z, model.coef_, model.intercept_, y), gradient(z, model.coef_, model.intercept_, y)))
    if not levels:
        import statsmodels.api as sm
        design = sm.add_constant(x)
        _, cpu, wall = timed(lambda: sm.GLM(y.astype(float), design, family=sm.families.Binomial()).fit())
        rows.append(("statsmodels GLM, without a penalty", cpu, wall, None, None))
    show(title, rows)
    run = ours(args.fit, folder, n, p, levels, 1, "f32", "ridge")
    print(f"coded data {run['bytes'] / 1e6:.0f} MB, {run['passes']} passes over all rows, {run['hessians']} of them with a Hessian")


def path(args, n, p):
    from sklearn.linear_model import LogisticRegressionCV
    from sklearn.model_selection import PredefinedSplit
    x, codes, y = data(n, p, [])
    folder = os.path.join(args.folder, "columns")
    write(folder, x, codes, y)
    rows = []
    for threads in (1, 2):
        best = min((ours(args.fit, folder, n, p, [], threads, "f32", "path") for _ in range(args.rounds)), key=lambda run: run["wall"])
        rows.append((f"leadscore, {threads} thread{'s' * (threads > 1)}", best["wall"] * threads, best["wall"], None, None))
    strengths = 10 ** (4 - 8 * np.arange(20) / 19)
    cv = LogisticRegressionCV(Cs=1 / strengths, cv=PredefinedSplit(np.arange(n) % 5), scoring="neg_log_loss", solver="lbfgs", max_iter=1000, refit=False, n_jobs=1)
    model, cpu, wall = timed(lambda: cv.fit(x, y))
    scores = next(iter(model.scores_.values())) if isinstance(model.scores_, dict) else model.scores_
    theirs = -np.asarray(scores).reshape(5, -1).mean(0)
    rows.append(("scikit-learn LogisticRegressionCV", cpu, wall, None, None))
    show(f"20 ridges × 5 folds, {n:,} × {p}", rows)
    print(f"largest gap between the log-losses of both: {np.abs(np.array(best['losses']) - theirs).max():.1e}")


def additive(args, n, p):
    import lightgbm
    x, codes, y = data(n, p, [])
    # Curves and two interactions, so that there is something to find.
    rng = np.random.default_rng(4)
    eta = -1.8 + np.sin(1.5 * x[:, 0]) + 0.5 * x[:, 1] ** 2 * (x[:, 1] > 0) + 0.8 * x[:, 2] * x[:, 3] + 0.6 * (x[:, 4] > 0) * (x[:, 5] > 0) + x[:, 6:16] @ np.full(10, 0.2)
    y = (rng.random(n) < 1 / (1 + np.exp(-eta))).astype(np.uint8)
    folder = os.path.join(args.folder, "columns")
    write(folder, x, codes, y)
    half = n * 9 // 10
    rows, losses = [], {}
    loss = lambda p: float(-(y[half:] * np.log(p) + (1 - y[half:]) * np.log1p(-p)).mean())
    for threads in (1, 2):
        run = min((json.loads(subprocess.run([args.additive, folder, str(n), str(p), str(half), str(threads)], check=True, capture_output=True, text=True).stdout) for _ in range(args.rounds)), key=lambda run: run["wall"])
        who = f"leadscore, curves and {run['pairs']} tables, {threads} thread{'s' * (threads > 1)}"
        rows.append((who, run["wall"] * threads, run["wall"], None, None))
        losses[who] = run["loss"]
    model = lightgbm.LGBMClassifier(n_estimators=200, n_jobs=1, verbose=-1)
    _, cpu, wall = timed(lambda: model.fit(x[:half], y[:half]))
    rows.append(("LightGBM, 200 trees", cpu, wall, None, None))
    losses["LightGBM, 200 trees"] = loss(model.predict_proba(x[half:])[:, 1])
    if args.ebm_rows:
        from interpret.glassbox import ExplainableBoostingClassifier
        m = min(half, args.ebm_rows)
        model = ExplainableBoostingClassifier(n_jobs=1, interactions=10)
        _, cpu, wall = timed(lambda: model.fit(x[:m], y[:m]))
        rows.append((f"interpret, 10 interactions, on {m:,} rows", cpu, wall, None, None))
        losses[rows[-1][0]] = loss(model.predict_proba(x[half:])[:, 1])
    show(f"The additive model with tables, {half:,} × {p}, from numbers to weights", rows)
    for who, value in losses.items():
        print(f"log-loss on the last tenth: {value:.5f} {who}")


def sizes(args, powers):
    """Time and memory of one fit against rows, in memory and on disk, and how near the memory is to its limit."""
    print("\nRows against time, 50 numbers in four bytes, one thread\n| rows | tiles | s | µs a row | passes | coded data | peak memory over coded data | share of the bandwidth of a plain sum |\n| --- | --- | --- | --- | --- | --- | --- | --- |")
    points = []
    for n in (10 ** power for power in powers):
        for place in (["memory"] if n <= 10**7 else []) + ([args.folder] if n >= 10**6 or len(powers) == 1 else []):
            rounds = args.rounds if n < 10**7 else 1
            runs = (json.loads(subprocess.run([args.scale, str(n), place], check=True, capture_output=True, text=True).stdout) for _ in range(rounds))
            run = min(runs, key=lambda run: run["wall"])
            tiles = "in memory" if place == "memory" else "on disk"
            points.append((tiles, n, run["wall"] / n * 1e6))
            print(f"| {n:,} | {tiles} | {run['wall']:.3f} | {run['wall'] / n * 1e6:.2f} | {run['passes']} | {run['bytes'] / 1e6:,.0f} MB | {run['peak'] / run['bytes']:.2f} | {run['bandwidth_share']:.0%} |", flush=True)
    if args.picture:
        picture(points, args.picture, "rows", "µs a row, one fit to 1e-9 with standard errors")


def scoring(args, n):
    import pandas as pd
    from sklearn.compose import ColumnTransformer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, StandardScaler
    run = max((json.loads(subprocess.run([args.score, str(n)], check=True, capture_output=True, text=True).stdout) for _ in range(args.rounds)), key=lambda run: run["rows_a_second"])
    m = min(n, 200_000)
    x, codes, y = data(m, 20, LEVELS)
    numbers, categories = [f"x{i}" for i in range(20)], [f"c{j}" for j in range(len(LEVELS))]
    frame = pd.DataFrame(x, columns=numbers).assign(**{name: np.char.add("level ", codes[:, j].astype(str)).astype(object) for j, name in enumerate(categories)})
    encode = ColumnTransformer([("n", StandardScaler(), numbers), ("c", OneHotEncoder(handle_unknown="ignore"), categories)])
    model = make_pipeline(encode, LogisticRegression(max_iter=50)).fit(frame, y)
    _, cpu, _ = timed(lambda: model.predict_proba(frame))
    one = frame.iloc[:1]
    _, single, _ = timed(lambda: [model.predict_proba(one) for _ in range(20)])
    print(f"\nScores of {n:,} rows, 20 numbers and 8 categories, one thread\n| who | rows a second | one lead |\n| --- | --- | --- |")
    print(f"| leadscore, with the top three reasons | {run['rows_a_second'] / 1e6:.2f} M | {run['one_lead_us']:.1f} µs |")
    print(f"| leadscore, scores alone | {run['scores_alone_a_second'] / 1e6:.2f} M | |")
    print(f"| scikit-learn pipeline, scores alone, on {m:,} rows | {m / cpu / 1e6:.2f} M | {single / 20 * 1e6:.0f} µs |", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--fit", required=True)
    parser.add_argument("--additive", required=True)
    parser.add_argument("--score", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--scale", required=True)
    parser.add_argument("--powers", type=lambda text: [int(power) for power in text.split(",")], default=[4, 5, 6, 7, 8])
    parser.add_argument("--picture")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--ebm-rows", type=int, default=50_000)
    parser.add_argument("--only", default="dense,categories,path,additive,scoring,sizes")
    args = parser.parse_args()
    n = args.rows
    if "dense" in args.only:
        one_fit(args, f"{n:,} × 50 numbers", n, 50, [])
    if "categories" in args.only:
        one_fit(args, f"{n:,} × (20 numbers + 8 categories, {20 + sum(LEVELS)} columns)", n, 20, LEVELS)
    if "path" in args.only:
        path(args, n // 5, 50)
    if "additive" in args.only:
        additive(args, n, 50)
    if "sizes" in args.only:
        sizes(args, args.powers)
    if "scoring" in args.only:
        scoring(args, 10 * n)


if __name__ == "__main__":
    main()
