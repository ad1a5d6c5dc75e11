//! `--engine spark`: a look at the data, features, training and scores on an engine that holds the
//! tables.

use leadscore_workflow::Findings;

use crate::args::{CheckArgs, FeaturesArgs, ScoreArgs, TrainArgs};
use crate::commands::Outcome;

#[cfg(not(feature = "spark"))]
mod lines {
    use super::{CheckArgs, FeaturesArgs, Findings, Outcome, ScoreArgs, TrainArgs};

    fn refuse<T>() -> anyhow::Result<T> {
        anyhow::bail!(
            "this leadscore was built without engines: build it with `cargo install --path crates/cli --features spark`, which needs protoc"
        )
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
    use leadscore_core::Timestamp;
    use leadscore_tables::check_target;
    use leadscore_workflow::{Engine, Project, Stay, describe_features, read_model, write_model};

    use super::{CheckArgs, FeaturesArgs, Findings, Outcome, ScoreArgs, TrainArgs};
    use crate::args::{ConfigArg, DescribeFormat};
    use crate::show;

    fn open(
        config: &ConfigArg,
        as_of: Option<&String>,
        address: &str,
    ) -> anyhow::Result<(Project, Option<Timestamp>, Engine)> {
        show::let_engine_stop();
        let project = Project::open_elsewhere(&config.config, show::terminal())?;
        let as_of = project.moments("--as-of", as_of)?;
        let engine = Engine::connect(&project, address, as_of)?;
        Ok((project, as_of, engine))
    }

    fn text(path: &std::path::Path) -> anyhow::Result<&str> {
        path.to_str()
            .with_context(|| format!("{} is not text", path.display()))
    }

    pub(crate) fn check(args: &CheckArgs, address: &str) -> anyhow::Result<Findings> {
        let (project, _, engine) = open(&args.config, None, address)?;
        Ok(engine.check(&project))
    }

    pub(crate) fn features(args: &FeaturesArgs, address: &str) -> anyhow::Result<Outcome> {
        let Some(output) = &args.output else {
            bail!("--engine spark writes the matrix on the cluster: pass -o FOLDER.parquet")
        };
        let model = args.model.as_deref().map(read_model).transpose()?;
        let (project, as_of, mut engine) = open(&args.config, args.as_of.as_ref(), address)?;
        let specs = engine.write_features(&project, model.as_ref(), as_of, text(output)?)?;
        if let Some(format) = args.describe {
            show::result(&describe_features(
                &project,
                &specs,
                format == DescribeFormat::Markdown,
            ));
        }
        Ok(Outcome::Done)
    }

    pub(crate) fn train(args: &TrainArgs, address: &str) -> anyhow::Result<Outcome> {
        if args.report.is_some() || args.json.is_some() {
            bail!(
                "a report needs the tables here: train with --engine spark, and run `evaluate` where they fit"
            );
        }
        check_target(&args.output)?;
        let (project, as_of, mut engine) = open(&args.config, args.as_of.as_ref(), address)?;
        project.refuse_inputs([&args.output], &[])?;
        let stay = args.stay.coded.clone().map(|coded| Stay {
            coded,
            n_leads: args.stay.sample,
        });
        let trained = engine.train(&project, as_of, args.fitting.clone().into(), stay.as_ref())?;
        write_model(&trained.model, &args.output)?;
        show::remark(&format!("wrote {}", args.output.display()));
        Ok(Outcome::Done)
    }

    pub(crate) fn score(args: &ScoreArgs, address: &str) -> anyhow::Result<Outcome> {
        if args.table.is_some() || args.intervals || args.json.is_some() {
            bail!(
                "--engine spark writes a folder of Parquet files, without intervals and without a summary as JSON: pass -o FOLDER.parquet"
            );
        }
        if !args.list.list.is_empty() {
            bail!(
                "--list needs the leads here, and --engine spark leaves them there: write the scores with -o FOLDER.parquet, or run `score --list` where the tables fit"
            );
        }
        let Some(output) = &args.output else {
            bail!("--engine spark writes the scores on the cluster: pass -o FOLDER.parquet")
        };
        let model = read_model(&args.model)?;
        let (project, as_of, mut engine) = open(&args.config, args.as_of.as_ref(), address)?;
        let first = engine.write_scores(&project, &model, as_of, text(output)?, show::N_FIRST)?;
        show::result(&format!("\nThe first of the open leads:\n\n{first}"));
        Ok(Outcome::Done)
    }
}

pub(crate) use lines::{check, features, score, train};
