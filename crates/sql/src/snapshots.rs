//! Which leads are looked at when, in SQL: the risk set of one moment, or every labelled snapshot.

use leadscore_config::{Config, OutcomesConfig, Scalar};
use leadscore_core::{Span, Timestamp};

use crate::columns::Columns;
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::sources::SqlSources;
use crate::statement::Statement;

/// When leads are looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Moments {
    /// All leads at risk then.
    At(Timestamp),
    /// All leads at risk when the statement runs.
    Now,
    /// Every lead at risk at each of these moments, in columns `label` (won within the horizon: 1
    /// or 0, null where that is not known yet) and `mature` (the horizon ends by the observation
    /// end).
    Calendar {
        /// The moments.
        moments: Vec<Timestamp>,
        /// The last moment that the data speaks of.
        observation_end: Timestamp,
        /// The last moment at which a window may end for its outcome to be known.
        mature_until: Timestamp,
    },
    /// Every lead at risk at each of these ages, with the same columns.
    Ages {
        /// The ages.
        ages: Vec<Span>,
        /// The last moment that the data speaks of.
        observation_end: Timestamp,
        /// The last moment at which a window may end for its outcome to be known.
        mature_until: Timestamp,
    },
}

impl Moments {
    /// Whether what became of the leads is known.
    pub(crate) fn is_labelled(&self) -> bool {
        matches!(self, Self::Calendar { .. } | Self::Ages { .. })
    }

    /// The one moment, in microseconds; that of the statement where there are several.
    pub(crate) fn single(&self, dialect: Dialect) -> String {
        match self {
            Self::At(at) => at.micros().to_string(),
            Self::Now | Self::Calendar { .. } | Self::Ages { .. } => dialect.now(),
        }
    }
}

/// A column of the leads that something needs, and what the statement calls it.
pub(crate) struct LeadColumn {
    pub(crate) expression: String,
    pub(crate) name: String,
}

/// Adds `ls_leads`, `ls_outcomes` and `ls_snapshots`: lead, moment, when it was created, and these
/// columns of the leads.
pub(crate) fn add_snapshots(
    statement: &mut Statement,
    config: &Config,
    sources: &SqlSources,
    dialect: Dialect,
    moments: &Moments,
    columns: &[LeadColumn],
) -> Result<(), SqlError> {
    if let Some(table) = config
        .tables()
        .find(|table| config.link_of(&table.id).is_some())
    {
        return Err(SqlError::Linked {
            table: table.id.to_string(),
        });
    }
    let mut activities = config.activities.iter();
    if let Some((name, _)) = activities.find(|(_, activity)| !activity.columns.is_empty()) {
        return Err(SqlError::Columns(name.clone()));
    }
    let mut tables = config.tables();
    if let Some((table, list)) =
        tables.find_map(|table| table.file.explode.map(|list| (table.id, list)))
    {
        return Err(SqlError::Explode(table.to_string(), list.to_owned()));
    }
    if config.outcomes.is_log() {
        return Err(SqlError::Log);
    }
    if config.has_deletions() {
        return Err(SqlError::Deleted);
    }
    if config.merges.is_some() {
        return Err(SqlError::Merged);
    }
    if config.snapshots.silent.is_some() {
        return Err(SqlError::Silent);
    }
    add_leads(statement, config, sources, dialect, columns)?;
    add_outcomes(statement, &config.outcomes, sources, dialect, moments)?;
    let horizon = config.snapshots.horizon.micros();
    let from = config.snapshots.from.map(|from| from.0.micros());
    let RiskSet {
        moment,
        beside,
        at_risk,
    } = RiskSet::new(moments, from, dialect);
    let labels = match moments {
        Moments::At(_) | Moments::Now => String::new(),
        // What a window that has not ended says of itself would be wins without losses.
        Moments::Calendar { mature_until, .. } | Moments::Ages { mature_until, .. } => format!(
            ",\n    CASE WHEN {moment} + {horizon} > {end} THEN NULL WHEN o.won >= {moment} AND o.won < {moment} + {horizon} THEN 1 ELSE 0 END AS label,\n    {moment} + {horizon} <= {end} AS mature",
            end = mature_until.micros()
        ),
    };
    statement.step(
        "ls_snapshots",
        format!(
            "SELECT l.*, {moment} AS moment{labels}\n  FROM ls_leads l{beside}\n  LEFT JOIN ls_outcomes o ON o.lead = l.lead\n  WHERE {at_risk} AND (o.closed IS NULL OR o.closed >= {moment})"
        ),
    );
    Ok(())
}

/// Adds `ls_leads`: lead, when it was created, and these columns of the leads.
fn add_leads(
    statement: &mut Statement,
    config: &Config,
    sources: &SqlSources,
    dialect: Dialect,
    columns: &[LeadColumn],
) -> Result<(), SqlError> {
    let leads = Columns::new(dialect, sources, "leads", &config.leads.file())?;
    let created = config.leads.created_at.as_deref().ok_or(SqlError::Flat)?;
    let mut selected = vec![
        format!("{} AS lead", leads.key(&config.leads.id)),
        format!("{} AS created", leads.start(created)),
        format!("{} AS created_known", leads.known(created)),
    ];
    selected.extend(
        columns
            .iter()
            .map(|column| format!("{} AS {}", column.expression, column.name)),
    );
    statement.step(
        "ls_leads",
        format!(
            "SELECT {}\n  FROM {}",
            selected.join(",\n    "),
            leads.source.from
        ),
    );
    Ok(())
}

