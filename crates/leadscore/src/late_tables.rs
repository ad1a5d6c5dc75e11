//! Tables that have no rows where they usually have some: an export or a feed that stopped.

use leadscore_core::{Span, Timestamp};
use leadscore_dataset::TableEnd;
use serde::Serialize;

/// A table that has no rows where it usually has some.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LateTable {
    /// Its heading in the config, such as `[outcomes]`.
    pub table: String,
    /// Until when it has as many rows as usual.
    pub end: Timestamp,
    /// Days from there to the moment that was looked at.
    pub days: f64,
    /// Rows that usually come in so many days.
    pub usual_rows: f64,
    /// Whether it is beyond what holidays explain: more than two weeks.
    pub is_stopped: bool,
}

/// A long weekend has no rows, and is no news.
const LONG_WEEKEND: Span = Span::from_days(4);
/// Rows that would usually have come, of which none came by chance once in millions.
const SURELY_SOME: f64 = 20.0;

/// The tables that are late at a moment, of those whose days are known.
pub(crate) fn late_tables(ends: &[TableEnd], at: Timestamp) -> Vec<LateTable> {
    let late = |end: &TableEnd| {
        let gap = Span::from_micros((at.micros() - end.end.micros()).max(0));
        let usual_rows = end.extent.per_day * gap.days();
        (gap > LONG_WEEKEND && usual_rows >= SURELY_SOME).then(|| LateTable {
            table: end.table.clone(),
            end: end.end,
            days: gap.days(),
            usual_rows,
            is_stopped: end.extent.is_silent_for(gap),
        })
    };
    ends.iter().filter_map(late).collect()
}
