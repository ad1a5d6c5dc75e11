//! Every form that a report can be written in.

use leadscore_core::LeftOut;

use crate::charts::charts;
use crate::error::ReportError;
use crate::report::Report;
use crate::{html, markdown, terminal, workbook};

/// Fails where the build writes no Excel workbooks, before the work whose result one would have.
///
/// # Errors
///
/// [`LeftOut::Workbooks`].
pub fn check_workbooks() -> Result<(), LeftOut> {
    if cfg!(feature = "xlsx") {
        Ok(())
    } else {
        Err(LeftOut::Workbooks)
    }
}

/// Rises when a key of the report's JSON gets another name or meaning.
const JSON_SCHEMA_VERSION: u32 = 1;

/// The numbers, and by which keys.
#[derive(serde::Serialize)]
struct Versioned<'r> {
    schema_version: u32,
    #[serde(flatten)]
    report: &'r Report,
}

impl Report {
    /// The numbers as JSON, with the `schema_version` of its keys.
    ///
    /// # Errors
    ///
    /// [`ReportError::Json`] where a number is not finite.
    pub fn json(&self) -> Result<String, ReportError> {
        Ok(serde_json::to_string_pretty(&Versioned {
            schema_version: JSON_SCHEMA_VERSION,
            report: self,
        })?)
    }

    /// The page.
    ///
    /// # Errors
    ///
    /// [`ReportError::Template`] where the template does not fit.
    pub fn html(&self) -> Result<String, ReportError> {
        html::render(self)
    }

    /// The verdict, the tiers and the gains as plain text, with charts of block characters.
    pub fn text(&self) -> String {
        terminal::render(self)
    }

    /// The report as Markdown, for a wiki or a pull request.
    pub fn markdown(&self) -> String {
        markdown::render(self)
    }

    /// The report as an Excel workbook.
    ///
    /// # Errors
    ///
    /// `ReportError::Workbook` where a sheet cannot be made; [`ReportError::LeftOut`] where the build
    /// has no workbooks.
    pub fn workbook(&self) -> Result<Vec<u8>, ReportError> {
        workbook::render(self)
    }

    /// The pictures of the page as SVG files of their own, by name, light or dark as the reader
    /// prefers.
    pub fn pictures(&self) -> Vec<(&'static str, String)> {
        html::standalone_pictures(self)
    }

    /// Every chart's data as a Vega-Lite specification, by name.
    pub fn vega_lite(&self) -> Vec<(&'static str, serde_json::Value)> {
        charts(self)
            .into_iter()
            .map(|(name, chart)| (name, chart.vega()))
            .collect()
    }
}
