//! The rows of the outcomes in SQL: whose each is, from when it is known, and what it says.

use leadscore_config::{OutcomesConfig, Scalar, TableId};

use crate::ask::{FeaturesSql, Moments};
use crate::belonging::{Belonging, OwnedRows};
use crate::columns::{Columns, no_earlier};
use crate::dialect::Dialect;
use crate::error::SqlError;

/// What the outcomes say of leads at a moment.
pub(crate) struct AtMoment {
    /// The joins behind the leads `l`.
    pub(crate) joins: String,
    /// Whether a lead is open.
    pub(crate) is_open: String,
    /// When it is first won from then on; NULL for never.
    pub(crate) win: String,
}

/// The rows of the outcomes, and what each says.
pub(crate) struct OutcomeRows {
    pub(crate) rows: OwnedRows,
    /// When it happened.
    pub(crate) known: String,
    /// From when that can be seen; as when it happened where nothing says otherwise.
    pub(crate) seen: String,
    /// Whether the row was known by the moment that the statement is of.
    pub(crate) is_known: Option<String>,
}

impl OutcomeRows {
    pub(crate) fn new(
        table: &Columns<'_>,
        ask: FeaturesSql<'_>,
        belonging: &Belonging<'_>,
    ) -> Result<Self, SqlError> {
        let settings = &ask.config.outcomes;
        let (Some(lead), Some(closed_at)) = (&settings.lead, &settings.closed_at) else {
            return Err(SqlError::Flat);
        };
        let rows = belonging.rows(&TableId::Outcomes, table, lead);
        let known = table.known(closed_at);
        let recorded = settings.recorded_at.as_ref();
        let entered = match recorded.map(|column| table.known(column)) {
            Some(recorded) => no_earlier(&recorded, &known),
            None => known.clone(),
        };
        let seen = rows.seen(&entered);
        let before = match (ask.known_before, ask.moments) {
            (Some(moment), _) => Some(moment.micros().to_string()),
            (None, Moments::Now) => Some(ask.dialect.now()),
            (None, Moments::At(_) | Moments::Calendar { .. } | Moments::Ages { .. }) => None,
        };
        // What is known when it happens needs no condition: no moment later than it is looked at.
        let is_late = recorded.is_some() || rows.has_since() || settings.is_log();
        let before = before.filter(|_| is_late);
        Ok(Self {
            is_known: before.map(|before| format!("{seen} < {before}")),
            known,
            seen,
            rows,
        })
    }
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

/// Whether a row of a log says that its lead is open.
pub(crate) fn is_open(
    outcomes: &Columns<'_>,
    settings: &OutcomesConfig,
    dialect: Dialect,
) -> String {
    has_result(outcomes, settings, dialect, &mut settings.open.iter())
}
