//! Chores: all tests with what they need, golden numbers from scikit-learn, measurements.

mod bench;
mod book;
mod cases;
mod dist;
mod golden;
mod life;
mod map;
mod process;
mod python;
mod real_data;
mod reasons;
mod setup;
mod test;
mod truth;
mod workspace;

use clap::{Parser, Subcommand};

use crate::bench::Bench;
use crate::test::Part;

/// Chores of the project.
#[derive(Debug, Parser)]
struct Args {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Debug, Subcommand)]
enum Chore {
    /// Install what the build and the tests need of the system: protoc, Chromium, PostgreSQL and
    /// Python's venv, by apt-get as root; elsewhere it says what is missing
    Setup,
    /// Run all tests: Rust, doc tests, Python, browser; calls `setup` first
    Test {
        /// One part of them alone
        #[arg(long, value_enum)]
        only: Option<Part>,
        /// Rust alone, and none of the long simulations: less than a minute once all is built
        #[arg(long, conflicts_with = "only")]
        fast: bool,
    },
    /// Print which crate depends on which, circles of imports between the files of a crate, and how
    /// long files and functions are
    Map {
        /// Fail where there is a circle
        #[arg(long)]
        check: bool,
        /// All imports between files, too
        #[arg(long)]
        files: bool,
    },
    /// Make the book of `docs`, in `target/book`
    Book,
    /// Build a release in `target/dist`: a static binary for Linux, the wheel with the command,
    /// checksums, licenses, a bill of materials, and a script that installs from there
    Dist {
        /// This part alone
        #[arg(long)]
        only: Option<dist::Part>,
    },
    /// Make the golden numbers again from scikit-learn and its like, in a virtual environment of
    /// their own, and from R's pROC
    Golden,
    /// Measure, and print wall time, CPU time and peak memory
    #[command(subcommand)]
    Bench(Bench),
    /// Change one thing at random in a clean CRM: the same matrix, or an error that names it;
    /// writes the table into the docs
    Mutations {
        /// How many
        #[arg(long, default_value_t = 2_000)]
        n: u32,
        /// Another seed, other changes
        #[arg(long, default_value_t = 1)]
        seed: u32,
    },
    /// Verdicts and intervals in worlds whose truth is known: how often are they right; writes the
    /// table into the docs
    Verdicts {
        /// How many worlds of each kind
        #[arg(long, default_value_t = 200)]
        n: u32,
        /// Another seed, other worlds
        #[arg(long, default_value_t = 1)]
        seed: u32,
    },
    /// Every type of Arrow and Parquet in every role: read, or an error that names it; writes the
    /// table into the docs
    Types,
    /// Reasons of the demo's leads, of simulated worlds and of the real data that is there: do they
    /// speak for the best leads, and truly; prints a table
    Reasons {
        /// Number of leads of each world
        #[arg(long, default_value_t = 20_000)]
        leads: u32,
        /// Leads whose reasons are printed, of each world and set
        #[arg(long, default_value_t = 0)]
        print: u32,
    },
    /// Live two years of a made company night by night, with what happens to companies, and write
    /// the story of what the tool printed beside what was true, in `target/life`
    Life(life::LifeArgs),
    /// Compare predictions with the simulated truth on as many later snapshots as the promise names
    Truth {
        /// Number of leads
        #[arg(long, default_value_t = 790_000)]
        leads: u32,
    },
}

fn main() -> anyhow::Result<()> {
    match Args::parse().chore {
        Chore::Setup => {
            setup::run();
            Ok(())
        }
        Chore::Test { fast: true, .. } => test::fast(),
        Chore::Test { only, .. } => test::run(only),
        Chore::Map { check, files } => map::run(check, files),
        Chore::Book => book::run(),
        Chore::Dist { only } => dist::run(only),
        Chore::Golden => golden::run(),
        Chore::Bench(bench) => bench.run(),
        Chore::Mutations { n, seed } => cases::mutations(n, seed),
        Chore::Verdicts { n, seed } => cases::verdicts(n, seed),
        Chore::Types => cases::types(),
        Chore::Reasons { leads, print } => reasons::run(leads, print),
        Chore::Life(args) => life::run(&args),
        Chore::Truth { leads } => truth::run(leads),
    }
}
