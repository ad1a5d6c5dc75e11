//! What is known about a lead without its events, in SQL: calendar, histories, lookups, and how the
//! account's other leads stand.

use leadscore_config::{Config, HistoryConfig};
use leadscore_core::{
    AttributeTable, CalendarPart, CellKind, FeatureKind, FeatureSource, FeatureSpec,
};

use crate::columns::{Columns, DAY, SHIFT};
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::sources::SqlSources;
use crate::statement::Statement;

const HOUR: i64 = DAY / 24;

/// A part of the calendar of a moment in microseconds.
pub(crate) fn calendar(dialect: Dialect, part: CalendarPart, moment: &str) -> String {
    let named = |number: String, first: usize, names: &[&str]| {
        let cases: Vec<String> = names
            .iter()
            .enumerate()
            .map(|(position, name)| format!("WHEN {} THEN '{name}'", position + first))
            .collect();
        format!("CASE {number} {} END", cases.join(" "))
    };
    match part {
        // 1970-01-01 was a Thursday.
        CalendarPart::Weekday => named(
            format!(
                "{} % 7",
                dialect.quotient(&format!("({moment} + {})", SHIFT + 3 * DAY), DAY)
            ),
            0,
            &leadscore_core::WEEKDAYS,
        ),
        CalendarPart::Hour => dialect.double(&format!(
            "({} % 24)",
            dialect.quotient(&format!("({moment} + {SHIFT})"), HOUR)
        )),
        CalendarPart::DayOfMonth => {
            dialect.double(&format!("EXTRACT(DAY FROM {})", dialect.timestamp(moment)))
        }
        CalendarPart::Month => named(
            format!("EXTRACT(MONTH FROM {})", dialect.timestamp(moment)),
            1,
            &leadscore_core::MONTHS,
        ),
    }
}

/// Microseconds of days from Monday to Friday up to a moment.
pub(crate) fn weekdays(dialect: Dialect, moment: &str) -> String {
    // Since a Monday: 1970-01-05 less the weeks of the shift.
    let since = format!("({moment} + {})", SHIFT - 4 * DAY);
    let rest = format!("({since} % {})", 7 * DAY);
    format!(
        "({} * {} + CASE WHEN {rest} < {} THEN {rest} ELSE {} END)",
        dialect.quotient(&since, 7 * DAY),
        5 * DAY,
        5 * DAY,
        5 * DAY
    )
}

/// Adds what an attribute was before each snapshot; gives the join.
pub(crate) fn add_history(
    statement: &mut Statement,
    config: &Config,
    sources: &SqlSources,
    dialect: Dialect,
    number: usize,
    column: &str,
    specs: &[FeatureSpec],
) -> Result<String, SqlError> {
    let settings = config.history.as_ref().ok_or_else(|| SqlError::Table {
        feature: column.to_owned(),
        table: "history".to_owned(),
    })?;
    if settings.complete {
        return Err(SqlError::Before("complete"));
    }
    if settings.old_value.is_some() {
        return Err(SqlError::Before("old_value"));
    }
    let is_date = |spec: &FeatureSpec| matches!(&spec.source, FeatureSource::DaysUntil { table: AttributeTable::Leads, column: known } if known == column);
    if specs.iter().any(is_date) {
        return Err(SqlError::DatesOfHistory(column.to_owned()));
    }
    let table = Columns::new(dialect, sources, "history", &settings.file())?;
    let is_number = specs.iter().any(|spec| {
        spec.kind == FeatureKind::Number && matches!(&spec.source, FeatureSource::Attribute { table: AttributeTable::Leads, column: known } if known == column)
    });
    let history = History {
        settings,
        table,
        dialect,
        number,
        column,
        is_number,
    };
    statement.step(&format!("ls_history{number}_rows"), history.rows());
    statement.step(&format!("ls_history{number}_runs"), history.runs());
    statement.step(&format!("ls_history{number}_seen"), history.seen());
    statement.step(&format!("ls_history{number}"), history.states());
    Ok(format!(
        "LEFT JOIN ls_history{number} h{number} ON h{number}.lead = s.lead AND h{number}.moment = s.moment"
    ))
}

