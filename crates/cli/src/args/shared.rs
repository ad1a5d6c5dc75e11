//! What several commands take: the config, the engine, limits, places in a database.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use leadscore::Dialect;
use leadscore::front_end::{Bytes, LEAST_MEMORY};

#[derive(Debug, clap::Args)]
pub(crate) struct ConfigArg {
    /// The config; `leadscore.toml` of this folder if not given
    #[arg(short, long, value_name = "FILE", default_value = ConfigArg::DEFAULT)]
    pub(crate) config: PathBuf,
}

impl ConfigArg {
    pub(crate) const DEFAULT: &str = "leadscore.toml";
}

/// Where the work is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum EngineKind {
    /// Here
    #[default]
    Embedded,
    /// On Apache Spark, or Sail, by Spark Connect: the tables stay there
    Spark,
}

#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct EngineArgs {
    /// Where the work is done
    #[arg(long, value_enum, default_value_t = EngineKind::Embedded, requires_if("spark", "connect"))]
    pub(crate) engine: EngineKind,
    /// Where the engine is: sc://host:port/;use_ssl=true, or env:NAME for a variable that holds
    /// such an address
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) connect: Option<String>,
}

impl EngineArgs {
    /// The address of an engine elsewhere, if the work is done there; an address alone says so,
    /// too.
    pub(crate) fn elsewhere(&self) -> Option<&str> {
        self.connect.as_deref()
    }
}

/// How much memory the tables may take.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct LimitArgs {
    /// Memory to stay within, such as 2GB: what does not fit waits on disk; half of the machine's
    /// if not given
    #[arg(long, value_name = "SIZE", value_parser = parse_size, conflicts_with = "connect")]
    pub(crate) memory: Option<u64>,
    /// Folder for what waits on disk; that of the output if not given
    #[arg(long, value_name = "DIR", conflicts_with = "connect")]
    pub(crate) spill: Option<PathBuf>,
}

pub(crate) fn dialects() -> impl TypedValueParser<Value = Dialect> {
    PossibleValuesParser::new(Dialect::ALL.map(Dialect::id))
        .map(|id| Dialect::named(&id).expect("one of the possible values"))
}

pub(crate) fn place(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((table, place)) if !table.trim().is_empty() && !place.trim().is_empty() => Ok((table.trim().to_owned(), place.trim().to_owned())),
        _ => Err("write the table of the config, =, and what it is called in the database, such as leads=crm.leads".to_owned()),
    }
}

/// Bytes of memory, at least as many as the program needs for itself.
fn parse_size(text: &str) -> Result<u64, String> {
    match text.parse::<Bytes>()?.0 {
        ..LEAST_MEMORY => Err("at least 400MB are needed".to_owned()),
        bytes => Ok(bytes),
    }
}
