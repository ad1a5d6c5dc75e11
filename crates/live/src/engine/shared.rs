//! What all threads of the engine share.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError, RwLock};

use leadscore::{Config, ReadRules, check_thresholds};
use leadscore_core::Timestamp;
use leadscore_operate::History;
use leadscore_serve::{FieldError, Forgotten, NoScore};
use leadscore_store::{Entity, NewEvent, Store};
use serde_json::Value;

use super::EngineState;
use super::arm_records::ArmRecords;
use super::cards::Cards;
use super::changed::Changes;
use super::lock::lock;
use super::options::{EngineError, EngineOptions};
use super::scoring::{Models, Scoring};
use super::served::Served;
use crate::door::{Begins, Door};
use crate::error::LiveError;
use crate::log::{AnswerLog, LogOptions};

/// Leads that may wait to be scored again; beyond it the next refresh scores them.
const MOST_WAITING: usize = 100_000;

/// What all threads of the engine share.
pub(super) struct Shared {
    pub(super) options: EngineOptions,
    pub(super) store: Arc<Store>,
    pub(super) changes: Changes,
    pub(super) cards: RwLock<Cards>,
    pub(super) log: Option<AnswerLog>,
    pub(super) history: History,
    pub(super) record: RwLock<ArmRecords>,
    pub(super) registry: PathBuf,
    pub(super) rules: Option<PathBuf>,
    door: RwLock<Arc<Door>>,
    served: RwLock<Arc<Served>>,
    waiting: Mutex<Waiting>,
    woken: Condvar,
    is_stopping: AtomicBool,
    trouble: Mutex<Option<String>>,
}

/// Entities whose leads are to be scored again.
#[derive(Default)]
struct Waiting {
    entities: HashSet<Entity>,
    /// Whether some had no room.
    is_behind: bool,
    /// Whether tables are to be loaded anew.
    reload: bool,
}

impl Shared {
    pub(super) fn open(options: EngineOptions) -> Result<Self, EngineError> {
        let config = &options.config;
        let settings = config.settings();
        let registry = config.folder().join(&settings.operation.registry);
        let (model, why) = Models {
            registry: &registry,
            file: options.model.as_deref(),
        }
        .read()?;
        let tables = options.store.tables();
        let scoring = Scoring::new(config, model, why, &tables)?;
        let door = Door::new(settings, Some(&scoring.model), &tables)?;
        door.set_begins(Begins::NotYet);
        let of_config = settings.serve.log.as_ref();
        let log = options
            .log
            .clone()
            .or_else(|| of_config.map(|folder| config.folder().join(folder)))
            .map(|folder| AnswerLog::open(LogOptions::new(folder)));
        let beside = config.folder().join("rules.toml");
        let rules = options
            .rules
            .clone()
            .or_else(|| beside.is_file().then_some(beside));
        read_rules(config, rules.as_deref())?;
        Ok(Self {
            store: Arc::clone(&options.store),
            changes: Changes::default(),
            cards: RwLock::new(Cards::new(settings)),
            log: log.transpose()?,
            history: History::of_config(settings, config.path(), None)?,
            record: RwLock::default(),
            registry,
            rules,
            door: RwLock::new(Arc::new(door)),
            served: RwLock::new(Arc::new(Served {
                scoring: Arc::new(scoring),
                tables: None,
            })),
            waiting: Mutex::default(),
            woken: Condvar::new(),
            is_stopping: AtomicBool::new(false),
            trouble: Mutex::default(),
            options,
        })
    }

    pub(super) fn config(&self) -> &Config {
        &self.options.config
    }

