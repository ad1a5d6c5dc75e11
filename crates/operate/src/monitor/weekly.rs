//! What changes only by the week is found once a week, and kept: a run of every night would find the
//! same again.

use std::path::{Path, PathBuf};

use leadscore::{Data, Model, Scores, Timestamp};
use leadscore_core::stable_hash;
use serde::{Deserialize, Serialize};

use super::weeks::monday_of;
use super::{FigureTable, MonitorError, WeekFigures};
use crate::finding::MonitorFinding;

/// What was found in a week.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Weekly {
    /// The Monday of the week.
    pub(super) monday: String,
    /// The moment at which it was looked at.
    pub(super) as_of: String,
    /// What the config said, as a hash.
    pub(super) config: u64,
    /// Leads that were won, and those that were closed otherwise: fewer of them later are other
    /// tables.
    pub(super) n_closed: (usize, usize),
    pub(super) findings: Vec<MonitorFinding>,
    pub(super) weeks: Vec<WeekFigures>,
    pub(super) threshold: Option<f64>,
    pub(super) tables: Vec<FigureTable>,
}

/// So many more wins within a week are no other tables.
const MANY: usize = 20;

/// A week, and where what was found in it is kept.
pub(super) struct Week {
    pub(super) monday: String,
    as_of: Timestamp,
    pub(super) config: u64,
    pub(super) n_closed: (usize, usize),
    file: Option<PathBuf>,
}

impl Week {
    pub(super) fn of(
        data: &Data,
        model: &Model,
        scores: &Scores<'_>,
        cache: Option<&Path>,
    ) -> Self {
        let as_of = scores.as_of().unwrap_or_default();
        let summary = &scores.summary;
        Self {
            config: stable_hash(&format!("{:?}", data.settings())),
            n_closed: (summary.closed_won, summary.left_out.closed_lost),
            monday: monday_of(as_of).to_string(),
            as_of,
            file: cache.map(|folder| folder.join(format!("{}-week.json", model.card.model_id))),
        }
    }

    /// What was found before in this week, and not later than now.
    pub(super) fn kept(&self) -> Option<Weekly> {
        let text = std::fs::read_to_string(self.file.as_ref()?).ok()?;
        let known: Weekly = serde_json::from_str(&text).ok()?;
        let at: Timestamp = known.as_of.parse().ok()?;
        let is_later = known.monday == self.monday && at < self.as_of;
        let (won, lost) = known.n_closed;
        let is_same = known.config == self.config
            && (won..=won + won / 2 + MANY).contains(&self.n_closed.0)
            && self.n_closed.1 >= lost;
        (is_later && is_same).then_some(known)
    }

    pub(super) fn keep(&self, weekly: &Weekly) -> Result<(), MonitorError> {
        let Some(file) = &self.file else {
            return Ok(());
        };
        let text = serde_json::to_string(weekly).map_err(|source| MonitorError::Cache {
            path: file.clone(),
            source: source.into(),
        })?;
        Ok(leadscore::write_text(file, &text)?)
    }
}
