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

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: i64 = 86_400_000_000;

    #[test]
    fn months_end_before_midnight() {
        // 2024-03-01 is 19,783 days after 1970.
        let midnight = Timestamp::from_micros(19_783 * DAY);
        assert_eq!(month_of(midnight), "2024-03");
        assert_eq!(
            month_of(Timestamp::from_micros(midnight.micros() - 1)),
            "2024-02"
        );
        assert_eq!(month_of(Timestamp::from_micros(-1)), "1969-12");
    }

    #[test]
    fn names_are_numbered_in_their_order() {
        let of = |names: &[&str]| numbered(names.iter().map(|name| (*name).to_owned()));
        assert_eq!(
            of(&["b", "a", "c", "a"]),
            (
                vec![1, 0, 2, 0],
                vec!["a".to_owned(), "b".to_owned(), "c".to_owned()]
            )
        );
        assert_eq!(of(&[]), (Vec::new(), Vec::new()));
    }

    #[test]
    fn more_than_eighteen_months_are_quarters() {
        // The 15th or so of each month from 1970 on.
        let snapshots = |n: i64| -> Vec<Snapshot> {
            let at = |month: i64| Timestamp::from_micros((14 + month * 61 / 2) * DAY);
            (0..n)
                .map(|month| Snapshot {
                    lead: 0,
                    at: at(month),
                })
                .collect()
        };
        let (of_row, names) = periods_of(&snapshots(18));
        assert_eq!((of_row.len(), names.len()), (18, 18));
        assert_eq!(
            (names[0].as_str(), names[17].as_str()),
            ("1970-01", "1971-06")
        );
        let (of_row, names) = periods_of(&snapshots(19));
        assert_eq!(
            names,
            [
                "1970 Q1", "1970 Q2", "1970 Q3", "1970 Q4", "1971 Q1", "1971 Q2", "1971 Q3"
            ]
        );
        assert_eq!(of_row[..7], [0, 0, 0, 1, 1, 1, 2]);
        assert_eq!(of_row[18], 6);
    }
}
