//! The leads: their ids in order, the parts that their columns play, and the flag of a flat export.

use hashbrown::HashMap;
use leadscore_config::{ColumnType, Config, OneOrMany, is_excluded};
use leadscore_core::Timestamp;
use leadscore_dataset::MISSING;
use leadscore_dataset::{AttributeKey, Column, Flag, LoadOptions};
use rayon::slice::ParallelSliceMut;

use super::results::unspelled_flags;
use crate::error::TablesError;
use crate::remarks::Remarks;
use crate::result_words::is_called_deleted;
use crate::scan::{RawTable, Table};

/// Fails where the leads lack a column that the config names; the flag of a flat export may be
/// missing where `has_flag` says so.
pub(super) fn check_leads(
    config: &Config,
    table: &Table<'_>,
    has_flag: bool,
) -> Result<(), TablesError> {
    let leads = &config.leads;
    table.require("id", &leads.id)?;
    if let Some(column) = &leads.created_at {
        table.require("created_at", column)?;
    }
    if let Some(column) = &leads.recorded_at {
        table.require("recorded_at", column)?;
    }
    for column in leads.attributes.iter().flatten() {
        table.require("attributes", column)?;
    }
    for column in &leads.exclude {
        table.require_excluded(column)?;
    }
    for column in manual_columns(config) {
        table.require("manual_score", &column)?;
    }
    if let Some(column) = &leads.account {
        table.require("account", column)?;
    }
    for (name, lookup) in &config.lookups {
        table.require(
            &format!("[lookups.{name}] `leads_key`"),
            lookup.leads_key.as_ref().unwrap_or(&lookup.key),
        )?;
    }
    for (name, activity) in &config.activities {
        if let Some(column) = &activity.account {
            table.require(&format!("[activities.{name}] `account`"), column)?;
        }
    }
    if let Some(column) = config.outcomes.flag.as_ref().filter(|_| has_flag) {
        table.require("[outcomes] `flag`", column)?;
    }
    if let Some(column) = &config.snapshots.order_by {
        table.require("[snapshots] `order_by`", column)?;
    }
    Ok(())
}

/// Reads every column of the leads that anything needs; beside it, those that a doubt leaves
/// unread.
pub(super) fn read_leads<'a>(
    config: &Config,
    table: &'a Table<'a>,
    remarks: &mut Remarks,
) -> Result<(RawTable<'a>, Vec<String>), TablesError> {
    let leads = &config.leads;
    let mut columns: Vec<&str> = table
        .columns()
        .iter()
        .map(String::as_str)
        .filter(|column| {
            is_named(config, column)
                || !(table.is_excluded(&leads.exclude, column) || is_set_aside(config, column))
        })
        .collect();
    let mut unread = Vec::new();
    columns.retain(|column| match table.unreadable(column) {
        None => true,
        Some(doubt) => {
            remarks.doubt(doubt);
            unread.push((*column).to_owned());
            false
        }
    });
    if let Some(column) = unread.iter().find(|column| is_named(config, column)) {
        return Err(table.unreadable(column).expect("just asked").into());
    }
    let raw = match table.read(&columns) {
        // Types that only their cells show: each of these columns is a doubt, and the others are
        // read.
        Err(TablesError::Doubts(doubts)) => {
            unread.extend(doubts.iter().filter_map(|doubt| doubt.column.clone()));
            if let Some(doubt) = doubts.iter().find(|doubt| {
                doubt
                    .column
                    .as_deref()
                    .is_some_and(|column| is_named(config, column))
            }) {
                return Err(doubt.clone().into());
            }
            doubts.into_iter().for_each(|doubt| remarks.doubt(doubt));
            columns.retain(|column| !unread.iter().any(|unread| unread == column));
            table.read(&columns)?
        }
        other => other?,
    };
    if raw.n_rows == 0 && !table.is_spilled() {
        return Err(TablesError::Content {
            table: "[leads]".to_owned(),
            found: format!("{} has a header and no rows", table.path().display()),
            help: "export the leads again".to_owned(),
        });
    }
    Ok((raw, unread))
}

/// Whether the config says that nothing is to be learned from a column, by its type.
fn is_set_aside(config: &Config, column: &str) -> bool {
    matches!(
        config.leads.types.get(column),
        Some(ColumnType::Id | ColumnType::Time)
    )
}

