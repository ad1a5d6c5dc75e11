//! Penalised logistic regression over numbers and codes, fitted at memory speed, with a
//! certificate; knows nothing of leads.

mod design;
mod disk;
mod error;
mod penalty;
mod target;

mod kernel;
mod many;

mod corners;
mod covariance;
mod factor;
mod newton;
mod separation;

mod linfa;

pub use covariance::{clustered_covariance, covariance_with_shrinkage};
pub use design::{Column, Design, Fill, Precision};
pub use error::SolverError;
pub use factor::{Factor, InverseRoot};
pub use linfa::{Logistic, LogisticParams, ValidLogisticParams};

pub use many::{log_losses, log_odds, log_odds_of_many};
pub use newton::{
    Certificate, Expansion, Fit, SolverOptions, Start, expand, fit, fit_elsewhere, fit_many,
};
pub use penalty::{Direction, Penalty};
pub use target::Target;
