//! The conclusion in plain words, each sentence with the figure that it rests on.

use leadscore_inference::{Alternative, Card, Challenge, DataVerdict, JudgedAttribute};
use leadscore_metrics::{
    CalibrationCheck, CalibrationKind, CalibrationVerdict, CheckOf, Comparison, Contest,
    ContestVerdict, Evaluation, NEARLY, ScoreFigures,
};
use serde::Serialize;

use crate::data::{AgeFigures, DataSection, Measured, OutsideTraining};

/// The conclusion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// One line.
    pub headline: String,
    /// One paragraph.
    pub summary: String,
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

pub(crate) fn judge(
    card: &Card,
    judged: &[JudgedAttribute],
    measured: &Measured,
    data: &DataSection,
) -> Verdict {
    let Measured {
        evaluation,
        comparison,
        calibration: verdict,
        ..
    } = measured;
    let within = card
        .horizon
        .map_or("at all".to_owned(), |horizon| format!("within {horizon}"));
    let ranks = ranking(evaluation);
    let holds = calibration(verdict, measured, &within);
    let better_than_rate = base_rate(evaluation);
    // The argument is with the strongest of the others.
    let strongest = comparison
        .contests
        .iter()
        .zip(&comparison.scores[1..])
        .max_by(|a, b| {
            a.1.ranking
                .roc_auc
                .value
                .total_cmp(&b.1.ranking.roc_auc.value)
        });
    let headline = strongest.map_or_else(
        || alone(ranks.answer, verdict),
        |(contest, _)| against(contest, verdict),
    );
    let headline = with_leaks(headline, judged);
    let summary = strongest.map_or_else(
        || standing_alone(comparison),
        |(contest, baseline)| argument(comparison, contest, baseline),
    );
    let mut findings = vec![ranks, holds, better_than_rate];
    findings.extend(measured.ages.map(|ages| age_finding(evaluation, ages)));
    findings.extend(
        comparison
            .contests
            .iter()
            .zip(&comparison.scores[1..])
            .map(|(contest, baseline)| contest_finding(comparison, contest, baseline)),
    );
    findings.extend(card.decisive_challenge().map(challenge_finding));
    findings.extend(judged.iter().map(attribute_finding));
    findings.extend(outside_finding(&data.outside));
    if data.of_earlier_fit {
        let text = format!(
            "These are figures of an earlier fit ({}), not of the model that was written: evaluate that one once later outcomes are in.",
            data.measured_on
        );
        findings.push(Finding {
            answer: "unsure",
            text,
        });
    }
    if data.in_sample {
        findings.push(Finding {
            answer: "no",
            text: "Some of these snapshots lie before the end of what the model knew: the figures are in sample and too good.".to_owned(),
        });
    }
    if evaluation.n_wins < FEW_WINS {
        let text = format!(
            "Only {} of these snapshots were won: intervals are wide, and small differences cannot be seen.",
            count(evaluation.n_wins)
        );
        findings.push(Finding {
            answer: "unsure",
            text,
        });
    }
    if card.sufficiency.verdict != DataVerdict::Enough {
        findings.push(Finding {
            answer: "unsure",
            text: format!(
                "The training data is {}: {}.",
                card.sufficiency.verdict.name(),
                card.sufficiency.reason
            ),
        });
    }
    let mood = if findings.iter().all(|finding| finding.answer == "yes") {
        "good"
    } else if findings[0].answer == "yes" {
        "mixed"
    } else {
        "bad"
    };
    Verdict {
        headline,
        summary,
        mood,
        findings,
    }
}

/// Wins below which a reader should be told that there are few.
const FEW_WINS: usize = 100;

