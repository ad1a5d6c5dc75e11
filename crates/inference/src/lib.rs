//! The fitted model: a sum of look-ups, its file, its scores, tiers and reasons; knows no solver.

mod age_baseline;
mod alternative;
mod calibration;
mod reading;
mod term;

mod caveat;
mod model;
mod scope;

mod reasons;
mod score;
mod tiers;

mod earlier_formats;
mod file;
mod format_one;
mod onnx;
mod pmml;

pub use age_baseline::AgeBaseline;
pub use alternative::{Alternative, Resolution};
pub use calibration::CalibrationCurve;
pub use caveat::Caveat;
pub use file::{FORMAT_VERSION, ModelFileError, read_model, write_model};
pub use model::{
    Card, CellCount, Challenge, Covariance, DataVerdict, FitCertificate, LearningCurve,
    LearningPoint, Model, Sufficiency,
};
pub use onnx::OnnxError;
pub use pmml::PmmlError;
pub use reading::{Reading, ReadingRule};
pub use reasons::{
    Addend, Concepts, Contributions, FEWEST, FeatureColumn, ONLY, Part, Reason, signed,
};
pub use scope::{
    FeatureScope, GuardFinding, Guarded, JudgedAttribute, LeadSample, Scope, Spread, WithAndWithout,
};
pub use score::{ScoreError, Scored, TopContributions, score, score_with_reasons};
pub use term::{Axis, BinsTerm, LevelsTerm, LinearTerm, PairTerm, Term, bin_of};
pub use tiers::{
    FEWEST_FOR_QUARTILES, edge_within_rounding, percentiles, quartile_edges, quartile_tiers,
    relative_tiers, tiers_by_edges,
};
