//! The conclusion from every figure: which findings there are, and what they come to.

mod findings;
mod headline;
mod summary;

use leadscore_inference::{Card, JudgedAttribute};

use crate::data::{DataSection, Measured};
use crate::finding::{Mood, Verdict};

/// The conclusion from a model's card, its suspicious columns and what was measured.
pub(crate) fn judge(
    card: &Card,
    judged: &[JudgedAttribute],
    measured: &Measured,
    data: &DataSection,
) -> Verdict {
    let comparison = &measured.comparison;
    // The comparison that leads is the one with the strongest of the others.
    let strongest = comparison
        .paired
        .iter()
        .zip(&comparison.scores[1..])
        .max_by(|a, b| {
            a.1.ranking
                .roc_auc
                .value
                .total_cmp(&b.1.ranking.roc_auc.value)
        });
    let findings = findings::findings(card, judged, measured, data);
    let headline = strongest.map_or_else(
        || headline::alone(findings::ranks(&measured.evaluation), &measured.calibration),
        |(pair, _)| headline::against(pair, &measured.calibration),
    );
    let summary = strongest.map_or_else(
        || summary::standing_alone(comparison),
        |(pair, baseline)| summary::argument(comparison, pair, baseline),
    );
    Verdict {
        headline: headline::with_leaks(headline, judged),
        summary,
        mood: Mood::of(&findings),
        findings,
    }
}
