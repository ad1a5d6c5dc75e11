//! What tables look like: rows, days, keys, and every column with its part, its missing cells and
//! its values.

use std::collections::BTreeMap;

use crate::frame::Frame;
use leadscore_config::{
    ActivityConfig, ColumnType, Config, DeletedConfig, HistoryConfig, LinkConfig, LookupConfig,
    MergesConfig, OneOrMany, OutcomesConfig, TableId,
};
use leadscore_config::{Doubt, Subject, is_excluded};
use leadscore_core::{
    Cells, ColumnProfile, ColumnRole, DataProfile, TableProfile, Tokenizer, Writing,
};
use leadscore_dataset::MISSING;
use leadscore_dataset::{Attribute, Column, Tables};
use leadscore_dataset::{SeenColumn, SeenTable};

use crate::result_words::is_called_deleted;
use crate::scan::Table;

/// Numbers of a column that percentiles are taken of, at most.
const MOST_RANKED: usize = 200_000;
/// Levels that are kept of a column.
const MOST_LEVELS: usize = 50;

/// What the tables of a config look like; nothing where they were looked at by parts.
pub fn data_profile(config: &Config, tables: &Tables) -> DataProfile {
    let names = config.tables().map(|table| table.id.heading());
    DataProfile {
        tables: names
            .filter_map(|name| {
                Some(table_profile(
                    config,
                    tables,
                    &name,
                    tables.seen.get(&name)?,
                ))
            })
            .collect(),
    }
}

fn table_profile(config: &Config, tables: &Tables, name: &str, seen: &SeenTable) -> TableProfile {
    let reach = tables
        .ends
        .iter()
        .find(|end| end.table == name)
        .map(|end| end.reach(tables.observation_end));
    let matches = tables.matched.get(name).map(|matched| matched.count());
    let is_column = |name: &str| seen.columns.iter().any(|column| column.name == name);
    let columns = seen
        .columns
        .iter()
        .map(|column| {
            let role = role(config, name, Named(&column.name, &is_column));
            column_profile(tables, name, column, role)
        })
        .collect();
    TableProfile {
        table: name.to_owned(),
        n_rows: seen.n_rows as u64,
        reach,
        matches,
        columns,
    }
}

fn column_profile(
    tables: &Tables,
    table: &str,
    seen: &SeenColumn,
    role: ColumnRole,
) -> ColumnProfile {
    let cells = match (&seen.unreadable, role) {
        (Some(kind), _) => Some(Cells::Unreadable(kind.clone())),
        (None, ColumnRole::Time) => Some(Cells::Times),
        (None, ColumnRole::Outcome) => Some(seen.levels.as_ref().map_or(Cells::Texts, |levels| {
            commonest(levels.iter().map(|(text, &count)| (text.as_str(), count)))
        })),
        (None, ColumnRole::Key | ColumnRole::Change) => Some(Cells::Texts),
        (None, ColumnRole::Points) => points(tables),
        (None, ColumnRole::Deleted) => None,
        _ => cells(tables, table, seen),
    };
    // What turned out to be times or ids is not learned from.
    let is_idle = role == ColumnRole::Attribute && cells.is_none();
    let role = if is_idle { ColumnRole::Unused } else { role };
    ColumnProfile {
        column: seen.name.clone(),
        role,
        cells,
        n_missing: seen.n_missing.map(|n_missing| n_missing as u64),
    }
}

