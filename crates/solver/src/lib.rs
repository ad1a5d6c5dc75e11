//! Penalised logistic regression over numbers and codes, fitted at memory speed, with a certificate; knows nothing of leads.

mod design;
mod error;
mod penalty;
mod target;

mod kernel;

mod covariance;
mod factor;
mod newton;
mod separation;

mod linfa;

pub use covariance::clustered_covariance;
pub use design::{Column, Design, Fill, Precision};
pub use error::SolverError;
pub use factor::Factor;
pub use linfa::{Logistic, LogisticParams, ValidLogisticParams};

pub use kernel::{Hessian, log_odds};
pub use newton::{Certificate, Fit, SolverOptions, Start, curvature, fit};
pub use penalty::Penalty;
pub use target::Target;
