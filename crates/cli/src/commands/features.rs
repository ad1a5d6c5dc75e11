//! `features`: the feature matrix, for other tools.

use anyhow::bail;
use leadscore_tables::check_table_target;
use leadscore_workflow::{FeatureOptions, describe_features, plan_features, read_model, write_features};

use crate::args::{DescribeFormat, FeaturesArgs};
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(args: &FeaturesArgs) -> anyhow::Result<Outcome> {
    if args.output.is_none() && args.describe.is_none() {
        bail!("nothing to do: pass -o FILE for the matrix, or --describe for the dictionary of features");
    }
    let model = args.model.as_deref().map(read_model).transpose()?;
    if let Some(path) = &args.output {
        check_table_target(path)?;
    }
    let project = show::open(&args.config)?;
    let options =
        FeatureOptions { as_of: project.moments("--as-of", args.as_of.as_ref())?, model: model.as_ref(), memory: args.memory, spill: args.spill.clone() };
    let specs = match &args.output {
        Some(path) => write_features(&project, &options, path)?,
        None => plan_features(&project, &options)?,
    };
    if let Some(format) = args.describe {
        show::result(&describe_features(&project, &specs, format == DescribeFormat::Markdown));
    }
    Ok(Outcome::Done)
}