/// The doubts about columns that play a part and have no value in any row.
pub(crate) fn empty_parts(config: &Config, table: &Table<'_>) -> Vec<Doubt> {
    let plays_a_part = |column: &String| match role(config, &table.name, Named(column, &|_| true)) {
        ColumnRole::Key | ColumnRole::Time => true,
        ColumnRole::Outcome => config.outcomes.amount.as_ref() != Some(column),
        ColumnRole::Change => config
            .history
            .as_ref()
            .is_some_and(|history| history.attribute == *column || history.value == *column),
        ColumnRole::Attribute
        | ColumnRole::Kind
        | ColumnRole::Value
        | ColumnRole::Points
        | ColumnRole::Excluded
        | ColumnRole::Deleted
        | ColumnRole::Unused => false,
    };
    // Ids that their association table does not have are said by themselves.
    if table
        .unlinked()
        .is_some_and(|(_, unlinked)| unlinked.n_rows > 0)
    {
        return Vec::new();
    }
    // One row that is given in memory, such as a lead that is in no table, says nothing of its
    // column.
    if Frame::at(table.file.location).is_some_and(|frame| frame.n_rows() <= 1) {
        return Vec::new();
    }
    let empty = table.empty_columns().into_iter().filter(plays_a_part);
    let doubt = |column: String| {
        Doubt::new(Subject::Types, &table.name, "no row has a value here").of_column(&column)
    };
    empty
        .map(|column| {
            doubt(column)
                .at(Some(table.path().display().to_string()))
                .advise("name another column, or export the table again")
        })
        .collect()
}

/// What a column is for.
fn role(config: &Config, table: &str, named: Named<'_>) -> ColumnRole {
    let id = TableId::named(table);
    let file = id.and_then(|id| config.table(&id)).map(|table| table.file);
    if file.is_some_and(|file| file.deleted == Some(named.0)) {
        return ColumnRole::Deleted;
    }
    let activity = table
        .strip_prefix("[activities.")
        .and_then(|name| config.activities.get(name.strip_suffix(']')?));
    let lookup = table
        .strip_prefix("[lookups.")
        .and_then(|name| config.lookups.get(name.strip_suffix(']')?));
    if let Some(activity) = activity {
        return named.in_activity(activity);
    }
    if let Some(lookup) = lookup {
        return named.in_lookup(lookup);
    }
    let link = table
        .strip_prefix("[links.")
        .and_then(|name| config.links.get(name.strip_suffix(']')?));
    if let Some(link) = link {
        return named.in_link(link);
    }
    if let ("[merges]", Some(merges)) = (table, &config.merges) {
        return named.in_merges(merges);
    }
    if let ("[deleted]", Some(deleted)) = (table, &config.deleted) {
        return named.in_deleted(deleted);
    }
    match (table, &config.history) {
        ("[leads]", _) => named.in_leads(config),
        ("[outcomes]", _) => named.in_outcomes(&config.outcomes),
        (_, Some(history)) => named.in_history(history),
        (_, None) => ColumnRole::Unused,
    }
}

/// A column, to be found among those that the config names, and whether a name is one of the table.
#[derive(Clone, Copy)]
struct Named<'n>(&'n str, &'n dyn Fn(&str) -> bool);

