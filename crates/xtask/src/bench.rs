//! Measurements.

mod accuracy;
mod early;
mod engines;
mod features;
mod fit;
mod kernels;
mod leads;
mod package;
mod report;
mod serve;
mod tiny;

use clap::Subcommand;

use self::engines::Engines;

#[derive(Debug, Subcommand)]
pub(crate) enum Bench {
    /// Simulate, train and score, with and without the history of scores
    Leads {
        /// Number of leads
        #[arg(long, default_value_t = 1_000_000)]
        leads: u32,
    },
    /// The kernels of the crates, each alone: a pass over the data, a ranking, a sweep over events,
    /// scores, a table that is read
    Kernels {
        /// Only those whose name has this in it
        filter: Option<String>,
        /// At most so long for each
        #[arg(long, default_value_t = 0.5)]
        seconds: f64,
    },
    /// Fits beside scikit-learn, glum, statsmodels, LightGBM and interpret, to the same optimum
    Fit {
        /// Few rows, to see that it works
        #[arg(long)]
        tiny: bool,
    },
    /// Accuracy beside scikit-learn, LightGBM, CatBoost and interpret, on simulated worlds and the
    /// real data that is there
    Accuracy {
        /// One small world and one peer, to see that it works
        #[arg(long)]
        tiny: bool,
    },
    /// The report's arithmetic beside scikit-learn, and rules beside the same rules as SQL in
    /// DuckDB
    Report {
        /// Few rows, to see that it works
        #[arg(long)]
        tiny: bool,
    },
    /// What Python adds to the same Rust call, whether frames are copied, and exported SQL beside
    /// the command
    Package {
        /// Few leads, to see that it works
        #[arg(long)]
        tiny: bool,
    },
    /// Features, scores and training by the embedded sweep, DuckDB, Sail and Spark (with Java), and
    /// whether they agree
    Engines(Engines),
    /// A ridge chosen by folds beside Firth's penalty, on tiny data
    Tiny {
        /// Draws of each size
        #[arg(long, default_value_t = 200)]
        draws: u32,
    },
    /// The worlds of the early read, watched by NannyML, by Evidently and by a monitor that waits for
    /// labels
    Early {
        /// Worlds of each kind
        #[arg(long, default_value_t = 100)]
        worlds: u32,
        /// Those of them: nannyml, evidently, labels
        #[arg(long, default_value = "nannyml,evidently,labels")]
        monitors: String,
    },
    /// Scores over HTTP beside FastAPI, MLServer and BentoML: one lead with 200 activities a request
    Serve {
        /// The command of the server, with PORT in place of its port
        #[arg(long)]
        serve: Option<String>,
        /// Short loads, to see that it works
        #[arg(long)]
        tiny: bool,
    },
    /// Features of events beside DuckDB, Polars, pandas and featuretools, cell by cell
    Features {
        /// A thousandth of everything, to see that it works
        #[arg(long)]
        tiny: bool,
    },
}

impl Bench {
    pub(crate) fn run(self) -> anyhow::Result<()> {
        match self {
            Self::Leads { leads } => leads::run(leads),
            Self::Kernels { filter, seconds } => kernels::run(filter.as_deref(), seconds),
            Self::Features { tiny } => features::run(tiny),
            Self::Fit { tiny } => fit::run(tiny),
            Self::Accuracy { tiny } => accuracy::run(tiny),
            Self::Report { tiny } => report::run(tiny),
            Self::Package { tiny } => package::run(tiny),
            Self::Engines(asked) => engines::run(asked),
            Self::Serve { serve, tiny } => serve::run(serve.as_deref(), tiny),
            Self::Tiny { draws } => tiny::run(draws),
            Self::Early { worlds, monitors } => early::run(worlds, &monitors),
        }
    }
}

/// All measurements in small, so that they cannot rot.
pub(crate) fn small() -> anyhow::Result<()> {
    leads::run(1_000)?;
    features::run(true)?;
    fit::run(true)?;
    report::run(true)?;
    package::run(true)?;
    tiny::run(2)?;
    engines::run(Engines::tiny())?;
    accuracy::run(true)
}
