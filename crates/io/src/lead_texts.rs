//! Cells as a table has them, for people to read: columns of the leads beside a list of them, and
//! earlier scores.

use std::path::Path;

use hashbrown::HashMap;
use leadscore_config::{Config, FileConfig, Location};
use leadscore_core::Timestamp;

use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::scan::{RawTable, Table};
use crate::write::neutralise;

/// Rows that are looked at together.
const BATCH_ROWS: usize = 1 << 17;

/// Fails unless the leads have all of these columns.
///
/// # Errors
///
/// [`TablesError::Column`] names the column and those that there are; [`TablesError::Doubts`] one
/// of a type that is not read.
pub fn check_lead_columns(
    config: &Config,
    folder: &Path,
    columns: &[String],
    now: Option<Timestamp>,
) -> Result<(), TablesError> {
    open_leads(config, folder, columns, now).map(drop)
}

fn open_leads<'c>(
    config: &'c Config,
    folder: &Path,
    columns: &[String],
    now: Option<Timestamp>,
) -> Result<Table<'c>, TablesError> {
    let table = Table::open(
        "[leads]",
        folder,
        config.leads.file(),
        Bounds::new(config, now),
    )?;
    for column in columns {
        if let Some(doubt) = table.unreadable(column) {
            return Err(doubt.into());
        }
        table.require("columns", column)?;
    }
    Ok(table)
}

/// The cells of these columns for each of these leads, in the order of `ids`; an empty cell is
/// `None`.
///
/// # Errors
///
/// As [`check_lead_columns`]; or the table cannot be read.
pub fn lead_texts(
    config: &Config,
    folder: &Path,
    columns: &[String],
    ids: &[&str],
    now: Option<Timestamp>,
) -> Result<Vec<Vec<Option<String>>>, TablesError> {
    let table = open_leads(config, folder, columns, now)?;
    let position: HashMap<&str, usize> = ids
        .iter()
        .enumerate()
        .map(|(position, id)| (*id, position))
        .collect();
    let mut texts = vec![vec![None; columns.len()]; ids.len()];
    let wanted: Vec<&str> = std::iter::once(&config.leads.id)
        .chain(columns)
        .map(String::as_str)
        .collect();
    for batch in table.batches(BATCH_ROWS)? {
        let raw = table.read_batch(&wanted, batch)?;
        let mut row_of: HashMap<usize, usize> = HashMap::new();
        raw.for_each_text(&config.leads.id, |row, id| {
            row_of.extend(
                id.and_then(|id| position.get(id))
                    .map(|&position| (row, position)),
            );
            Ok(())
        })?;
        if row_of.is_empty() {
            continue;
        }
        for (idx, column) in columns.iter().enumerate() {
            raw.for_each_text(column, |row, text| {
                if let Some(&position) = row_of.get(&row) {
                    texts[position][idx] = text.map(str::to_owned);
                }
                Ok(())
            })?;
        }
    }
    Ok(texts)
}

/// The likelihoods of an earlier score file.
#[derive(Debug, Clone, PartialEq)]
pub struct EarlierScores {
    /// In per cent, by the lead's id; NaN for a lead that had none.
    likelihoods: HashMap<String, f64>,
    /// The moment of the scores, as the file has it.
    pub as_of: Option<String>,
    /// The model of the scores.
    pub model_id: Option<String>,
}

impl EarlierScores {
    /// Reads a file that `score` has written.
    ///
    /// # Errors
    ///
    /// It cannot be read, lacks a column of a score file, or has a lead twice.
    pub fn read(path: &Path, id_column: &str) -> Result<Self, TablesError> {
        let location = Location::One(path.to_string_lossy().into_owned());
        let table = Table::open(
            "earlier scores",
            Path::new(""),
            FileConfig::plain(&location),
            Bounds::usual(None),
        )?;
        let columns = [id_column, "as_of", "likelihood_to_close", "model_id"];
        for column in columns {
            table.require("column", column)?;
        }
        let raw = table.read(&columns)?;
        let numbers = raw.numbers("likelihood_to_close")?;
        let mut likelihoods = HashMap::with_capacity(numbers.len());
        raw.for_each_text(id_column, |row, id| {
            let id = id.ok_or_else(|| {
                raw.cell_error(
                    row,
                    id_column,
                    "the lead has no id".to_owned(),
                    "name a file that `score` has written",
                )
            })?;
            if likelihoods.insert(id.to_owned(), numbers[row]).is_some() {
                let help = "name the scores of one moment, such as the file of the week before";
                return Err(raw.cell_error(
                    row,
                    id_column,
                    format!("the lead `{id}` appears a second time"),
                    help,
                ));
            }
            Ok(())
        })?;
        Ok(Self {
            likelihoods,
            as_of: first_text(&raw, "as_of")?,
            model_id: first_text(&raw, "model_id")?,
        })
    }

    /// The likelihood that a lead had, in per cent; `None` where it had none.
    pub fn of(&self, id: &str) -> Option<f64> {
        // In CSV, an id that looks like a formula has a quotation mark in front.
        let known = self
            .likelihoods
            .get(id)
            .or_else(|| self.likelihoods.get(neutralise(id).as_ref()));
        known.copied().filter(|likelihood| !likelihood.is_nan())
    }
}

fn first_text(raw: &RawTable<'_>, column: &str) -> Result<Option<String>, TablesError> {
    let mut first = None;
    raw.for_each_text(column, |_, text| {
        if first.is_none() {
            first = text.map(str::to_owned);
        }
        Ok(())
    })?;
    Ok(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn earlier_scores_are_found_by_the_id_as_it_is() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().join("scores.csv");
        let write = |text: &str| std::fs::write(&path, text).expect("room on the disk");
        write("id,as_of,likelihood_to_close,model_id\n'=1+1,2025-01-01,12.5,m\nw,2025-01-01,,m\n");
        let earlier = EarlierScores::read(&path, "id").expect("a score file");
        assert_eq!(
            [earlier.of("=1+1"), earlier.of("w"), earlier.of("new")],
            [Some(12.5), None, None]
        );
        assert_eq!(earlier.model_id.as_deref(), Some("m"));
        write("id,as_of,likelihood_to_close,model_id\na,2025-01-01,1,m\na,2025-02-01,2,m\n");
        assert!(
            EarlierScores::read(&path, "id")
                .expect_err("two moments")
                .to_string()
                .contains("a second time")
        );
        write("id,likelihood\na,1\n");
        assert!(
            EarlierScores::read(&path, "id")
                .expect_err("no score file")
                .to_string()
                .contains("as_of")
        );
    }
}
