//! The point-in-time features of a list of recipes as one statement.

use leadscore_config::Config;
use leadscore_core::{Aggregate, AggregateKind, FeatureSpec};

use crate::ask::FeaturesSql;
use crate::belonging::Belonging;
use crate::collected::Collected;
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::names::check_names;
use crate::snapshots::add_snapshots;
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
    let Some(read) = spec.source.events() else {
        return Exactness::Equal;
    };
    let sums_powers = |aggregate: &Aggregate| match &aggregate.kind {
        AggregateKind::Decayed(_) => true,
        AggregateKind::Count
        | AggregateKind::Sum(_)
        | AggregateKind::Mean(_)
        | AggregateKind::Max(_)
        | AggregateKind::ActiveDays
        | AggregateKind::First
        | AggregateKind::Last
        | AggregateKind::FirstSinceCreation
        | AggregateKind::LongestGap
        | AggregateKind::LatestValue(_)
        | AggregateKind::LatestKind(_) => false,
    };
    let formula = read.formula();
    if formula.aggregates().iter().any(sums_powers) {
        Exactness::Near
    } else {
        Exactness::Equal
    }
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
                "(SELECT COUNT(*) FROM ls_leads l JOIN ls_won o ON o.lead = l.lead WHERE l.created_known <= {moment})"
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
        known_before,
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
    for spec in specs {
        check_texts(dialect, spec)?;
    }
    let mut collected = Collected::new(config, sources, dialect, manual_score)?;
    for (idx, spec) in specs.iter().enumerate() {
        collected.collect(idx, spec)?;
    }
    let columns_of_leads = collected.lead_columns();
    let belonging = Belonging::new(config, sources, dialect, known_before);
    add_snapshots(statement, ask, &belonging, columns_of_leads)?;
    // Then what each feature reads, and the steps that it reads it from.
    let expressions = specs
        .iter()
        .enumerate()
        .map(|(idx, spec)| collected.expression(idx, spec))
        .collect::<Result<Vec<String>, SqlError>>()?;
    let joins: String = collected
        .add_steps(statement, &belonging, specs)?
        .into_iter()
        .map(|join| format!("\n  {join}"))
        .collect();
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
    columns.extend(
        expressions
            .iter()
            .zip(&names)
            .map(|(expression, name)| format!("{expression} AS {}", dialect.name(name))),
    );
    Ok(format!(
        "SELECT {}\n  FROM ls_snapshots s{joins}",
        columns.join(",\n    ")
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

/// Whether the dialect can hold the values that the feature tells events apart by.
fn check_texts(dialect: Dialect, spec: &FeatureSpec) -> Result<(), SqlError> {
    let Some(read) = spec.source.events() else {
        return Ok(());
    };
    for aggregate in read.formula().aggregates() {
        for text in aggregate.filter.values() {
            if !dialect.can_hold(text) {
                return Err(SqlError::Nul {
                    text: text.to_owned(),
                });
            }
        }
    }
    Ok(())
}