impl Named<'_> {
    /// Whether it is the one that a key names.
    fn is(&self, named: &Option<String>) -> bool {
        named.as_deref() == Some(self.0)
    }

    /// Whether it is one of these.
    fn any(&self, named: &[String]) -> bool {
        named.iter().any(|one| one == self.0)
    }

    /// Of a table of attributes, for what plays no other part.
    fn learned(
        &self,
        exclude: &[String],
        attributes: Option<&Vec<String>>,
        types: &BTreeMap<String, ColumnType>,
    ) -> ColumnRole {
        if is_excluded(exclude, self.0, self.1)
            || attributes.is_none() && is_called_deleted(self.0)
            || matches!(types.get(self.0), Some(ColumnType::Id | ColumnType::Time))
        {
            ColumnRole::Excluded
        } else if attributes.is_some_and(|chosen| !self.any(chosen)) {
            ColumnRole::Unused
        } else {
            ColumnRole::Attribute
        }
    }

    /// What it is for in an event table.
    fn in_activity(&self, activity: &ActivityConfig) -> ColumnRole {
        match () {
            () if self.is(&activity.lead) || self.is(&activity.account) => ColumnRole::Key,
            () if self.any(&activity.columns) => ColumnRole::Time,
            () if activity.at == self.0 || self.is(&activity.recorded_at) => ColumnRole::Time,
            () if self.any(&activity.kind) => ColumnRole::Kind,
            () if self.any(&activity.values) => ColumnRole::Value,
            () => ColumnRole::Unused,
        }
    }

    /// What it is for in an association table.
    fn in_link(&self, link: &LinkConfig) -> ColumnRole {
        match () {
            () if link.from == self.0 || link.lead == self.0 => ColumnRole::Key,
            () if self.is(&link.linked_at) => ColumnRole::Time,
            () if self.is(&link.primary) => ColumnRole::Kind,
            () => ColumnRole::Unused,
        }
    }

    /// What it is for in the merges.
    fn in_merges(&self, merges: &MergesConfig) -> ColumnRole {
        match () {
            () if merges.from == self.0 || merges.into == self.0 => ColumnRole::Key,
            () if self.is(&merges.at) => ColumnRole::Time,
            () => ColumnRole::Unused,
        }
    }

    /// What it is for in the archive of deleted leads.
    fn in_deleted(&self, deleted: &DeletedConfig) -> ColumnRole {
        match () {
            () if deleted.lead == self.0 => ColumnRole::Key,
            () if self.is(&deleted.at) => ColumnRole::Time,
            () => ColumnRole::Unused,
        }
    }

    /// What it is for in a lookup.
    fn in_lookup(&self, lookup: &LookupConfig) -> ColumnRole {
        match () {
            () if lookup.key == self.0 => ColumnRole::Key,
            () if self.is(&lookup.changed_at) => ColumnRole::Time,
            () => self.learned(&lookup.exclude, lookup.attributes.as_ref(), &lookup.types),
        }
    }

    /// What it is for in the leads.
    fn in_leads(&self, config: &Config) -> ColumnRole {
        let mut of_leads = config
            .activities
            .values()
            .filter(|activity| activity.path.is_nowhere());
        let leads = &config.leads;
        let is_key = leads.id == self.0
            || self.is(&leads.account)
            || config
                .lookups
                .values()
                .any(|lookup| lookup.leads_key.as_ref().unwrap_or(&lookup.key) == self.0)
            || config
                .activities
                .values()
                .any(|activity| self.is(&activity.account));
        match () {
            () if is_key => ColumnRole::Key,
            () if of_leads.any(|activity| self.any(&activity.columns)) => ColumnRole::Time,
            () if self.is(&leads.created_at)
                || self.is(&leads.recorded_at)
                || self.is(&config.snapshots.order_by) =>
            {
                ColumnRole::Time
            }
            () if leads
                .manual_score
                .as_ref()
                .map(OneOrMany::to_vec)
                .is_some_and(|points| self.any(&points)) =>
            {
                ColumnRole::Points
            }
            () if self.is(&config.outcomes.flag) => ColumnRole::Outcome,
            () => self.learned(&leads.exclude, leads.attributes.as_ref(), &leads.types),
        }
    }

    /// What it is for in the outcomes.
    fn in_outcomes(&self, outcomes: &OutcomesConfig) -> ColumnRole {
        match () {
            () if self.is(&outcomes.lead) => ColumnRole::Key,
            () if self.is(&outcomes.closed_at) || self.is(&outcomes.recorded_at) => {
                ColumnRole::Time
            }
            () if self.is(&outcomes.result) || self.is(&outcomes.amount) => ColumnRole::Outcome,
            () => ColumnRole::Unused,
        }
    }

    /// What it is for in the history.
    fn in_history(&self, history: &HistoryConfig) -> ColumnRole {
        match () {
            () if history.lead == self.0 => ColumnRole::Key,
            () if history.changed_at == self.0 => ColumnRole::Time,
            () if history.attribute == self.0
                || history.value == self.0
                || self.is(&history.old_value)
                || self.is(&history.sequence) =>
            {
                ColumnRole::Change
            }
            () => ColumnRole::Unused,
        }
    }
}

/// Today's points, of which several columns are the sum.
fn points(tables: &Tables) -> Option<Cells> {
    numbers(tables.leads.manual_score.as_deref()?, None)
}

