//! `simulate`: a CRM with a known truth, written table by table.

mod tables;

use std::path::Path;
use std::sync::Arc;

use leadscore_io::{OutTable, TableWriter, refuse_remote};
use leadscore_simulate::{Chunk, SimulationOptions, Simulator};
use rayon::iter::{IntoParallelIterator, ParallelIterator};

use self::tables::{account_table, tables_of};
use crate::error::{Context, bail};
use crate::listener::{Listener, Stage};
use crate::outputs::Outputs;

/// Leads made and written at a time.
const CHUNK: u32 = 20_000;
/// Names of the tables, in the order in which they are made; accounts come beside them.
const NAMES: [&str; 7] = [
    "leads",
    "touches",
    "web_sessions",
    "sales_activities",
    "deals",
    "stages",
    "truth",
];

/// All tables of a made-up CRM by name, with its truth, in memory.
pub fn simulated_tables(options: SimulationOptions) -> Vec<(&'static str, OutTable)> {
    let simulator = Simulator::new(options);
    let accounts = [(
        "accounts",
        account_table(&simulator, 0..simulator.n_accounts()),
    )];
    let chunk = simulator.leads(0..options.n_leads);
    accounts
        .into_iter()
        .chain(NAMES.into_iter().zip(tables_of(&chunk)))
        .collect()
}

/// Writes all tables, the truth and a config; returns the number of activities.
///
/// # Errors
///
/// A file cannot be written.
pub fn write_crm(
    options: SimulationOptions,
    folder: &Path,
    ending: &str,
    listener: &Arc<dyn Listener>,
) -> crate::Result<usize> {
    refuse_remote(folder)?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let is_there = |name: &str| folder.join(name).exists();
    // What a simulation wrote has its truth beside it.
    let is_own = is_there("truth.csv") || is_there("truth.parquet");
    let tables = NAMES
        .into_iter()
        .chain(["accounts"])
        .map(|name| format!("{name}.{ending}"));
    if let Some(name) = tables
        .chain(["leadscore.toml".to_owned()])
        .find(|name| !is_own && is_there(name))
    {
        bail!(
            "{} is no simulation's, and would be replaced\n  hint: name an empty folder",
            folder.join(name).display()
        );
    }
    let simulator = Simulator::new(options);
    let place = |name: &str| folder.join(format!("{name}.{ending}"));
    let open = |name: &str| TableWriter::create(&place(name));
    let mut accounts = open("accounts")?;
    for start in (0..simulator.n_accounts()).step_by(CHUNK as usize) {
        accounts.write(&account_table(
            &simulator,
            start..(start + CHUNK).min(simulator.n_accounts()),
        ))?;
    }
    let mut writers = NAMES.into_iter().map(open).collect::<Result<Vec<_>, _>>()?;
    let stage = Stage::begin(listener, "making leads", options.n_leads as usize)?;
    let mut n_activities = 0;
    let starts: Vec<u32> = (0..options.n_leads).step_by(CHUNK as usize).collect();
    for batch in starts.chunks(rayon::current_num_threads()) {
        let chunks: Vec<Chunk> = batch
            .into_par_iter()
            .map(|&start| simulator.leads(start..(start + CHUNK).min(options.n_leads)))
            .collect();
        for chunk in chunks {
            n_activities += chunk.touches.len() + chunk.sessions.len() + chunk.sales.len();
            stage.advance(chunk.leads.len());
            for (writer, table) in writers.iter_mut().zip(tables_of(&chunk)) {
                writer.write(&table)?;
            }
        }
    }
    drop(stage);
    let mut outputs = Outputs::default();
    outputs.written(&place("accounts"), accounts)?;
    for (name, writer) in NAMES.iter().zip(writers) {
        outputs.written(&place(name), writer)?;
    }
    outputs.text(
        &folder.join("leadscore.toml"),
        &simulated_config(options, ending),
    )?;
    outputs.publish()?;
    Ok(n_activities)
}

/// The config of a made-up CRM.
pub fn simulated_config(options: SimulationOptions, ending: &str) -> String {
    let simulator = Simulator::new(options);
    format!(
        r#"# Written by `leadscore simulate`: a made-up CRM with a known truth (truth.{ending}).
[leads]
path = "leads.{ending}"
id = "lead_id"
created_at = "created_at"
manual_score = "manual_score"

[lookups.accounts]
path = "accounts.{ending}"
key = "account_id"

[activities.touches]
path = "touches.{ending}"
lead = "lead_id"
at = "at"
recorded_at = "recorded_at"
kind = ["touch_type"]

[activities.web]
path = "web_sessions.{ending}"
lead = "lead_id"
at = "at"
recorded_at = "recorded_at"
values = ["page_views", "minutes"]

[activities.sales]
path = "sales_activities.{ending}"
lead = "lead_id"
at = "at"
recorded_at = "recorded_at"
kind = ["activity_type"]

[activities.stages]
path = "stages.{ending}"
lead = "lead_id"
at = "entered_at"
kind = ["stage"]

[outcomes]
path = "deals.{ending}"
lead = "lead_id"
closed_at = "closed_at"
result = "stage"
won = ["closed_won"]
lost = ["closed_lost"]
open = ["open"]
amount = "amount"

[snapshots]
horizon = "90d"
every = "month"
observation_end = "{end}"
"#,
        end = simulator.end()
    )
}
