//! What is asked of tables before features are chosen: how far they reach, and the rows of some
//! leads.

use leadscore_config::{Config, TableId};

use crate::columns::{Columns, DAY, SHIFT};
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::snapshots::{is_closed, is_won};
use crate::sources::SqlSources;

/// One SELECT that counts the rows of every table by day, for each of its times: columns `place` (a
/// number for table and column, in the order of [`Config::row_tables`]), `day` (since 1970), `n`, and
/// `first` and `last` in microseconds since 1970.
///
/// # Errors
///
/// [`SqlError`] where it is not said where a table is.
pub fn days_sql(
    config: &Config,
    sources: &SqlSources,
    dialect: Dialect,
) -> Result<String, SqlError> {
    let mut parts = Vec::new();
    let mut place = 0;
    for table in config.row_tables() {
        let source = Columns::new(dialect, sources, &table.id.to_string(), &table.file)?;
        // Rows that are not closed say nothing.
        let condition = if table.id == TableId::Outcomes {
            format!(" AND {}", is_closed(&source, &config.outcomes, dialect))
        } else {
            String::new()
        };
        for column in table.times {
            let known = source.known(column);
            let day = dialect.quotient(&format!("({known} + {SHIFT})"), DAY);
            parts.push(format!(
                "SELECT {place} AS place, {day} - {} AS day, COUNT(*) AS n, MIN({known}) AS first, MAX({known}) AS last\n  FROM {}\n  WHERE {known} IS NOT NULL{condition}\n  GROUP BY {day}",
                SHIFT / DAY,
                source.source.from
            ));
            place += 1;
        }
    }
    Ok(parts.join("\nUNION ALL\n"))
}

/// One SELECT that counts wins by the day they happened and the days until they were entered:
/// `day`, `lag`, `n`. `None` where the outcomes have one clock.
///
/// # Errors
///
/// [`SqlError`] where it is not said where the outcomes are.
pub fn entries_sql(
    config: &Config,
    sources: &SqlSources,
    dialect: Dialect,
) -> Result<Option<String>, SqlError> {
    let (Some(closed_at), Some(recorded_at)) =
        (&config.outcomes.closed_at, &config.outcomes.recorded_at)
    else {
        return Ok(None);
    };
    let outcomes = Columns::new(dialect, sources, "outcomes", &config.outcomes.file())?;
    let (known, recorded) = (outcomes.known(closed_at), outcomes.known(recorded_at));
    let day = dialect.quotient(&format!("({known} + {SHIFT})"), DAY);
    let later = format!("CASE WHEN {recorded} > {known} THEN {recorded} - {known} ELSE 0 END");
    let lag = dialect.quotient(&later, DAY);
    Ok(Some(format!(
        "SELECT {day} - {} AS day, {lag} AS lag, COUNT(*) AS n\n  FROM {}\n  WHERE {known} IS NOT NULL AND {recorded} IS NOT NULL AND {}\n  GROUP BY {day}, {lag}",
        SHIFT / DAY,
        outcomes.source.from,
        is_won(&outcomes, &config.outcomes, dialect)
    )))
}

/// One SELECT with every result and how often it stands there: `value`, `n`. `None` where there is
/// no column of results.
///
/// # Errors
///
/// [`SqlError`] where it is not said where the outcomes are.
pub fn results_sql(
    config: &Config,
    sources: &SqlSources,
    dialect: Dialect,
) -> Result<Option<String>, SqlError> {
    let Some(result) = &config.outcomes.result else {
        return Ok(None);
    };
    let outcomes = Columns::new(dialect, sources, "outcomes", &config.outcomes.file())?;
    let value = outcomes.text(result);
    Ok(Some(format!(
        "SELECT {value} AS value, COUNT(*) AS n\n  FROM {}\n  WHERE {value} IS NOT NULL\n  GROUP BY {value}",
        outcomes.source.from
    )))
}

/// One SELECT that counts as `n` how often an attribute of a lead has two values from one moment
/// on. `None` without a history.
///
/// # Errors
///
/// [`SqlError`] where it is not said where the history is.
pub fn ties_sql(
    config: &Config,
    sources: &SqlSources,
    dialect: Dialect,
) -> Result<Option<String>, SqlError> {
    let Some(history) = &config.history else {
        return Ok(None);
    };
    let changes = Columns::new(dialect, sources, "history", &history.file())?;
    let mut by = vec![
        changes.key(&history.lead),
        changes.text(&history.attribute),
        changes.known(&history.changed_at),
    ];
    by.extend(
        history
            .sequence
            .as_ref()
            .map(|column| changes.number(column)),
    );
    let value = changes.text(&history.value);
    // A missing value is another one, too.
    let n_values =
        format!("COUNT(DISTINCT {value}) + MAX(CASE WHEN {value} IS NULL THEN 1 ELSE 0 END)");
    Ok(Some(format!(
        "SELECT COUNT(*) AS n FROM (\n  SELECT {n_values} AS n_values\n  FROM {}\n  GROUP BY {}) AS moments\n  WHERE n_values > 1",
        changes.source.from,
        by.join(", ")
    )))
}

/// How the keys of a table match the leads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeysSql {
    /// The table in the config, such as `[outcomes]`.
    pub table: String,
    /// One SELECT with the rows that name something, `n_rows`, and those of them whose lead is
    /// there, `n_matched`.
    pub counts: String,
    /// One SELECT with some keys that match nothing, `value`.
    pub strangers: String,
    /// One SELECT with some of the ids, `value`.
    pub ids: String,
}

