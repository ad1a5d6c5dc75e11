//! What the server asks of whoever makes the scores.

use leadscore_core::{ContactPriority, FeatureKind, Timestamp};
use leadscore_store::{Appended, NewEvent};
use serde_json::Value;

/// Makes scores of the leads of a store, always as of the moment of asking.
///
/// Calls may come from several threads at once. None may wait for the network.
pub trait Engine: Send + Sync + 'static {
    /// The model that scores now.
    fn model(&self) -> ModelFacts;

    /// Whether the queue is there, or why not yet.
    fn ready(&self) -> Result<(), String>;

    /// Makes events of rows as callers write them: `{"id", "table", "row"}`; the error says for
    /// each row that cannot be meant which field is wrong.
    fn read_events(&self, rows: &[Value]) -> Result<Vec<NewEvent>, Vec<FieldError>>;

    /// Appends events; `done` is called once they are durable, and known to every later score.
    fn append(&self, events: Vec<NewEvent>, done: Box<dyn FnOnce(AppendResult) + Send>);

    /// Scores one lead of the store now, with all of its reasons.
    fn score(&self, lead: &str) -> Result<LeadScore, NoScore>;

    /// Scores a lead that is in no table: its columns, `activities` and `lookups` as JSON.
    fn score_raw(&self, lead: &Value) -> Result<LeadScore, NoScore>;

    /// Probabilities of rows of features, for callers that compute features themselves; `columns`
    /// are the model's features by name.
    fn infer(&self, columns: &[(String, InferColumn)]) -> Result<Vec<f64>, String>;

    /// Open leads, best first, as of the last refresh, each row scored at the moment of asking. Leads
    /// that are held back from prioritizing are not among them.
    fn queue(&self, query: &QueueQuery) -> Result<Queue, NoScore>;

    /// Open leads that are held back from prioritizing, in the order in which they came, the latest
    /// first; default: nobody is. Nothing of a score is in the rows, nor in their order.
    fn held_back(&self, query: &HeldBackQuery) -> Result<HeldBack, NoScore> {
        let _ = query;
        Ok(HeldBack::default())
    }

    /// Everything that a lead's page shows; its change is since yesterday.
    fn lead(&self, lead: &str) -> Result<LeadDetail, NoScore>;

    /// The same, with its change since another moment; default: an engine that has the scores of one
    /// moment only, and says in [`Change::since`] of which.
    fn lead_since(&self, lead: &str, compare_with: Timestamp) -> Result<LeadDetail, NoScore> {
        let _ = compare_with;
        self.lead(lead)
    }

    /// Who works on a lead; `None`: nobody. Who may see only the leads of one owner is asked about
    /// here first.
    fn owner(&self, lead: &str) -> Result<Option<String>, NoScore> {
        self.lead(lead).map(|detail| detail.row.owner)
    }

    /// The word on a lead whose event has this ID; `None` where there is none.
    fn word(&self, lead: &str, event: &str) -> Result<Option<Word>, NoScore>;

    /// Removes everything of a lead from the store, its scores and the engine's logs, and proves it.
    fn forget(&self, lead: &str) -> Result<Forgotten, NoScore>;

    /// The moment by which the queue was last put in order; `None`: it is not there yet.
    fn ordered_at(&self) -> Option<Timestamp> {
        let query = QueueQuery {
            limit: 1,
            ..QueueQuery::default()
        };
        self.queue(&query).ok().map(|queue| queue.ordered_at)
    }

    /// Owners of open leads, with how many each has, by name.
    fn owners(&self) -> Vec<(String, usize)>;

    /// What became of the leads of each tier, of scores whose window has ended; of leads that were
    /// prioritized.
    fn track_record(&self) -> Vec<TierRecord>;

    /// The same of leads that were held back; default: nobody was.
    fn track_record_of_held_back(&self) -> Vec<TierRecord> {
        Vec::new()
    }
}

