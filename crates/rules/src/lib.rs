//! Manual scores: points by rules over the same tables and the same rule of time as features; knows
//! no model.

mod condition;
mod rule;
mod rules_file;

mod check;

mod accounts;
mod bind;
mod binder;
mod events;
mod score;

mod words;

mod crossing;

pub use bind::BoundRules;
pub use crossing::Crossing;
pub use rule::{
    DecayStep, EventCondition, NothingElse, PartConfig, ResetConfig, RuleConfig, RuleValue,
    ThenConfig,
};
pub use rules_file::{
    ExampleConfig, Grade, GroupConfig, MatrixConfig, OnlyConfig, RulesFile, ScoreConfig, ScoreOf,
};
pub use score::{Contribution, PointsScore, RulesError};
