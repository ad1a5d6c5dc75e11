//! What a report says of the data that was measured.

use leadscore_config::TierEdges;
use leadscore_features::SnapshotCounts;
use leadscore_inference::Model;
use leadscore_report::{DataSection, OutsideTraining};

use super::Measurement;
use crate::data::{Data, describe_counts};

/// Which rows were measured, and how they stand to what the model was trained on.
pub(crate) struct MeasuredOn {
    /// In words.
    pub(crate) rows: String,
    /// From the first to the last, in words.
    pub(crate) period: String,
    pub(crate) in_sample: bool,
    pub(crate) of_earlier_fit: bool,
    pub(crate) outside: OutsideTraining,
}

/// The section of the report on the data, what was measured, and how.
pub(crate) fn data_section(
    data: &Data,
    model: &Model,
    counts: &SnapshotCounts,
    measurement: &Measurement,
    measured: MeasuredOn,
) -> DataSection {
    DataSection {
        measured_on: measured.rows,
        snapshots: describe_counts(counts, data),
        period: measured.period,
        in_sample: measured.in_sample,
        of_earlier_fit: measured.of_earlier_fit,
        outside: measured.outside,
        n_without_all: measurement.n_without_all,
        baselines: measurement.baselines.clone(),
        tiers_from: tiers_from(data, model),
        capacity: measurement.capacity.clone(),
        money: measurement.money.clone(),
    }
}

/// Where the model's tiers begin, in words; `None` where they are quartiles of the rows at hand.
pub(crate) fn tiers_from(data: &Data, model: &Model) -> Option<String> {
    match data.config.tiers.edges {
        TierEdges::Relative => None,
        TierEdges::Frozen => {
            let [first, second, third] = model.tier_edges.map(|edge| 100.0 * edge);
            Some(format!(
                "{first:.1} %, {second:.1} % and {third:.1} %, the quartiles of the training snapshots"
            ))
        }
        TierEdges::Percent([first, second, third]) => {
            Some(format!("{first} %, {second} % and {third} %"))
        }
    }
}
