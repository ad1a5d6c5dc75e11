//! What was found about each attribute of the leads.

use leadscore_core::FeatureSpec;
use leadscore_dataset::Tables;
use leadscore_features::{LateEntries, late_entries};
use leadscore_training::{LeakFinding, LeakVerdict};
use serde::Serialize;

#[derive(Debug, Serialize)]
pub(super) struct AttributeFinding {
    pub(super) attribute: String,
    /// The column of which it is one value; missing where it is a whole column.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<String>,
    pub(super) verdict: &'static str,
    /// Missing where a history makes the question idle.
    pub(super) auc: Option<f64>,
    pub(super) filled_won: Option<f64>,
    pub(super) filled_lost: Option<f64>,
    pub(super) evidence: String,
}

/// An attribute with a history is as of the snapshot, whatever it became later; how much later is
/// worth knowing all the same.
fn with_history_finding(late: LateEntries) -> AttributeFinding {
    let share = 100.0 * late.n_after_close as f64 / late.n_entries.max(1) as f64;
    let evidence = if late.n_after_close == 0 {
        "has a history, and no entry after its lead closed".to_owned()
    } else {
        format!(
            "has a history, so it is as of the snapshot; {share:.0} % of the entries came after their lead had closed: today's values would leak"
        )
    };
    AttributeFinding {
        attribute: late.attribute,
        column: None,
        verdict: "clean",
        auc: None,
        filled_won: None,
        filled_lost: None,
        evidence,
    }
}

/// Attributes by what their values tell of the outcome, then those that have a history.
pub(super) fn attributes(
    leaks: Vec<LeakFinding>,
    tables: &Tables,
    specs: &[FeatureSpec],
) -> Vec<AttributeFinding> {
    let column_of = |feature: &str| {
        let spec = specs.iter().find(|spec| spec.name == feature)?;
        spec.source.split()?.token?;
        Some(spec.concept().to_string())
    };
    leaks
        .into_iter()
        .map(|finding| AttributeFinding {
            column: column_of(&finding.feature),
            attribute: finding.feature,
            verdict: match finding.verdict {
                LeakVerdict::Clean => "clean",
                LeakVerdict::Suspicious => "suspicious",
                LeakVerdict::Proven => "leak",
            },
            auc: Some(finding.auc),
            filled_won: Some(finding.filled_won),
            filled_lost: Some(finding.filled_lost),
            evidence: finding.evidence,
        })
        .chain(late_entries(tables).into_iter().map(with_history_finding))
        .collect()
}
