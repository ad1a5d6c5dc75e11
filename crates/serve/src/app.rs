//! What every route has: the engine, who may what, the limits, the counts and the audit log.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use leadscore_core::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::audit::{Audit, AuditError};
use crate::compute::{Compute, Place, Work};
use crate::door::Door;
use crate::engine::Engine;
use crate::limits::{self, Limits};
use crate::metrics::Metrics;
use crate::problem::Problem;
use crate::site::Site;
use crate::tokens::TokensError;

/// Tells the present moment.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Takes a line for the log of the server: never a token, never a value of a lead.
pub type Log = Arc<dyn Fn(&str) + Send + Sync>;

/// What is forgotten with a lead outside of the engine, such as calls of webhooks that wait.
pub type Forgetter = Arc<dyn Fn(&str) -> Result<usize, String> + Send + Sync>;

/// How a server is put together.
pub struct AppOptions {
    /// Folder of the audit log and of what else the server keeps: beside the store.
    pub state: PathBuf,
    /// File with the hashes of tokens. As long as it never existed, only callers on this machine
    /// are answered.
    pub tokens: PathBuf,
    /// The clock of the audit log, of expiry and of words of sales.
    pub clock: Clock,
    /// The clock by which tokens expire; default: `clock`.
    pub expiry: Clock,
    /// What is taken at once.
    pub limits: Limits,
    /// Where failures of the server are told; default: nowhere.
    pub log: Log,
    /// Called for each lead that is forgotten, after the engine has forgotten it; each says how many
    /// things it removed.
    pub forgetters: Vec<Forgetter>,
    /// Names of the thresholds by which the queue can be filtered; default: any.
    pub thresholds: Option<Vec<String>>,
    /// How browsers reach it; default: at the host that a request names.
    pub site: Site,
}

impl AppOptions {
    /// With the limits as they are.
    pub fn new(state: PathBuf, tokens: PathBuf, clock: Clock) -> Self {
        Self {
            state,
            tokens,
            expiry: Arc::clone(&clock),
            clock,
            limits: Limits::default(),
            log: Arc::new(|_| ()),
            forgetters: Vec::new(),
            thresholds: None,
            site: Site::default(),
        }
    }
}

impl fmt::Debug for AppOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AppOptions")
            .field("state", &self.state)
            .field("tokens", &self.tokens)
            .field("limits", &self.limits)
            .field("site", &self.site)
            .finish_non_exhaustive()
    }
}

