//! A build without Excel workbooks.

use leadscore_core::LeftOut;

use crate::error::ReportError;
use crate::report::Report;
use crate::sheets::Sheet;

pub(crate) fn render(_: &Report) -> Result<Vec<u8>, ReportError> {
    Err(LeftOut::Workbooks.into())
}

pub(crate) fn write_workbook(_: &[Sheet], _: bool) -> Result<Vec<u8>, ReportError> {
    Err(LeftOut::Workbooks.into())
}
