//! An evaluation as one offline HTML page, as JSON and as terminal text; renders, never computes.

mod data;
mod error;
mod finding;
mod format;
mod report;
mod verdict;

mod charts;
mod forms;
mod html;
mod list;
mod markdown;
mod model_page;
mod monitor_page;
mod points_page;
mod sheets;
mod svg;
mod term_pictures;
mod terminal;
#[cfg_attr(not(feature = "xlsx"), path = "no_workbook.rs")]
mod workbook;

pub use data::{
    AgeFigures, Backtest, BaselineNote, Breakdown, BreakdownBy, Cadence, DataSection, Influence,
    LeadRow, Look, Measured, OutsideTraining, Surprises, SwapList, ThresholdSection,
};
pub use error::ReportError;
pub use finding::{Answer, Finding, FindingKind, Mood, Verdict};
pub use forms::check_workbooks;
pub use list::{LeadList, ListedLead};
pub use markdown::markdown_text;
pub use model_page::{model_page, model_text};
pub use monitor_page::{
    MonitorFinding, MonitorSheet, MonitorTable, MonitorWeek, monitor_page, monitor_pictures,
};
pub use points_page::{PointsLoss, PointsSheet, points_page};
pub use report::Report;
