//! Penalised logistic regression over numbers and codes, fitted at memory speed, with a
//! certificate; knows nothing of leads.

mod column;
mod design;
mod disk;
mod error;
mod layout;
mod penalty;
mod target;

mod hessian;
mod kernel;
mod many;
mod tile;

mod corners;
mod covariance;
mod descents;
mod factor;
mod fit;
mod newton;
mod separation;

mod linfa;

pub use column::{Column, Fill};
pub use covariance::{clustered_covariance, covariance_with_shrinkage};
pub use descents::{fit, fit_elsewhere, fit_many};
pub use design::Design;
pub use error::SolverError;
pub use factor::{Factor, InverseRoot};
pub use fit::{Certificate, Expansion, Fit, SolverOptions, Start, expand};
pub use layout::Precision;
pub use linfa::{Logistic, LogisticParams, ValidLogisticParams};

pub use many::{log_losses, log_odds, log_odds_of_many};
pub use penalty::{Direction, Penalty};
pub use target::Target;
