//! The report of an evaluation, in all its forms.

use std::path::PathBuf;

use leadscore::{write_bytes, write_text};
use leadscore_core::printable_lines;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::errors::exception;
use crate::frames::Table;

/// A report, rendered when it is asked for.
#[pyclass(frozen, module = "leadscore._native")]
pub(crate) struct Report {
    pub(crate) report: leadscore_report::Report,
    pub(crate) snapshots: Option<leadscore_tables::OutTable>,
}

#[pymethods]
impl Report {
    fn html(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.report.html())
            .map_err(|error| exception(py, &error.into()))
    }

    fn json(&self, py: Python<'_>) -> PyResult<String> {
        py.detach(|| self.report.json())
            .map_err(|error| exception(py, &error.into()))
    }

    fn text(&self) -> String {
        printable_lines(&self.report.text()).into_owned()
    }

    fn markdown(&self) -> String {
        self.report.markdown()
    }

    fn workbook<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = py
            .detach(|| self.report.workbook())
            .map_err(|error| exception(py, &error.into()))?;
        Ok(PyBytes::new(py, &bytes))
    }

    /// Every chart as a Vega-Lite specification in JSON, by name.
    fn charts(&self) -> Vec<(&'static str, String)> {
        self.report
            .vega_lite()
            .into_iter()
            .map(|(name, chart)| (name, chart.to_string()))
            .collect()
    }

    /// Every picture of the page as SVG, by name.
    fn pictures(&self) -> Vec<(&'static str, String)> {
        self.report.pictures()
    }

    fn snapshots(&self, py: Python<'_>) -> PyResult<Option<Table>> {
        self.snapshots
            .clone()
            .map(|table| Table::new(py, table))
            .transpose()
    }

    /// Writes one form of the report, whole or not at all; the ending of the path says which.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let ending = path
            .extension()
            .map(|ending| ending.to_string_lossy().to_lowercase())
            .unwrap_or_default();
        let written = py.detach(|| match ending.as_str() {
            "html" => write_text(&path, &self.report.html()?),
            "json" => write_text(&path, &self.report.json()?),
            "md" => write_text(&path, &self.report.markdown()),
            "xlsx" => write_bytes(&path, &self.report.workbook()?),
            _ => {
                Err(leadscore::Error::request(format!(
                    "a report is not written as `.{ending}`: let the name end in .html, .json, .xlsx or .md"
                )))
            }
        });
        written.map_err(|error| exception(py, &error))
    }
}
