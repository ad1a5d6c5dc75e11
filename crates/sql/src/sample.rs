//! What is asked of tables before features are chosen: how far they reach, and the rows of some
//! leads.

use leadscore_config::{Config, TableId};
use leadscore_core::Timestamp;

use crate::belonging::Belonging;
use crate::columns::{Columns, DAY, SHIFT};
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::outcome_rows::{is_closed, is_won};
use crate::sources::SqlSources;
use crate::statement::Statement;

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
    known_before: Option<Timestamp>,
) -> Result<String, SqlError> {
    let belonging = Belonging::new(config, sources, dialect, known_before);
    let mut statement = Statement::new(dialect);
    belonging.add(&mut statement)?;
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
        let rows = table.key.map(|key| belonging.rows(&table.id, &source, key));
        for column in table.times {
            let known = source.known(column);
            let day = dialect.quotient(&format!("({known} + {SHIFT})"), DAY);
            let condition = format!("{known} IS NOT NULL{condition}");
            let from = rows.as_ref().map_or_else(
                || format!("{}\n  WHERE {condition}", source.source.from),
                |rows| rows.behind_from(Some(&condition)),
            );
            parts.push(format!(
                "SELECT {place} AS place, {day} - {} AS day, COUNT(*) AS n, MIN({known}) AS first, MAX({known}) AS last\n  FROM {from}\n  GROUP BY {day}",
                SHIFT / DAY
            ));
            place += 1;
        }
    }
    Ok(statement.finish(&parts.join("\nUNION ALL\n")))
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
    known_before: Option<Timestamp>,
) -> Result<Option<String>, SqlError> {
    let settings = &config.outcomes;
    let (Some(lead), Some(closed_at), Some(recorded_at)) =
        (&settings.lead, &settings.closed_at, &settings.recorded_at)
    else {
        return Ok(None);
    };
    let belonging = Belonging::new(config, sources, dialect, known_before);
    let mut statement = Statement::new(dialect);
    belonging.add(&mut statement)?;
    let outcomes = Columns::new(dialect, sources, "outcomes", &config.outcomes.file())?;
    let (known, recorded) = (outcomes.known(closed_at), outcomes.known(recorded_at));
    let day = dialect.quotient(&format!("({known} + {SHIFT})"), DAY);
    let later = format!("CASE WHEN {recorded} > {known} THEN {recorded} - {known} ELSE 0 END");
    let lag = dialect.quotient(&later, DAY);
    let condition = format!(
        "{known} IS NOT NULL AND {recorded} IS NOT NULL AND {}",
        is_won(&outcomes, settings, dialect)
    );
    let rows = belonging.rows(&TableId::Outcomes, &outcomes, lead);
    Ok(Some(statement.finish(&format!(
        "SELECT {day} - {} AS day, {lag} AS lag, COUNT(*) AS n\n  FROM {}\n  GROUP BY {day}, {lag}",
        SHIFT / DAY,
        rows.behind_from(Some(&condition))
    ))))
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
        changes.text(&history.lead),
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
    /// Where ids reach their leads through an association table: what of them it lacks.
    pub unlinked: Option<UnlinkedSql>,
}

