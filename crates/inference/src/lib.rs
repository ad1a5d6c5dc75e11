//! The fitted model: a sum of look-ups, its file, its scores, tiers and reasons; knows no solver.

mod axis;
mod reading;
mod term;

mod age_baseline;
mod calibration;
mod covariance;
mod scope;

mod alternative;
mod card;
mod limitation;
mod sufficiency;

mod model;
mod recalibration;
mod soundness;
mod uncertainty;

mod guard;
mod reasons;
mod score;
mod tiers;

mod earlier_formats;
mod export;
mod file;
mod format_one;

pub use age_baseline::AgeBaseline;
pub use alternative::{Alternative, Resolution};
pub use axis::{Axis, bin_of};
pub use calibration::CalibrationCurve;
pub use card::{Card, Challenge, FitCertificate, LearningCurve, LearningPoint};
pub use covariance::Covariance;
pub use export::{OnnxError, PmmlError};
pub use file::{FORMAT_VERSION, ModelFileError, read_model, write_model};
pub use guard::{GuardFinding, Guarded};
pub use limitation::Limitation;
pub use model::{CellCount, Model};
pub use reading::{Reading, ReadingRule};
pub use reasons::{
    Addend, Concepts, Contributions, FEWEST, FeatureColumn, ONLY, Part, Reason, signed,
};
pub use scope::{FeatureScope, JudgedAttribute, LeadSample, Scope, Spread, WithAndWithout};
pub use score::{ScoreError, Scored, TopContributions, score, score_with_reasons};
pub use sufficiency::{DataVerdict, Sufficiency};
pub use term::{BinsTerm, LevelsTerm, LinearTerm, PairTerm, Term};
pub use tiers::{
    FEWEST_FOR_QUARTILES, edge_within_rounding, percentiles, quartile_edges, quartile_tiers,
    relative_tiers, tiers_by_edges,
};
