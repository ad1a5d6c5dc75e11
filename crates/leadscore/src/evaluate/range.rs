//! Which snapshots a model may be measured on: what it has not seen, unless that is asked for.

use std::collections::BTreeSet;

use leadscore_core::{Snapshot, Timestamp, count};
use leadscore_dataset::Tables;
use leadscore_inference::Model;

use super::EvaluateOptions;
use crate::data::{Data, lead_keys};
use crate::error::bail;

/// The moments at which snapshots are looked at.
pub(super) struct Range {
    from: Timestamp,
    to: Timestamp,
    /// Whether the model has seen some of the outcomes.
    pub(super) in_sample: bool,
}

impl Range {
    /// By default from where the model's knowledge ends; before that only where it is asked for.
    pub(super) fn of(data: &Data, model: &Model, options: &EvaluateOptions) -> crate::Result<Self> {
        let training_cutoff = Timestamp::from_micros(model.card.training_cutoff_micros);
        let is_any_time = options.allow_in_sample || options.other_leads;
        let from = options.from.unwrap_or(if is_any_time {
            Timestamp::MIN
        } else {
            training_cutoff
        });
        if let (Some(from), Some(to)) = (options.from, options.to)
            && from >= to
        {
            bail!(
                "--from {} is not before --to {}\n  hint: give the earlier moment as --from",
                (data.write_time())(from),
                (data.write_time())(to)
            );
        }
        if from < training_cutoff && !is_any_time {
            bail!(
                "--from {} is before the model's training cutoff {}: the evaluation would be in sample\n  hint: train with an earlier --as-of; if these are not the leads of training, pass --other-leads; or pass --allow-in-sample",
                (data.write_time())(from),
                model.card.training_cutoff
            );
        }
        Ok(Self {
            from,
            to: options.to.unwrap_or(Timestamp::MAX),
            in_sample: from < training_cutoff && !options.other_leads,
        })
    }

    /// The rows of snapshots that lie in it.
    pub(super) fn rows(
        &self,
        data: &Data,
        model: &Model,
        snapshots: &[Snapshot],
    ) -> crate::Result<Vec<usize>> {
        let rows: Vec<usize> = (0..snapshots.len())
            .filter(|&row| (self.from..self.to).contains(&snapshots[row].at))
            .collect();
        if rows.is_empty() {
            bail!(
                "no mature snapshot lies in the range from {}: the model's training cutoff is {}\n  hint: train with an earlier --as-of, so that later snapshots are left to test on; if these are not the leads of training, pass --other-leads",
                (data.write_time())(self.from),
                model.card.training_cutoff
            );
        }
        Ok(rows)
    }
}

/// Refuses leads that the model was trained on.
pub(super) fn refuse_leads_of_training(
    model: &Model,
    tables: &Tables,
    snapshots: &[Snapshot],
) -> crate::Result<()> {
    let Some(leads) = model
        .scope
        .as_ref()
        .map(|scope| &scope.leads)
        .filter(|leads| !leads.is_empty())
    else {
        bail!(
            "--other-leads: the model does not know which leads it was trained on, because it is of an earlier version\n  hint: train it again"
        );
    };
    let keys = lead_keys(tables, snapshots);
    let known: BTreeSet<u32> = (0..keys.len())
        .filter(|&row| leads.holds(keys[row]))
        .map(|row| snapshots[row].lead)
        .collect();
    match known.first() {
        None => Ok(()),
        Some(&first) => bail!(
            "--other-leads: the model was trained on {} of these leads{}, such as `{}`: its figures would be in sample\n  hint: take the leads of training out of the tables, or evaluate on snapshots after its training cutoff {}",
            count(known.len()),
            if leads.is_whole() { "" } else { " at least" },
            tables.leads.ids[first as usize],
            model.card.training_cutoff
        ),
    }
}
