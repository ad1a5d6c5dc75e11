//! Rules meet tables: names become columns, or an error at the rule that names what is not there.

use std::ops::Range;

use leadscore_config::{ConfigError, nearest};
use leadscore_core::{AttributeTable, FeatureKind, FeatureSource, FeatureSpec, Unit};
use leadscore_dataset::{Column, EventRows, KindColumn, Tables};

use crate::condition::Condition;
use crate::rules_file::{EventCondition, Grade, OnlyConfig, RuleConfig, RulesFile, in_order};

/// Rules whose columns were found.
#[derive(Debug, Clone)]
pub struct BoundRules {
    pub(crate) file: RulesFile,
    pub(crate) tests: Vec<Test>,
    /// The attributes that rules look at; each once.
    pub(crate) specs: Vec<FeatureSpec>,
    /// Who has this score.
    pub(crate) only: Option<Test>,
    /// The group of each rule, by its place among the file's.
    pub(crate) group_of_rule: Vec<Option<usize>>,
    pub(crate) matrix: Option<Matrix>,
}

/// What a rule looks at.
#[derive(Debug, Clone)]
pub(crate) enum Test {
    /// The attribute at this place of the specs.
    Attribute(usize, Condition),
    /// An attribute that nobody here has a value of.
    Absent { applies: bool },
    /// Events of this table that pass every filter.
    Events {
        table: usize,
        filters: Vec<EventFilter>,
    },
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

/// The matrix with its groups found; bands are highest first.
#[derive(Debug, Clone)]
pub(crate) struct Matrix {
    pub(crate) groups: (usize, usize),
    pub(crate) bands: (Vec<Grade>, Vec<Grade>),
}

impl BoundRules {
    /// Finds what rules name; `features` are those that rules may look at.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] points at the rule: an attribute, a table, a column or a kind that the
    /// tables do not have, a range of what is no number, a regular expression that is none.
    pub fn new(
        file: RulesFile,
        tables: &Tables,
        features: &[FeatureSpec],
    ) -> Result<Self, ConfigError> {
        let (bound, unknown) = Self::of_part(file, tables, features)?;
        match unknown.into_iter().flatten().next() {
            Some(error) => Err(error),
            None => Ok(bound),
        }
    }

    /// The same over a part of the leads, whose tables may lack an attribute or a kind that other
    /// parts have: a rule that names one sees a missing value, or no such event, and its error is
    /// returned beside, at the rule's place in the file; that of `only` comes last.
    ///
    /// # Errors
    ///
    /// Those of [`BoundRules::new`] that no other part could make good.
    pub fn of_part(
        file: RulesFile,
        tables: &Tables,
        features: &[FeatureSpec],
    ) -> Result<(Self, Vec<Option<ConfigError>>), ConfigError> {
        let mut unknown: Vec<Option<ConfigError>> = vec![None; file.rules.len() + 1];
        let mut specs = Specs::default();
        let mut tests = Vec::with_capacity(file.rules.len());
        for (rule, unknown) in file.rules.iter().zip(&mut unknown) {
            let whose = Whose {
                what: format!("rule \"{}\"", rule.name.get_ref()),
                span: rule.name.span(),
            };
            let condition = || whose.condition(&rule.condition());
            tests.push(match (&rule.attribute, &rule.feature, &rule.activity) {
                (Some(name), ..) => {
                    attribute_test(tables, name, condition()?, &whose, unknown, &mut specs)?
                }
                (None, Some(name), _) => {
                    let (spec, condition) = (feature(features, name, &whose)?, condition()?);
                    check_kind(name, spec.kind, &condition, &whose)?;
                    Test::Attribute(specs.place(spec), condition)
                }
                (None, None, Some(name)) => events(tables, name, rule, &whose, unknown)?,
                (None, None, None) => unreachable!("the file was checked"),
            });
        }
        let only = match &file.score.only {
            None => None,
            Some(only) => {
                let last = unknown.last_mut().expect("one more than rules");
                Some(only_test(tables, only, last, &mut specs)?)
            }
        };
        let group = |name: &String| {
            file.groups
                .keys()
                .position(|known| known == name)
                .expect("the file was checked")
        };
        let group_of_rule = file
            .rules
            .iter()
            .map(|rule| rule.group.as_ref().map(group))
            .collect();
        let matrix = file.matrix.as_ref().map(|matrix| Matrix {
            groups: (
                group(matrix.rows.get_ref()),
                group(matrix.columns.get_ref()),
            ),
            bands: (in_order(&matrix.row_bands), in_order(&matrix.column_bands)),
        });
        Ok((
            Self {
                tests,
                specs: specs.0,
                only,
                group_of_rule,
                matrix,
                file,
            },
            unknown,
        ))
    }

    /// The file.
    pub fn file(&self) -> &RulesFile {
        &self.file
    }

