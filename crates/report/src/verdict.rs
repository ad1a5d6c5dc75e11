//! The conclusion in plain words, each sentence with the figure that it rests on.

use leadscore_inference::{Card, Challenge, DataVerdict};
use leadscore_metrics::{Estimate, Evaluation};
use serde::Serialize;

use crate::data::DataSection;

/// The conclusion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// One line.
    pub headline: String,
    /// `good`, `mixed` or `bad`, for the colour.
    pub mood: &'static str,
    /// What it rests on.
    pub findings: Vec<Finding>,
}

/// One sentence of the verdict.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Finding {
    /// `yes`, `no` or `unsure`.
    pub answer: &'static str,
    /// The sentence.
    pub text: String,
}

pub(crate) fn judge(card: &Card, evaluation: &Evaluation, data: &DataSection) -> Verdict {
    let within = card.horizon.map_or("at all".to_owned(), |horizon| format!("within {horizon}"));
    let ranks = ranking(evaluation);
    let holds = calibration(evaluation, &within);
    let better_than_rate = base_rate(evaluation);
    let manual =
        evaluation.manual.as_ref().map(|manual| manual_finding(manual.auc_difference, manual.manual.roc_auc, manual.predictive.roc_auc, manual.n_rows));
    let headline = match (ranks.answer, holds.answer, manual.as_ref().map(|finding| finding.answer)) {
        ("yes", "yes", Some("yes")) => "The likelihoods hold, and they find more customers than the manual score.",
        ("yes", _, Some("yes")) => "The model ranks leads better than the manual score; its percentages are off.",
        ("yes", "yes", Some("no")) => "The likelihoods hold, but the manual score ranks these leads better.",
        ("yes", "yes", Some(_)) => "The likelihoods hold; whether they rank better than the manual score cannot be told yet.",
        ("yes", "yes", None) => "The model ranks leads well above chance, and its percentages hold.",
        ("yes", _, _) => "The model ranks leads above chance, but its percentages are off.",
        _ => "The model cannot be told from chance on these leads.",
    };
    let mut findings = vec![ranks, holds, better_than_rate];
    findings.extend(manual);
    findings.extend(card.decisive_challenge().map(challenge_finding));
    if data.in_sample {
        findings.push(Finding {
            answer: "no",
            text: "Some of these snapshots lie before the end of what the model knew: the figures are in sample and too good.".to_owned(),
        });
    }
    if card.sufficiency.verdict != DataVerdict::Enough {
        findings.push(Finding { answer: "unsure", text: format!("The training data is {}: {}.", card.sufficiency.verdict.name(), card.sufficiency.reason) });
    }
    let mood = if findings.iter().all(|finding| finding.answer == "yes") {
        "good"
    } else if findings[0].answer == "yes" {
        "mixed"
    } else {
        "bad"
    };
    Verdict { headline: headline.to_owned(), mood, findings }
}

fn ranking(evaluation: &Evaluation) -> Finding {
    let auc = evaluation.ranking.roc_auc;
    let capture = evaluation.ranking.capture_top_quartile;
    let text = format!(
        "Ranking: AUC {} (95 % interval {} to {}; 0.5 is chance). The best quarter of leads holds {} of all wins ({} to {}).",
        number(auc.value),
        number(auc.low),
        number(auc.high),
        per_cent(capture.value),
        per_cent(capture.low),
        per_cent(capture.high)
    );
    Finding {
        answer: if auc.low > 0.5 {
            "yes"
        } else if auc.high < 0.5 {
            "no"
        } else {
            "unsure"
        },
        text,
    }
}

/// Whether the mean said lies within the interval of what happened.
fn calibration(evaluation: &Evaluation, within: &str) -> Finding {
    let interval = evaluation.base_rate_interval;
    let said = evaluation.mean_probability;
    let holds = interval.low <= said && said <= interval.high;
    let text = format!(
        "Percentages: {} said on average, {} were won {within} ({} to {}). Over ten bins the gap is {} on average.",
        per_cent(said),
        per_cent(evaluation.base_rate),
        per_cent(interval.low),
        per_cent(interval.high),
        points(evaluation.expected_calibration_error)
    );
    // With very many rows the interval is narrower than anyone's decision: a twentieth of the rate is near enough.
    let near = (said / evaluation.base_rate - 1.0).abs() <= 0.05;
    Finding { answer: if holds || near { "yes" } else { "no" }, text }
}

fn base_rate(evaluation: &Evaluation) -> Finding {
    let loss = evaluation.log_loss;
    let text = format!(
        "Log-loss: {} ({} to {}); telling everyone the base rate would cost {}.",
        number(loss.value),
        number(loss.low),
        number(loss.high),
        number(evaluation.base_log_loss)
    );
    Finding { answer: if loss.value < evaluation.base_log_loss { "yes" } else { "no" }, text }
}

fn manual_finding(difference: Estimate, manual: Estimate, predictive: Estimate, n_rows: usize) -> Finding {
    let answer = if difference.low > 0.0 {
        "yes"
    } else if difference.high < 0.0 {
        "no"
    } else {
        "unsure"
    };
    let text = format!(
        "Against the manual score, on the same {n_rows} snapshots: AUC {} against {}, a difference of {:+.3} ({:+.3} to {:+.3}).",
        number(predictive.value),
        number(manual.value),
        difference.value,
        difference.low,
        difference.high
    );
    Finding { answer, text }
}

/// The richer model against the simpler one, as training found it.
fn challenge_finding(challenge: &Challenge) -> Finding {
    let text = format!(
        "Shape of the model: {} against {}, on folds of the training data: log-loss {:+.4} ({:+.4} to {:+.4}). Shipped: {}.",
        challenge.richer, challenge.simpler, challenge.log_loss_difference, challenge.low, challenge.high, challenge.shipped
    );
    // Whichever was shipped is the one that the data speaks for; only the win rate itself is bad news.
    Finding { answer: if challenge.shipped == "the base rate" { "no" } else { "yes" }, text }
}

pub(crate) fn number(value: f64) -> String {
    format!("{value:.3}")
}

pub(crate) fn per_cent(share: f64) -> String {
    let value = share * 100.0;
    if value != 0.0 && value < 10.0 { format!("{value:.1} %") } else { format!("{value:.0} %") }
}

fn points(share: f64) -> String {
    format!("{:.1} points", share * 100.0)
}
