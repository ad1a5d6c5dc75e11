//! The point-in-time features of a list of recipes as one statement.

use leadscore_core::{
    AttributeTable, EventFilter, FeatureKind, FeatureSource, FeatureSpec, PeerState, Statistic,
};
use leadscore_tables::Config;

use crate::attributes::{add_history, add_lookup, add_peer_leads, calendar, weekdays};
use crate::columns::Columns;
use crate::dialect::{Dialect, check_names};
use crate::error::SqlError;
use crate::events::{EventTable, days};
use crate::snapshots::{LeadColumn, Moments, SqlSources, add_snapshots};
use crate::statement::Statement;

/// How close a feature by SQL comes to the one of the sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exactness {
    /// Equal to the bit.
    Equal,
    /// Within 1e-12 of its size: sums of powers, whose last digits are each engine's own.
    Near,
}

/// How close this feature by SQL comes to the one of the sweep. All can be said.
pub fn exactness(spec: &FeatureSpec) -> Exactness {
    match &spec.source {
        FeatureSource::Activity {
            statistic: Statistic::Decayed(_),
            ..
        }
        | FeatureSource::Peers {
            statistic: Statistic::Decayed(_),
            ..
        } => Exactness::Near,
        _ => Exactness::Equal,
    }
}

/// Which features of which leads, where and in whose SQL.
#[derive(Debug, Clone, Copy)]
pub struct FeaturesSql<'a> {
    /// The config, for the names of columns and what they mean.
    pub config: &'a Config,
    /// Where its tables are.
    pub sources: &'a SqlSources,
    /// The features.
    pub specs: &'a [FeatureSpec],
    /// When leads are looked at.
    pub moments: &'a Moments,
    /// Whose SQL.
    pub dialect: Dialect,
    /// Whether the leads bring their manual score along.
    pub manual_score: bool,
}

/// One SELECT with the lead's id (as the config calls it), `snapshot`, `label` and `mature` where
/// they are asked for, and a column a feature; NULL for missing.
///
/// Only facts that were known strictly before the snapshot are read, as everywhere else. Rows come
/// in no order.
///
/// # Errors
///
/// [`SqlError`] names what cannot be said.
pub fn features_sql(ask: FeaturesSql<'_>) -> Result<String, SqlError> {
    let mut statement = Statement::new(ask.dialect);
    let select = add_features(&mut statement, ask)?;
    Ok(statement.finish(&select))
}

/// One SELECT with the number of snapshots, which is the number of rows that their features must
/// have, as `n_snapshots`; at one moment the leads that are won by then as `n_won`; else the mature
/// ones as `n_mature`. What is not there is 0.
///
/// # Errors
///
/// As [`features_sql`].
pub fn count_sql(ask: FeaturesSql<'_>) -> Result<String, SqlError> {
    let mut statement = Statement::new(ask.dialect);
    add_features(
        &mut statement,
        FeaturesSql {
            specs: &[],
            manual_score: false,
            ..ask
        },
    )?;
    let moment = ask.moments.single(ask.dialect);
    let none = "CAST(0 AS BIGINT)".to_owned();
    let (won, mature) = if ask.moments.is_labelled() {
        (none, "COUNT(CASE WHEN mature THEN 1 END)".to_owned())
    } else {
        (
            format!(
                "(SELECT COUNT(*) FROM ls_leads l JOIN ls_outcomes o ON o.lead = l.lead WHERE o.won < {moment} AND l.created_known <= {moment})"
            ),
            none,
        )
    };
    Ok(statement.finish(&format!(
        "SELECT COUNT(*) AS n_snapshots, {won} AS n_won, {mature} AS n_mature\nFROM ls_snapshots"
    )))
}

