//! What can be typed after `score`, and for the list for people.

use std::path::PathBuf;

use leadscore::{DEFAULT_TOP, ListOptions};

use crate::args::model::ModelArg;
use crate::args::shared::{ConfigArg, EngineArgs, LimitArgs};

#[derive(Debug, clap::Args)]
pub(crate) struct ScoreArgs {
    /// The model file, or a model of the registry such as @champion
    pub(crate) model: ModelArg,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Score the leads as they stood at this moment; the day after the latest time in the data if
    /// not given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Where to write the scores, best first: .csv, .ndjson or .parquet; `scores.csv` if neither
    /// this nor --list is given
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: Option<PathBuf>,
    /// Write the scores into this table of [database] in place of a file: one transaction, rows of
    /// the same lead and moment are replaced
    #[arg(long, value_name = "TABLE", conflicts_with = "output")]
    pub(crate) table: Option<String>,
    /// Also keep the scores in the score history: `history` of [operation], or this folder
    #[arg(long, value_name = "DIR", num_args = 0..=1, require_equals = true)]
    pub(crate) history: Option<Option<PathBuf>>,
    /// Also write the summary as JSON to this file: leads by tier and by reason, and what is unlike
    /// training
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Also write the 95 % interval of every likelihood
    #[arg(long)]
    pub(crate) intervals: bool,
    #[command(flatten)]
    pub(crate) list: ListArgs,
    #[command(flatten)]
    pub(crate) limit: LimitArgs,
}

/// The list for people.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct ListArgs {
    /// Write the best leads as a list for people, with reasons in words: .xlsx, .html or .csv; may
    /// be given several times
    #[arg(long, value_name = "FILE")]
    pub(crate) list: Vec<PathBuf>,
    /// The list has so many leads
    #[arg(long, value_name = "N", requires = "list", default_value_t = DEFAULT_TOP, value_parser = parse_top)]
    pub(crate) top: usize,
    /// Columns of the leads table that the list shows, such as "First Name,Company"; one with a
    /// comma in quotation marks
    #[arg(long, value_name = "COLUMNS", requires = "list", value_parser = parse_names)]
    pub(crate) columns: Option<Names>,
    /// Column of the leads table with the lead's owner: in .xlsx each has a sheet
    #[arg(long, value_name = "COLUMN", requires = "list")]
    pub(crate) owner: Option<String>,
    /// An earlier score file: the list marks leads that rose, fell or are new
    #[arg(long, value_name = "FILE", requires = "list")]
    pub(crate) previous: Option<PathBuf>,
}

/// Names of columns.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(pub(crate) Vec<String>);

impl From<ListArgs> for ListOptions {
    fn from(args: ListArgs) -> Self {
        Self {
            top: args.top,
            columns: args.columns.unwrap_or_default().0,
            owner: args.owner,
            previous: args.previous,
        }
    }
}

fn parse_names(text: &str) -> Result<Names, String> {
    leadscore::front_end::split_names(text).map(Names)
}

fn parse_top(text: &str) -> Result<usize, String> {
    text.parse()
        .ok()
        .filter(|&top| top > 0)
        .ok_or_else(|| "write how many leads the list has, 1 or more".to_owned())
}
