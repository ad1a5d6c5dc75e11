//! Monitoring, and one scheduled run.

use std::path::{Path, PathBuf};

use leadscore::{Config, ErrorKind, Inputs};
use leadscore_operate::{
    FigureTable, History, MonitorError, MonitorInput, RunDecision, RunFailure, RunOptions,
};
use pyo3::exceptions::{PyBlockingIOError, PyValueError};
use pyo3::prelude::*;

use crate::arguments::{Call, in_python};
use crate::call::{compute, run as run_heard};
use crate::data::Data;
use crate::errors::{exception_by_kind, exception_of_text};
use crate::frames::Table;
use crate::model::Model;
use crate::report::words;

/// What monitoring found.
#[pyclass(frozen, module = "leadscore._native")]
pub(crate) struct Monitoring {
    monitoring: leadscore_operate::Monitoring,
}

#[pymethods]
impl Monitoring {
    /// What the command writes with `--json`.
    fn json(&self) -> PyResult<String> {
        serde_json::to_string_pretty(&self.monitoring)
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    fn text(&self) -> String {
        words(&self.monitoring.text())
    }

    fn html(&self, py: Python<'_>) -> PyResult<String> {
        compute(py, || self.monitoring.html())
    }

    fn metrics(&self) -> String {
        self.monitoring.open_metrics()
    }

    /// The drawings of the page as SVG, by name.
    fn pictures(&self) -> Vec<(&'static str, String)> {
        self.monitoring.pictures()
    }

    fn weeks(&self, py: Python<'_>) -> PyResult<Table> {
        Table::new(py, self.monitoring.weeks_table())
    }

    /// The tables of the page, by title.
    fn tables(&self, py: Python<'_>) -> PyResult<Vec<(String, Table)>> {
        let named = |table: &FigureTable| {
            let mut table = table.clone();
            // The page has a column without a head; a frame wants a name.
            for name in table.head.iter_mut().filter(|name| name.is_empty()) {
                *name = "note".to_owned();
            }
            table.table()
        };
        self.monitoring
            .tables
            .iter()
            .map(|table| Ok((table.title.clone(), Table::new(py, named(table))?)))
            .collect()
    }
}

fn look(
    data: &leadscore::Data,
    model: &leadscore::Model,
    folder: Option<&Path>,
) -> Result<leadscore_operate::Monitoring, MonitorError> {
    let settings = data.settings();
    // Undated data has no history; what monitoring says of it is the better answer.
    let history = if settings.is_flat() {
        None
    } else {
        // Only the folder that it is in matters.
        let config = data.folder().join("leadscore.toml");
        Some(History::of_config(settings, &config, folder)?)
    };
    leadscore_operate::monitor(
        data,
        model,
        MonitorInput {
            history: history.as_ref(),
            ..MonitorInput::default()
        },
    )
}

/// Whether a model still holds.
#[pyfunction]
pub(crate) fn monitor(
    py: Python<'_>,
    listener: &Bound<'_, PyAny>,
    data: &Data,
    model: &Model,
    history: Option<PathBuf>,
) -> PyResult<Monitoring> {
    let found = data.run_with(py, listener, model, move |data, model| {
        Ok(look(data, model, history.as_deref()))
    })?;
    found
        .map(|monitoring| Monitoring { monitoring })
        .map_err(|error| exception_by_kind(py, error.kind(), &error, Call::Any))
}

/// The folder of the registry that a config names.
#[pyfunction]
pub(crate) fn registry_folder(data: &Data) -> PathBuf {
    let registry = &data.data.settings().operation.registry;
    data.data.folder().join(registry)
}

/// What was asked for, as the journal has it.
fn call_text(as_of: Option<&str>, options: &[(&str, bool)]) -> String {
    let mut asked: Vec<String> = as_of
        .map(|text| format!("as_of={text}"))
        .into_iter()
        .collect();
    let set = options.iter().filter(|(_, is_set)| *is_set);
    asked.extend(set.map(|(name, _)| format!("{name}=True")));
    format!("Python: leadscore.run({})", asked.join(", "))
}

/// Runs once; the JSON object that the command prints, or the exception of what failed.
#[pyfunction]
pub(crate) fn run(
    py: Python<'_>,
    listener: &Bound<'_, PyAny>,
    config: PathBuf,
    as_of: Option<String>,
    dry_run: bool,
    retrain: bool,
    accept_churn: bool,
) -> PyResult<String> {
    let by = leadscore_cli::by(call_text(
        as_of.as_deref(),
        &[("retrain", retrain), ("accept_churn", accept_churn)],
    ));
    let report = run_heard(py, listener, move |listener| {
        let config = Config::read(&config)?;
        let as_of = as_of
            .map(|text| config.moment("as_of", &text))
            .transpose()?;
        let inputs = Inputs {
            listener,
            ..Inputs::default()
        };
        let options = RunOptions {
            as_of,
            dry_run,
            retrain,
            accept_churn,
            seconds: leadscore_cli::seconds,
        };
        Ok(leadscore_operate::run(&config, inputs, by, options))
    })?;
    match &report.error {
        Some(failure) => Err(failed(py, report.decision == RunDecision::Busy, failure)),
        None => {
            serde_json::to_string(&report).map_err(|error| PyValueError::new_err(error.to_string()))
        }
    }
}

fn failed(py: Python<'_>, is_busy: bool, failure: &RunFailure) -> PyErr {
    let text = match &failure.hint {
        Some(hint) => format!("{}\n  hint: {hint}", failure.message),
        None => failure.message.clone(),
    };
    if is_busy {
        return PyBlockingIOError::new_err(in_python(&text, Call::Any).into_owned());
    }
    let kind = failure.kind.unwrap_or(ErrorKind::Request);
    exception_of_text(py, kind, &text, Call::Any)
}