pub(super) fn manual_columns(config: &Config) -> Vec<String> {
    config
        .leads
        .manual_score
        .as_ref()
        .map(OneOrMany::to_vec)
        .unwrap_or_default()
}

/// Whether the config gives this column of the leads a part of its own, so that it is no attribute.
fn is_named(config: &Config, column: &str) -> bool {
    let leads = &config.leads;
    leads.id == column
        || leads.created_at.as_deref() == Some(column)
        || leads.recorded_at.as_deref() == Some(column)
        || leads.account.as_deref() == Some(column)
        || manual_columns(config).iter().any(|name| name == column)
        || config.outcomes.flag.as_deref() == Some(column)
        || leads.deleted.as_deref() == Some(column)
        || config.snapshots.order_by.as_deref() == Some(column)
        || config
            .lookups
            .values()
            .any(|lookup| lookup.leads_key.as_ref().unwrap_or(&lookup.key) == column)
        || config.activities.values().any(|activity| {
            activity.account.as_deref() == Some(column)
                || activity.path.is_nowhere() && activity.columns.iter().any(|own| own == column)
        })
}

pub(super) fn lead_attributes(
    config: &Config,
    columns: &[String],
    options: &LoadOptions,
) -> Vec<String> {
    let is_left_out = |column: &String| {
        let is_column = |name: &str| columns.iter().any(|column| column == name);
        is_excluded(&config.leads.exclude, column, is_column)
    };
    let chosen = |column: &String| match &options.attributes {
        Some(kinds) => kinds.contains_key(&AttributeKey {
            lookup: None,
            column: column.clone(),
        }),
        None => match &config.leads.attributes {
            Some(attributes) => attributes.contains(column) && !is_left_out(column),
            None => {
                !is_named(config, column)
                    && !is_left_out(column)
                    && !is_set_aside(config, column)
                    && !is_called_deleted(column)
            }
        },
    };
    let mut columns: Vec<String> = columns
        .iter()
        .filter(|column| has_name(column))
        .filter(|column| chosen(column))
        .cloned()
        .collect();
    // By name: the order of columns in a file leaves no trace either.
    columns.sort_unstable();
    columns
}

/// Whether a column is one to learn from at all: without a name it is the number of a row, which
/// frames write beside their columns.
pub(super) fn has_name(column: &str) -> bool {
    !column.trim().is_empty() && !column.starts_with("Unnamed: ")
}

/// The ids in order, and the position in that order of each row of the file.
pub(super) fn lead_ids(
    raw: &RawTable<'_>,
    column: &str,
) -> Result<(Vec<String>, Vec<u32>), TablesError> {
    let mut ids = Vec::with_capacity(raw.n_rows);
    raw.for_each_text(column, |row, text| {
        let text = text.ok_or_else(|| {
            raw.cell_error(
                row,
                column,
                "the lead has no id".to_owned(),
                "each lead needs one",
            )
        })?;
        ids.push(text.to_owned());
        Ok(())
    })?;
    raw.count_missing(column, 0);
    let mut order: Vec<u32> = (0..ids.len() as u32).collect();
    order.par_sort_unstable_by(|&a, &b| ids[a as usize].cmp(&ids[b as usize]).then(a.cmp(&b)));
    if let Some(pair) = order
        .windows(2)
        .find(|pair| ids[pair[0] as usize] == ids[pair[1] as usize])
    {
        let (first, second) = (pair[0] as usize, pair[1] as usize);
        return Err(raw.cell_error(
            second,
            column,
            format!("the lead `{}` appears a second time (first: {})", ids[second], raw.place(first)),
            "each lead needs one row: remove the duplicate, or name the column that tells them apart as `id`",
        ));
    }
    let mut position_of_row = vec![0; ids.len()];
    for (position, &row) in order.iter().enumerate() {
        position_of_row[row as usize] = position as u32;
    }
    Ok((permute(ids, &position_of_row), position_of_row))
}

