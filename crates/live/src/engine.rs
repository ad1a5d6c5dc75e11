//! The engine behind the server: scores of the leads of a store at the moment of asking, the queue
//! that ages with them, and the model that changes while both go on.

mod arm_records;
mod cards;
mod cause;
mod changed;
mod detail;
mod keeper;
mod lock;
mod options;
mod points;
mod record;
mod rescoring;
mod rows;
mod scoring;
mod served;
mod shared;
mod telling;

use std::sync::Arc;
use std::thread::JoinHandle;

use leadscore_core::{Span, Timestamp};
use leadscore_serve::{
    AppendResult, Engine, FieldError, Forgotten, HeldBack, HeldBackQuery, InferColumn, LeadDetail,
    LeadScore, ModelFacts, NoScore, Queue, QueueQuery, TierRecord, Word,
};
use leadscore_store::{Entity, NewEvent};
use serde_json::Value;

use self::keeper::Keeper;
pub use self::options::{EngineError, EngineOptions, Watcher};
use self::rescoring::Rescorer;
use self::shared::Shared;
use crate::error::LiveError;
use crate::log::{Answer, LogState};
use crate::queue::Edges;

/// Scores the leads of a store.
///
/// It answers from the store at once after it was opened; the queue follows when the tables are in
/// memory. Dropping it writes the log to its end and stops its threads.
pub struct LiveEngine {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<()>>,
}

/// What the engine does beside answering, for whoever watches it.
#[derive(Debug, Clone, PartialEq)]
pub struct EngineState {
    /// Open leads in the queue; `None` until there is one.
    pub n_open: Option<usize>,
    /// The moment of the last refresh of the queue.
    pub refreshed_at: Option<Timestamp>,
    /// Leads, accounts and lookups that changed since the tables in memory were loaded.
    pub n_changed: usize,
    /// Leads that wait to be scored again.
    pub n_waiting: usize,
    /// The log of answers; `None` where none is kept.
    pub log: Option<LogState>,
    /// Why the last refresh, reload or look at the registry failed; `None` where it did not.
    pub trouble: Option<String>,
}

impl LiveEngine {
    /// Opens the engine: the model and the store are checked now, tables are loaded in the
    /// background.
    ///
    /// # Errors
    ///
    /// [`EngineError`] where there is no model, or the config, the model and the store do not fit.
    pub fn open(options: EngineOptions) -> Result<Self, EngineError> {
        let shared = Arc::new(Shared::open(options)?);
        let mut threads = Vec::new();
        let keeper = Keeper::new(Arc::clone(&shared));
        threads.push(thread("queue", move || keeper.run())?);
        let rescorer = Rescorer::new(Arc::clone(&shared));
        threads.push(thread("rescoring", move || rescorer.run())?);
        Ok(Self { shared, threads })
    }

    /// What the engine does beside answering.
    pub fn state(&self) -> EngineState {
        self.shared.state()
    }

    /// Waits until every answer before is in the log, or lost.
    pub fn flush_log(&self) {
        if let Some(log) = &self.shared.log {
            log.flush();
        }
    }

    /// Whether a lead is held back from prioritizing, by what is known of it now; whether it is open
    /// does not matter.
    ///
    /// # Errors
    ///
    /// The store cannot be read, or has a row that the door does not let in.
    pub fn is_held_back(&self, lead: &str) -> Result<bool, LiveError> {
        let at = self.shared.store.moment();
        let scorer = &self.shared.served().scoring.scorer;
        scorer.is_held_back(&self.shared.store, lead, at)
    }

    /// Scores a lead now. The answer is logged.
    fn answer(&self, lead: &str) -> Result<LeadScore, NoScore> {
        let served = self.shared.served();
        let at = self.shared.store.moment();
        let scored = served.score(&self.shared.store, lead, at)?;
        self.shared.log_answer(&scored.score, scored.edges, None);
        Ok(scored.score)
    }
}

impl Drop for LiveEngine {
    fn drop(&mut self) {
        self.shared.stop();
        for thread in self.threads.drain(..) {
            // A thread that panicked has said so.
            let _ = thread.join();
        }
    }
}

impl Engine for LiveEngine {
    fn model(&self) -> ModelFacts {
        self.shared.served().scoring.facts.clone()
    }

