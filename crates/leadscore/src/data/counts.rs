//! Counts of snapshots in words.

use leadscore_features::SnapshotCounts;
use leadscore_report::count;

use super::Data;

/// What was kept and dropped, in one sentence.
pub fn describe_counts(counts: &SnapshotCounts, data: &Data) -> String {
    let c = count;
    if data.config.is_flat() {
        return format!(
            "{} leads, {} with a known outcome kept ({} won); {} without flag or order, {} at or after the cut",
            c(counts.n_leads),
            c(counts.mature),
            c(counts.wins),
            c(counts.leads_without_time),
            c(counts.leads_never_at_risk)
        );
    }
    let mut text = format!(
        "{} leads gave {} mature snapshots, {} of them won within {}",
        c(counts.n_leads),
        c(counts.mature),
        c(counts.wins),
        data.config.snapshots.horizon
    );
    for (number, what) in [
        (
            counts.immature,
            "snapshots left out because their window had not ended",
        ),
        (counts.before_from, "before `from`"),
        (counts.closed_before, "whose lead had closed by then"),
        (
            counts.silent,
            "snapshots of leads that nobody had touched for longer than `silent`",
        ),
        (
            counts.leads_never_at_risk,
            "leads never at risk at a snapshot",
        ),
        (counts.won_unseen, "of these won"),
        (counts.leads_without_time, "leads without creation time"),
    ] {
        if number > 0 {
            text.push_str(&format!("; {} {what}", c(number)));
        }
    }
    text
}
