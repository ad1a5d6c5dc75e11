//! The findings: one sentence for each thing that was measured.

use leadscore_core::{agree, count, counted};
use leadscore_inference::{Alternative, Card, Challenge, DataVerdict, JudgedAttribute};
use leadscore_metrics::{
    CalibrationCheck, CalibrationKind, CalibrationVerdict, CheckOf, Comparison, Evaluation,
    PairedComparison, PairedVerdict, ScoreFigures,
};

use crate::data::{AgeFigures, DataSection, Measured, OutsideTraining};
use crate::finding::{Answer, Finding, FindingKind};
use crate::format::{number, per_cent};

/// Every finding, in the order in which they are shown.
pub(crate) fn findings(
    card: &Card,
    judged: &[JudgedAttribute],
    measured: &Measured,
    data: &DataSection,
) -> Vec<Finding> {
    let Measured {
        evaluation,
        comparison,
        calibration: verdict,
        ..
    } = measured;
    let within = card
        .horizon
        .map_or("at all".to_owned(), |horizon| format!("within {horizon}"));
    let mut findings = vec![
        ranking(evaluation),
        calibration(verdict, measured, &within),
        base_rate(evaluation),
    ];
    findings.extend(measured.ages.map(|ages| age_finding(evaluation, ages)));
    findings.extend(
        comparison
            .paired
            .iter()
            .zip(&comparison.scores[1..])
            .map(|(pair, baseline)| paired_finding(comparison, pair, baseline)),
    );
    findings.extend(card.decisive_challenge().map(challenge_finding));
    findings.extend(judged.iter().map(attribute_finding));
    findings.extend(outside_finding(&data.outside));
    findings.extend(limits(card, evaluation, data));
    findings
}

/// What limits the figures as a whole: which fit and rows they are of, and how many there are.
fn limits(card: &Card, evaluation: &Evaluation, data: &DataSection) -> Vec<Finding> {
    let mut found = Vec::new();
    if data.of_earlier_fit {
        let text = format!(
            "These are figures of an earlier fit ({}), not of the model that was written: evaluate that one once later outcomes are in.",
            data.measured_on
        );
        found.push(Finding::new(FindingKind::EarlierFit, Answer::Unsure, text));
    }
    if data.in_sample {
        let text = "Some of these snapshots lie before the end of what the model knew: the figures are in sample and too good.".to_owned();
        found.push(Finding::new(FindingKind::InSample, Answer::No, text));
    }
    if evaluation.n_wins < FEW_WINS {
        let text = format!(
            "Only {} of these snapshots {} won: intervals are wide, and small differences cannot be seen.",
            count(evaluation.n_wins),
            agree(evaluation.n_wins, "was", "were")
        );
        found.push(Finding::new(FindingKind::FewWins, Answer::Unsure, text));
    }
    let sufficiency = &card.sufficiency;
    if sufficiency.verdict != DataVerdict::Enough {
        let text = format!(
            "The training data is {}: {}.",
            sufficiency.verdict.name(),
            sufficiency.reason
        );
        found.push(Finding::new(
            FindingKind::TrainingData,
            Answer::Unsure,
            text,
        ));
    }
    found
}

/// Whether the model ranks these leads better than chance.
pub(crate) fn ranks(evaluation: &Evaluation) -> Answer {
    let auc = evaluation.ranking.roc_auc;
    Answer::of_interval(auc.low, auc.high, 0.5)
}

fn ranking(evaluation: &Evaluation) -> Finding {
    let auc = evaluation.ranking.roc_auc;
    let capture = evaluation.ranking.capture_top_quartile;
    let text = format!(
        "Ranking: AUC {} (95 % interval {} to {}; 0.5 is chance). Capture rate at 25 %: {} of all wins ({} to {}).",
        number(auc.value),
        number(auc.low),
        number(auc.high),
        per_cent(capture.value),
        per_cent(capture.low),
        per_cent(capture.high)
    );
    Finding::new(FindingKind::Ranking, ranks(evaluation), text)
}

