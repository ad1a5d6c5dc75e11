//! Tries the rule of promotion in worlds whose truth is known, and writes what it found into the
//! tables of a page: `promotion_worlds [docs/promotion-worlds.md [CYCLES [TABLE…]]]`.

mod cycles;
mod drift;
mod world;

use std::fmt::Write as _;

use leadscore_monitoring::Looks;
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use self::cycles::{Edge, WorldError, at_the_edge, without_drift, year};
use self::drift::{Change, POLICIES, Policy, Shipped, two_years};
use self::world::Error;

type Table = fn(u64) -> Result<String, WorldError>;

/// The tables of the page by name, each with a number of cycles.
const TABLES: [(&str, Table); 4] = [
    ("cycles", cycles_table),
    ("edge", edge_table),
    ("looks", |n| looks_table(n / 5)),
    ("drift", |n| drift_table(n / 20)),
];

fn main() -> Result<(), WorldError> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments
        .next()
        .unwrap_or_else(|| "docs/promotion-worlds.md".to_owned());
    let n = arguments
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(1_000);
    let wanted: Vec<String> = arguments.collect();
    for (name, table) in TABLES {
        if wanted.is_empty() || wanted.iter().any(|wanted| wanted == name) {
            let table = table(n)?;
            let page = std::fs::read_to_string(&file)?;
            std::fs::write(&file, replaced(&page, name, &table))?;
        }
    }
    Ok(())
}

/// The page with another table between the comments of this name; at its end where it has none.
fn replaced(page: &str, name: &str, table: &str) -> String {
    let (from, to) = (
        format!("<!-- {name} -->\n"),
        format!("<!-- end of {name} -->"),
    );
    match (page.find(&from), page.find(&to)) {
        (Some(start), Some(end)) if start < end => {
            let start = start + from.len();
            format!("{}{table}{}", &page[..start], &page[end..])
        }
        _ => format!("{page}\n{from}{table}{to}\n"),
    }
}

fn percent(part: usize, whole: usize) -> String {
    if whole == 0 {
        "–".to_owned()
    } else {
        format!("{:.1} %", 100.0 * part as f64 / whole as f64)
    }
}