/// Accounts are numbered by name; the number of each lead's, [`MISSING`] for none, and of each
/// name.
pub(super) fn number_accounts(accounts: &[Option<String>]) -> (Vec<u32>, HashMap<&str, u32>) {
    let mut names: Vec<&str> = accounts.iter().flatten().map(String::as_str).collect();
    names.sort_unstable();
    names.dedup();
    let numbers: HashMap<&str, u32> = names
        .iter()
        .enumerate()
        .map(|(number, name)| (*name, number as u32))
        .collect();
    let of_lead = accounts
        .iter()
        .map(|account| {
            account
                .as_ref()
                .map_or(MISSING, |account| numbers[account.as_str()])
        })
        .collect();
    (of_lead, numbers)
}

pub(super) fn permute<T>(values: Vec<T>, position_of_row: &[u32]) -> Vec<T> {
    let mut slots: Vec<Option<T>> = (0..values.len()).map(|_| None).collect();
    for (value, &position) in values.into_iter().zip(position_of_row) {
        slots[position as usize] = Some(value);
    }
    slots
        .into_iter()
        .map(|slot| slot.expect("positions are a permutation"))
        .collect()
}

pub(super) fn permute_column(column: Column, position_of_row: &[u32]) -> Column {
    match column {
        Column::Number(values) => Column::Number(permute(values, position_of_row)),
        Column::Category { codes, levels } => Column::Category {
            codes: permute(codes, position_of_row),
            levels,
        },
        Column::Dates(dates) => Column::Dates(permute(dates, position_of_row)),
    }
}

pub(super) fn read_order(raw: &RawTable<'_>, column: &str) -> Result<Vec<f64>, TablesError> {
    if raw.is_time(column) {
        return Ok(raw
            .times(column)?
            .into_iter()
            .map(|time| time.map_or(f64::NAN, |stamp| stamp.start.order()))
            .collect());
    }
    let values = raw.numbers(column)?;
    // A missing value is a lead without a place in the order.
    if let Some(row) = values
        .iter()
        .position(|value| value.abs() > Timestamp::MAX_ORDER)
    {
        return Err(TablesError::Cell {
            place: raw.place(row),
            column: column.to_owned(),
            found: format!("{} is too large to put leads in order", values[row]),
            help: format!(
                "values of `order_by` are at most {:e} either way; name a smaller number, or say in `time_format` how its times are written",
                Timestamp::MAX_ORDER
            ),
        });
    }
    Ok(values)
}

pub(super) fn read_manual_score(
    config: &Config,
    raw: &RawTable<'_>,
    remarks: &mut Remarks,
) -> Result<Option<Vec<f64>>, TablesError> {
    let mut sum: Option<Vec<f64>> = None;
    for column in manual_columns(config) {
        let values = remarks.take(raw.numbers(&column), || vec![f64::NAN; raw.n_rows])?;
        sum = Some(match sum {
            None => values,
            Some(sum) => sum.iter().zip(values).map(|(a, b)| a + b).collect(),
        });
    }
    Ok(sum)
}

pub(super) fn read_flags(
    config: &Config,
    raw: &RawTable<'_>,
    column: &str,
    remarks: &mut Remarks,
) -> Result<Vec<Option<Flag>>, TablesError> {
    let outcomes = &config.outcomes;
    let not_won = if outcomes.tells_open_from_lost() {
        Flag::Lost
    } else {
        Flag::NotWon
    };
    let mut flags = Vec::with_capacity(raw.n_rows);
    let mut missing = 0_usize;
    raw.for_each_text(column, |_, text| {
        flags.push(match text {
            Some(text) if outcomes.won.iter().any(|value| value.is(text)) => Some(Flag::Won),
            Some(text) if outcomes.open.iter().any(|value| value.is(text)) => None,
            Some(text)
                if outcomes.lost.is_empty() || outcomes.lost.iter().any(|value| value.is(text)) =>
            {
                Some(not_won)
            }
            _ => {
                missing += 1;
                None
            }
        });
        Ok(())
    })?;
    if !raw.is_part() {
        remarks.doubts.extend(unspelled_flags(config, raw, column)?);
    }
    remarks.count(
        "[outcomes]",
        missing,
        format!("lead has no known `{column}`: it is scored and not trained on"),
        format!("leads have no known `{column}`: they are scored and not trained on"),
    );
    Ok(flags)
}
