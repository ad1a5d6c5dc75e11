//! `features`: the feature matrix, for other tools.

use anyhow::bail;
use leadscore_core::{Family, FeatureKind, FeatureMatrix, FeatureSpec, LabelledSnapshots, Snapshot};
use leadscore_features::labelled_snapshots;
use leadscore_tables::{LoadOptions, OutColumn, OutTable, Tables, check_table_target, write_table};

use crate::args::{DescribeFormat, FeaturesArgs};
use crate::commands::Outcome;
use crate::project::{Project, describe_counts, features_of, no_snapshot};
use crate::show;

pub(crate) fn run(args: &FeaturesArgs) -> anyhow::Result<Outcome> {
    if args.output.is_none() && args.describe.is_none() {
        bail!("nothing to do: pass -o FILE for the matrix, or --describe for the dictionary of features");
    }
    let project = Project::open(&args.config.config)?;
    if let Some(path) = &args.output {
        check_table_target(path)?;
    }
    let as_of = project.moments("--as-of", args.as_of.as_ref())?;
    let tables = project.load(&LoadOptions { as_of, ..Default::default() })?;
    let (labelled, counts) = labelled_snapshots(&tables, &project.config.snapshots, as_of);
    if labelled.snapshots.is_empty() {
        return Err(no_snapshot(&project, &counts, tables.observation_end));
    }
    show::remark(&describe_counts(&counts, &project));
    let specs = project.plan(&tables, &labelled.snapshots)?;
    if let Some(format) = args.describe {
        show::result(&describe(&project, &specs, format));
    }
    if let Some(path) = &args.output {
        let table = matrix_table(&project, &tables, &specs, &labelled)?;
        write_table(path, &table)?;
        let n_rows = labelled.snapshots.len() + labelled.immature.len();
        show::remark(&format!("wrote {} ({} rows, {} features)", path.display(), show::count(n_rows), specs.len()));
    }
    Ok(Outcome::Done)
}

/// The snapshots of these tables with their features, in order of a hash of the lead (with accounts: of the account), then
/// the lead, then time: an order that does not depend on how many leads are in memory at once.
fn matrix_table(project: &Project, tables: &Tables, specs: &[FeatureSpec], labelled: &LabelledSnapshots) -> anyhow::Result<OutTable> {
    let mature = labelled.snapshots.iter().zip(&labelled.labels).map(|(&key, &label)| (key, Some(label)));
    let mut rows: Vec<(Snapshot, Option<bool>)> = mature.chain(labelled.immature.iter().map(|&key| (key, None))).collect();
    rows.sort_by_cached_key(|(key, _)| (tables.entity_hash(key.lead), key.lead, key.at));
    let (keys, labels): (Vec<Snapshot>, Vec<Option<bool>>) = rows.into_iter().unzip();
    let matrix = features_of(tables, specs, &keys)?;
    let mut table = OutTable::default();
    table.push(&tables.leads.id_column, OutColumn::Text(keys.iter().map(|key| Some(tables.leads.ids[key.lead as usize].clone())).collect()));
    if project.config.is_flat() {
        table.push("snapshot", OutColumn::Number(keys.iter().map(|key| key.at.order()).collect()));
    } else {
        table.push("snapshot", OutColumn::Time(keys.iter().map(|key| Some(key.at)).collect()));
    }
    table.push("label", OutColumn::Integer(labels.iter().map(|label| label.map(i64::from)).collect()));
    table.push("mature", OutColumn::Boolean(labels.iter().map(Option::is_some).collect()));
    push_features(&mut table, &matrix);
    Ok(table)
}

fn push_features(table: &mut OutTable, matrix: &FeatureMatrix) {
    for (idx, spec) in matrix.specs().iter().enumerate() {
        // A feature may be called as the key is.
        let name = if table.columns.iter().any(|(taken, _)| *taken == spec.name) { format!("feature.{}", spec.name) } else { spec.name.clone() };
        let column = if matrix.is_category(idx) {
            OutColumn::Text((0..matrix.n_rows()).map(|row| matrix.level(row, idx).map(str::to_owned)).collect())
        } else {
            OutColumn::Number(matrix.column(idx).to_vec())
        };
        table.metadata.push((format!("unit:{name}"), spec.unit.name().to_owned()));
        table.metadata.push((format!("about:{name}"), spec.describe()));
        table.push(&name, column);
    }
}

fn describe(project: &Project, specs: &[FeatureSpec], format: DescribeFormat) -> String {
    let unit = |spec: &FeatureSpec| if spec.kind == FeatureKind::Category { "category" } else { spec.unit.name() };
    if format == DescribeFormat::Table {
        let rows: Vec<Vec<String>> =
            specs.iter().map(|spec| vec![spec.name.clone(), unit(spec).to_owned(), spec.describe(), spec.missing().to_owned()]).collect();
        return format!("{}\n\n{} features", show::table(&["feature", "unit", "what it is", "missing means"], &rows), specs.len());
    }
    let cell = |text: &str| text.replace('|', "\\|");
    let mut lines = vec!["# Features".to_owned(), String::new(), format!("{} features. The families that they belong to:", specs.len()), String::new()];
    for family in project.config.features.chosen_families() {
        lines.push(format!("- **{}**: {}", family.name(), family.definition()));
    }
    lines.extend([String::new(), "| feature | unit | what it is | missing means |".to_owned(), "| --- | --- | --- | --- |".to_owned()]);
    lines.extend(specs.iter().map(|spec| format!("| `{}` | {} | {} | {} |", cell(&spec.name), unit(spec), cell(&spec.describe()), spec.missing())));
    lines.join("\n")
}

/// The reference of all families, as `docs/features.md` has it.
pub(crate) fn reference() -> String {
    let mut lines = vec!["| family | default | definition | example |".to_owned(), "| --- | --- | --- | --- |".to_owned()];
    for family in Family::ALL {
        let example = family.example().map_or_else(String::new, |(name, value)| format!("`{name}` = {}", (value * 1e4).round() / 1e4));
        let default = if family.is_default() { "yes" } else { "" };
        lines.push(format!("| `{}` | {default} | {} | {example} |", family.name(), family.definition()));
    }
    lines.join("\n")
}
