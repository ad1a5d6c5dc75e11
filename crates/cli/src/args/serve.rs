//! What can be typed after `serve` and `tokens`.

use std::path::PathBuf;

use clap::Subcommand;

use crate::args::model::ModelArg;
use crate::args::shared::ConfigArg;

#[derive(Debug, clap::Args)]
pub(crate) struct ServeArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    /// The event store; `path` of [store] if not given, else `events.store` beside the config. One
    /// that does not exist is made from the tables of the config
    #[arg(
        long,
        value_name = "FILE|ADDRESS",
        env = "LEADSCORE_STORE",
        hide_env_values = true
    )]
    pub(crate) store: Option<String>,
    /// Address and port; `address` of [serve] if not given
    #[arg(long, value_name = "ADDRESS", env = "LEADSCORE_ADDRESS")]
    pub(crate) address: Option<String>,
    /// The model; the registry's champion, also the next one, if not given
    #[arg(
        long,
        value_name = "MODEL",
        env = "LEADSCORE_MODEL",
        default_value = "@champion"
    )]
    pub(crate) model: ModelArg,
    /// Folder for the log of answers, which `leadscore replay` reads; `log` of [serve] if not given
    #[arg(long, value_name = "DIR", env = "LEADSCORE_LOG")]
    pub(crate) log: Option<PathBuf>,
    /// Start the clock at this moment: for data that ends in the past, such as simulated data
    #[arg(long, value_name = "MOMENT")]
    pub(crate) now: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum TokensCommand {
    /// Make a token, and print it: it is shown this once, and only its hash is kept
    Create(TokensCreateArgs),
    /// List tokens: names, roles, owners and until when they are valid
    List(TokensFileArgs),
    /// Make a token invalid
    Revoke(TokensRevokeArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct TokensFileArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TokensCreateArgs {
    /// Who has it: a name that the audit log and the page show
    pub(crate) name: String,
    /// What they may do
    #[arg(long, value_enum)]
    pub(crate) role: RoleArg,
    /// Only leads of this owner
    #[arg(long, value_name = "OWNER")]
    pub(crate) owner: Option<String>,
    /// How long it is valid, such as 90d
    #[arg(long, value_name = "LENGTH")]
    pub(crate) valid: Option<String>,
    #[command(flatten)]
    pub(crate) file: TokensFileArgs,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TokensRevokeArgs {
    /// The name
    pub(crate) name: String,
    #[command(flatten)]
    pub(crate) file: TokensFileArgs,
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum RoleArg {
    /// Send events
    Ingest,
    /// See scores
    Read,
    /// See scores, and say what became of leads
    Act,
    /// Everything, also forgetting leads
    Admin,
}