/// The values of one feature in rows that a caller computed.
#[derive(Debug, Clone, PartialEq)]
pub enum InferColumn {
    /// Of a number; NaN where missing.
    Numbers(Vec<f64>),
    /// Of a category; `None` where missing.
    Texts(Vec<Option<String>>),
}

impl InferColumn {
    /// Number of rows.
    pub fn n_rows(&self) -> usize {
        match self {
            Self::Numbers(values) => values.len(),
            Self::Texts(values) => values.len(),
        }
    }
}

/// What was removed of a lead.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Events.
    pub n_events: usize,
    /// Scores and answers of logs.
    pub n_scores: usize,
    /// What a search for the ID found afterwards, everywhere; 0 is the proof.
    pub n_left: usize,
}

/// What [`Engine::append`] ends with.
pub type AppendResult = Result<Appended, leadscore_store::StoreError>;

/// A field of a row that cannot be meant.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FieldError {
    /// Where it is, as a JSON pointer from the body: `/3/row/at`.
    pub pointer: String,
    /// What is wrong: a lower-case sentence.
    pub detail: String,
    /// What to do.
    pub hint: String,
}

/// Why a lead has no score.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum NoScore {
    /// The store has neither the lead nor events of it.
    #[error("there is no lead `{0}`")]
    Unknown(String),
    /// There are events of it, but no row of `leads` yet.
    #[error("lead `{0}` has events, and no row in `leads` yet")]
    Waiting(String),
    /// It is not open.
    #[error("lead `{lead}` is not open: {why}")]
    NotOpen {
        /// The lead.
        lead: String,
        /// Won, lost, silent, created later.
        why: String,
    },
    /// What was given is not what the model reads: everything that is wrong with it.
    #[error("{}", .0.first().map_or("what was given cannot be read", |field| &field.detail))]
    Refused(Vec<FieldError>),
    /// The queue is not there yet.
    #[error("scores are being computed")]
    NotReady,
    /// The store cannot be read for now; the message is for the log, not for the caller.
    #[error("the store cannot be read for now")]
    Away(String),
    /// The engine failed; the message is for the log, not for the caller.
    #[error("the score cannot be computed")]
    Failed(String),
}

impl NoScore {
    /// Whether the lead itself is why: it is in no queue. Otherwise nothing is known of it.
    pub fn is_of_lead(&self) -> bool {
        match self {
            Self::NotOpen { .. } | Self::Unknown(_) | Self::Waiting(_) => true,
            Self::Refused(_) | Self::NotReady | Self::Away(_) | Self::Failed(_) => false,
        }
    }
}

/// The model that scores.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct ModelFacts {
    /// Its ID in the registry, or the hash of its file.
    pub id: String,
    /// Its name for the inference protocol.
    pub name: String,
    /// The horizon in days.
    pub horizon_days: f64,
    /// Training cutoff, as text.
    pub training_cutoff: Option<String>,
    /// Its features, in order.
    pub features: Vec<FeatureFacts>,
    /// What limits it, in sentences.
    pub limitations: Vec<String>,
    /// What `models why` says, where it is a champion.
    pub why: Option<String>,
}

/// A feature of the model.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct FeatureFacts {
    /// Its name.
    pub name: String,
    /// Number or category.
    pub kind: FeatureKind,
}

/// A lead's score at a moment.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadScore {
    /// Its ID.
    pub lead: String,
    /// The moment of the score: what was recorded at or after it is not in it.
    pub at: Timestamp,
    /// The model.
    pub model: String,
    /// Likelihood to close within the horizon, 0 to 100.
    pub likelihood: f64,
    /// Its natural log-odds.
    pub log_odds: f64,
    /// Log-odds before any reason.
    pub baseline: f64,
    /// Contact priority.
    pub tier: ContactPriority,
    /// All reasons, those that move the score most first; with `baseline` they add up to `log_odds`.
    pub reasons: Vec<Reason>,
    /// What about the lead is unlike training, if anything.
    pub outside: Option<String>,
    /// Whether it is held back from prioritizing.
    pub held_back: bool,
    /// Hash of the rows that it was made from.
    pub input_hash: String,
    /// Hash of its features' bits.
    pub feature_hash: String,
}

