//! An evaluation as one offline HTML page, as JSON and as terminal text; renders, never computes.

mod data;
mod verdict;

mod html;
mod svg;
mod terminal;

pub use data::{DataSection, Influence, Report, ReportError};
