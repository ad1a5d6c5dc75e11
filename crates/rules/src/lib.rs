//! Manual scores: points by rules over the same tables and the same rule of time as features; knows
//! no model.

mod condition;
mod rules_file;

mod bind;
mod score;

mod crossing;

pub use bind::BoundRules;
pub use crossing::Crossing;
pub use rules_file::{
    EventCondition, ExampleConfig, Grade, GroupConfig, MatrixConfig, OnlyConfig, RuleConfig,
    RuleValue, RulesFile, ScoreConfig,
};
pub use score::{Contribution, PointsScore, RulesError};
