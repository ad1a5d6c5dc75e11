//! `recalibrate`: mend a model's percentages by outcomes that it has not seen.

use leadscore_tables::check_target;
use leadscore_workflow::{read_model, recalibrate, write_model};

use crate::args::RecalibrateArgs;
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &RecalibrateArgs) -> anyhow::Result<Outcome> {
    let model = read_model(&args.model)?;
    check_target(&args.output)?;
    let project = show::open(&args.config)?;
    let as_of = project.moments("--as-of", args.as_of.as_ref())?;
    let from = project.moments("--from", args.from.as_ref())?;
    let mended = recalibrate(&project, model, as_of, from)?;
    write_model(&mended, &args.output)?;
    show::remark(&format!("wrote {}", args.output.display()));
    Ok(Outcome::Done)
}
