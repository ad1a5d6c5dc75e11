//! What can be typed after `rules`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::args::shared::ConfigArg;

#[derive(Debug, Subcommand)]
pub(crate) enum RulesCommand {
    /// Points of every open lead, with the rules that gave them
    Score(RulesScoreArgs),
    /// The points of one lead, rule by rule
    Explain(RulesExplainArgs),
    /// Points as they would have stood at every past snapshot, with what became of the lead
    History(RulesFilesArgs),
    /// Whether the rules fit the tables, and to how many open leads each applies
    Check(RulesArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct RulesArgs {
    /// The rules, such as rules.toml
    #[arg(value_name = "RULES")]
    pub(crate) rules: PathBuf,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Count what was known before this moment; the day after the latest time in the data if not
    /// given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RulesFilesArgs {
    /// The rules, such as rules.toml; several files give several scores side by side
    #[arg(value_name = "RULES", required = true)]
    pub(crate) rules: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Count what was known before this moment; the day after the latest time in the data if not
    /// given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Where to write the points (.csv, .ndjson or .parquet)
    #[arg(short, long, value_name = "FILE", default_value = "points.csv")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RulesScoreArgs {
    #[command(flatten)]
    pub(crate) files: RulesFilesArgs,
    /// Also write when each threshold and stage was reached, day by day since the lead was created
    /// (takes long for old leads)
    #[arg(long)]
    pub(crate) crossings: bool,
    /// One row an account in place of one a lead: the largest, the sum or the mean of its open
    /// leads' points
    #[arg(long, value_name = "HOW", value_enum)]
    pub(crate) roll_up: Option<RollUp>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RollUp {
    /// The largest
    Max,
    /// The sum
    Sum,
    /// The mean
    Mean,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RulesExplainArgs {
    #[command(flatten)]
    pub(crate) rules: RulesArgs,
    /// The lead
    #[arg(value_name = "LEAD")]
    pub(crate) lead: String,
}
