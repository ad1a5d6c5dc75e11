//! The thread that keeps the queue: it loads tables, puts all open leads in order, does so again as
//! they age, and takes over a new champion, while what was there before goes on serving.

use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use leadscore::{Data, Inputs, PointsTimeline, Timeline};
use leadscore_core::Timestamp;
use leadscore_store::{Entity, StoredEvent};

use super::EngineError;
use super::scoring::Scoring;
use super::served::{Loaded, Served};
use super::shared::Shared;
use crate::door::{Begins, Door};
use crate::queue::{Edges, Ranking};

/// So few leads may have changed without tables being loaded anew, however small their share is.
const FEWEST_CHANGED: usize = 1_000;
/// After something failed, it is tried again so much later.
const PAUSE: Duration = Duration::from_secs(10);

/// Keeps the queue.
pub(super) struct Keeper {
    shared: Arc<Shared>,
}

/// What is to be done next.
enum Next {
    Load,
    Refresh,
    Rest,
}

impl Keeper {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Works until the engine stops.
    pub(super) fn run(&self) {
        let mut loaded: Option<Instant> = None;
        let mut refreshed = Instant::now();
        let mut failed: Option<Instant> = None;
        let (mut reload, mut is_behind) = (false, false);
        while !self.shared.is_stopping() {
            let is_pausing = failed.is_some_and(|failed| failed.elapsed() < PAUSE);
            let next = if is_pausing {
                Next::Rest
            } else {
                self.next(loaded, refreshed, reload, is_behind)
            };
            let done = match next {
                Next::Load => self.load().map(|()| {
                    loaded = Some(Instant::now());
                    refreshed = Instant::now();
                    (reload, is_behind) = (false, false);
                }),
                Next::Refresh => self.refresh().map(|()| {
                    refreshed = Instant::now();
                    is_behind = false;
                }),
                Next::Rest => Ok(()),
            };
            let done = done.and_then(|()| self.follow_champion());
            match done {
                Ok(()) if is_pausing => {}
                Ok(()) => {
                    failed = None;
                    self.shared.set_trouble(None);
                }
                Err(error) => {
                    failed = Some(Instant::now());
                    self.shared.set_trouble(Some(words(&error)));
                }
            }
            let (wants_reload, fell_behind) = self.shared.rest(self.shared.options.poll_every);
            reload |= wants_reload;
            is_behind |= fell_behind;
        }
    }

