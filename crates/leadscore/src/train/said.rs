//! What training says of itself.

use leadscore_inference::{LearningCurve, Limitation};
use leadscore_training::{DropReason, Dropped, Trained};

use crate::data::Data;
use crate::text::table;

/// A row for each number of wins, a column for each shape, and what it says.
pub(crate) fn learning_lines(learning: &LearningCurve) -> Vec<String> {
    let names: Vec<String> = learning
        .points
        .iter()
        .map(|point| point.shape.to_string())
        .collect();
    let mut shapes: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut seen = std::collections::HashSet::new();
    shapes.retain(|shape| seen.insert(*shape));
    let header: Vec<&str> = std::iter::once("wins")
        .chain(shapes.iter().copied())
        .collect();
    let rows: Vec<Vec<String>> = learning
        .points
        .chunk_by(|a, b| a.n_wins == b.n_wins)
        .map(|points| {
            std::iter::once(format!("{:.0}", points[0].n_wins))
                .chain(points.iter().map(|point| format!("{:.4}", point.log_loss)))
                .collect()
        })
        .collect();
    let mut lines = vec!["log-loss by the wins learned from:".to_owned()];
    lines.extend(table(&header, &rows).lines().map(str::to_owned));
    lines.extend(learning.verdict.iter().cloned());
    lines
}

/// Says how training went.
pub(crate) fn report_training(data: &Data, trained: &Trained) {
    let say = |text: &str| data.remark(text);
    let card = &trained.model.card;
    report_judged(data, trained);
    report_dropped(data, trained);
    say(&format!(
        "data: {}: {}",
        card.sufficiency.verdict.name(),
        card.sufficiency.reason
    ));
    say(&format!("model: {}", card.penalty_choice));
    for challenge in &card.challenges {
        say(&format!(
            "{} against {}: {}",
            challenge.richer, challenge.simpler, challenge.reason
        ));
    }
    say(&format!("fit: {}", card.fit));
    for limitation in card
        .limitations
        .iter()
        .filter(|limitation| **limitation == Limitation::NoSignal)
    {
        say(&limitation.to_string());
    }
    if let Some(learning) = &card.learning {
        learning_lines(learning).iter().for_each(|line| say(line));
    }
    // The model that is written has seen all outcomes: what is measured is a fit that has not.
    let of_part = if trained
        .model
        .scope
        .as_ref()
        .is_some_and(|scope| scope.negative_sampling_rate < 1.0)
    {
        ", of the tables as they are, before the correction for `negative_sampling_rate`"
    } else {
        ""
    };
    say(&format!(
        "held-out evaluation, of an earlier fit and not of the model written: {}{of_part}",
        card.evaluation
    ));
    for (name, value) in &card.metrics {
        say(&format!("  {name:<18} {value:.4}"));
    }
}

/// The first few of these features, in words.
fn first_names(dropped: &[&Dropped]) -> String {
    let named = dropped
        .iter()
        .take(3)
        .map(|dropped| format!("`{}`", dropped.feature))
        .collect::<Vec<_>>()
        .join(", ");
    if dropped.len() > 3 {
        format!("{named} and {} more", dropped.len() - 3)
    } else {
        named
    }
}

/// Says which attributes are suspicious, or leak.
fn report_judged(data: &Data, trained: &Trained) {
    for found in trained.model.scope.iter().flat_map(|scope| &scope.judged) {
        let verdict = match (found.is_proven, found.is_used) {
            (true, false) => "leak, left out",
            (true, true) => "leak, used all the same",
            (false, _) => "suspicious",
        };
        let without = found.without.map_or(String::new(), |figures| {
            format!(
                "; without it, held out: AUC {:.3} in place of {:.3}, log-loss {:.4} in place of {:.4}",
                figures.roc_auc_without, figures.roc_auc_with, figures.log_loss_without, figures.log_loss_with
            )
        });
        data.remark(&format!(
            "{verdict}: `{}`: {}{without}",
            found.feature, found.evidence
        ));
    }
}

/// Says which features were left out.
fn report_dropped(data: &Data, trained: &Trained) {
    // What knows the outcome was named as a leak.
    let (weightless, empty): (Vec<&Dropped>, Vec<&Dropped>) = trained
        .dropped
        .iter()
        .filter(|dropped| dropped.reason != DropReason::KnowsOutcome)
        .partition(|dropped| dropped.reason == DropReason::Weightless);
    if !empty.is_empty() {
        data.remark(&format!(
            "left out as constant, missing, rare or silent beside the others: {} (`check` gives each its reason)",
            first_names(&empty)
        ));
    }
    if !weightless.is_empty() {
        data.remark(&format!(
            "of no weight by the lasso: {}",
            first_names(&weightless)
        ));
    }
}
