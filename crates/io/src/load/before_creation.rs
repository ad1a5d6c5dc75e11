//! Rows that lie before the creation of their lead.

use leadscore_config::Config;
use leadscore_config::{Doubt, Share, Subject};
use leadscore_core::{Stamp, Timestamp};

/// When each lead was created, as far as events can be compared with it.
pub(super) fn created_start(created: &[Option<Stamp>], owner: u32) -> Option<Timestamp> {
    created
        .get(owner as usize)
        .copied()
        .flatten()
        .map(|stamp| stamp.start)
}

/// How long before its lead's creation a row can hardly lie.
const LONG_BEFORE: i64 = 2 * 365 * 86_400_000_000;

/// Whether a row lies years before the creation of its lead.
pub(crate) fn is_long_before(at: Timestamp, created: Timestamp) -> bool {
    created.micros().saturating_sub(at.micros()) > LONG_BEFORE
}

/// The doubt about a table many of whose rows lie years before the creation of their leads.
pub(crate) fn before_everything(
    config: &Config,
    table: &str,
    column: &str,
    n_long_before: usize,
    n_rows: usize,
) -> Option<Doubt> {
    let share = Share {
        count: n_long_before,
        of: n_rows,
        key: "long_before_creation",
        allowed: config.data.long_before_creation,
    };
    let found = "rows lie more than two years before the creation of their lead: every snapshot would know all of them";
    let doubt = share
        .doubt(Subject::Times, table, found, "they are meant")?
        .of_column(column);
    Some(doubt.advise("is `time_format` the right one, and are both tables of the same years?"))
}
