//! What can be typed after `replay`.

use std::path::PathBuf;

use crate::args::store::StoreArgs;

#[derive(Debug, clap::Args)]
pub(crate) struct ReplayArgs {
    /// The log of answers: its folder, or one of its files; `log` of [serve] if not given
    pub(crate) log: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) of: StoreArgs,
    /// Answers that differ which are shown, of all that are counted
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) show: usize,
    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
