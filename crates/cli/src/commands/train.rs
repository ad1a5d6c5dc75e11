//! `train`: from closed leads to a model file.

use leadscore::front_end::check_target;
use leadscore::{Outputs, train};

use crate::args::{ReportFormat, TrainArgs};
use crate::commands::evaluate::{add_report, check_page};
use crate::commands::{Outcome, elsewhere};
use crate::show;

pub(crate) fn run(args: &TrainArgs) -> anyhow::Result<Outcome> {
    if let Some(address) = args.engine.elsewhere() {
        return elsewhere::train(args, address);
    }
    // A wrong path should not cost the time that reading tables takes.
    for path in [Some(&args.output), args.report.as_ref(), args.json.as_ref()]
        .into_iter()
        .flatten()
    {
        check_target(path)?;
    }
    if let Some(page) = &args.report {
        check_page(page, "--report")?;
    }
    let data = show::open(&args.config)?;
    data.refuse_inputs(
        [Some(&args.output), args.report.as_ref(), args.json.as_ref()]
            .into_iter()
            .flatten(),
        &[],
    )?;
    if args.report.is_some() || args.json.is_some() {
        data.measurable("--report")?;
    }
    let data = data.as_of_text("--as-of", args.as_of.as_ref())?;
    let training = train(&data, &args.fitting.clone().into())?;
    let mut outputs = Outputs::default();
    outputs.model(&args.output, &training.trained.model)?;
    if args.report.is_some() || args.json.is_some() {
        let page: Vec<_> = args
            .report
            .iter()
            .map(|path| (ReportFormat::Html, path.clone()))
            .collect();
        add_report(
            &mut outputs,
            &training.report(&data)?,
            &page,
            args.json.as_deref(),
        )?;
    }
    show::publish(outputs)?;
    Ok(Outcome::Done)
}
