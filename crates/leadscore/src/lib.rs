//! The straight lines from a config to models, scores and reports, for whoever asks: the command or
//! the Python package.

mod config_failure;
mod error;
mod listener;
mod text;

mod data;
mod outputs;
mod source;

mod check;
mod columns;
mod data_page;
mod evaluation;
mod features;
mod reference;
mod rules;
mod simulate;

mod train;

mod list;
mod score;
mod score_summary;
mod sql;

mod backtest;
mod contributions;
mod evaluate;
mod explain;
mod inspect;
mod lone_lead;
mod recalibrate;

#[cfg(feature = "spark")]
mod engine;
#[cfg(feature = "spark")]
mod population;

pub use check::{Findings, check};
pub use columns::{ColumnValues, score_columns, score_frame, train_on_columns};
pub use contributions::{ContributionsBy, LeadContributions, contributions};
pub use data::{Data, cluster_keys, describe_counts, lead_keys, model_from_bytes, now, read_model};
#[cfg(feature = "spark")]
pub use engine::{Engine, Stay};
pub use error::{Error, ErrorKind, Result};
pub use evaluate::{EvaluateOptions, Evaluation, evaluate};
pub use explain::{Explanation, SinceError, UnknownLead, explain};
pub use features::{
    FeatureOptions, describe_features, feature_table, feature_table_sql, plan_features,
    reference_of_families, write_features,
};
pub use inspect::inspect;
pub use leadscore_training::CalibrationKind;
pub use list::{DEFAULT_TOP, ListFormat, ListOptions, lead_list};
pub use listener::{Interrupted, Listener, Progress, Silent, Stage};
pub use lone_lead::{explain_one, read_lead_json};
pub use outputs::{Outputs, write_bytes, write_model, write_text};
pub use recalibrate::{RecalibrateOptions, recalibrate};
pub use reference::reference_of_config;
pub use rules::{
    ReadRules, RollUp, RulesCheck, RulesOptions, check_rules, explain_rules, rules_history,
    rules_table, write_rules,
};
pub use score::{ScoreOptions, Scores, score_leads};
pub use score_summary::{OutsideSummary, ScoreSummary, TierSummary};
pub use simulate::{simulated_config, simulated_tables, write_crm};
pub use sql::{model_with_features_sql, table_names, tier_edges_of};
pub use text::{error_text, shown, table};
pub use train::{Fitting, Training, columns_written_at_close, train};

pub use evaluation::Economy;