/// What the checks of calibration come to, with the worst of them and what to do.
fn calibration(verdict: &CalibrationVerdict, measured: &Measured, within: &str) -> Finding {
    let evaluation = &measured.evaluation;
    let interval = evaluation.base_rate_interval;
    let mean = format!(
        "{} predicted on average, {} observed {within} ({} to {})",
        per_cent(evaluation.mean_probability),
        per_cent(evaluation.base_rate),
        per_cent(interval.low),
        per_cent(interval.high)
    );
    let slope = format!("calibration slope {:.2}", verdict.line.slope);
    let checks = counted(verdict.checks.len(), "check");
    let design = format!(
        "{} {}, design effect {:.1}",
        count(verdict.n_clusters),
        measured.clusters,
        verdict.design_effect
    );
    let failures = verdict.failures();
    let text = if failures.is_empty() {
        let rest = match verdict.kind {
            CalibrationKind::CannotTell if verdict.log_loss_difference.mean >= 0.0 => {
                "; nothing is off beyond chance, but the log-loss is no better than the base rate's: the percentages tell no more than that rate".to_owned()
            }
            CalibrationKind::CannotTell => "; too few outcomes to tell".to_owned(),
            CalibrationKind::Calibrated | CalibrationKind::DriftedInLevel | CalibrationKind::TooExtreme | CalibrationKind::TooFlat | CalibrationKind::NotByTier | CalibrationKind::Seasonal => format!("; mean, slope, tiers, the top and every month agree within chance ({checks}, jointly at 5 %; {design})"),
        };
        format!("Calibration: {mean}; {slope}{rest}.")
    } else {
        let worst: Vec<String> = failures
            .iter()
            .take(3)
            .map(|check| in_words(check))
            .collect();
        let more = failures.len().saturating_sub(3);
        let others = if more > 0 {
            format!(", and {more} more")
        } else {
            String::new()
        };
        format!(
            "Calibration: {}. {mean}; {slope}. Beyond chance ({checks}, jointly at 5 %; {design}): {}{others}. {}",
            verdict.kind.name(),
            worst.join("; "),
            action(verdict)
        )
    };
    let answer = match verdict.kind {
        CalibrationKind::Calibrated => Answer::Yes,
        CalibrationKind::CannotTell => Answer::Unsure,
        CalibrationKind::DriftedInLevel
        | CalibrationKind::TooExtreme
        | CalibrationKind::TooFlat
        | CalibrationKind::NotByTier
        | CalibrationKind::Seasonal => Answer::No,
    };
    Finding::new(FindingKind::Calibration, answer, text)
}

fn in_words(check: &CalibrationCheck) -> String {
    match check.of {
        CheckOf::Slope => format!("slope {:.2} in place of 1", check.observed),
        CheckOf::Spiegelhalter => format!("{} {:+.1}", check.name, check.z),
        CheckOf::Mean | CheckOf::Tier | CheckOf::Top | CheckOf::Period => format!(
            "{}: predicted {}, observed {}",
            check.name,
            per_cent(check.predicted),
            per_cent(check.observed)
        ),
    }
}

/// What to do about it.
fn action(verdict: &CalibrationVerdict) -> &'static str {
    if verdict.line.slope < 0.0 {
        return "What made a win likelier at training makes it less likely now: train again; no recalibration repairs that.";
    }
    match verdict.kind {
        CalibrationKind::DriftedInLevel => {
            "Recalibrate on these outcomes (where it began within these months, `recalibrate` reports it, and the date from which to learn), and look for what changed: more or fewer leads, another source, another price."
        }
        CalibrationKind::TooExtreme => {
            "What moved scores at training moves outcomes less now: look at the strongest columns, then recalibrate or train again."
        }
        CalibrationKind::TooFlat => {
            "Outcomes differ more than the scores: recalibrate, or train again on more data."
        }
        CalibrationKind::NotByTier => {
            "A shift cannot repair this: train again, and look at the columns that make the tiers that are off."
        }
        CalibrationKind::Seasonal => {
            "Do not recalibrate on a few months: train on whole years, and read percentages as those of an average month."
        }
        CalibrationKind::Calibrated | CalibrationKind::CannotTell => "",
    }
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
    let answer = Answer::yes_if(loss.value < evaluation.base_log_loss);
    Finding::new(FindingKind::BaseRate, answer, text)
}

/// What of the ranking is age alone.
fn age_finding(evaluation: &Evaluation, ages: AgeFigures) -> Finding {
    let auc = evaluation.ranking.roc_auc;
    let text = format!(
        "Age: among leads of the same age (to a month) the AUC is {}; calling the newest leads first, without any model, has {}.",
        number(ages.roc_auc_within_age),
        number(ages.roc_auc_newest_first)
    );
    let is_beaten = auc.low > ages.roc_auc_newest_first && ages.roc_auc_within_age > 0.5;
    Finding::new(FindingKind::Age, Answer::yes_if(is_beaten), text)
}