/// The history of one attribute.
struct History<'a> {
    settings: &'a HistoryConfig,
    table: Columns<'a>,
    dialect: Dialect,
    /// Its place among the histories of the statement.
    number: usize,
    /// The attribute.
    column: &'a str,
    is_number: bool,
}

impl History<'_> {
    /// Of changes at one moment the sequence decides; without one there are none that differ, which
    /// is looked for before.
    fn by_place(&self, name: &str, down: &str) -> String {
        if self.settings.sequence.is_some() {
            format!("{name}{down}, ")
        } else {
            String::new()
        }
    }

    /// The attribute's changes, typed.
    fn rows(&self) -> String {
        let (settings, table) = (self.settings, &self.table);
        let value = table.text(&settings.value);
        let place_column = settings
            .sequence
            .as_ref()
            .map(|column| format!(", {} AS sequence", table.number(column)))
            .unwrap_or_default();
        // Values that repeat are told apart as numbers where they are numbers.
        let number_column = if self.is_number {
            format!(", {} AS number", self.dialect.double(&value))
        } else {
            String::new()
        };
        format!(
            "SELECT {} AS lead, {} AS known, {value} AS value{number_column}{place_column}\n  FROM {}\n  WHERE {} = {}",
            table.text(&settings.lead),
            table.known(&settings.changed_at),
            table.source.from,
            table.text(&settings.attribute),
            self.dialect.text(self.column)
        )
    }

    /// The changes, and whether each begins a run of one value.
    fn runs(&self) -> String {
        let number = self.number;
        let compared = if self.is_number { "number" } else { "value" };
        let order = format!(
            "known, {}CASE WHEN value IS NULL THEN 0 ELSE 1 END, {}",
            self.by_place("sequence", ""),
            self.dialect.by_bytes("value")
        );
        let previous = format!("LAG({compared}) OVER (PARTITION BY lead ORDER BY {order})");
        format!(
            "SELECT *, CASE WHEN ROW_NUMBER() OVER (PARTITION BY lead ORDER BY {order}) = 1 THEN 1\n      WHEN {compared} = {previous} THEN 0\n      WHEN {compared} IS NULL AND {previous} IS NULL THEN 0 ELSE 1 END AS begins\n  FROM ls_history{number}_rows\n  WHERE known IS NOT NULL"
        )
    }

    /// The changes that each snapshot sees, the latest in the first place.
    fn seen(&self) -> String {
        let number = self.number;
        let latest = format!(
            "known DESC, {}CASE WHEN value IS NULL THEN 0 ELSE 1 END DESC, {} DESC",
            self.by_place("h.sequence", " DESC"),
            self.dialect.by_bytes("value")
        );
        format!(
            "SELECT s.lead, s.moment, h.known, h.value, h.begins{},\n    ROW_NUMBER() OVER (PARTITION BY s.lead, s.moment ORDER BY {}) AS place\n  FROM ls_snapshots s\n  JOIN ls_history{number}_runs h ON h.lead = s.lead AND h.known < s.moment",
            if self.is_number { ", h.number" } else { "" },
            latest
                .replace("known", "h.known")
                .replace("value", "h.value")
        )
    }

    /// What the attribute was at each snapshot, since when, and how often it was set.
    fn states(&self) -> String {
        let number = self.number;
        format!(
            "SELECT lead, moment, COUNT(*) AS changes, MAX(CASE WHEN begins = 1 THEN known END) AS since,\n    MAX(CASE WHEN place = 1 THEN value END) AS value{}\n  FROM ls_history{number}_seen\n  GROUP BY lead, moment",
            if self.is_number {
                ", MAX(CASE WHEN place = 1 THEN number END) AS number"
            } else {
                ""
            }
        )
    }
}

