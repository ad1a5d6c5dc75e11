//! A fitted model.

use std::path::PathBuf;
use std::sync::Arc;

use leadscore::front_end::{FeatureKind, ScoreTable, TierEdges, counted, printable, score_sql};
use leadscore::{
    ColumnOptions, ColumnValues, Dialect, Direction, OutColumn, OutTable, inspect,
    model_from_bytes, read_model, score_columns, score_frame, train_on_columns, write_model,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::call::{compute, run};
use crate::frames::{Table, read_frame};
use crate::report::words;

/// A model, shared with the calls that use it.
#[pyclass(frozen, module = "leadscore._native")]
pub(crate) struct Model {
    pub(crate) model: Arc<leadscore::Model>,
}

impl Model {
    pub(crate) fn new(model: leadscore::Model) -> Self {
        Self {
            model: Arc::new(model),
        }
    }
}

#[pymethods]
impl Model {
    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        compute(py, || read_model(&path)).map(Self::new)
    }

    #[staticmethod]
    fn from_bytes(py: Python<'_>, bytes: &[u8]) -> PyResult<Self> {
        compute(py, || model_from_bytes(bytes)).map(Self::new)
    }

    fn to_bytes<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = compute(py, || {
            let mut bytes = Vec::new();
            leadscore::front_end::write_model(&self.model, &mut bytes).map(|()| bytes)
        })?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        compute(py, || write_model(&self.model, &path))
    }

    #[getter]
    fn id(&self) -> String {
        self.model.card.model_id.clone()
    }

    fn json(&self) -> PyResult<String> {
        serde_json::to_string(self.model.as_ref())
            .map_err(|error| PyValueError::new_err(error.to_string()))
    }

    /// Name, what it is in words, and whether it is a category, of each feature.
    fn features(&self) -> Vec<(String, String, bool)> {
        self.model
            .specs
            .iter()
            .map(|spec| {
                (
                    spec.name.clone(),
                    spec.describe(),
                    spec.kind == FeatureKind::Category,
                )
            })
            .collect()
    }

    fn inspect(&self, shapes: bool) -> String {
        words(&inspect(&self.model, shapes))
    }

    fn page(&self, py: Python<'_>) -> PyResult<String> {
        compute(py, || leadscore::front_end::model_page(&self.model))
    }

    fn to_sql(
        &self,
        py: Python<'_>,
        dialect: &str,
        table: String,
        keys: Vec<String>,
        edges: &str,
    ) -> PyResult<String> {
        let edges = TierEdges::parse(edges).map_err(PyValueError::new_err)?;
        let place = ScoreTable {
            dialect: dialect_named(dialect)?,
            table,
            keys,
            edges,
        };
        compute(py, || score_sql(&self.model, &place))
    }

    fn to_onnx<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = compute(py, || self.model.to_onnx())?;
        Ok(PyBytes::new(py, &bytes))
    }

    fn to_pmml(&self, py: Python<'_>) -> PyResult<String> {
        compute(py, || self.model.to_pmml())
    }

    /// Log-odds and likelihood of rows that hold the model's features.
    fn score_frame(&self, py: Python<'_>, frame: &Bound<'_, PyAny>) -> PyResult<Table> {
        let frame = read_frame("features", frame)?;
        let scored = compute(py, || score_frame(&self.model, &frame))?;
        let mut table = OutTable::default();
        table.push(
            "likelihood_to_close",
            OutColumn::Number(scored.probabilities.iter().map(|p| 100.0 * p).collect()),
        );
        table.push("log_odds", OutColumn::Number(scored.log_odds));
        Table::new(py, table)
    }

    /// Log-odds of rows, as the bytes of 64-bit floats.
    fn score_columns<'py>(
        &self,
        py: Python<'py>,
        columns: Vec<Column>,
        n_rows: usize,
    ) -> PyResult<Bound<'py, PyBytes>> {
        let columns = named(columns)?;
        let scored = compute(py, || score_columns(&self.model, columns, n_rows))?;
        let bytes: Vec<u8> = scored
            .log_odds
            .iter()
            .flat_map(|value| value.to_ne_bytes())
            .collect();
        Ok(PyBytes::new(py, &bytes))
    }
}

pub(crate) fn dialect_named(name: &str) -> PyResult<Dialect> {
    Dialect::named(name).ok_or_else(|| {
        let known: Vec<&str> = Dialect::ALL.into_iter().map(Dialect::id).collect();
        PyValueError::new_err(format!(
            "`{name}` is no dialect of SQL that is written: expected one of {}",
            known.join(", ")
        ))
    })
}

/// A column by its name: the bytes of 64-bit floats; or of 32-bit codes with their levels, −1 for
/// missing.
type Column = (String, Vec<u8>, Option<Vec<String>>);

fn named(columns: Vec<Column>) -> PyResult<Vec<(String, ColumnValues)>> {
    columns
        .into_iter()
        .map(|(name, bytes, levels)| {
            let values = match levels {
                None => ColumnValues::Numbers(
                    bytes
                        .chunks_exact(8)
                        .map(|bytes| f64::from_ne_bytes(bytes.try_into().expect("eight bytes")))
                        .collect(),
                ),
                Some(levels) => {
                    // −1 is the code of a missing level.
                    let codes: Vec<u32> = bytes
                        .chunks_exact(4)
                        .map(|bytes| u32::from_ne_bytes(bytes.try_into().expect("four bytes")))
                        .collect();
                    if codes
                        .iter()
                        .any(|&code| code != ColumnValues::MISSING && code as usize >= levels.len())
                    {
                        return Err(PyValueError::new_err(format!(
                            "column `{name}` has a code beyond its {}",
                            counted(levels.len(), "level")
                        )));
                    }
                    ColumnValues::Levels(codes, levels)
                }
            };
            Ok((name, values))
        })
        .collect()
}

/// Fits a model to the rows of a matrix.
#[pyfunction]
#[expect(clippy::too_many_arguments, reason = "Python passes them by name")]
pub(crate) fn fit_columns(
    py: Python<'_>,
    listener: &Bound<'_, PyAny>,
    columns: Vec<Column>,
    labels: Vec<bool>,
    weights: Option<Vec<f64>>,
    is_linear: bool,
    max_pairs: usize,
    l1_ratio: f64,
    directions: Vec<(String, String)>,
    smoothing: Option<&str>,
) -> PyResult<Model> {
    let columns = named(columns)?;
    let options = ColumnOptions {
        is_linear,
        max_pairs,
        l1_ratio,
        directions: directions
            .into_iter()
            .map(|(name, direction)| Ok((name, direction_named(&direction)?)))
            .collect::<PyResult<_>>()?,
        reml: smoothing.map(is_reml).transpose()?,
    };
    run(py, listener, move |_| {
        train_on_columns(columns, &labels, weights.as_deref(), &options)
    })
    .map(Model::new)
}

fn direction_named(name: &str) -> PyResult<Direction> {
    match name {
        "increasing" => Ok(Direction::Increasing),
        "decreasing" => Ok(Direction::Decreasing),
        _ => Err(PyValueError::new_err(format!(
            "directions has '{}', expected 'increasing' or 'decreasing'",
            printable(name)
        ))),
    }
}

fn is_reml(smoothing: &str) -> PyResult<bool> {
    match smoothing {
        "reml" => Ok(true),
        "folds" => Ok(false),
        _ => Err(PyValueError::new_err(format!(
            "smoothing is '{}', expected 'reml' or 'folds'",
            printable(smoothing)
        ))),
    }
}
