//! `export`: a model as rules that any system can add up, with what that costs, as SQL, as ONNX, as
//! PMML, or as JSON.

use std::path::{Path, PathBuf};

use anyhow::Context;
use leadscore::front_end::{ScoreTable, TierEdges, check_target, refuse_inputs, score_sql};
use leadscore::{
    Config, Model, Outputs, export_points, model_with_features_sql, write_bytes, write_text,
};

use crate::args::{
    ConfigArg, ExportCommand, ExportFileArgs, ExportPointsArgs, ExportSqlArgs, PointsFormat,
    ReadModel,
};
use crate::commands::Outcome;
use crate::show;

pub(crate) fn run(command: &ExportCommand) -> anyhow::Result<Outcome> {
    match command {
        ExportCommand::Points(args) => points(args),
        ExportCommand::Sql(args) => sql(args),
        ExportCommand::Onnx(args) => file(args, "score.onnx", |model| Ok(model.to_onnx()?)),
        ExportCommand::Pmml(args) => file(args, "score.pmml", |model| {
            Ok(model.to_pmml()?.into_bytes())
        }),
        ExportCommand::Json(args) => file(args, "score.json", |model| {
            Ok(serde_json::to_vec_pretty(model)?)
        }),
    }
}

fn file(
    args: &ExportFileArgs,
    default: &str,
    content: impl Fn(&Model) -> anyhow::Result<Vec<u8>>,
) -> anyhow::Result<Outcome> {
    let path = args
        .output
        .clone()
        .unwrap_or_else(|| PathBuf::from(default));
    check_target(&path)?;
    let ReadModel { model, path: input } = args.model.read_alone()?;
    refuse_inputs([path.as_path()], &[input])?;
    write_bytes(&path, &content(&model)?)?;
    show::remark(&format!("wrote {}", path.display()));
    Ok(Outcome::Done)
}

fn sql(args: &ExportSqlArgs) -> anyhow::Result<Outcome> {
    let ReadModel { model, path } = args.model.read(&args.config)?;
    check_target(&args.output)?;
    refuse_inputs([args.output.as_path()], &[path])?;
    let text = if args.features {
        let mut data = show::open(&args.config)?;
        if let Some(edges) = args.edges {
            data = data.with_tier_edges(edges);
        }
        data.refuse_inputs([&args.output], &[])?;
        let data = data.as_of_text("--as-of", args.as_of.as_ref())?;
        model_with_features_sql(
            &data,
            &model,
            args.dialect,
            &args.place.iter().cloned().collect(),
        )?
    } else {
        let edges = args.edges.map_or_else(|| edges_of_config(args), Ok)?;
        let table = ScoreTable {
            dialect: args.dialect,
            table: args.table.clone(),
            keys: args.key.clone(),
            edges,
        };
        score_sql(&model, &table).context("cannot write the model as SQL")?
    };
    write_text(&args.output, &text)?;
    show::remark(&format!("wrote {}", args.output.display()));
    Ok(Outcome::Done)
}

/// Where tiers begin by the config, where there is one; said, since a statement may go where no
/// config is.
fn edges_of_config(args: &ExportSqlArgs) -> anyhow::Result<TierEdges> {
    let path = &args.config.config;
    let has_config = path.exists() || path != Path::new(ConfigArg::DEFAULT);
    let edges = if has_config {
        Config::read(path)?.settings().tiers.edges
    } else {
        TierEdges::Relative
    };
    let by = if has_config {
        format!("as set by [tiers] of {}", path.display())
    } else {
        "since no config sets them".to_owned()
    };
    show::remark(&match edges {
        TierEdges::Relative => format!(
            "tiers are quartiles of all rows of the table, {by}; --edges frozen takes the model's own edges"
        ),
        TierEdges::Frozen => format!("tiers begin at the model's own edges, {by}"),
        TierEdges::Percent([first, second, third]) => {
            format!("tiers begin at {first} %, {second} % and {third} %, {by}")
        }
    });
    Ok(edges)
}

fn points(args: &ExportPointsArgs) -> anyhow::Result<Outcome> {
    let ReadModel { model, path: input } = args.model.read(&args.config)?;
    let place = |format: &PointsFormat| match format {
        PointsFormat::Toml => args.output.clone(),
        PointsFormat::Csv => args.output.with_extension("csv"),
        PointsFormat::Html => args.output.with_extension("html"),
    };
    let files: Vec<(PointsFormat, PathBuf)> = args
        .format
        .iter()
        .map(|format| (*format, place(format)))
        .collect();
    files.iter().try_for_each(|(_, path)| check_target(path))?;
    let data = show::open(&args.config)?;
    data.refuse_inputs(files.iter().map(|(_, path)| path), &[input])?;
    let points = export_points(&data, &model, usize::from(args.rules))?;
    show::result(&points.losses_text());
    let n_rules = points.n_rules()?;
    show::remark(&format!("measured on {}", points.measured_on()));
    let mut outputs = Outputs::default();
    for (format, path) in &files {
        match format {
            PointsFormat::Toml => outputs.text(path, points.toml()?)?,
            PointsFormat::Csv => outputs.table(path, &points.table()?)?,
            PointsFormat::Html => outputs.text(path, &points.html()?)?,
        }
    }
    show::remark(&format!("the table has {}", show::counted(n_rules, "rule")));
    show::publish(outputs)?;
    Ok(Outcome::Done)
}