/// Adds the steps of all features, and gives the SELECT with their columns.
pub(crate) fn add_features(
    statement: &mut Statement,
    ask: FeaturesSql<'_>,
) -> Result<String, SqlError> {
    let FeaturesSql {
        config,
        sources,
        specs,
        moments,
        dialect,
        manual_score,
    } = ask;
    if config.is_flat() {
        return Err(SqlError::Flat);
    }
    if !dialect.has_features() {
        return Err(SqlError::Dialect(dialect));
    }
    let names: Vec<String> = specs.iter().map(|spec| column_of(config, spec)).collect();
    check_names(dialect, names.iter())?;
    if let Some(text) = specs
        .iter()
        .flat_map(texts_of)
        .find(|text| !dialect.can_hold(text))
    {
        return Err(SqlError::Nul {
            text: text.to_owned(),
        });
    }
    let leads = Columns::new(dialect, sources, "leads", &config.leads.file())?;
    let mut lead_columns: Vec<LeadColumn> = Vec::new();
    let mut joins: Vec<String> = Vec::new();
    let mut add_column = |expression: String, name: String| -> String {
        match lead_columns
            .iter()
            .find(|column| column.expression == expression)
        {
            Some(column) => format!("s.{}", column.name),
            None => {
                lead_columns.push(LeadColumn {
                    expression,
                    name: name.clone(),
                });
                format!("s.{name}")
            }
        }
    };
    // First what the leads themselves must bring along.
    let account = config
        .leads
        .account
        .as_ref()
        .map(|column| add_column(leads.text(column), "account".to_owned()));
    let needs_account = |spec: &FeatureSpec| {
        account.clone().ok_or_else(|| SqlError::Key {
            feature: spec.name.clone(),
            table: "leads".to_owned(),
            key: "account".to_owned(),
        })
    };
    if let Some(manual) = config.leads.manual_score.as_ref().filter(|_| manual_score) {
        let sum: Vec<String> = manual
            .to_vec()
            .iter()
            .map(|column| leads.number(column))
            .collect();
        add_column(sum.join(" + "), "manual_score".to_owned());
    }
    let mut event_tables: Vec<EventTable<'_>> = Vec::new();
    let mut histories: Vec<&str> = Vec::new();
    let mut lookups: Vec<(&str, String)> = Vec::new();
    let mut has_peer_leads = false;
    for (idx, spec) in specs.iter().enumerate() {
        match &spec.source {
            FeatureSource::Attribute {
                table: AttributeTable::Leads,
                column,
            } if !sources.with_history.contains(column) => {
                add_column(leads.typed(column, spec.kind), format!("a{idx}"));
            }
            FeatureSource::Attribute {
                table: AttributeTable::Leads,
                column,
            }
            | FeatureSource::AttributeAge { column }
            | FeatureSource::AttributeChanges { column } => {
                if !histories.contains(&column.as_str()) {
                    histories.push(column);
                }
            }
            FeatureSource::Attribute {
                table: AttributeTable::Lookup(name),
                ..
            } => {
                let lookup = config
                    .lookups
                    .get(name)
                    .ok_or_else(|| missing_table(spec, &format!("lookups.{name}")))?;
                if !lookups.iter().any(|(known, _)| known == name) {
                    let key = add_column(
                        leads.text(lookup.leads_key.as_ref().unwrap_or(&lookup.key)),
                        format!("key{}", lookups.len()),
                    );
                    lookups.push((name, key));
                }
            }
            FeatureSource::Activity { table, .. } | FeatureSource::Peers { table, .. } => {
                let of_peers = matches!(spec.source, FeatureSource::Peers { .. });
                let settings = config
                    .activities
                    .get(table)
                    .ok_or_else(|| missing_table(spec, &format!("activities.{table}")))?;
                if !event_tables
                    .iter()
                    .any(|known| known.name == table && known.of_peers == of_peers)
                {
                    let owner = match (&settings.account, of_peers) {
                        (_, true) => needs_account(spec)?,
                        (Some(column), false) => {
                            add_column(leads.text(column), format!("owner{}", event_tables.len()))
                        }
                        (None, false) => "s.lead".to_owned(),
                    };
                    event_tables.push(EventTable::new(
                        table,
                        settings,
                        of_peers,
                        owner,
                        event_tables.len(),
                    ));
                }
            }
            FeatureSource::PeerLeads(_) => {
                needs_account(spec)?;
                has_peer_leads = true;
            }
            FeatureSource::Created(_)
            | FeatureSource::AgeDays
            | FeatureSource::AgeWeekdays
            | FeatureSource::Snapshot(_) => {}
        }
    }
    add_snapshots(statement, config, sources, dialect, moments, &lead_columns)?;
    // Then what each feature reads, and the steps that it reads it from.
    let mut expressions: Vec<String> = Vec::new();
    for (idx, spec) in specs.iter().enumerate() {
        let expression = match &spec.source {
            FeatureSource::Attribute {
                table: AttributeTable::Leads,
                column,
            } => match histories.iter().position(|known| known == column) {
                Some(number) => format!(
                    "h{number}.{}",
                    if spec.kind == FeatureKind::Number {
                        "number"
                    } else {
                        "value"
                    }
                ),
                None => {
                    let expression = leads.typed(column, spec.kind);
                    let name = lead_columns
                        .iter()
                        .find(|known| known.expression == expression)
                        .map_or_else(|| format!("a{idx}"), |known| known.name.clone());
                    format!("s.{name}")
                }
            },
            FeatureSource::Attribute {
                table: AttributeTable::Lookup(name),
                column,
            } => {
                let number = lookups
                    .iter()
                    .position(|(known, _)| known == name)
                    .expect("collected above");
                format!(
                    "l{number}.{}",
                    dialect.name(&lookup_column(column, spec.kind))
                )
            }
            FeatureSource::AttributeAge { column } => {
                let number = histories
                    .iter()
                    .position(|known| known == column)
                    .expect("collected above");
                days(dialect, &format!("s.moment - h{number}.since"))
            }
            FeatureSource::AttributeChanges { column } => {
                let number = histories
                    .iter()
                    .position(|known| known == column)
                    .expect("collected above");
                dialect.double(&format!("COALESCE(h{number}.changes, 0)"))
            }
            FeatureSource::Created(part) => calendar(dialect, *part, "s.created"),
            FeatureSource::Snapshot(part) => calendar(dialect, *part, "s.moment"),
            FeatureSource::AgeDays => days(dialect, "s.moment - s.created"),
            FeatureSource::AgeWeekdays => days(
                dialect,
                &format!(
                    "{} - {}",
                    weekdays(dialect, "s.moment"),
                    weekdays(dialect, "s.created")
                ),
            ),
            FeatureSource::Activity {
                table,
                kind,
                window,
                statistic,
            }
            | FeatureSource::Peers {
                table,
                kind,
                window,
                statistic,
            } => {
                let of_peers = matches!(spec.source, FeatureSource::Peers { .. });
                let events = event_tables
                    .iter_mut()
                    .find(|known| known.name == table && known.of_peers == of_peers)
                    .expect("collected above");
                let value = events.feature(dialect, kind, *window, statistic);
                match &account {
                    Some(account) if of_peers => {
                        format!("CASE WHEN {account} IS NOT NULL THEN {value} END")
                    }
                    _ => value,
                }
            }
            FeatureSource::PeerLeads(state) => {
                let name = match state {
                    PeerState::Open => "n_open",
                    PeerState::Won => "n_won",
                    PeerState::Lost => "n_lost",
                };
                let account = needs_account(spec)?;
                let count = dialect.double(&format!("COALESCE(p.{name}, 0)"));
                format!("CASE WHEN {account} IS NOT NULL THEN {count} END")
            }
        };
        expressions.push(expression);
    }
    for events in &event_tables {
        joins.push(events.add(statement, sources, dialect)?);
    }
    for (number, column) in histories.iter().enumerate() {
        joins.push(add_history(
            statement, config, sources, dialect, number, column, specs,
        )?);
    }
    for (number, (name, key)) in lookups.iter().enumerate() {
        joins.push(add_lookup(
            statement, config, sources, dialect, number, name, key, specs,
        )?);
    }
    if has_peer_leads {
        joins.push(add_peer_leads(statement));
    }
    let mut columns = vec![
        format!("s.lead AS {}", dialect.name(&config.leads.id)),
        format!("{} AS snapshot", dialect.timestamp("s.moment")),
    ];
    if moments.is_labelled() {
        columns.extend([
            "s.label AS label".to_owned(),
            "s.mature AS mature".to_owned(),
        ]);
    }
    columns.extend(specs.iter().zip(&expressions).map(|(spec, expression)| {
        format!("{expression} AS {}", dialect.name(&column_of(config, spec)))
    }));
    let joins: Vec<String> = joins
        .into_iter()
        .map(|join| format!("\n  {join}"))
        .collect();
    Ok(format!(
        "SELECT {}\n  FROM ls_snapshots s{}",
        columns.join(",\n    "),
        joins.concat()
    ))
}