    fn next(
        &self,
        loaded: Option<Instant>,
        refreshed: Instant,
        reload: bool,
        is_behind: bool,
    ) -> Next {
        let options = &self.shared.options;
        let served = self.shared.served();
        let (Some(tables), Some(loaded)) = (&served.tables, loaded) else {
            return Next::Load;
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a share of a number of leads"
        )]
        let share = (options.reload_share * tables.timeline.n_leads() as f64) as usize;
        let is_old = loaded.elapsed() >= options.reload_every;
        let has_changed = tables.changed.len() > share.max(FEWEST_CHANGED);
        let refresh = self.shared.config().settings().serve.refresh;
        let refresh = options.refresh_every.unwrap_or_else(|| duration(refresh));
        // Rows of lookups may come all the time.
        let is_worth_it = has_changed || tables.changed.has_lookups();
        if reload || is_old || (is_worth_it && loaded.elapsed() >= refresh) {
            return Next::Load;
        }
        if is_behind || refreshed.elapsed() >= refresh {
            return Next::Refresh;
        }
        Next::Rest
    }

    /// Takes over the registry's champion, where it is another one.
    fn follow_champion(&self) -> Result<(), EngineError> {
        let served = self.shared.served();
        let champion = self.shared.models().champion()?;
        if champion.is_none_or(|champion| champion == served.scoring.facts.id) {
            return Ok(());
        }
        let (model, why) = self.shared.models().read()?;
        let tables = self.shared.store.tables();
        let scoring = Scoring::new(self.shared.config(), model, why, &tables)?;
        let settings = self.shared.config().settings();
        let door = Door::new(settings, Some(&scoring.model), &tables)?;
        self.serve(Arc::new(scoring))?;
        self.shared.set_door(door);
        self.tell_door();
        Ok(())
    }

    /// Loads tables for the model that serves.
    fn load(&self) -> Result<(), EngineError> {
        let scoring = Arc::clone(&self.shared.served().scoring);
        self.serve(scoring)
    }

    /// Loads tables as a model reads them, computes the queue, and serves both.
    fn serve(&self, scoring: Arc<Scoring>) -> Result<(), EngineError> {
        // Marks first, then the moment: what comes in between is marked.
        let changed = self.shared.changes.watch();
        let loaded_at = self.shared.store.moment();
        let data = Data::open(self.shared.config(), Inputs::default())?;
        self.shared.read_cards(loaded_at)?;
        let timeline = Timeline::read(&data, &scoring.model)?;
        let points = self.points(&data, loaded_at)?;
        self.shared.read_record(&timeline, loaded_at)?;
        let empty = Ranking::new(Vec::new(), Edges::of_one(scoring.first_edges()), loaded_at);
        let served = Served {
            scoring,
            tables: Some(Loaded::new(timeline, changed, loaded_at, empty, points)),
        };
        let before = self.shared.served();
        let ranked = self.shared.rank(&served, &before)?;
        self.shared.serve(served);
        self.tell_door();
        // Leads that changed while the queue was computed are in it as they were before.
        let served = self.shared.served();
        if let Some(tables) = &served.tables {
            self.shared.rescore_soon(tables.changed.entities());
        }
        // Whoever asks for the queue does not wait for those who are told.
        self.shared.tell(&served, ranked)
    }

    /// Tells the door when the tables begin that are served.
    fn tell_door(&self) {
        let served = self.shared.served();
        if let Some(tables) = &served.tables {
            let begins = Begins::of(tables.timeline.begins());
            self.shared.door().set_begins(begins);
        }
    }

    /// What the rules look at, where there are any.
    fn points(&self, data: &Data, at: Timestamp) -> Result<Option<PointsTimeline>, EngineError> {
        let Some(rules) = self.shared.read_rules()? else {
            return Ok(None);
        };
        let (config, tables) = (self.shared.config(), self.shared.store.tables());
        let points = PointsTimeline::read(config, data, rules, at, &tables)?;
        Ok(Some(points))
    }

    /// Puts open leads in order as of now.
    fn refresh(&self) -> Result<(), EngineError> {
        let served = self.shared.served();
        let ranked = self.shared.rank(&served, &served)?;
        self.shared.tell(&served, ranked)
    }
}

impl Shared {
    /// Reads what people see of all leads, of rows that were recorded before a moment. What came
    /// later is read as it comes.
    fn read_cards(&self, before: Timestamp) -> Result<(), EngineError> {
        for table in ["leads", leadscore_store::WORD_TABLE] {
            let mut rows: Vec<StoredEvent> = Vec::new();
            let mut leads: Vec<String> = Vec::new();
            self.store.scan(table, before, |row| {
                if rows.last().is_some_and(|last| last.entity != row.entity) {
                    leads.extend(self.add_card(table, &std::mem::take(&mut rows)));
                }
                rows.push(row);
            })?;
            leads.extend(self.add_card(table, &rows));
        }
        Ok(())
    }

    /// Keeps what the rows of one table say of a lead, beside what is known of it from the other.
    fn add_card(&self, table: &str, rows: &[StoredEvent]) -> Option<String> {
        let Entity::Lead(lead) = &rows.first()?.entity else {
            return None;
        };
        let mut cards = self.cards.write().unwrap_or_else(PoisonError::into_inner);
        let mut card = cards.card_of(rows);
        if let Some(known) = cards.get(lead) {
            if table == "leads" {
                card.words.clone_from(&known.words);
            } else {
                let words = std::mem::take(&mut card.words);
                card = known.clone();
                card.words = words;
            }
        }
        cards.put(lead, card);
        Some(lead.clone())
    }
}

/// A span as the threads' clock counts it.
fn duration(span: leadscore_core::Span) -> Duration {
    Duration::from_secs_f64((span.days() * 86_400.0).max(0.001))
}

/// An error as the log of the server has it.
fn words(error: &EngineError) -> String {
    use std::error::Error as _;

    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(source) = cause {
        text.push_str(": ");
        text.push_str(&source.to_string());
        cause = source.source();
    }
    text
}
