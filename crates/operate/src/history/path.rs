//! The path of one lead through a history, and what changed from moment to moment, as differences
//! that add up to the difference of its log-odds.

mod change;
mod row;

use std::collections::BTreeSet;
use std::path::Path;

use leadscore::{OutColumn, OutTable};
use leadscore_config::nearest;
use leadscore_core::{Span, Timestamp, log_odds_to_probability};
use leadscore_io::in_order;
use serde::Serialize;

pub use self::change::{Basis, Change, ChangeItem};
use self::row::{Score, find_row, read_row};
use super::History;
use super::error::HistoryError;
use super::json::{as_optional_text, as_text};
use super::place::{Place, places};
use super::read::{for_each_id, open};

/// What of a path is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PathOptions {
    /// The path begins at this moment; default: with the first scores of the lead. What changed is
    /// then since the first scores from this moment on; by default since a week before the last
    /// ones.
    pub since: Option<Timestamp>,
}

/// What was predicted for one lead.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LeadPath {
    /// The lead's id.
    pub lead: String,
    /// The moments that have it, earliest first; at least one.
    pub points: Vec<PathPoint>,
    /// What changed over the last week, or since the moment that was asked for; `None` where the
    /// lead has no two scores to compare.
    pub change: Option<Change>,
    /// The first moment after the last one of the lead, where the history goes on without it.
    #[serde(serialize_with = "as_optional_text")]
    pub absent_from: Option<Timestamp>,
}

/// One moment of a lead.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PathPoint {
    /// The moment.
    #[serde(serialize_with = "as_text")]
    pub as_of: Timestamp,
    /// The model that predicted.
    pub model_id: String,
    /// What the scores say of the lead.
    #[serde(flatten)]
    pub standing: Standing,
}

/// What scores say of a lead.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(tag = "standing", rename_all = "lowercase")]
pub enum Standing {
    /// It was open.
    Open(Box<OpenPoint>),
    /// It had been won before.
    Won,
}

/// The score of an open lead.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct OpenPoint {
    /// The likelihood in per cent.
    pub likelihood_to_close: f64,
    /// The tier.
    pub contact_priority: &'static str,
    /// The log-odds.
    pub log_odds: f64,
    /// Whether it was held back; `None` where nobody was.
    pub held_back: Option<bool>,
    /// What was unlike training.
    pub guard: Option<String>,
    /// The reasons that the scores name.
    pub reasons: Vec<NamedReason>,
    /// What changed since the moment before that has a score of the lead.
    pub change: Option<Change>,
}

/// A reason that the scores of a lead name.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct NamedReason {
    /// In words.
    pub text: String,
    /// Its contribution.
    pub log_odds: f64,
}

impl History {
    /// The path of a lead.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Empty`], [`HistoryError::UnknownLead`], [`HistoryError::NotSince`]; those of
    /// [`History::read`].
    pub fn path(&self, lead: &str, options: &PathOptions) -> Result<LeadPath, HistoryError> {
        let all = places(&self.folder)?;
        if all.is_empty() {
            return Err(HistoryError::Empty {
                path: self.folder.clone(),
            });
        }
        let (asked, before): (Vec<Place>, Vec<Place>) = all
            .into_iter()
            .partition(|place| options.since.is_none_or(|since| place.moment >= since));
        let found = self.find(&asked, lead)?;
        let Some((last, _)) = found.last() else {
            return Err(self.not_found(lead, &before, options)?);
        };
        let absent_from = asked
            .iter()
            .map(|place| place.moment)
            .find(|moment| moment > last);
        let scores: Vec<(Timestamp, Score)> = found
            .iter()
            .filter_map(|(moment, row)| Some((*moment, row.score.clone()?)))
            .collect();
        Ok(LeadPath {
            lead: lead.to_owned(),
            change: change_over_time(&scores, options),
            points: points(found),
            absent_from,
        })
    }

    /// The rows of a lead, moment by moment.
    fn find(
        &self,
        places: &[Place],
        lead: &str,
    ) -> Result<Vec<(Timestamp, row::Row)>, HistoryError> {
        let files: Vec<(Timestamp, &Path)> = places
            .iter()
            .flat_map(|place| {
                place
                    .files
                    .iter()
                    .map(|path| (place.moment, path.as_path()))
            })
            .collect();
        let mut rows = Vec::new();
        in_order(
            files.len(),
            std::thread::available_parallelism().map_or(1, usize::from),
            |piece| {
                let (moment, path) = files[piece];
                let file = open(path, &self.id_column)?;
                let row = find_row(&file, &self.id_column, lead)?;
                let row = row.map(|row| read_row(&file, row, moment)).transpose()?;
                Ok(row.map(|row| (moment, row)))
            },
            |row| {
                rows.extend(row);
                Ok::<(), HistoryError>(())
            },
        )?;
        Ok(rows)
    }