fn cycles_table(n: u64) -> Result<String, WorldError> {
    let mut text = String::from(
        "| champion | cycles | cannot tell | promoted | truly better | truly worse by more than the margin | of challengers worse by 1 to 3 margins, promoted |\n| --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let found = without_drift(n, 1 << 40)?;
    for (name, cycles) in ["young", "too old"].into_iter().zip(found) {
        let _ = writeln!(
            text,
            "| {name} | {} | {} | {} | {} | {} ({}) | {} of {} |",
            cycles.n,
            cycles.cannot_tell,
            cycles.promoted,
            cycles.better,
            cycles.worse_beyond_margin,
            percent(cycles.worse_beyond_margin, cycles.n),
            cycles.near_promoted,
            cycles.near,
        );
    }
    Ok(text)
}

fn edge_table(n: u64) -> Result<String, WorldError> {
    let mut text = String::from(
        "| later rows | win rate | error of noise | of both, noise | of level | of slope |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let edges = [
        Edge::Of(Error::Noise),
        Edge::Both,
        Edge::Of(Error::Level),
        Edge::Of(Error::Slope),
    ];
    for n_rows in [300, 1_000, 3_000, 30_000] {
        for rate in [0.02, 0.1, 0.4] {
            let n = if n_rows == 30_000 { n / 5 } else { n };
            let cells = edges
                .into_par_iter()
                .map(|edge| at_the_edge((n, 77), (n_rows, rate, edge)))
                .collect::<Result<Vec<_>, _>>()?;
            let cells: Vec<String> = cells
                .into_iter()
                .map(|(told, promoted)| {
                    if told * 10 < usize::try_from(n).unwrap_or(0) {
                        "cannot tell".to_owned()
                    } else {
                        percent(promoted, told)
                    }
                })
                .collect();
            let _ = writeln!(
                text,
                "| {n_rows} | {:.0} % | {} |",
                100.0 * rate,
                cells.join(" | ")
            );
        }
    }
    Ok(text)
}

fn looks_table(n: u64) -> Result<String, WorldError> {
    let mut text = String::from(
        "| challenger | champion | rows a month | looks | at the first | within 3 | within 6 | within 12 | median |\n| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n",
    );
    let mut cases = Vec::new();
    for (name, gain, is_too_old) in [
        ("worse by the margin", -0.005, true),
        ("worse by the margin", -0.005, false),
        ("equal", 0.0, false),
        ("better by 0.5 %", 0.005, false),
        ("better by 1 %", 0.01, false),
        ("better by 2 %", 0.02, false),
        ("better by 5 %", 0.05, false),
    ] {
        for n_rows in [1_000, 3_000, 10_000] {
            for looks in [Looks::One, Looks::Any] {
                cases.push((name, gain, is_too_old, n_rows, looks));
            }
        }
    }
    let lines = cases
        .into_par_iter()
        .map(|(name, gain, is_too_old, n_rows, looks)| {
            let found = year((n, 5), (n_rows, 0.1, gain), (is_too_old, looks))?;
            let [one, three, six, twelve] = found.within.map(|share| format!("{:.0} %", 100.0 * share));
            let age = if is_too_old { "too old" } else { "young" };
            let looks = match looks {
                Looks::One => "each its month",
                Looks::Any => "all so far",
            };
            let median = found.median.map_or("–".to_owned(), |look| look.to_string());
            Ok(format!(
                "| {name} | {age} | {n_rows} | {looks} | {one} | {three} | {six} | {twelve} | {median} |\n"
            ))
        })
        .collect::<Result<Vec<String>, WorldError>>()?;
    text.extend(lines);
    Ok(text)
}

fn drift_table(n: u64) -> Result<String, WorldError> {
    let mut text = String::from(
        "| world | rows a month | policy | true log-loss against the oracle | promotions | of these worse by more than the margin |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    let quiet = Change {
        walk: 0.0,
        breaks: false,
    };
    let drifting = Change {
        walk: 0.05,
        breaks: false,
    };
    let fast = Change {
        walk: 0.12,
        breaks: false,
    };
    let broken = Change {
        walk: 0.05,
        breaks: true,
    };
    for (name, change) in [
        ("no drift", quiet),
        ("drift", drifting),
        ("fast drift", fast),
        ("drift, and three broken months", broken),
    ] {
        for n_rows in [500, 3_000] {
            let found = (0..n)
                .into_par_iter()
                .map(|seed| two_years(seed, (n_rows, 0.15, change)))
                .collect::<Result<Vec<_>, _>>()?;
            let mean = |idx: usize, of: fn(&Shipped) -> f64| {
                found.iter().map(|all| of(&all[idx])).sum::<f64>() / found.len() as f64
            };
            let oracle = mean(POLICIES.len() - 1, |shipped| shipped.loss);
            for (idx, policy) in POLICIES.into_iter().enumerate() {
                let policy = match policy {
                    Policy::Never => "never",
                    Policy::Always => "always the newest",
                    Policy::Compared => "by the rule, the compared model",
                    Policy::Refit => "by the rule, the recipe on everything",
                    Policy::Aged => "by the rule at its age, the recipe on everything",
                    Policy::Oracle => continue,
                };
                let _ = writeln!(
                    text,
                    "| {name} | {n_rows} | {policy} | {:+.2} % | {:.1} | {:.1} |",
                    100.0 * (mean(idx, |shipped| shipped.loss) / oracle - 1.0),
                    mean(idx, |shipped| shipped.promotions),
                    mean(idx, |shipped| shipped.wrong),
                );
            }
        }
    }
    Ok(text)
}
