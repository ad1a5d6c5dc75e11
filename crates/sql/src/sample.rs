//! What is asked of tables before features are chosen: how far they reach, and the rows of some leads.

use leadscore_tables::Config;

use crate::columns::Columns;
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::snapshots::{SqlSources, is_closed};

/// One SELECT with `first`, when the first lead was created, and `latest`, the latest time that any table speaks of, both in
/// microseconds since 1970.
///
/// # Errors
///
/// [`SqlError`] where it is not said where a table is.
pub fn reach_sql(config: &Config, sources: &SqlSources, dialect: Dialect) -> Result<String, SqlError> {
    let leads = Columns::new(dialect, sources, "leads", &config.leads.file())?;
    let created = config.leads.created_at.as_deref().ok_or(SqlError::Flat)?;
    let mut parts = vec![format!("SELECT MIN({}) AS first, MAX({}) AS latest FROM {}", leads.start(created), leads.known(created), leads.source.from)];
    let outcomes = Columns::new(dialect, sources, "outcomes", &config.outcomes.file())?;
    let closed_at = config.outcomes.closed_at.as_deref().ok_or(SqlError::Flat)?;
    let latest = |column: String, from: &str| format!("SELECT CAST(NULL AS BIGINT), MAX({column}) FROM {from}");
    parts.push(format!("{} WHERE {}", latest(outcomes.known(closed_at), &outcomes.source.from), is_closed(&outcomes, &config.outcomes, dialect)));
    for (name, activity) in &config.activities {
        let events = Columns::new(dialect, sources, &format!("activities.{name}"), &activity.file())?;
        parts.push(latest(events.known(&activity.at), &events.source.from));
    }
    Ok(format!("SELECT MIN(first) AS first, MAX(latest) AS latest FROM ({}) AS reach", parts.join(" UNION ALL ")))
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
        let leads = Columns::new(self.dialect, self.sources, "leads", &self.config.leads.file())?;
        Ok(format!("SELECT COUNT(*) AS n FROM {}", leads.source.from))
    }

    /// One SELECT a table, by its name, with the rows of this share of the leads, or of all where it is 1. Leads of one account
    /// stay together; the same leads are taken each time.
    ///
    /// # Errors
    ///
    /// [`SqlError`] where it is not said where a table is.
    pub fn tables(&self, share: f64) -> Result<Vec<(String, String)>, SqlError> {
        let Self { config, sources, dialect } = *self;
        let leads = Columns::new(dialect, sources, "leads", &config.leads.file())?;
        let id = leads.key(&config.leads.id);
        let entity = match config.account_column() {
            Some(column) => format!("COALESCE({}, {id})", leads.key(column)),
            None => id.clone(),
        };
        let is_in = (share < 1.0).then(|| format!("PMOD(CRC32(CAST({entity} AS BINARY)), 1000000) < {:.0}", 1e6 * share));
        let rows = |from: &str, key: &str, of_leads: &str| match &is_in {
            None => format!("SELECT * FROM {from}"),
            Some(is_in) => format!("SELECT * FROM {from} WHERE {key} IN (SELECT {of_leads} FROM {} WHERE {is_in})", leads.source.from),
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
            tables.push(("outcomes".to_owned(), rows(&outcomes.source.from, &outcomes.key(lead), &id)));
        }
        if let Some(history) = &config.history {
            let changes = Columns::new(dialect, sources, "history", &history.file())?;
            tables.push(("history".to_owned(), rows(&changes.source.from, &changes.key(&history.lead), &id)));
        }
        for (name, activity) in &config.activities {
            let name = format!("activities.{name}");
            let events = Columns::new(dialect, sources, &name, &activity.file())?;
            let statement = match (&activity.lead, &activity.account) {
                (Some(lead), _) => rows(&events.source.from, &events.key(lead), &id),
                (None, Some(account)) => rows(&events.source.from, &events.key(account), &leads.key(account)),
                (None, None) => unreachable!("checked with the config"),
            };
            tables.push((name, statement));
        }
        for (name, lookup) in &config.lookups {
            let name = format!("lookups.{name}");
            let entries = Columns::new(dialect, sources, &name, &lookup.file())?;
            let of_leads = leads.key(lookup.leads_key.as_ref().unwrap_or(&lookup.key));
            tables.push((name, rows(&entries.source.from, &entries.key(&lookup.key), &of_leads)));
        }
        Ok(tables)
    }
}
