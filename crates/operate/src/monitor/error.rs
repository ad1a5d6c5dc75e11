//! Why monitoring fails.

use std::path::PathBuf;

use leadscore::ErrorKind;
use leadscore_monitoring::{DriftError, EarlyError, ForecastError, UpliftError};

use crate::history::HistoryError;

/// Why monitoring fails.
#[derive(Debug, thiserror::Error)]
pub enum MonitorError {
    /// Tables or the model.
    #[error(transparent)]
    Library(#[from] leadscore::Error),
    /// The history.
    #[error(transparent)]
    History(#[from] HistoryError),
    /// Contributions that cannot be compared.
    #[error("cannot compare contributions")]
    Drift(#[from] DriftError),
    /// Likelihoods that cannot be added up.
    #[error("cannot forecast")]
    Forecast(#[from] ForecastError),
    /// Arms that cannot be compared.
    #[error("cannot compare the arms")]
    Uplift(#[from] UpliftError),
    /// Weeks that cannot be read.
    #[error("cannot read weeks")]
    Early(#[from] EarlyError),
    /// What is kept between runs cannot be written.
    #[error("cannot write {}", path.display())]
    Cache {
        /// The file.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl MonitorError {
    /// What kind of thing went wrong, for programs.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::Library(error) => error.kind(),
            Self::History(error) => error.kind(),
            Self::Drift(_) | Self::Forecast(_) | Self::Uplift(_) | Self::Early(_) => {
                ErrorKind::Data
            }
            Self::Cache { source, .. } if source.kind() == std::io::ErrorKind::PermissionDenied => {
                ErrorKind::PermissionDenied
            }
            Self::Cache { .. } => ErrorKind::Io,
        }
    }
}
