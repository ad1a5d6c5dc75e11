//! Rules meet tables: names become columns, or an error at the rule that names what is not there.

use leadscore_config::ConfigError;
use leadscore_core::FeatureSpec;
use leadscore_dataset::Tables;

use crate::accounts::Pooled;
use crate::binder::{Binder, BoundRule, Events, Test};
use crate::rules_file::{Grade, RulesFile, ScoreOf, in_order};

/// Rules whose columns were found.
#[derive(Debug, Clone)]
pub struct BoundRules {
    pub(crate) file: RulesFile,
    /// The rules in the order of the file.
    pub(crate) rules: Vec<BoundRule>,
    /// The attributes that rules look at; each once.
    pub(crate) specs: Vec<FeatureSpec>,
    /// Who has this score.
    pub(crate) only: Option<Test>,
    /// What makes earlier events void for all rules.
    pub(crate) reset: Option<Events>,
    /// The events of accounts, where the score is one of accounts.
    pub(crate) pooled: Option<Pooled>,
    /// The group of each rule, by its place among the file's.
    pub(crate) group_of_rule: Vec<Option<usize>>,
    pub(crate) matrix: Option<Matrix>,
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
    /// parts have: a rule that names one sees a missing value, or no such event. Its error is
    /// returned beside, one place for each thing that the file names, in the order of the file;
    /// that of `only` comes last.
    ///
    /// # Errors
    ///
    /// Those of [`BoundRules::new`] that no other part could make good.
    pub fn of_part(
        file: RulesFile,
        tables: &Tables,
        features: &[FeatureSpec],
    ) -> Result<(Self, Vec<Option<ConfigError>>), ConfigError> {
        let pooled = match file.score.of.get_ref() {
            ScoreOf::Leads => None,
            ScoreOf::Accounts => Some(Pooled::new(tables, &file.score.of.span())?),
        };
        let mut binder = Binder::new(tables, features, pooled.is_some());
        let rules = file
            .rules
            .iter()
            .map(|rule| binder.rule(rule.clone()))
            .collect::<Result<_, _>>()?;
        let reset = match &file.score.reset {
            None => None,
            Some(reset) => Some(binder.score_reset(reset)?),
        };
        let only = match &file.score.only {
            None => None,
            Some(only) => Some(binder.only(only)?),
        };
        let (specs, unknown) = binder.finish();
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
                rules,
                specs,
                only,
                reset,
                pooled,
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

    /// The attributes and features that the rules look at; each once.
    pub fn specs(&self) -> &[FeatureSpec] {
        &self.specs
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
