//! The steps of one event table in SQL: one pass over the events that each snapshot sees, grouped by
//! day first where days are counted.

use leadscore_config::{ActivityConfig, TableId};
use leadscore_core::{EventFilter, Span};

use crate::aggregate::{Column, REST, WHOLE, What};
use crate::belonging::Belonging;
use crate::columns::{Columns, DAY, SHIFT};
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::sources::SqlSources;
use crate::statement::Statement;
use crate::tokens::has_token;

/// An event table and what is computed of it.
pub(crate) struct EventSteps<'e> {
    pub(crate) name: &'e str,
    pub(crate) of_peers: bool,
    pub(crate) settings: &'e ActivityConfig,
    /// The column of the snapshots that says whose events are seen.
    pub(crate) owner: &'e str,
    /// Its place among the event tables of the statement.
    pub(crate) number: usize,
    pub(crate) aggregates: &'e [Column],
    pub(crate) dialect: Dialect,
}

impl EventSteps<'_> {
    /// Adds the steps of this table; gives the join.
    pub(crate) fn add(
        &self,
        statement: &mut Statement,
        sources: &SqlSources,
        belonging: &Belonging<'_>,
    ) -> Result<String, SqlError> {
        let number = self.number;
        statement.step(
            &format!("ls_events{number}_rows"),
            self.rows(sources, belonging)?,
        );
        statement.step(&format!("ls_events{number}_seen"), self.seen());
        let columns = |of: &dyn Fn(&Column, usize) -> String| -> String {
            let columns: Vec<String> = self
                .aggregates
                .iter()
                .enumerate()
                .map(|(position, aggregate)| {
                    format!(",\n    {} AS x{position}", of(aggregate, position))
                })
                .collect();
            columns.concat()
        };
        let seen = format!("ls_events{number}_seen");
        if self
            .aggregates
            .iter()
            .any(|aggregate| aggregate.what == What::Days)
        {
            // A day counts once however many events it has, so days are put together first: no
            // distinct counts are needed.
            let day = self.dialect.quotient(&format!("(t + {SHIFT})"), DAY);
            statement.step(
                &format!("ls_events{number}_days"),
                format!(
                    "SELECT lead, moment{}\n  FROM {seen}\n  GROUP BY lead, moment, {day}",
                    columns(&|aggregate, position| self.aggregated(aggregate, position))
                ),
            );
            let combined = columns(&|aggregate, position| self.combined(aggregate, position));
            statement.step(&format!("ls_events{number}"), format!("SELECT lead, moment{combined}\n  FROM ls_events{number}_days\n  GROUP BY lead, moment"));
        } else {
            let aggregated = columns(&|aggregate, position| {
                self.whole(aggregate, self.aggregated(aggregate, position))
            });
            statement.step(
                &format!("ls_events{number}"),
                format!("SELECT lead, moment{aggregated}\n  FROM {seen}\n  GROUP BY lead, moment"),
            );
        }
        Ok(format!(
            "LEFT JOIN ls_events{number} e{number} ON e{number}.lead = s.lead AND e{number}.moment = s.moment"
        ))
    }

    fn kind(&self, column: &str) -> String {
        let position = self.settings.kind.iter().position(|known| known == column);
        format!("k{}", position.unwrap_or(usize::MAX))
    }

    fn value(&self, column: &str) -> String {
        let position = self
            .settings
            .values
            .iter()
            .position(|known| known == column);
        format!("v{}", position.unwrap_or(usize::MAX))
    }

    /// Whether some feature needs to know which event is the latest, or which came before.
    fn needs_order(&self) -> bool {
        self.aggregates
            .iter()
            .any(|aggregate| matches!(aggregate.what, What::LatestValue(_) | What::LatestKind(_)))
    }

    /// The events of the table, typed: whose, when, from when they are seen, kinds, values.
    fn rows(&self, sources: &SqlSources, belonging: &Belonging<'_>) -> Result<String, SqlError> {
        let settings = self.settings;
        let table = Columns::new(
            self.dialect,
            sources,
            &format!("activities.{}", self.name),
            &settings.file(),
        )?;
        let at = table.known(&settings.at);
        let key = settings.lead.as_ref().or(settings.account.as_ref());
        let key = key.expect("checked with the config");
        let rows = belonging.rows(&TableId::Activities(self.name.to_owned()), &table, key);
        let mut columns = vec![format!("{} AS owner", rows.lead), format!("{at} AS t")];
        let seen = match &settings.recorded_at {
            // An event that is recorded before it happens is seen when it has happened; one without
            // either time never.
            Some(recorded) => {
                let recorded = table.known(recorded);
                format!(
                    "CASE WHEN {at} IS NULL THEN NULL WHEN {recorded} < {at} THEN {at} ELSE {recorded} END"
                )
            }
            None => at,
        };
        columns.push(format!("{} AS seen", rows.seen(&seen)));
        let used = |is_named: &dyn Fn(&Column) -> bool| {
            self.needs_order() || self.aggregates.iter().any(is_named)
        };
        for column in &settings.kind {
            if used(&|aggregate| names_kind(&aggregate.filter, column)) {
                columns.push(format!("{} AS {}", table.text(column), self.kind(column)));
            }
        }
        for column in &settings.values {
            let (name, value) = (self.value(column), table.number(column));
            let is_summed = |aggregate: &Column| matches!(&aggregate.what, What::Whole(known) if known == column);
            let is_used = |aggregate: &Column| matches!(&aggregate.what, What::Whole(known) | What::Valued(known) | What::Max(known) | What::LatestValue(known) if known == column);
            if used(&is_used) {
                columns.push(format!("{value} AS {name}"));
            }
            if self.aggregates.iter().any(is_summed) {
                let scaled = format!("{value} * {}", Dialect::number(WHOLE as f64));
                columns.push(format!("CAST(FLOOR({scaled}) AS BIGINT) AS {name}_whole"));
                let rest = self.dialect.rounded(&format!(
                    "({scaled} - FLOOR({scaled})) * {}",
                    Dialect::number(REST as f64)
                ));
                columns.push(format!("CAST({rest} AS BIGINT) AS {name}_rest"));
            }
        }
        Ok(format!(
            "SELECT {}\n  FROM {}",
            columns.join(",\n    "),
            rows.from
        ))
    }

    /// The events that each snapshot sees: known strictly before it.
    fn seen(&self) -> String {
        let number = self.number;
        let mut columns: Vec<String> = vec![
            "s.lead".to_owned(),
            "s.moment".to_owned(),
            "s.created".to_owned(),
            "e.*".to_owned(),
        ];
        for (position, aggregate) in self.aggregates.iter().enumerate() {
            columns.extend(self.place(aggregate, position));
        }
        let (rows, condition) = if self.of_peers {
            // What a lead did before it was created is seen by the others from its creation on.
            let rows = format!(
                "(SELECT l.account, e.*, CASE WHEN e.seen > l.created_known THEN e.seen ELSE l.created_known END AS seen_by_peers\n    FROM ls_events{number}_rows e\n    JOIN ls_leads l ON l.lead = e.owner WHERE l.created_known IS NOT NULL AND e.seen IS NOT NULL)"
            );
            (
                rows,
                format!(
                    "e.account = {} AND e.owner <> s.lead AND e.seen_by_peers < s.moment",
                    self.owner
                ),
            )
        } else {
            (
                format!("ls_events{number}_rows"),
                format!("e.owner = {} AND e.seen < s.moment", self.owner),
            )
        };
        // Where every feature looks back so far and no farther, older events need not be joined.
        let reach: Option<Option<Span>> = self
            .aggregates
            .iter()
            .map(|aggregate| aggregate.window)
            .try_fold(None, |longest: Option<Span>, window| {
                window.map(|window| Some(longest.map_or(window, |longest| longest.max(window))))
            });
        let reach = reach
            .flatten()
            .map(|reach| format!(" AND e.t >= s.moment - {}", reach.micros()))
            .unwrap_or_default();
        format!(
            "SELECT {}\n  FROM ls_snapshots s\n  JOIN {rows} e ON {condition}{reach}",
            columns.join(", ")
        )
    }

    /// The column that an aggregate needs of the order of events, if it does.
    fn place(&self, aggregate: &Column, position: usize) -> Option<String> {
        let condition = self.condition(&aggregate.filter);
        let apart = |more: Option<String>| {
            let all: Vec<String> = condition.iter().cloned().chain(more).collect();
            if all.is_empty() {
                None
            } else {
                Some(all.join(" AND "))
            }
        };
        let over = |among: &Option<String>, order: &str| {
            let side = among
                .as_ref()
                .map(|among| format!(", CASE WHEN {among} THEN 1 ELSE 0 END"))
                .unwrap_or_default();
            format!("OVER (PARTITION BY s.lead, s.moment{side} ORDER BY {order})")
        };
        match &aggregate.what {
            What::Gap => Some(format!(
                "e.t - LAG(e.t) {} AS gap{position}",
                over(&apart(None), "e.t")
            )),
            What::LatestKind(_) => Some(format!(
                "ROW_NUMBER() {} AS place{position}",
                over(&apart(None), &self.latest())
            )),
            What::LatestValue(column) => {
                let among = apart(Some(format!("e.{} IS NOT NULL", self.value(column))));
                Some(format!(
                    "ROW_NUMBER() {} AS place{position}",
                    over(&among, &self.latest())
                ))
            }
            What::Count
            | What::Whole(_)
            | What::Rest(_)
            | What::Valued(_)
            | What::Max(_)
            | What::Days
            | What::Last
            | What::First
            | What::Reply
            | What::Decayed(_) => None,
        }
    }

    /// Latest first: by time, by when it was recorded, by kinds and by values, of which missing
    /// ones are the last.
    fn latest(&self) -> String {
        let missing_first = |column: String, by: String| {
            [
                format!("CASE WHEN {column} IS NULL THEN 0 ELSE 1 END"),
                format!("{by} DESC"),
            ]
        };
        let kinds = self.settings.kind.iter().flat_map(|column| {
            let column = format!("e.{}", self.kind(column));
            missing_first(column.clone(), self.dialect.by_bytes(&column))
        });
        let values = self.settings.values.iter().flat_map(|column| {
            let column = format!("e.{}", self.value(column));
            missing_first(column.clone(), column)
        });
        let order: Vec<String> = ["e.t DESC".to_owned(), "e.seen DESC".to_owned()]
            .into_iter()
            .chain(kinds)
            .chain(values)
            .collect();
        order.join(", ")
    }

    /// Which events a filter keeps; `None` for all.
    ///
    /// # Panics
    ///
    /// Of words, which are refused before.
    fn condition(&self, filter: &EventFilter) -> Option<String> {
        let is = |column: &String, value: &String| {
            format!("{} = {}", self.kind(column), self.dialect.text(value))
        };
        match filter {
            EventFilter::All => None,
            EventFilter::Is(column, value) => Some(is(column, value)),
            EventFilter::Other { column, named } => {
                let named: Vec<String> =
                    named.iter().map(|value| self.dialect.text(value)).collect();
                let column = self.kind(column);
                Some(if named.is_empty() {
                    format!("{column} IS NOT NULL")
                } else {
                    format!("{column} NOT IN ({})", named.join(", "))
                })
            }
            EventFilter::Has {
                column,
                tokenizer,
                token,
            } => Some(
                has_token(self.dialect, &self.kind(column), tokenizer, token)
                    .expect("words are refused where features are taken in"),
            ),
            EventFilter::Each(pairs) => Some(
                pairs
                    .iter()
                    .map(|(column, value)| is(column, value))
                    .collect::<Vec<_>>()
                    .join(" AND "),
            ),
        }
    }

    /// An aggregate over events.
    fn aggregated(&self, aggregate: &Column, position: usize) -> String {
        let mut conditions: Vec<String> = self.condition(&aggregate.filter).into_iter().collect();
        conditions.extend(
            aggregate
                .window
                .map(|window| format!("t >= moment - {}", window.micros())),
        );
        if aggregate.what == What::Reply {
            conditions.push("t >= created".to_owned());
        }
        let over = |function: &str, value: &str| {
            if conditions.is_empty() {
                format!("{function}({value})")
            } else {
                format!(
                    "{function}(CASE WHEN {} THEN {value} END)",
                    conditions.join(" AND ")
                )
            }
        };
        match &aggregate.what {
            What::Count | What::Days => over("COUNT", "1"),
            What::Whole(column) => over("SUM", &format!("{}_whole", self.value(column))),
            What::Rest(column) => over("SUM", &format!("{}_rest", self.value(column))),
            What::Valued(column) => over("COUNT", &self.value(column)),
            What::Max(column) => over("MAX", &self.value(column)),
            What::Last => over("MAX", "t"),
            What::First | What::Reply => over("MIN", "t"),
            What::Decayed(half_life) => {
                let age = self.dialect.double("(t - moment)");
                over(
                    "SUM",
                    &self.dialect.halvings(&format!(
                        "({age} / {})",
                        Dialect::number(half_life.micros() as f64)
                    )),
                )
            }
            What::Gap => over("MAX", &format!("gap{position}")),
            What::LatestValue(column) => over(
                "MAX",
                &format!(
                    "CASE WHEN place{position} = 1 THEN {} END",
                    self.value(column)
                ),
            ),
            What::LatestKind(column) => over(
                "MAX",
                &format!(
                    "CASE WHEN place{position} = 1 THEN {} END",
                    self.kind(column)
                ),
            ),
        }
    }

    /// The same over the days of a snapshot.
    fn combined(&self, aggregate: &Column, position: usize) -> String {
        let column = format!("x{position}");
        match aggregate.what {
            What::Days => format!("COUNT(CASE WHEN {column} > 0 THEN 1 END)"),
            What::First | What::Reply => format!("MIN({column})"),
            What::Count | What::Whole(_) | What::Rest(_) | What::Valued(_) | What::Decayed(_) => {
                self.whole(aggregate, format!("SUM({column})"))
            }
            What::Max(_) | What::Last | What::Gap | What::LatestValue(_) | What::LatestKind(_) => {
                format!("MAX({column})")
            }
        }
    }

    /// Sums of whole numbers are wider than their addends in some engines.
    fn whole(&self, aggregate: &Column, sum: String) -> String {
        match aggregate.what {
            What::Count | What::Whole(_) | What::Rest(_) | What::Valued(_) => {
                format!("CAST({sum} AS BIGINT)")
            }
            What::Max(_)
            | What::Days
            | What::Last
            | What::First
            | What::Reply
            | What::Decayed(_)
            | What::Gap
            | What::LatestValue(_)
            | What::LatestKind(_) => sum,
        }
    }
}

fn names_kind(filter: &EventFilter, column: &str) -> bool {
    match filter {
        EventFilter::All => false,
        EventFilter::Is(known, _)
        | EventFilter::Other { column: known, .. }
        | EventFilter::Has { column: known, .. } => known == column,
        EventFilter::Each(pairs) => pairs.iter().any(|(known, _)| known == column),
    }
}
