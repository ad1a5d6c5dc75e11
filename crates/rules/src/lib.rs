//! Manual scores: points by rules over the same tables and the same rule of time as features; knows no model.

mod rules_file;

mod bind;
mod score;

pub use bind::BoundRules;
pub use rules_file::{ExampleConfig, Grade, GroupConfig, RuleConfig, RuleValue, RulesFile, ScoreConfig};
pub use score::{Contribution, PointsScore, RulesError};