/// Adds a table that leads point to; gives the join.
#[expect(
    clippy::too_many_arguments,
    reason = "what every step of a statement takes, and which table"
)]
pub(crate) fn add_lookup(
    statement: &mut Statement,
    config: &Config,
    sources: &SqlSources,
    dialect: Dialect,
    number: usize,
    name: &str,
    key: &str,
    specs: &[FeatureSpec],
) -> Result<String, SqlError> {
    let settings = &config.lookups[name];
    let table = Columns::new(
        dialect,
        sources,
        &format!("lookups.{name}"),
        &settings.file(),
    )?;
    let mut columns: Vec<String> = Vec::new();
    for spec in specs {
        if let Some((AttributeTable::Lookup(known), column, kind)) = spec.source.cell(spec.kind)
            && known == name
        {
            let typed = format!(
                "{} AS {}",
                table.typed(column, kind),
                dialect.name(&lookup_column(column, kind))
            );
            if !columns.contains(&typed) {
                columns.push(typed);
            }
        }
    }
    let step = format!("ls_lookup{number}");
    let select = format!(
        "SELECT {} AS entry, {}",
        table.text(&settings.key),
        columns.join(", ")
    );
    let Some(changed_at) = &settings.changed_at else {
        statement.step(&step, format!("{select}\n  FROM {}", table.source.from));
        return Ok(format!(
            "LEFT JOIN {step} l{number} ON l{number}.entry = {key}"
        ));
    };
    statement.step(
        &format!("{step}_rows"),
        format!(
            "{select}, {} AS known\n  FROM {}",
            table.known(changed_at),
            table.source.from
        ),
    );
    statement.step(
        &format!("{step}_seen"),
        format!(
            "SELECT s.lead, s.moment, v.*, ROW_NUMBER() OVER (PARTITION BY s.lead, s.moment ORDER BY v.known DESC) AS place\n  FROM ls_snapshots s\n  JOIN {step}_rows v ON v.entry = {key} AND v.known < s.moment"
        ),
    );
    Ok(format!(
        "LEFT JOIN {step}_seen l{number} ON l{number}.lead = s.lead AND l{number}.moment = s.moment AND l{number}.place = 1"
    ))
}

/// The column of a lookup as a number, as a category and as a date may differ.
pub(crate) fn lookup_column(column: &str, kind: CellKind) -> String {
    match kind {
        CellKind::Number => format!("n:{column}"),
        CellKind::Category => format!("c:{column}"),
        CellKind::Date => format!("d:{column}"),
    }
}

/// When others can know what was seen of a lead `l`: not before the lead itself.
pub(crate) fn known_with(seen: &str) -> String {
    format!("CASE WHEN l.created_known > {seen} THEN l.created_known ELSE {seen} END")
}

/// Adds how the account's other leads stood; gives the join.
pub(crate) fn add_peer_leads(statement: &mut Statement) -> String {
    let before = |time: &str| format!("COUNT(CASE WHEN {time} < s.moment THEN 1 END)");
    let (closed, won) = (known_with("o.closed_seen"), known_with("o.won_seen"));
    let open_less =
        format!("COUNT(CASE WHEN l.created_known IS NOT NULL AND {closed} < s.moment THEN 1 END)");
    let not_below_zero =
        |difference: String| format!("CASE WHEN {difference} > 0 THEN {difference} ELSE 0 END");
    statement.step(
        "ls_peer_leads",
        format!(
            "SELECT s.lead, s.moment, {} AS n_open, {} AS n_won, {} AS n_lost\n  FROM ls_snapshots s\n  JOIN ls_leads l ON l.account = s.account AND l.lead <> s.lead\n  LEFT JOIN ls_outcomes o ON o.lead = l.lead\n  GROUP BY s.lead, s.moment",
            not_below_zero(format!("{} - {open_less}", before("l.created_known"))),
            before(&won),
            not_below_zero(format!("{} - {}", before(&closed), before(&won)))
        ),
    );
    "LEFT JOIN ls_peer_leads p ON p.lead = s.lead AND p.moment = s.moment".to_owned()
}

#[cfg(test)]
mod tests {
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
