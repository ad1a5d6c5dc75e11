//! Frames of other libraries in, ours out, by the Arrow C stream interface.

use std::ffi::c_void;

use leadscore::front_end::{FrameError, agree, counted, printable};
use leadscore::{Frame, OutColumn, OutTable, Timestamp};
use pyo3::IntoPyObjectExt as _;
use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyCapsule, PyDateTime, PyDelta, PyDict, PyString};

use crate::call::{compute, same_process};
use crate::errors::{exception, not_found};

/// Rows that a notebook shows.
const SHOWN: usize = 10;

/// A table in memory. Any library that reads Arrow streams takes it as it is:
/// `polars.DataFrame(table)`, `pyarrow.table(table)`, `duckdb.sql("from table")`; and so does
/// `pandas.DataFrame(table)`. `table["x"]` is a column, `for row in table` has the rows.
#[pyclass(frozen, module = "leadscore")]
pub(crate) struct Table {
    pub(crate) frame: Frame,
    /// Scores and histories alone have one, as JSON.
    pub(crate) summary: Option<String>,
}

/// A table of ours has no such column.
#[derive(Debug, thiserror::Error)]
#[error(
    "the table has no column `{}`; its columns: {}",
    printable(column),
    printable(columns)
)]
pub(crate) struct NoColumn {
    column: String,
    columns: String,
}

impl Table {
    pub(crate) fn new(py: Python<'_>, table: OutTable) -> PyResult<Self> {
        compute(py, || table.into_frame()).map(Self::of)
    }

    pub(crate) fn of(frame: Frame) -> Self {
        Self {
            frame,
            summary: None,
        }
    }

    fn no_column(&self, py: Python<'_>, name: &str) -> PyErr {
        let missing = NoColumn {
            column: name.to_owned(),
            columns: self.frame.columns().join(", "),
        };
        not_found(py, missing.to_string())
    }
}

