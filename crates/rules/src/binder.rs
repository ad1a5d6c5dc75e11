//! Names in rules become columns of tables, or an error at the rule that lists what is there.

use std::collections::BTreeMap;
use std::ops::Range;

use leadscore_config::{ConfigError, nearest};
use leadscore_core::{
    AttributeTable, CellKind, FeatureKind, FeatureSource, FeatureSpec, Span, Tokenizer, Unit,
};
use leadscore_dataset::{EventRows, KindColumn, Tables};
use toml::Spanned;

use crate::accounts::is_of_accounts;
use crate::condition::Condition;
use crate::rule::{EventCondition, ResetConfig, RuleConfig, ThenConfig};
use crate::rules_file::OnlyConfig;

/// What a rule looks at.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// The attribute at this place of the specs.
    Attribute(usize, Condition),
    /// An attribute that nobody here has a value of.
    Absent { applies: bool },
    /// Events.
    Events {
        events: Events,
        /// The event that has to follow each of them.
        then: Option<Box<Then>>,
        /// The events before whose latest one nothing counts.
        reset: Option<Events>,
    },
}

/// Events of a table that pass every filter.
#[derive(Debug, Clone)]
pub(crate) struct Events {
    pub(crate) table: usize,
    pub(crate) filters: Vec<EventFilter>,
}

/// The event that follows another one, in time.
#[derive(Debug, Clone)]
pub(crate) struct Then {
    pub(crate) events: Events,
    pub(crate) within: Option<Span>,
    pub(crate) then: Option<Box<Then>>,
}

/// A rule, or one of its combined conditions, with what it looks at found.
#[derive(Debug, Clone)]
pub(crate) struct BoundRule {
    pub(crate) config: RuleConfig,
    /// `None` where it only combines conditions.
    pub(crate) test: Option<Test>,
    pub(crate) all: Vec<BoundRule>,
    /// Empty where there is no `any`.
    pub(crate) any: Vec<BoundRule>,
    pub(crate) none: Vec<BoundRule>,
}

/// Which events of a table count.
#[derive(Debug, Clone)]
pub(crate) enum EventFilter {
    /// Whether each level of this kind column counts, and last whether a missing one does.
    Levels { column: usize, counts: Vec<bool> },
    /// One of these kind columns, each with the code of its level, has the level. The event alone
    /// decides: a column that was chosen because the table has the level somewhere would let later
    /// events change what earlier ones are.
    Any(Vec<(usize, u32)>),
    /// No event counts.
    Nothing,
    /// What the number in this value column has to be.
    Number { column: usize, condition: Condition },
}

/// The attributes that rules look at; each once.
#[derive(Default)]
struct Specs {
    known: Vec<FeatureSpec>,
}

impl Specs {
    /// The place of a feature, a known one or a new one.
    fn place(&mut self, spec: FeatureSpec) -> usize {
        let specs = &mut self.known;
        specs
            .iter()
            .position(|known| known.name == spec.name)
            .unwrap_or_else(|| {
                specs.push(spec);
                specs.len() - 1
            })
    }
}

/// Binds rules to tables, and keeps what they lack.
pub(crate) struct Binder<'t> {
    tables: &'t Tables,
    features: &'t [FeatureSpec],
    /// Whether the score is one of accounts, which have no attributes of a lead.
    of_accounts: bool,
    specs: Specs,
    unknown: Vec<Option<ConfigError>>,
    lacks_only: Option<ConfigError>,
}

impl<'t> Binder<'t> {
    pub(crate) fn new(tables: &'t Tables, features: &'t [FeatureSpec], of_accounts: bool) -> Self {
        Self {
            tables,
            features,
            of_accounts,
            specs: Specs::default(),
            unknown: Vec::new(),
            lacks_only: None,
        }
    }

    /// The attributes that were named, and for each thing that was named what the tables lack. The
    /// last place is that of `only`, whether there is one or not.
    pub(crate) fn finish(mut self) -> (Vec<FeatureSpec>, Vec<Option<ConfigError>>) {
        self.unknown.push(self.lacks_only.take());
        (self.specs.known, self.unknown)
    }

    /// A rule or a combined condition, with those that it combines.
    pub(crate) fn rule(&mut self, config: RuleConfig) -> Result<BoundRule, ConfigError> {
        let whose = Whose {
            what: format!("rule \"{}\"", config.name.get_ref()),
            span: config.name.span(),
        };
        let test = if config.looks_at_something() {
            Some(self.test(&config, &whose)?)
        } else {
            None
        };
        let mut bind = |parts: Option<Vec<RuleConfig>>| {
            parts
                .unwrap_or_default()
                .into_iter()
                .map(|part| self.rule(part))
                .collect::<Result<Vec<_>, _>>()
        };
        let [all, any, none] = config.parts();
        Ok(BoundRule {
            test,
            all: bind(all)?,
            any: bind(any)?,
            none: bind(none)?,
            config,
        })
    }

