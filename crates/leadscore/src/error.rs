//! Errors of the library: a kind for programs, a sentence for people, and the causes beneath.

use std::fmt;

#[cfg(feature = "databases")]
use leadscore_databases::DatabaseError;
use leadscore_io::{FrameError, TablesError};

use crate::config_failure::ConfigFailure;
use crate::explain::{SinceError, UnknownLead};
use crate::listener::Interrupted;

/// The result of every fallible call of the library.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Why a call failed.
///
/// [`kind`](Self::kind) is for programs. [`Display`](fmt::Display) is the first sentence for people,
/// [`source`](std::error::Error::source) what lies beneath it, and
/// [`error_text`](crate::error_text) all of it as the command prints it.
///
/// # Examples
///
/// ```
/// let error = leadscore::Config::read("nowhere.toml").unwrap_err();
/// assert_eq!(error.kind(), leadscore::ErrorKind::FileNotFound);
/// assert!(error.to_string().contains("nowhere.toml"));
/// ```
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    what: What,
}

#[derive(Debug)]
enum What {
    /// A sentence of our own.
    Sentence(String),
    /// An error of another crate, which speaks for itself.
    Other(Box<dyn std::error::Error + Send + Sync>),
    /// What was tried, and why it failed.
    While(String, Box<Error>),
}

/// What kind of thing went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The config has a key, a value or a combination that it cannot have.
    Config,
    /// A table is not as the config says, or can be read in two ways.
    Data,
    /// A lead, a column or another name is not there.
    NotFound,
    /// A file is not there.
    FileNotFound,
    /// The operating system does not permit it.
    PermissionDenied,
    /// Reading or writing failed for another reason.
    Io,
    /// A database or an engine refused, or cannot be reached.
    Remote,
    /// A model file is damaged, of a later version, or does not fit the config.
    Model,
    /// There is too little to learn from or to measure, or a fit did not converge.
    Learning,
    /// The call asks for something that cannot be had.
    Request,
    /// Whoever asked for the work stopped it.
    Interrupted,
}

impl Error {
    /// A call asks for something that cannot be had; for front ends that refuse it themselves.
    pub fn request(text: impl Into<String>) -> Self {
        Self {
            kind: ErrorKind::Request,
            what: What::Sentence(text.into()),
        }
    }

    /// The same, with what was tried.
    #[must_use]
    pub fn context(self, text: impl Into<String>) -> Self {
        Self {
            kind: self.kind,
            what: What::While(text.into(), Box::new(self)),
        }
    }

    fn other(kind: ErrorKind, error: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self {
            kind,
            what: What::Other(Box::new(error)),
        }
    }

    /// What kind of thing went wrong.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// The config that cannot be read, where that is why.
    pub(crate) fn config_failure(&self) -> Option<&ConfigFailure> {
        match &self.what {
            What::Sentence(_) => None,
            What::Other(error) => error.downcast_ref(),
            What::While(_, cause) => cause.config_failure(),
        }
    }

    /// Whether there was too little to learn from.
    pub(crate) fn is_too_little(&self) -> bool {
        match &self.what {
            What::Sentence(_) => false,
            What::Other(error) => error
                .downcast_ref::<leadscore_training::TrainError>()
                .is_some_and(leadscore_training::TrainError::is_too_little),
            What::While(_, cause) => cause.is_too_little(),
        }
    }

