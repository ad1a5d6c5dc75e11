//! Inputs, at once: leads unlike those of training, tables that stopped, and concepts that moved.

use leadscore::{LateTable, Scores};
use leadscore_core::{count, counted, printable};
use leadscore_monitoring::{Drift, DriftKind};
use serde_json::json;

use super::FigureTable;
use crate::finding::{Layer, MonitorFinding, Urgency};

/// The share of leads from which on a feature outside of training is worth a look.
const WORTH_A_LOOK: f64 = 0.05;
/// Findings that are named one by one.
const N_NAMED: usize = 5;

/// That leads could not be scored at all.
pub(super) fn refused(error: &leadscore::Error) -> MonitorFinding {
    let words = leadscore::error_words(error);
    let (sentence, hint) = words
        .split_once("\n  hint: ")
        .map_or((words.as_str(), None), |(sentence, hint)| {
            (sentence, Some(hint))
        });
    let finding = MonitorFinding::new(
        Layer::Inputs,
        Urgency::Alarm,
        format!("leads cannot be scored: {}", one_line(sentence)),
    );
    match hint {
        Some(hint) => finding.advise(one_line(hint)),
        None => finding,
    }
}

/// Lines as one, such as those of a config that a hint proposes.
fn one_line(text: &str) -> String {
    let mut line = String::new();
    for part in text.lines().map(str::trim) {
        if !line.is_empty() {
            // What introduces the next line, and headings of a config.
            line += if line.ends_with([',', ']']) {
                " "
            } else {
                "; "
            };
        }
        line += &part.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    line
}

/// What is unlike training about the leads that were scored.
pub(super) fn outside(scores: &Scores<'_>) -> Vec<MonitorFinding> {
    let Some(outside) = &scores.summary.outside else {
        return vec![
            MonitorFinding::new(
                Layer::Inputs,
                Urgency::CannotTell,
                "the model does not know what training saw",
            )
            .advise("train it again with this version"),
        ];
    };
    let n = scores.n_open().max(1) as f64;
    let notable: Vec<_> = outside
        .findings
        .iter()
        .filter(|found| found.n_rows as f64 >= WORTH_A_LOOK * n)
        .collect();
    let figures = json!({
        "n_open": scores.n_open(),
        "n_outside": outside.n_outside,
        "n_older": outside.n_older,
        "features": outside.findings,
    });
    if notable.is_empty() {
        return vec![
            MonitorFinding::new(
                Layer::Inputs,
                Urgency::Ok,
                format!(
                    "open leads with values that training never saw: {} of {}",
                    count(outside.n_outside),
                    count(scores.n_open())
                ),
            )
            .with(figures),
        ];
    }
    notable
        .iter()
        .take(N_NAMED)
        .map(|found| {
            let text = format!("{}: {}", printable(&found.feature), printable(&found.text));
            MonitorFinding::new(Layer::Inputs, Urgency::Watch, text)
                .advise("check where this column comes from; `leadscore explain` shows what it does to a lead")
                .with(figures.clone())
        })
        .collect()
}

/// Tables that stopped before the leads were scored.
pub(super) fn late_tables(scores: &Scores<'_>) -> Vec<MonitorFinding> {
    let finding = |late: &LateTable| {
        let urgency = if late.is_stopped {
            Urgency::Alarm
        } else {
            Urgency::Watch
        };
        MonitorFinding::new(
            Layer::Inputs,
            urgency,
            format!(
                "{} ends at {}, {} before the leads are scored, in which some {} usually come",
                late.table,
                late.end,
                counted(whole(late.days), "day"),
                counted(whole(late.usual_rows), "row")
            ),
        )
        .advise("look at the export or the feed: what happened since then is missing")
        .with(json!(late))
    };
    scores.summary.late_tables.iter().map(finding).collect()
}

/// A number of days or rows that need not be whole.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "a number that is not below 0"
)]
fn whole(number: f64) -> u64 {
    number.round() as u64
}

/// Concepts whose contributions moved.
pub(super) fn drifted(drift: &Drift) -> (MonitorFinding, FigureTable) {
    let moved: Vec<_> = drift.moved().collect();
    let figures = json!({
        "total_shift_log_odds": finite(drift.total_shift),
        "moved": moved.iter().map(|concept| json!({
            "concept": concept.name,
            "shift_log_odds": finite(concept.shift),
            "psi": finite(concept.psi),
        })).collect::<Vec<_>>(),
    });
    let finding = if moved.is_empty() {
        MonitorFinding::new(
            Layer::Inputs,
            Urgency::Ok,
            format!(
                "no concept moved likelihoods by more than {} log-odds against the year before training ended",
                drift.options.tolerance
            ),
        )
    } else {
        let named: Vec<String> = moved
            .iter()
            .take(N_NAMED)
            .map(|concept| match concept.kind {
                DriftKind::MovedInShape => format!(
                    "{} (by {:.2} from quantile to quantile)",
                    printable(&concept.name),
                    concept.distance
                ),
                DriftKind::MovedInLevel
                | DriftKind::Same
                | DriftKind::CannotTellTooFew
                | DriftKind::CannotTellNew
                | DriftKind::CannotTellGone => {
                    format!("{} ({:+.2})", printable(&concept.name), concept.shift)
                }
            })
            .collect();
        MonitorFinding::new(
            Layer::Inputs,
            Urgency::Watch,
            format!(
                "open leads differ from those of training, in log-odds: {}; all together {:+.2}",
                named.join(", "),
                drift.total_shift
            ),
        )
        .advise(
            "other leads are no error of the model; check that the columns mean what they meant",
        )
    };
    (finding.with(figures), drift_table(drift))
}

fn drift_table(drift: &Drift) -> FigureTable {
    let rows = drift
        .concepts
        .iter()
        .filter(|concept| concept.kind.is_moved() || concept.distance > 0.01)
        .take(20)
        .map(|concept| {
            vec![
                printable(&concept.name).into_owned(),
                format!("{:+.3}", concept.shift),
                format!("{:.3}", concept.distance),
                format!("{:.3}", concept.psi),
                match concept.kind {
                    DriftKind::Same => "same",
                    DriftKind::MovedInLevel => "moved in level",
                    DriftKind::MovedInShape => "moved in shape",
                    DriftKind::CannotTellTooFew => "cannot tell: too few",
                    DriftKind::CannotTellNew => "cannot tell: new",
                    DriftKind::CannotTellGone => "cannot tell: gone",
                }
                .to_owned(),
            ]
        })
        .collect();
    FigureTable {
        title: "Drift of the inputs, in log-odds".to_owned(),
        note: "What each concept gives to the open leads now, against the year before the training cutoff.".to_owned(),
        head: ["concept", "mean change", "change of quantiles", "PSI", "verdict"]
            .map(str::to_owned)
            .to_vec(),
        rows,
    }
}

/// JSON has no NaN.
pub(super) fn finite(value: f64) -> Option<f64> {
    value.is_finite().then_some(value)
}
