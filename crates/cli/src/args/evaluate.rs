//! What can be typed after `evaluate`.

use std::path::PathBuf;

use crate::args::model::ModelArg;
use crate::args::shared::ConfigArg;

#[derive(Debug, clap::Args)]
pub(crate) struct EvaluateArgs {
    /// The model file, or a model of the registry such as @champion
    pub(crate) model: ModelArg,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// First snapshot to look at; where the model's knowledge ends if not given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) from: Option<String>,
    /// Look only at snapshots before this moment
    #[arg(long, value_name = "MOMENT")]
    pub(crate) to: Option<String>,
    /// Where to write the report
    #[arg(short, long, value_name = "FILE", default_value = "report.html")]
    pub(crate) output: PathBuf,
    /// Forms of the report, written beside each other; `vega` is a folder with a Vega-Lite
    /// specification of every chart
    #[arg(
        long,
        value_name = "FORMATS",
        value_delimiter = ',',
        default_value = "html"
    )]
    pub(crate) format: Vec<ReportFormat>,
    /// Also write the report's numbers as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Also write every evaluated snapshot with its prediction and label
    #[arg(long, value_name = "FILE")]
    pub(crate) scores: Option<PathBuf>,
    /// Compare with the points of these rules, computed as of each snapshot; may be given several
    /// times
    #[arg(long, value_name = "RULES")]
    pub(crate) rules: Vec<PathBuf>,
    /// Compare with another model; may be given several times
    #[arg(long, value_name = "MODEL")]
    pub(crate) against: Vec<ModelArg>,
    /// Points of the manual score from which a lead is called today
    #[arg(long, value_name = "POINTS", value_parser = parse_finite, allow_negative_numbers = true)]
    pub(crate) threshold: Option<f64>,
    #[command(flatten)]
    pub(crate) economy: EconomyArgs,
    /// Also say how often to retrain: fit again every two weeks, month, quarter and never, each on
    /// what was known then
    #[arg(long)]
    pub(crate) backtest: bool,
    /// Also evaluate snapshots from before the model's training cutoff; the report notes it
    #[arg(long)]
    pub(crate) allow_in_sample: bool,
    /// These are not the leads of training, such as the other part of a split by lead: measure on
    /// all of their snapshots; refused where a lead of training is among them
    #[arg(long, conflicts_with_all = ["allow_in_sample", "backtest"])]
    pub(crate) other_leads: bool,
}

#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct EconomyArgs {
    /// Leads that the team can call, such as 200/week; the top quartile if not given
    #[arg(long, value_name = "CALLS", value_parser = leadscore::Capacity::parse)]
    pub(crate) capacity: Option<leadscore::Capacity>,
    /// Cost of a call
    #[arg(long, value_name = "MONEY", value_parser = parse_money)]
    pub(crate) cost: Option<f64>,
    /// Value of a win
    #[arg(long, value_name = "MONEY", value_parser = parse_money)]
    pub(crate) value: Option<f64>,
}

impl From<EconomyArgs> for leadscore::Economy {
    fn from(args: EconomyArgs) -> Self {
        Self {
            capacity: args.capacity,
            cost: args.cost,
            value: args.value,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum ReportFormat {
    /// One page that opens offline
    Html,
    /// Every number
    Json,
    /// A workbook, a sheet a table
    Xlsx,
    /// Markdown, the short tables
    Md,
    /// A folder with a Vega-Lite specification of every chart
    Vega,
}

/// A number that is neither infinite nor none.
fn parse_finite(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite())
        .ok_or_else(|| "write a number such as 60".to_owned())
}

/// An amount of money, 0 or more.
fn parse_money(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|amount: &f64| amount.is_finite() && *amount >= 0.0)
        .ok_or_else(|| "write an amount such as 900 or 4.50".to_owned())
}
