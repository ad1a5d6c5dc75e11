//! What features read beside the snapshots themselves, each once: columns of the leads, event tables,
//! histories, lookups, the account's other leads.

use leadscore_config::Config;
use leadscore_core::{
    AttributeTable, CellKind, EventFilter, FeatureSource, FeatureSpec, PeerState, Span, Statistic,
    Tokenizer,
};

use crate::attributes::{
    add_history, add_lookup, add_peer_leads, calendar, lookup_column, weekdays,
};
use crate::belonging::Belonging;
use crate::columns::Columns;
use crate::courses::{self, add_reopened, reopened_days, times_closed};
use crate::dialect::Dialect;
use crate::error::SqlError;
use crate::events::{EventTable, days};
use crate::snapshots::LeadColumn;
use crate::sources::SqlSources;
use crate::statement::Statement;
use crate::tokens::{count_tokens, has_token};

/// What the features of a statement read. First all features are collected, then each has its
/// expression, then the steps are added.
pub(crate) struct Collected<'a> {
    config: &'a Config,
    sources: &'a SqlSources,
    dialect: Dialect,
    leads: Columns<'a>,
    /// What the leads themselves must bring along.
    lead_columns: Vec<LeadColumn>,
    /// The column of the snapshots with the lead's account, where the config names one.
    account: Option<String>,
    events: Vec<EventTable<'a>>,
    histories: Vec<&'a str>,
    /// Lookups, with the column of the snapshots that points to each.
    lookups: Vec<(&'a str, String)>,
    has_peer_leads: bool,
    /// Whether some feature asks how often leads had closed.
    has_courses: bool,
}

impl<'a> Collected<'a> {
    /// With the account, and with the manual score where it is wanted.
    pub(crate) fn new(
        config: &'a Config,
        sources: &'a SqlSources,
        dialect: Dialect,
        manual_score: bool,
    ) -> Result<Self, SqlError> {
        let leads = Columns::new(dialect, sources, "leads", &config.leads.file())?;
        let mut collected = Self {
            config,
            sources,
            dialect,
            leads,
            lead_columns: Vec::new(),
            account: None,
            events: Vec::new(),
            histories: Vec::new(),
            lookups: Vec::new(),
            has_peer_leads: false,
            has_courses: false,
        };
        if let Some(column) = &config.leads.account {
            collected.account =
                Some(collected.add_lead_column(leads.text(column), "account".to_owned()));
        }
        if let Some(manual) = config.leads.manual_score.as_ref().filter(|_| manual_score) {
            let sum: Vec<String> = manual
                .to_vec()
                .iter()
                .map(|column| leads.number(column))
                .collect();
            collected.add_lead_column(sum.join(" + "), "manual_score".to_owned());
        }
        Ok(collected)
    }

    /// What the leads themselves must bring along.
    pub(crate) fn lead_columns(&self) -> &[LeadColumn] {
        &self.lead_columns
    }

    /// The column of the snapshots for an expression over the leads: a known one, or a new one of
    /// this name.
    fn add_lead_column(&mut self, expression: String, name: String) -> String {
        let known = self
            .lead_columns
            .iter()
            .find(|column| column.expression == expression);
        if let Some(column) = known {
            return format!("s.{}", column.name);
        }
        let column = format!("s.{name}");
        self.lead_columns.push(LeadColumn { expression, name });
        column
    }

    /// The account, for a feature that cannot do without.
    fn account_for(&self, spec: &FeatureSpec) -> Result<&String, SqlError> {
        self.account.as_ref().ok_or_else(|| SqlError::Key {
            feature: spec.name.clone(),
            table: "leads".to_owned(),
            key: "account".to_owned(),
        })
    }

    /// Takes in what a feature reads, which stands in this place among the features.
    pub(crate) fn collect(&mut self, idx: usize, spec: &'a FeatureSpec) -> Result<(), SqlError> {
        match &spec.source {
            FeatureSource::Attribute { table, column }
            | FeatureSource::Token { table, column, .. }
            | FeatureSource::TokenCount { table, column, .. }
            | FeatureSource::DaysUntil { table, column } => match table {
                AttributeTable::Lookup(name) => self.collect_lookup(spec, name)?,
                AttributeTable::Leads if self.sources.with_history.contains(column) => {
                    self.collect_history(column);
                }
                AttributeTable::Leads => {
                    let cell = spec.source.cell(spec.kind);
                    let kind = cell.map_or(spec.kind.into(), |cell| cell.2);
                    self.add_lead_column(self.leads.typed(column, kind), format!("a{idx}"));
                }
            },
            FeatureSource::AttributeAge { column } | FeatureSource::AttributeChanges { column } => {
                self.collect_history(column);
            }
            FeatureSource::Activity { table, .. } => self.collect_events(spec, table, false)?,
            FeatureSource::Peers { table, .. } => self.collect_events(spec, table, true)?,
            FeatureSource::PeerLeads(_) => {
                self.account_for(spec)?;
                self.has_peer_leads = true;
            }
            FeatureSource::TimesClosed | FeatureSource::ReopenedDays => {
                if !self.config.outcomes.is_log() {
                    return Err(SqlError::NoLog(spec.name.clone()));
                }
                self.has_courses = true;
            }
            FeatureSource::Created(_)
            | FeatureSource::AgeDays
            | FeatureSource::AgeWeekdays
            | FeatureSource::Snapshot(_) => {}
        }
        Ok(())
    }

