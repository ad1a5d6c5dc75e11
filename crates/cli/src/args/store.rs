//! What can be typed after `store`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::args::shared::ConfigArg;

#[derive(Debug, Subcommand)]
pub(crate) enum StoreCommand {
    /// Make the store of a config from its tables: from then on, every command reads the store
    Import(StoreArgs),
    /// Write the store as Parquet tables by lead, with a config that reads them
    Export(StoreExportArgs),
    /// Say whether the store is whole, and what in its rows could be read in two ways
    Check(StoreArgs),
    /// Copy the store while it is in use
    Backup(StoreBackupArgs),
    /// Remove everything that the store has of a lead; a running server forgets it itself
    Forget(StoreForgetArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct StoreArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// The event store; `path` of [store] if not given, else `events.store` beside the config
    #[arg(
        long,
        value_name = "FILE|ADDRESS",
        env = "LEADSCORE_STORE",
        hide_env_values = true
    )]
    pub(crate) store: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StoreExportArgs {
    #[command(flatten)]
    pub(crate) of: StoreArgs,
    /// Folder for the tables, which is made if there is none
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StoreBackupArgs {
    #[command(flatten)]
    pub(crate) of: StoreArgs,
    /// The copy, which must not be there yet
    #[arg(short, long, value_name = "FILE")]
    pub(crate) output: PathBuf,
}

#[derive(Debug, clap::Args)]
pub(crate) struct StoreForgetArgs {
    /// The lead
    #[arg(value_name = "LEAD")]
    pub(crate) lead: String,
    #[command(flatten)]
    pub(crate) of: StoreArgs,
}