    fn test(&mut self, rule: &RuleConfig, whose: &Whose) -> Result<Test, ConfigError> {
        let condition = || whose.condition(&rule.condition());
        match (&rule.attribute, &rule.feature, &rule.activity) {
            (Some(name), ..) => {
                self.check_whose(name, whose)?;
                let (test, lack) =
                    attribute_test(self.tables, name, condition()?, whose, &mut self.specs)?;
                self.unknown.push(lack);
                Ok(test)
            }
            (None, Some(name), _) => {
                if self.of_accounts {
                    let help = "look at activities, which count for all leads of the account, or at columns of its lookup";
                    return Err(whose.error(
                        "features are of a lead, and this is a score of accounts",
                        help.to_owned(),
                    ));
                }
                let (spec, condition) = (feature(self.features, name, whose)?, condition()?);
                check_kind(name, spec.kind, &condition, whose)?;
                self.unknown.push(None);
                Ok(Test::Attribute(self.specs.place(spec), condition))
            }
            (None, None, Some(name)) => Ok(Test::Events {
                events: self.events(name, rule.kind.as_ref(), &rule.on_columns, whose)?,
                then: match &rule.then {
                    None => None,
                    Some(then) => Some(Box::new(self.then(then, &whose.what)?)),
                },
                reset: match &rule.reset {
                    None => None,
                    Some(reset) => Some(self.reset(reset, whose.what.clone())?),
                },
            }),
            (None, None, None) => unreachable!("the file was checked"),
        }
    }

    /// The events that make earlier ones void for all rules.
    pub(crate) fn score_reset(
        &mut self,
        reset: &Spanned<ResetConfig>,
    ) -> Result<Events, ConfigError> {
        self.reset(reset, "`reset` of [score]".to_owned())
    }

    fn reset(&mut self, reset: &Spanned<ResetConfig>, what: String) -> Result<Events, ConfigError> {
        let whose = Whose {
            what,
            span: reset.span(),
        };
        let of = reset.get_ref();
        self.events(&of.activity, of.kind.as_ref(), &of.on_columns, &whose)
    }

    /// Fails where a score of accounts looks at what is each lead's own.
    fn check_whose(&self, name: &str, whose: &Whose) -> Result<(), ConfigError> {
        if !self.of_accounts {
            return Ok(());
        }
        let lookup = self.tables.lookups.iter().find(|lookup| {
            let rest = name.strip_prefix(lookup.name.as_str());
            rest.is_some_and(|rest| rest.starts_with('.'))
        });
        if lookup.is_some_and(|lookup| is_of_accounts(self.tables, lookup)) {
            return Ok(());
        }
        // What is not there at all is said so.
        if lookup.is_none() && attribute(self.tables, name, whose).is_err() {
            return Ok(());
        }
        Err(whose.error(
            &format!("`{name}` is of a lead, and this is a score of accounts"),
            "look at activities, which count for all leads of the account, or at columns of a lookup with the account as its key".to_owned(),
        ))
    }

    fn then(&mut self, then: &Spanned<ThenConfig>, what: &str) -> Result<Then, ConfigError> {
        let whose = Whose {
            what: what.to_owned(),
            span: then.span(),
        };
        let of = then.get_ref();
        Ok(Then {
            events: self.events(&of.activity, of.kind.as_ref(), &of.on_columns, &whose)?,
            within: of.within,
            then: match &of.then {
                None => None,
                Some(next) => Some(Box::new(self.then(next, what)?)),
            },
        })
    }

    fn events(
        &mut self,
        name: &str,
        kind: Option<&String>,
        on_columns: &BTreeMap<String, EventCondition>,
        whose: &Whose,
    ) -> Result<Events, ConfigError> {
        let (events, lack) = events(self.tables, name, kind, on_columns, whose)?;
        self.unknown.push(lack);
        Ok(events)
    }

    /// The test of who has a score.
    pub(crate) fn only(&mut self, only: &OnlyConfig) -> Result<Test, ConfigError> {
        let whose = Whose {
            what: "`only`".to_owned(),
            span: only.attribute.span(),
        };
        self.check_whose(only.attribute.get_ref(), &whose)?;
        let (test, lack) = only_test(self.tables, only, &mut self.specs)?;
        self.lacks_only = lack;
        Ok(test)
    }
}

/// What an error points at.
struct Whose {
    what: String,
    span: Range<usize>,
}