#[pymethods]
impl Table {
    /// The table as an Arrow C stream, without a copy.
    #[pyo3(signature = (requested_schema=None))]
    fn __arrow_c_stream__<'py>(
        &self,
        py: Python<'py>,
        requested_schema: Option<Bound<'py, PyAny>>,
    ) -> PyResult<Bound<'py, PyCapsule>> {
        // A consumer that asks for another schema casts itself, as the interface allows.
        drop(requested_schema);
        let stream = compute(py, || self.frame.to_stream())?;
        PyCapsule::new_with_value(py, stream, c"arrow_array_stream")
    }

    /// Of scores, the summary: leads by tier and by reason, and what is unlike training; of a
    /// history all that `leadscore history --json` prints; None for other tables.
    #[getter]
    fn summary<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyAny>>> {
        self.summary
            .as_ref()
            .map(|text| py.import("json")?.call_method1("loads", (text,)))
            .transpose()
    }

    /// Names of the columns.
    #[getter]
    fn columns(&self) -> Vec<String> {
        self.frame.columns()
    }

    /// The values of a column as a list: numbers as floats, all else as texts, None where missing.
    fn column<'py>(&self, py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyAny>> {
        same_process()?;
        if let Some(numbers) = self.frame.numbers(name) {
            return in_lists(py, OutColumn::Number(numbers));
        }
        let texts = self.frame.texts(name);
        texts
            .ok_or_else(|| self.no_column(py, name))?
            .into_bound_py_any(py)
    }

    /// The values of a column as a list: numbers, whole numbers, times in UTC (`datetime`), yes or
    /// no, and all else as texts; None where missing.
    fn __getitem__<'py>(
        &self,
        py: Python<'py>,
        name: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        same_process()?;
        let Ok(name) = name.extract::<&str>() else {
            return Err(PyTypeError::new_err(format!(
                "a table is indexed by the name of a column, not by {}; `for row in table` has its rows, and `table.head(n)` the first of them",
                name.repr()?
            )));
        };
        if let Some(numbers) = self.frame.unsigned(name) {
            return numbers.into_bound_py_any(py);
        }
        let values = self.frame.values(name);
        in_lists(py, values.ok_or_else(|| self.no_column(py, name))?)
    }

    /// Names of the columns.
    fn keys(&self) -> Vec<String> {
        self.frame.columns()
    }

    /// Whether there is such a column.
    fn __contains__(&self, name: &Bound<'_, PyAny>) -> bool {
        name.extract::<String>()
            .is_ok_and(|name| self.frame.columns().contains(&name))
    }

    /// The rows, each a tuple whose values are attributes, too.
    fn __iter__<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let rows = slf.py().import("leadscore._rows")?;
        rows.call_method1("rows", (slf,))
    }

    /// The first rows, as a table.
    #[pyo3(signature = (n=5))]
    fn head(&self, n: usize) -> PyResult<Self> {
        same_process()?;
        Ok(Self {
            frame: self.frame.first_rows(n),
            summary: self.summary.clone(),
        })
    }

    /// Number of rows and columns.
    #[getter]
    fn shape(&self) -> (usize, usize) {
        (self.frame.n_rows(), self.frame.columns().len())
    }

    fn __len__(&self) -> usize {
        self.frame.n_rows()
    }

    fn __repr__(&self) -> String {
        format!(
            "Table with {} and the {} {}",
            counted(self.frame.n_rows(), "row"),
            agree(self.frame.columns().len(), "column", "columns"),
            printable(&self.frame.columns().join(", "))
        )
    }

    fn _repr_html_(&self) -> PyResult<String> {
        same_process()?;
        let cell = |text: &str| {
            printable(text)
                .replace('&', "&amp;")
                .replace('<', "&lt;")
                .replace('>', "&gt;")
        };
        let columns = self.frame.columns();
        let n_shown = self.frame.n_rows().min(SHOWN);
        let head: String = columns
            .iter()
            .map(|name| format!("<th>{}</th>", cell(name)))
            .collect();
        let shown: Vec<Vec<Option<String>>> = columns
            .iter()
            .map(|name| self.frame.head(name, n_shown))
            .collect();
        let row = |row: usize| {
            let cells: String = shown
                .iter()
                .map(|column| {
                    format!(
                        "<td>{}</td>",
                        column[row].as_deref().map(cell).unwrap_or_default()
                    )
                })
                .collect();
            format!("<tr>{cells}</tr>")
        };
        let body: String = (0..n_shown).map(row).collect();
        let rest = self.frame.n_rows() - n_shown;
        let more = if rest > 0 {
            format!("<p>and {}</p>", counted(rest, "more row"))
        } else {
            String::new()
        };
        Ok(format!(
            "<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{more}"
        ))
    }

    /// The table as a `polars.DataFrame`, without a copy.
    fn to_polars<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("polars")?.call_method1("DataFrame", (slf,))
    }

    /// The table as a `pyarrow.Table`, without a copy.
    fn to_arrow<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        slf.py().import("pyarrow")?.call_method1("table", (slf,))
    }

    /// The table as a `pandas.DataFrame`, by way of pyarrow.
    fn to_pandas<'py>(slf: Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        Self::to_arrow(slf)?.call_method0("to_pandas")
    }
}