    /// Why no moment that is asked for has a lead.
    fn not_found(
        &self,
        lead: &str,
        before: &[Place],
        options: &PathOptions,
    ) -> Result<HistoryError, HistoryError> {
        if let Some(since) = options.since
            && let Some((last, _)) = self.find(before, lead)?.pop()
        {
            return Ok(HistoryError::NotSince {
                lead: lead.to_owned(),
                since,
                last,
            });
        }
        let mut ids: BTreeSet<String> = BTreeSet::new();
        for file in places(&self.folder)?
            .iter()
            .rev()
            .take(1)
            .flat_map(|place| &place.files)
        {
            let frame = open(file, &self.id_column)?.read(&[&self.id_column])?;
            for_each_id(&frame, &self.id_column, |_, id| {
                ids.extend(id.map(str::to_owned));
            });
        }
        Ok(HistoryError::UnknownLead {
            lead: lead.to_owned(),
            path: self.folder.clone(),
            nearest: nearest(lead, ids.iter().map(String::as_str)).map(str::to_owned),
        })
    }
}

/// Rows as points, each with what changed since the one before it that has a score.
fn points(rows: Vec<(Timestamp, row::Row)>) -> Vec<PathPoint> {
    let mut before: Option<(Timestamp, Score)> = None;
    let mut points = Vec::with_capacity(rows.len());
    for (moment, row) in rows {
        let standing = match row.score {
            None => Standing::Won,
            Some(score) => {
                let change = before
                    .as_ref()
                    .map(|(earlier, before)| Change::between((*earlier, before), (moment, &score)));
                before = Some((moment, score.clone()));
                Standing::Open(Box::new(open_point(score, change)))
            }
        };
        points.push(PathPoint {
            as_of: moment,
            model_id: row.model_id,
            standing,
        });
    }
    points
}

/// A score as a point.
fn open_point(score: Score, change: Option<Change>) -> OpenPoint {
    let reason = |(text, log_odds)| NamedReason { text, log_odds };
    OpenPoint {
        likelihood_to_close: 100.0 * log_odds_to_probability(score.log_odds),
        contact_priority: score.tier.name(),
        log_odds: score.log_odds,
        held_back: score.held_back,
        guard: score.guard,
        reasons: score.named.into_iter().map(reason).collect(),
        change,
    }
}

/// What changed until the last score: since the first one from a moment on, or else since the last
/// one that is a week older, or the first of all.
fn change_over_time(scores: &[(Timestamp, Score)], options: &PathOptions) -> Option<Change> {
    let ((last, now), earlier) = scores.split_last()?;
    let first = earlier.first()?;
    let (moment, before) = match options.since {
        Some(_) => first,
        None => {
            let week_before = *last - Span::from_days(7);
            let old = earlier.iter().rfind(|(moment, _)| *moment <= week_before);
            old.unwrap_or(first)
        }
    };
    Some(Change::between((*moment, before), (*last, now)))
}

impl LeadPath {
    /// A row for each moment.
    pub fn table(&self) -> OutTable {
        let mut table = OutTable::default();
        let open: Vec<Option<&OpenPoint>> = self
            .points
            .iter()
            .map(|point| match &point.standing {
                Standing::Open(open) => Some(open.as_ref()),
                Standing::Won => None,
            })
            .collect();
        let number = |value: fn(&OpenPoint) -> f64| {
            OutColumn::Number(
                open.iter()
                    .map(|open| open.map_or(f64::NAN, value))
                    .collect(),
            )
        };
        let text = |value: &dyn Fn(&OpenPoint) -> Option<String>, won: Option<&str>| {
            let cell = |open: &Option<&OpenPoint>| match open {
                Some(open) => value(open),
                None => won.map(str::to_owned),
            };
            OutColumn::Text(open.iter().map(cell).collect())
        };
        let times = self.points.iter().map(|point| Some(point.as_of)).collect();
        let models = self.points.iter().map(|point| Some(point.model_id.clone()));
        table.push("as_of", OutColumn::Time(times));
        table.push(
            "likelihood_to_close",
            number(|open| open.likelihood_to_close),
        );
        table.push(
            "contact_priority",
            text(
                &|open| Some(open.contact_priority.to_owned()),
                Some(leadscore_core::ContactPriority::ClosedWon.name()),
            ),
        );
        table.push("log_odds", number(|open| open.log_odds));
        table.push(
            "log_odds_change",
            number(|open| {
                open.change
                    .as_ref()
                    .map_or(f64::NAN, |change| change.log_odds)
            }),
        );
        table.push(
            "largest_change",
            text(
                &|open| {
                    let largest = open.change.as_ref()?.items.first()?;
                    Some(leadscore_inference::signed(
                        &largest.what,
                        largest.difference,
                    ))
                },
                None,
            ),
        );
        table.push("guard", text(&|open| open.guard.clone(), None));
        table.push("model_id", OutColumn::Text(models.collect()));
        table
    }
}
