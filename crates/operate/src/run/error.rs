//! Why a run fails.

use std::path::PathBuf;

use leadscore::{ErrorKind, Timestamp};

use super::report::RunFailure;
use crate::challenge::ChallengeError;
use crate::history::HistoryError;
use crate::monitor::MonitorError;
use crate::registry::RegistryError;

/// Why a run fails; what was published before is as it was.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The registry refuses.
    #[error(transparent)]
    Registry(#[from] RegistryError),
    /// The history refuses.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Tables, training or scoring.
    #[error(transparent)]
    Library(#[from] leadscore::Error),
    /// Monitoring.
    #[error(transparent)]
    Monitor(#[from] MonitorError),
    /// The comparison of models.
    #[error(transparent)]
    Challenge(#[from] ChallengeError),
    /// A folder of `publish` is a file.
    #[error(
        "[operation] `publish` has the folder {}, which is a file\n  hint: write it without the slash at its end, or name another folder",
        path.display()
    )]
    NotAFolder {
        /// The file.
        path: PathBuf,
    },
    /// Undated data cannot do what the run was asked for.
    #[error(
        "{what} needs dates, and undated data has none\n  hint: remove it, and train with `leadscore train`; or tell [leads] when leads were created"
    )]
    Undated {
        /// What was asked for.
        what: &'static str,
    },
    /// A run whose scores would be nowhere.
    #[error(
        "scores of undated data are not kept in a history, and [operation] has no `publish`\n  hint: write where scores go, such as `publish = [\"scores.csv\"]`"
    )]
    Nowhere,
    /// A place within the registry or the history.
    #[error(
        "[operation] `publish` has {}, which is in the folder of `{what}`\n  hint: publish to another folder",
        path.display()
    )]
    InKeptFolder {
        /// The file that would be written.
        path: PathBuf,
        /// The key of the folder.
        what: &'static str,
    },
    /// A place that is written twice.
    #[error("[operation] `publish` has {place} twice\n  hint: remove one of the two")]
    Twice {
        /// As the config has it.
        place: String,
    },
    /// A run of a moment before one that was scored already.
    #[error(
        "leads would be scored as of {as_of}, and the history has scores as of {latest} already: published scores would go back\n  hint: check that the tables are today's; `leadscore score` scores a moment of the past"
    )]
    Earlier {
        /// The moment of this run.
        as_of: Timestamp,
        /// The latest of the history.
        latest: Timestamp,
    },
    /// A folder cannot be made.
    #[error("cannot make the folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl RunError {
    /// What kind of thing went wrong, for programs.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Registry(error) => error.kind(),
            Self::History(error) => error.kind(),
            Self::Library(error) => error.kind(),
            Self::Monitor(error) => error.kind(),
            Self::Challenge(error) => error.kind(),
            Self::NotAFolder { .. }
            | Self::Nowhere
            | Self::Twice { .. }
            | Self::InKeptFolder { .. } => ErrorKind::Config,
            Self::Undated { .. } => ErrorKind::Request,
            Self::Earlier { .. } => ErrorKind::Data,
            Self::Folder { source, .. }
                if source.kind() == std::io::ErrorKind::PermissionDenied =>
            {
                ErrorKind::PermissionDenied
            }
            Self::Folder { .. } => ErrorKind::Io,
        }
    }

    /// The sentence and the hint apart.
    pub(super) fn failure(&self) -> RunFailure {
        RunFailure {
            kind: Some(self.kind()),
            ..RunFailure::of(self)
        }
    }
}

impl RunFailure {
    /// What an error says.
    pub fn of(error: &(dyn std::error::Error + 'static)) -> Self {
        let words = leadscore::error_words(error);
        let (message, hint) = match words.split_once("\n  hint: ") {
            Some((message, hint)) => (message.to_owned(), Some(hint.to_owned())),
            None => (words, None),
        };
        Self {
            message,
            hint,
            kind: None,
        }
    }
}
