//! Which features these tables can give: decided once, on what was known at training time, and kept
//! in the model.

use leadscore_config::FeaturesConfig;
use leadscore_core::{
    AttributeTable, CellKind, Family, FeatureKind, FeatureSource, FeatureSpec, PeerState, Snapshot,
    Span, Unit,
};
use leadscore_dataset::{AttributeKey, Tables};

use crate::event_planning::EventPlanner;
use crate::plan::Plan;
use crate::survey::{Survey, survey};
use crate::tokens::TokenSurvey;

const YEARS_FOR_MONTHS: Span = Span::from_days(730);

/// The features of these snapshots: [`survey`], then [`Survey::plan`].
pub fn plan(tables: &Tables, config: &FeaturesConfig, snapshots: &[Snapshot]) -> Plan {
    survey(tables, snapshots).plan(config)
}

impl Survey {
    /// The features that the config asks for.
    pub fn plan(&self, config: &FeaturesConfig) -> Plan {
        let mut plan = Plan::default();
        let families = config.chosen_families();
        for family in &families {
            self.plan_family(*family, config, &mut plan);
        }
        for (name, table) in &self.tables {
            EventPlanner {
                name,
                table,
                survey: self,
                families: &families,
                config,
            }
            .add_to(&mut plan);
        }
        plan.make_names_unique();
        if let Some(patterns) = &config.only {
            plan.keep_only(patterns);
        }
        plan
    }

    /// Adds the features of a family that are of no one event table.
    fn plan_family(&self, family: Family, config: &FeaturesConfig, plan: &mut Plan) {
        let has_months = self
            .first
            .zip(self.last)
            .is_some_and(|(first, last)| first + YEARS_FOR_MONTHS <= last);
        match family {
            Family::Attributes => {
                for ((lookup, column), kind) in &self.attributes {
                    let attribute = AttributeKey {
                        lookup: lookup.clone(),
                        column: column.clone(),
                    };
                    match self.tokens.get(&attribute) {
                        Some(tokens) => plan_tokens(&attribute, tokens, config, plan),
                        None => plan.specs.push(attribute_spec(attribute, *kind)),
                    }
                }
            }
            Family::Created if self.has_creation => {
                plan.calendar("created", FeatureSource::Created, self.has_hour, has_months);
            }
            Family::Age if self.has_creation => {
                plan.number("age".to_owned(), FeatureSource::AgeDays, Unit::Days);
            }
            Family::Weekdays if self.has_creation => plan.number(
                "age.weekdays".to_owned(),
                FeatureSource::AgeWeekdays,
                Unit::Days,
            ),
            Family::Snapshot if self.has_creation => {
                plan.calendar("snapshot", FeatureSource::Snapshot, false, has_months);
            }
            Family::History => {
                for column in &self.histories {
                    plan_history(column, plan);
                }
            }
            Family::Account if self.has_accounts => plan_peer_leads(plan),
            Family::Reopened if self.has_courses => {
                plan.number(
                    "closed_before".to_owned(),
                    FeatureSource::TimesClosed,
                    Unit::Closings,
                );
                plan.number(
                    "reopened".to_owned(),
                    FeatureSource::ReopenedDays,
                    Unit::Days,
                );
            }
            // Without times of creation, or without accounts.
            Family::Created
            | Family::Age
            | Family::Weekdays
            | Family::Snapshot
            | Family::Account
            | Family::Reopened => {}
            // Of each event table, all together.
            Family::Counts
            | Family::Values
            | Family::Max
            | Family::ActiveDays
            | Family::RecentDays
            | Family::Recency
            | Family::First
            | Family::Decay
            | Family::Trend
            | Family::Share
            | Family::Gaps
            | Family::Reply
            | Family::Sequence
            | Family::Combinations
            | Family::Latest => {}
        }
    }
}

/// When an attribute took its value, and how often it was set.
fn plan_history(column: &str, plan: &mut Plan) {
    plan.number(
        format!("{column}.age"),
        FeatureSource::AttributeAge {
            column: column.to_owned(),
        },
        Unit::Days,
    );
    plan.number(
        format!("{column}.changes"),
        FeatureSource::AttributeChanges {
            column: column.to_owned(),
        },
        Unit::Changes,
    );
}

/// How the account's other leads stand.
fn plan_peer_leads(plan: &mut Plan) {
    for (name, state) in [
        ("open", PeerState::Open),
        ("won", PeerState::Won),
        ("lost", PeerState::Lost),
    ] {
        plan.number(
            format!("account.leads_{name}"),
            FeatureSource::PeerLeads(state),
            Unit::Leads,
        );
    }
}

/// An attribute's table, and how the names of its features begin.
fn table_and_name(attribute: AttributeKey) -> (AttributeTable, String) {
    match attribute.lookup {
        None => (AttributeTable::Leads, attribute.column),
        Some(name) => {
            let prefix = format!("{name}.{}", attribute.column);
            (AttributeTable::Lookup(name), prefix)
        }
    }
}

/// The values of an attribute that holds several: one feature each, and how many there are.
fn plan_tokens(
    attribute: &AttributeKey,
    tokens: &TokenSurvey,
    config: &FeaturesConfig,
    plan: &mut Plan,
) {
    let column = &attribute.column;
    let (table, name) = table_and_name(attribute.clone());
    let chosen = tokens.chosen(config.max_values);
    plan.notes.extend(tokens.note(&table, column, chosen.len()));
    plan.number(
        format!("{name}.count"),
        FeatureSource::TokenCount {
            table: table.clone(),
            column: column.clone(),
            tokenizer: tokens.tokenizer.clone(),
        },
        Unit::Values,
    );
    for token in chosen {
        plan.number(
            format!("{name}.{token}"),
            FeatureSource::Token {
                table: table.clone(),
                column: column.clone(),
                tokenizer: tokens.tokenizer.clone(),
                token,
            },
            Unit::Flag,
        );
    }
}

/// The feature that an attribute is as a whole; of a date the days until it.
fn attribute_spec(attribute: AttributeKey, kind: CellKind) -> FeatureSpec {
    let column = attribute.column.clone();
    let (table, name) = table_and_name(attribute);
    let (kind, unit) = match kind {
        CellKind::Number => (FeatureKind::Number, Unit::AsGiven),
        CellKind::Category => (FeatureKind::Category, Unit::Level),
        CellKind::Date => {
            return FeatureSpec {
                name: format!("{name}.days"),
                source: FeatureSource::DaysUntil { table, column },
                kind: FeatureKind::Number,
                unit: Unit::Days,
            };
        }
    };
    FeatureSpec {
        name,
        source: FeatureSource::Attribute { table, column },
        kind,
        unit,
    }
}
