//! What can be typed.

mod evaluate;
mod explain;
mod export;
mod history;
mod model;
mod models;
mod operate;
#[cfg(feature = "serve")]
mod replay;
mod rules;
mod score;
#[cfg(feature = "serve")]
mod serve;
mod shared;
#[cfg(feature = "serve")]
mod store;
mod train;

use std::path::PathBuf;

use clap::{Parser, Subcommand};
use leadscore::Dialect;
use leadscore::front_end::Product;

pub(crate) use evaluate::{EconomyArgs, EvaluateArgs, ReportFormat};
pub(crate) use explain::{ContributionsArg, ExplainArgs};
pub(crate) use export::{
    ExportCommand, ExportFileArgs, ExportPointsArgs, ExportSqlArgs, PointsFormat,
};
pub(crate) use history::HistoryArgs;
pub(crate) use model::{ModelArg, ReadModel};
pub(crate) use models::{
    ModelsAddArgs, ModelsCommand, ModelsCompareArgs, ModelsListArgs, ModelsPromoteArgs,
    ModelsRetireArgs, ModelsRevertArgs, ModelsShowArgs, ModelsWhyArgs, RegistryArgs,
};
pub(crate) use operate::{MonitorArgs, RunArgs};
#[cfg(feature = "serve")]
pub(crate) use replay::ReplayArgs;
pub(crate) use rules::{
    RollUp, RulesArgs, RulesCommand, RulesExplainArgs, RulesFilesArgs, RulesScoreArgs,
};
pub(crate) use score::ScoreArgs;
#[cfg(feature = "serve")]
pub(crate) use serve::{RoleArg, ServeArgs, TokensCommand, TokensCreateArgs, TokensFileArgs};
pub(crate) use shared::{ConfigArg, EngineArgs, LimitArgs};
#[cfg(feature = "serve")]
pub(crate) use store::{
    StoreArgs, StoreBackupArgs, StoreCommand, StoreExportArgs, StoreForgetArgs,
};
pub(crate) use train::{FittingArgs, StayArgs, TrainArgs};

use self::shared::{dialects, place};

/// How likely each open lead is to become a customer within 90 days, with reasons, and proof on
/// later data.
#[derive(Debug, Parser)]
#[command(name = "leadscore", version, arg_required_else_help = true)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Simulate a CRM, train, score and report: the first thing to run
    Demo(DemoArgs),
    /// Write a first leadscore.toml from your files, every guess beside its setting
    Init(InitArgs),
    /// Say what is wrong with the data, what leaks, and whether there is enough of it
    Check(CheckArgs),
    /// Write the feature matrix of all mature snapshots
    Features(FeaturesArgs),
    /// Learn a model from closed leads
    Train(TrainArgs),
    /// Score every open lead
    Score(ScoreArgs),
    /// Measure a model on snapshots that it has not seen, and write the report
    Evaluate(EvaluateArgs),
    /// Recalibrate a model on outcomes that it has not seen, without fitting it again
    Recalibrate(RecalibrateArgs),
    /// Show what is in a model file
    Inspect(InspectArgs),
    /// Say why one lead has its score, and what would change its tier
    Explain(ExplainArgs),
    /// Say whether a model still holds: inputs, forecast, wins by week, windows that have ended
    Monitor(MonitorArgs),
    /// Do what a scheduler starts every night: score, monitor, train and compare when it is time,
    /// publish
    Run(RunArgs),
    /// Show what was predicted for a lead over time and what changed, or the score history by week
    History(HistoryArgs),
    /// Write a model in another form
    #[command(subcommand)]
    Export(ExportCommand),
    /// Manual points: score leads by a rules.toml, explain a score, or check the rules
    #[command(subcommand)]
    Rules(RulesCommand),
    /// Models that are kept: which one scores, since when, and who decided that
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Take events in, score leads as they act, and show sales the queue, until it is asked to end
    #[cfg(feature = "serve")]
    Serve(ServeArgs),
    /// Tokens of the server: who may do what
    #[cfg(feature = "serve")]
    #[command(subcommand)]
    Tokens(TokensCommand),
    /// The event store: made of tables, written as tables, checked, copied; leads forgotten
    #[cfg(feature = "serve")]
    #[command(subcommand)]
    Store(StoreCommand),
    /// Compute every answer of the server again from its store, and say which differ
    #[cfg(feature = "serve")]
    Replay(ReplayArgs),
    /// Make a CRM with a known truth
    Simulate(SimulateArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Write man pages, one for each command
    Man(ManArgs),
    /// Print every family of features with its definition and an example
    Families,
    /// Print the JSON schema of leadscore.toml, for editors, or its reference, for people
    Schema(SchemaArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct DemoArgs {
    /// Folder for everything that is made
    #[arg(long, value_name = "DIR", default_value = "demo")]
    pub(crate) out: PathBuf,
    /// Number of leads to simulate
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=1_000_000))]
    pub(crate) leads: u32,
    /// Seed of the simulation
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InitArgs {
    /// Exports of a CRM (HubSpot, Salesforce, Pipedrive, Dynamics 365, Odoo), in any order, or a
    /// folder of them; what each file is, its columns tell
    #[arg(value_name = "FILE", required_unless_present = "leads")]
    pub(crate) exports: Vec<PathBuf>,
    /// The CRM, if its exports are not recognized
    #[arg(long, value_name = "CRM", requires = "exports")]
    pub(crate) from: Option<Crm>,
    /// The leads, if they are no such export
    #[arg(long, value_name = "FILE", conflicts_with = "exports")]
    pub(crate) leads: Option<PathBuf>,
    /// Outcomes, if they are in a file of their own
    #[arg(long, value_name = "FILE", requires = "leads")]
    pub(crate) outcomes: Option<PathBuf>,
    /// Event tables
    #[arg(long, value_name = "FILE", requires = "leads")]
    pub(crate) activities: Vec<PathBuf>,
    /// Where to write the config
    #[arg(short, long, value_name = "FILE", default_value = "leadscore.toml")]
    pub(crate) output: PathBuf,
    /// Overwrite an existing config
    #[arg(long)]
    pub(crate) force: bool,
}