fn alone(ranks: &str, calibration: &CalibrationVerdict) -> String {
    match ranks {
        "yes" => format!(
            "The model ranks leads above chance, {}.",
            clause(calibration)
        ),
        _ => format!(
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
fn with_leaks(headline: String, judged: &[JudgedAttribute]) -> String {
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

/// An attribute that was suspected to know the outcome.
fn attribute_finding(found: &JudgedAttribute) -> Finding {
    let JudgedAttribute {
        feature, evidence, ..
    } = found;
    if found.is_proven && !found.is_used {
        return Finding {
            answer: "yes",
            text: format!(
                "Column `{feature}` is written at the close and was left out: {evidence}."
            ),
        };
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
    match found.is_proven {
        true => Finding {
            answer: "no",
            text: format!(
                "Column `{feature}` is written at the close, and the model reads it (--allow-leaks): {evidence}.{without}"
            ),
        },
        false => Finding {
            answer: "unsure",
            text: format!(
                "Column `{feature}` may know the outcome, and the model reads it: {evidence}.{without}"
            ),
        },
    }
}

/// A fall of the AUC without an attribute from which on the ranking rests on it.
const RESTS: f64 = 0.05;
/// Rows of which so few are outside of training are no news.
const SOME_OUTSIDE: f64 = 0.02;
/// Rows of which so many are outside of training are another population.
const MANY_OUTSIDE: f64 = 0.2;

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
        "no"
    } else {
        "unsure"
    };
    (!parts.is_empty()).then(|| Finding {
        answer,
        text: format!("Outside of training: {}.", parts.join("; ")),
    })
}

/// What a headline adds about percentages.
fn clause(calibration: &CalibrationVerdict) -> String {
    match calibration.kind {
        CalibrationKind::Calibrated => "and it is calibrated".to_owned(),
        CalibrationKind::CannotTell => "and whether it is calibrated cannot be told yet".to_owned(),
        CalibrationKind::DriftedInLevel => {
            let mean = calibration
                .checks
                .iter()
                .find(|check| check.of == CheckOf::Mean);
            format!(
                "but its percentages are too {}",
                if mean.is_some_and(|mean| mean.z > 0.0) {
                    "low"
                } else {
                    "high"
                }
            )
        }
        CalibrationKind::TooExtreme => "but its percentages are too extreme".to_owned(),
        CalibrationKind::TooFlat => "but its percentages are too flat".to_owned(),
        CalibrationKind::NotByTier => {
            "but it is calibrated on average only, not by tier".to_owned()
        }
        CalibrationKind::Seasonal => {
            "but it is calibrated over all months together, not in each".to_owned()
        }
    }
}

fn disclaimer(kind: CalibrationKind) -> &'static str {
    if kind == CalibrationKind::CannotTell {
        ""
    } else {
        ", and its percentages do not hold"
    }
}

fn against(contest: &Contest, calibration: &CalibrationVerdict) -> String {
    let baseline = &contest.against;
    // An AUC looks at all leads, a team at the first ones only.
    let customers = contest.customers_difference;
    let ranking = match contest.verdict {
        ContestVerdict::Better if customers.low > 0.0 => {
            format!("The model finds more customers than {baseline}")
        }
        ContestVerdict::Better if customers.high < 0.0 => format!(
            "The model ranks leads better than {baseline}, and finds fewer customers with as many calls"
        ),
        ContestVerdict::Better => format!(
            "The model ranks leads better than {baseline}, and finds no more customers beyond chance with as many calls"
        ),
        ContestVerdict::Worse if customers.high < 0.0 => {
            format!("The model finds fewer customers than {baseline}")
        }
        ContestVerdict::Worse => format!("The model ranks these leads worse than {baseline}"),
        ContestVerdict::NearlyTied => format!("The model and {baseline} nearly tie on these leads"),
        ContestVerdict::CannotTell => {
            format!("Whether the model is better than {baseline} cannot be told yet")
        }
    };
    match (contest.verdict, calibration.kind) {
        // Bad news about ranking needs no praise beside it.
        (
            ContestVerdict::Worse | ContestVerdict::CannotTell,
            CalibrationKind::Calibrated | CalibrationKind::CannotTell,
        ) => format!("{ranking}."),
        (ContestVerdict::NearlyTied, CalibrationKind::Calibrated) => {
            format!("{ranking}, and the model is calibrated.")
        }
        (ContestVerdict::Better | ContestVerdict::NearlyTied, _) => {
            format!("{ranking}, {}.", clause(calibration))
        }
        _ => format!(
            "{ranking}, {}.",
            clause(calibration).replacen("but", "and", 1)
        ),
    }
}

/// One paragraph: who finds more customers with as many calls, and how sure that is.
fn argument(comparison: &Comparison, contest: &Contest, baseline: &ScoreFigures) -> String {
    let model = &comparison.scores[0];
    let (low, high) = (contest.auc_difference.low, contest.auc_difference.high);
    let first = format!(
        "On the same {} snapshots, AUC is {} for the model and {} for {}: a difference of {:+.3} ({low:+.3} to {high:+.3}).",
        count(comparison.n_rows),
        number(model.ranking.roc_auc.value),
        number(baseline.ranking.roc_auc.value),
        baseline.name,
        contest.auc_difference.value,
    );
    let second = match contest.verdict {
        ContestVerdict::Better => "That is beyond chance.".to_owned(),
        ContestVerdict::Worse => format!(
            "That is beyond chance: as things stand, keep {}.",
            baseline.name
        ),
        ContestVerdict::NearlyTied => format!(
            "Whichever is better, it is so by less than {NEARLY}: for ranking, either will do."
        ),
        ContestVerdict::CannotTell => {
            "That may be chance: wait for more outcomes before you change anything.".to_owned()
        }
    };
    let (mine, theirs) = (&model.at_capacity, &baseline.at_capacity);
    let calls = whole(mine.n_called);
    let found = match (
        contest.customers_a_month,
        mine.customers_a_month,
        theirs.customers_a_month,
    ) {
        (Some(difference), Some(own), Some(other)) => format!(
            "With the same {calls} calls, the model finds {:.1} customers a month and {} {:.1}: {:+.1} ({:+.1} to {:+.1}).",
            own.value,
            baseline.name,
            other.value,
            difference.value,
            difference.low,
            difference.high
        ),
        _ => {
            let difference = contest.customers_difference;
            format!(
                "With the same {calls} calls, the model finds {} customers and {} {}: {} ({} to {}).",
                whole(mine.customers),
                baseline.name,
                whole(theirs.customers),
                signed_whole(difference.value),
                signed_whole(difference.low),
                signed_whole(difference.high)
            )
        }
    };
    let rates = |score: &ScoreFigures| {
        score
            .tiers
            .iter()
            .map(|tier| per_cent(tier.win_rate))
            .collect::<Vec<_>>()
            .join(", ")
    };
    let in_order = if baseline
        .tiers
        .windows(2)
        .all(|pair| pair[0].win_rate >= pair[1].win_rate)
    {
        ""
    } else {
        ", which are not even in order"
    };
    let last = format!(
        "Win rates of its quartiles, top first: {}; of those of {}: {}{in_order}.",
        rates(model),
        baseline.name,
        rates(baseline)
    );
    format!("{first} {second} {found} {last}")
}

fn standing_alone(comparison: &Comparison) -> String {
    let model = &comparison.scores[0];
    let calls = whole(model.at_capacity.n_called);
    let found = match model.at_capacity.customers_a_month {
        Some(customers) => format!(
            "finds {:.1} customers a month ({:.1} to {:.1})",
            customers.value, customers.low, customers.high
        ),
        None => format!("finds {} customers", whole(model.at_capacity.customers)),
    };
    let ratio = model.top_to_bottom.map_or(String::new(), |ratio| {
        format!(" The top quartile wins {ratio:.1} times as often as the bottom one.")
    });
    format!(
        "With {calls} calls, the model {found}; precision at {calls}: {}.{ratio}",
        per_cent(model.at_capacity.precision.value)
    )
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
    let n_checks = verdict.checks.len();
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
                "; nothing is off beyond chance, but the log-loss is no better than the base rate's: the percentages say no more than that rate".to_owned()
            }
            CalibrationKind::CannotTell => "; too few outcomes to tell".to_owned(),
            _ => format!("; mean, slope, tiers, the top and every month agree within chance ({n_checks} checks, jointly at 5 %; {design})"),
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
            "Calibration: {}. {mean}; {slope}. Beyond chance ({n_checks} checks, jointly at 5 %; {design}): {}{others}. {}",
            verdict.kind.name(),
            worst.join("; "),
            action(verdict)
        )
    };
    let answer = match verdict.kind {
        CalibrationKind::Calibrated => "yes",
        CalibrationKind::CannotTell => "unsure",
        _ => "no",
    };
    Finding { answer, text }
}

