//! Customers who close before any snapshot sees them.

use leadscore_config::{Every, SnapshotsConfig};
use leadscore_core::{Span, agree, count, counted};
use leadscore_dataset::Tables;
use leadscore_features::{SnapshotCounts, labelled_snapshots};

use crate::data::Data;

/// Won leads that no snapshot sees, from this share of all won leads on, are worth another rule of
/// snapshots.
const MANY_UNSEEN: f64 = 0.2;

/// What is to be said where many customers close before any snapshot, with what other rules would
/// see.
pub(super) fn unseen_wins(
    data: &Data,
    tables: &Tables,
    counts: &SnapshotCounts,
) -> Option<(String, Vec<String>)> {
    let n_won = tables
        .outcomes
        .iter()
        .filter(|outcome| outcome.won.is_some())
        .count();
    if data.config.is_flat() || (counts.won_unseen as f64) < MANY_UNSEEN * n_won.max(1) as f64 {
        return None;
    }
    let rules = other_rules(&data.config.snapshots);
    let better: Vec<(&str, SnapshotCounts)> = rules
        .iter()
        // A rule that asks for too many is no advice.
        .filter_map(|(line, rule)| Some((*line, labelled_snapshots(tables, rule, None).ok()?.1)))
        .filter(|(_, other)| other.won_unseen < counts.won_unseen)
        .collect();
    let others = better.iter().map(|(line, other)| {
        format!(
            "`{line}` leaves out {} ({}, {} of them won)",
            count(other.won_unseen),
            counted(other.mature, "snapshot"),
            count(other.wins)
        )
    });
    let found = format!(
        "{} of {} ({:.0} %) {} before a snapshot sees them, so that nothing is learned from these customers; {}",
        count(counts.won_unseen),
        counted(n_won, "won lead"),
        100.0 * counts.won_unseen as f64 / n_won as f64,
        agree(counts.won_unseen, "closes", "close"),
        others.collect::<Vec<_>>().join(", ")
    );
    let lines = better
        .iter()
        .min_by_key(|(_, other)| other.won_unseen)
        .map(|(line, _)| {
            vec![
                "# or another question, such as:".to_owned(),
                "[snapshots]".to_owned(),
                (*line).to_owned(),
            ]
        });
    Some((
        found.trim_end_matches("; ").to_owned(),
        lines.unwrap_or_default(),
    ))
}

/// Rules of snapshots that may see more, as lines of the config.
fn other_rules(own: &SnapshotsConfig) -> [(&'static str, SnapshotsConfig); 3] {
    [
        (
            "every = \"week\"",
            SnapshotsConfig {
                every: Every::Week,
                ages: None,
                ..own.clone()
            },
        ),
        (
            "ages = [\"0d\"]",
            SnapshotsConfig {
                ages: Some(vec![Span::ZERO]),
                ..own.clone()
            },
        ),
        (
            "ages = [\"0d\", \"7d\", \"30d\"]",
            SnapshotsConfig {
                ages: Some([0, 7, 30].map(Span::from_days).to_vec()),
                ..own.clone()
            },
        ),
    ]
}
