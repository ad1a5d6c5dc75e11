//! What can go wrong where a report is written.

/// A report that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ReportError {
    /// The template does not fit the data.
    #[error("cannot fill in the report's template")]
    Template(#[from] minijinja::Error),
    /// The build has no part that writes it.
    #[error(transparent)]
    LeftOut(#[from] leadscore_core::LeftOut),
    /// The workbook cannot be made.
    #[cfg(feature = "xlsx")]
    #[error("cannot make the workbook")]
    Workbook(#[from] rust_xlsxwriter::XlsxError),
    /// The data is no JSON.
    #[error("cannot write the report's numbers as JSON")]
    Json(#[from] serde_json::Error),
}
