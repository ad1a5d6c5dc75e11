//! The forecast: what the likelihoods say of the coming horizon, beside how far such forecasts were
//! off; and the two arms, where some leads are held back.

use leadscore_core::{ContactPriority, count, counted};
use leadscore_monitoring::{
    ArmRows, ForecastInput, ForecastOptions, PastError, Uplift, UpliftKind, UpliftOptions,
    UpliftReading, VintageRow, backtest_forecasts, forecast, uplift,
};
use serde_json::json;

use super::past::Vintage;
use super::{FigureTable, MonitorError};
use crate::finding::{Layer, MonitorFinding, Urgency};

/// A bias of forecasts that anybody would notice.
const NOTICED: f64 = 0.15;

/// What is expected of open leads.
pub(super) fn outlook(
    probabilities: &[f64],
    tiers: &[ContactPriority],
    vintages: &[Vintage],
    horizon: &str,
) -> Result<(MonitorFinding, Option<FigureTable>), MonitorError> {
    let of_vintages: Vec<_> = vintages
        .iter()
        .map(|vintage| leadscore_monitoring::Vintage {
            name: &vintage.name,
            probabilities: &vintage.probabilities,
            labels: &vintage.labels,
            clusters: &vintage.clusters,
        })
        .collect();
    let past = backtest_forecasts(&of_vintages, &ForecastOptions::default())?;
    let places: Vec<usize> = tiers.iter().map(|tier| place(*tier)).collect();
    let found = forecast(
        &ForecastInput {
            probabilities,
            tiers: &places,
            n_tiers: 4,
        },
        &past.error,
    )?;
    let error = match past.error {
        PastError::Known {
            bias,
            typical,
            n_vintages,
            ..
        } => format!(
            "such forecasts were off by {:.0} % (bias {:+.0} %) for {}",
            100.0 * typical,
            100.0 * bias,
            counted(n_vintages, "past moment")
        ),
        PastError::CannotTell { n_vintages, needed } => format!(
            "how far such forecasts are off cannot be told yet: the window of {needed} past moments has to have ended, and that of {n_vintages} has"
        ),
    };
    let text = format!(
        "{} of {} expected to be won within {horizon} ({} to {}){}; {error}",
        rounded(found.wins),
        counted(found.n_leads, "open lead"),
        rounded(found.interval.low),
        rounded(found.interval.high),
        found
            .roc_auc
            .map_or(String::new(), |auc| format!(", with an AUC of {auc:.3}")),
    );
    let urgency = match past.error {
        // Off beyond chance more often than not, and by as much as anybody would notice.
        PastError::Known {
            bias,
            n_inside,
            n_vintages,
            ..
        } if bias.abs() > NOTICED && 2 * n_inside < n_vintages => Urgency::Watch,
        PastError::Known { .. } => Urgency::Ok,
        PastError::CannotTell { .. } => Urgency::CannotTell,
    };
    let finding = MonitorFinding::new(Layer::Forecast, urgency, text)
        .with(json!({ "forecast": found, "vintages": past.vintages }));
    Ok((finding, table(&past.vintages)))
}

/// A number of leads that need not be whole.
fn rounded(number: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of leads, not below 0"
    )]
    count(number.round() as usize)
}

fn place(tier: ContactPriority) -> usize {
    match tier {
        ContactPriority::VeryHigh => 0,
        ContactPriority::High => 1,
        ContactPriority::Medium => 2,
        ContactPriority::Low | ContactPriority::ClosedWon => 3,
    }
}

