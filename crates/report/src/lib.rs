//! An evaluation as one offline HTML page, as JSON and as terminal text; renders, never computes.

mod data;
mod verdict;

mod html;
mod model_page;
mod svg;
mod terminal;

pub use data::{DataSection, Influence, Report, ReportError};
pub use model_page::{model_page, model_text};
