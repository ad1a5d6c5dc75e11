"""Accuracy beside peers: leadscore with its defaults, and scikit-learn, LightGBM, CatBoost, XGBoost and interpret, each tuned alike.

Called by `cargo xtask bench accuracy`, which builds the environment. All see the same features at the same snapshots, made by
`leadscore features`. Splits: three random folds by lead, and by time at three cuts (training windows end before each cut's first test
snapshot).
Every peer tries the same number of settings by three folds by lead within its training rows, and is fitted again with the best.
"""
import argparse, csv, json, os, subprocess, sys, time, warnings

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
warnings.filterwarnings("ignore")
import numpy as np, pandas as pd
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.metrics import roc_auc_score

KEYS = ["snapshot", "label", "mature"]


class Linear:
    """Standardised numbers with indicators of missing ones, one-hot categories, ridge."""

    settings = [dict(C=c) for c in (1.0, 0.1, 0.01, 10.0, 0.001, 0.03, 0.3, 3.0)]

    def __init__(self, numbers, categories, C):
        encode = OneHotEncoder(handle_unknown="infrequent_if_exist", min_frequency=20)
        columns = [("n", make_pipeline(SimpleImputer(strategy="median", add_indicator=True), StandardScaler()), numbers),
                   ("c", make_pipeline(SimpleImputer(strategy="constant", fill_value="(missing)"), encode), categories)]
        self.model = make_pipeline(ColumnTransformer(columns), LogisticRegression(C=C, max_iter=2000))

    def fit(self, X, y):
        self.model.fit(X, y)
        return self

    def predict(self, X):
        return self.model.predict_proba(X)[:, 1]


class Trees:
    """LightGBM, categories as they are."""

    settings = [dict(learning_rate=0.05, num_leaves=15, min_child_samples=40, n_estimators=200, reg_lambda=1.0),
                dict(learning_rate=0.05, num_leaves=7, min_child_samples=40, n_estimators=200, reg_lambda=10.0),
                dict(learning_rate=0.02, num_leaves=15, min_child_samples=100, n_estimators=200, reg_lambda=10.0),
                dict(learning_rate=0.05, num_leaves=4, min_child_samples=40, n_estimators=400, reg_lambda=1.0),
                dict(learning_rate=0.02, num_leaves=7, min_child_samples=40, n_estimators=200, reg_lambda=1.0),
                dict(learning_rate=0.05, num_leaves=31, min_child_samples=40, n_estimators=100, reg_lambda=10.0),
                dict(learning_rate=0.1, num_leaves=7, min_child_samples=100, n_estimators=100, reg_lambda=10.0),
                dict(learning_rate=0.02, num_leaves=4, min_child_samples=40, n_estimators=400, reg_lambda=10.0)]

    def __init__(self, numbers, categories, **settings):
        from lightgbm import LGBMClassifier
        self.categories = categories
        encode = OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1, encoded_missing_value=-1, min_frequency=20)
        self.encode = ColumnTransformer([("n", "passthrough", numbers), ("c", encode, categories)])
        self.n_numbers = len(numbers)
        self.model = LGBMClassifier(subsample=0.8, subsample_freq=1, colsample_bytree=0.8, n_jobs=1, random_state=7, verbose=-1, **settings)

    def fit(self, X, y):
        Z = self.encode.fit_transform(X)
        self.model.fit(Z, y, categorical_feature=list(range(self.n_numbers, Z.shape[1])))
        return self

    def predict(self, X):
        return self.model.predict_proba(self.encode.transform(X))[:, 1]


class OnFrames:
    """What is fitted and asked with a frame that it makes for itself."""

    def fit(self, X, y):
        self.model.fit(self.frame(X), y)
        return self

    def predict(self, X):
        return self.model.predict_proba(self.frame(X))[:, 1]


class Cat(OnFrames):
    """CatBoost, categories as they are."""

    settings = [dict(learning_rate=0.05, depth=4, iterations=300, l2_leaf_reg=3.0), dict(learning_rate=0.03, depth=6, iterations=300, l2_leaf_reg=10.0),
                dict(learning_rate=0.05, depth=3, iterations=300, l2_leaf_reg=10.0), dict(learning_rate=0.1, depth=4, iterations=150, l2_leaf_reg=10.0),
                dict(learning_rate=0.03, depth=4, iterations=300, l2_leaf_reg=3.0), dict(learning_rate=0.05, depth=6, iterations=150, l2_leaf_reg=3.0),
                dict(learning_rate=0.03, depth=3, iterations=500, l2_leaf_reg=3.0), dict(learning_rate=0.02, depth=6, iterations=300, l2_leaf_reg=3.0)]

    def __init__(self, numbers, categories, **settings):
        from catboost import CatBoostClassifier
        self.numbers, self.categories = numbers, categories
        self.model = CatBoostClassifier(random_seed=7, thread_count=1, verbose=False, allow_writing_files=False, cat_features=categories, **settings)

    def frame(self, X):
        return X[self.numbers + self.categories].assign(**{name: X[name].fillna("(missing)").astype(str) for name in self.categories})


