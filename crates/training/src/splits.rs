//! Splits that respect time and leads: train on windows that had ended, validate on what came
//! later.

use std::collections::HashSet;

use leadscore_core::{Snapshot, Span, Timestamp};

/// Rows to fit on and rows to measure on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fold {
    /// Rows to fit on.
    pub train: Vec<usize>,
    /// Rows to measure on.
    pub validation: Vec<usize>,
}

/// How folds were made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SplitKind {
    /// Forward in time: training windows end before the first validation snapshot, and validation
    /// leads were not trained on.
    PurgedForward,
    /// By lead alone, because the history is shorter than purging needs, or has no time.
    GroupedByLead,
}

impl SplitKind {
    /// Folds made so, in words.
    pub(crate) fn describe(self) -> &'static str {
        match self {
            Self::PurgedForward => "purged folds forward in time, grouped by lead",
            Self::GroupedByLead => {
                "folds by lead, not by time, because the history is too short for purged folds forward in time (or has no time)"
            }
        }
    }
}

/// Fewest wins, and fewest others, that a side of a split needs to be worth fitting or measuring
/// on.
const MIN_TRAIN_EVENTS: usize = 20;
const MIN_VALIDATION_EVENTS: usize = 10;

fn has_events(labels: &[bool], rows: &[usize], minimum: usize) -> bool {
    let wins = rows.iter().filter(|&&row| labels[row]).count();
    wins >= minimum && rows.len() - wins >= minimum
}

/// Folds for choosing a penalty: forward in time where the history allows, else by lead.
///
/// `rows` are in order of time. Without `horizon` (a flat export) nothing need be purged.
pub(crate) fn validation_folds(
    keys: &[Snapshot],
    clusters: &[u64],
    labels: &[bool],
    rows: &[usize],
    horizon: Option<Span>,
) -> (SplitKind, Vec<Fold>) {
    let mut folds = Vec::new();
    let has_time = rows
        .first()
        .zip(rows.last())
        .is_some_and(|(first, last)| keys[*first].at < keys[*last].at);
    if has_time {
        let cut = |share: f64| keys[rows[((rows.len() - 1) as f64 * share) as usize]].at;
        let cuts = [cut(0.4), cut(0.55), cut(0.7), cut(0.85)];
        for (idx, &from) in cuts.iter().enumerate() {
            let to = cuts.get(idx + 1).copied().unwrap_or(Timestamp::MAX);
            let train: Vec<usize> = rows
                .iter()
                .copied()
                .filter(|&row| ended_before(keys[row].at, horizon, from))
                .collect();
            let trained: HashSet<u64> = train.iter().map(|&row| clusters[row]).collect();
            let validation: Vec<usize> = rows
                .iter()
                .copied()
                .filter(|&row| {
                    (from..to).contains(&keys[row].at) && !trained.contains(&clusters[row])
                })
                .collect();
            if has_events(labels, &train, MIN_TRAIN_EVENTS)
                && has_events(labels, &validation, MIN_VALIDATION_EVENTS)
            {
                folds.push(Fold { train, validation });
            }
        }
    }
    if folds.len() >= 2 {
        return (SplitKind::PurgedForward, folds);
    }
    (SplitKind::GroupedByLead, lead_folds(clusters, labels, rows))
}

/// Five folds by lead; those without both classes on both sides are left out.
pub(crate) fn lead_folds(clusters: &[u64], labels: &[bool], rows: &[usize]) -> Vec<Fold> {
    (0..5)
        .map(|fold| {
            let (validation, train) = rows
                .iter()
                .copied()
                .partition(|&row| clusters[row] % 5 == fold);
            Fold { train, validation }
        })
        .filter(|fold| {
            has_events(labels, &fold.train, 1) && has_events(labels, &fold.validation, 1)
        })
        .collect()
}