/// What the rules make of a lead at the moment of its score.
#[derive(Debug, Clone, PartialEq)]
pub struct PointsOfRules {
    /// Tells these rules from others.
    pub rules: String,
    /// All points together; `None` where the lead does not have the score of the rules.
    pub points: Option<f64>,
    /// Whether a rule disqualifies the lead, which then reaches no points and is in no cell.
    pub is_disqualified: bool,
    /// The cell of the rules' matrix that the lead is in.
    pub cell: Option<MatrixCell>,
}

/// A cell of the rules' matrix.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MatrixCell {
    /// Its name: that of its row and that of its column, such as A1.
    pub label: String,
    /// What the rules say to do there.
    pub action: Option<String>,
}

/// One reason of a score.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Reason {
    /// What it is about, such as `touches` or `seats`.
    pub concept: String,
    /// The reason as people read it.
    pub text: String,
    /// What it adds, in natural log-odds.
    pub log_odds: f64,
}

/// What of the queue is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QueueQuery {
    /// Only leads of this tier.
    pub tier: Option<ContactPriority>,
    /// Only leads of this owner.
    pub owner: Option<String>,
    /// Only leads whose ID, name or shown columns have this text.
    pub search: Option<String>,
    /// Only leads whose likelihood changed by a point or more since.
    pub changed_since: Option<Timestamp>,
    /// The moment whose scores [`QueueRow::change`] compares with; default: yesterday's. An engine
    /// that does not have those scores compares with the next ones that it has, and says so in
    /// [`Change::since`].
    pub compare_with: Option<Timestamp>,
    /// Only leads that crossed this threshold in the last seven days.
    pub crossed: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows at most; 1 to 500.
    pub limit: usize,
}

/// A page of the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct Queue {
    /// The moment of asking.
    pub at: Timestamp,
    /// The moment by which rows were put in order.
    pub ordered_at: Timestamp,
    /// Open leads that the query matches, without those that are held back.
    pub n_matching: usize,
    /// Open leads of the query's owner and search that are held back. Its other filters do not count
    /// here: they would tell what the score of a held-back lead is.
    pub n_held_back: usize,
    /// Whether the order is another one than that of the page before, which is kept for some minutes:
    /// a lead may then be on both pages, or on none.
    pub is_reordered: bool,
    /// How many of the matching leads can be called today: those that are above the line that
    /// `capacity` of `[report]` draws in the whole queue.
    pub capacity: Option<usize>,
    /// The rows, best first.
    pub rows: Vec<QueueRow>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<String>,
}

/// What of the held-back leads is asked for.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeldBackQuery {
    /// Only leads of this owner.
    pub owner: Option<String>,
    /// Only leads whose ID, name or shown columns have this text.
    pub search: Option<String>,
    /// Where the page before ended.
    pub cursor: Option<String>,
    /// Rows at most; 1 to 500.
    pub limit: usize,
}

/// A page of held-back leads.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct HeldBack {
    /// Open leads that are held back and that the query matches.
    pub n_matching: usize,
    /// The rows, latest lead first.
    pub rows: Vec<HeldBackRow>,
    /// Where the next page starts; `None` on the last one.
    pub next: Option<String>,
}

/// A lead that is held back: what people may see of it, which is nothing of its score.
#[derive(Debug, Clone, PartialEq)]
pub struct HeldBackRow {
    /// Its ID.
    pub lead: String,
    /// How people call the lead.
    pub name: String,
    /// Who works on it.
    pub owner: Option<String>,
    /// Further columns that the config shows: name, value.
    pub shown: Vec<(String, String)>,
    /// Age of the lead in days.
    pub age_days: f64,
    /// The last word of sales.
    pub word: Option<Word>,
}

