//! How models come to be: encoding, splits by time, the choice of shape and strengths, fits by either
//! solver, the check for leaks.

pub use leadscore_inference::Resolution;
pub use leadscore_solver::Direction;

mod error;

mod effective_size;
mod input;
mod loss;
mod recency;
mod splits;

mod encoding;
mod logistic;
mod pairs;
mod shape;
mod smoothing;

mod leaks;
mod options;
mod penalty_rule;
mod sufficiency;

mod fitting;
mod population;
mod selection;
mod unripe;

mod calibration;
mod learning;
mod measuring;
mod points;

mod account;
mod train;

pub use calibration::{
    Calibration, CalibrationInput, CalibrationKind, CalibrationTrial, try_calibrations,
};
pub use encoding::{
    Beforehand, DropReason, Dropped, Encoding, EncodingOptions, Smoothing, Strengths,
};
pub use error::{Elsewhere, TrainError};
pub use fitting::{Fitted, fit_shape};
pub use input::{TrainInput, Unripe};
pub use leaks::{
    DatedClosing, FinalInput, FinalState, LeakFinding, LeakVerdict, find_final_leaks, find_leaks,
    with_final, written_at_close,
};
pub use logistic::{LogisticFit, LogisticOptions, fit_logistic};
pub use measuring::Holdout;
pub use options::{EvaluationKind, ModelKind, SolverKind, TrainContext, TrainOptions};
pub use points::{PointsCondition, PointsRule, PointsTable, points_table};
pub use population::{Population, Totals};
pub use recency::HalfLife;
pub use shape::Shape;
pub use splits::{Fold, SplitKind};
pub use sufficiency::judge_data;
pub use train::{Trained, train, train_by_sample};
