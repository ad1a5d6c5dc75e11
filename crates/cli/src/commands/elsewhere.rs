//! `--engine spark`: a look at the data, features, training and scores on an engine that holds the
//! tables.

use leadscore::Findings;

use crate::args::{CheckArgs, FeaturesArgs, ScoreArgs, TrainArgs};
use crate::commands::Outcome;

#[cfg(not(feature = "spark"))]
mod lines {
    use super::{CheckArgs, FeaturesArgs, Findings, Outcome, ScoreArgs, TrainArgs};
    use leadscore::front_end::LeftOut;

    fn refuse<T>() -> anyhow::Result<T> {
        Err(LeftOut::Engines.into())
    }

    pub(crate) fn check(_: &CheckArgs, _: &str) -> anyhow::Result<Findings> {
        refuse()
    }

    pub(crate) fn features(_: &FeaturesArgs, _: &str) -> anyhow::Result<Outcome> {
        refuse()
    }

    pub(crate) fn train(_: &TrainArgs, _: &str) -> anyhow::Result<Outcome> {
        refuse()
    }

    pub(crate) fn score(_: &ScoreArgs, _: &str) -> anyhow::Result<Outcome> {
        refuse()
    }
}

#[cfg(feature = "spark")]
mod lines {
    use anyhow::{Context, bail};
    use leadscore::front_end::check_target;
    use leadscore::{Data, Engine, OpenTables, Stay, describe_features, write_model};

    use super::{CheckArgs, FeaturesArgs, Findings, Outcome, ScoreArgs, TrainArgs};
    use crate::args::{ConfigArg, DescribeFormat};

    use crate::show;

    fn open(
        config: &ConfigArg,
        as_of: Option<&String>,
        address: &str,
    ) -> anyhow::Result<(Data, Engine)> {
        show::let_work_stop();
        let data = show::open_tables(config, OpenTables::OnEngine)?.as_of_text("--as-of", as_of)?;
        let engine = Engine::connect(&data, address)?;
        Ok((data, engine))
    }

    fn text(path: &std::path::Path) -> anyhow::Result<&str> {
        path.to_str()
            .with_context(|| format!("{} is not text", path.display()))
    }

    pub(crate) fn check(args: &CheckArgs, address: &str) -> anyhow::Result<Findings> {
        let (data, engine) = open(&args.config, None, address)?;
        Ok(engine.check(&data))
    }

    pub(crate) fn features(args: &FeaturesArgs, address: &str) -> anyhow::Result<Outcome> {
        let Some(output) = &args.output else {
            bail!("--engine spark writes the matrix on the cluster\n  hint: pass -o FOLDER.parquet")
        };
        let model = args
            .model
            .as_ref()
            .map(|model| model.read(&args.config))
            .transpose()?
            .map(|read| read.model);
        let (data, mut engine) = open(&args.config, args.as_of.as_ref(), address)?;
        let specs = engine.write_features(&data, model.as_ref(), text(output)?)?;
        if let Some(format) = args.describe {
            show::result(&describe_features(
                &data,
                &specs,
                format == DescribeFormat::Markdown,
            ));
        }
        Ok(Outcome::Done)
    }

    pub(crate) fn train(args: &TrainArgs, address: &str) -> anyhow::Result<Outcome> {
        if args.report.is_some() || args.json.is_some() {
            bail!(
                "a report needs the tables here\n  hint: train with --engine spark, and run `evaluate` where they fit"
            );
        }
        check_target(&args.output)?;
        let (data, mut engine) = open(&args.config, args.as_of.as_ref(), address)?;
        data.refuse_inputs([&args.output], &[])?;
        let stay = args.stay.encoded.clone().map(|encoded| Stay {
            encoded,
            n_leads: args.stay.sample,
        });
        let trained = engine.train(&data, &args.fitting.clone().into(), stay.as_ref())?;
        write_model(&trained.model, &args.output)?;
        show::remark(&format!("wrote {}", args.output.display()));
        Ok(Outcome::Done)
    }

    pub(crate) fn score(args: &ScoreArgs, address: &str) -> anyhow::Result<Outcome> {
        if args.table.is_some() || args.intervals || args.json.is_some() {
            bail!(
                "--engine spark writes a folder of Parquet files, without intervals and without a summary as JSON\n  hint: pass -o FOLDER.parquet"
            );
        }
        if args.history.is_some() {
            bail!(
                "--history writes here, and --engine spark writes on the cluster\n  hint: write a part of the history there, such as -o scores/as_of=2025-07-01/part-0.parquet"
            );
        }
        if !args.list.list.is_empty() {
            bail!(
                "--list needs the leads here, and --engine spark leaves them there\n  hint: write the scores with -o FOLDER.parquet, or run `score --list` where the tables fit"
            );
        }
        let Some(output) = &args.output else {
            bail!("--engine spark writes the scores on the cluster\n  hint: pass -o FOLDER.parquet")
        };
        let model = args.model.read(&args.config)?.model;
        let (data, mut engine) = open(&args.config, args.as_of.as_ref(), address)?;
        let first = engine.write_scores(&data, &model, text(output)?, show::N_FIRST)?;
        show::result(&format!("\nThe first of the open leads:\n\n{first}"));
        Ok(Outcome::Done)
    }
}

pub(crate) use lines::{check, features, score, train};
