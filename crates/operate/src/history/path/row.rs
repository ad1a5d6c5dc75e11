//! The row of one lead in one file of scores.

use leadscore::CONCEPT_PREFIX;
use leadscore_core::{ContactPriority, Timestamp};
use leadscore_io::{ColumnFile, Frame};

use super::super::error::HistoryError;
use super::super::read::{Columns, for_each_id};

/// What a file says of a lead.
#[derive(Debug, Clone)]
pub(super) struct Row {
    pub(super) model_id: String,
    /// `None` where the lead had been won before.
    pub(super) score: Option<Score>,
}

/// The score of a lead, and what it is the sum of.
#[derive(Debug, Clone)]
pub(super) struct Score {
    pub(super) tier: ContactPriority,
    pub(super) held_back: Option<bool>,
    pub(super) guard: Option<String>,
    pub(super) model_id: String,
    pub(super) log_odds: f64,
    pub(super) baseline: f64,
    /// Concepts with their contributions; `None` where the file has none, as one of an engine.
    pub(super) concepts: Option<Vec<(String, f64)>>,
    /// The reasons that the file names.
    pub(super) named: Vec<(String, f64)>,
    /// All other reasons together.
    pub(super) others: f64,
}

/// The row of a lead; `None` where the file does not have it.
pub(super) fn find_row(
    file: &ColumnFile,
    id_column: &str,
    lead: &str,
) -> Result<Option<usize>, HistoryError> {
    let mut found = None;
    for_each_id(&file.read(&[id_column])?, id_column, |row, id| {
        if found.is_none() && id == Some(lead) {
            found = Some(row);
        }
    });
    Ok(found)
}

/// What a file says in one row.
pub(super) fn read_row(
    file: &ColumnFile,
    row: usize,
    moment: Timestamp,
) -> Result<Row, HistoryError> {
    let missing = |column: &str| HistoryError::Column {
        path: file.path().clone(),
        column: column.to_owned(),
        columns: file.columns().to_vec(),
        is_id: false,
    };
    let columns: Vec<&str> = file.columns().iter().map(String::as_str).collect();
    let frame = file.read_row(&columns, row)?;
    let own = Columns::of_frame(file.path(), &frame, moment)?;
    let tier = own.tiers[0];
    if tier == ContactPriority::ClosedWon {
        return Ok(Row {
            model_id: own.model_id,
            score: None,
        });
    }
    let number = |column: &str| {
        let first = frame
            .numbers(column)
            .and_then(|values| values.first().copied());
        first.filter(|value| value.is_finite())
    };
    let baseline = number("baseline_log_odds").ok_or_else(|| missing("baseline_log_odds"))?;
    let log_odds = own.log_odds[0];
    let concepts: Vec<(String, f64)> = columns
        .iter()
        .filter_map(|column| Some((column.strip_prefix(CONCEPT_PREFIX)?, number(column)?)))
        .map(|(concept, value)| (concept.to_owned(), value))
        .collect();
    let named = named_reasons(&frame);
    let sum: f64 = named.iter().map(|(_, log_odds)| log_odds).sum();
    Ok(Row {
        model_id: own.model_id.clone(),
        score: Some(Score {
            tier,
            held_back: own.held_back.map(|held| held[0]),
            guard: frame.texts("guard").and_then(|mut texts| texts.remove(0)),
            model_id: own.model_id,
            log_odds,
            baseline,
            concepts: (!concepts.is_empty()).then_some(concepts),
            others: log_odds - baseline - sum,
            named,
        }),
    })
}

/// The reasons that a row names; more than one of the same words are one.
fn named_reasons(frame: &Frame) -> Vec<(String, f64)> {
    let mut named: Vec<(String, f64)> = Vec::new();
    for rank in 1.. {
        let column = format!("reason_{rank}");
        let (Some(texts), Some(log_odds)) = (
            frame.texts(&column),
            frame.numbers(&format!("{column}_log_odds")),
        ) else {
            break;
        };
        let (Some(text), log_odds) = (texts[0].clone(), log_odds[0]) else {
            continue;
        };
        match named.iter_mut().find(|(known, _)| *known == text) {
            Some((_, sum)) => *sum += log_odds,
            None => named.push((text, log_odds)),
        }
    }
    named
}
