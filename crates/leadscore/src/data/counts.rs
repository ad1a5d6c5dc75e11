//! Counts of snapshots in words.

use leadscore_core::{agree, count, counted};
use leadscore_features::SnapshotCounts;

use super::Data;

/// What was kept and dropped, in one sentence.
pub fn describe_counts(counts: &SnapshotCounts, data: &Data) -> String {
    if data.config.is_flat() {
        return format!(
            "{}, {} with a known outcome kept ({} won); {} without flag or order, {} at or after the cut",
            counted(counts.n_leads, "lead"),
            count(counts.mature),
            count(counts.wins),
            count(counts.leads_without_time),
            count(counts.leads_never_at_risk)
        );
    }
    let mut text = format!(
        "{} gave {}, {} of them won within {}",
        counted(counts.n_leads, "lead"),
        counted(counts.mature, "mature snapshot"),
        count(counts.wins),
        data.config.snapshots.horizon
    );
    for (number, one, many) in [
        (
            counts.immature,
            "snapshot left out because its window had not ended",
            "snapshots left out because their window had not ended",
        ),
        (counts.before_from, "before `from`", "before `from`"),
        (
            counts.closed_before,
            "whose lead had closed by then",
            "whose lead had closed by then",
        ),
        (
            counts.silent,
            "snapshot of a lead that nobody had touched for longer than `silent`",
            "snapshots of leads that nobody had touched for longer than `silent`",
        ),
        (
            counts.leads_never_at_risk,
            "lead never at risk at a snapshot",
            "leads never at risk at a snapshot",
        ),
        (counts.won_unseen, "of these won", "of these won"),
        (
            counts.leads_without_time,
            "lead without creation time",
            "leads without creation time",
        ),
    ] {
        if number > 0 {
            text.push_str(&format!("; {} {}", count(number), agree(number, one, many)));
        }
    }
    text
}
