//! Errors of the workflow as Python's exceptions, by kind, with the text that the command prints.

use std::io::ErrorKind;

use leadscore_databases::DatabaseError;
use leadscore_tables::{FrameError, TablesError};
use leadscore_workflow::{UnknownLead, error_text};
use pyo3::exceptions::{
    PyFileNotFoundError, PyKeyboardInterrupt, PyOSError, PyPermissionError, PyTypeError,
    PyValueError,
};
use pyo3::prelude::*;

use crate::frames::NoColumn;

/// The exception for an error: something named that is not there is a `KeyError`, what the
/// operating system refuses an `OSError`, all else a `ValueError`.
pub(crate) fn exception(py: Python<'_>, error: &anyhow::Error) -> PyErr {
    let text = error_text(error, false);
    let text = text.strip_prefix("error: ").unwrap_or(&text).to_owned();
    for cause in error.chain() {
        if cause.is::<leadscore_workflow::Interrupted>() {
            return PyKeyboardInterrupt::new_err(text);
        }
        if cause.is::<UnknownLead>()
            || cause.is::<NoColumn>()
            || matches!(cause.downcast_ref(), Some(TablesError::Column { .. }))
        {
            return not_found(py, text);
        }
        if matches!(cause.downcast_ref(), Some(TablesError::Missing { .. })) {
            return PyFileNotFoundError::new_err(text);
        }
        if matches!(
            cause.downcast_ref(),
            Some(DatabaseError::Refused { .. } | DatabaseError::Driver { .. })
        ) {
            return PyOSError::new_err(text);
        }
        if matches!(cause.downcast_ref(), Some(FrameError::NoColumns { .. })) {
            return PyTypeError::new_err(text);
        }
        if let Some(error) = cause.downcast_ref::<std::io::Error>() {
            return match error.kind() {
                ErrorKind::NotFound => PyFileNotFoundError::new_err(text),
                ErrorKind::PermissionDenied => PyPermissionError::new_err(text),
                _ => PyOSError::new_err(text),
            };
        }
    }
    PyValueError::new_err(text)
}

/// A `KeyError` whose text reads as written: Python's own prints the `repr` of its text.
fn not_found(py: Python<'_>, text: String) -> PyErr {
    let made = py
        .import("leadscore._errors")
        .and_then(|module| module.getattr("NotFoundError"))
        .and_then(|class| class.call1((text,)));
    made.map_or_else(|error| error, PyErr::from_value)
}
