//! What can be typed after `explain`.

use std::path::PathBuf;

use crate::args::model::ModelArg;
use crate::args::shared::ConfigArg;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ContributionsArg {
    /// Of concepts, as reasons are
    Concept,
    /// Of features
    Feature,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ExplainArgs {
    /// The model file, or a model of the registry such as @champion
    pub(crate) model: ModelArg,
    /// The lead's id; none where --lead-json describes one, or --table or --importance ask for all
    /// open leads
    #[arg(required_unless_present_any = ["lead_json", "table", "importance"])]
    pub(crate) lead: Option<String>,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Look at the lead as it stood at this moment; if not given, the day after the latest time in
    /// the data, and with --lead-json now
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Explain the lead as it would be with another value in a column or feature that the model
    /// reads, such as seats=40 or accounts.industry=retail; nothing behind = is a missing value;
    /// may be given several times
    #[arg(long, value_name = "COLUMN=VALUE", value_parser = change, requires = "lead", conflicts_with = "since")]
    pub(crate) what_if: Vec<(String, String)>,
    /// Explain a lead that is in no table: a JSON object with its columns, and its `activities` as
    /// lists of objects by table
    #[arg(long, value_name = "FILE", conflicts_with_all = ["lead", "what_if", "since", "table", "importance"])]
    pub(crate) lead_json: Option<PathBuf>,
    /// Also say what changed since this earlier moment
    #[arg(long, value_name = "MOMENT", requires = "lead")]
    pub(crate) since: Option<String>,
    /// Write the contributions of all open leads, in log-odds, to this file: csv, ndjson or parquet
    #[arg(long, value_name = "FILE", conflicts_with = "lead")]
    pub(crate) table: Option<PathBuf>,
    /// Write the mean size of each contribution over all open leads to this file: csv, ndjson or
    /// parquet
    #[arg(long, value_name = "FILE", conflicts_with = "lead")]
    pub(crate) importance: Option<PathBuf>,
    /// What contributions in files are of
    #[arg(long, value_enum, default_value_t = ContributionsArg::Concept)]
    pub(crate) by: ContributionsArg,
    /// Print everything as JSON
    #[arg(long, conflicts_with_all = ["table", "importance"])]
    pub(crate) json: bool,
}

fn change(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((column, value)) if !column.trim().is_empty() => {
            Ok((column.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("write the column, =, and its value, such as seats=40".to_owned()),
    }
}
