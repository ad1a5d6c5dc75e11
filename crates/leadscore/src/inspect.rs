//! `inspect`: what is in a model file.

use leadscore_core::{count, counted, printable};
use leadscore_inference::{Model, Term};
use leadscore_report::model_text;

use crate::data_page::page;
use crate::text::table;
use crate::train::learning_lines;

/// The card of a model and the weight of its features; with every curve, level and table if asked
/// for.
pub fn inspect(model: &Model, shapes: bool) -> String {
    let mut lines = card_lines(model);
    // What a model file says of itself is one line each, whoever wrote it.
    for line in &mut lines {
        *line = printable(line).into_owned();
    }
    lines.push(String::new());
    if let Some(profile) = &model.data {
        lines.extend(page(None, profile, &[]));
    }
    let headings = ["feature", "moves by", "log-odds", "degrees of freedom"];
    lines.push(table(
        &headings[..if model.degrees.is_empty() { 3 } else { 4 }],
        &term_rows(model),
    ));
    if shapes {
        lines.push(String::new());
        lines.push(model_text(model));
    }
    lines.join("\n")
}

/// What the card says, a line each.
fn card_lines(model: &Model) -> Vec<String> {
    let card = &model.card;
    let mut lines = vec![
        format!("model        {}", card.model_id),
        format!(
            "predicts     {}",
            card.horizon.map_or(
                "won at all (undated data: no horizon)".to_owned(),
                |horizon| format!("won within {horizon} of the snapshot")
            )
        ),
        format!(
            "trained on   {} of {}, {} won, {} to {}",
            counted(card.n_snapshots, "snapshot"),
            counted(card.n_leads, "lead"),
            count(card.n_wins),
            card.snapshots_from,
            card.snapshots_to
        ),
        format!("cutoff       {}", card.training_cutoff),
        format!(
            "data         {}: {}",
            card.sufficiency.verdict.name(),
            card.sufficiency.reason
        ),
        format!("kind         {}: {}", card.kind, card.penalty_choice),
        format!("fit          {}", card.fit),
        format!("held out     {}", card.evaluation),
    ];
    for challenge in &card.challenges {
        lines.push(format!(
            "challenge    {} against {}: {}",
            challenge.richer, challenge.simpler, challenge.reason
        ));
    }
    if let Some(certificate) = &card.certificate {
        lines.push(format!(
            "certificate  gradient {:.1e}, Newton decrement {:.1e}, {}, {}, condition {:.1e}, {:.1} effective parameters",
            certificate.gradient,
            certificate.newton_decrement,
            counted(certificate.iterations, "step"),
            counted(certificate.passes, "pass"),
            certificate.condition,
            certificate.effective_parameters
        ));
    }
    if let Some(learning) = &card.learning {
        lines.extend(learning_lines(learning));
    }
    lines.extend(
        card.metrics
            .iter()
            .map(|(name, value)| format!("  {name:<18} {value:.4}")),
    );
    lines.extend(
        card.limitations
            .iter()
            .map(|limitation| format!("limitation   {limitation}")),
    );
    lines.push(format!("baseline     {:.4} log-odds", model.baseline()));
    lines
}

/// The terms of the model, those that move scores most first: what each moves, and how it weighs.
fn term_rows(model: &Model) -> Vec<Vec<String>> {
    let mut terms: Vec<(usize, &Term)> = model.terms.iter().enumerate().collect();
    terms.sort_by(|(_, a), (_, b)| b.range().total_cmp(&a.range()));
    terms
        .iter()
        .map(|(idx, term)| {
            let weight = match term {
                Term::Bins(bins) => counted(bins.weights.len(), "bin"),
                Term::Pair(pair) => {
                    format!("{} × {} cells", pair.first.n_cells(), pair.second.n_cells())
                }
                Term::Linear(linear) => format!("{:+.3} per {:.3}", linear.weight, linear.scale),
                Term::Levels(levels) => counted(levels.levels.len(), "level"),
            };
            let degrees = model
                .degrees
                .get(*idx)
                .map(|degrees| format!("{degrees:.1}"));
            [
                model.describe_term(term),
                format!("{:.3}", term.range()),
                weight,
            ]
            .into_iter()
            .chain(degrees)
            .collect()
        })
        .collect()
}
