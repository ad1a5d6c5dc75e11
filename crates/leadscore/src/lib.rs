//! Lead scoring on your own history: how likely each open lead is to become a customer within 90
//! days, with reasons that add up, and proof on later data.
//!
//! A [`Config`] says what is in which table. [`Data`] opens the tables: files, frames in memory,
//! queries, objects of stores. A view [`as_of`](Data::as_of) a moment knows what was known then.
//! From data come a model ([`train`]), its figures on later snapshots ([`evaluate`]), and scores of
//! open leads ([`score`]), which [`explain`] takes apart.
//!
//! ```standalone_crate
//! use leadscore::{Config, Data, EvaluateOptions, Inputs, ScoreOptions, TrainOptions};
//!
//! # fn main() -> leadscore::Result<()> {
//! # let folder = tempfile::tempdir()?;
//! # std::env::set_current_dir(folder.path())?;
//! # let crm = leadscore::SimulationOptions { n_leads: 6_000, world: leadscore::World::Linear, seed: 7 };
//! # leadscore::write_crm(crm, folder.path(), "csv", &Inputs::default().listener)?;
//! let config = Config::read("leadscore.toml")?;
//! let data = Data::open(&config, Inputs::default())?;
//!
//! // A model of what was known on 1 April, measured on what came later.
//! let past = data.as_of("2025-04-01".parse().expect("a date"));
//! let model = leadscore::train(&past, &TrainOptions::default())?.into_model();
//! let found = leadscore::evaluate(&data, &model, &EvaluateOptions::default())?;
//! found.write("report.html")?;
//! assert!(found.report.measured.evaluation.ranking.roc_auc.low > 0.5);
//!
//! // A model of everything, and the open leads by it, best first.
//! let model = leadscore::train(&data, &TrainOptions::default())?.into_model();
//! let scores = leadscore::score(&data, &model, &ScoreOptions::default())?;
//! scores.write("scores.csv")?;
//! assert!(scores.likelihood(0) >= scores.likelihood(1));
//! # Ok(())
//! # }
//! ```
//!
//! # Which call does what
//!
//! | to | call | command |
//! | --- | --- | --- |
//! | look for what is wrong with tables | [`check`] | `check` |
//! | compute the feature matrix | [`feature_table`], [`write_features`], [`feature_table_sql`] | `features` |
//! | learn a model | [`train`] | `train` |
//! | measure it on later snapshots | [`evaluate`] | `evaluate` |
//! | decide between two models on snapshots that neither has seen | [`compare_models`], [`compare_recipe`], [`tier_churn`] | |
//! | correct its percentages by later outcomes | [`recalibrate`] | `recalibrate` |
//! | score open leads | [`score`], [`lead_list`], [`explain_one`] for a lead in no table | `score` |
//! | score some leads, each at a moment of its own | [`Timeline`] | `serve`, `replay` |
//! | say why | [`explain`], [`contributions`], [`inspect`] | `explain`, `inspect` |
//! | take it elsewhere | [`export_points`], [`model_with_features_sql`], `Model::to_onnx`, `Model::to_pmml` | `export` |
//! | count points by rules | [`rules_table`], [`rules_history`], [`check_rules`] | `rules` |
//! | make a CRM with a known truth | [`write_crm`], [`simulated_tables`] | `simulate` |
//!
//! Likelihoods are percentages, 0 to 100; probabilities 0 to 1; log-odds natural. Every call says
//! how the work goes to the [`Listener`] of its [`Inputs`], and stops at the next stage where that
//! asks. Errors have a [kind](ErrorKind). Files are written whole or not at all ([`Outputs`]).

mod config_failure;
mod error;
mod error_text;
mod listener;
mod moment;
mod text;

mod config;
mod data;
mod outputs;
mod source;

mod ages;
mod check;
mod columns;
mod data_page;
mod evaluation;
mod features;
mod hold_back;
mod limitations;
mod reference;
mod rules;
mod simulate;

mod train;

mod list;
mod sales_words;
mod score;
mod score_summary;
mod sql;
mod timeline;

mod backtest;
mod compare;
mod contributions;
mod evaluate;
mod explain;
mod inspect;
mod late_tables;
mod lead_weeks;
mod lone_lead;
#[cfg(not(feature = "databases"))]
mod no_databases;
#[cfg(not(feature = "store"))]
mod no_store;
mod points;
mod recalibrate;

#[cfg(feature = "spark")]
mod engine;
#[cfg(feature = "store")]
mod store_tables;

