//! Months and other parts of a table by name, numbered in the order of their names.

use std::collections::{BTreeMap, BTreeSet};

use leadscore_core::{Snapshot, Timestamp};

/// The month of a moment, such as 2025-02.
pub(crate) fn month_of(at: Timestamp) -> String {
    at.to_string()[..7].to_owned()
}

/// The number of each name, and the names in order.
pub(crate) fn numbered(names: impl Iterator<Item = String>) -> (Vec<u32>, Vec<String>) {
    let names: Vec<String> = names.collect();
    let numbers: BTreeMap<&str, u32> = names
        .iter()
        .map(String::as_str)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .zip(0..)
        .collect();
    (
        names.iter().map(|name| numbers[name.as_str()]).collect(),
        numbers.keys().map(|name| (*name).to_owned()).collect(),
    )
}

/// Months, or quarters where there are many.
pub(super) fn periods_of(snapshots: &[Snapshot]) -> (Vec<u32>, Vec<String>) {
    const MOST: usize = 18;
    let (of_row, months) = numbered(snapshots.iter().map(|key| month_of(key.at)));
    if months.len() <= MOST {
        return (of_row, months);
    }
    let quarter = |key: &Snapshot| {
        let month = month_of(key.at);
        let number = month[5..]
            .parse::<u32>()
            .map_or(1, |month| month.div_ceil(3));
        format!("{} Q{number}", &month[..4])
    };
    numbered(snapshots.iter().map(quarter))
}
