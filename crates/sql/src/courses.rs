//! The courses of leads whose outcomes are a log, in SQL: when each was closed and open again, and
//! what was known of that.

use leadscore_config::OutcomesConfig;

use crate::attributes::known_with;
use crate::columns::Columns;
use crate::dialect::Dialect;
use crate::events::days;
use crate::outcome_rows::{AtMoment, OutcomeRows, is_closed, is_open, is_won};
use crate::statement::Statement;

/// How a lead stands, as numbers that engines sort alike.
const OPEN: u8 = 0;
const LOST: u8 = 1;
const WON: u8 = 2;

/// A log, and how its rows are read.
pub(crate) struct Courses<'a> {
    pub(crate) settings: &'a OutcomesConfig,
    pub(crate) table: &'a Columns<'a>,
    pub(crate) outcomes: &'a OutcomeRows,
    pub(crate) dialect: Dialect,
}

impl Courses<'_> {
    /// Adds the steps that any moment is looked up in: `ls_log`, the rows in order; `ls_changes`,
    /// those after which a lead stood otherwise; `ls_closed`, from when to when leads were closed;
    /// `ls_wins`, from when to when each win was the next one.
    pub(crate) fn add(&self, statement: &mut Statement) {
        self.add_rows(statement);
        statement.step("ls_log", self.in_order());
        statement.step(
            "ls_changes",
            "SELECT lead, t, standing, LEAD(t) OVER (PARTITION BY lead ORDER BY t) AS t_next\n  FROM ls_log\n  WHERE standing <> before".to_owned(),
        );
        statement.step("ls_closed", self.closed());
        let lasted = match self.settings.corrections {
            Some(within) => format!(" AND {}", lasts("t", "t_next", within.micros())),
            None => String::new(),
        };
        statement.step(
            "ls_wins",
            format!(
                "SELECT lead, t, LAG(t) OVER (PARTITION BY lead ORDER BY t) AS t_before\n  FROM ls_changes\n  WHERE standing = {WON}{lasted}"
            ),
        );
    }

    /// Adds `ls_log_rows`: whose each is, when it was, from when it is seen, and how the lead stands.
    pub(crate) fn add_rows(&self, statement: &mut Statement) {
        statement.step("ls_log_rows", self.rows());
    }

    /// The rows of the log: whose, when, from when each is seen, and how the lead stands.
    fn rows(&self) -> String {
        let Self {
            settings,
            table,
            outcomes,
            dialect,
        } = *self;
        let conditions = [
            Some(format!(
                "({} OR {})",
                is_closed(table, settings, dialect),
                is_open(table, settings, dialect)
            )),
            Some(format!("{} IS NOT NULL", outcomes.known)),
            Some(format!("{} IS NOT NULL", outcomes.rows.lead)),
            outcomes.is_known.clone(),
        ];
        let conditions: Vec<String> = conditions.into_iter().flatten().collect();
        format!(
            "SELECT {} AS lead, {} AS t, {} AS seen, CASE WHEN {} THEN {WON} WHEN {} THEN {LOST} ELSE {OPEN} END AS standing\n  FROM {}",
            outcomes.rows.lead,
            outcomes.known,
            outcomes.seen,
            is_won(table, settings, dialect),
            is_closed(table, settings, dialect),
            outcomes.rows.behind_from(Some(&conditions.join(" AND ")))
        )
    }

    /// The rows in order of time, each with how the lead stood before, its place, and when the first
    /// of the later ones is seen. Of two that say different things of one moment nobody knows which
    /// is the later: rows of a database have no order.
    fn in_order(&self) -> String {
        let order = "PARTITION BY lead ORDER BY t, standing";
        let failure = self.dialect.failure(
            "[outcomes] is a log, and rows of a database have no order: two have different results at one moment, of ",
            "lead",
        );
        format!(
            "SELECT CASE WHEN LAG(t) OVER ({order}) = t AND LAG(standing) OVER ({order}) <> standing THEN {failure} ELSE lead END AS lead,\n    t, seen, standing, COALESCE(LAG(standing) OVER ({order}), {OPEN}) AS before,\n    ROW_NUMBER() OVER ({order}) AS place,\n    MIN(seen) OVER ({order} ROWS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING) AS seen_next\n  FROM ls_log_rows"
        )
    }

    /// From when to when leads were closed: after `since`, up to `ends`; by what happened, and where
    /// that may differ by what was known of it.
    fn closed(&self) -> String {
        let happened = format!(
            "SELECT lead, t AS since, t_next AS ends, standing, 1 AS happened\n  FROM ls_changes\n  WHERE standing <> {OPEN}"
        );
        if self.outcomes.seen == self.outcomes.known {
            return happened;
        }
        // A row is the latest that is known from when it is seen to when a later one is.
        format!(
            "{happened}\n  UNION ALL\n  SELECT lead, seen, seen_next, standing, 0\n  FROM ls_log\n  WHERE standing <> {OPEN} AND (seen_next IS NULL OR seen_next > seen)"
        )
    }

    /// Whether a lead is open at a moment, by what happened and by what was known of it, and when it
    /// is won from then on.
    pub(crate) fn at(moment: &str, is_labelled: bool) -> AtMoment {
        let mut joins = format!(
            "\n  LEFT JOIN ls_closed o ON o.lead = l.lead AND {}",
            holds("o", moment)
        );
        if is_labelled {
            joins.push_str(&format!(
                "\n  LEFT JOIN ls_wins w ON w.lead = l.lead AND w.t >= {moment} AND (w.t_before IS NULL OR w.t_before < {moment})"
            ));
        }
        AtMoment {
            joins,
            is_open: "o.lead IS NULL".to_owned(),
            win: "w.t".to_owned(),
        }
    }

    /// The leads that are won at a moment: by what happened, and else by what was known of it.
    pub(crate) fn won(moment: &str) -> String {
        const HAPPENED: u8 = 10;
        format!(
            "SELECT c.lead\n  FROM ls_closed c\n  WHERE {}\n  GROUP BY c.lead\n  HAVING MAX(c.standing + {HAPPENED} * c.happened) IN ({WON}, {})",
            holds("c", moment),
            WON + HAPPENED
        )
    }
}

