//! `features`: the feature matrix, for other tools.

use anyhow::bail;
use leadscore_core::FeatureMatrix;
use leadscore_tables::{LoadOptions, OutColumn, OutTable, Tables, check_table_target, write_table};

use crate::args::FeaturesArgs;
use crate::commands::Outcome;
use crate::project::{Project, describe_counts, label_and_compute};
use crate::show;

pub(crate) fn run(args: &FeaturesArgs) -> anyhow::Result<Outcome> {
    if args.output.is_none() && !args.describe {
        bail!("nothing to do: pass -o FILE for the matrix, or --describe for the dictionary of features");
    }
    let project = Project::open(&args.config.config)?;
    if let Some(path) = &args.output {
        check_table_target(path)?;
    }
    let as_of = project.moments("--as-of", args.as_of.as_ref())?;
    let tables = project.load(&LoadOptions { as_of, ..Default::default() })?;
    let (labelled, counts) = label_and_compute(&project, &tables, as_of)?;
    show::remark(&describe_counts(&counts, &project));
    if args.describe {
        let rows: Vec<Vec<String>> = labelled.matrix.specs().iter().map(|spec| vec![spec.name.clone(), spec.unit.name().to_owned(), spec.describe()]).collect();
        show::result(&show::table(&["feature", "unit", "what it is"], &rows));
    }
    if let Some(path) = &args.output {
        write_table(path, &matrix_table(&project, &tables, &labelled.matrix, &labelled.labels))?;
        show::remark(&format!("wrote {} ({} rows, {} features)", path.display(), show::count(labelled.matrix.n_rows()), labelled.matrix.n_features()));
    }
    Ok(Outcome::Done)
}

fn matrix_table(project: &Project, tables: &Tables, matrix: &FeatureMatrix, labels: &[bool]) -> OutTable {
    let mut table = OutTable::default();
    let keys = matrix.keys();
    table.push(&tables.leads.id_column, OutColumn::Text(keys.iter().map(|key| Some(tables.leads.ids[key.lead as usize].clone())).collect()));
    if project.config.is_flat() {
        table.push("snapshot", OutColumn::Number(keys.iter().map(|key| key.at.order()).collect()));
    } else {
        table.push("snapshot", OutColumn::Time(keys.iter().map(|key| Some(key.at)).collect()));
    }
    table.push("label", OutColumn::Integer(labels.iter().map(|&label| i64::from(label)).collect()));
    for (idx, spec) in matrix.specs().iter().enumerate() {
        // A feature may be called as the key is.
        let name = if table.columns.iter().any(|(taken, _)| *taken == spec.name) { format!("feature.{}", spec.name) } else { spec.name.clone() };
        let column = if matrix.is_category(idx) {
            OutColumn::Text((0..matrix.n_rows()).map(|row| matrix.level(row, idx).map(str::to_owned)).collect())
        } else {
            OutColumn::Number(matrix.column(idx).to_vec())
        };
        table.metadata.push((format!("unit:{name}"), spec.unit.name().to_owned()));
        table.push(&name, column);
    }
    table
}