class Boosted(OnFrames):
    """XGBoost, categories as they are."""

    settings = [dict(learning_rate=0.05, max_depth=4, n_estimators=200, reg_lambda=1.0), dict(learning_rate=0.05, max_depth=3, n_estimators=200, reg_lambda=10.0),
                dict(learning_rate=0.03, max_depth=6, n_estimators=200, reg_lambda=10.0), dict(learning_rate=0.05, max_depth=2, n_estimators=400, reg_lambda=1.0),
                dict(learning_rate=0.02, max_depth=4, n_estimators=400, reg_lambda=1.0), dict(learning_rate=0.1, max_depth=3, n_estimators=100, reg_lambda=1.0),
                dict(learning_rate=0.02, max_depth=3, n_estimators=400, reg_lambda=10.0), dict(learning_rate=0.05, max_depth=6, n_estimators=100, reg_lambda=1.0)]

    def __init__(self, numbers, categories, **settings):
        from xgboost import XGBClassifier
        self.numbers, self.categories, self.levels = numbers, categories, {}
        self.model = XGBClassifier(subsample=0.8, colsample_bytree=0.8, min_child_weight=5, n_jobs=1, random_state=7, enable_categorical=True, tree_method="hist", **settings)

    def frame(self, X):
        return X[self.numbers + self.categories].assign(**{name: pd.Categorical(X[name], categories=self.levels[name]) for name in self.categories})

    def fit(self, X, y):
        self.levels = {name: sorted(X[name].dropna().unique()) for name in self.categories}
        return super().fit(X, y)


class Ebm(OnFrames):
    """The explainable boosting machine of interpret."""

    settings = [dict(interactions=10), dict(interactions=0), dict(interactions=10, learning_rate=0.005), dict(interactions=20, min_samples_leaf=20),
                dict(interactions=0, min_samples_leaf=20), dict(interactions=0, max_bins=64), dict(interactions=10, max_bins=64), dict(interactions=5, smoothing_rounds=500)]

    def __init__(self, numbers, categories, **settings):
        from interpret.glassbox import ExplainableBoostingClassifier
        self.numbers, self.categories = numbers, categories
        kinds = ["continuous"] * len(numbers) + ["nominal"] * len(categories)
        self.model = ExplainableBoostingClassifier(feature_types=kinds, n_jobs=1, random_state=7, outer_bags=4, **settings)

    def frame(self, X):
        return X[self.numbers + self.categories].assign(**{name: X[name].astype(object) for name in self.categories})


PEERS = dict(linear=Linear, lightgbm=Trees, catboost=Cat, xgboost=Boosted, interpret=Ebm)


def losses(y, p):
    p = np.clip(p, 1e-6, 1 - 1e-6)
    return -(y * np.log(p) + (1 - y) * np.log1p(-p))


def tune(peer, X, y, groups, numbers, categories, budget):
    """The setting with the lowest log-loss over three folds by lead."""
    best = None
    for settings in peer.settings[:budget]:
        total = 0.0
        for train, test in GroupKFold(3).split(X, y, groups):
            p = peer(numbers, categories, **settings).fit(X.iloc[train], y[train]).predict(X.iloc[test])
            total += losses(y[test], p).sum()
        if best is None or total < best[0]:
            best = (total, settings)
    return best[1]


def ours(program, folder, X, y, groups, at, train, test, numbers, categories, horizon):
    def write(name, rows):
        frame = pd.DataFrame({"lead": groups[rows], "at": at[rows], "label": y[rows]})
        for column in numbers:
            frame["n:" + column] = X[column].to_numpy()[rows]
        for column in categories:
            frame["c:" + column] = X[column].to_numpy()[rows]
        frame.to_csv(os.path.join(folder, name), index=False)

    write("train.csv", train)
    write("test.csv", test)
    arguments = [os.path.join(folder, name) for name in ("train.csv", "test.csv", "out.txt")]
    said = subprocess.run([program, *arguments, str(horizon) if horizon else "none"], check=True, capture_output=True, text=True).stderr
    return np.loadtxt(arguments[2]), said.strip().splitlines()[-1].split(" (")[0]


