//! The track record: what became of leads of each tier, of scores of the history whose window has
//! ended.

use std::collections::HashSet;
use std::sync::PoisonError;

use leadscore::Timeline;
use leadscore_core::{ContactPriority, Span, Timestamp, log_odds_to_probability};
use leadscore_operate::weekly;
use leadscore_serve::TierRecord;

use super::EngineError;
use super::arm_records::ArmRecords;
use super::shared::Shared;

/// Scores that are older than a window and this tell of another time.
const LOOK_BACK: Span = Span::from_days(365);
/// Moments that are read, a week apart, the latest ones.
const MOST_MOMENTS: usize = 13;

impl Shared {
    /// Computes the track record by the score history: each lead counts once, by its latest score
    /// whose window has ended, whichever model made it.
    pub(super) fn read_record(
        &self,
        timeline: &Timeline,
        now: Timestamp,
    ) -> Result<(), EngineError> {
        let horizon = self.config().settings().snapshots.horizon;
        let ripe: Vec<Timestamp> = self
            .history
            .moments()?
            .into_iter()
            .filter(|&moment| moment + horizon <= now && moment + horizon >= now - LOOK_BACK)
            .collect();
        let ripe: Vec<Timestamp> = weekly(&ripe).into_iter().rev().take(MOST_MOMENTS).collect();
        if ripe.is_empty() {
            return Ok(());
        }
        let read = self.history.read(&ripe)?;
        let mut record = ArmRecords {
            prioritized: nothing().to_vec(),
            held_back: Vec::new(),
        };
        let mut seen: HashSet<u32> = HashSet::new();
        for moment in read.moments.iter().rev() {
            for (row, &lead) in moment.leads.iter().enumerate() {
                let Some(number) = timeline.number(read.id(lead)) else {
                    continue;
                };
                let is_held_back = moment.held_back.as_ref().is_some_and(|arm| arm[row]);
                let records = if is_held_back {
                    if record.held_back.is_empty() {
                        record.held_back = nothing().to_vec();
                    }
                    &mut record.held_back
                } else {
                    &mut record.prioritized
                };
                let record = records
                    .iter_mut()
                    .find(|record| record.tier == moment.tiers[row]);
                let Some(record) = record.filter(|_| seen.insert(lead)) else {
                    continue;
                };
                let won = timeline.win_since(number, moment.moment);
                record.n += 1;
                record.n_won += usize::from(won.is_some_and(|won| won < moment.moment + horizon));
                record.predicted += log_odds_to_probability(moment.log_odds[row]);
            }
        }
        *self.record.write().unwrap_or_else(PoisonError::into_inner) = record;
        Ok(())
    }
}

/// No lead of any tier yet.
fn nothing() -> [TierRecord; 4] {
    ContactPriority::QUARTILES.map(|tier| TierRecord {
        tier,
        n: 0,
        n_won: 0,
        predicted: 0.0,
    })
}
