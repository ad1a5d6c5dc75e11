//! Rules meet tables: names become columns, or an error at the rule that names what is not there.

use leadscore_core::{AttributeTable, FeatureKind, FeatureSource, FeatureSpec, Unit};
use leadscore_tables::{Column, ConfigError, Tables, nearest};

use crate::rules_file::{RuleConfig, RulesFile};

/// Rules whose columns were found.
#[derive(Debug, Clone)]
pub struct BoundRules {
    pub(crate) file: RulesFile,
    pub(crate) tests: Vec<Test>,
    /// The attributes that rules look at; each once.
    pub(crate) specs: Vec<FeatureSpec>,
}

/// What a rule looks at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Test {
    /// The attribute at this place of the specs.
    Attribute(usize),
    /// This table of activities, and of its events those of a kind: column and code.
    Events { table: usize, kind: Option<(usize, u32)> },
}

impl BoundRules {
    /// Finds what rules name; `features` are those that rules may look at.
    ///
    /// # Errors
    ///
    /// [`ConfigError`] points at the rule: an attribute, a table or a kind that the tables do not have, or a range of what is
    /// no number.
    pub fn new(file: RulesFile, tables: &Tables, features: &[FeatureSpec]) -> Result<Self, ConfigError> {
        let mut specs: Vec<FeatureSpec> = Vec::new();
        let mut tests = Vec::with_capacity(file.rules.len());
        for rule in &file.rules {
            let spec = match (&rule.attribute, &rule.feature) {
                (Some(name), _) => Some(attribute(tables, name, rule)?),
                (None, Some(name)) => Some(feature(features, name, rule)?),
                (None, None) => None,
            };
            tests.push(match (spec, &rule.activity) {
                (Some(spec), _) => {
                    let known = specs.iter().position(|known| known.name == spec.name);
                    Test::Attribute(known.unwrap_or_else(|| {
                        specs.push(spec);
                        specs.len() - 1
                    }))
                }
                (None, Some(name)) => events(tables, name, rule)?,
                (None, None) => unreachable!("the file was checked"),
            });
        }
        Ok(Self { file, tests, specs })
    }

    /// The file.
    pub fn file(&self) -> &RulesFile {
        &self.file
    }

    /// The name of a rule.
    pub fn rule_name(&self, rule: usize) -> &str {
        self.file.rules[rule].name.get_ref()
    }
}

fn unknown(what: &str, found: &str, known: &[&str], rule: &RuleConfig) -> ConfigError {
    let help = nearest(found, known.iter().copied()).map_or_else(|| format!("there are {}", known.join(", ")), |near| format!("did you mean `{near}`?"));
    error(rule, &format!("there is no {what} `{found}`"), help)
}

fn error(rule: &RuleConfig, message: &str, help: String) -> ConfigError {
    ConfigError { message: format!("rule \"{}\": {message}", rule.name.get_ref()), help: Some(help), span: Some(rule.name.span()) }
}

fn attribute(tables: &Tables, name: &str, rule: &RuleConfig) -> Result<FeatureSpec, ConfigError> {
    let of_leads = tables.leads.attributes.iter().map(|attribute| (AttributeTable::Leads, String::new(), attribute));
    let of_lookups = tables.lookups.iter().flat_map(|lookup| {
        let table = AttributeTable::Lookup(lookup.name.clone());
        lookup.rows.attributes.iter().map(move |attribute| (table.clone(), format!("{}.", lookup.name), attribute))
    });
    let all: Vec<_> = of_leads.chain(of_lookups).map(|(table, prefix, attribute)| (format!("{prefix}{}", attribute.name), table, attribute)).collect();
    let Some((full, table, found)) = all.iter().find(|(full, ..)| full == name) else {
        return Err(unknown("attribute", name, &all.iter().map(|(full, ..)| full.as_str()).collect::<Vec<_>>(), rule));
    };
    let kind = match &found.column {
        Column::Number(_) => FeatureKind::Number,
        Column::Category { .. } => FeatureKind::Category,
    };
    check_kind(name, kind, rule)?;
    let source = FeatureSource::Attribute { table: table.clone(), column: found.name.clone() };
    Ok(FeatureSpec { name: full.clone(), source, kind, unit: if kind == FeatureKind::Number { Unit::AsGiven } else { Unit::Level } })
}

fn feature(features: &[FeatureSpec], name: &str, rule: &RuleConfig) -> Result<FeatureSpec, ConfigError> {
    let Some(spec) = features.iter().find(|spec| spec.name == name) else {
        let near = nearest(name, features.iter().map(|spec| spec.name.as_str()));
        let help = near.map_or_else(|| "`features --describe` lists them all".to_owned(), |near| format!("did you mean `{near}`?"));
        return Err(error(rule, &format!("there is no feature `{name}`"), help));
    };
    check_kind(name, spec.kind, rule)?;
    Ok(spec.clone())
}

/// Whether the rule's condition is one for numbers or for texts, as what it looks at.
fn check_kind(name: &str, kind: FeatureKind, rule: &RuleConfig) -> Result<(), ConfigError> {
    if kind == FeatureKind::Category && (rule.above.is_some() || rule.min.is_some() || rule.max.is_some()) {
        return Err(error(rule, &format!("`{name}` is no number"), "`min` and `max` are for numbers; `equals`, `in` and `contains` are for texts".to_owned()));
    }
    if kind == FeatureKind::Number && rule.contains.is_some() {
        return Err(error(rule, &format!("`{name}` is a number"), "`contains` is for texts; `equals`, `in`, `min` and `max` are for numbers".to_owned()));
    }
    Ok(())
}

fn events(tables: &Tables, name: &str, rule: &RuleConfig) -> Result<Test, ConfigError> {
    let Some(table) = tables.activities.iter().position(|activities| activities.name == name) else {
        let known: Vec<&str> = tables.activities.iter().map(|activities| activities.name.as_str()).collect();
        return Err(unknown("activity", name, &known, rule));
    };
    let Some(wanted) = &rule.kind else { return Ok(Test::Events { table, kind: None }) };
    let kinds = &tables.activities[table].rows.kinds;
    let found = kinds.iter().enumerate().find_map(|(column, kind)| kind.levels.iter().position(|level| level == wanted).map(|code| (column, code as u32)));
    match found {
        Some(kind) => Ok(Test::Events { table, kind: Some(kind) }),
        None => {
            let known: Vec<&str> = kinds.iter().flat_map(|kind| kind.levels.iter().map(String::as_str)).collect();
            Err(unknown("kind", wanted, &known, rule))
        }
    }
}
