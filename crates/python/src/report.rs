//! The report of an evaluation, in all its forms.

use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;

use crate::errors::exception;
use crate::frames::Table;
use leadscore::front_end::printable_lines;
use leadscore::write_report;

/// A report, rendered when it is asked for.
#[pyclass(frozen, module = "leadscore._native")]
pub(crate) struct Report {
    pub(crate) report: leadscore::Report,
    pub(crate) snapshots: Option<leadscore::OutTable>,
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
        let written = py.detach(|| write_report(&self.report, &path));
        written.map_err(|error| exception(py, &error))
    }
}