    /// The doubts about how tables are to be read, where they are why.
    pub fn doubts(&self) -> Option<&[leadscore_config::Doubt]> {
        match &self.what {
            What::Sentence(_) => None,
            What::Other(error) => match error.downcast_ref() {
                Some(TablesError::Doubts(doubts)) => Some(doubts),
                _ => None,
            },
            What::While(_, cause) => cause.doubts(),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.what {
            What::Sentence(text) | What::While(text, _) => f.write_str(text),
            What::Other(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match &self.what {
            What::Sentence(_) => None,
            What::Other(error) => error.source(),
            What::While(_, cause) => Some(cause.as_ref()),
        }
    }
}

/// The kind of the first error of the operating system among the causes, else this one.
fn kind_beneath(error: &(dyn std::error::Error + 'static), else_kind: ErrorKind) -> ErrorKind {
    let mut cause = Some(error);
    while let Some(found) = cause {
        if let Some(error) = found.downcast_ref::<std::io::Error>() {
            return kind_of_io(error);
        }
        cause = found.source();
    }
    else_kind
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "kinds of the operating system, of which two are told apart"
)]
fn kind_of_io(error: &std::io::Error) -> ErrorKind {
    match error.kind() {
        std::io::ErrorKind::NotFound => ErrorKind::FileNotFound,
        std::io::ErrorKind::PermissionDenied => ErrorKind::PermissionDenied,
        _ => ErrorKind::Io,
    }
}

impl From<TablesError> for Error {
    fn from(error: TablesError) -> Self {
        let kind = match &error {
            TablesError::Column { .. } => ErrorKind::NotFound,
            TablesError::Missing { .. } => ErrorKind::FileNotFound,
            other @ (TablesError::Io { .. }
            | TablesError::Format { .. }
            | TablesError::Row { .. }
            | TablesError::Cell { .. }
            | TablesError::Doubts(_)
            | TablesError::Content { .. }
            | TablesError::Engine { .. }) => kind_beneath(other, ErrorKind::Data),
        };
        Self::other(kind, error)
    }
}

#[cfg(feature = "databases")]
impl From<DatabaseError> for Error {
    fn from(error: DatabaseError) -> Self {
        let kind = match &error {
            DatabaseError::Refused { .. }
            | DatabaseError::Driver { .. }
            | DatabaseError::StaticBuild => ErrorKind::Remote,
            other @ (DatabaseError::Secret(_)
            | DatabaseError::Scheme { .. }
            | DatabaseError::Frame { .. }) => kind_beneath(other, ErrorKind::Config),
        };
        Self::other(kind, error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::other(kind_of_io(&error), error)
    }
}

/// Errors of other crates whose kind is always the same, unless the operating system is beneath.
macro_rules! from_errors {
    ($($error:ty => $kind:ident),* $(,)?) => {$(
        impl From<$error> for Error {
            fn from(error: $error) -> Self {
                let kind = kind_beneath(&error, ErrorKind::$kind);
                Self::other(kind, error)
            }
        }
    )*};
}

from_errors! {
    ConfigFailure => Config,
    leadscore_config::ConfigError => Config,
    leadscore_features::TooManySnapshots => Data,
    std::num::TryFromIntError => Data,
    std::string::FromUtf8Error => Data,
    std::string::FromUtf16Error => Data,
    FrameError => Data,
    Interrupted => Interrupted,
    SinceError => Request,
    UnknownLead => NotFound,
    leadscore_core::LeftOut => Request,
    leadscore_core::MatrixError => Data,
    leadscore_features::FeaturesError => Data,
    leadscore_inference::ModelFileError => Model,
    leadscore_inference::OnnxError => Request,
    leadscore_inference::PmmlError => Request,
    leadscore_inference::ScoreError => Model,
    leadscore_metrics::MetricError => Learning,
    leadscore_report::ReportError => Io,
    leadscore_rules::RulesError => Data,
    leadscore_sql::SqlError => Request,
    leadscore_training::TrainError => Learning,
    serde_json::Error => Data,
}

#[cfg(feature = "spark")]
from_errors! {
    leadscore_spark::EngineError => Remote,
}

#[cfg(feature = "store")]
from_errors! {
    leadscore_io::SecretPlaceError => Config,
    leadscore_store::AddressError => Config,
}

#[cfg(feature = "store")]
impl From<leadscore_store::StoreError> for Error {
    fn from(error: leadscore_store::StoreError) -> Self {
        let kind = if error.is_of_server() {
            ErrorKind::Remote
        } else {
            kind_beneath(&error, ErrorKind::Data)
        };
        Self::other(kind, error)
    }
}

/// Says what was tried where it fails.
pub(crate) trait Context<T> {
    fn context(self, text: impl Into<String>) -> Result<T>;

    fn with_context<S: Into<String>>(self, text: impl FnOnce() -> S) -> Result<T>;
}

impl<T, E: Into<Error>> Context<T> for Result<T, E> {
    fn context(self, text: impl Into<String>) -> Result<T> {
        self.with_context(|| text)
    }

    fn with_context<S: Into<String>>(self, text: impl FnOnce() -> S) -> Result<T> {
        self.map_err(|error| error.into().context(text()))
    }
}

impl<T> Context<T> for Option<T> {
    fn context(self, text: impl Into<String>) -> Result<T> {
        self.with_context(|| text)
    }

    fn with_context<S: Into<String>>(self, text: impl FnOnce() -> S) -> Result<T> {
        self.ok_or_else(|| Error::request(text()))
    }
}

/// Refuses a call that asks for something that cannot be had.
macro_rules! bail {
    ($($text:tt)*) => {
        return Err($crate::error::Error::request(format!($($text)*)))
    };
}
pub(crate) use bail;

/// An error for a call that asks for something that cannot be had.
macro_rules! request {
    ($($text:tt)*) => {
        $crate::error::Error::request(format!($($text)*))
    };
}
pub(crate) use request;
