//! A view of snapshots with what is known of each, of which parts can be selected.

use leadscore_core::Snapshot;
use leadscore_metrics::{Clusters, Deals};

use super::Evaluated;
use crate::data::cluster_keys;

/// Snapshots, and what is known of each, row by row.
pub(super) struct Rows {
    pub(super) snapshots: Vec<Snapshot>,
    pub(super) labels: Vec<bool>,
    /// What is resampled as one.
    pub(super) clusters: Clusters,
    deals: KnownDeals,
}

impl Rows {
    /// All that are evaluated.
    pub(super) fn of(evaluated: &Evaluated<'_>) -> Self {
        let snapshots: Vec<Snapshot> = evaluated
            .rows
            .iter()
            .map(|&row| evaluated.matrix.keys()[row])
            .collect();
        Self {
            clusters: Clusters::new(&cluster_keys(evaluated.tables, &snapshots)),
            deals: KnownDeals::of(evaluated, &snapshots),
            labels: evaluated.labels.clone(),
            snapshots,
        }
    }

    /// Some of them, in this order.
    pub(super) fn select(&self, rows: &[usize]) -> Self {
        Self {
            snapshots: rows.iter().map(|&row| self.snapshots[row]).collect(),
            labels: rows.iter().map(|&row| self.labels[row]).collect(),
            clusters: self.clusters.pick(rows),
            deals: self.deals.select(rows),
        }
    }

    /// How many there are.
    pub(super) fn n_rows(&self) -> usize {
        self.labels.len()
    }

    /// Whether won and others are among some of them.
    pub(super) fn have_both_labels(&self, rows: &[usize]) -> bool {
        rows.iter().any(|&row| self.labels[row]) && rows.iter().any(|&row| !self.labels[row])
    }

    /// The lead of each, as what is resampled as one.
    pub(super) fn leads(&self) -> Clusters {
        let leads = self.snapshots.iter().map(|key| u64::from(key.lead));
        Clusters::new(&leads.collect::<Vec<_>>())
    }

    /// What is known of their deals.
    pub(super) fn deals(&self) -> Deals<'_> {
        Deals {
            days_to_close: &self.deals.days_to_close,
            amounts: &self.deals.amounts,
        }
    }
}

/// What is known of the deals of rows; empty where it is not.
struct KnownDeals {
    days_to_close: Vec<f64>,
    amounts: Vec<f64>,
}

impl KnownDeals {
    /// Those of these snapshots' leads.
    fn of(evaluated: &Evaluated<'_>, snapshots: &[Snapshot]) -> Self {
        let outcomes = &evaluated.tables.outcomes;
        let has_amounts = outcomes.iter().any(|outcome| outcome.amount.is_some());
        let days = |key: &Snapshot| {
            let won = match &evaluated.tables.courses {
                Some(_) => evaluated.tables.win_since(key.lead, key.at),
                None => outcomes[key.lead as usize].won,
            };
            won.map_or(f64::NAN, |won| won.days_since(key.at))
        };
        Self {
            days_to_close: if evaluated.data.config.is_flat() {
                Vec::new()
            } else {
                snapshots.iter().map(days).collect()
            },
            amounts: if has_amounts {
                snapshots
                    .iter()
                    .map(|key| outcomes[key.lead as usize].amount.unwrap_or(f64::NAN))
                    .collect()
            } else {
                Vec::new()
            },
        }
    }

    /// Those of some rows.
    fn select(&self, rows: &[usize]) -> Self {
        let pick = |values: &[f64]| {
            if values.is_empty() {
                Vec::new()
            } else {
                rows.iter().map(|&row| values[row]).collect()
            }
        };
        Self {
            days_to_close: pick(&self.days_to_close),
            amounts: pick(&self.amounts),
        }
    }
}