/// Whether a row of `ls_closed` holds at a moment.
fn holds(row: &str, moment: &str) -> String {
    format!("{row}.since < {moment} AND ({row}.ends IS NULL OR {row}.ends >= {moment})")
}

/// Whether a closing lasted longer than a mistake does.
fn lasts(closed: &str, replaced: &str, within: i64) -> String {
    format!("({replaced} IS NULL OR {replaced} > {closed} + {within})")
}

/// Adds how often each lead had closed by what was known, and since when it is open again; gives the
/// join.
pub(crate) fn add_reopened(statement: &mut Statement, settings: &OutcomesConfig) -> String {
    let order = "PARTITION BY s.lead, s.moment ORDER BY r.t";
    statement.step(
        "ls_courses_rows",
        format!(
            "SELECT s.lead, s.moment, r.t, r.standing, COALESCE(LAG(r.standing) OVER ({order}), {OPEN}) AS before\n  FROM ls_snapshots s\n  JOIN ls_log r ON r.lead = s.lead AND r.seen < s.moment"
        ),
    );
    statement.step(
        "ls_courses_seen",
        "SELECT lead, moment, t, standing, LEAD(t) OVER (PARTITION BY lead, moment ORDER BY t) AS t_next\n  FROM ls_courses_rows\n  WHERE standing <> before".to_owned(),
    );
    let lasted = match settings.corrections {
        Some(within) => format!(" AND {}", lasts("t", "t_next", within.micros())),
        None => String::new(),
    };
    statement.step(
        "ls_courses",
        format!(
            "SELECT lead, moment, COUNT(CASE WHEN standing <> {OPEN}{lasted} THEN 1 END) AS n_closed,\n    MAX(CASE WHEN standing = {OPEN} AND t_next IS NULL THEN t END) AS reopened\n  FROM ls_courses_seen\n  GROUP BY lead, moment"
        ),
    );
    "LEFT JOIN ls_courses c ON c.lead = s.lead AND c.moment = s.moment".to_owned()
}

/// How often a lead had closed before a snapshot.
pub(crate) fn times_closed(dialect: Dialect) -> String {
    dialect.double("COALESCE(c.n_closed, 0)")
}

/// Days since a lead is open again.
pub(crate) fn reopened_days(dialect: Dialect) -> String {
    days(dialect, "s.moment - c.reopened")
}

/// Adds how the account's other leads stood, as far as was known; gives the join.
pub(crate) fn add_peer_leads(statement: &mut Statement) -> String {
    // A row that is older than one that is known already changes nothing.
    statement.step(
        "ls_log_seen",
        "SELECT lead, seen, place, standing, MAX(place) OVER (PARTITION BY lead ORDER BY seen, place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS latest\n  FROM ls_log".to_owned(),
    );
    statement.step(
        "ls_log_known",
        format!(
            "SELECT lead, seen, standing, COALESCE(LAG(standing) OVER (PARTITION BY lead ORDER BY seen, place), {OPEN}) AS before\n  FROM ls_log_seen\n  WHERE latest IS NULL OR place > latest"
        ),
    );
    let turned = |standing: u8| {
        format!(
            "CASE WHEN k.standing = {standing} THEN 1 WHEN k.before = {standing} THEN -1 ELSE 0 END"
        )
    };
    // A lead that lacks its creation was never open.
    statement.step(
        "ls_peer_turns",
        format!(
            "SELECT l.lead, l.account, l.created_known AS t, 1 AS n_open, 0 AS n_won, 0 AS n_lost\n  FROM ls_leads l\n  WHERE l.created_known IS NOT NULL\n  UNION ALL\n  SELECT l.lead, l.account, {}, CASE WHEN l.created_known IS NULL THEN 0 ELSE {} END, {}, {}\n  FROM ls_log_known k\n  JOIN ls_leads l ON l.lead = k.lead\n  WHERE k.standing <> k.before",
            known_with("k.seen"),
            turned(OPEN),
            turned(WON),
            turned(LOST)
        ),
    );
    let sum = |name: &str| format!("CAST(GREATEST(SUM(e.{name}), 0) AS BIGINT) AS {name}");
    statement.step(
        "ls_peer_leads",
        format!(
            "SELECT s.lead, s.moment, {}, {}, {}\n  FROM ls_snapshots s\n  JOIN ls_peer_turns e ON e.account = s.account AND e.lead <> s.lead AND e.t < s.moment\n  GROUP BY s.lead, s.moment",
            sum("n_open"),
            sum("n_won"),
            sum("n_lost")
        ),
    );
    "LEFT JOIN ls_peer_leads p ON p.lead = s.lead AND p.moment = s.moment".to_owned()
}
