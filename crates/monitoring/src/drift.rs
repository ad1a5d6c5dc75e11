//! Whether what a model reads has moved since training, in log-odds: what a change of the leads
//! does to their likelihoods.

mod concept;
mod moved;
mod population;
mod side;

use std::collections::BTreeSet;

use leadscore_metrics::Clusters;
use rayon::iter::{IntoParallelRefIterator, ParallelIterator};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use self::concept::figures_of;
use self::moved::{benjamini_hochberg, kind_of};
use self::side::Side;

pub use self::concept::{ConceptDrift, DriftKind};

/// The contributions of a concept, or of a term: log-odds that it adds to each row.
#[derive(Debug, Clone, Copy)]
pub struct Column<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its log-odds in each row; what is not finite counts as missing.
    pub values: &'a [f64],
}

/// Contributions of some rows, by concept.
#[derive(Debug, Clone, Copy)]
pub struct Contributions<'a> {
    /// One column a concept, of as many rows each.
    pub columns: &'a [Column<'a>],
    /// The cluster of each row: rows of one cluster are not independent.
    pub clusters: &'a [u64],
}

/// What counts as moved.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct DriftOptions {
    /// A change of the mean up to this many log-odds does not matter, however sure it is; default
    /// 0.1, which makes 21.6 % of 20 %.
    pub tolerance: f64,
    /// A population stability index up to this does not matter; default 0.1.
    pub psi_tolerance: f64,
    /// The expected share of false ones among the concepts that are found to have moved; default
    /// 0.05.
    pub false_discovery_rate: f64,
    /// Fewest effective rows, and fewest clusters, on either side from which anything is concluded;
    /// default 30.
    pub fewest: f64,
    /// Nothing is concluded of a concept where less than this change of the mean, in log-odds,
    /// would have been missed half of the time; default 0.5.
    pub largest_missed: f64,
}

impl Default for DriftOptions {
    fn default() -> Self {
        Self {
            tolerance: 0.1,
            psi_tolerance: 0.1,
            false_discovery_rate: 0.05,
            fewest: 30.0,
            largest_missed: 0.5,
        }
    }
}

/// What has moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Drift {
    /// Every concept, what moved most first, then by name.
    pub concepts: Vec<ConceptDrift>,
    /// The mean change of all log-odds together, over the concepts that both sides have.
    pub total_shift: f64,
    /// Rows at reference and now.
    pub n_rows: (usize, usize),
    /// Clusters at reference and now.
    pub n_clusters: (usize, usize),
    /// The options it was judged by.
    pub options: DriftOptions,
}

impl Drift {
    /// The concepts that have moved, the largest change first.
    pub fn moved(&self) -> impl Iterator<Item = &ConceptDrift> {
        self.concepts
            .iter()
            .filter(|concept| concept.kind.is_moved())
    }
}

/// Why drift cannot be computed: the input is not what was promised.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum DriftError {
    /// A column has another number of rows than there are clusters.
    #[error(
        "`{name}` has {found} contributions {side}, and there are {n_rows} rows\n  hint: give one contribution a row"
    )]
    Length {
        /// The column.
        name: String,
        /// "at reference" or "now".
        side: &'static str,
        /// Its length.
        found: usize,
        /// Rows.
        n_rows: usize,
    },
    /// Two columns of one side have one name.
    #[error("two columns {side} are named `{name}`\n  hint: give each concept one column")]
    Twice {
        /// The name.
        name: String,
        /// "at reference" or "now".
        side: &'static str,
    },
    /// An option is out of its range.
    #[error("`{name}` is {found}\n  hint: expected {expected}")]
    Option {
        /// Its name.
        name: &'static str,
        /// What was found.
        found: f64,
        /// What was expected.
        expected: &'static str,
    },
}