/// Adds `ls_outcomes`: when each lead closed and was won first, and when that could be seen.
fn add_outcomes(
    statement: &mut Statement,
    settings: &OutcomesConfig,
    sources: &SqlSources,
    dialect: Dialect,
    moments: &Moments,
) -> Result<(), SqlError> {
    let outcomes = Columns::new(dialect, sources, "outcomes", &settings.file())?;
    let (Some(lead), Some(closed_at)) = (&settings.lead, &settings.closed_at) else {
        return Err(SqlError::Flat);
    };
    let known = outcomes.known(closed_at);
    let is_won = is_won(&outcomes, settings, dialect);
    let mut is_closed = is_closed(&outcomes, settings, dialect);
    let seen = match settings
        .recorded_at
        .as_ref()
        .map(|column| outcomes.known(column))
    {
        Some(recorded) => {
            format!("CASE WHEN {recorded} > {known} THEN {recorded} ELSE {known} END")
        }
        None => known.clone(),
    };
    if let (Some(recorded_at), Moments::At(_) | Moments::Now) = (&settings.recorded_at, moments) {
        // What was entered later than the moment was not known then.
        let (recorded, moment) = (outcomes.known(recorded_at), moments.single(dialect));
        is_closed = format!(
            "{is_closed} AND {known} < {moment} AND ({recorded} IS NULL OR {recorded} < {moment})"
        );
    }
    statement.step(
        "ls_outcomes",
        format!(
            "SELECT {} AS lead, MIN({known}) AS closed, MIN(CASE WHEN {is_won} THEN {known} END) AS won, MIN({seen}) AS closed_seen, MIN(CASE WHEN {is_won} THEN {seen} END) AS won_seen\n  FROM {}\n  WHERE {is_closed}\n  GROUP BY {}",
            outcomes.key(lead),
            outcomes.source.from,
            outcomes.key(lead)
        ),
    );
    Ok(())
}

/// Which leads are looked at: at this moment, joined with what stands beside them, where this
/// condition holds.
struct RiskSet {
    moment: String,
    beside: String,
    at_risk: String,
}

impl RiskSet {
    /// Where `from` is given, snapshots of training before it are left out.
    fn new(moments: &Moments, from: Option<i64>, dialect: Dialect) -> Self {
        let since = |moment: &str| {
            from.map(|from| format!(" AND {moment} >= {from}"))
                .unwrap_or_default()
        };
        match moments {
            Moments::At(_) | Moments::Now => {
                let moment = moments.single(dialect);
                Self {
                    at_risk: format!("l.created_known <= {moment}"),
                    moment,
                    beside: String::new(),
                }
            }
            Moments::Calendar { moments, .. } => {
                let rows = values(&mut moments.iter().map(|at| at.micros()));
                let moment = "m.moment".to_owned();
                Self {
                    at_risk: format!("l.created_known <= {moment}{}", since(&moment)),
                    moment,
                    beside: format!("\n  CROSS JOIN (VALUES {rows}) AS m(moment)"),
                }
            }
            Moments::Ages {
                ages,
                observation_end,
                ..
            } => {
                let rows = values(&mut ages.iter().map(|age| age.micros()));
                let moment = "(l.created + m.age)".to_owned();
                Self {
                    at_risk: format!("{moment} <= {}{}", observation_end.micros(), since(&moment)),
                    moment,
                    beside: format!("\n  CROSS JOIN (VALUES {rows}) AS m(age)"),
                }
            }
        }
    }
}

/// Rows of one number each.
fn values(micros: &mut dyn Iterator<Item = i64>) -> String {
    micros
        .map(|value| format!("({value})"))
        .collect::<Vec<_>>()
        .join(", ")
}

/// Whether a row of the outcomes says that its lead has closed.
pub(crate) fn is_closed(
    outcomes: &Columns<'_>,
    settings: &OutcomesConfig,
    dialect: Dialect,
) -> String {
    has_result(
        outcomes,
        settings,
        dialect,
        &mut settings.won.iter().chain(&settings.lost),
    )
}

/// Whether a row of the outcomes says that its lead was won.
pub(crate) fn is_won(
    outcomes: &Columns<'_>,
    settings: &OutcomesConfig,
    dialect: Dialect,
) -> String {
    has_result(outcomes, settings, dialect, &mut settings.won.iter())
}

/// Whether the result of a row is one of these; without a column for it every row is a win.
fn has_result(
    outcomes: &Columns<'_>,
    settings: &OutcomesConfig,
    dialect: Dialect,
    values: &mut dyn Iterator<Item = &Scalar>,
) -> String {
    let Some(result) = &settings.result else {
        return "1 = 1".to_owned();
    };
    let mut texts: Vec<String> = Vec::new();
    for value in values {
        texts.extend(value.spellings().iter().map(|text| dialect.text(text)));
    }
    if texts.is_empty() {
        "1 = 0".to_owned()
    } else {
        format!("{} IN ({})", outcomes.text(result), texts.join(", "))
    }
}