/// A row of the queue.
#[derive(Debug, Clone, PartialEq)]
pub struct QueueRow {
    /// Its place among the leads that the query matches, from 1.
    pub rank: usize,
    /// How people call the lead.
    pub name: String,
    /// Who works on it.
    pub owner: Option<String>,
    /// Further columns that the config shows: name, value.
    pub shown: Vec<(String, String)>,
    /// The score now.
    pub score: LeadScore,
    /// What changed since the score of [`QueueQuery::compare_with`], if anything.
    pub change: Option<Change>,
    /// Age of the lead in days.
    pub age_days: f64,
    /// Points of the rules at the moment of the score, where there are any.
    pub points: Option<f64>,
    /// The cell of the rules' matrix then, where there is one.
    pub cell: Option<MatrixCell>,
    /// The last word of sales.
    pub word: Option<Word>,
    /// Thresholds that it crossed in the last seven days: name, moment.
    pub crossed: Vec<(String, Timestamp)>,
}

/// How a score changed.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// The moment of the score before.
    pub since: Timestamp,
    /// Percentage points.
    pub points: f64,
    /// What of the reasons changed most, as people read it: what it was and what it is, and whether
    /// anything but time changed it.
    pub because: Option<String>,
}

/// Everything that a lead's page shows.
#[derive(Debug, Clone, PartialEq)]
pub struct LeadDetail {
    /// As in the queue.
    pub row: QueueRow,
    /// Its scores over time, oldest first.
    pub path: Vec<PathPoint>,
    /// What it did, latest first.
    pub events: Vec<EventLine>,
    /// What would bring it into the next tier.
    pub next_tier: Option<NextTier>,
    /// Points by rule, where there are rules: the rule, its points.
    pub points: Vec<(String, f64)>,
    /// All words of sales, latest first.
    pub words: Vec<Word>,
}

/// A score of the past.
#[derive(Debug, Clone, PartialEq)]
pub struct PathPoint {
    /// The moment.
    pub at: Timestamp,
    /// Likelihood, 0 to 100.
    pub likelihood: f64,
    /// The tier then.
    pub tier: ContactPriority,
}

/// An event as people read it.
#[derive(Debug, Clone, PartialEq)]
pub struct EventLine {
    /// When it happened.
    pub at: Timestamp,
    /// When it was recorded.
    pub recorded: Timestamp,
    /// Its table, such as `touches`.
    pub table: String,
    /// Its columns: name, value.
    pub columns: Vec<(String, String)>,
}

/// How far a lead is from a better tier.
#[derive(Debug, Clone, PartialEq)]
pub struct NextTier {
    /// The tier.
    pub tier: ContactPriority,
    /// Likelihood at which it starts, 0 to 100.
    pub from: f64,
    /// What would bring it there, in sentences; may be empty.
    pub by: Vec<String>,
}

/// What became of leads of a tier.
#[derive(Debug, Clone, PartialEq)]
pub struct TierRecord {
    /// The tier.
    pub tier: ContactPriority,
    /// Leads whose window has ended.
    pub n: usize,
    /// How many were won.
    pub n_won: usize,
    /// How many wins were predicted.
    pub predicted: f64,
}

/// What a salesperson said of a lead.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// What.
    pub said: WordKind,
    /// Why, in their words.
    pub note: Option<String>,
}

/// What can be said of a lead: the values of the column `said` of `activities.word`.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum WordKind {
    /// It was called.
    Called,
    /// It is not the time.
    NotNow,
    /// It was won.
    Won,
    /// It was lost.
    Lost,
    /// The score is wrong, because of the note.
    Wrong,
}

impl WordKind {
    /// Its name in rows and requests.
    pub fn key(self) -> &'static str {
        match self {
            Self::Called => "called",
            Self::NotNow => "not_now",
            Self::Won => "won",
            Self::Lost => "lost",
            Self::Wrong => "wrong",
        }
    }
}