    pub(super) fn models(&self) -> Models<'_> {
        Models {
            registry: &self.registry,
            file: self.options.model.as_deref(),
        }
    }

    /// The rules as their file has them now, where there is one.
    pub(super) fn read_rules(&self) -> Result<Option<ReadRules>, EngineError> {
        Ok(read_rules(self.config(), self.rules.as_deref())?)
    }

    /// What is served now.
    pub(super) fn served(&self) -> Arc<Served> {
        Arc::clone(&self.served.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Serves something else from now on.
    pub(super) fn serve(&self, served: Served) {
        let served = Arc::new(served);
        *self.served.write().unwrap_or_else(PoisonError::into_inner) = served;
    }

    /// The door of the model that serves.
    pub(super) fn door(&self) -> Arc<Door> {
        Arc::clone(&self.door.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// The door by another model.
    pub(super) fn set_door(&self, door: Door) {
        *self.door.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(door);
    }

    /// Makes events of rows.
    pub(super) fn read_events(&self, rows: &[Value]) -> Result<Vec<NewEvent>, Vec<FieldError>> {
        let door = self.door();
        let now = (self.options.clock)();
        door.read(rows, now)
    }

    /// Has the leads of entities scored again soon. It waits for nobody.
    pub(super) fn rescore_soon(&self, entities: Vec<Entity>) {
        let mut waiting = lock(&self.waiting);
        for entity in entities {
            if waiting.entities.len() < MOST_WAITING {
                waiting.entities.insert(entity);
            } else {
                waiting.is_behind = true;
            }
        }
        drop(waiting);
        self.woken.notify_all();
    }

    /// Waits for entities whose leads are to be scored again; `None` at the end.
    pub(super) fn next_to_rescore(&self) -> Option<HashSet<Entity>> {
        let mut waiting = lock(&self.waiting);
        loop {
            if self.is_stopping() {
                return None;
            }
            if !waiting.entities.is_empty() {
                return Some(std::mem::take(&mut waiting.entities));
            }
            waiting = self
                .woken
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Waits until it is time to look again, or the engine stops; whether tables are to be loaded
    /// anew, and whether leads wait for a refresh.
    pub(super) fn rest(&self, time: std::time::Duration) -> (bool, bool) {
        let waiting = lock(&self.waiting);
        let wait = |waiting: &mut Waiting| !self.is_stopping() && !waiting.reload;
        let (mut waiting, _) = self
            .woken
            .wait_timeout_while(waiting, time, wait)
            .unwrap_or_else(PoisonError::into_inner);
        (
            std::mem::take(&mut waiting.reload),
            std::mem::take(&mut waiting.is_behind),
        )
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::SeqCst)
    }

    pub(super) fn stop(&self) {
        self.is_stopping.store(true, Ordering::SeqCst);
        // Whoever is about to wait has not seen it yet.
        drop(lock(&self.waiting));
        self.woken.notify_all();
    }

    pub(super) fn trouble(&self) -> Option<String> {
        lock(&self.trouble).clone()
    }

    pub(super) fn set_trouble(&self, trouble: Option<String>) {
        *lock(&self.trouble) = trouble;
    }

    pub(super) fn track_record(&self) -> ArmRecords {
        let record = self.record.read().unwrap_or_else(PoisonError::into_inner);
        record.clone()
    }

    pub(super) fn state(&self) -> EngineState {
        let served = self.served();
        let tables = served.tables.as_ref();
        EngineState {
            n_open: tables.map(|tables| tables.ranking().len()),
            refreshed_at: tables.map(|tables| tables.ranking().ordered_at),
            n_changed: tables.map_or(0, |tables| tables.changed.len()),
            n_waiting: lock(&self.waiting).entities.len(),
            log: self.log.as_ref().map(AnswerLog::state),
            trouble: self.trouble(),
        }
    }

    /// Removes a lead from the store, the log of answers and memory. The score history, and tables
    /// that the store was imported from, are files of their own.
    pub(super) fn forget(&self, lead: &str) -> Result<Forgotten, EngineError> {
        let entity = Entity::Lead(lead.to_owned());
        let ticket = self.changes.begin(vec![entity.clone()]);
        let forgotten = self.store.forget(&entity);
        self.changes.end(ticket);
        let forgotten = forgotten?;
        let cards = self.cards.write();
        cards.unwrap_or_else(PoisonError::into_inner).forget(lead);
        if let Some(tables) = &self.served().tables {
            tables.ranking_mut().remove(lead, self.store.moment());
        }
        let n_scores = match &self.log {
            Some(log) => log.forget(lead)?,
            None => 0,
        };
        // Tables in memory have it until they are loaded anew.
        lock(&self.waiting).reload = true;
        self.woken.notify_all();
        Ok(Forgotten {
            n_events: forgotten.n_events,
            n_scores,
            n_left: match forgotten.n_traces {
                Some(n_traces) => n_traces,
                // An ID that any number may have is looked for among the rows alone.
                None => self.store.of_entity(&entity, Timestamp::MAX)?.len(),
            },
        })
    }

    /// Who works on a lead.
    pub(super) fn owner(&self, lead: &str) -> Result<Option<String>, NoScore> {
        let cards = self.cards.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(card) = cards.get(lead).filter(|card| card.is_lead) {
            return Ok(card.owner.clone());
        }
        let entity = Entity::Lead(lead.to_owned());
        let rows = self
            .store
            .of_entity(&entity, self.store.moment())
            .map_err(|error| LiveError::from(error).no_score())?;
        let card = cards.card_of(&rows);
        match (card.is_lead, rows.is_empty()) {
            (true, _) => Ok(card.owner),
            (false, true) => Err(NoScore::Unknown(lead.to_owned())),
            (false, false) => Err(NoScore::Waiting(lead.to_owned())),
        }
    }

    /// Crossings of the last days, by lead.
    pub(super) fn crossed_since(
        &self,
        since: Timestamp,
    ) -> HashMap<String, Vec<(String, Timestamp)>> {
        let mut by_lead: HashMap<String, Vec<(String, Timestamp)>> = HashMap::new();
        if let Some(watcher) = &self.options.watcher {
            for (lead, threshold, at) in watcher.crossed(since) {
                by_lead.entry(lead).or_default().push((threshold, at));
            }
        }
        by_lead
    }
}

/// Reads the rules, where there are any; the thresholds of the config must fit them.
fn read_rules(config: &Config, path: Option<&Path>) -> leadscore::Result<Option<ReadRules>> {
    let rules = path.map(ReadRules::open).transpose()?;
    check_thresholds(config.settings(), rules.as_ref())?;
    Ok(rules)
}