/// The latest fifth of the snapshots to evaluate on once, and the rows whose windows had ended
/// before it.
///
/// `None` where the history is too short: too few wins or others on either side.
pub(crate) fn holdout(
    keys: &[Snapshot],
    clusters: &[u64],
    labels: &[bool],
    horizon: Option<Span>,
) -> Option<Fold> {
    let n_rows = keys.len();
    let first = keys.first()?.at;
    let last = keys.last()?.at;
    let all: Vec<usize> = (0..n_rows).collect();
    let fold = if first < last {
        let from = keys[n_rows * 4 / 5].at;
        let train = all
            .iter()
            .copied()
            .filter(|&row| ended_before(keys[row].at, horizon, from))
            .collect();
        Fold {
            train,
            validation: all
                .into_iter()
                .filter(|&row| keys[row].at >= from)
                .collect(),
        }
    } else {
        let (validation, train) = all
            .into_iter()
            .partition(|&row| clusters[row].is_multiple_of(5));
        Fold { train, validation }
    };
    (has_events(labels, &fold.train, MIN_TRAIN_EVENTS)
        && has_events(labels, &fold.validation, MIN_VALIDATION_EVENTS))
    .then_some(fold)
}

/// At most about `max_rows` rows, all rows of a lead or none, in order.
pub(crate) fn sample_leads(clusters: &[u64], rows: &[usize], max_rows: usize) -> Vec<usize> {
    if rows.len() <= max_rows {
        return rows.to_vec();
    }
    let share = max_rows as f64 / rows.len() as f64;
    let threshold = (share * u32::MAX as f64) as u64;
    rows.iter()
        .copied()
        .filter(|&row| clusters[row] >> 32 <= threshold)
        .collect()
}

/// Whether the window of a snapshot had ended at `from`; without a horizon, whether the snapshot
/// came before.
fn ended_before(at: Timestamp, horizon: Option<Span>, from: Timestamp) -> bool {
    horizon.map_or(at < from, |horizon| at + horizon <= from)
}

#[cfg(test)]
mod tests {
    use leadscore_core::stable_hash;

    use super::*;

    #[test]
    fn no_training_window_reaches_into_validation() {
        let day = |days: u32| Timestamp::from_micros(0) + Span::from_days(days);
        let keys: Vec<Snapshot> = (0..2000)
            .map(|i| Snapshot {
                lead: i / 2,
                at: day(i / 4),
            })
            .collect();
        let clusters: Vec<u64> = keys
            .iter()
            .map(|key| stable_hash(&key.lead.to_string()))
            .collect();
        let labels: Vec<bool> = (0..2000).map(|i| i % 5 == 0).collect();
        let horizon = Some(Span::from_days(60));
        let (kind, folds) = validation_folds(
            &keys,
            &clusters,
            &labels,
            &(0..2000).collect::<Vec<_>>(),
            horizon,
        );
        assert_eq!(kind, SplitKind::PurgedForward);
        for fold in folds
            .iter()
            .chain(holdout(&keys, &clusters, &labels, horizon).iter())
        {
            let first = fold
                .validation
                .iter()
                .map(|&row| keys[row].at)
                .min()
                .expect("not empty");
            assert!(
                fold.train
                    .iter()
                    .all(|&row| keys[row].at + Span::from_days(60) <= first)
            );
        }
        for fold in &folds {
            let trained: HashSet<u64> = fold.train.iter().map(|&row| clusters[row]).collect();
            assert!(
                fold.validation
                    .iter()
                    .all(|&row| !trained.contains(&clusters[row]))
            );
        }
    }

    #[test]
    fn a_fold_without_both_classes_is_left_out() {
        let keys: Vec<Snapshot> = (0..1000)
            .map(|i| Snapshot {
                lead: i,
                at: Timestamp::from_micros(0) + Span::from_days(i),
            })
            .collect();
        let clusters: Vec<u64> = (0..1000)
            .map(|lead: u32| stable_hash(&lead.to_string()))
            .collect();
        // Next to nothing is won after day 400: no fold forward in time has enough to measure.
        let labels: Vec<bool> = (0..1000).map(|i| i < 420 && i % 4 == 0).collect();
        let (kind, folds) = validation_folds(
            &keys,
            &clusters,
            &labels,
            &(0..1000).collect::<Vec<_>>(),
            Some(Span::from_days(10)),
        );
        assert_eq!(kind, SplitKind::GroupedByLead);
        assert_eq!(folds.len(), 5);
        for fold in &folds {
            for side in [&fold.train, &fold.validation] {
                assert!(
                    side.iter().any(|&row| labels[row]) && side.iter().any(|&row| !labels[row])
                );
            }
        }
        assert_eq!(
            holdout(&keys, &clusters, &labels, Some(Span::from_days(10))),
            None
        );
    }
}
