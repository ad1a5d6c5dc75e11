"""How often verdicts are right and intervals hold the truth, in worlds whose truth is known: `--write` puts the tables into docs/verdicts.md."""
import argparse
import collections
import concurrent.futures
import csv
import json
import math
import pathlib
import random
import sys
import tempfile
from datetime import datetime, timedelta

import crm as base

DOCS = pathlib.Path(__file__).parents[2] / "docs" / "verdicts.md"
BEGIN, CUT, DAYS = datetime(2023, 1, 1), "2024-10-01", 900
END = BEGIN + timedelta(days=DAYS - 2)
CUT_DAY = (datetime(2024, 10, 1) - BEGIN).days
CONFIG = """[leads]
path = "leads.csv"
id = "lead_id"
created_at = "created_at"
manual_score = "points"
{account}
[outcomes]
path = "deals.csv"
lead = "lead_id"
closed_at = "closed_at"
result = "stage"
won = ["won"]
lost = ["lost"]

[snapshots]
ages = ["0d"]

[guards]
outside_training = 1.0
"""


def expit(value):
    return 1 / (1 + math.exp(-value))


class World:
    """Leads that come for 900 days and win within 89 or never; contacts of an account win together."""

    def __init__(self, seed, n_accounts, contacts=1, after=lambda x, day, p: p, effect=1.2, intercept=-1.3, points_by="contact", unit=1.0, renamed=False):
        rng = random.Random(seed)
        self.leads, self.deals, self.truth, self.open = [], [], {}, set()
        self.has_accounts = contacts > 1
        number = 0
        for account in range(n_accounts):
            day = rng.uniform(0, DAYS - 3)
            x, source = rng.gauss(0, 1), rng.choice(["web", "fair", "ad"])
            is_late = day >= CUT_DAY
            p = expit(intercept + effect * x + {"web": 0.4, "fair": 0.0, "ad": -0.4}[source] * (effect > 0))
            p = after(x, day, p) if is_late else p
            is_won = rng.random() < p
            created = BEGIN + timedelta(days=day)
            closed = created + timedelta(days=rng.uniform(0.5, 89))
            shared = rng.randrange(100)
            for _ in range(contacts):
                lead = f"V{number:06}"
                number += 1
                points = shared if points_by == "account" else rng.randrange(100)
                shown = "internet" if renamed and is_late and source == "web" else source
                self.leads.append([lead, f"A{account:05}", created.strftime("%Y-%m-%d %H:%M:%S"), f"{x * (unit if is_late else 1):.5f}", shown, points])
                if closed >= END:
                    self.open.add(lead)
                else:
                    self.deals.append([lead, "won" if is_won else "lost", closed.strftime("%Y-%m-%d %H:%M:%S")])
                self.truth[lead] = p

    def save(self, folder):
        leads = ["lead_id", "account_id", "created_at", "x", "source", "points"]
        rows, config = self.leads, CONFIG.format(account='account = "account_id"' if self.has_accounts else "")
        if not self.has_accounts:
            leads, rows = leads[:1] + leads[2:], [row[:1] + row[2:] for row in rows]
        # Where a few large accounts close seldom, the end of the data does not show.
        config = config.replace('ages = ["0d"]\n', 'ages = ["0d"]\nobservation_end = "2025-06-18"\n')
        base.write_csv(folder / "leads.csv", leads, rows)
        base.write_csv(folder / "deals.csv", ["lead_id", "stage", "closed_at"], self.deals)
        (folder / "leadscore.toml").write_text(config)


def season(x, day, p):
    return expit(math.log(p / (1 - p)) + (0.9 if (BEGIN + timedelta(days=day)).month % 2 else -0.9))


def fading(left):
    def after(x, day, p):
        # As many wins as before, less of them told apart.
        return expit(-1.3 + 1.2 * left * x + 0.25 * (1 - left))
    return after


def along(intercept, slope):
    """Log-odds move along a line."""
    return lambda x, day, p: expit(intercept + slope * math.log(p / (1 - p)))


def shifted(factor):
    return lambda x, day, p: min(p * factor, 0.98)


