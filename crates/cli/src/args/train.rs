//! What can be typed after `train`.

use std::path::PathBuf;

use crate::args::shared::{ConfigArg, EngineArgs};

#[derive(Debug, clap::Args)]
pub(crate) struct TrainArgs {
    #[command(flatten)]
    pub(crate) config: ConfigArg,
    #[command(flatten)]
    pub(crate) engine: EngineArgs,
    /// Nothing known at or after this moment exists
    #[arg(long, value_name = "MOMENT")]
    pub(crate) as_of: Option<String>,
    /// Where to write the model
    #[arg(short, long, value_name = "MODEL", default_value = "model.leadscore")]
    pub(crate) output: PathBuf,
    /// Also write a report on the snapshots that were held out
    #[arg(long, value_name = "FILE")]
    pub(crate) report: Option<PathBuf>,
    /// Also write that report's numbers as JSON
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) stay: StayArgs,
    #[command(flatten)]
    pub(crate) fitting: FittingArgs,
}

/// Whether the snapshots stay on the engine.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct StayArgs {
    /// For more snapshots than fit into this machine: a folder on the engine for them (.parquet,
    /// replaced); they stay there, and only a sample of the leads comes here
    #[arg(long, value_name = "FOLDER", requires = "connect", alias = "coded")]
    pub(crate) encoded: Option<String>,
    /// With --encoded, how many leads come here, about
    #[arg(
        long,
        value_name = "LEADS",
        default_value_t = 200_000,
        requires = "encoded"
    )]
    pub(crate) sample: u64,
}

/// How a model is fitted and measured.
#[derive(Debug, Clone, Default, clap::Args)]
pub(crate) struct FittingArgs {
    /// Measure on all snapshots, each by a fit that has not seen its lead, in place of the latest
    /// fifth
    #[arg(long)]
    pub(crate) cross_validate: bool,
    /// Also say what more wins would change, by fits on shares of the leads (takes several times as
    /// long)
    #[arg(long)]
    pub(crate) learning_curve: bool,
    /// Train although there are too few wins or losses
    #[arg(long)]
    pub(crate) allow_too_few: bool,
    /// Train on attributes that are proven to know the outcome
    #[arg(long)]
    pub(crate) allow_leaks: bool,
    /// Solver: the native one, or linfa-logistic as the reference (linear terms only, and slow)
    #[arg(long, value_enum, default_value_t = SolverArg::Native)]
    pub(crate) solver: SolverArg,
}

impl From<FittingArgs> for leadscore::TrainOptions {
    fn from(args: FittingArgs) -> Self {
        Self {
            cross_validate: args.cross_validate,
            learning_curve: args.learning_curve,
            allow_too_few: args.allow_too_few,
            allow_leaks: args.allow_leaks,
            linfa: args.solver == SolverArg::Linfa,
        }
    }
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum SolverArg {
    /// Native: shape functions and interactions, all cores, a certificate
    #[default]
    Native,
    /// linfa-logistic
    Linfa,
}
