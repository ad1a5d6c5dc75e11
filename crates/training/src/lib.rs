//! How models come to be: coding, splits by time, the choice of shape and strengths, fits by either
//! solver, the check for leaks.

pub use leadscore_inference::Resolution;
pub use leadscore_solver::Direction;

mod error;

mod coding;
mod logistic;
mod pairs;
mod recency;
mod smoothing;
mod splits;

mod fitting;
mod population;
mod selection;

mod calibration;
mod leaks;
mod learning;
mod points;
mod sufficiency;
mod unripe;

mod train;

pub use calibration::{
    Calibration, CalibrationInput, CalibrationKind, CalibrationTrial, try_calibrations,
};
pub use coding::{Beforehand, Coding, CodingOptions, DropReason, Dropped, Smoothing, Strengths};
pub use error::TrainError;
pub use fitting::{Fitted, Shape, SolverKind, fit_shape};
pub use leaks::{
    FinalInput, FinalState, LeakFinding, LeakVerdict, find_final_leaks, find_leaks, with_final,
};
pub use logistic::{LogisticFit, LogisticOptions, fit_logistic};
pub use points::{PointsCondition, PointsRule, PointsTable, points_table};
pub use population::{Elsewhere, Population, Totals};
pub use recency::HalfLife;
pub use splits::{Fold, SplitKind};
pub use sufficiency::judge_data;
pub use train::{
    EvaluationKind, Holdout, ModelKind, TrainContext, TrainInput, TrainOptions, Trained, train,
    train_by_sample,
};
pub use unripe::Unripe;
