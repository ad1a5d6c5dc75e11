//! Tries drift in worlds whose drift is known, and writes what it found into the table of a page:
//! `drift_worlds [docs/monitoring-statistics.md [WORLDS]]`.

use std::fmt::Write as _;

use leadscore_monitoring::{
    Column, Contributions, Drift, DriftError, DriftKind, DriftOptions, drift,
};
use rand::rngs::ChaCha8Rng;
use rand::{Rng, SeedableRng};
use thiserror::Error;

const N_CONCEPTS: usize = 10;

/// What may go wrong, and never should.
#[derive(Debug, Error)]
enum WorldError {
    #[error(transparent)]
    Drift(#[from] DriftError),
    #[error("the page cannot be read or written")]
    Page(#[from] std::io::Error),
}

struct Draws(ChaCha8Rng);

impl Draws {
    fn uniform(&mut self) -> f64 {
        ((self.0.next_u64() >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

/// Rows in clusters of three that are alike, with `shift` more log-odds in the first concept; even
/// concepts are spread by 0.5, odd ones have three values.
fn rows(seed: u64, n: usize, shift: f64) -> (Vec<Vec<f64>>, Vec<u64>) {
    let mut draws = Draws(ChaCha8Rng::seed_from_u64(seed));
    let columns = (0..N_CONCEPTS).map(|concept| {
        let mut of_cluster = 0.0;
        let values = (0..n).map(|row| {
            if row % 3 == 0 {
                of_cluster = draws.normal();
            }
            let value = 0.8 * of_cluster + 0.6 * draws.normal();
            if concept % 2 == 1 {
                0.5 * value.clamp(-1.0, 1.0).round()
            } else if concept == 0 {
                0.5 * value + shift
            } else {
                0.5 * value
            }
        });
        values.collect()
    });
    (
        columns.collect(),
        (0..n).map(|row| (row / 3) as u64).collect(),
    )
}

fn compare(world: u64, n: usize, shift: f64) -> Result<Drift, DriftError> {
    let names: Vec<String> = (0..N_CONCEPTS).map(|idx| idx.to_string()).collect();
    let (then, now) = (rows(2 * world, n, 0.0), rows(2 * world + 1, n, shift));
    fn columns<'a>(names: &'a [String], values: &'a [Vec<f64>]) -> Vec<Column<'a>> {
        let named = names.iter().zip(values);
        named
            .map(|(name, values)| Column { name, values })
            .collect()
    }
    drift(
        &Contributions {
            columns: &columns(&names, &then.0),
            clusters: &then.1,
        },
        &Contributions {
            columns: &columns(&names, &now.0),
            clusters: &now.1,
        },
        &DriftOptions::default(),
    )
}

fn main() -> Result<(), WorldError> {
    let mut arguments = std::env::args().skip(1);
    let file = arguments
        .next()
        .unwrap_or_else(|| "docs/monitoring-statistics.md".to_owned());
    let worlds = arguments
        .next()
        .and_then(|n| n.parse().ok())
        .unwrap_or(200_u64);
    let mut table = String::from(
        "| rows at reference and now | worlds | drift of the first concept | found | worlds in which another concept was found | cannot tell |\n| --- | --- | --- | --- | --- | --- |\n",
    );
    for (n, worlds) in [
        (100, worlds),
        (1_000, worlds),
        (10_000, worlds.div_ceil(4)),
        (100_000, worlds.div_ceil(40)),
        (1_000_000, worlds.div_ceil(100)),
    ] {
        for shift in [0.0, 0.05, 0.2, 0.5] {
            let (mut found, mut others, mut unknown) = (0, 0, 0);
            for world in 0..worlds {
                let drift = compare(world, n, shift)?;
                found += u64::from(drift.moved().any(|concept| concept.name == "0"));
                others += u64::from(drift.moved().any(|concept| concept.name != "0"));
                unknown += u64::from(drift.concepts.iter().any(|concept| {
                    concept.name == "0" && concept.kind == DriftKind::CannotTellTooFew
                }));
            }
            let _ = writeln!(
                table,
                "| {n} | {worlds} | {shift} | {found} | {others} | {unknown} |"
            );
        }
    }
    let page = std::fs::read_to_string(&file)?;
    let (from, to) = ("<!-- drift -->\n", "<!-- end of drift -->");
    let page = match (page.find(from), page.find(to)) {
        (Some(start), Some(end)) if start < end => {
            format!("{}{table}{}", &page[..start + from.len()], &page[end..])
        }
        _ => format!("{page}\n{from}{table}{to}\n"),
    };
    Ok(std::fs::write(file, page)?)
}
