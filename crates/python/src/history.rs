//! The history of scores, as tables.

use std::path::{Path, PathBuf};

use leadscore::{Config, OutTable, Timestamp};
use leadscore_operate::{History, HistoryError, PathOptions};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::arguments::Call;
use crate::call::same_process;
use crate::errors::exception_by_kind;
use crate::frames::Table;

/// What a history is asked for.
struct Question {
    config: PathBuf,
    folder: Option<PathBuf>,
    lead: Option<String>,
    since: Option<Timestamp>,
    all: bool,
}

impl Question {
    /// The table, and all of it as JSON.
    fn answer(&self) -> Result<(OutTable, String), HistoryError> {
        let config = Config::read(&self.config)?;
        let folder = self.folder.as_deref();
        let history = History::of_config(config.settings(), Path::new(config.path()), folder)?;
        let json = |value: serde_json::Result<String>| value.map_err(leadscore::Error::from);
        match &self.lead {
            Some(lead) => {
                let path = history.path(lead, &PathOptions { since: self.since })?;
                Ok((path.table(), json(serde_json::to_string(&path))?))
            }
            None => {
                let summary = history.summary(self.since, self.all)?;
                Ok((summary.table(), json(serde_json::to_string(&summary))?))
            }
        }
    }
}

/// What was predicted for a lead over time, or the history by week; the table has all of it as its
/// summary.
#[pyfunction]
pub(crate) fn history(
    py: Python<'_>,
    config: PathBuf,
    folder: Option<PathBuf>,
    lead: Option<String>,
    since: Option<String>,
    all: bool,
) -> PyResult<Table> {
    same_process()?;
    let since: Option<Timestamp> = since
        .map(|text| text.parse())
        .transpose()
        .map_err(|error| PyValueError::new_err(format!("since={error}")))?;
    let question = Question {
        config,
        folder,
        lead,
        since,
        all,
    };
    let (table, summary) = py
        .detach(|| question.answer())
        .map_err(|error| exception_by_kind(py, error.kind(), &error, Call::Any))?;
    Ok(Table {
        summary: Some(summary),
        ..Table::new(py, table)?
    })
}