fn paired_finding(
    comparison: &Comparison,
    pair: &PairedComparison,
    baseline: &ScoreFigures,
) -> Finding {
    let difference = pair.auc_difference;
    let answer = match pair.verdict {
        PairedVerdict::Better => Answer::Yes,
        PairedVerdict::Worse => Answer::No,
        PairedVerdict::NearlyTied | PairedVerdict::CannotTell => Answer::Unsure,
    };
    let words = match pair.verdict {
        PairedVerdict::Better => "better",
        PairedVerdict::Worse => "worse",
        PairedVerdict::NearlyTied => "nearly tied",
        PairedVerdict::CannotTell => "cannot be told",
    };
    let text = format!(
        "Against {}, on the same {}: {words}. AUC {} against {}, a difference of {:+.3} ({:+.3} to {:+.3}).",
        pair.against,
        counted(comparison.n_rows, "snapshot"),
        number(comparison.scores[0].ranking.roc_auc.value),
        number(baseline.ranking.roc_auc.value),
        difference.value,
        difference.low,
        difference.high
    );
    Finding::new(FindingKind::Comparison, answer, text)
}

/// The richer model against the simpler one, as training found it.
fn challenge_finding(challenge: &Challenge) -> Finding {
    let text = format!(
        "Shape of the model: {} against {}, on folds of the training data: log-loss {:+.4} ({:+.4} to {:+.4}). Shipped: {}.",
        challenge.richer,
        challenge.simpler,
        challenge.log_loss_difference,
        challenge.low,
        challenge.high,
        challenge.shipped
    );
    // Whichever was shipped is the one that the data speaks for; only the win rate itself is bad
    // news.
    let answer = Answer::yes_if(challenge.shipped != Alternative::BaseRate);
    Finding::new(FindingKind::Shape, answer, text)
}

/// An attribute that was suspected to know the outcome.
fn attribute_finding(found: &JudgedAttribute) -> Finding {
    let JudgedAttribute {
        feature, evidence, ..
    } = found;
    if found.is_proven && !found.is_used {
        let text =
            format!("Column `{feature}` is written at the close and was left out: {evidence}.");
        return Finding::new(FindingKind::Leak, Answer::Yes, text);
    }
    let without = found.without.map_or(String::new(), |figures| {
        format!(
            " Without it, on the snapshots that training held out: AUC {} in place of {}, log-loss {} in place of {}.",
            number(figures.roc_auc_without),
            number(figures.roc_auc_with),
            number(figures.log_loss_without),
            number(figures.log_loss_with)
        )
    });
    let (answer, text) = if found.is_proven {
        let text = format!(
            "Column `{feature}` is written at the close, and the model reads it, because training allowed leaks: {evidence}.{without}"
        );
        (Answer::No, text)
    } else {
        let text = format!(
            "Column `{feature}` may know the outcome, and the model reads it: {evidence}.{without}"
        );
        (Answer::Unsure, text)
    };
    Finding::new(FindingKind::Leak, answer, text)
}

/// What of the rows is unlike those of training.
fn outside_finding(outside: &OutsideTraining) -> Option<Finding> {
    let named: Vec<&str> = outside
        .findings
        .iter()
        .filter(|finding| finding.is_outside)
        .take(3)
        .map(|finding| finding.text.as_str())
        .collect();
    let values = (outside.share >= SOME_OUTSIDE).then(|| {
        format!(
            "{} of these snapshots have values that training never saw: {}",
            per_cent(outside.share),
            named.join("; ")
        )
    });
    let parts: Vec<String> = values.into_iter().chain(outside.rule.clone()).collect();
    let answer = if outside.share >= MANY_OUTSIDE {
        Answer::No
    } else {
        Answer::Unsure
    };
    let text = || format!("Outside of training: {}.", parts.join("; "));
    (!parts.is_empty()).then(|| Finding::new(FindingKind::OutsideTraining, answer, text()))
}

/// Rows of which so few are outside of training are no news.
const SOME_OUTSIDE: f64 = 0.02;

/// Rows of which so many are outside of training are another population.
const MANY_OUTSIDE: f64 = 0.2;

/// Wins below which a reader should be told that there are few.
const FEW_WINS: usize = 100;