/// A CRM whose exports are known.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum Crm {
    Hubspot,
    Salesforce,
    Pipedrive,
    Dynamics,
    Odoo,
}

impl From<Crm> for Product {
    fn from(crm: Crm) -> Self {
        match crm {
            Crm::Hubspot => Self::HubSpot,
            Crm::Salesforce => Self::Salesforce,
            Crm::Pipedrive => Self::Pipedrive,
            Crm::Dynamics => Self::Dynamics,
            Crm::Odoo => Self::Odoo,
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Print the findings as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SchemaArgs {
    /// Print the reference as Markdown
    #[arg(long)]
    pub(crate) markdown: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct FeaturesArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Nothing known at or after this moment exists
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Where to write the matrix (.parquet, .csv or .ndjson), or its statement
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Exactly the features that this model reads, in place of those that the config asks for
    #[arg(long, value_name = "MODEL")]
    pub(crate) model: Option<ModelArg>,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
    /// In place of the matrix, write to FILE the statement that computes it from the same tables in
    /// a database
    #[arg(long, value_name = "DIALECT", requires = "output", value_parser = dialects())]
    pub(crate) sql: Option<Dialect>,
    /// Where a table of the config is in the database, such as `activities.touches=crm.touches`; by
    /// its name if not given
    #[arg(long, value_name = "TABLE=SQL", requires = "sql", value_parser = place)]
    pub(crate) place: Vec<(String, String)>,
    /// Print the dictionary of features, as a table or as Markdown
    #[arg(long, value_name = "FORMAT", num_args = 0..=1, require_equals = true, default_missing_value = "table")]
    pub(crate) describe: Option<DescribeFormat>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RecalibrateArgs {
    /// The model file, or a model of the registry such as @champion
    pub(crate) model: ModelArg,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Nothing known at or after this moment exists
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Learn from snapshots from this moment on; from where the model's knowledge ends if not given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) from: Option<String>,
    /// How percentages move; what later outcomes prefer if not given
    #[arg(long, value_name = "KIND", value_parser = ["shift", "line", "beta", "isotonic"])]
    pub(crate) kind: Option<String>,
    /// Where to write the recalibrated model
    #[arg(short, long, value_name = "MODEL")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct InspectArgs {
    /// The model file, or a model of the registry such as @champion
    pub(crate) model: ModelArg,
    /// Also print every shape function, level and interaction
    #[arg(long, alias = "curves")]
    pub(crate) shapes: bool,
    /// Also write every shape function, level and interaction as a page
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SimulateArgs {
    /// Number of leads
    #[arg(long, default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1_000..=99_999_999))]
    pub(crate) leads: u32,
    /// How leads come to be won
    #[arg(long, value_enum, default_value_t = WorldArg::Linear)]
    pub(crate) world: WorldArg,
    /// Seed: the same seed gives the same bytes
    #[arg(long, default_value_t = 7)]
    pub(crate) seed: u64,
    /// Format of the tables
    #[arg(long, value_enum, default_value_t = FormatArg::Parquet)]
    pub(crate) format: FormatArg,
    /// Folder to write to
    #[arg(short, long, value_name = "DIR", default_value = "crm")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum WorldArg {
    /// Log-odds linear in attributes and activities
    Linear,
    /// Attributes have effects that are not linear
    Curved,
    /// Attributes act together
    Interactions,
    /// What matters changes over the years
    Drift,
    /// Nothing matters
    Noise,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum DescribeFormat {
    /// A table for the terminal
    Table,
    /// Markdown, with the definition of each family
    Markdown,
}

#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub(crate) enum FormatArg {
    /// Parquet
    Parquet,
    /// CSV
    Csv,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ManArgs {
    /// Folder to write them to
    #[arg(long, value_name = "DIR", default_value = "man")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct CompletionsArgs {
    /// The shell
    pub(crate) shell: clap_complete::Shell,
}
