//! Scores and leads as far as a caller may see them, as JSON.

use schemars::JsonSchema;
use serde::Serialize;

use crate::api::views::{DetailView, EventView, NamedText, Reasons, ScoreView, WordView, named};
use crate::auth::Caller;
use crate::engine::{LeadDetail, LeadScore};
use crate::held_back::{HeldBackLead, may_see};
use crate::problem::ProblemView;

/// A lead that has no score, in its place among those that have.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "NoScore")]
pub(crate) struct NoScoreView {
    /// The lead.
    pub(crate) lead: String,
    /// Why it has none.
    pub(crate) error: ProblemView,
}

/// A lead that is held back from prioritizing, in the place of its score, for everybody but an admin
/// without an owner.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "HeldBackScore")]
pub(crate) struct WithheldView {
    /// The lead.
    lead: String,
    /// That it is held back.
    #[schemars(extend("const" = true))]
    held_back: bool,
    /// Why its score is not here.
    withheld: &'static str,
}

impl WithheldView {
    fn new(lead: &str) -> Self {
        Self {
            lead: lead.to_owned(),
            held_back: true,
            withheld: "the lead is held back from prioritizing, to measure what that does: work on it \
                as if there were no scores, in the order in which it came",
        }
    }
}

/// A score, or why there is none.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum ScoreOrNot {
    Score(Box<ScoreView>),
    HeldBack(WithheldView),
    NoScore(Box<NoScoreView>),
}

impl ScoreOrNot {
    /// A score, as far as the caller may see it.
    pub(crate) fn new(score: &LeadScore, caller: &Caller, reasons: Reasons) -> Self {
        if may_see(caller, score) {
            Self::Score(Box::new(ScoreView::new(score, reasons)))
        } else {
            Self::HeldBack(WithheldView::new(&score.lead))
        }
    }
}

/// Scores, in the order of the request.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub(crate) struct Scores {
    /// One for each lead that was asked for.
    pub(crate) scores: Vec<ScoreOrNot>,
}

/// A lead that is held back from prioritizing: everything of it but what is made of its score.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[schemars(rename = "HeldBackLead")]
pub(crate) struct HeldBackView {
    /// How people call it.
    name: String,
    /// Who works on it.
    owner: Option<String>,
    /// Age in days.
    age_days: f64,
    /// Further columns, as the config names them.
    shown: Vec<NamedText>,
    /// Why there is no score.
    score: WithheldView,
    /// The last word of sales.
    word: Option<WordView>,
    /// What it did, latest first, without thresholds that it crossed.
    events: Vec<EventView>,
    /// All words of sales, latest first.
    words: Vec<WordView>,
}

/// Everything of a lead that the caller may see.
#[derive(Debug, Clone, Serialize, JsonSchema)]
#[serde(untagged)]
pub(crate) enum DetailOrNot {
    Detail(Box<DetailView>),
    HeldBack(Box<HeldBackView>),
}

impl DetailOrNot {
    pub(crate) fn new(detail: &LeadDetail, caller: &Caller) -> Self {
        if may_see(caller, &detail.row.score) {
            Self::Detail(Box::new(DetailView::new(detail)))
        } else {
            Self::HeldBack(Box::new(HeldBackView::new(&HeldBackLead::of(detail))))
        }
    }
}

impl HeldBackView {
    fn new(of: &HeldBackLead) -> Self {
        Self {
            name: of.name.to_owned(),
            owner: of.owner.map(ToOwned::to_owned),
            age_days: of.age_days,
            shown: named(of.shown),
            score: WithheldView::new(of.lead),
            word: of.word.map(WordView::new),
            events: of.events.iter().copied().map(EventView::new).collect(),
            words: of.words.iter().map(WordView::new).collect(),
        }
    }
}
