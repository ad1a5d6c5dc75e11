//! Which leads are looked at when, in SQL: the risk set of one moment, or every labelled snapshot.

use leadscore_config::TableId;

use crate::ask::{FeaturesSql, Moments};
use crate::belonging::Belonging;
use crate::columns::{Columns, no_earlier};
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::outcomes::Outcomes;
use crate::statement::Statement;

/// What statements call the time since when the row of a lead is there.
const RECORDED: &str = "recorded";

/// A column of the leads that something needs, and what the statement calls it.
pub(crate) struct LeadColumn {
    pub(crate) expression: String,
    pub(crate) name: String,
}

/// Adds `ls_leads`, the steps of the outcomes and `ls_snapshots`: lead, moment, when it was created,
/// and these columns of the leads.
pub(crate) fn add_snapshots(
    statement: &mut Statement,
    ask: FeaturesSql<'_>,
    belonging: &Belonging<'_>,
    columns: &[LeadColumn],
) -> Result<(), SqlError> {
    let FeaturesSql {
        config,
        moments,
        dialect,
        ..
    } = ask;
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
    if config.has_deletions() {
        return Err(SqlError::Deleted);
    }
    if config.snapshots.silent.is_some() {
        return Err(SqlError::Silent);
    }
    belonging.add(statement)?;
    add_leads(statement, ask, belonging, columns)?;
    let outcomes = Outcomes::add(statement, ask, belonging)?;
    let horizon = config.snapshots.horizon.micros();
    let from = config.snapshots.from.map(|from| from.0.micros());
    let RiskSet {
        moment,
        beside,
        at_risk,
    } = RiskSet::new(
        moments,
        from,
        ask.config.leads.recorded_at.is_some(),
        dialect,
    );
    let joined = outcomes.at(&moment, moments.is_labelled());
    let labels = match moments {
        Moments::At(_) | Moments::Now => String::new(),
        // What a window that has not ended says of itself would be wins without losses.
        Moments::Calendar { mature_until, .. } | Moments::Ages { mature_until, .. } => format!(
            ",\n    CASE WHEN {moment} + {horizon} > {end} THEN NULL WHEN {win} < {moment} + {horizon} THEN 1 ELSE 0 END AS label,\n    {moment} + {horizon} <= {end} AS mature",
            win = joined.win,
            end = mature_until.micros()
        ),
    };
    statement.step(
        "ls_snapshots",
        format!(
            "SELECT l.*, {moment} AS moment{labels}\n  FROM ls_leads l{beside}{}\n  WHERE {at_risk} AND {}",
            joined.joins, joined.is_open
        ),
    );
    Ok(())
}

/// Adds `ls_leads`: lead, when it was created, and these columns of the leads.
fn add_leads(
    statement: &mut Statement,
    ask: FeaturesSql<'_>,
    belonging: &Belonging<'_>,
    columns: &[LeadColumn],
) -> Result<(), SqlError> {
    let settings = &ask.config.leads;
    let leads = Columns::new(ask.dialect, ask.sources, "leads", &settings.file())?;
    let created = settings.created_at.as_deref().ok_or(SqlError::Flat)?;
    let rows = belonging.rows(&TableId::Leads, &leads, &settings.id);
    let known = leads.known(created);
    let recorded = settings.recorded_at.as_ref();
    let recorded = recorded.map(|column| leads.known(column));
    let mut selected = vec![
        format!("{} AS lead", rows.lead),
        format!("{} AS created", leads.start(created)),
    ];
    match recorded {
        None => selected.push(format!("{known} AS created_known")),
        Some(recorded) => selected.extend([
            format!(
                "{} AS created_known",
                no_earlier(&format!("COALESCE({recorded}, {known})"), &known)
            ),
            format!("{recorded} AS {RECORDED}"),
        ]),
    }
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
            rows.behind_from(None)
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
    fn new(moments: &Moments, from: Option<i64>, has_recorded: bool, dialect: Dialect) -> Self {
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
                    at_risk: format!(
                        "{moment} <= {}{}{}",
                        observation_end.micros(),
                        since(&moment),
                        if has_recorded {
                            format!(" AND (l.{RECORDED} IS NULL OR l.{RECORDED} <= {moment})")
                        } else {
                            String::new()
                        }
                    ),
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