/// What was read of a column.
fn cells(tables: &Tables, table: &str, seen: &SeenColumn) -> Option<Cells> {
    let of = |attributes: &[Attribute]| {
        attributes
            .iter()
            .find(|attribute| attribute.name == seen.name)
            .map(|attribute| of_attribute(attribute, seen))
    };
    if table == "[leads]" {
        return of(&tables.leads.attributes);
    }
    if let Some(lookup) = tables
        .lookups
        .iter()
        .find(|lookup| table == format!("[lookups.{}]", lookup.name))
    {
        return of(&lookup.rows.attributes);
    }
    let activities = tables
        .activities
        .iter()
        .find(|activities| table == format!("[activities.{}]", activities.name))?;
    let kind = activities
        .rows
        .kinds
        .iter()
        .find(|kind| kind.name == seen.name)
        .map(|kind| categories(&kind.codes, &kind.levels, kind.tokenizer.as_ref()));
    kind.or_else(|| {
        numbers(
            &activities
                .rows
                .values
                .iter()
                .find(|value| value.name == seen.name)?
                .values,
            seen.writing,
        )
    })
}

fn of_attribute(attribute: &Attribute, seen: &SeenColumn) -> Cells {
    match &attribute.column {
        Column::Number(values) => numbers(values, seen.writing).unwrap_or(Cells::Texts),
        Column::Category { codes, levels } => {
            categories(codes, levels, attribute.tokenizer.as_ref())
        }
        Column::Dates(_) => Cells::Times,
    }
}

fn numbers(values: &[f64], written: Option<Writing>) -> Option<Cells> {
    let known: Vec<f64> = values
        .iter()
        .copied()
        .filter(|value| !value.is_nan())
        .collect();
    if known.is_empty() {
        return None;
    }
    let (low, high) = known
        .iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), &value| {
            (low.min(value), high.max(value))
        });
    // Of whatever file: a column with fractions is one whose points begin them.
    let written = written.or_else(|| {
        known
            .iter()
            .any(|value| value.fract() != 0.0)
            .then_some(Writing {
                decimal: '.',
                thousands: None,
            })
    });
    // Some of many tell where the others lie.
    let every = known.len().div_ceil(MOST_RANKED);
    let mut ranked: Vec<f64> = known.iter().copied().step_by(every).collect();
    let n = ranked.len();
    let mut at = |rank: usize| {
        *ranked
            .select_nth_unstable_by(rank.min(n - 1), f64::total_cmp)
            .1
    };
    Some(Cells::Numbers {
        low,
        percentile_1: at(n / 100),
        median: at(n / 2),
        percentile_99: at(n - 1 - n / 100),
        high,
        written,
    })
}

fn categories(codes: &[u32], levels: &[String], tokenizer: Option<&Tokenizer>) -> Cells {
    let mut counts = vec![0_u64; levels.len()];
    codes
        .iter()
        .filter(|&&code| code != MISSING)
        .for_each(|&code| counts[code as usize] += 1);
    let Some(tokenizer) = tokenizer else {
        return commonest(levels.iter().map(String::as_str).zip(counts));
    };
    let mut by_token: BTreeMap<String, u64> = BTreeMap::new();
    for (level, count) in levels.iter().zip(counts).filter(|(_, count)| *count > 0) {
        for token in tokenizer.tokens(level) {
            *by_token.entry(token).or_default() += count;
        }
    }
    Cells::Several {
        tokenizer: tokenizer.clone(),
        n_values: by_token.len() as u64,
        values: most_frequent(by_token.into_iter().collect()),
    }
}

/// The most frequent of some values, the most frequent first.
fn most_frequent(mut values: Vec<(String, u64)>) -> Vec<(String, u64)> {
    values.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    values.truncate(MOST_LEVELS);
    values
}

fn commonest<'t>(levels: impl Iterator<Item = (&'t str, u64)>) -> Cells {
    let levels: Vec<(String, u64)> = levels
        .map(|(level, count)| (level.to_owned(), count))
        .collect();
    let n_levels = levels.len() as u64;
    Cells::Categories {
        n_levels,
        levels: most_frequent(levels),
    }
}
