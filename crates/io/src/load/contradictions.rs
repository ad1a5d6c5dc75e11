//! Changes that contradict the leads, or each other: the log has gaps, or is of other attributes.

use std::collections::BTreeMap;

use leadscore_config::{Config, HistoryConfig};
use leadscore_config::{Doubt, Share, Subject};
use leadscore_core::{agree, counted};
use leadscore_dataset::Note;
use leadscore_dataset::{Attribute, Column};
use leadscore_dataset::{MISSING, NEVER};

use super::change_order::Change;
use crate::remarks::Remarks;
use crate::scan::RawTable;

/// A value as the history would write it.
pub(super) fn text_of(column: &Column, row: usize) -> Option<String> {
    match column {
        Column::Number(values) => Some(values[row])
            .filter(|value| !value.is_nan())
            .map(|value| value.to_string()),
        Column::Category { codes, levels } => Some(codes[row])
            .filter(|&code| code != MISSING)
            .map(|code| levels[code as usize].clone()),
        Column::Dates(dates) => Some(dates[row])
            .filter(|date| *date != NEVER)
            .map(|date| date.to_string()),
    }
}

/// Leads whose value of today is not that of their last change: the log has gaps, or is of another
/// attribute.
pub(super) fn say_what_differs(
    config: &Config,
    name: &str,
    today: &Column,
    offsets: &[usize],
    values: &Column,
    is_whole: bool,
    remarks: &mut Remarks,
) {
    let changed = || (0..offsets.len() - 1).filter(|&lead| offsets[lead] < offsets[lead + 1]);
    let n_changed = changed().count();
    let n_other = changed()
        .filter(|&lead| {
            text_of(today, lead).is_some()
                && text_of(today, lead) != text_of(values, offsets[lead + 1] - 1)
        })
        .count();
    let share = contradiction(config, n_other, n_changed);
    let found = format!(
        "leads have another `{name}` today than after their last change: are `value` and the order of changes right, and is the log whole?"
    );
    if let Some(doubt) = share.doubt(
        Subject::Changes,
        "[history]",
        &found,
        "the log misses changes",
    ) {
        remarks.doubt(doubt);
    } else if n_other > 0 && is_whole {
        remarks.note(Note::new(
            "[history]",
            format!("`{name}` is today another value than after the last change, for {n_other} of {}: does the log miss changes?", counted(n_changed, "lead")),
        ));
    }
}

fn contradiction(config: &Config, count: usize, of: usize) -> Share {
    Share {
        count,
        of,
        key: "contradicting_changes",
        allowed: config.data.contradicting_changes,
    }
}

/// Changes whose old value is not what the change before left.
pub(super) fn broken_chain(
    config: &Config,
    name: &str,
    rows: &[Change],
    cells: &[Option<String>],
    old_cells: &[Option<String>],
    today: &[String],
) -> Option<Doubt> {
    let pairs = || rows.windows(2).filter(|pair| pair[0].0 == pair[1].0);
    let n_broken = pairs()
        .filter(|pair| old_cells[pair[1].3].is_some() && old_cells[pair[1].3] != cells[pair[0].3])
        .count();
    let found = format!(
        "changes of `{name}` begin with another value than the change before left: are `old_value` and `value` the right columns?"
    );
    let broken = contradiction(config, n_broken, pairs().count()).doubt(
        Subject::Changes,
        "[history]",
        &found,
        "the log misses changes",
    );
    if broken.is_some() {
        return broken;
    }
    // What held before a first change is a value that the attribute has elsewhere.
    let known: hashbrown::HashSet<&str> = rows
        .iter()
        .filter_map(|row| cells[row.3].as_deref())
        .chain(today.iter().map(String::as_str))
        .collect();
    let firsts = || {
        rows.iter()
            .enumerate()
            .filter(|(at, row)| *at == 0 || rows[at - 1].0 != row.0)
            .filter_map(|(_, row)| old_cells[row.3].as_deref())
    };
    let n_strange = firsts().filter(|old| !known.contains(old)).count();
    let found = format!(
        "first changes of `{name}` begin with a value that neither the leads nor other changes have: is `old_value` written as `value` is?"
    );
    contradiction(config, n_strange, firsts().count()).doubt(
        Subject::Changes,
        "[history]",
        &found,
        "such values were there",
    )
}

/// The doubt about an attribute that the log spells otherwise than the leads do.
pub(super) fn other_spelling(
    changes: &BTreeMap<&str, Vec<Change>>,
    attributes: &[Attribute],
    raw: &RawTable<'_>,
    settings: &HistoryConfig,
) -> Option<Doubt> {
    let plain = |name: &str| {
        let lower: String = name
            .strip_suffix("__c")
            .unwrap_or(name)
            .chars()
            .filter(|c| c.is_alphanumeric())
            .collect();
        lower.to_lowercase()
    };
    let is_attribute = |name: &str| attributes.iter().any(|attribute| attribute.name == name);
    let (stranger, rows, attribute) = changes
        .iter()
        .filter(|(name, rows)| !is_attribute(name) && !rows.is_empty())
        .find_map(|(name, rows)| {
            let attribute = attributes
                .iter()
                .find(|attribute| plain(&attribute.name) == plain(name))?;
            Some((*name, rows, &attribute.name))
        })?;
    let found = format!(
        "{} {} of `{stranger}`, which is not a column of the leads; `{attribute}` is one: is that the same?",
        counted(rows.len(), "change"),
        agree(rows.len(), "is", "are")
    );
    let doubt = Doubt::new(Subject::Changes, "[history]", found)
        .of_column(&settings.attribute)
        .at(rows.first().map(|row| raw.place(row.3)));
    let doubt = doubt.settled_in(
        "[data]",
        "contradicting_changes = 1.0",
        "it is not: the log has an attribute of its own",
    );
    Some(doubt.advise(format!("write `{attribute}` in the log, as in a `query`")))
}