    /// The history of an attribute.
    fn collect_history(&mut self, column: &'a str) {
        if !self.histories.contains(&column) {
            self.histories.push(column);
        }
    }

    /// A lookup, and the column of the leads that points to it.
    fn collect_lookup(&mut self, spec: &FeatureSpec, name: &'a str) -> Result<(), SqlError> {
        let lookup = self
            .config
            .lookups
            .get(name)
            .ok_or_else(|| missing_table(spec, &format!("lookups.{name}")))?;
        if !self.lookups.iter().any(|(known, _)| *known == name) {
            let key = self.add_lead_column(
                self.leads
                    .text(lookup.leads_key.as_ref().unwrap_or(&lookup.key)),
                format!("key{}", self.lookups.len()),
            );
            self.lookups.push((name, key));
        }
        Ok(())
    }

    /// An event table, and the column of the snapshots that says whose events are seen.
    fn collect_events(
        &mut self,
        spec: &FeatureSpec,
        table: &'a str,
        of_peers: bool,
    ) -> Result<(), SqlError> {
        let settings = self
            .config
            .activities
            .get(table)
            .ok_or_else(|| missing_table(spec, &format!("activities.{table}")))?;
        let formula = spec.source.events().map(|read| read.formula());
        let mut aggregates = formula.iter().flat_map(|formula| formula.aggregates());
        if aggregates.any(|aggregate| reads_words(&aggregate.filter)) {
            return Err(SqlError::Words);
        }
        let is_known = self
            .events
            .iter()
            .any(|known| known.name == table && known.of_peers == of_peers);
        if is_known {
            return Ok(());
        }
        let number = self.events.len();
        let owner = match (&settings.account, of_peers) {
            (_, true) => self.account_for(spec)?.clone(),
            (Some(column), false) => {
                self.add_lead_column(self.leads.text(column), format!("owner{number}"))
            }
            (None, false) => "s.lead".to_owned(),
        };
        self.events
            .push(EventTable::new(table, settings, of_peers, owner, number));
        Ok(())
    }

    /// The value of a feature that was collected, at a snapshot.
    pub(crate) fn expression(
        &mut self,
        idx: usize,
        spec: &FeatureSpec,
    ) -> Result<String, SqlError> {
        let dialect = self.dialect;
        Ok(match &spec.source {
            FeatureSource::Attribute { table, column } => {
                self.attribute(idx, spec.kind.into(), table, column)
            }
            FeatureSource::Token {
                table,
                column,
                tokenizer,
                token,
            } => {
                let text = self.attribute(idx, CellKind::Category, table, column);
                let has = has_token(dialect, &text, tokenizer, token)?;
                dialect.double(&format!("CASE WHEN {has} THEN 1 ELSE 0 END"))
            }
            FeatureSource::TokenCount {
                table,
                column,
                tokenizer,
            } => {
                let text = self.attribute(idx, CellKind::Category, table, column);
                count_tokens(dialect, &text, tokenizer)?
            }
            FeatureSource::AttributeAge { column } => {
                let number = self.history_of(column).expect("collected above");
                days(dialect, &format!("s.moment - h{number}.since"))
            }
            FeatureSource::AttributeChanges { column } => {
                let number = self.history_of(column).expect("collected above");
                dialect.double(&format!("COALESCE(h{number}.changes, 0)"))
            }
            FeatureSource::DaysUntil { table, column } => {
                let date = self.attribute(idx, CellKind::Date, table, column);
                days(dialect, &format!("{date} - s.moment"))
            }
            FeatureSource::TimesClosed => times_closed(dialect),
            FeatureSource::ReopenedDays => reopened_days(dialect),
            FeatureSource::Created(part) => calendar(dialect, *part, "s.created"),
            FeatureSource::Snapshot(part) => calendar(dialect, *part, "s.moment"),
            FeatureSource::AgeDays => days(dialect, "s.moment - s.created"),
            FeatureSource::AgeWeekdays => days(
                dialect,
                &format!(
                    "{} - {}",
                    weekdays(dialect, "s.moment"),
                    weekdays(dialect, "s.created")
                ),
            ),
            FeatureSource::Activity {
                table,
                kind,
                window,
                statistic,
            } => self.of_events(table, false, kind, *window, statistic),
            FeatureSource::Peers {
                table,
                kind,
                window,
                statistic,
            } => {
                let value = self.of_events(table, true, kind, *window, statistic);
                match &self.account {
                    Some(account) => format!("CASE WHEN {account} IS NOT NULL THEN {value} END"),
                    None => value,
                }
            }
            FeatureSource::PeerLeads(state) => self.peer_leads(spec, *state)?,
        })
    }