/// How many ids of a table its association table lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlinkedSql {
    /// The association table in the config, such as `[links.contacts]`.
    pub link: String,
    /// One SELECT with the rows that have an id, `n_rows`, those whose id it lacks, `n_unlinked`,
    /// those of them whose id it has as a lead, `n_swapped`, and one of the ids, `example`.
    pub counts: String,
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
    known_before: Option<Timestamp>,
) -> Result<Vec<KeysSql>, SqlError> {
    let belonging = Belonging::new(config, sources, dialect, known_before);
    let mut statement = Statement::new(dialect);
    belonging.add(&mut statement)?;
    let leads = Columns::new(dialect, sources, "leads", &config.leads.file())?;
    let of_leads = belonging.rows(&TableId::Leads, &leads, &config.leads.id);
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
        let columns = Columns::new(dialect, sources, &name, &table.file)?;
        let rows = belonging.rows(&table.id, &columns, column);
        let (key, id) = (&rows.lead, leads.text(id));
        let joined = format!(
            "FROM (SELECT {key} AS k FROM {}) AS r\n  LEFT JOIN (SELECT DISTINCT {id} AS id FROM {}) AS l ON l.id = r.k",
            rows.behind_from(Some(&format!("{key} IS NOT NULL"))),
            of_leads.behind_from(None)
        );
        // Where ids may be those of leads, what the association table lacks is a lead's.
        let link = config.link_of(&table.id).filter(|(_, link)| !link.own_ids);
        let unlinked = link.map(|(link, _)| {
            let own = columns.text(column);
            let counts = format!(
                "SELECT (SELECT COUNT(*) FROM {} WHERE {own} IS NOT NULL) AS n_rows, COUNT(*) AS n_unlinked, COUNT(ls_o.ls_other) AS n_swapped, MIN({own}) AS example\n  FROM {}\n  LEFT JOIN ({}) AS ls_o ON ls_o.ls_other = {own}\n  WHERE {own} IS NOT NULL AND {key} IS NULL",
                columns.source.from,
                rows.from,
                belonging.leads_of_link(link)
            );
            UnlinkedSql {
                link: TableId::Link(link.to_owned()).heading(),
                counts: statement.finish(&counts),
            }
        });
        found.push(KeysSql {
            table: format!("[{name}]"),
            counts: statement.finish(&format!(
                "SELECT COUNT(*) AS n_rows, COUNT(l.id) AS n_matched {joined}"
            )),
            strangers: statement.finish(&format!(
                "SELECT DISTINCT r.k AS value {joined}\n  WHERE l.id IS NULL\n  LIMIT 200"
            )),
            ids: statement.finish(&format!(
                "SELECT {id} AS value FROM {} LIMIT 100000",
                of_leads.behind_from(Some(&format!("{id} IS NOT NULL")))
            )),
            unlinked,
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
    /// Nothing known at this moment or later exists.
    pub known_before: Option<Timestamp>,
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
    /// it is 1. Leads of one account stay together; the same leads are taken each time. Merges come
    /// whole: they are followed where the rows are read.
    ///
    /// # Errors
    ///
    /// [`SqlError`] where it is not said where a table is.
    pub fn tables(&self, share: f64) -> Result<Vec<(String, String)>, SqlError> {
        let Self {
            config,
            sources,
            dialect,
            known_before,
        } = *self;
        if share >= 1.0 {
            let all = config.tables().map(|table| {
                let name = table.id.to_string();
                let source = sources.tables.get(&name);
                let source = source.ok_or_else(|| SqlError::Source(name.clone()))?;
                Ok((name, format!("SELECT * FROM {}", source.from)))
            });
            return all.collect();
        }
        let belonging = Belonging::new(config, sources, dialect, known_before);
        let mut statement = Statement::new(dialect);
        belonging.add(&mut statement)?;
        let leads = Columns::new(dialect, sources, "leads", &config.leads.file())?;
        let id = leads.text(&config.leads.id);
        let entity = match config.account_column() {
            Some(column) => format!("COALESCE({}, {id})", leads.text(column)),
            None => id.clone(),
        };
        let is_in = format!(
            "PMOD(CRC32(CAST({entity} AS BINARY)), 1000000) < {:.0}",
            1e6 * share
        );
        let of_leads = belonging
            .rows(&TableId::Leads, &leads, &config.leads.id)
            .behind_from(Some(&is_in));
        let ids = format!("SELECT {id} AS ls_own FROM {of_leads}");
        let mut tables = Vec::new();
        for table in config.tables() {
            let name = table.id.to_string();
            let columns = Columns::new(dialect, sources, &name, &table.file)?;
            let rows = |key: &str, wanted: &str| {
                let from = &columns.source.from;
                format!(
                    "SELECT * FROM {from} WHERE {} IN ({wanted})",
                    columns.text(key)
                )
            };
            let pointed = |column: &str| format!("SELECT {} FROM {of_leads}", leads.text(column));
            let select = match (&table.id, table.key) {
                (TableId::Leads, _) => rows(&config.leads.id, &ids),
                (TableId::Outcomes, None) => continue,
                (TableId::Outcomes | TableId::History, Some(key)) => {
                    rows(key, &belonging.ids_of(&table.id, &ids))
                }
                (TableId::Activities(activity), Some(key)) => {
                    match &config.activities[activity].lead {
                        Some(_) => rows(key, &belonging.ids_of(&table.id, &ids)),
                        None => rows(key, &pointed(key)),
                    }
                }
                (TableId::Lookup(lookup), Some(key)) => {
                    let column = config.lookups[lookup].leads_key.as_deref();
                    rows(key, &pointed(column.unwrap_or(key)))
                }
                (TableId::Link(link), _) => {
                    rows(&config.links[link].lead, &belonging.ids_of_merged(&ids))
                }
                (
                    TableId::Merges
                    | TableId::Deleted
                    | TableId::Activities(_)
                    | TableId::Lookup(_)
                    | TableId::History,
                    _,
                ) => {
                    format!("SELECT * FROM {}", columns.source.from)
                }
            };
            tables.push((name, statement.finish(&select)));
        }
        Ok(tables)
    }
}
