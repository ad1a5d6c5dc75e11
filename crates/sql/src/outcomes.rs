//! What became of each lead, in SQL: the steps of the outcomes, and what they say at a moment.

use leadscore_config::OutcomesConfig;

use crate::ask::FeaturesSql;
use crate::belonging::Belonging;
use crate::columns::Columns;
use crate::courses::Courses;
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::outcome_rows::{AtMoment, OutcomeRows, is_closed, is_won};
use crate::statement::Statement;

/// The outcomes of a statement.
pub(crate) enum Outcomes {
    /// Leads close once: `ls_outcomes` says when each first closed and was first won, and from when
    /// that could be seen.
    Once,
    /// Outcomes are a log.
    Log,
}

impl Outcomes {
    /// Adds the steps of the outcomes, and at one moment `ls_won`: the leads that are won then.
    pub(crate) fn add(
        statement: &mut Statement,
        ask: FeaturesSql<'_>,
        belonging: &Belonging<'_>,
    ) -> Result<Self, SqlError> {
        let (settings, dialect) = (&ask.config.outcomes, ask.dialect);
        let table = Columns::new(dialect, ask.sources, "outcomes", &settings.file())?;
        let outcomes = OutcomeRows::new(&table, ask, belonging)?;
        let kind = if settings.is_log() {
            Courses {
                settings,
                table: &table,
                outcomes: &outcomes,
                dialect,
            }
            .add(statement);
            Self::Log
        } else {
            add_first_closings(statement, &table, &outcomes, settings, dialect);
            Self::Once
        };
        if !ask.moments.is_labelled() {
            let moment = ask.moments.single(dialect);
            statement.step("ls_won", kind.won(&moment));
        }
        Ok(kind)
    }

    /// What they say of leads at a moment, and of what happens from then on.
    pub(crate) fn at(&self, moment: &str, is_labelled: bool) -> AtMoment {
        match self {
            Self::Once => AtMoment {
                joins: "\n  LEFT JOIN ls_outcomes o ON o.lead = l.lead".to_owned(),
                is_open: format!("(o.closed IS NULL OR o.closed >= {moment})"),
                win: format!("CASE WHEN o.won >= {moment} THEN o.won END"),
            },
            Self::Log => Courses::at(moment, is_labelled),
        }
    }

    /// The leads that are won at a moment.
    fn won(&self, moment: &str) -> String {
        match self {
            Self::Once => format!("SELECT lead FROM ls_outcomes WHERE won < {moment}"),
            Self::Log => Courses::won(moment),
        }
    }
}

/// One SELECT with a lead that has rows with different results at one moment, `lead`; NULL where
/// there is none. `None` where outcomes are no log, whose rows a database has in no order.
///
/// # Errors
///
/// As [`crate::features_sql`].
pub fn unordered_log_sql(ask: FeaturesSql<'_>) -> Result<Option<String>, SqlError> {
    let (settings, dialect) = (&ask.config.outcomes, ask.dialect);
    if !settings.is_log() {
        return Ok(None);
    }
    let belonging = Belonging::new(ask.config, ask.sources, dialect, ask.known_before);
    let mut statement = Statement::new(dialect);
    belonging.add(&mut statement)?;
    let table = Columns::new(dialect, ask.sources, "outcomes", &settings.file())?;
    let courses = Courses {
        settings,
        table: &table,
        outcomes: &OutcomeRows::new(&table, ask, &belonging)?,
        dialect,
    };
    courses.add_rows(&mut statement);
    Ok(Some(statement.finish(
        "SELECT MIN(r.lead) AS lead\n  FROM (SELECT lead, t FROM ls_log_rows GROUP BY lead, t HAVING MIN(standing) < MAX(standing)) AS r",
    )))
}

/// Adds `ls_outcomes`: when each lead closed and was won first, and when that could be seen.
fn add_first_closings(
    statement: &mut Statement,
    table: &Columns<'_>,
    outcomes: &OutcomeRows,
    settings: &OutcomesConfig,
    dialect: Dialect,
) {
    let OutcomeRows {
        rows,
        known,
        seen,
        is_known,
    } = outcomes;
    let is_won = is_won(table, settings, dialect);
    let mut is_closed = is_closed(table, settings, dialect);
    if let Some(is_known) = is_known {
        is_closed = format!("{is_closed} AND {is_known}");
    }
    let lead = &rows.lead;
    statement.step(
        "ls_outcomes",
        format!(
            "SELECT {lead} AS lead, MIN({known}) AS closed, MIN(CASE WHEN {is_won} THEN {known} END) AS won, MIN({seen}) AS closed_seen, MIN(CASE WHEN {is_won} THEN {seen} END) AS won_seen\n  FROM {}\n  GROUP BY {lead}",
            rows.behind_from(Some(&is_closed))
        ),
    );
}