impl Whose {
    fn error(&self, message: &str, help: String) -> ConfigError {
        ConfigError {
            message: format!("{}: {message}", self.what),
            help: Some(help),
            span: Some(self.span.clone()),
            is_unknown_key: false,
        }
    }

    fn unknown(&self, what: &str, found: &str, known: &[&str]) -> ConfigError {
        let help = nearest(found, known.iter().copied()).map_or_else(
            || format!("there are {}", known.join(", ")),
            |near| format!("did you mean `{near}`?"),
        );
        self.error(&format!("there is no {what} `{found}`"), help)
    }

    fn condition(&self, config: &EventCondition) -> Result<Condition, ConfigError> {
        Condition::new(config).map_err(|failure| {
            let reason = failure.to_string();
            let reason = reason
                .lines()
                .last()
                .unwrap_or_default()
                .trim_start_matches("error: ")
                .to_owned();
            let span = config
                .matches
                .as_ref()
                .map_or(self.span.clone(), toml::Spanned::span);
            ConfigError {
                message: format!("{}: `matches` is not a regular expression", self.what),
                help: Some(reason),
                span: Some(span),
                is_unknown_key: false,
            }
        })
    }
}

/// An attribute by its name, with how its cells are split where they hold several values.
fn attribute(
    tables: &Tables,
    name: &str,
    whose: &Whose,
) -> Result<(FeatureSpec, Option<Tokenizer>), ConfigError> {
    let of_leads = tables
        .leads
        .attributes
        .iter()
        .map(|attribute| (AttributeTable::Leads, String::new(), attribute));
    let of_lookups = tables.lookups.iter().flat_map(|lookup| {
        let table = AttributeTable::Lookup(lookup.name.clone());
        lookup
            .rows
            .attributes
            .iter()
            .map(move |attribute| (table.clone(), format!("{}.", lookup.name), attribute))
    });
    let all: Vec<_> = of_leads
        .chain(of_lookups)
        .map(|(table, prefix, attribute)| (format!("{prefix}{}", attribute.name), table, attribute))
        .collect();
    let Some((full, table, found)) = all.iter().find(|(full, ..)| full == name) else {
        return Err(whose.unknown(
            "attribute",
            name,
            &all.iter()
                .map(|(full, ..)| full.as_str())
                .collect::<Vec<_>>(),
        ));
    };
    let (table, column) = (table.clone(), found.name.clone());
    let (source, kind, unit) = match found.column.kind() {
        CellKind::Number => (
            FeatureSource::Attribute { table, column },
            FeatureKind::Number,
            Unit::AsGiven,
        ),
        CellKind::Category => (
            FeatureSource::Attribute { table, column },
            FeatureKind::Category,
            Unit::Level,
        ),
        // Of a date a rule sees what a model does: the days until it.
        CellKind::Date => (
            FeatureSource::DaysUntil { table, column },
            FeatureKind::Number,
            Unit::Days,
        ),
    };
    let spec = FeatureSpec {
        name: full.clone(),
        source,
        kind,
        unit,
    };
    Ok((spec, found.tokenizer.clone()))
}

/// A test of an attribute; where the tables lack it, one that sees a missing value, and what is
/// lacking.
fn attribute_test(
    tables: &Tables,
    name: &str,
    condition: Condition,
    whose: &Whose,
    specs: &mut Specs,
) -> Result<(Test, Option<ConfigError>), ConfigError> {
    match attribute(tables, name, whose) {
        Ok((spec, tokenizer)) => {
            check_kind(name, spec.kind, &condition, whose)?;
            let condition = condition.of_cells(tokenizer.as_ref());
            Ok((Test::Attribute(specs.place(spec), condition), None))
        }
        Err(error) => {
            let applies = condition.holds_for_text(None);
            Ok((Test::Absent { applies }, Some(error)))
        }
    }
}

/// The test of who has a score.
fn only_test(
    tables: &Tables,
    only: &OnlyConfig,
    specs: &mut Specs,
) -> Result<(Test, Option<ConfigError>), ConfigError> {
    let whose = Whose {
        what: "`only`".to_owned(),
        span: only.attribute.span(),
    };
    let condition = EventCondition {
        equals: only.equals.clone(),
        one_of: only.one_of.clone(),
        not_equals: only.not_equals.clone(),
        none_of: only.none_of.clone(),
        ..EventCondition::default()
    };
    if condition.given() != 1 {
        return Err(whose.error(
            "it has no condition, or two",
            "write one of `equals`, `in`, `not_equals`, `not_in`".to_owned(),
        ));
    }
    attribute_test(
        tables,
        only.attribute.get_ref(),
        whose.condition(&condition)?,
        &whose,
        specs,
    )
}

