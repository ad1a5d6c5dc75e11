//! Which column of a sheet plays which part, as far as names and cells tell.

use std::collections::HashSet;

use super::columns::{Kind, Sheet, SheetColumn};
use crate::result_words::{Says, says, words_of};

/// What is in the name of a column that says whether a lead was won.
const FLAG_NAMES: &[&str] = &[
    "convert", "won", "win", "outcome", "customer", "closed", "status", "success", "target",
    "gewonnen", "gagn", "ganad", "vint", "sold",
];

impl Sheet {
    /// The column that tells rows apart.
    pub(super) fn id(&self) -> Option<String> {
        let rank = |column: &&SheetColumn| {
            let words = words_of(&column.name);
            let is = |list: &[&str]| words.iter().any(|word| list.contains(&word.as_str()));
            if is(&["id", "vid", "uuid", "guid", "ids"])
                || column.name.to_lowercase().ends_with("id")
            {
                0
            } else if is(&["key", "nr", "no", "number", "nummer", "code", "identifier"]) {
                1
            } else if matches!(column.kind, Kind::Private(_)) {
                3
            } else {
                2
            }
        };
        let is_whole = |column: &&SheetColumn| {
            !matches!(column.kind, Kind::Time { .. } | Kind::Number if column.has_fractions)
                && !matches!(column.kind, Kind::Unreadable(_))
        };
        let mut candidates: Vec<&SheetColumn> = self
            .columns
            .iter()
            .filter(|column| column.is_unique && is_whole(column))
            .collect();
        candidates.sort_by_key(rank);
        candidates.first().map(|column| column.name.clone())
    }

    /// The column of times whose name has the earliest of these hints, and none of the others;
    /// where `name_decides` not even a column whose times are not understood.
    pub(super) fn pick_time(
        &self,
        hints: &[&str],
        not: &[&str],
        name_decides: bool,
    ) -> Option<&SheetColumn> {
        let lower = |column: &SheetColumn| column.name.to_lowercase();
        let times = || {
            self.columns.iter().filter(|column| {
                matches!(column.kind, Kind::Time { .. })
                    && !not.iter().any(|word| lower(column).contains(word))
            })
        };
        let has = |column: &SheetColumn, hint: &str| {
            if hint.len() <= 2 {
                words_of(&column.name).iter().any(|word| word == hint)
            } else {
                lower(column).contains(hint)
            }
        };
        let hinted = hints
            .iter()
            .find_map(|hint| times().find(|column| has(column, hint)));
        hinted.or_else(|| {
            times()
                .next()
                .filter(|_| !name_decides || times().count() == 1)
        })
    }

    /// The column whose values are mostly ids of the leads, and what stands between several of them
    /// in a cell.
    pub(super) fn matching(&self, id: &str, leads: &Self) -> Option<(String, Option<String>)> {
        let ids: HashSet<&str> = leads.cells(id).collect();
        let share = |column: &SheetColumn, separator: Option<&str>| {
            let (mut found, mut all) = (0_usize, 0_usize);
            for value in self.cells(&column.name).take(10_000) {
                let parts: Vec<&str> = separator.map_or_else(
                    || vec![value],
                    |separator| {
                        value
                            .split(separator)
                            .map(str::trim)
                            .filter(|part| !part.is_empty())
                            .collect()
                    },
                );
                all += parts.len();
                found += parts.iter().filter(|part| ids.contains(*part)).count();
            }
            if all == 0 {
                0.0
            } else {
                found as f64 / all as f64
            }
        };
        let mut best: Option<(f64, &str, Option<&str>)> = None;
        for column in &self.columns {
            for separator in [None, Some(";"), Some(","), Some("|")] {
                // A separator that changes nothing is none.
                if separator.is_some_and(|separator| {
                    !self
                        .cells(&column.name)
                        .take(10_000)
                        .any(|cell| cell.contains(separator))
                }) {
                    continue;
                }
                let share = share(column, separator);
                if share > 0.5 && best.is_none_or(|(known, ..)| share > known + 1e-9) {
                    best = Some((share, &column.name, separator));
                }
            }
        }
        best.map(|(_, column, separator)| (column.to_owned(), separator.map(str::to_owned)))
    }

    /// The column that says whether a lead was won, and the value that says so.
    pub(super) fn flag(&self) -> Option<(String, String)> {
        let named = |column: &&SheetColumn| {
            FLAG_NAMES
                .iter()
                .any(|hint| column.name.to_lowercase().contains(hint))
        };
        self.columns.iter().filter(named).find_map(|column| {
            let levels = column.levels.as_ref().filter(|levels| levels.len() == 2)?;
            let won: Vec<&String> = levels
                .iter()
                .filter(|level| matches!(says(level), Says::Yes | Says::Won))
                .collect();
            match won.as_slice() {
                [one] => Some((column.name.clone(), (*one).clone())),
                _ => None,
            }
        })
    }
}
