//! A history by week: how many leads were open, where tiers began, how many leads changed theirs.

use leadscore::{OutColumn, OutTable};
use leadscore_core::{ContactPriority, Timestamp};
use serde::Serialize;

use super::History;
use super::error::HistoryError;
use super::json::as_text;
use super::migration::Migration;
use super::place::places;
use super::read::{ReadHistory, ScoredMoment};

/// Moments of a history in figures, earliest first.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct HistorySummary {
    /// The moments.
    pub moments: Vec<MomentSummary>,
}

/// One moment in figures.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MomentSummary {
    /// The moment.
    #[serde(serialize_with = "as_text")]
    pub as_of: Timestamp,
    /// The model that predicted.
    pub model_id: String,
    /// Open leads.
    pub n_open: usize,
    /// Their mean likelihood in per cent; `None` where there are none.
    pub mean_likelihood: Option<f64>,
    /// The lowest likelihood, in per cent, of the tiers Very high, High and Medium; `None` of an
    /// empty tier.
    pub tier_edges: [Option<f64>; 3],
    /// Open leads that were held back; `None` where nobody was.
    pub n_held_back: Option<usize>,
    /// Open leads with something unlike training; `None` where the model did not know what training
    /// saw.
    pub n_guarded: Option<usize>,
    /// Earlier scores of the same moment, which do not count any more.
    pub n_replaced: usize,
    /// What changed since the moment before; `None` for the first.
    pub migration: Option<Migration>,
}

/// The last moment of each week, which begins on Monday, 00:00 UTC.
pub fn weekly(moments: &[Timestamp]) -> Vec<Timestamp> {
    // 1970-01-05 was a Monday.
    const FIRST_MONDAY: i64 = 4 * 86_400_000_000;
    const WEEK: i64 = 7 * 86_400_000_000;
    let week = |at: &Timestamp| (at.micros() - FIRST_MONDAY).div_euclid(WEEK);
    moments
        .chunk_by(|a, b| week(a) == week(b))
        .filter_map(|same| same.last().copied())
        .collect()
}

impl History {
    /// The history in figures: the last moment of each week, or all moments, from one on if it is
    /// given.
    ///
    /// # Errors
    ///
    /// [`HistoryError::Empty`] where there are no scores from then on; those of
    /// [`History::read`].
    pub fn summary(
        &self,
        since: Option<Timestamp>,
        all: bool,
    ) -> Result<HistorySummary, HistoryError> {
        let mut places = self.places_since(since)?;
        let moments: Vec<Timestamp> = places.iter().map(|place| place.moment).collect();
        if moments.is_empty() {
            return Err(self.nothing_since(since)?);
        }
        if !all {
            let weekly = weekly(&moments);
            places.retain(|place| weekly.contains(&place.moment));
        }
        Ok(HistorySummary::of(&self.read_places(&places)?))
    }

    /// Why there is nothing from a moment on.
    pub(super) fn nothing_since(
        &self,
        since: Option<Timestamp>,
    ) -> Result<HistoryError, HistoryError> {
        let all = places(&self.folder)?;
        let path = self.folder.clone();
        Ok(match since.zip(all.last()) {
            None => HistoryError::Empty { path },
            Some((since, last)) => HistoryError::NothingSince {
                path,
                since,
                last: last.moment,
            },
        })
    }
}

impl HistorySummary {
    /// The figures of all moments that were read.
    pub fn of(history: &ReadHistory) -> Self {
        let before = std::iter::once(None).chain(history.moments.iter().map(Some));
        let moments = before
            .zip(&history.moments)
            .map(|(before, now)| MomentSummary {
                migration: before.map(|before| Migration::between(before, now, history.n_leads())),
                ..MomentSummary::of(now)
            });
        Self {
            moments: moments.collect(),
        }
    }

    /// A row for each moment.
    pub fn table(&self) -> OutTable {
        let mut table = OutTable::default();
        let rows = &self.moments;
        let number = |value: fn(&MomentSummary) -> Option<f64>| {
            OutColumn::Number(
                rows.iter()
                    .map(|row| value(row).unwrap_or(f64::NAN))
                    .collect(),
            )
        };
        let whole = |value: fn(&MomentSummary) -> Option<usize>| {
            let value = |row| value(row).and_then(|value| i64::try_from(value).ok());
            OutColumn::Integer(rows.iter().map(value).collect())
        };
        let moved = |row: &MomentSummary| row.migration.clone();
        let times = rows.iter().map(|row| Some(row.as_of)).collect();
        let models = rows.iter().map(|row| Some(row.model_id.clone())).collect();
        let moved_whole = |value: fn(Migration) -> usize| {
            let value = |row| moved(row).and_then(|moved| i64::try_from(value(moved)).ok());
            OutColumn::Integer(rows.iter().map(value).collect())
        };
        table.push("as_of", OutColumn::Time(times));
        table.push("model_id", OutColumn::Text(models));
        table.push("n_open", whole(|row| Some(row.n_open)));
        table.push("mean_likelihood", number(|row| row.mean_likelihood));
        table.push("very_high_from", number(|row| row.tier_edges[0]));
        table.push("high_from", number(|row| row.tier_edges[1]));
        table.push("medium_from", number(|row| row.tier_edges[2]));
        let churn = rows
            .iter()
            .map(|row| moved(row).and_then(|moved| moved.churn).unwrap_or(f64::NAN));
        table.push("tier_churn", OutColumn::Number(churn.collect()));
        table.push("n_new", moved_whole(|moved| moved.n_new));
        table.push("n_gone", moved_whole(|moved| moved.n_gone));
        table.push("n_won", moved_whole(|moved| moved.n_won));
        table.push("n_held_back", whole(|row| row.n_held_back));
        table.push("n_guarded", whole(|row| row.n_guarded));
        table
    }
}

impl MomentSummary {
    /// A moment by itself.
    fn of(moment: &ScoredMoment) -> Self {
        let likelihoods: Vec<f64> = moment.probabilities().iter().map(|p| 100.0 * p).collect();
        let n_open = likelihoods.len();
        let lowest = |tier: ContactPriority| {
            likelihoods
                .iter()
                .zip(&moment.tiers)
                .filter(|(_, own)| **own == tier)
                .map(|(likelihood, _)| *likelihood)
                .reduce(f64::min)
        };
        let [first, second, third, _] = ContactPriority::QUARTILES;
        Self {
            as_of: moment.moment,
            model_id: moment.model_id.clone(),
            n_open,
            mean_likelihood: (n_open > 0).then(|| likelihoods.iter().sum::<f64>() / n_open as f64),
            tier_edges: [first, second, third].map(lowest),
            n_held_back: moment
                .held_back
                .as_ref()
                .map(|held| held.iter().filter(|held| **held).count()),
            n_guarded: moment.n_guarded,
            n_replaced: moment.n_replaced,
            migration: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn weeks_end_with_their_last_moment() {
        let at = |text: &str| text.parse::<Timestamp>().expect("a moment");
        // 2025-06-30 is a Monday.
        let nights = [
            "2025-06-27",
            "2025-06-29",
            "2025-06-29T23:59:59Z",
            "2025-06-30",
            "2025-07-06",
            "2025-07-14",
        ]
        .map(at);
        let expected = ["2025-06-29T23:59:59Z", "2025-07-06", "2025-07-14"].map(at);
        assert_eq!(weekly(&nights), expected);
        assert_eq!(weekly(&[]), []);
        assert_eq!(weekly(&[at("1969-12-31")]), [at("1969-12-31")]);
    }
}