/// Why a server cannot be put together.
#[derive(Debug, thiserror::Error)]
pub enum AppError {
    /// The file of tokens.
    #[error(transparent)]
    Tokens(#[from] TokensError),
    /// The audit log.
    #[error(transparent)]
    Audit(#[from] AuditError),
}

/// The state of the server. A clone is the same server.
#[derive(Clone)]
pub struct App(Arc<Inner>);

struct Inner {
    engine: Arc<dyn Engine>,
    state: PathBuf,
    clock: Clock,
    expiry: Clock,
    limits: Limits,
    log: Log,
    door: Door,
    audit: Audit,
    metrics: Metrics,
    compute: Compute,
    forgetters: Vec<Forgetter>,
    thresholds: Option<Vec<String>>,
    site: Site,
    has_page: AtomicBool,
    in_flight: AtomicUsize,
    large_bodies: Arc<Semaphore>,
    draining: AtomicBool,
    ids: RequestIds,
}

impl App {
    /// Puts a server together. It listens to nothing yet.
    ///
    /// # Errors
    ///
    /// [`AppError`] if the tokens cannot be read or the audit log cannot be written.
    pub fn open(engine: Arc<dyn Engine>, options: AppOptions) -> Result<Self, AppError> {
        let audit = Audit::open(&options.state, options.limits.audit_bytes)?;
        Ok(Self(Arc::new(Inner {
            engine,
            door: Door::open(options.tokens)?,
            audit,
            metrics: Metrics::default(),
            compute: Compute::new(options.limits.cores),
            in_flight: AtomicUsize::new(0),
            large_bodies: Arc::new(Semaphore::new(limits::LARGE_BODIES)),
            draining: AtomicBool::new(false),
            ids: RequestIds::new(),
            state: options.state,
            clock: options.clock,
            expiry: options.expiry,
            limits: options.limits,
            log: options.log,
            forgetters: options.forgetters,
            thresholds: options.thresholds,
            site: options.site,
            has_page: AtomicBool::new(false),
        })))
    }

    /// Who makes the scores.
    pub fn engine(&self) -> &Arc<dyn Engine> {
        &self.0.engine
    }

    /// Names of the thresholds by which the queue can be filtered; `None`: any.
    pub(crate) fn thresholds(&self) -> Option<&[String]> {
        self.0.thresholds.as_deref()
    }

    /// How browsers reach it.
    pub fn site(&self) -> &Site {
        &self.0.site
    }

    /// From now on it has a page, so that people are answered in HTML also where there is nothing.
    pub(crate) fn shows_page(&self) {
        self.0.has_page.store(true, Ordering::Release);
    }

    pub(crate) fn has_page(&self) -> bool {
        self.0.has_page.load(Ordering::Acquire)
    }

    /// Folder of what the server keeps.
    pub fn state(&self) -> &Path {
        &self.0.state
    }

    /// The present moment.
    pub fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    /// The present moment by which tokens expire.
    pub fn now_for_tokens(&self) -> Timestamp {
        (self.0.expiry)()
    }

    /// What is taken at once.
    pub fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Who is let in.
    pub fn door(&self) -> &Door {
        &self.0.door
    }

    /// The audit log.
    pub fn audit(&self) -> &Audit {
        &self.0.audit
    }

    /// Counts for `/metrics`.
    pub fn metrics(&self) -> &Metrics {
        &self.0.metrics
    }

    /// Tells the log of the server.
    pub fn log(&self, line: &str) {
        (self.0.log)(line);
    }

    /// Asks the engine, on a thread that may compute, when it is its turn.
    ///
    /// # Errors
    ///
    /// [`Problem`]: the line is too long, or the engine panicked.
    pub async fn ask<T: Send + 'static>(
        &self,
        work: Work,
        call: impl FnOnce(&dyn Engine) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let engine = Arc::clone(&self.0.engine);
        self.0
            .compute
            .run(work, move || call(engine.as_ref()))
            .await
    }

    pub(crate) fn forgetters(&self) -> &[Forgetter] {
        &self.0.forgetters
    }

    pub(crate) fn is_saturated(&self) -> bool {
        self.0.compute.is_saturated()
            || self.0.in_flight.load(Ordering::Relaxed) >= self.0.limits.in_flight
    }

    pub(crate) fn is_computing_saturated(&self) -> bool {
        self.0.compute.is_saturated()
    }

    pub(crate) fn enter(&self) -> Option<Place<'_>> {
        Place::take(&self.0.in_flight, self.0.limits.in_flight)
    }

    pub(crate) fn n_in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::Relaxed)
    }

    pub(crate) fn large_body(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.0.large_bodies).try_acquire_owned().ok()
    }

    /// From now on each answer ends its connection.
    pub(crate) fn drain(&self) {
        self.0.draining.store(true, Ordering::Release);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.0.draining.load(Ordering::Acquire)
    }

    pub(crate) fn next_request_id(&self) -> String {
        self.0.ids.next()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("state", &self.0.state)
            .finish_non_exhaustive()
    }
}

/// IDs of requests: a random number of this start, then a count.
struct RequestIds {
    start: u32,
    count: std::sync::atomic::AtomicU64,
}

impl RequestIds {
    fn new() -> Self {
        let start = getrandom::u32().unwrap_or_default();
        Self {
            start,
            count: std::sync::atomic::AtomicU64::new(0),
        }
    }

    fn next(&self) -> String {
        format!(
            "{:08x}-{:x}",
            self.start,
            self.count.fetch_add(1, Ordering::Relaxed)
        )
    }
}
