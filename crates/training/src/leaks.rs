//! Attributes that look as if they knew the outcome: today's values of a CRM that was edited after the sale.

use leadscore_core::{FeatureMatrix, FeatureSource};
use leadscore_metrics::roc_auc;

/// What an attribute is suspected of.
#[derive(Debug, Clone, PartialEq)]
pub struct LeakFinding {
    /// Name of the feature.
    pub feature: String,
    /// How sure.
    pub verdict: LeakVerdict,
    /// AUC of this attribute alone, cross-fitted, 0.5 or above.
    pub auc: f64,
    /// Share of won rows that have a value, 0 to 1.
    pub filled_won: f64,
    /// Share of other rows that have a value, 0 to 1.
    pub filled_lost: f64,
    /// What speaks for it, in words.
    pub evidence: String,
}

/// How sure it is that an attribute knows the outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LeakVerdict {
    /// Nothing speaks for it.
    Clean,
    /// Worth a look: trained on, and named in every report.
    Suspicious,
    /// Left out of training unless told otherwise.
    Proven,
}

/// An attribute that ranks this well alone has seen the answer.
const PROVEN_AUC: f64 = 0.97;
/// An attribute that ranks this well alone is rare among those known at creation.
const SUSPICIOUS_AUC: f64 = 0.80;
/// Filled so much more often for one class that being filled is itself the answer.
const SUSPICIOUS_FILL_GAP: f64 = 0.30;
/// Rows that are needed before "only for one class" means anything.
const MIN_FILLED: usize = 20;
/// Bins of a number, and pseudo-rows that pull the rate of a seldom level to the base rate.
const N_BINS: usize = 20;
const PRIOR_ROWS: f64 = 20.0;
/// From this AUC on, a name that speaks of something sales overwrites is worth a look.
const NAMED_AUC: f64 = 0.58;
const OVERWRITTEN_NAMES: [&str; 14] =
    ["last ", "last_", "tag", "stage", "status", "quality", "lead profile", "lead_profile", "reason", "close", "won", "lost", "owner", "converted"];

/// Judges every attribute that has no history: `with_history` names the columns of the leads that have one.
///
/// The AUC is that of the win rate of the attribute's level (or twentieth of its range), taken from the other half of the
/// leads, so that a column with a different value in each row gains nothing.
///
/// # Shapes
///
/// `labels` and `lead_keys` are `(n_rows,)`, in the order of the matrix.
pub fn find_leaks(matrix: &FeatureMatrix, labels: &[bool], lead_keys: &[u64], with_history: &[String]) -> Vec<LeakFinding> {
    let n_won = labels.iter().filter(|label| **label).count();
    if n_won == 0 || n_won == labels.len() {
        return Vec::new();
    }
    (0..matrix.n_features())
        .filter(|&idx| match &matrix.specs()[idx].source {
            FeatureSource::Attribute { column, .. } => !with_history.contains(column),
            _ => false,
        })
        .map(|idx| judge(matrix, labels, lead_keys, idx, n_won))
        .collect()
}

fn judge(matrix: &FeatureMatrix, labels: &[bool], lead_keys: &[u64], idx: usize, n_won: usize) -> LeakFinding {
    let feature = matrix.specs()[idx].name.clone();
    let groups = group_rows(matrix, idx);
    let filled = |wanted: bool| (0..labels.len()).filter(|&row| labels[row] == wanted && groups[row] != 0).count();
    let (filled_won_rows, filled_lost_rows) = (filled(true), filled(false));
    let (filled_won, filled_lost) = (filled_won_rows as f64 / n_won as f64, filled_lost_rows as f64 / (labels.len() - n_won) as f64);
    let auc = roc_auc(labels, &cross_fitted_rates(&groups, labels, lead_keys)).unwrap_or(0.5);
    let per_cent = |share: f64| format!("{:.0} %", share * 100.0);
    let name = feature.to_lowercase();
    let only_one_class = (filled_won_rows == 0 || filled_lost_rows == 0) && filled_won_rows.max(filled_lost_rows) >= MIN_FILLED;
    let (verdict, evidence) = if only_one_class {
        let whom = if filled_lost_rows == 0 { "won" } else { "other" };
        (LeakVerdict::Proven, format!("filled for {} {whom} rows and for no others", filled_won_rows.max(filled_lost_rows)))
    } else if auc >= PROVEN_AUC {
        (LeakVerdict::Proven, format!("alone it tells won from others with an AUC of {auc:.3}"))
    } else if auc >= SUSPICIOUS_AUC {
        (LeakVerdict::Suspicious, format!("alone it tells won from others with an AUC of {auc:.3}"))
    } else if (filled_won - filled_lost).abs() >= SUSPICIOUS_FILL_GAP {
        (LeakVerdict::Suspicious, format!("filled for {} of won rows and {} of others", per_cent(filled_won), per_cent(filled_lost)))
    } else if auc >= NAMED_AUC && OVERWRITTEN_NAMES.iter().any(|hint| name.contains(hint)) {
        (LeakVerdict::Suspicious, format!("its name speaks of something that is overwritten as a lead is worked, and alone it has an AUC of {auc:.3}"))
    } else {
        (LeakVerdict::Clean, format!("AUC alone {auc:.3}"))
    };
    LeakFinding { feature, verdict, auc, filled_won, filled_lost, evidence }
}

/// A group number for each row: 0 for missing, else the level, or the bin of equal size of a number.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a category holds an index that was a usize")]
fn group_rows(matrix: &FeatureMatrix, idx: usize) -> Vec<usize> {
    let values = matrix.column(idx);
    if matrix.is_category(idx) {
        return values.iter().map(|value| if value.is_nan() { 0 } else { *value as usize + 1 }).collect();
    }
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    let mut edges: Vec<f64> = (1..N_BINS).filter_map(|bin| sorted.get(bin * sorted.len() / N_BINS).copied()).collect();
    edges.dedup();
    values.iter().map(|value| if value.is_nan() { 0 } else { 1 + edges.partition_point(|edge| edge <= value) }).collect()
}

/// The win rate of each row's group in the other half of the leads, pulled to that half's base rate.
fn cross_fitted_rates(groups: &[usize], labels: &[bool], lead_keys: &[u64]) -> Vec<f64> {
    let n_groups = groups.iter().max().map_or(1, |max| max + 1);
    let mut counts = vec![[(0.0, 0.0); 2]; n_groups];
    let mut totals = [(0.0_f64, 0.0_f64); 2];
    let half = |row: usize| (lead_keys[row] >> 7) as usize & 1;
    for row in 0..labels.len() {
        let win = f64::from(u8::from(labels[row]));
        for total in [&mut counts[groups[row]][half(row)], &mut totals[half(row)]] {
            *total = (total.0 + win, total.1 + 1.0);
        }
    }
    (0..labels.len())
        .map(|row| {
            let other = 1 - half(row);
            let base = totals[other].0 / totals[other].1.max(1.0);
            let (wins, rows) = counts[groups[row]][other];
            // Against the base rate of its own half of the data: two halves with different rates would rank by half.
            (wins + PRIOR_ROWS * base) / (rows + PRIOR_ROWS) - base
        })
        .collect()
}
