//! What can be typed after `monitor` and `run`.

use std::path::PathBuf;

use crate::args::model::ModelArg;
use crate::args::shared::ConfigArg;

#[derive(Debug, clap::Args)]
pub(crate) struct MonitorArgs {
    /// The model file; the registry's champion if not given
    #[arg(default_value = "@champion")]
    pub(crate) model: ModelArg,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Look at everything as it was known at this moment; the day after the latest time in the data
    /// if not given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Also write a page with the picture of the evidence
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
    /// Also write all figures as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Also write figures for Prometheus, in the text format of OpenMetrics
    #[arg(long, value_name = "FILE")]
    pub(crate) metrics: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct RunArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Score the leads as they stood at this moment; the day after the latest time in the data if
    /// not given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Only say what would be done, and why; nothing is written
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Train a challenger now, although it is not time
    #[arg(long)]
    pub(crate) retrain: bool,
    /// Accept that more leads change their tier than `max_churn` of [operation] allows
    #[arg(long)]
    pub(crate) accept_churn: bool,
    /// Exit code where nothing has changed since the last run, such as 99 for Airflow's skipped
    #[arg(long, value_name = "CODE", default_value_t = 0)]
    pub(crate) skip_code: u8,
}
