//! The life of a model: the registry of models, the history of scores, monitoring, and one run that
//! a scheduler starts.

mod registry;

mod history;

mod finding;
mod monitor;

mod challenge;
mod run;

pub use registry::{
    Added, By, Decision, Event, Facts, Finding, Holder, KnownModel, Line, LockedRegistry,
    ModelFile, Registry, RegistryError, Role, Roles, RunNote, Why, journal_text,
};

pub use history::{
    Addition, Basis, Change, ChangeItem, History, HistoryError, HistorySummary, LeadPath,
    Migration, MomentSummary, NamedReason, OpenPoint, PathOptions, PathPoint, ReadHistory,
    ScoredMoment, Standing, weekly,
};

pub use finding::{Layer, MonitorFinding, Urgency};
pub use monitor::{FigureTable, MonitorError, MonitorInput, Monitoring, WeekFigures, monitor};

pub use challenge::{
    Challenge, ChallengeError, ChallengeOptions, ChallengeVerdict, Compared, challenge,
};
pub use run::{
    CheckReport, RunDecision, RunError, RunFailure, RunOptions, RunReport, StageReport,
    StageStatus, run,
};
