//! A model as a page and as text: every curve, level and table with its interval and its counts.

use std::fmt::Write as _;

use leadscore_core::{counted, log_odds_to_probability, printable};
use leadscore_inference::{CellCount, Model, Term};
use minijinja::context;
use serde::Serialize;

use crate::error::ReportError;
use crate::format::per_cent;
use crate::html::environment;
use crate::term_pictures::{self, Cell};

const TEMPLATE: &str = include_str!("model.html.jinja");

#[derive(Serialize)]
struct TermView {
    title: String,
    range: String,
    drawing: String,
    cells: Vec<CellView>,
}

#[derive(Serialize)]
struct CellView {
    name: String,
    weight: String,
    interval: String,
    n_rows: String,
    rate: String,
}

/// The model as an offline page.
///
/// # Errors
///
/// [`ReportError::Template`] where the template does not fit.
pub fn model_page(model: &Model) -> Result<String, ReportError> {
    let mut environment = environment()?;
    environment.add_template("model", TEMPLATE)?;
    let errors = model.cell_errors();
    let terms: Vec<TermView> = in_order(model)
        .into_iter()
        .map(|idx| view(model, idx, errors.as_deref()))
        .collect();
    let values = context! {
        card => minijinja::value::Serde(&model.card),
        challenges => challenges(model),
        terms => minijinja::value::Serde(&terms),
        has_errors => model.covariance.is_some(),
        base => per_cent(log_odds_to_probability(model.intercept)),
    };
    Ok(environment.get_template("model")?.render(values)?)
}

/// What training compared, in words, with the reason for the choice.
fn challenges(model: &Model) -> Vec<(String, String, String)> {
    let challenges = model.card.challenges.iter();
    challenges
        .map(|challenge| {
            (
                challenge.richer.to_string(),
                challenge.simpler.to_string(),
                challenge.reason.clone(),
            )
        })
        .collect()
}

/// Every term as a table of text, strongest first.
pub fn model_text(model: &Model) -> String {
    let mut text = String::new();
    let errors = model.cell_errors();
    for idx in in_order(model) {
        let cells = cells(model, idx, errors.as_deref());
        let _ = writeln!(
            text,
            "{}\n",
            printable(&model.describe_term(&model.terms[idx]))
        );
        let widest = cells
            .iter()
            .map(|cell| cell.weight.abs())
            .fold(0.05, f64::max);
        let name_width = cells
            .iter()
            .map(|cell| printable(&cell.name).chars().count())
            .max()
            .unwrap_or(0)
            .min(48);
        for cell in &cells {
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 14 marks"
            )]
            let length = (14.0 * cell.weight.abs() / widest).round() as usize;
            let bar = if cell.weight < 0.0 {
                format!("{:>14}|", "-".repeat(length))
            } else {
                format!("{:14}|{}", "", "+".repeat(length))
            };
            let interval = cell
                .error
                .map_or(String::new(), |error| format!(" ± {:.2}", 1.96 * error));
            let counts = cell.count.map_or(String::new(), |count| {
                format!("{}, {} won", counted(count.n_rows, "snapshot"), rate(count))
            });
            let name: String = printable(&cell.name).chars().take(48).collect();
            let _ = writeln!(
                text,
                "  {name:<name_width$}  {:>+7.3}{interval:<7}  {bar:<29}  {counts}",
                cell.weight
            );
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text
}

fn in_order(model: &Model) -> Vec<usize> {
    let mut order: Vec<usize> = (0..model.terms.len()).collect();
    order.sort_by(|&a, &b| model.terms[b].range().total_cmp(&model.terms[a].range()));
    order
}

/// `errors` are those of all terms' cells.
fn cells(model: &Model, idx: usize, errors: Option<&[Vec<f64>]>) -> Vec<Cell> {
    let term = &model.terms[idx];
    let counts = model.counts.get(idx);
    term.cell_names()
        .into_iter()
        .zip(term.cells())
        .enumerate()
        .map(|(cell, (name, weight))| Cell {
            idx: cell,
            name,
            weight,
            error: errors.map(|errors| errors[idx][cell]),
            count: counts.map(|counts| counts[cell]),
        })
        // Cells that training had nothing for say nothing.
        .filter(|cell| {
            matches!(term, Term::Pair(_)) || cell.count.is_none_or(|count| count.n_rows > 0)
        })
        .collect()
}

fn rate(count: CellCount) -> String {
    if count.n_rows == 0 {
        String::new()
    } else {
        per_cent(count.n_wins as f64 / count.n_rows as f64)
    }
}

fn view(model: &Model, idx: usize, errors: Option<&[Vec<f64>]>) -> TermView {
    let term = &model.terms[idx];
    let cells = cells(model, idx, errors);
    let drawing = match term {
        Term::Bins(bins) => term_pictures::curve(&cells, bins),
        Term::Pair(pair) => {
            term_pictures::heat_map(&cells, &pair.first.cell_names(), &pair.second.cell_names())
        }
        Term::Linear(_) | Term::Levels(_) => term_pictures::weights(&cells),
    };
    let rows = cells
        .iter()
        .filter(|cell| cell.count.is_none_or(|count| count.n_rows > 0))
        .map(|cell| CellView {
            name: cell.name.clone(),
            weight: format!("{:+.3}", cell.weight),
            interval: cell.error.map_or(String::new(), |error| {
                format!(
                    "{:+.3} to {:+.3}",
                    cell.weight - 1.96 * error,
                    cell.weight + 1.96 * error
                )
            }),
            n_rows: cell
                .count
                .map_or(String::new(), |count| count.n_rows.to_string()),
            rate: cell.count.map_or(String::new(), rate),
        });
    TermView {
        title: model.describe_term(term),
        range: format!("{:.2}", term.range()),
        cells: rows.collect(),
        drawing,
    }
}