pub use config::Config;
pub use data::{Data, Inputs, OpenTables, model_from_bytes, read_model};
pub use error::{Error, ErrorKind, Result};
pub use listener::{Interrupted, Listener, Progress, Silent, Stage};

pub use check::{Findings, TablesRead, check, check_tables};
pub use compare::{
    CompareOptions, ComparedModel, ComparedWith, LaterFigures, ModelComparison, RecipeComparison,
    RecipeOptions, TierChurn, compare_models, compare_recipe, later_figures, tier_churn,
};
pub use contributions::{CONCEPT_PREFIX, ContributionsBy, LeadContributions, contributions};
#[cfg(feature = "spark")]
pub use engine::{Engine, Stay};
pub use evaluate::{EvaluateOptions, Evaluation, evaluate, write_report};
pub use evaluation::Economy;
pub use explain::{
    ExplainOptions, Explanation, SinceError, UnknownLead, explain, steps_to_probability,
};
pub use features::{
    FeatureOptions, describe_features, feature_table, feature_table_sql, plan_features,
    reference_of_families, write_features,
};
pub use hold_back::HoldBackSummary;
pub use inspect::inspect;
pub use late_tables::LateTable;
pub use lead_weeks::{
    LeadOutcomes, LeadState, LeadWeeks, LeadWeeksOptions, WEEK, lead_outcomes, lead_weeks,
};
pub use leadscore_dataset::LONGEST_WAIT_DAYS;
pub use list::{DEFAULT_TOP, ListFormat, ListOptions, lead_list};
pub use lone_lead::{explain_one, read_lead_json};
pub use points::{MOST_RULES, Points, export_points};
pub use recalibrate::{RecalibrateOptions, recalibrate};
#[cfg(feature = "store")]
pub use rules::{LeadPoints, PointsTimeline};
pub use rules::{
    ReadRules, RollUp, RulesCheck, RulesOptions, check_rules, check_thresholds, explain_rules,
    rules_history, rules_table, write_rules,
};
pub use sales_words::SalesWord;
pub use score::{ScoreOptions, Scores, score};
pub use score_summary::{OutsideSummary, ScoreSummary, TierSummary};
pub use simulate::{simulated_config, simulated_tables, write_crm};
pub use sql::model_with_features_sql;
#[cfg(feature = "store")]
pub use store_tables::{
    CHANGED_AT, CellUse, ImportedRows, LeadRead, LeadReader, LeadRow, RECORDED, RawLead, Scan,
    TableColumns, WORD_COLUMNS, check_served_model, check_store_settings, export_store,
    is_store_address, kept_lookups, store_place, stored_instant, table_columns,
};
pub use timeline::{Timeline, TimelineScores};
pub use train::{TrainOptions, Training, train};

pub use columns::{ColumnOptions, ColumnValues, score_columns, score_frame, train_on_columns};
pub use error_text::{error_text, error_words};
pub use outputs::{Outputs, write_bytes, write_model, write_text};
pub use reference::reference_of_config;

pub use leadscore_config::Capacity;
pub use leadscore_core::{ContactPriority, Timestamp};
pub use leadscore_inference::Model;
pub use leadscore_io::{Frame, Frames, OutColumn, OutTable};
pub use leadscore_metrics::CalibrationVerdict;
pub use leadscore_report::{PointsLoss, Report};
pub use leadscore_simulate::{SimulationOptions, World};
pub use leadscore_sql::Dialect;
pub use leadscore_training::{CalibrationKind, Direction};

/// What the command and the Python package share beside the library; not part of its promise.
#[doc(hidden)]
pub mod front_end {
    pub use crate::data::{check_databases, cluster_keys, describe_counts, lead_keys, now};
    pub use crate::sql::table_names;
    pub use crate::text::{shown, table};
    pub use crate::train::columns_written_at_close;
    pub use leadscore_config::{Bytes, Config as Settings, TierEdges};
    pub use leadscore_core::{
        FeatureKind, LeftOut, agree, count, counted, hide_credentials, printable, printable_json,
        printable_lines,
    };
    pub use leadscore_inference::write_model;
    pub use leadscore_io::{
        ExportsInput, FrameError, LEAST_MEMORY, Product, ProfileInput, TableWriter, TablesError,
        check_table_target, check_target, folder_of, is_reading, profile, profile_exports,
        read_at_most, refuse_inputs, remove_unfinished, split_names, write_table,
    };
    pub use leadscore_report::{check_workbooks, model_page};
    pub use leadscore_sql::{ScoreTable, score_sql};
}
