//! The headline: one line on ranking and percentages, with the columns that know the outcome.

use leadscore_inference::JudgedAttribute;
use leadscore_metrics::{
    CalibrationKind, CalibrationVerdict, CheckOf, PairedComparison, PairedVerdict,
};

use crate::finding::Answer;

pub(crate) fn alone(ranks: Answer, calibration: &CalibrationVerdict) -> String {
    match ranks {
        Answer::Yes => format!(
            "The model ranks leads above chance, {}.",
            clause(calibration, false)
        ),
        Answer::No | Answer::Unsure => format!(
            "The model cannot be told from chance on these leads{}.",
            if calibration.holds() {
                ""
            } else {
                disclaimer(calibration.kind)
            }
        ),
    }
}

/// The headline with the columns that are written at the close.
pub(crate) fn with_leaks(headline: String, judged: &[JudgedAttribute]) -> String {
    let names = |is_used: bool| {
        let names: Vec<String> = judged
            .iter()
            .filter(|found| found.is_proven && found.is_used == is_used)
            .map(|found| format!("`{}`", found.feature))
            .collect();
        match names.as_slice() {
            [] => None,
            [only] => Some(only.clone()),
            [first, second] => Some(format!("{first} and {second}")),
            [first, second, ..] => Some(format!("{first}, {second} and {} more", names.len() - 2)),
        }
    };
    // An attribute without which the ranking would be another one.
    let resting = judged
        .iter()
        .filter(|found| !found.is_proven && found.is_used)
        .find(|found| {
            found
                .without
                .is_some_and(|figures| figures.roc_auc_with - figures.roc_auc_without > RESTS)
        });
    let resting = resting.map_or(String::new(), |found| {
        format!(
            " The ranking rests on `{}`, which may know the outcome.",
            found.feature
        )
    });
    match (names(true), names(false)) {
        (Some(used), _) => format!(
            "The model reads {used}, written at the close: no figure here can be relied on. {headline}"
        ),
        (None, Some(left_out)) => {
            format!("{headline} Left out, because written at the close: {left_out}.{resting}")
        }
        (None, None) => format!("{headline}{resting}"),
    }
}

/// A fall of the AUC without an attribute from which on the ranking rests on it.
const RESTS: f64 = 0.05;

/// What a headline adds about percentages; after bad news on the ranking, bad percentages follow by
/// "and".
fn clause(calibration: &CalibrationVerdict, is_after_bad_news: bool) -> String {
    let but = if is_after_bad_news { "and" } else { "but" };
    let remark = match calibration.kind {
        CalibrationKind::Calibrated => return "and it is calibrated".to_owned(),
        CalibrationKind::CannotTell => {
            return "and whether it is calibrated cannot be told yet".to_owned();
        }
        CalibrationKind::DriftedInLevel => {
            let mean = calibration
                .checks
                .iter()
                .find(|check| check.of == CheckOf::Mean);
            if mean.is_some_and(|mean| mean.z > 0.0) {
                "its percentages are too low"
            } else {
                "its percentages are too high"
            }
        }
        CalibrationKind::TooExtreme => "its percentages are too extreme",
        CalibrationKind::TooFlat => "its percentages are too flat",
        CalibrationKind::NotByTier => "it is calibrated on average only, not by tier",
        CalibrationKind::Seasonal => "it is calibrated over all months together, not in each",
    };
    format!("{but} {remark}")
}

fn disclaimer(kind: CalibrationKind) -> &'static str {
    if kind == CalibrationKind::CannotTell {
        ""
    } else {
        ", and its percentages are not calibrated"
    }
}

pub(crate) fn against(pair: &PairedComparison, calibration: &CalibrationVerdict) -> String {
    let baseline = &pair.against;
    // An AUC looks at all leads, a team at the first ones only.
    let customers = pair.customers_difference;
    let ranking = match pair.verdict {
        PairedVerdict::Better if customers.low > 0.0 => {
            format!("The model finds more customers than {baseline}")
        }
        PairedVerdict::Better if customers.high < 0.0 => format!(
            "The model ranks leads better than {baseline}, and finds fewer customers with as many calls"
        ),
        PairedVerdict::Better if customers.low == 0.0 && customers.high == 0.0 => format!(
            "The model ranks leads better than {baseline}; with so many calls, both reach the same customers"
        ),
        PairedVerdict::Better => format!(
            "The model ranks leads better than {baseline}, and finds no more customers beyond chance with as many calls"
        ),
        PairedVerdict::Worse if customers.high < 0.0 => {
            format!("The model finds fewer customers than {baseline}")
        }
        PairedVerdict::Worse => format!("The model ranks these leads worse than {baseline}"),
        PairedVerdict::NearlyTied => format!("The model and {baseline} nearly tie on these leads"),
        PairedVerdict::CannotTell => {
            format!("Whether the model is better than {baseline} cannot be told yet")
        }
    };
    match (pair.verdict, calibration.kind) {
        // Bad news about ranking needs no praise beside it.
        (
            PairedVerdict::Worse | PairedVerdict::CannotTell,
            CalibrationKind::Calibrated | CalibrationKind::CannotTell,
        ) => format!("{ranking}."),
        (PairedVerdict::NearlyTied, CalibrationKind::Calibrated) => {
            format!("{ranking}, and the model is calibrated.")
        }
        (PairedVerdict::Better | PairedVerdict::NearlyTied, _) => {
            format!("{ranking}, {}.", clause(calibration, false))
        }
        _ => format!("{ranking}, {}.", clause(calibration, true)),
    }
}