fn in_words(check: &CalibrationCheck) -> String {
    match check.of {
        CheckOf::Slope => format!("slope {:.2} in place of 1", check.observed),
        CheckOf::Spiegelhalter => format!("{} {:+.1}", check.name, check.z),
        _ => format!(
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
            "Recalibrate on these outcomes (where it began within these months, `recalibrate` says so and from when on to learn), and look for what changed: more or fewer leads, another source, another price."
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
    Finding {
        answer: if loss.value < evaluation.base_log_loss {
            "yes"
        } else {
            "no"
        },
        text,
    }
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
    Finding {
        answer: if is_beaten { "yes" } else { "no" },
        text,
    }
}

fn contest_finding(comparison: &Comparison, contest: &Contest, baseline: &ScoreFigures) -> Finding {
    let difference = contest.auc_difference;
    let answer = match contest.verdict {
        ContestVerdict::Better => "yes",
        ContestVerdict::Worse => "no",
        ContestVerdict::NearlyTied | ContestVerdict::CannotTell => "unsure",
    };
    let words = match contest.verdict {
        ContestVerdict::Better => "better",
        ContestVerdict::Worse => "worse",
        ContestVerdict::NearlyTied => "nearly tied",
        ContestVerdict::CannotTell => "cannot be told",
    };
    let text = format!(
        "Against {}, on the same {} snapshots: {words}. AUC {} against {}, a difference of {:+.3} ({:+.3} to {:+.3}).",
        contest.against,
        count(comparison.n_rows),
        number(comparison.scores[0].ranking.roc_auc.value),
        number(baseline.ranking.roc_auc.value),
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
        challenge.richer,
        challenge.simpler,
        challenge.log_loss_difference,
        challenge.low,
        challenge.high,
        challenge.shipped
    );
    // Whichever was shipped is the one that the data speaks for; only the win rate itself is bad
    // news.
    Finding {
        answer: if challenge.shipped == Alternative::BaseRate {
            "no"
        } else {
            "yes"
        },
        text,
    }
}

pub(crate) fn number(value: f64) -> String {
    format!("{value:.3}")
}

pub(crate) fn per_cent(share: f64) -> String {
    let value = share * 100.0;
    if value != 0.0 && value < 10.0 {
        format!("{value:.1} %")
    } else {
        format!("{value:.0} %")
    }
}

/// A number with thousands apart, as people read it.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|part| std::str::from_utf8(part).expect("digits"))
        .collect();
    parts.join(",")
}

/// The nearest whole number, thousands apart.
pub(crate) fn whole(value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers of leads, or sums of money"
    )]
    let digits = count(value.abs().round() as usize);
    if value <= -0.5 {
        format!("-{digits}")
    } else {
        digits
    }
}

pub(crate) fn signed_whole(value: f64) -> String {
    if value >= 0.5 {
        format!("+{}", whole(value))
    } else {
        whole(value)
    }
}