    /// The name of a rule.
    pub fn rule_name(&self, rule: usize) -> &str {
        self.file.rules[rule].name.get_ref()
    }

    /// The label of a cell of the matrix, such as A1, and what to do there.
    pub fn cell(&self, cell: (usize, usize)) -> Option<(String, Option<&str>)> {
        let bands = &self.matrix.as_ref()?.bands;
        let label = format!("{}{}", bands.0[cell.0].name, bands.1[cell.1].name);
        let action = self
            .file
            .matrix
            .as_ref()
            .and_then(|matrix| matrix.cells.get(&label))
            .map(|text| text.get_ref().as_str());
        Some((label, action))
    }
}

/// The attributes that rules look at; each once.
#[derive(Default)]
struct Specs(Vec<FeatureSpec>);

impl Specs {
    /// The place of a feature, a known one or a new one.
    fn place(&mut self, spec: FeatureSpec) -> usize {
        let Self(specs) = self;
        specs
            .iter()
            .position(|known| known.name == spec.name)
            .unwrap_or_else(|| {
                specs.push(spec);
                specs.len() - 1
            })
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

fn attribute(tables: &Tables, name: &str, whose: &Whose) -> Result<FeatureSpec, ConfigError> {
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
    let kind = match &found.column {
        Column::Number(_) => FeatureKind::Number,
        Column::Category { .. } => FeatureKind::Category,
    };
    let source = FeatureSource::Attribute {
        table: table.clone(),
        column: found.name.clone(),
    };
    Ok(FeatureSpec {
        name: full.clone(),
        source,
        kind,
        unit: if kind == FeatureKind::Number {
            Unit::AsGiven
        } else {
            Unit::Level
        },
    })
}

/// A test of an attribute; where the tables lack it, one that sees a missing value, and what is
/// lacking.
fn attribute_test(
    tables: &Tables,
    name: &str,
    condition: Condition,
    whose: &Whose,
    unknown: &mut Option<ConfigError>,
    specs: &mut Specs,
) -> Result<Test, ConfigError> {
    match attribute(tables, name, whose) {
        Ok(spec) => {
            check_kind(name, spec.kind, &condition, whose)?;
            Ok(Test::Attribute(specs.place(spec), condition))
        }
        Err(error) => {
            *unknown = Some(error);
            Ok(Test::Absent {
                applies: condition.holds_for_text(None),
            })
        }
    }
}

/// The test of who has a score.
fn only_test(
    tables: &Tables,
    only: &OnlyConfig,
    unknown: &mut Option<ConfigError>,
    specs: &mut Specs,
) -> Result<Test, ConfigError> {
    let whose = Whose {
        what: "`only`".to_owned(),
        span: only.attribute.span(),
    };
    let condition = EventCondition {
        equals: only.equals.clone(),
        one_of: only.one_of.clone(),
        ..EventCondition::default()
    };
    if only.equals.is_some() == only.one_of.is_some() {
        return Err(whose.error(
            "it has no condition, or two",
            "write `equals` or `in`".to_owned(),
        ));
    }
    attribute_test(
        tables,
        only.attribute.get_ref(),
        whose.condition(&condition)?,
        &whose,
        unknown,
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
        let help = "`min` and `max` are for numbers; `equals`, `in`, `contains` and `matches` are for texts";
        return Err(whose.error(&format!("`{name}` is no number"), help.to_owned()));
    }
    if kind == FeatureKind::Number && condition.needs_text() {
        let help = "`contains` and `matches` are for texts; `equals`, `in`, `min` and `max` are for numbers";
        return Err(whose.error(&format!("`{name}` is a number"), help.to_owned()));
    }
    Ok(())
}

fn events(
    tables: &Tables,
    name: &str,
    rule: &RuleConfig,
    whose: &Whose,
    unknown: &mut Option<ConfigError>,
) -> Result<Test, ConfigError> {
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
    if let Some(wanted) = &rule.kind {
        let code = |kind: &KindColumn| {
            kind.levels
                .iter()
                .position(|level| level == wanted)
                .and_then(|code| u32::try_from(code).ok())
        };
        let codes: Vec<(usize, u32)> = rows
            .kinds
            .iter()
            .enumerate()
            .filter_map(|(column, kind)| Some((column, code(kind)?)))
            .collect();
        if codes.is_empty() {
            let known: Vec<&str> = rows
                .kinds
                .iter()
                .flat_map(|kind| kind.levels.iter().map(String::as_str))
                .collect();
            *unknown = Some(whose.unknown("kind", wanted, &known));
            return Ok(Test::Events {
                table,
                filters: vec![EventFilter::Nothing],
            });
        }
        filters.push(EventFilter::Any(codes));
    }
    for (name, config) in &rule.on_columns {
        filters.push(column_filter(rows, name, whose.condition(config)?, whose)?);
    }
    Ok(Test::Events { table, filters })
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