/// For each table whose rows belong to leads or accounts, how its keys match them.
///
/// # Errors
///
/// [`SqlError`] where it is not said where a table is.
pub fn keys_sql(
    config: &Config,
    sources: &SqlSources,
    dialect: Dialect,
) -> Result<Vec<KeysSql>, SqlError> {
    let leads = Columns::new(dialect, sources, "leads", &config.leads.file())?;
    let mut found = Vec::new();
    for table in config.row_tables() {
        let id = match &table.id {
            TableId::Leads
            | TableId::Lookup(_)
            | TableId::Link(_)
            | TableId::Merges
            | TableId::Deleted => continue,
            TableId::Outcomes | TableId::History => &config.leads.id,
            TableId::Activities(name) => config.activities[name]
                .account
                .as_ref()
                .unwrap_or(&config.leads.id),
        };
        let Some(column) = table.key else { continue };
        let name = table.id.to_string();
        let rows = Columns::new(dialect, sources, &name, &table.file)?;
        let (key, id) = (rows.key(column), leads.key(id));
        let joined = format!(
            "FROM (SELECT {key} AS k FROM {} WHERE {key} IS NOT NULL) AS r\n  LEFT JOIN (SELECT DISTINCT {id} AS id FROM {}) AS l ON l.id = r.k",
            rows.source.from, leads.source.from
        );
        found.push(KeysSql {
            table: format!("[{name}]"),
            counts: format!("SELECT COUNT(*) AS n_rows, COUNT(l.id) AS n_matched {joined}"),
            strangers: format!(
                "SELECT DISTINCT r.k AS value {joined}\n  WHERE l.id IS NULL\n  LIMIT 200"
            ),
            ids: format!(
                "SELECT {id} AS value FROM {} WHERE {id} IS NOT NULL LIMIT 100000",
                leads.source.from
            ),
        });
    }
    Ok(found)
}

/// Some leads of a config's tables, with all that is theirs.
#[derive(Debug, Clone, Copy)]
pub struct SampleSql<'a> {
    /// The config.
    pub config: &'a Config,
    /// Where its tables are.
    pub sources: &'a SqlSources,
    /// Whose SQL; a share below 1 is written for Spark.
    pub dialect: Dialect,
}

impl SampleSql<'_> {
    /// One SELECT with the number of leads as `n`.
    ///
    /// # Errors
    ///
    /// [`SqlError`] where it is not said where the leads are.
    pub fn count(&self) -> Result<String, SqlError> {
        let leads = Columns::new(
            self.dialect,
            self.sources,
            "leads",
            &self.config.leads.file(),
        )?;
        Ok(format!("SELECT COUNT(*) AS n FROM {}", leads.source.from))
    }

    /// One SELECT a table, by its name, with the rows of this share of the leads, or of all where
    /// it is 1. Leads of one account stay together; the same leads are taken each time.
    ///
    /// # Errors
    ///
    /// [`SqlError`] where it is not said where a table is.
    pub fn tables(&self, share: f64) -> Result<Vec<(String, String)>, SqlError> {
        let Self {
            config,
            sources,
            dialect,
        } = *self;
        let leads = Columns::new(dialect, sources, "leads", &config.leads.file())?;
        let id = leads.key(&config.leads.id);
        let entity = match config.account_column() {
            Some(column) => format!("COALESCE({}, {id})", leads.key(column)),
            None => id.clone(),
        };
        let is_in = (share < 1.0).then(|| {
            format!(
                "PMOD(CRC32(CAST({entity} AS BINARY)), 1000000) < {:.0}",
                1e6 * share
            )
        });
        let rows = |from: &str, key: &str, of_leads: &str| match &is_in {
            None => format!("SELECT * FROM {from}"),
            Some(is_in) => format!(
                "SELECT * FROM {from} WHERE {key} IN (SELECT {of_leads} FROM {} WHERE {is_in})",
                leads.source.from
            ),
        };
        let mut tables = vec![(
            "leads".to_owned(),
            match &is_in {
                None => format!("SELECT * FROM {}", leads.source.from),
                Some(is_in) => format!("SELECT * FROM {} WHERE {is_in}", leads.source.from),
            },
        )];
        if let Some(lead) = &config.outcomes.lead {
            let outcomes = Columns::new(dialect, sources, "outcomes", &config.outcomes.file())?;
            tables.push((
                "outcomes".to_owned(),
                rows(&outcomes.source.from, &outcomes.key(lead), &id),
            ));
        }
        if let Some(history) = &config.history {
            let changes = Columns::new(dialect, sources, "history", &history.file())?;
            tables.push((
                "history".to_owned(),
                rows(&changes.source.from, &changes.key(&history.lead), &id),
            ));
        }
        for (name, activity) in &config.activities {
            let name = format!("activities.{name}");
            let events = Columns::new(dialect, sources, &name, &activity.file())?;
            let statement = match (&activity.lead, &activity.account) {
                (Some(lead), _) => rows(&events.source.from, &events.key(lead), &id),
                (None, Some(account)) => rows(
                    &events.source.from,
                    &events.key(account),
                    &leads.key(account),
                ),
                (None, None) => unreachable!("checked with the config"),
            };
            tables.push((name, statement));
        }
        for (name, lookup) in &config.lookups {
            let name = format!("lookups.{name}");
            let entries = Columns::new(dialect, sources, &name, &lookup.file())?;
            let of_leads = leads.key(lookup.leads_key.as_ref().unwrap_or(&lookup.key));
            tables.push((
                name,
                rows(&entries.source.from, &entries.key(&lookup.key), &of_leads),
            ));
        }
        Ok(tables)
    }
}
