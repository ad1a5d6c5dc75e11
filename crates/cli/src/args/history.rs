//! What can be typed after `history`.

use std::path::PathBuf;

use crate::args::shared::ConfigArg;

#[derive(Debug, clap::Args)]
pub(crate) struct HistoryArgs {
    /// The lead whose path is shown; the history by week if not given
    pub(crate) lead: Option<String>,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// The folder of the history; `history` of [operation] if not given
    #[arg(long, value_name = "DIR")]
    pub(crate) history: Option<PathBuf>,
    /// Begin with this moment, and compare the last scores with the first from then on
    #[arg(long, value_name = "MOMENT")]
    pub(crate) since: Option<String>,
    /// Every moment, in place of the last one of each week
    #[arg(long, conflicts_with = "lead")]
    pub(crate) all: bool,
    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
