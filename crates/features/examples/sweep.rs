//! Measures sorting and sweeping alone, for `cargo xtask bench features`: the tables are in memory,
//! events in order of time.
//!
//! `sweep CONFIG MATRIX.parquet ROUNDS` prints the CPU seconds of the round that took least, as
//! JSON, and writes the matrix, so that others can be compared with it.

use std::path::Path;
use std::sync::Arc;

use leadscore_config::Config;
use leadscore_dataset::{Activities, EventRows, LoadOptions};
use leadscore_features::{compute, labelled_snapshots, plan};
use leadscore_io::{OutColumn, OutTable, load, write_table};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().collect();
    let [_, config_path, matrix_path, rounds] = args.as_slice() else {
        return Err("expected: sweep CONFIG MATRIX ROUNDS".into());
    };
    let config = Config::parse(&std::fs::read_to_string(config_path)?)?;
    let folder = Path::new(config_path)
        .parent()
        .ok_or("a config is in a folder")?;
    let mut tables = load(&config, folder, &LoadOptions::default())?;
    let (labelled, _) = labelled_snapshots(&tables, &config.snapshots, None)?;
    let specs = plan(&tables, &config.features, &labelled.snapshots).specs;
    let log = in_order_of_time(&tables.activities[0]);
    let mut least = (f64::INFINITY, f64::INFINITY);
    let mut matrix = None;
    for _ in 0..rounds.parse::<usize>()?.max(1) {
        let rows = log.clone();
        let before = cpu_seconds()?;
        Arc::make_mut(&mut tables.activities)[0] =
            Activities::new("e", None, tables.leads.ids.len(), rows);
        let between = cpu_seconds()?;
        matrix = Some(compute(&tables, &specs, &labelled.snapshots)?);
        let after = cpu_seconds()?;
        if after - before < least.0 + least.1 {
            least = (between - before, after - between);
        }
    }
    let matrix = matrix.ok_or("there was a round")?;
    let mut table = OutTable::default();
    table.push(
        "lead_id",
        OutColumn::Text(
            matrix
                .keys()
                .iter()
                .map(|key| Some(tables.leads.ids[key.lead as usize].clone()))
                .collect(),
        ),
    );
    table.push(
        "snapshot",
        OutColumn::Time(matrix.keys().iter().map(|key| Some(key.at)).collect()),
    );
    table.push("label", OutColumn::Boolean(labelled.labels));
    table.push("mature", OutColumn::Boolean(vec![true; matrix.n_rows()]));
    for (idx, spec) in matrix.specs().iter().enumerate() {
        table.push(&spec.name, OutColumn::Number(matrix.column(idx).to_vec()));
    }
    write_table(Path::new(matrix_path), &table)?;
    use std::io::Write;
    writeln!(
        std::io::stdout(),
        "{{\"sort\": {}, \"sweep\": {}}}",
        least.0,
        least.1
    )?;
    Ok(())
}

/// The events as a log has them: leads mixed, by time.
fn in_order_of_time(activities: &Activities) -> EventRows {
    let rows = activities.to_rows();
    let mut order: Vec<usize> = (0..rows.at.len()).collect();
    order.sort_by_key(|&row| (rows.at[row], rows.owners[row]));
    let mut log = rows.clone();
    for (place, &row) in order.iter().enumerate() {
        log.owners[place] = rows.owners[row];
        log.at[place] = rows.at[row];
        for (kind, from) in log.kinds.iter_mut().zip(&rows.kinds) {
            kind.codes[place] = from.codes[row];
        }
        for (column, from) in log.values.iter_mut().zip(&rows.values) {
            column.values[place] = from.values[row];
        }
    }
    log
}

/// CPU time of all threads so far, in steps of a hundredth of a second.
fn cpu_seconds() -> Result<f64, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = text
        .rsplit(')')
        .next()
        .ok_or("stat names the program")?
        .split_whitespace()
        .collect();
    Ok((fields[11].parse::<f64>()? + fields[12].parse::<f64>()?) / 100.0)
}
