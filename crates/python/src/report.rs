//! The report of an evaluation, in all its forms.

use std::path::PathBuf;

use leadscore::front_end::printable_lines;
use leadscore::write_report;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::arguments::{Call, in_python};
use crate::call::compute;
use crate::frames::Table;

/// A report, rendered when it is asked for.
#[pyclass(frozen, module = "leadscore._native")]
pub(crate) struct Report {
    pub(crate) report: leadscore::Report,
    pub(crate) snapshots: Option<leadscore::Frame>,
}

/// A text of several lines as Python shows it.
pub(crate) fn words(text: &str) -> String {
    printable_lines(&in_python(text, Call::Any)).into_owned()
}

#[pymethods]
impl Report {
    fn html(&self, py: Python<'_>) -> PyResult<String> {
        compute(py, || self.report.html())
    }

    fn json(&self, py: Python<'_>) -> PyResult<String> {
        compute(py, || self.report.json())
    }

    fn text(&self) -> String {
        words(&self.report.text())
    }

    fn markdown(&self) -> String {
        self.report.markdown()
    }

    fn workbook<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = compute(py, || self.report.workbook())?;
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

    fn snapshots(&self) -> Option<Table> {
        self.snapshots.clone().map(Table::of)
    }

    /// Writes one form of the report, whole or not at all; the ending of the path says which.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        compute(py, || write_report(&self.report, &path))
    }
}
