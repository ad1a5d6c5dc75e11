//! `features`: the feature matrix, for other tools.

use anyhow::bail;
use leadscore::front_end::{check_table_target, check_target};
use leadscore::{
    FeatureOptions, describe_features, feature_table_sql, plan_features, write_features, write_text,
};

use crate::args::{DescribeFormat, FeaturesArgs, ReadModel};
use crate::commands::{Outcome, elsewhere};
use crate::show;

pub(crate) fn run(args: &FeaturesArgs) -> anyhow::Result<Outcome> {
    if let Some(address) = args.engine.elsewhere() {
        return elsewhere::features(args, address);
    }
    if args.output.is_none() && args.describe.is_none() {
        bail!(
            "nothing to do\n  hint: pass -o FILE for the matrix, or --describe for the dictionary of features"
        );
    }
    let read = args
        .model
        .as_ref()
        .map(|model| model.read(&args.config))
        .transpose()?;
    let (model, inputs) = match read {
        Some(ReadModel { model, path }) => (Some(model), vec![path]),
        None => (None, Vec::new()),
    };
    match (&args.output, args.sql) {
        (Some(path), None) => check_table_target(path),
        (Some(path), Some(_)) => check_target(path),
        (None, _) => Ok(()),
    }?;
    let data = show::open(&args.config)?;
    data.refuse_inputs(&args.output, &inputs)?;
    let data = data.as_of_text("--as-of", args.as_of.as_ref())?;
    let options = FeatureOptions {
        model: model.as_ref(),
        memory: args.limit.memory,
        spill: args.limit.spill.clone(),
    };
    if let (Some(path), Some(dialect)) = (&args.output, args.sql) {
        let text = feature_table_sql(
            &data,
            &options,
            dialect,
            &args.place.iter().cloned().collect(),
        )?;
        write_text(path, &text)?;
        show::remark(&format!("wrote {}", path.display()));
        return Ok(Outcome::Done);
    }
    let specs = match &args.output {
        Some(path) => write_features(&data, &options, path)?,
        None => plan_features(&data, &options)?,
    };
    if let Some(format) = args.describe {
        show::result(&describe_features(
            &data,
            &specs,
            format == DescribeFormat::Markdown,
        ));
    }
    Ok(Outcome::Done)
}
