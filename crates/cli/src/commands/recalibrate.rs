//! `recalibrate`: a model's percentages corrected by outcomes that it has not seen.

use leadscore::front_end::check_target;
use leadscore::{CalibrationKind, RecalibrateOptions, recalibrate, write_model};

use crate::args::{ReadModel, RecalibrateArgs};
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &RecalibrateArgs) -> anyhow::Result<Outcome> {
    let ReadModel { model, path } = args.model.read(&args.config)?;
    check_target(&args.output)?;
    let data = show::open(&args.config)?;
    data.refuse_inputs([&args.output], std::slice::from_ref(&path))?;
    let data = data.as_of_text("--as-of", args.as_of.as_ref())?;
    let from = data.moments("--from", args.from.as_ref())?;
    let kind = args.kind.as_deref().and_then(CalibrationKind::parse);
    let recalibrated = recalibrate(&data, model, RecalibrateOptions { from, kind })?;
    write_model(&recalibrated, &args.output)?;
    show::remark(&format!("wrote {}", args.output.display()));
    Ok(Outcome::Done)
}
