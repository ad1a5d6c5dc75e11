//! Entries of a history that came after the outcome: what a table without that history would have
//! leaked.

use leadscore_dataset::Tables;

/// How much of an attribute's history came after its leads had closed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LateEntries {
    /// The attribute.
    pub attribute: String,
    /// Entries of leads that have closed.
    pub n_entries: usize,
    /// Those at or after the close.
    pub n_after_close: usize,
}

/// Counts, for each attribute with a history, entries at or after the close of their lead.
pub fn late_entries(tables: &Tables) -> Vec<LateEntries> {
    let count = |change: &leadscore_dataset::HistoryChange| {
        let mut late = LateEntries {
            attribute: change.attribute.clone(),
            n_entries: 0,
            n_after_close: 0,
        };
        for (lead, outcome) in tables.outcomes.iter().enumerate() {
            let Some(closed) = outcome.closed else {
                continue;
            };
            let entries = &change.known[change.offsets[lead]..change.offsets[lead + 1]];
            late.n_entries += entries.len();
            late.n_after_close += entries.len() - entries.partition_point(|&known| known < closed);
        }
        late
    };
    tables.history.attributes.iter().map(count).collect()
}