fn table(vintages: &[VintageRow]) -> Option<FigureTable> {
    if vintages.is_empty() {
        return None;
    }
    let row = |vintage: &VintageRow| {
        let auc = |auc: Option<f64>| auc.map_or(String::new(), |auc| format!("{auc:.3}"));
        vec![
            vintage.name.clone(),
            count(vintage.n_leads),
            format!("{:.1}", vintage.expected),
            count(vintage.observed),
            format!(
                "{:.0} to {:.0}",
                vintage.interval.low, vintage.interval.high
            ),
            auc(vintage.roc_auc.0),
            auc(vintage.roc_auc.1),
        ]
    };
    Some(FigureTable {
        title: "Past forecasts beside what came".to_owned(),
        note: "Open leads of past moments after the training cutoff whose window has ended."
            .to_owned(),
        head: [
            "moment",
            "open leads",
            "expected wins",
            "observed",
            "95 % interval",
            "AUC expected",
            "AUC observed",
        ]
        .map(str::to_owned)
        .to_vec(),
        rows: vintages.iter().map(row).collect(),
    })
}

/// What the two arms say; `None` where nobody is held back.
pub(super) fn arms(vintages: &[Vintage]) -> Result<Option<MonitorFinding>, MonitorError> {
    let side = |held_back: bool| {
        let rows = vintages.iter().flat_map(|vintage| {
            (0..vintage.labels.len())
                .filter(move |&row| vintage.held_back[row] == held_back)
                .map(move |row| {
                    (
                        vintage.probabilities[row],
                        vintage.labels[row],
                        vintage.clusters[row],
                    )
                })
        });
        let (mut probabilities, mut labels, mut clusters) = (Vec::new(), Vec::new(), Vec::new());
        for (probability, label, cluster) in rows {
            probabilities.push(probability);
            labels.push(label);
            clusters.push(cluster);
        }
        (probabilities, labels, clusters)
    };
    let (others, held) = (side(false), side(true));
    if held.0.is_empty() {
        return Ok(None);
    }
    let found = uplift(
        &ArmRows {
            probabilities: &others.0,
            labels: &others.1,
            clusters: &others.2,
        },
        &ArmRows {
            probabilities: &held.0,
            labels: &held.1,
            clusters: &held.2,
        },
        &UpliftOptions::default(),
    )?;
    Ok(Some(in_words(&found)))
}

fn in_words(found: &Uplift) -> MonitorFinding {
    let effect = match found.kind {
        UpliftKind::PrioritizingHelps => "prioritizing helps",
        UpliftKind::PrioritizingHurts => "fewer are won where leads are prioritized",
        UpliftKind::NoEffectSeen => "no effect of prioritizing is seen",
        UpliftKind::CannotTell => "whether prioritizing helps cannot be told yet",
    };
    let reading = match found.reading {
        UpliftReading::BothHold => "both arms are as predicted",
        UpliftReading::ModelIsWrong => {
            "both arms differ from what was predicted: the model is wrong"
        }
        UpliftReading::SalesActed => {
            "held-back leads are as predicted and the others are not: sales acted on the scores, and the model is right"
        }
        UpliftReading::LearnedFromPrioritized => {
            "prioritized leads are as predicted and held-back ones are not: the model has learned from leads that were prioritized"
        }
        UpliftReading::BothDiffer => {
            "the arms differ from what was predicted, in opposite directions"
        }
        UpliftReading::CannotTell => {
            "too few held-back leads to tell what the arms say of the model"
        }
    };
    let ratio = found.ratio.map_or(String::new(), |ratio| {
        format!(
            " (observed over expected is {ratio:.2} times that of held-back leads, {:.2} to {:.2})",
            found.ratio_interval.low, found.ratio_interval.high
        )
    });
    let urgency = match (found.kind, found.reading) {
        (_, UpliftReading::ModelIsWrong | UpliftReading::BothDiffer)
        | (UpliftKind::PrioritizingHurts, _) => Urgency::Watch,
        (UpliftKind::CannotTell, _) | (_, UpliftReading::CannotTell) => Urgency::CannotTell,
        (
            UpliftKind::PrioritizingHelps | UpliftKind::NoEffectSeen,
            UpliftReading::BothHold
            | UpliftReading::SalesActed
            | UpliftReading::LearnedFromPrioritized,
        ) => Urgency::Ok,
    };
    MonitorFinding::new(Layer::Arms, urgency, format!("{effect}{ratio}; {reading}"))
        .with(json!(found))
}
