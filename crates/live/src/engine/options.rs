//! What an engine is opened with, and why it cannot be opened.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use leadscore::Config;
use leadscore_core::Timestamp;
use leadscore_serve::{LeadScore, Measured, PointsOfRules};
use leadscore_store::{Clock, Store, StoreError};

use crate::error::LiveError;
use crate::log::LogError;

/// Watches on which side of thresholds leads are. Several threads call it.
pub trait Watcher: Send + Sync {
    /// Whether a score is to be heard of: the lead is on another side of a threshold than before, or
    /// is measured by another model or other rules. It is asked of every lead at every refresh.
    fn is_news(&self, measured: &Measured<'_>) -> bool;

    /// Hears of a score that is news, and of what the rules make of the lead at its moment.
    fn hear(&self, score: LeadScore, points: Option<PointsOfRules>);

    /// Which leads crossed which threshold when, since a moment: lead, threshold, moment.
    fn crossed(&self, since: Timestamp) -> Vec<(String, String, Timestamp)>;
}

/// What an engine is opened with.
#[derive(Clone)]
pub struct EngineOptions {
    /// The config, whose `[store]` is the store below.
    pub config: Config,
    /// The store, opened to write.
    pub store: Arc<Store>,
    /// The wall clock, by which rows are refused that are yet to come.
    pub clock: Clock,
    /// The model in place of the registry's champion; default: the champion, and the next one.
    pub model: Option<PathBuf>,
    /// The rules that give points; default: `rules.toml` beside the config, where there is one.
    pub rules: Option<PathBuf>,
    /// Folder of the log of answers; default: `log` of `[serve]`, and none without it.
    pub log: Option<PathBuf>,
    /// Watches thresholds; default: nobody.
    pub watcher: Option<Arc<dyn Watcher>>,
    /// Share of all leads that may have changed before tables are loaded anew; default 0.05.
    /// A lead that changed is scored from its rows, which takes longer than from tables.
    pub reload_share: f64,
    /// Age of the tables in memory at which they are loaded anew; default: an hour.
    pub reload_every: Duration,
    /// Age of the queue at which it is put in order anew; default: `refresh` of `[serve]`.
    pub refresh_every: Option<Duration>,
    /// How often the registry is asked for its champion; default: a second.
    pub poll_every: Duration,
}

impl EngineOptions {
    /// The defaults, for a config, its store, and the clock that the store has.
    pub fn new(config: Config, store: Arc<Store>, clock: Clock) -> Self {
        Self {
            config,
            store,
            clock,
            model: None,
            rules: None,
            log: None,
            watcher: None,
            reload_share: 0.05,
            reload_every: Duration::from_secs(3_600),
            refresh_every: None,
            poll_every: Duration::from_secs(1),
        }
    }
}

/// Why an engine cannot be opened, or cannot do what it is asked.
#[derive(Debug, thiserror::Error)]
pub enum EngineError {
    /// Nothing says which model scores.
    #[error(
        "the registry {} has no champion, and no model file is named\n  hint: `leadscore models promote` makes one, or name a model file",
        registry.display()
    )]
    NoModel {
        /// The registry's folder.
        registry: PathBuf,
    },
    /// The config, the model and the store do not fit.
    #[error(transparent)]
    Live(#[from] LiveError),
    /// The tables or the model cannot be read.
    #[error(transparent)]
    Library(#[from] leadscore::Error),
    /// The registry cannot be read.
    #[error(transparent)]
    Registry(#[from] leadscore_operate::RegistryError),
    /// The score history cannot be read.
    #[error(transparent)]
    History(#[from] leadscore_operate::HistoryError),
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The log of answers cannot be kept.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The system gives no thread.
    #[error("the system gives no further thread\n  hint: look at its limits")]
    Thread {
        /// What it says.
        source: std::io::Error,
    },
}