    /// How many of the account's other leads are in a state.
    fn peer_leads(&self, spec: &FeatureSpec, state: PeerState) -> Result<String, SqlError> {
        let name = match state {
            PeerState::Open => "n_open",
            PeerState::Won => "n_won",
            PeerState::Lost => "n_lost",
        };
        let account = self.account_for(spec)?;
        let count = self.dialect.double(&format!("COALESCE(p.{name}, 0)"));
        Ok(format!("CASE WHEN {account} IS NOT NULL THEN {count} END"))
    }

    /// The place of an attribute among the histories.
    fn history_of(&self, column: &str) -> Option<usize> {
        self.histories.iter().position(|known| *known == column)
    }

    /// An attribute: by its history where it has one.
    fn attribute(
        &self,
        idx: usize,
        kind: CellKind,
        table: &AttributeTable,
        column: &str,
    ) -> String {
        if let AttributeTable::Lookup(name) = table {
            let mut lookups = self.lookups.iter();
            let number = lookups
                .position(|(known, _)| known == name)
                .expect("collected above");
            let column = self.dialect.name(&lookup_column(column, kind));
            return format!("l{number}.{column}");
        }
        if let Some(number) = self.history_of(column) {
            let value = match kind {
                CellKind::Number => "number",
                // Histories of dates are refused.
                CellKind::Category | CellKind::Date => "value",
            };
            return format!("h{number}.{value}");
        }
        let expression = self.leads.typed(column, kind);
        let name = self
            .lead_columns
            .iter()
            .find(|known| known.expression == expression)
            .map_or_else(|| format!("a{idx}"), |known| known.name.clone());
        format!("s.{name}")
    }

    /// The value of a feature of events, which adds the aggregates that it needs.
    fn of_events(
        &mut self,
        table: &str,
        of_peers: bool,
        kind: &EventFilter,
        window: Option<Span>,
        statistic: &Statistic,
    ) -> String {
        let dialect = self.dialect;
        self.events
            .iter_mut()
            .find(|known| known.name == table && known.of_peers == of_peers)
            .expect("collected above")
            .feature(dialect, kind, window, statistic)
    }

    /// Adds the steps of what was collected, after those of the snapshots; gives the joins.
    pub(crate) fn add_steps(
        &self,
        statement: &mut Statement,
        belonging: &Belonging<'_>,
        specs: &[FeatureSpec],
    ) -> Result<Vec<String>, SqlError> {
        let (config, sources, dialect) = (self.config, self.sources, self.dialect);
        let mut joins: Vec<String> = Vec::new();
        for events in &self.events {
            joins.push(events.add(statement, sources, belonging, dialect)?);
        }
        for (number, column) in self.histories.iter().enumerate() {
            joins.push(add_history(
                statement, config, sources, dialect, number, column, specs,
            )?);
        }
        for (number, (name, key)) in self.lookups.iter().enumerate() {
            joins.push(add_lookup(
                statement, config, sources, dialect, number, name, key, specs,
            )?);
        }
        let outcomes = &config.outcomes;
        if self.has_peer_leads {
            joins.push(if outcomes.is_log() {
                courses::add_peer_leads(statement)
            } else {
                add_peer_leads(statement)
            });
        }
        if self.has_courses {
            joins.push(add_reopened(statement, outcomes));
        }
        Ok(joins)
    }
}

/// Whether a filter looks for a word.
fn reads_words(filter: &EventFilter) -> bool {
    match filter {
        EventFilter::Has { tokenizer, .. } => *tokenizer == Tokenizer::Words,
        EventFilter::All
        | EventFilter::Is(..)
        | EventFilter::Other { .. }
        | EventFilter::Each(_) => false,
    }
}

fn missing_table(spec: &FeatureSpec, table: &str) -> SqlError {
    SqlError::Table {
        feature: spec.name.clone(),
        table: table.to_owned(),
    }
}
