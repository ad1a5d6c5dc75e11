//! `simulate`: a CRM with a known truth, written table by table.

use leadscore::{SimulationOptions, World, write_crm};

use crate::args::{FormatArg, SimulateArgs, WorldArg};
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &SimulateArgs) -> anyhow::Result<Outcome> {
    let world = match args.world {
        WorldArg::Linear => World::Linear,
        WorldArg::Curved => World::Curved,
        WorldArg::Interactions => World::Interactions,
        WorldArg::Drift => World::Drift,
        WorldArg::Noise => World::Noise,
    };
    let options = SimulationOptions {
        n_leads: args.leads,
        world,
        seed: args.seed,
    };
    let ending = match args.format {
        FormatArg::Parquet => "parquet",
        FormatArg::Csv => "csv",
    };
    let n_activities = write_crm(options, &args.out, ending, &show::terminal())?;
    show::remark(&format!(
        "wrote {} with {} to {}",
        show::counted(args.leads, "lead"),
        show::counted(n_activities, "activity"),
        args.out.display()
    ));
    show::remark(&format!(
        "next: leadscore train -c {}",
        args.out.join("leadscore.toml").display()
    ));
    Ok(Outcome::Done)
}
