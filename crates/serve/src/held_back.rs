//! A lead that is held back from prioritizing, as everybody sees it who works on it: nothing that is
//! made of its score.

use crate::auth::Caller;
use crate::hooks::CROSSINGS;
use crate::{EventLine, LeadDetail, LeadScore, Word, WordKind};

/// Whether a caller may see a score.
pub(crate) fn may_see(caller: &Caller, score: &LeadScore) -> bool {
    !score.held_back || caller.role.sees_held_back(caller.owner.as_deref())
}

/// Whether a caller may say this of a lead: that a score is wrong, only of one that they see.
pub(crate) fn may_say(caller: &Caller, score: &LeadScore, said: WordKind) -> bool {
    said != WordKind::Wrong || may_see(caller, score)
}

/// Everything of a lead but what is made of its score.
pub(crate) struct HeldBackLead<'d> {
    pub(crate) lead: &'d str,
    pub(crate) name: &'d str,
    pub(crate) owner: Option<&'d str>,
    pub(crate) shown: &'d [(String, String)],
    pub(crate) age_days: f64,
    /// The last word of sales.
    pub(crate) word: Option<&'d Word>,
    pub(crate) words: &'d [Word],
    /// Without thresholds that it crossed when it was not held back: they have its likelihood.
    pub(crate) events: Vec<&'d EventLine>,
}

impl<'d> HeldBackLead<'d> {
    pub(crate) fn of(detail: &'d LeadDetail) -> Self {
        let row = &detail.row;
        let is_crossing =
            |event: &&EventLine| CROSSINGS.strip_prefix("activities.") == Some(&event.table);
        Self {
            lead: &row.score.lead,
            name: &row.name,
            owner: row.owner.as_deref(),
            shown: &row.shown,
            age_days: row.age_days,
            word: row.word.as_ref(),
            words: &detail.words,
            events: detail
                .events
                .iter()
                .filter(|event| !is_crossing(event))
                .collect(),
        }
    }
}