    fn ready(&self) -> Result<(), String> {
        if self.shared.served().tables.is_some() {
            return Ok(());
        }
        Err(match self.shared.trouble() {
            Some(trouble) => format!("the queue cannot be computed: {trouble}"),
            None => "the queue is being computed".to_owned(),
        })
    }

    fn read_events(&self, rows: &[Value]) -> Result<Vec<NewEvent>, Vec<FieldError>> {
        self.shared.read_events(rows)
    }

    fn append(&self, events: Vec<NewEvent>, done: Box<dyn FnOnce(AppendResult) + Send>) {
        let entities: Vec<Entity> = events.iter().map(|event| event.entity.clone()).collect();
        // Before the store has them, so that nobody reads older tables for them.
        let ticket = self.shared.changes.begin(entities.clone());
        let shared = Arc::clone(&self.shared);
        self.shared.store.append_then(
            events,
            Box::new(move |result: AppendResult| {
                shared.changes.end(ticket);
                if result.is_ok() {
                    shared.rescore_soon(entities);
                }
                done(result);
            }),
        );
    }

    fn score(&self, lead: &str) -> Result<LeadScore, NoScore> {
        self.answer(lead)
    }

    fn score_raw(&self, lead: &Value) -> Result<LeadScore, NoScore> {
        let served = self.shared.served();
        let at = self.shared.store.moment();
        let edges = served.edges();
        let scorer = &served.scoring.scorer;
        let raw = scorer.raw_lead(lead, at)?;
        let rows = scorer
            .raw_rows(&self.shared.store, &raw)
            .map_err(LiveError::no_score)?;
        let score = scorer.score_raw(&raw, &rows, Some(edges.values))?;
        self.shared.log_answer(&score, edges, Some(lead));
        Ok(score)
    }

    fn infer(&self, columns: &[(String, InferColumn)]) -> Result<Vec<f64>, String> {
        self.shared.served().scoring.infer(columns)
    }

    fn queue(&self, query: &QueueQuery) -> Result<Queue, NoScore> {
        self.shared.queue(query)
    }

    fn lead(&self, lead: &str) -> Result<LeadDetail, NoScore> {
        self.shared.detail(lead, None)
    }

    fn lead_since(&self, lead: &str, compare_with: Timestamp) -> Result<LeadDetail, NoScore> {
        self.shared.detail(lead, Some(compare_with))
    }

    fn held_back(&self, query: &HeldBackQuery) -> Result<HeldBack, NoScore> {
        self.shared.held_back(query)
    }

    fn owner(&self, lead: &str) -> Result<Option<String>, NoScore> {
        self.shared.owner(lead)
    }

    fn word(&self, lead: &str, event: &str) -> Result<Option<Word>, NoScore> {
        self.shared.word(lead, event)
    }

    fn forget(&self, lead: &str) -> Result<Forgotten, NoScore> {
        self.shared
            .forget(lead)
            .map_err(|error| NoScore::Failed(leadscore::error_text(&error, false)))
    }

    fn ordered_at(&self) -> Option<Timestamp> {
        let served = self.shared.served();
        let tables = served.tables.as_ref()?;
        Some(tables.ranking().ordered_at)
    }

    fn owners(&self) -> Vec<(String, usize)> {
        let served = self.shared.served();
        let tables = served.tables.as_ref();
        tables.map_or_else(Vec::new, |tables| tables.ranking().owners())
    }

    fn track_record(&self) -> Vec<TierRecord> {
        self.shared.track_record().prioritized
    }

    fn track_record_of_held_back(&self) -> Vec<TierRecord> {
        self.shared.track_record().held_back
    }
}

impl Shared {
    /// Writes an answer into the log, if one is kept.
    fn log_answer(&self, score: &LeadScore, edges: Edges, raw: Option<&Value>) {
        if let Some(log) = &self.log {
            log.write(Answer::new(score, edges, raw.cloned()));
        }
    }
}

/// How far back a change is told.
const YESTERDAY: Span = Span::from_days(1);
/// How long a crossing is shown.
const A_WEEK: Span = Span::from_days(7);

/// A thread of the engine.
fn thread(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, EngineError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(work)
        .map_err(|source| EngineError::Thread { source })
}
