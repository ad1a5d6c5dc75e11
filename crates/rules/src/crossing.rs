//! When a lead's points first reached a threshold, and since when they have stood there: day by
//! day, as each day saw it.

use leadscore_core::{Snapshot, Span, Timestamp};
use leadscore_dataset::Tables;

use crate::bind::BoundRules;
use crate::rules_file::Grade;
use crate::score::RulesError;

/// A lead and a threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Crossing {
    /// The first midnight at which the points were reached; `None` if never.
    pub first: Option<Timestamp>,
    /// The midnight from which on they have been, without a day below; `None` if they are not now.
    pub since: Option<Timestamp>,
}

/// Snapshots that are scored at once.
const AT_ONCE: usize = 200_000;

impl BoundRules {
    /// For each lead and each threshold, when it was reached: at midnights of UTC after the lead
    /// was created, and at `as_of`.
    ///
    /// Who is disqualified on a day reaches nothing on it. A lead without a time of creation has no
    /// days.
    ///
    /// # Errors
    ///
    /// Those of [`BoundRules::score`].
    pub fn crossings(
        &self,
        tables: &Tables,
        leads: &[u32],
        as_of: Timestamp,
        thresholds: &[Grade],
    ) -> Result<Vec<Vec<Crossing>>, RulesError> {
        let day = Span::from_days(1);
        let mut found = vec![vec![Crossing::default(); thresholds.len()]; leads.len()];
        let mut waiting: Vec<(usize, Snapshot)> = Vec::new();
        let mut flush = |waiting: &mut Vec<(usize, Snapshot)>| -> Result<(), RulesError> {
            let snapshots: Vec<Snapshot> = waiting.iter().map(|(_, snapshot)| *snapshot).collect();
            for ((place, snapshot), score) in waiting.drain(..).zip(self.score(tables, &snapshots)?)
            {
                for (crossing, threshold) in found[place].iter_mut().zip(thresholds) {
                    if score.points >= threshold.from && score.disqualified_by.is_none() {
                        crossing.first = crossing.first.or(Some(snapshot.at));
                        crossing.since = crossing.since.or(Some(snapshot.at));
                    } else {
                        crossing.since = None;
                    }
                }
            }
            Ok(())
        };
        for (place, &lead) in leads.iter().enumerate() {
            let Some(created) = tables.leads.created[lead as usize] else {
                continue;
            };
            let mut at = created.start.next_midnight();
            while at < as_of {
                waiting.push((place, Snapshot { lead, at }));
                at = at + day;
                if waiting.len() >= AT_ONCE {
                    flush(&mut waiting)?;
                }
            }
            waiting.push((place, Snapshot { lead, at: as_of }));
        }
        flush(&mut waiting)?;
        Ok(found)
    }
}
