//! How models come to be: encoding, splits by time, the solver behind linfa's `Fit`, the choice of penalty, the check for leaks.

mod error;

mod encoder;
mod logistic;
mod splits;

mod leaks;
mod sufficiency;

mod train;

pub use encoder::{Dropped, Encoder, EncoderOptions, FittedEncoder};
pub use error::TrainError;
pub use leaks::{LeakFinding, LeakVerdict, find_leaks};
pub use logistic::{LogisticFit, LogisticOptions, fit_logistic};
pub use splits::{Fold, SplitKind};
pub use sufficiency::judge_data;
pub use train::{EvaluationKind, Holdout, TrainContext, TrainInput, TrainOptions, Trained, train};