# Name, arguments of the world, the kinds that are right.
RIGHT_ANYWAY = {"calibrated"}
ROWS = [
    ("unchanged, 30 wins evaluated", dict(n_accounts=450), RIGHT_ANYWAY | {"cannot_tell"}),
    ("unchanged, 150 wins", dict(n_accounts=2_200), RIGHT_ANYWAY),
    ("unchanged, 400 wins", dict(n_accounts=6_000), RIGHT_ANYWAY),
    ("unchanged, 1,000 wins", dict(n_accounts=15_000), RIGHT_ANYWAY),
    ("effect fades to 0.9", dict(n_accounts=4_000, after=fading(0.9)), RIGHT_ANYWAY | {"too_extreme"}),
    ("effect fades to 0.6", dict(n_accounts=4_000, after=fading(0.6)), {"too_extreme", "not_by_tier"}),
    ("effect fades to 0.3", dict(n_accounts=4_000, after=fading(0.3)), {"too_extreme", "not_by_tier"}),
    ("level falls to 0.7", dict(n_accounts=4_000, after=shifted(0.7)), {"drifted_in_level", "too_extreme", "not_by_tier"}),
    ("level rises to 1.4", dict(n_accounts=4_000, after=shifted(1.4)), {"drifted_in_level", "too_flat", "not_by_tier"}),
    ("a season", dict(n_accounts=4_000, after=season), {"seasonal", "drifted_in_level", "not_by_tier", "too_extreme"}),
    ("x in another unit", dict(n_accounts=4_000, unit=100.0), {"too_extreme", "not_by_tier", "drifted_in_level"}),
    ("a level renamed", dict(n_accounts=4_000, renamed=True), RIGHT_ANYWAY | {"not_by_tier", "drifted_in_level", "too_flat"}),
    ("accounts of 3", dict(n_accounts=1_500, contacts=3), RIGHT_ANYWAY),
    ("accounts of 8", dict(n_accounts=800, contacts=8), RIGHT_ANYWAY),
    ("accounts of 30", dict(n_accounts=300, contacts=30), RIGHT_ANYWAY | {"cannot_tell"}),
    ("nothing matters, accounts of 8", dict(n_accounts=800, contacts=8, effect=0.0, points_by="account"), RIGHT_ANYWAY | {"cannot_tell"}),
    ("nothing matters, accounts of 30", dict(n_accounts=300, contacts=30, effect=0.0, points_by="account"), RIGHT_ANYWAY | {"cannot_tell"}),
]


def auc_of(scores, chances):
    """The AUC that these chances give on average: pairs weighted by the chance that one is won and the other not."""
    order = sorted(range(len(scores)), key=lambda row: scores[row])
    below = pairs = above = total = 0.0
    at = 0
    wins = sum(chances)
    while at < len(order):
        end = at
        while end < len(order) and scores[order[end]] == scores[order[at]]:
            end += 1
        group = order[at:end]
        own_wins, own_losses = sum(chances[row] for row in group), sum(1 - chances[row] for row in group)
        pairs += own_wins * (below + own_losses / 2)
        below += own_losses
        at = end
    total = wins * (len(scores) - wins)
    return pairs / total


# Name, arguments of the world, the kinds of calibration that are right for it.
RECALIBRATED = [
    ("level falls", dict(n_accounts=4_000, after=along(-0.5, 1.0)), ("shift", "line", "beta", "isotonic")),
    ("effect fades to 0.6", dict(n_accounts=4_000, after=along(-0.3, 0.6)), ("line", "beta", "isotonic")),
    ("level falls, 60 wins", dict(n_accounts=1_200, after=along(-0.5, 1.0)), ("shift", "line", "beta", "isotonic")),
    ("level falls, accounts of 8", dict(n_accounts=800, contacts=8, after=along(-0.5, 1.0)), ("shift", "line", "beta", "isotonic")),
]


def likelihoods(folder, model, world):
    """Whether the interval of each open lead holds its chance."""
    base.run(folder, "score", model, "--intervals", "-o", "s.csv", expect=0)
    with open(folder / "s.csv", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["lead_id"] in world.open]
    within = lambda row: float(row["likelihood_low"]) <= 100 * world.truth[row["lead_id"]] <= float(row["likelihood_high"])
    return [within(row) for row in rows]


def recalibrations(folder, world, kinds):
    """The same before, and after each of these kinds of recalibration."""
    world.save(folder)
    base.run(folder, "train", "--as-of", CUT, "-o", "m.leadscore", expect=0)
    found = {"before": likelihoods(folder, "m.leadscore", world)}
    for kind in kinds:
        done = base.run(folder, "recalibrate", "m.leadscore", "--kind", kind, "-o", "n.leadscore", expect=None)
        if done.returncode:
            assert "a break runs through" in done.stderr, done.stderr
            return {}
        found[kind] = likelihoods(folder, "n.leadscore", world)
    return found


