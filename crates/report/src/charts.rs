//! Every chart of the report: one value each, drawn as SVG for the page and as Vega-Lite for
//! notebooks and slides.

mod curves;
mod influences;
mod lift;
mod migration;
mod months;
mod reliability;
mod swap;
mod tiers;
mod vega;

use serde_json::Value;

use crate::data::BreakdownBy;
use crate::report::Report;

pub(crate) use curves::Curves;
pub(crate) use influences::Influences;
pub(crate) use lift::Lift;
pub(crate) use migration::Migration;
pub(crate) use months::Months;
pub(crate) use reliability::Reliability;
pub(crate) use swap::Swap;
pub(crate) use tiers::{Tiers, tiers};

/// Features that the page shows; the JSON has all.
const N_INFLUENCES: usize = 15;

/// A chart; a new kind is a file that answers both ways of drawing it, and a line in [`charts`].
pub(crate) enum Chart<'r> {
    Curves(Curves),
    Influences(Influences<'r>),
    Lift(Lift<'r>),
    Migration(Migration<'r>),
    Months(Months<'r>),
    Reliability(Reliability<'r>),
    Swap(Swap<'r>),
    Tiers(Tiers<'r>),
}

impl Chart<'_> {
    /// The chart as inline SVG.
    pub(crate) fn svg(&self) -> String {
        match self {
            Self::Curves(chart) => chart.svg(),
            Self::Influences(chart) => chart.svg(),
            Self::Lift(chart) => chart.svg(),
            Self::Migration(chart) => chart.svg(),
            Self::Months(chart) => chart.svg(),
            Self::Reliability(chart) => chart.svg(),
            Self::Swap(chart) => chart.svg(),
            Self::Tiers(chart) => chart.svg(),
        }
    }

    /// The chart as a Vega-Lite specification that holds its data.
    pub(crate) fn vega(&self) -> Value {
        match self {
            Self::Curves(chart) => chart.vega(),
            Self::Influences(chart) => chart.vega(),
            Self::Lift(chart) => chart.vega(),
            Self::Migration(chart) => chart.vega(),
            Self::Months(chart) => chart.vega(),
            Self::Reliability(chart) => chart.vega(),
            Self::Swap(chart) => chart.vega(),
            Self::Tiers(chart) => chart.vega(),
        }
    }
}

/// The charts of a report by name, in the order of the page; the last ones are of the first
/// comparison.
pub(crate) fn charts(report: &Report) -> Vec<(&'static str, Chart<'_>)> {
    let (evaluation, comparison) = (&report.measured.evaluation, &report.measured.comparison);
    let scores = std::iter::once(("model", evaluation.tiers.as_slice())).chain(
        comparison.scores[1..]
            .iter()
            .map(|score| (score.name.as_str(), score.tiers.as_slice())),
    );
    let tiers = Tiers {
        scores: scores.collect(),
        edges: report.data.tiers_from.as_deref(),
    };
    let reliability = Reliability {
        bins: &evaluation.calibration,
        corp: &evaluation.corp,
    };
    let influences = Influences {
        rows: &report.influences[..report.influences.len().min(N_INFLUENCES)],
    };
    let lift = Lift {
        rows: &evaluation.deciles,
    };
    let mut found = vec![
        ("tiers", Chart::Tiers(tiers)),
        ("gains", Chart::Curves(Curves::gains(comparison))),
        ("roc", Chart::Curves(Curves::roc(comparison))),
        (
            "precision_recall",
            Chart::Curves(Curves::precision_recall(comparison)),
        ),
        ("lift", Chart::Lift(lift)),
        ("reliability", Chart::Reliability(reliability)),
        ("decision", Chart::Curves(Curves::decision(comparison))),
        ("influences", Chart::Influences(influences)),
    ];
    let months = report
        .measured
        .breakdowns
        .iter()
        .find(|breakdown| breakdown.by == BreakdownBy::Month && breakdown.rows.len() > 1);
    found.extend(months.map(|months| ("months", Chart::Months(Months { rows: &months.rows }))));
    for pair in comparison.paired.iter().take(1) {
        let tiers = evaluation
            .tiers
            .iter()
            .map(|tier| tier.tier.as_str())
            .collect();
        found.push(("migration", Chart::Migration(Migration { pair, tiers })));
        found.push(("swap", Chart::Swap(Swap { pair })));
    }
    found
}
