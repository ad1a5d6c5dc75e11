//! A model as points, in all its forms.

use std::path::PathBuf;

use leadscore::front_end::printable;
use leadscore::{OutColumn, OutTable, Outputs};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::call::compute;
use crate::frames::Table;
use crate::report::words;

/// Points, written when they are asked for.
#[pyclass(frozen, module = "leadscore._native")]
pub(crate) struct Points {
    pub(crate) points: leadscore::Points,
}

#[pymethods]
impl Points {
    fn n_rules(&self, py: Python<'_>) -> PyResult<usize> {
        compute(py, || self.points.n_rules())
    }

    fn toml(&self, py: Python<'_>) -> PyResult<String> {
        compute(py, || self.points.toml().map(str::to_owned))
    }

    fn table(&self, py: Python<'_>) -> PyResult<Table> {
        Table::new(py, compute(py, || self.points.table())?)
    }

    fn html(&self, py: Python<'_>) -> PyResult<String> {
        compute(py, || self.points.html())
    }

    /// The model, then points of several sizes: how well each ranks, and what its percentages lose.
    fn losses(&self, py: Python<'_>) -> PyResult<Table> {
        let losses = self.points.losses();
        let numbers = |value: &dyn Fn(&leadscore::PointsLoss) -> f64| {
            OutColumn::Number(losses.iter().map(value).collect())
        };
        let mut table = OutTable::default();
        let names = losses.iter().map(|loss| Some(loss.name.clone()));
        table.push("name", OutColumn::Text(names.collect()));
        table.push("roc_auc", numbers(&|loss| loss.auc));
        table.push("log_loss", numbers(&|loss| loss.log_loss));
        table.push(
            "same_tier",
            numbers(&|loss| loss.same_tier.unwrap_or(f64::NAN)),
        );
        Table::new(py, table)
    }

    fn losses_text(&self) -> String {
        self.points.losses_text()
    }

    fn measured_on(&self) -> String {
        words(self.points.measured_on())
    }

    /// Writes one form of the points, whole or not at all; the ending of the path says which.
    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        let ending = path.extension().unwrap_or_default().to_string_lossy();
        let mut outputs = Outputs::default();
        match ending.as_ref() {
            "toml" => compute(py, || outputs.text(&path, self.points.toml()?))?,
            "csv" => compute(py, || outputs.table(&path, &self.points.table()?))?,
            "html" => compute(py, || outputs.text(&path, &self.points.html()?))?,
            other => {
                return Err(PyValueError::new_err(format!(
                    "points are not written as `.{}`: expected .toml, .csv or .html",
                    printable(other)
                )));
            }
        }
        compute(py, || outputs.publish()).map(drop)
    }
}
