//! Every evaluated snapshot with its prediction and label, as a table.

use leadscore_core::Snapshot;
use leadscore_dataset::Tables;
use leadscore_inference::{Model, Scored};
use leadscore_io::{OutColumn, OutTable};

use crate::data::Data;
use crate::evaluation::Baseline;
use crate::hold_back::{self, HELD_BACK};
use crate::score::tiers_of;

/// Every evaluated snapshot with its prediction and label, so that anyone can check our arithmetic.
pub(super) fn evaluated_table(
    data: &Data,
    tables: &Tables,
    snapshots: &[Snapshot],
    labels: &[bool],
    scored: &Scored,
    baselines: &[Baseline],
    model: &Model,
) -> OutTable {
    let mut table = OutTable::default();
    table.push(
        &tables.leads.id_column,
        OutColumn::Text(
            snapshots
                .iter()
                .map(|key| Some(tables.leads.ids[key.lead as usize].clone()))
                .collect(),
        ),
    );
    if data.config.is_flat() {
        table.push(
            "snapshot",
            OutColumn::Number(snapshots.iter().map(|key| key.at.order()).collect()),
        );
    } else {
        table.push(
            "snapshot",
            OutColumn::Time(snapshots.iter().map(|key| Some(key.at)).collect()),
        );
    }
    let tiers = tiers_of(data, model, scored);
    table.push(
        "likelihood_to_close",
        OutColumn::Number(scored.probabilities.iter().map(|p| p * 100.0).collect()),
    );
    table.push(
        "contact_priority",
        OutColumn::Text(
            tiers
                .iter()
                .map(|tier| Some(tier.name().to_owned()))
                .collect(),
        ),
    );
    table.push("log_odds", OutColumn::Number(scored.log_odds.clone()));
    table.push(
        "label",
        OutColumn::Integer(labels.iter().map(|&label| Some(i64::from(label))).collect()),
    );
    for baseline in baselines {
        table.push(&baseline.column, OutColumn::Number(baseline.values.clone()));
    }
    table.push(
        "model_id",
        OutColumn::Text(vec![Some(model.card.model_id.clone()); snapshots.len()]),
    );
    if let Some(rule) = hold_back::rule_of(&data.config) {
        let held = snapshots
            .iter()
            .map(|key| hold_back::holds(rule, tables, key.lead));
        table.push(HELD_BACK, OutColumn::Boolean(held.collect()));
    }
    table
}
