//! Points of leads at any moment: of tables that were read once, and of one lead by its rows.

use std::collections::HashMap;

use leadscore_core::{FeatureSpec, Snapshot, Timestamp, printable, stable_hash};
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_features::scoring_snapshots;
use leadscore_io::TablesError;
use leadscore_rules::{BoundRules, PointsScore, ScoreOf};
use leadscore_store::StoredEvent;

use super::columns::check_columns;
use super::read::ReadRules;
use crate::config::Config;
use crate::data::Data;
use crate::error::bail;
use crate::store_tables::{LeadOfRows, RowsReader, of_other_leads};

/// Points by one file of rules, as of any moment.
///
/// Points age: events leave their window, and decay. [`rules_table`](crate::rules_table) looks at all
/// open leads at one moment; this looks at some leads, each at any moment, in tables that were read
/// once or in the rows of one lead. The points are the same to the bit.
pub struct PointsTimeline {
    read: ReadRules,
    id: String,
    rules: BoundRules,
    /// The features that rules may look at.
    features: Vec<FeatureSpec>,
    /// All rows, of which a snapshot sees what was known before it.
    tables: Tables,
    numbers: HashMap<String, u32>,
    rows: RowsReader,
}

/// What the rules make of a lead at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadPoints {
    score: PointsScore,
}

impl PointsTimeline {
    /// Reads the tables of the data, and finds in them what the rules name, as of a moment; `tables`
    /// are those that the store has rows of.
    ///
    /// # Errors
    ///
    /// The tables cannot be read, or rules do not fit them, as for
    /// [`rules_table`](crate::rules_table); or a rule reads what one lead's rows do not have.
    pub fn read(
        config: &Config,
        data: &Data,
        read: ReadRules,
        at: Timestamp,
        tables: &[String],
    ) -> crate::Result<Self> {
        check_columns(data, std::slice::from_ref(&read))?;
        let whole = data.read_all(&LoadOptions::default())?;
        let (typed, doubts) = whole.view(None);
        if !doubts.is_empty() {
            return Err(TablesError::Doubts(doubts).into());
        }
        let features = if read.file.needs_features() {
            let (then, _) = whole.view(Some(at));
            let open = scoring_snapshots(&then, at).at_risk;
            let survey = leadscore_features::survey(&then, &open);
            survey.plan(&data.config.features).specs
        } else {
            Vec::new()
        };
        let rules = BoundRules::new(read.file.clone(), &typed, &features)
            .map_err(|error| read.failure(error))?;
        if let Some(spec) = of_other_leads(rules.specs()) {
            bail!(
                "{} has a rule on `{}`, which is of the account's other leads, and one lead's rows do not have them\n  hint: name another feature in this rule",
                read.path.display(),
                printable(&spec.name)
            );
        }
        let numbers = (0u32..).zip(&typed.leads.ids);
        Ok(Self {
            id: format!("rules {:016x}", stable_hash(&read.text)),
            rows: RowsReader::new(config, rules.specs(), tables, Ok)?,
            numbers: numbers.map(|(lead, id)| (id.clone(), lead)).collect(),
            read,
            rules,
            features,
            tables: typed,
        })
    }

    /// Tells these rules from others: a hash of their text.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Whether the points of a lead are those of its account: the rows of all leads of the account
    /// count.
    pub fn is_of_accounts(&self) -> bool {
        *self.read.file.score.of.get_ref() == ScoreOf::Accounts
    }

    /// The points of leads as of a moment by the tables; `None` where these do not have the lead.
    ///
    /// # Errors
    ///
    /// The tables lack what a rule needs.
    pub fn of_tables(
        &self,
        leads: &[&str],
        at: Timestamp,
    ) -> crate::Result<Vec<Option<LeadPoints>>> {
        let numbers: Vec<Option<u32>> = leads
            .iter()
            .map(|lead| self.numbers.get(*lead).copied())
            .collect();
        let known = numbers.iter().flatten();
        let snapshots: Vec<Snapshot> = known.map(|&lead| Snapshot { lead, at }).collect();
        let mut scores = self.rules.score(&self.tables, &snapshots)?.into_iter();
        let points = numbers.iter().map(|number| {
            number.and_then(|_| {
                let score = scores.next()?;
                Some(LeadPoints { score })
            })
        });
        Ok(points.collect())
    }

    /// The points of a lead as of a moment by its rows and those of what it belongs to, in any order;
    /// what was recorded at the moment or later is not seen. In a score of accounts they are the rows
    /// of all leads of the account. `None` where there is no row of `leads`.
    ///
    /// # Errors
    ///
    /// A row is not what the door lets in.
    pub fn of_rows(
        &self,
        lead: &str,
        at: Timestamp,
        rows: &[StoredEvent],
    ) -> crate::Result<Option<LeadPoints>> {
        let found = if self.is_of_accounts() {
            self.rows.read_by_frames(lead, at, rows)?
        } else {
            self.rows.read(lead, at, rows)?
        };
        let LeadOfRows::Lead(tables, lead) = found else {
            return Ok(None);
        };
        // What these rows lack, others have.
        let (rules, _) = BoundRules::of_part(self.read.file.clone(), &tables, &self.features)
            .map_err(|error| self.read.failure(error))?;
        let mut scores = rules.score(&tables, &[Snapshot { lead, at }])?;
        Ok(scores.pop().map(|score| LeadPoints { score }))
    }

    /// Points by rule: its name, what it gives.
    pub fn by_rule(&self, points: &LeadPoints) -> Vec<(String, f64)> {
        let parts = points.score.contributions.iter();
        parts
            .map(|part| (self.rules.rule_name(part.rule).to_owned(), part.points))
            .collect()
    }

    /// The cell of the matrix that a lead is in, and what to do there; `None` where it is in none, as
    /// who is disqualified.
    pub fn cell(&self, points: &LeadPoints) -> Option<(String, Option<&str>)> {
        let cell = points.score.cell.filter(|_| !points.is_disqualified())?;
        self.rules.cell(cell)
    }
}

impl LeadPoints {
    /// All points together; NaN where the lead does not have the score.
    pub fn points(&self) -> f64 {
        self.score.points
    }

    /// Whether a rule disqualifies the lead, which then reaches no threshold.
    pub fn is_disqualified(&self) -> bool {
        self.score.disqualified_by.is_some()
    }
}