def trial(folder, world):
    """The verdict, and whether each interval holds the truth."""
    world.save(folder)
    trained = base.run(folder, "train", "--as-of", CUT, "-o", "m.leadscore", expect=0)
    base.run(folder, "evaluate", "m.leadscore", "--json", "r.json", "--scores", "p.csv", expect=0)
    report = json.loads((folder / "r.json").read_text())
    found = report["evaluation"]
    with open(folder / "p.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    chances = [world.truth[row["lead_id"]] for row in rows]
    holds = lambda interval, truth: interval["low"] - 1e-9 <= truth <= interval["high"] + 1e-9
    mean = sum(chances) / len(chances)
    covered = {"rate": [holds(found["base_rate_interval"], mean)]}
    # Of a model without a signal, an interval is that of the win rate, not of a lead.
    covered["likelihoods"] = [] if "no signal" in trained.stdout + trained.stderr else likelihoods(folder, "m.leadscore", world)
    covered["AUC"] = [holds(found["ranking"]["roc_auc"], auc_of([float(row["likelihood_to_close"]) for row in rows], chances))]
    tiers = collections.defaultdict(list)
    for row, chance in zip(rows, chances):
        tiers[row["contact_priority"]].append(chance)
    covered["tiers"] = [holds(tier["interval"], sum(own) / len(own)) for tier in found["tiers"] if (own := tiers.get(tier["tier"])) and tier["n_rows"]]
    pair = report["comparison"]["paired"][0]["verdict"]
    return report["calibration"]["kind"], covered, pair


def tried(world):
    seed, row = world
    with tempfile.TemporaryDirectory() as folder:
        return trial(pathlib.Path(folder), World(seed, **ROWS[row][1]))


def recalibrated_world(world):
    seed, row = world
    _, arguments, kinds = RECALIBRATED[row]
    with tempfile.TemporaryDirectory() as folder:
        return recalibrations(pathlib.Path(folder), World(seed, **arguments), kinds)


def main(arguments):
    parser = argparse.ArgumentParser()
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args(arguments)
    share = lambda values: f"{100 * sum(values) / len(values):.1f} %" if values else ""
    lines = [
        "| world | worlds | verdicts | right | rate | AUC | tiers | likelihoods | winner over random points |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: | ---: |",
    ]
    wrong = []
    # The command takes a core, and so does the making of a world.
    with concurrent.futures.ProcessPoolExecutor() as pool:
        for row, (name, arguments, right) in enumerate(ROWS):
            kinds, covered, pairs = collections.Counter(), collections.defaultdict(list), collections.Counter()
            worlds = [(f"{options.seed} {name} {number}", row) for number in range(options.n)]
            for kind, holds, pair in pool.map(tried, worlds):
                kinds[kind] += 1
                pairs[pair] += 1
                for what, values in holds.items():
                    covered[what] += values
            n_right = sum(count for kind, count in kinds.items() if kind in right)
            winners = sum(count for verdict, count in pairs.items() if verdict.lower() in ("better", "worse"))
            said = ", ".join(f"{kind.replace('_', ' ')} {count}" for kind, count in kinds.most_common())
            knows_nothing = arguments.get("effect") == 0.0
            winner = f"{100 * winners / options.n:.1f} %" if knows_nothing else ""
            # A model of an earlier world is not asked for the chances of a later one.
            own = "" if "after" in arguments or "unit" in arguments or "renamed" in arguments or knows_nothing else share(covered["likelihoods"])
            lines.append(f"| {name} | {options.n} | {said} | {100 * n_right / options.n:.1f} % | {share(covered['rate'])} | {share(covered['AUC'])} | {share(covered['tiers'])} | {own} | {winner} |")
            print(lines[-1], flush=True)
            # A standard error of five per cent and of ninety-five, with so many worlds.
            room = 3 * math.sqrt(0.05 * 0.95 / options.n)
            if name.startswith(("unchanged", "accounts", "nothing")) and n_right < options.n * (0.95 - room) or name.endswith("0.3") and n_right < options.n * (0.95 - room):
                wrong.append(name)
            if knows_nothing and winners > options.n * (0.05 + room):
                wrong.append(f"{name}: a winner")
        recalibrated = ["| world | worlds | before | shift | line | beta | isotonic |", "| --- | ---: | ---: | ---: | ---: | ---: | ---: |"]
        for row, (name, _, _) in enumerate(RECALIBRATED):
            covered = collections.defaultdict(list)
            found = list(pool.map(recalibrated_world, [(f"{options.seed} {name} {number}", row) for number in range(options.n)]))
            for one in found:
                for kind, values in one.items():
                    covered[kind] += values
            n_refused = sum(not one for one in found)
            recalibrated.append(f"| {name} | {options.n - n_refused} | " + " | ".join(share(covered[kind]) for kind in ("before", "shift", "line", "beta", "isotonic")) + " |")
            print(recalibrated[-1], f"({n_refused} refused)", flush=True)
    if options.write:
        put("worlds", lines)
        put("recalibrations", recalibrated)
    print("wrong: " + ", ".join(wrong) if wrong else "all as said")
    return len(wrong)


def put(name, lines):
    """A table in the place that the docs have for it."""
    begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
    head, rest = DOCS.read_text().split(begin)
    DOCS.write_text(f"{head}{begin}\n" + "\n".join(lines) + f"\n{end}{rest.split(end)[1]}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