/// A column as a Python list.
fn in_lists(py: Python<'_>, values: OutColumn) -> PyResult<Bound<'_, PyAny>> {
    match values {
        OutColumn::Text(texts) => texts.into_bound_py_any(py),
        OutColumn::Number(numbers) => numbers
            .into_iter()
            .map(|value| (!value.is_nan()).then_some(value))
            .collect::<Vec<_>>()
            .into_bound_py_any(py),
        OutColumn::Integer(numbers) => numbers.into_bound_py_any(py),
        OutColumn::Boolean(values) => values.into_bound_py_any(py),
        OutColumn::Time(times) => times
            .into_iter()
            .map(|at| at.map(|at| time(py, at)).transpose())
            .collect::<PyResult<Vec<_>>>()?
            .into_bound_py_any(py),
    }
}

/// A moment in UTC as a `datetime` without a zone, as Arrow has it.
fn time(py: Python<'_>, at: Timestamp) -> PyResult<Bound<'_, PyAny>> {
    const DAY: i64 = 86_400_000_000;
    let (days, micros) = (at.micros().div_euclid(DAY), at.micros().rem_euclid(DAY));
    let day = i32::try_from(days)?;
    let since = PyDelta::new(
        py,
        day,
        (micros / 1_000_000) as i32,
        (micros % 1_000_000) as i32,
        true,
    )?;
    PyDateTime::new(py, 1970, 1, 1, 0, 0, 0, 0, None)?.add(since)
}

/// Takes a frame of any library that has Arrow streams; `name` is what the caller calls it.
#[expect(
    unsafe_code,
    reason = "the pointer of a capsule whose name says what it points to"
)]
pub(crate) fn read_frame(name: &str, object: &Bound<'_, PyAny>) -> PyResult<Frame> {
    same_process()?;
    let py = object.py();
    let Ok(method) = object.getattr("__arrow_c_stream__") else {
        let found = object.get_type().name()?;
        return Err(PyTypeError::new_err(format!(
            "`{name}` is a {found}, expected a frame with Arrow streams: of pandas from 2.2 (with pyarrow), polars, pyarrow or DuckDB"
        )));
    };
    let capsule = method.call0().map_err(|cause| {
        let said = cause.value(py).to_string();
        let help = if has_doubles(object) {
            "rename one of the columns"
        } else {
            "give every column one type, such as `frame[\"x\"] = frame[\"x\"].astype(\"string\")`"
        };
        let error = PyValueError::new_err(format!(
            "`{name}` does not turn into an Arrow table: {}\n  hint: {help}",
            printable(&said)
        ));
        error.set_cause(py, Some(cause));
        error
    })?;
    let capsule = capsule.cast_into::<PyCapsule>().map_err(|_| {
        PyTypeError::new_err(format!("`{name}`: __arrow_c_stream__ returned no capsule"))
    })?;
    let stream = capsule
        .pointer_checked(Some(c"arrow_array_stream"))?
        .as_ptr() as usize;
    // SAFETY: a capsule of this name points to a stream by the PyCapsule protocol of Arrow, and it
    // was made for us alone; it lives until the end of this function.
    let frame = py.detach(|| unsafe { Frame::from_stream(stream as *mut c_void) });
    match frame {
        Ok(frame) => Ok(frame.without_index()),
        Err(FrameError::Duplicate { column }) => Err(PyValueError::new_err(format!(
            "`{name}`: two columns are called `{}`\n  hint: rename one of them",
            printable(&column)
        ))),
        Err(FrameError::NoColumns { .. }) => Err(PyTypeError::new_err(format!(
            "`{name}` is a single column, expected a frame\n  hint: pass `{name}.to_frame()`"
        ))),
        Err(FrameError::Stream(cause)) => Err(exception(
            py,
            &leadscore::Error::from(FrameError::Stream(cause))
                .context(format!("`{name}` cannot be read")),
        )),
    }
}

/// Whether a frame has two columns of one name; a frame that does not list them has none.
fn has_doubles(object: &Bound<'_, PyAny>) -> bool {
    let names = |columns: Bound<'_, PyAny>| -> PyResult<Vec<String>> {
        columns
            .try_iter()?
            .map(|name| Ok(name?.str()?.to_string()))
            .collect()
    };
    object
        .getattr("columns")
        .and_then(names)
        .is_ok_and(|mut names| {
            let n_columns = names.len();
            names.sort_unstable();
            names.dedup();
            names.len() < n_columns
        })
}

/// Frames by the name of their table.
pub(crate) fn read_frames(frames: &Bound<'_, PyDict>) -> PyResult<leadscore::Frames> {
    frames
        .iter()
        .map(|(name, object)| {
            let name = name.cast::<PyString>()?.to_string();
            let frame = read_frame(&name, &object)?;
            Ok((name, frame))
        })
        .collect()
}
