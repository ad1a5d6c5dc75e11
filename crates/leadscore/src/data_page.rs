//! The data as a page for a terminal: every table with its rows, days and keys, and every column
//! with its part and its cells.

use leadscore_config::{Config, Doubt};
use leadscore_core::{
    Cells, ColumnProfile, ColumnRole, DataProfile, TableProfile, Tokenizer, count, counted, cut,
    printable,
};

use crate::text::table;

/// Levels that are named of a category.
const LEVELS_NAMED: usize = 3;
/// Characters of a level that are shown.
const LONGEST_LEVEL: usize = 24;

/// The page, with the doubts about each table below it.
pub(crate) fn page(
    config: Option<&Config>,
    profile: &DataProfile,
    doubts: &[Doubt],
) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for profile in &profile.tables {
        lines.push(printable(&headline(config, profile)).into_owned());
        let (read, idle): (Vec<&ColumnProfile>, Vec<&ColumnProfile>) = profile
            .columns
            .iter()
            .partition(|column| !matches!(column.role, ColumnRole::Excluded | ColumnRole::Unused));
        let doubted = |column: &ColumnProfile| {
            doubts.iter().any(|doubt| {
                doubt.table == profile.table && doubt.column.as_ref() == Some(&column.column)
            })
        };
        let rows: Vec<Vec<String>> = read
            .iter()
            .map(|column| {
                let missing = column
                    .n_missing
                    .map_or_else(String::new, |n_missing| share(n_missing, profile.n_rows));
                let doubt = if doubted(column) { "doubt" } else { "" };
                vec![
                    column.column.clone(),
                    column.role.name().to_owned(),
                    cells(column, profile.n_rows),
                    missing,
                    doubt.to_owned(),
                ]
            })
            .collect();
        let has_doubts = read.iter().any(|column| doubted(column));
        let header = ["column", "part", "cells", "missing", "doubt"];
        let (header, rows) = if has_doubts {
            (&header[..], rows)
        } else {
            (
                &header[..4],
                rows.into_iter().map(|row| row[..4].to_vec()).collect(),
            )
        };
        if !rows.is_empty() {
            lines.push(table(header, &rows));
        }
        for role in [ColumnRole::Excluded, ColumnRole::Unused] {
            let names: Vec<String> = idle
                .iter()
                .filter(|column| column.role == role)
                .map(|column| format!("`{}`", printable(&column.column)))
                .collect();
            if !names.is_empty() {
                lines.push(format!(" {}: {}", role.name(), names.join(", ")));
            }
        }
        lines.push(String::new());
    }
    lines
}

fn headline(config: Option<&Config>, profile: &TableProfile) -> String {
    let mut parts = vec![format!(
        "{}: {}",
        profile.table,
        counted(profile.n_rows, "row")
    )];
    if let Some(reach) = &profile.reach {
        let day =
            |at: leadscore_core::Timestamp| at.to_string().chars().take(10).collect::<String>();
        let later = if reach.n_later > 0 {
            format!(
                ", and {} up to {}",
                counted(reach.n_later, "later one"),
                day(reach.last)
            )
        } else {
            String::new()
        };
        parts.push(format!(
            "{} to {} by `{}`{later}",
            day(reach.first),
            day(reach.end),
            reach.column
        ));
    }
    if let Some(matches) = profile.matches {
        let what = if profile.table.starts_with("[lookups.") {
            "of leads are there"
        } else if config.is_some_and(|config| is_of_accounts(config, &profile.table)) {
            "name the account of a lead"
        } else {
            "name a lead"
        };
        parts.push(format!(
            "{} {what}",
            share(matches.n_matched, matches.n_rows)
        ));
    }
    parts.join("; ")
}

fn is_of_accounts(config: &Config, table: &str) -> bool {
    config.activities.iter().any(|(name, activity)| {
        table == format!("[activities.{name}]") && activity.account.is_some()
    })
}

fn cells(column: &ColumnProfile, n_rows: u64) -> String {
    match &column.cells {
        None => String::new(),
        Some(Cells::Numbers {
            low, median, high, ..
        }) if low == high => format!("numbers, all {}", short(*median)),
        Some(Cells::Numbers {
            low, median, high, ..
        }) => format!(
            "numbers, {} to {}, half below {}",
            short(*low),
            short(*high),
            short(*median)
        ),
        Some(Cells::Categories { n_levels, levels }) => format!(
            "{}: {}",
            counted(*n_levels, "value"),
            named(levels, *n_levels, n_rows)
        ),
        Some(Cells::Several {
            tokenizer,
            n_values,
            values,
        }) => {
            let what = match tokenizer {
                Tokenizer::Set(_) => "sets of",
                Tokenizer::Words => "words and pairs of words,",
            };
            format!(
                "{what} {}: {}",
                counted(*n_values, "value"),
                named(values, *n_values, n_rows)
            )
        }
        Some(Cells::Times) => "times".to_owned(),
        Some(Cells::Texts) => "texts".to_owned(),
        Some(Cells::Unreadable(kind)) => format!("{kind}: not read"),
    }
}

/// The first of some values, each with its share of the rows.
fn named(values: &[(String, u64)], n_values: u64, n_rows: u64) -> String {
    let first: Vec<String> = values
        .iter()
        .take(LEVELS_NAMED)
        .map(|(value, rows)| format!("{} {}", cut(value, LONGEST_LEVEL), share(*rows, n_rows)))
        .collect();
    let more = if n_values > LEVELS_NAMED as u64 {
        ", …"
    } else {
        ""
    };
    format!("{}{more}", first.join(", "))
}

fn share(n: u64, of: u64) -> String {
    match n as f64 / of.max(1) as f64 {
        share if share > 0.0 && share < 0.0005 => "< 0.1 %".to_owned(),
        share if share > 0.9995 && n < of => "> 99.9 %".to_owned(),
        share if share == 0.0 || (0.1..0.995).contains(&share) || n == of => {
            format!("{:.0} %", 100.0 * share)
        }
        share => format!("{:.1} %", 100.0 * share),
    }
}

fn short(value: f64) -> String {
    let digits = if value == value.trunc() || value.abs() >= 1000.0 {
        0
    } else {
        2
    };
    let text = format!("{value:.digits$}");
    let (whole, fraction) = text
        .split_once('.')
        .map_or((text.as_str(), None), |(whole, fraction)| {
            (whole, Some(fraction))
        });
    let (sign, digits) = whole
        .strip_prefix('-')
        .map_or(("", whole), |digits| ("-", digits));
    let grouped = digits
        .parse::<usize>()
        .map_or_else(|_| digits.to_owned(), count);
    let fraction = fraction
        .map(|fraction| fraction.trim_end_matches('0'))
        .filter(|fraction| !fraction.is_empty());
    fraction.map_or_else(
        || format!("{sign}{grouped}"),
        |fraction| format!("{sign}{grouped}.{fraction}"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_shares_are_short() {
        let shown: Vec<String> = [0.0, 12.0, -1234.5, 0.125, 1_234_567.0, -0.5]
            .into_iter()
            .map(short)
            .collect();
        assert_eq!(shown, ["0", "12", "-1,234", "0.12", "1,234,567", "-0.5"]);
        let shares: Vec<String> = [
            (0, 10),
            (1, 10),
            (1, 30),
            (1, 10_000),
            (9_999, 10_000),
            (10, 10),
            (0, 0),
        ]
        .into_iter()
        .map(|(n, of)| share(n, of))
        .collect();
        assert_eq!(
            shares,
            [
                "0 %", "10 %", "3.3 %", "< 0.1 %", "> 99.9 %", "100 %", "0 %"
            ]
        );
    }
}
