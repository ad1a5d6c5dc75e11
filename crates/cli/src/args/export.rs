//! What can be typed after `export`.

use std::path::PathBuf;

use clap::Subcommand;
use leadscore::Dialect;
use leadscore::front_end::TierEdges;

use crate::args::model::ModelArg;
use crate::args::shared::{ConfigArg, dialects, place};

#[derive(Debug, Subcommand)]
pub(crate) enum ExportCommand {
    /// At most so many rules of whole-number points, as a rules.toml, and what they lose against
    /// the model
    Points(ExportPointsArgs),
    /// One SELECT that scores a table of features, in the SQL of your warehouse
    Sql(ExportSqlArgs),
    /// An ONNX file, for runtimes of models: from the features to the likelihood
    Onnx(ExportFileArgs),
    /// A PMML 4.4 file, for engines of decisions: from the features to the likelihood
    Pmml(ExportFileArgs),
    /// The whole model as JSON, for a scorer of your own (docs/exports.md has one)
    Json(ExportFileArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportFileArgs {
    /// The model file, or a model of the registry such as @champion
    pub(crate) model: ModelArg,
    /// Where to write it; `score.onnx`, `score.pmml` or `score.json` if not given
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportSqlArgs {
    /// The model file, or a model of the registry such as @champion
    pub(crate) model: ModelArg,
    /// Whose SQL
    #[arg(long, value_parser = dialects())]
    pub(crate) dialect: Dialect,
    /// The table with the features, as it is written in SQL: columns as `leadscore features` names
    /// them
    #[arg(long, value_name = "TABLE", default_value = "features")]
    pub(crate) table: String,
    /// Columns of that table that go along
    #[arg(
        long,
        value_name = "COLUMNS",
        value_delimiter = ',',
        default_value = "lead_id,snapshot"
    )]
    pub(crate) key: Vec<String>,
    /// Compute the features, too, from the tables of the config, which are in the database:
    /// DuckDB, PostgreSQL, Spark
    #[arg(long, conflicts_with_all = ["table", "key"])]
    pub(crate) features: bool,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Where a table of the config is in the database, such as `activities.touches=crm.touches`; by
    /// its name if not given
    #[arg(long, value_name = "TABLE=SQL", requires = "features", value_parser = place)]
    pub(crate) place: Vec<(String, String)>,
    /// Score the leads that are open at this moment; those open when the statement runs if not
    /// given
    #[arg(long, value_name = "DATE", requires = "features")]
    pub(crate) as_of: Option<String>,
    /// Where tiers begin: `relative` (quartiles of the rows of the table), `frozen` (the model's
    /// own edges) or three likelihoods in per cent, such as 40,20,5; as `[tiers]` of the config
    /// says if not given, and quartiles without a config
    #[arg(long, value_name = "EDGES", value_parser = TierEdges::parse)]
    pub(crate) edges: Option<TierEdges>,
    /// Where to write the statement
    #[arg(short, long, value_name = "FILE", default_value = "score.sql")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExportPointsArgs {
    /// The model file, or a model of the registry such as @champion
    pub(crate) model: ModelArg,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Most rules
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=leadscore::MOST_RULES as i64))]
    pub(crate) rules: u16,
    /// Where to write the rules
    #[arg(short, long, value_name = "FILE", default_value = "points.toml")]
    pub(crate) output: PathBuf,
    /// Forms of the rules, written beside each other: our rules, a table to type from, a page to
    /// print
    #[arg(
        long,
        value_name = "FORMATS",
        value_delimiter = ',',
        default_value = "toml"
    )]
    pub(crate) format: Vec<PointsFormat>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum PointsFormat {
    /// A file for `leadscore rules`
    Toml,
    /// A row a rule
    Csv,
    /// A page that prints well
    Html,
}
