//! How old leads are.

use leadscore_core::{Snapshot, Timestamp};
use leadscore_dataset::Tables;

/// How old a lead is at a snapshot, in days; NaN where it has no time of creation.
pub(crate) fn age_in_days(tables: &Tables, key: &Snapshot) -> f64 {
    tables.leads.created[key.lead as usize]
        .map_or(f64::NAN, |created| key.at.days_since(created.start))
}

/// The age of a lead in days; NaN where it is not known.
pub(crate) fn age_of(tables: &Tables, lead: u32, as_of: Timestamp) -> f64 {
    if tables.is_flat {
        f64::NAN
    } else {
        age_in_days(tables, &Snapshot { lead, at: as_of })
    }
}
