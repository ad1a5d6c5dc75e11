//! Why nothing can be scored from a store.

use leadscore::ErrorKind;
use leadscore_serve::NoScore;
use leadscore_store::StoreError;

/// Why nothing can be scored from a store.
#[derive(Debug, thiserror::Error)]
pub enum LiveError {
    /// The config, the model or the tables are not what a store can be read by.
    #[error(transparent)]
    Library(#[from] leadscore::Error),
    /// The store refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The model reads what one lead's rows do not have.
    #[error("{found}\n  hint: {help}")]
    Model {
        /// What it reads.
        found: String,
        /// What to do.
        help: String,
    },
    /// The store has rows already, where a new one is needed.
    #[error(
        "the store has {n_events} events already\n  hint: import into a new store, or send the rows as events"
    )]
    NotEmpty {
        /// How many.
        n_events: u64,
    },
}

impl LiveError {
    /// Why there is no score, with what the log gets of it.
    pub(crate) fn no_score(self) -> NoScore {
        let is_away = match &self {
            Self::Library(error) => error.kind() == ErrorKind::Remote,
            Self::Store(error) => error.is_of_server(),
            Self::Model { .. } | Self::NotEmpty { .. } => false,
        };
        let words = leadscore::error_words(&self);
        if is_away {
            NoScore::Away(words)
        } else {
            NoScore::Failed(words)
        }
    }
}
