//! What can be typed after `models`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::args::model::{ModelArg, registry_of};
use crate::args::shared::ConfigArg;

#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List the models of the registry
    List(ModelsListArgs),
    /// Show a model: what it is, its card, and its lines of the journal
    Show(ModelsShowArgs),
    /// Take a model file into the registry
    Add(ModelsAddArgs),
    /// Say whether a model may replace another, by later snapshots
    Compare(ModelsCompareArgs),
    /// Make a model the champion, which scores
    Promote(ModelsPromoteArgs),
    /// Make the previous champion the champion again
    Revert(ModelsRevertArgs),
    /// Say that a model is not to be used any more; its file stays
    Retire(ModelsRetireArgs),
    /// Look for what is not as it was written: altered files, lines of the journal that were
    /// changed or removed
    Verify(ModelsListArgs),
    /// Say who decided what about a model, why, and by which figures
    Why(ModelsWhyArgs),
}

/// Which registry.
#[derive(Debug, clap::Args)]
pub(crate) struct RegistryArgs {
    /// Folder of the registry; as `[operation]` of the config says if not given, and `models`
    /// without a config
    #[arg(long, value_name = "DIR")]
    pub(crate) registry: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
}

impl RegistryArgs {
    /// The folder.
    pub(crate) fn folder(&self) -> anyhow::Result<PathBuf> {
        match &self.registry {
            Some(folder) => Ok(folder.clone()),
            None => registry_of(&self.config),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(crate) struct ModelsListArgs {
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ModelsShowArgs {
    /// The model: its ID or a beginning of it, @champion, @challenger or @previous
    #[arg(value_name = "ID")]
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ModelsAddArgs {
    /// The model file; it is copied
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ModelsPromoteArgs {
    /// The model: its ID or a beginning of it, or @challenger
    #[arg(value_name = "ID")]
    pub(crate) name: String,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) because: String,
    /// Figures that it was decided by, as a JSON file
    #[arg(long, value_name = "FILE")]
    pub(crate) evidence: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ModelsRevertArgs {
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) because: Option<String>,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ModelsRetireArgs {
    /// The model: its ID or a beginning of it, @challenger or @previous
    #[arg(value_name = "ID")]
    pub(crate) name: String,
    /// Why, for whoever asks later
    #[arg(long, value_name = "TEXT", value_parser = reason)]
    pub(crate) because: String,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ModelsWhyArgs {
    /// The model; the champion if not given
    #[arg(value_name = "ID")]
    pub(crate) name: Option<String>,
    #[command(flatten)]
    pub(crate) registry: RegistryArgs,
    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// A reason that says something.
fn reason(text: &str) -> Result<String, String> {
    let text = text.trim();
    if text.is_empty() {
        return Err("write why, such as \"fewer false promises in June\"".to_owned());
    }
    Ok(text.to_owned())
}

#[derive(Debug, clap::Args)]
pub(crate) struct ModelsCompareArgs {
    /// The model that may replace the other: its ID, @challenger, or a file
    #[arg(default_value = "@challenger")]
    pub(crate) challenger: ModelArg,
    /// The model that is in use: its ID, @champion, or a file
    #[arg(default_value = "@champion")]
    pub(crate) champion: ModelArg,
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// Everything as it was known at this moment; the day after the latest time in the data if not
    /// given
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Print everything as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
