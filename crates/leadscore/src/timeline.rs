//! Leads as of moments of their own: tables that are read once, and the score of any lead at any
//! moment, by the road of `score`.

use std::collections::{BTreeMap, HashMap};

use leadscore_core::{FeatureMatrix, Snapshot, Timestamp};
use leadscore_dataset::{FEWEST_ROWS_OF_EXTENT, Tables};
use leadscore_features::{compute, scoring_snapshots};
use leadscore_inference::{Concepts, Model, Reason, Scored, score, score_with_reasons};
use leadscore_io::{ReadTables, TablesError};

use crate::ages::age_of;
use crate::data::{Data, load_options_of};
use crate::hold_back;
use crate::score_summary::{joined, too_old};

/// Rows of features that are in memory at once where only their probabilities are kept.
const ROWS_AT_ONCE: usize = 8_192;

/// Tables in memory, typed as one model reads them, by which leads are scored as of any moment.
///
/// [`score`](crate::score) looks at all open leads at one moment; this looks at some leads, each at
/// its own. Features and scores are those of `score` as of that moment, to the bit.
pub struct Timeline {
    data: Data,
    read: ReadTables,
    /// All rows, of which a snapshot sees what was known before it.
    tables: Tables,
    numbers: HashMap<String, u32>,
}

impl Timeline {
    /// Reads the tables of the data as a model reads them.
    ///
    /// # Errors
    ///
    /// The tables cannot be read, can be read in two ways, or are not those of the model's config.
    pub fn read(data: &Data, model: &Model) -> crate::Result<Self> {
        let data = data.to_score(model)?;
        let read = data.read_all(&load_options_of(model))?;
        let (tables, doubts) = read.view(None);
        if !doubts.is_empty() {
            return Err(TablesError::Doubts(doubts).into());
        }
        let numbers = (0u32..)
            .zip(&tables.leads.ids)
            .map(|(lead, id)| (id.clone(), lead))
            .collect();
        Ok(Self {
            data,
            read,
            tables,
            numbers,
        })
    }

    /// When tables begin, by their headings, such as `[activities.web]`; those with few rows do not
    /// tell.
    pub fn begins(&self) -> BTreeMap<String, Timestamp> {
        let mut begins: BTreeMap<String, Timestamp> = BTreeMap::new();
        for end in &self.tables.ends {
            if end.extent.n_rows >= FEWEST_ROWS_OF_EXTENT {
                let known = begins.entry(end.table.clone());
                let first = known.or_insert(end.extent.first);
                *first = end.extent.first.min(*first);
            }
        }
        begins
    }

    /// Number of leads.
    pub fn n_leads(&self) -> usize {
        self.tables.leads.ids.len()
    }

    /// The number of a lead by its ID.
    pub fn number(&self, id: &str) -> Option<u32> {
        self.numbers.get(id).copied()
    }

    /// The ID of a lead.
    ///
    /// # Panics
    ///
    /// Where no lead has this number.
    pub fn id(&self, lead: u32) -> &str {
        &self.tables.leads.ids[lead as usize]
    }

    /// A hash of the account of a lead, or of its ID where it has none: leads of one account have
    /// the same, if all accounts of the config are one column.
    ///
    /// # Panics
    ///
    /// As [`Self::id`].
    pub fn account_hash(&self, lead: u32) -> u64 {
        self.tables.entity_hash(lead)
    }

    /// Age of a lead in days; NaN where nothing says when it was created.
    ///
    /// # Panics
    ///
    /// As [`Self::id`].
    pub fn age(&self, lead: u32, at: Timestamp) -> f64 {
        age_of(&self.tables, lead, at)
    }

    /// Leads that are open as of a moment, by what was known then.
    pub fn open(&self, at: Timestamp) -> Vec<u32> {
        let (tables, _) = self.read.view(Some(at));
        let open = scoring_snapshots(&tables, at).at_risk;
        open.into_iter().map(|snapshot| snapshot.lead).collect()
    }

    /// The probabilities of all open leads at a moment, in the order of [`Self::open`].
    ///
    /// # Errors
    ///
    /// As [`Self::score`].
    pub fn probabilities(&self, model: &Model, at: Timestamp) -> crate::Result<Vec<f64>> {
        let open = self.open(at);
        let mut probabilities = Vec::with_capacity(open.len());
        for leads in open.chunks(ROWS_AT_ONCE) {
            let snapshots: Vec<Snapshot> =
                leads.iter().map(|&lead| Snapshot { lead, at }).collect();
            let matrix = compute(&self.tables, &model.specs, &snapshots)?;
            probabilities.extend(score(model, &matrix)?.probabilities);
        }
        Ok(probabilities)
    }

    /// When a lead was first won at or after a moment, by all that is known.
    ///
    /// # Panics
    ///
    /// As [`Self::id`].
    pub fn win_since(&self, lead: u32, at: Timestamp) -> Option<Timestamp> {
        self.tables.win_since(lead, at)
    }

    /// Whether a lead had been created before a moment.
    ///
    /// # Panics
    ///
    /// As [`Self::id`].
    pub fn exists(&self, lead: u32, at: Timestamp) -> bool {
        self.tables
            .leads
            .known_since(lead)
            .is_some_and(|known| known <= at)
    }

    /// Scores leads, each as of a moment, whether they are open then or not.
    ///
    /// # Errors
    ///
    /// The tables lack what a feature needs.
    pub fn score<'m>(
        &'m self,
        model: &'m Model,
        concepts: &'m Concepts,
        snapshots: &[Snapshot],
    ) -> crate::Result<TimelineScores<'m>> {
        let matrix = compute(&self.tables, &model.specs, snapshots)?;
        let (scored, _) = score_with_reasons(model, concepts, &matrix, 0..matrix.n_rows(), 0)?;
        Ok(TimelineScores {
            timeline: self,
            model,
            concepts,
            matrix,
            scored,
        })
    }
}

/// Scores of leads, each as of its moment.
pub struct TimelineScores<'m> {
    timeline: &'m Timeline,
    model: &'m Model,
    concepts: &'m Concepts,
    /// The features of each row.
    pub matrix: FeatureMatrix,
    /// Log-odds and probability of each row.
    pub scored: Scored,
}

impl TimelineScores<'_> {
    /// All reasons of a row, strongest first; with the baseline they add up to its log-odds.
    pub fn reasons(&self, row: usize) -> Vec<Reason> {
        self.model.reasons(self.concepts, &self.matrix, row)
    }

    /// What is unlike training about a row.
    pub fn outside(&self, row: usize) -> Option<String> {
        let Snapshot { lead, at } = self.matrix.keys()[row];
        outside_of(self.model, &self.own(row), self.timeline.age(lead, at))
    }

    /// Whether the lead of a row is held back from prioritizing.
    pub fn is_held_back(&self, row: usize) -> bool {
        let lead = self.matrix.keys()[row].lead;
        hold_back::rule_of(&self.timeline.data.config)
            .is_some_and(|rule| hold_back::holds(rule, &self.timeline.tables, lead))
    }

    fn own(&self, row: usize) -> FeatureMatrix {
        self.matrix.select_rows(&[row])
    }
}

/// What is unlike training about the only row of a matrix, of a lead of this age in days.
fn outside_of(model: &Model, own: &FeatureMatrix, age: f64) -> Option<String> {
    let guard = model
        .guard(own)
        .and_then(|mut guarded| guarded.of_row.swap_remove(0));
    joined(guard, too_old(model, age))
}