/// Compares the contributions of today's leads with those of the reference, concept by concept.
///
/// A concept has moved where one of these is beyond chance, with the false discovery rate of the
/// options over all concepts (Benjamini and Hochberg):
///
/// ```text
/// level   |δ| > tolerance                 by t, error by cluster,  δ = mean now − mean at reference
/// shape   PSI > psi_tolerance             by non-central χ², and W > tolerance
///
/// PSI = ∑ (qₖ − pₖ) ln(qₖ / pₖ)           over tenths of the reference, of share pₖ then and qₖ now
/// PSI · nm/(n + m)  ~  χ²(bins − 1, non-centrality psi_tolerance · nm/(n + m))
/// W = ∫ |quantile now − quantile at reference|,   in log-odds
/// ```
///
/// with `n` and `m` the effective rows: rows divided by their design effect, by cluster. Both tests
/// ask whether a change is larger than what does not matter, and not whether there is any: so a
/// million rows raise no alarm where nothing that matters has changed. What moves without moving
/// likelihoods, `W` below the tolerance, is the same.
///
/// # Errors
///
/// [`DriftError`].
///
/// # References
///
/// Population Resemblance Statistic: arXiv 2307.11878v3 (2025); Rao and Scott (1981), Journal of
/// the American Statistical Association 76, on design effects; Benjamini and Hochberg (1995),
/// Journal of the Royal Statistical Society B 57(1).
pub fn drift(
    reference: &Contributions<'_>,
    current: &Contributions<'_>,
    options: &DriftOptions,
) -> Result<Drift, DriftError> {
    check_options(options)?;
    check(reference, "at reference")?;
    check(current, "now")?;
    let clusters = (
        Clusters::new(reference.clusters),
        Clusters::new(current.clusters),
    );
    let names: BTreeSet<&str> = reference
        .columns
        .iter()
        .chain(current.columns)
        .map(|column| column.name)
        .collect();
    let names: Vec<&str> = names.into_iter().collect();
    let figures: Vec<_> = names
        .par_iter()
        .map(|name| {
            let side = |contributions: &Contributions<'_>, clusters: &Clusters| {
                contributions
                    .columns
                    .iter()
                    .find(|column| column.name == *name)
                    .map(|column| Side::of(column.values, clusters))
            };
            figures_of(
                name,
                side(reference, &clusters.0).as_ref(),
                side(current, &clusters.1).as_ref(),
                options,
            )
        })
        .collect();
    let found = benjamini_hochberg(
        &figures.iter().map(|figures| figures.p).collect::<Vec<_>>(),
        options.false_discovery_rate,
    );
    let mut concepts: Vec<ConceptDrift> = figures
        .into_iter()
        .zip(found)
        .map(|(figures, is_found)| {
            let kind = kind_of(&figures, is_found, options);
            figures.into_drift(kind)
        })
        .collect();
    concepts.sort_by(|a, b| {
        let size = |concept: &ConceptDrift| {
            if concept.kind.is_moved() {
                concept.distance
            } else {
                -1.0
            }
        };
        size(b)
            .total_cmp(&size(a))
            .then_with(|| a.name.cmp(&b.name))
    });
    Ok(Drift {
        total_shift: concepts
            .iter()
            .map(|concept| concept.shift)
            .filter(|shift| shift.is_finite())
            .sum(),
        concepts,
        n_rows: (reference.clusters.len(), current.clusters.len()),
        n_clusters: (clusters.0.len(), clusters.1.len()),
        options: *options,
    })
}

fn check(contributions: &Contributions<'_>, side: &'static str) -> Result<(), DriftError> {
    let mut names = BTreeSet::new();
    for column in contributions.columns {
        if column.values.len() != contributions.clusters.len() {
            return Err(DriftError::Length {
                name: column.name.to_owned(),
                side,
                found: column.values.len(),
                n_rows: contributions.clusters.len(),
            });
        }
        if !names.insert(column.name) {
            return Err(DriftError::Twice {
                name: column.name.to_owned(),
                side,
            });
        }
    }
    Ok(())
}

fn check_options(options: &DriftOptions) -> Result<(), DriftError> {
    for (name, found, most, expected) in [
        (
            "tolerance",
            options.tolerance,
            f64::MAX,
            "a finite number of 0 or more",
        ),
        (
            "psi_tolerance",
            options.psi_tolerance,
            f64::MAX,
            "a finite number of 0 or more",
        ),
        (
            "false_discovery_rate",
            options.false_discovery_rate,
            1.0,
            "a share from 0 to 1",
        ),
        (
            "fewest",
            options.fewest,
            f64::MAX,
            "a finite number of 0 or more",
        ),
        (
            "largest_missed",
            options.largest_missed,
            f64::MAX,
            "a finite number of 0 or more",
        ),
    ] {
        if !(0.0..=most).contains(&found) {
            return Err(DriftError::Option {
                name,
                found,
                expected,
            });
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