fn feature(
    features: &[FeatureSpec],
    name: &str,
    whose: &Whose,
) -> Result<FeatureSpec, ConfigError> {
    let Some(spec) = features.iter().find(|spec| spec.name == name) else {
        let near = nearest(name, features.iter().map(|spec| spec.name.as_str()));
        let help = near.map_or_else(
            || "`features --describe` lists them all".to_owned(),
            |near| format!("did you mean `{near}`?"),
        );
        return Err(whose.error(&format!("there is no feature `{name}`"), help));
    };
    Ok(spec.clone())
}

/// Whether the condition is one for numbers or for texts, as what it looks at.
fn check_kind(
    name: &str,
    kind: FeatureKind,
    condition: &Condition,
    whose: &Whose,
) -> Result<(), ConfigError> {
    if kind == FeatureKind::Category && condition.needs_number() {
        let help = "`min` and `max` are for numbers; `equals`, `in`, `not_in`, `contains` and `matches` are for texts";
        return Err(whose.error(&format!("`{name}` is no number"), help.to_owned()));
    }
    if kind == FeatureKind::Number && condition.needs_text() {
        let help = "`contains` and `matches` are for texts; `equals`, `in`, `not_in`, `min` and `max` are for numbers";
        return Err(whose.error(&format!("`{name}` is a number"), help.to_owned()));
    }
    Ok(())
}

/// Events that pass what is asked of them; where the tables lack the kind, none, and what is
/// lacking.
fn events(
    tables: &Tables,
    name: &str,
    kind: Option<&String>,
    on_columns: &BTreeMap<String, EventCondition>,
    whose: &Whose,
) -> Result<(Events, Option<ConfigError>), ConfigError> {
    let Some(table) = tables
        .activities
        .iter()
        .position(|activities| activities.name == name)
    else {
        let known: Vec<&str> = tables
            .activities
            .iter()
            .map(|activities| activities.name.as_str())
            .collect();
        return Err(whose.unknown("activity", name, &known));
    };
    let rows = &tables.activities[table].rows;
    let mut filters = Vec::new();
    if let Some(wanted) = kind {
        // Of several values in a cell one is enough.
        let is_wanted = |kind: &KindColumn, level: &String| match &kind.tokenizer {
            None => level == wanted,
            Some(tokenizer) => tokenizer.tokens(level).contains(wanted),
        };
        let codes_of = |(column, kind): (usize, &KindColumn)| -> Vec<(usize, u32)> {
            let levels = (0_u32..).zip(&kind.levels);
            levels
                .filter(|(_, level)| is_wanted(kind, level))
                .map(|(code, _)| (column, code))
                .collect()
        };
        let kinds = rows.kinds.iter().enumerate();
        let codes: Vec<(usize, u32)> = kinds.flat_map(codes_of).collect();
        if codes.is_empty() {
            let known: Vec<&str> = rows
                .kinds
                .iter()
                .flat_map(|kind| kind.levels.iter().map(String::as_str))
                .collect();
            let filters = vec![EventFilter::Nothing];
            let lack = whose.unknown("kind", wanted, &known);
            return Ok((Events { table, filters }, Some(lack)));
        }
        filters.push(EventFilter::Any(codes));
    }
    for (name, config) in on_columns {
        filters.push(column_filter(rows, name, whose.condition(config)?, whose)?);
    }
    Ok((Events { table, filters }, None))
}

/// Which events a condition on one of their columns keeps.
fn column_filter(
    rows: &EventRows,
    name: &str,
    condition: Condition,
    whose: &Whose,
) -> Result<EventFilter, ConfigError> {
    if let Some(column) = rows.kinds.iter().position(|kind| kind.name == *name) {
        check_kind(name, FeatureKind::Category, &condition, whose)?;
        let condition = condition.of_cells(rows.kinds[column].tokenizer.as_ref());
        let levels = rows.kinds[column]
            .levels
            .iter()
            .map(|level| Some(level.as_str()))
            .chain([None]);
        return Ok(EventFilter::Levels {
            column,
            counts: levels
                .map(|level| condition.holds_for_text(level))
                .collect(),
        });
    }
    if let Some(column) = rows.values.iter().position(|value| value.name == *name) {
        check_kind(name, FeatureKind::Number, &condition, whose)?;
        return Ok(EventFilter::Number { column, condition });
    }
    let known: Vec<&str> = rows
        .kinds
        .iter()
        .map(|kind| kind.name.as_str())
        .chain(rows.values.iter().map(|value| value.name.as_str()))
        .collect();
    let help = "`kind` and `values` of the activity in leadscore.toml say which columns of events are read";
    let mut error = whose.unknown("column", name, &known);
    error.help = error.help.map(|hint| format!("{hint}; {help}"));
    Err(error)
}
