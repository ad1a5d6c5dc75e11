//! A made company that is lived night by night, and the story of what the tool printed beside what
//! was true.

use std::process::Command;

use crate::process::succeed;
use crate::workspace::{leadscore, root};

/// What of the life can be chosen.
#[derive(Debug, clap::Args)]
pub(crate) struct LifeArgs {
    /// How many months are lived, after a year of history
    #[arg(long, default_value_t = 24)]
    months: u32,
    /// Another seed, another company
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many leads are open at a time, about
    #[arg(long, default_value_t = 3_000)]
    leads: u32,
    /// What happens: names with commas between them, such as "drift,season"; "all", or "quiet"
    #[arg(long, default_value = "all")]
    world: String,
    /// What is run every night: "run"; "script", which trains every 30 days and ships the newest
    /// model; or "once", which ships the model of the first night
    #[arg(long, default_value = "run")]
    by: String,
    /// Nights from one run to the next
    #[arg(long, default_value_t = 1)]
    every: u32,
    /// Nights from one comparison of all models to the next
    #[arg(long, default_value_t = 7)]
    compare_every: u32,
    /// What multiplies the chance of a win of leads in the first tier
    #[arg(long, default_value_t = 1.0)]
    priority: f64,
    /// Share of the leads that are held back
    #[arg(long, default_value_t = 0.0)]
    holdback: f64,
}

/// Lives, and writes `target/life/index.html` and `story.json`.
pub(crate) fn run(args: &LifeArgs) -> anyhow::Result<()> {
    let program = leadscore()?.with_file_name("examples").join("life");
    let mut command = Command::new(program);
    command.arg(root().join("target/life")).args([
        format!("--months={}", args.months),
        format!("--seed={}", args.seed),
        format!("--leads={}", args.leads),
        format!("--world={}", args.world),
        format!("--by={}", args.by),
        format!("--every={}", args.every),
        format!("--compare-every={}", args.compare_every),
        format!("--priority={}", args.priority),
        format!("--holdback={}", args.holdback),
    ]);
    succeed(command)
}