def quality(y, p):
    order = np.argsort(-p, kind="stable")
    top = y[order[: len(y) // 4]].sum() / y.sum()
    bins = np.array_split(np.argsort(p, kind="stable"), 10)
    ece = sum(len(rows) / len(y) * abs(y[rows].mean() - p[rows].mean()) for rows in bins)
    # What is said of the best by prediction less what was observed, in standard errors of a mean of independent rows.
    best = {}
    for share in (0.05, 0.01):
        rows = np.argsort(-p, kind="stable")[: max(1, int(len(y) * share))]
        error = np.sqrt((p[rows] * (1 - p[rows])).sum()) / len(rows)
        best[f"top_{share:g}"] = (p[rows].mean() - y[rows].mean()) / max(error, 1e-9)
    return dict(log_loss=losses(y, p).mean(), auc=roc_auc_score(y, p), brier=((y - p) ** 2).mean(), ece=ece, capture=top, **best)


def paired_error(difference, groups):
    sums = pd.Series(difference - difference.mean()).groupby(groups).sum()
    return float(np.sqrt((sums**2).sum()) / len(difference))


def bank(folder):
    """Calls of a bank in their order, without their duration, which nobody knows before the call."""
    frame = pd.read_csv(os.path.join(folder, "bank-additional-full.csv"), sep=";")
    X = frame.drop(columns=["y", "duration"])
    return X.assign(pdays=X["pdays"].where(X["pdays"] != 999)), frame["y"] == "yes"


def ibm(folder):
    """Opportunities without what is known once they have closed; there is no time."""
    frame = pd.read_csv(os.path.join(folder, "WA_Fn-UseC_-Sales-Win-Loss.csv"), keep_default_na=False, na_values=[""])
    frame = frame.drop_duplicates().drop_duplicates("Opportunity Number").reset_index(drop=True)
    X = frame[["Supplies Subgroup", "Supplies Group", "Region", "Route To Market", "Opportunity Amount USD", "Client Size By Revenue",
               "Client Size By Employee Count", "Revenue From Client Past Two Years", "Competitor Type", "Deal Size Category"]]
    codes = ["Client Size By Revenue", "Client Size By Employee Count", "Revenue From Client Past Two Years", "Deal Size Category"]
    return X.assign(**{name: "size " + X[name].astype(str) for name in codes}), frame["Opportunity Result"] == "Won"


FLAT = dict(bank=bank, ibm=ibm)


def by_kind(X):
    """The columns with one mark for what is missing in categories; names of the numbers, and of the categories."""
    categories = [name for name in X if X[name].dtype.kind not in "ifub"]
    X = X.assign(**{name: X[name].astype(object).where(X[name].notna(), np.nan) for name in categories})
    return X, [name for name in X if name not in categories], categories


def load_flat(name, folder):
    """A set that is one table, a row a lead, in the order of its rows."""
    X, y = FLAT[name](folder)
    X, numbers, categories = by_kind(X)
    rows = np.arange(len(X))
    return X, y.astype(int).to_numpy(), rows.astype(str), rows * 1_000_000, numbers, categories


def load(leadscore, folder):
    """Features, labels, leads and moments of all mature snapshots."""
    target = os.path.join(folder, "matrix.parquet")
    subprocess.run([leadscore, "features", "-c", os.path.join(folder, "leadscore.toml"), "-o", target], check=True, capture_output=True)
    frame = pd.read_parquet(target)
    frame = frame[frame["mature"].astype(bool)] if "mature" in frame else frame
    lead = frame.columns[0]
    at = frame["snapshot"]
    # Flat exports have numbers in place of times; both become microseconds.
    at = (at * 1e6).astype("int64") if at.dtype.kind in "fiu" else at.astype("datetime64[us]").astype("int64")
    frame = frame.assign(_at=at.to_numpy()).sort_values(["_at", lead], kind="stable").reset_index(drop=True)
    X = frame.drop(columns=[lead, "_at", *[name for name in KEYS if name in frame]])
    X, numbers, categories = by_kind(X[[name for name in X if X[name].nunique(dropna=False) > 1]])
    return X, frame["label"].astype(int).to_numpy(), frame[lead].astype(str).to_numpy(), frame["_at"].to_numpy(), numbers, categories


def by_time(at, first, horizon, cuts=3):
    """Trained on what had ended at each of a few cuts, tested up to the next one; the rows behind the first are shared out equally."""
    later = np.sort(at[at >= first])
    limits = [first, *(later[len(later) * step // cuts] for step in range(1, cuts))]
    folds = []
    for limit, end in zip(limits, [*limits[1:], np.inf]):
        test = np.flatnonzero((at >= limit) & (at < end))
        if len(test):
            folds.append((np.flatnonzero(at + horizon <= limit if horizon else at < limit), test))
    return folds


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--leadscore", required=True)
    parser.add_argument("--fit", required=True)
    parser.add_argument("--folder", required=True)
    parser.add_argument("--leads", type=int, default=25_000)
    parser.add_argument("--budget", type=int, default=4)
    parser.add_argument("--peers", default=",".join(PEERS))
    parser.add_argument("--folds", type=int, default=3)
    parser.add_argument("--worlds", default="linear,curved,interactions,drift")
    parser.add_argument("--real", default="")
    parser.add_argument("--flat", default="", help="NAME=FOLDER|time+random,…")
    parser.add_argument("--json")
    args = parser.parse_args()
    os.makedirs(args.folder, exist_ok=True)
    sets = []
    for item in filter(None, args.real.split(",")):
        name, folder, horizon, cut = item.split("=")[0], *item.split("=")[1].split("|")
        sets.append((name, folder, int(horizon) if horizon != "none" else None, cut, "time+random"))
    for item in filter(None, args.flat.split(",")):
        name, folder, which = item.split("=")[0], *item.split("=")[1].split("|")
        sets.append((name, folder, None, "80%", which))
    for world in filter(None, args.worlds.split(",")):
        folder = os.path.join(args.folder, world)
        subprocess.run([args.leadscore, "simulate", "--leads", str(args.leads), "--world", world, "--out", folder], check=True, capture_output=True)
        sets.append((world, folder, 90, "80%", "time+random"))
    found = []
    for name, folder, horizon, cut, which in sets:
        X, y, groups, at, numbers, categories = load_flat(name, folder) if name in FLAT else load(args.leadscore, folder)
        day = 86_400_000_000
        limit = at[int(len(at) * 0.8)] if cut == "80%" else (int(cut) * 1_000_000 if horizon is None else int(pd.Timestamp(cut).value // 1000))
        splits = {"time": by_time(at, limit, horizon * day if horizon else None)}
        if args.folds > 1:
            splits["random"] = list(GroupKFold(args.folds, shuffle=True, random_state=7).split(X, y, groups))
        for split, folds in splits.items():
            if split not in which:
                continue
            rows = np.concatenate([test for _, test in folds])
            predictions, said, seconds = {}, "", {}
            for who in ["leadscore", *args.peers.split(",")]:
                start = time.time()
                parts = []
                for idx, (train, test) in enumerate(folds):
                    if len(np.unique(y[train])) < 2:
                        parts.append(np.full(len(test), y[train].mean()))
                    elif who == "leadscore":
                        p, said = ours(args.fit, args.folder, X, y, groups, at, train, test, numbers, categories, horizon)
                        parts.append(p)
                    else:
                        # Tuned on the first fold; the others use its settings.
                        settings = settings if idx else tune(PEERS[who], X.iloc[train], y[train], groups[train], numbers, categories, args.budget)
                        parts.append(PEERS[who](numbers, categories, **settings).fit(X.iloc[train], y[train]).predict(X.iloc[test]))
                predictions[who] = np.concatenate(parts)
                seconds[who] = time.time() - start
            base = losses(y[rows], np.concatenate([np.full(len(test), y[train].mean()) for train, test in folds])).mean()
            print(f"\n{name}, {split}: {len(rows)} snapshots, {y[rows].mean():.3f} won, base rate {base:.4f}; leadscore chose {said}", flush=True)
            reference = losses(y[rows], predictions["leadscore"])
            for who, p in predictions.items():
                q = quality(y[rows], p)
                difference = losses(y[rows], p) - reference
                error = paired_error(difference, groups[rows])
                found.append(dict(set=name, split=split, who=who, seconds=seconds[who], difference=float(difference.mean()), error=error, chosen=said, **{k: float(v) for k, v in q.items()}))
                print(f"  {who:10s} LL {q['log_loss']:.4f} ({difference.mean():+.4f} ± {1.96 * error:.4f})  AUC {q['auc']:.4f}  Brier {q['brier']:.4f}  ECE {q['ece']:.4f}  top quarter {q['capture']:.3f}  top 5 % {q['top_0.05']:+.1f} SE  top 1 % {q['top_0.01']:+.1f} SE  {seconds[who]:.1f} s", flush=True)
            if args.json:
                json.dump(found, open(args.json, "w"), indent=1)
    table = pd.DataFrame(found)
    ranks = table.assign(rank=table.groupby(["set", "split"])["log_loss"].rank())
    print("\nmean rank by log-loss")
    print(ranks.groupby("who")["rank"].mean().sort_values().to_string())
    leader = table.loc[table.groupby(["set", "split"])["log_loss"].idxmin()]
    behind = leader[(leader["who"] != "leadscore") & (leader["difference"] + 1.96 * leader["error"] < 0)]
    print("\nsignificantly behind the best in:", ", ".join(f"{row.set}/{row.split} ({row.who} {row.difference:+.4f})" for row in behind.itertuples()) or "none")


if __name__ == "__main__":
    main()
