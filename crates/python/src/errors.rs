//! Errors of the library as Python's exceptions, by kind, with the text that the command prints.
use leadscore::{Error, ErrorKind, error_text};
use pyo3::exceptions::{
    PyFileNotFoundError, PyKeyboardInterrupt, PyOSError, PyPermissionError, PyValueError,
};
use pyo3::prelude::*;

use crate::arguments::{Call, in_python};

/// The exception for an error of any call: see [`exception_of`].
pub(crate) fn exception(py: Python<'_>, error: &Error) -> PyErr {
    exception_of(py, error, Call::Any)
}

/// The exception for an error: something named that is not there is a `KeyError`, what the
/// operating system or a database refuses an `OSError`, all else a `ValueError`.
pub(crate) fn exception_of(py: Python<'_>, error: &Error, call: Call) -> PyErr {
    exception_by_kind(py, error.kind(), error, call)
}

/// The exception for an error of a crate above the library, by its kind.
pub(crate) fn exception_by_kind(
    py: Python<'_>,
    kind: ErrorKind,
    error: &(dyn std::error::Error + 'static),
    call: Call,
) -> PyErr {
    let text = error_text(error, false);
    exception_of_text(
        py,
        kind,
        text.strip_prefix("error: ").unwrap_or(&text),
        call,
    )
}

/// The exception for an error of which its kind and its text are known.
pub(crate) fn exception_of_text(py: Python<'_>, kind: ErrorKind, text: &str, call: Call) -> PyErr {
    let text = in_python(text, call).into_owned();
    match kind {
        ErrorKind::NotFound => not_found(py, text),
        ErrorKind::FileNotFound => PyFileNotFoundError::new_err(text),
        ErrorKind::PermissionDenied => PyPermissionError::new_err(text),
        ErrorKind::Io | ErrorKind::Remote => PyOSError::new_err(text),
        ErrorKind::Interrupted => PyKeyboardInterrupt::new_err(text),
        ErrorKind::Config
        | ErrorKind::Data
        | ErrorKind::Model
        | ErrorKind::Learning
        | ErrorKind::Request
        | _ => PyValueError::new_err(text),
    }
}

/// A `KeyError` whose text reads as written: Python's own prints the `repr` of its text.
pub(crate) fn not_found(py: Python<'_>, text: String) -> PyErr {
    let made = py
        .import("leadscore._errors")
        .and_then(|module| module.getattr("NotFoundError"))
        .and_then(|class| class.call1((text,)));
    made.map_or_else(|error| error, PyErr::from_value)
}