/// What a feature's column is called: a feature may be called as a key is.
pub fn column_of(config: &Config, spec: &FeatureSpec) -> String {
    matrix_column(&spec.name, std::slice::from_ref(&config.leads.id))
}

/// What a feature's column is called in a matrix with these keys, the snapshot, the label and
/// whether it is mature.
pub(crate) fn matrix_column(feature: &str, keys: &[String]) -> String {
    let is_taken =
        ["snapshot", "label", "mature"].contains(&feature) || keys.iter().any(|key| key == feature);
    if is_taken {
        format!("feature.{feature}")
    } else {
        feature.to_owned()
    }
}

/// The values that events are told apart by.
fn texts_of(spec: &FeatureSpec) -> Vec<&str> {
    fn of_filter(filter: &EventFilter) -> Vec<&str> {
        match filter {
            EventFilter::All => Vec::new(),
            EventFilter::Is(_, value) => vec![value],
            EventFilter::Other { named, .. } => named.iter().map(String::as_str).collect(),
            EventFilter::Each(pairs) => pairs.iter().map(|(_, value)| value.as_str()).collect(),
        }
    }
    match &spec.source {
        FeatureSource::Activity {
            kind, statistic, ..
        }
        | FeatureSource::Peers {
            kind, statistic, ..
        } => {
            let after = if let Statistic::Follows(after) = statistic {
                of_filter(after)
            } else {
                Vec::new()
            };
            [of_filter(kind), after].concat()
        }
        _ => Vec::new(),
    }
}

/// The column of a lookup as a number and as a category may differ.
pub(crate) fn lookup_column(column: &str, kind: FeatureKind) -> String {
    match kind {
        FeatureKind::Number => format!("n:{column}"),
        FeatureKind::Category => format!("c:{column}"),
    }
}

fn missing_table(spec: &FeatureSpec, table: &str) -> SqlError {
    SqlError::Table {
        feature: spec.name.clone(),
        table: table.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use leadscore_core::CalendarPart;

    use super::*;

    #[test]
    fn parts_of_the_calendar_have_their_words() {
        let weekday = calendar(Dialect::DuckDb, CalendarPart::Weekday, "t");
        assert!(
            leadscore_core::WEEKDAYS
                .iter()
                .all(|day| weekday.contains(day)),
            "{weekday}"
        );
    }
}
