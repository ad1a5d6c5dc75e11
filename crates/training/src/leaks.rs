//! Attributes that look as if they knew the outcome: today's values of a CRM that was edited after
//! the sale.

mod finding;
mod groups;

mod clusters;
mod dates;
mod final_states;

use leadscore_core::{FeatureMatrix, counted};
use leadscore_metrics::roc_auc;

pub use self::clusters::{FinalInput, FinalState};
pub use self::dates::{DatedClosing, written_at_close};
pub use self::final_states::find_final_leaks;
pub use self::finding::{LeakFinding, LeakVerdict};

use self::finding::has_no_history;
use self::groups::{cross_fitted_rates, group_rows};

/// An attribute that ranks this well alone has seen the answer.
const PROVEN_AUC: f64 = 0.97;
/// An attribute that ranks this well alone is rare among those known at creation.
const SUSPICIOUS_AUC: f64 = 0.80;
/// Filled so much more often for one class that being filled is itself the answer.
const SUSPICIOUS_FILL_GAP: f64 = 0.30;
/// Rows that are needed before "only for one class" means anything.
const MIN_FILLED: usize = 20;
/// From this AUC on, a name that speaks of something sales overwrites is worth a look.
const NAMED_AUC: f64 = 0.58;
const OVERWRITTEN_NAMES: [&str; 14] = [
    "last ",
    "last_",
    "tag",
    "stage",
    "status",
    "quality",
    "lead profile",
    "lead_profile",
    "reason",
    "close",
    "won",
    "lost",
    "owner",
    "converted",
];

/// Judges every attribute that has no history: `with_history` names the columns of the leads that
/// have one.
///
/// The AUC is that of the win rate of the attribute's level (or twentieth of its range), taken from
/// the other half of the leads, so that a column with a different value in each row gains nothing.
///
/// # Shapes
///
/// `labels` and `clusters` are `(n_rows,)`, in the order of the matrix.
pub fn find_leaks(
    matrix: &FeatureMatrix,
    labels: &[bool],
    clusters: &[u64],
    with_history: &[String],
) -> Vec<LeakFinding> {
    let n_won = labels.iter().filter(|label| **label).count();
    if n_won == 0 || n_won == labels.len() {
        return Vec::new();
    }
    (0..matrix.n_features())
        .filter(|&idx| has_no_history(matrix, idx, with_history))
        .map(|idx| judge(matrix, labels, clusters, idx, n_won))
        .collect()
}

/// Findings by snapshots, with what where leads ended proves in their place.
#[must_use]
pub fn with_final(mut findings: Vec<LeakFinding>, proven: &[LeakFinding]) -> Vec<LeakFinding> {
    for finding in findings
        .iter_mut()
        .filter(|finding| finding.verdict != LeakVerdict::Proven)
    {
        let was_suspicious = finding.verdict == LeakVerdict::Suspicious;
        if let Some(proven) = proven
            .iter()
            .find(|proven| proven.feature == finding.feature)
        {
            finding.verdict = proven.verdict;
            if proven.verdict == LeakVerdict::Suspicious && was_suspicious {
                finding.evidence = format!("{}; {}", finding.evidence, proven.evidence);
            } else {
                finding.evidence.clone_from(&proven.evidence);
            }
        }
    }
    findings
}

/// Judges one attribute by snapshots.
fn judge(
    matrix: &FeatureMatrix,
    labels: &[bool],
    clusters: &[u64],
    idx: usize,
    n_won: usize,
) -> LeakFinding {
    let feature = matrix.specs()[idx].name.clone();
    let groups = group_rows(matrix, idx);
    let filled = |wanted: bool| {
        (0..labels.len())
            .filter(|&row| labels[row] == wanted && groups[row] != 0)
            .count()
    };
    let (filled_won_rows, filled_lost_rows) = (filled(true), filled(false));
    let (filled_won, filled_lost) = (
        filled_won_rows as f64 / n_won as f64,
        filled_lost_rows as f64 / (labels.len() - n_won) as f64,
    );
    let auc = roc_auc(labels, &cross_fitted_rates(&groups, labels, clusters)).unwrap_or(0.5);
    let per_cent = |share: f64| format!("{:.0} %", share * 100.0);
    let name = feature.to_lowercase();
    let only_one_class = (filled_won_rows == 0 || filled_lost_rows == 0)
        && filled_won_rows.max(filled_lost_rows) >= MIN_FILLED;
    let (verdict, evidence) = if only_one_class {
        let kind = if filled_lost_rows == 0 {
            "won row"
        } else {
            "other row"
        };
        (
            LeakVerdict::Proven,
            format!(
                "filled for {} and for no others",
                counted(filled_won_rows.max(filled_lost_rows), kind)
            ),
        )
    } else if auc >= PROVEN_AUC {
        (
            LeakVerdict::Proven,
            format!("alone it tells won from others with an AUC of {auc:.3}"),
        )
    } else if auc >= SUSPICIOUS_AUC {
        (
            LeakVerdict::Suspicious,
            format!("alone it tells won from others with an AUC of {auc:.3}"),
        )
    } else if (filled_won - filled_lost).abs() >= SUSPICIOUS_FILL_GAP {
        (
            LeakVerdict::Suspicious,
            format!(
                "filled for {} of won rows and {} of others",
                per_cent(filled_won),
                per_cent(filled_lost)
            ),
        )
    } else if auc >= NAMED_AUC && OVERWRITTEN_NAMES.iter().any(|hint| name.contains(hint)) {
        (
            LeakVerdict::Suspicious,
            format!(
                "by its name it is overwritten as a lead is worked, and alone it has an AUC of {auc:.3}"
            ),
        )
    } else {
        (LeakVerdict::Clean, format!("AUC alone {auc:.3}"))
    };
    LeakFinding {
        feature,
        verdict,
        auc,
        filled_won,
        filled_lost,
        evidence,
    }
}
