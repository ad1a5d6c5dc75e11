//! The tables of a store as Parquet files by lead, with a config that reads them.

use std::path::{Path, PathBuf};

use leadscore_config::{Config as Settings, TableId};
use leadscore_io::{OutColumn, OutTable, close_table, publish};
use leadscore_store::Store;
use toml::{Table, Value};

use super::cells::stored_instant;
use super::open::scan_table;
use super::rows::{ColumnsRead, StoreRows};
use super::settings::{
    ATTRIBUTE, CHANGED_AT, LEAD, OLD_VALUE, RECORDED, SEQUENCE, VALUE, check_store_settings,
    of_store,
};
use crate::config::Config;
use crate::error::{Context, bail};
use crate::outputs::write_text;

/// The config that is written beside the tables.
const CONFIG: &str = "leadscore.toml";

/// Writes every table of a store as a Parquet file by lead, and a config that reads these: what a
/// store without rows of it leaves to files stays there. Returns the files.
///
/// # Errors
///
/// The config asks for what a store cannot do, the store cannot be read, the folder has such files
/// already, or they cannot be written.
pub fn export_store(config: &Config, store: &Store, folder: &Path) -> crate::Result<Vec<PathBuf>> {
    let settings = config.settings();
    check_store_settings(settings)?;
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot make the folder {}", folder.display()))?;
    let mut rows = StoreRows::new(settings, ColumnsRead::default());
    for table in settings.tables() {
        scan_table(store, &table.id.to_string(), &mut |event| rows.add(event))?;
    }
    let mut tables = rows.into_tables()?;
    for (name, table) in &mut tables {
        if zone_of(settings, name).is_some() {
            instants_as_texts(table);
        }
    }
    let text = config_of(config, tables.iter())?;
    let place = |name: &str| folder.join(format!("{name}.parquet"));
    let config_path = folder.join(CONFIG);
    let paths: Vec<PathBuf> = tables
        .keys()
        .map(|name| place(name))
        .chain([config_path.clone()])
        .collect();
    if let Some(path) = paths.iter().find(|path| path.exists()) {
        bail!(
            "{} is there already\n  hint: name an empty folder",
            path.display()
        );
    }
    let finished = tables
        .iter()
        .map(|(name, table)| close_table(&place(name), table))
        .collect::<Result<Vec<_>, _>>()?;
    publish(finished)?;
    write_text(&config_path, &text)?;
    Ok(paths)
}

/// The config of the exported tables: what was asked of rows of files before is not asked again.
fn config_of<'t>(
    config: &Config,
    tables: impl Iterator<Item = (&'t String, &'t OutTable)>,
) -> crate::Result<String> {
    let mut root: Table =
        toml::from_str(config.text()).map_err(|error| crate::Error::request(error.to_string()))?;
    root.remove("store");
    root.remove("serve");
    let folder = std::path::absolute(config.folder()).unwrap_or_else(|_| config.folder());
    let written: Vec<&String> = tables.map(|(name, _)| name).collect();
    let lookups = config.settings().lookups.keys();
    for name in lookups.map(|name| format!("lookups.{name}")) {
        if !written.contains(&&name) {
            section(&mut root, &name, |table| in_folder(table, &folder));
        }
    }
    for name in written {
        let without = left_out(config.settings(), name);
        section(&mut root, name, |table| {
            for key in [
                "query",
                "uri",
                "delimiter",
                "encoding",
                "skip_rows",
                "decimal_comma",
            ] {
                table.remove(key);
            }
            table.insert("path".to_owned(), Value::from(format!("{name}.parquet")));
            table.insert("time_format".to_owned(), Value::from("iso"));
            if let Some(exclude) = &without {
                table.insert("exclude".to_owned(), Value::from(exclude.clone()));
            }
            if name.starts_with("activities.") || name == "outcomes" || name == "leads" {
                table.insert("recorded_at".to_owned(), Value::from(RECORDED));
            } else if name.starts_with("lookups.") {
                table.insert("changed_at".to_owned(), Value::from(CHANGED_AT));
            }
        });
    }
    let mut history = Table::new();
    let columns = [
        ("path", "history.parquet"),
        ("lead", LEAD),
        ("attribute", ATTRIBUTE),
        ("value", VALUE),
        ("old_value", OLD_VALUE),
        ("changed_at", CHANGED_AT),
        ("sequence", SEQUENCE),
        ("time_format", "iso"),
    ];
    for (key, value) in columns {
        history.insert(key.to_owned(), Value::from(value));
    }
    history.insert("complete".to_owned(), Value::from(true));
    history.insert("decimal_comma".to_owned(), Value::from(false));
    history.insert("null_values".to_owned(), Value::Array(Vec::new()));
    if let Some(zone) = config.settings().leads.time_zone {
        history.insert("time_zone".to_owned(), Value::from(zone.name()));
    }
    root.insert("history".to_owned(), Value::Table(history));
    section(&mut root, "data", |data| {
        for key in [
            "unmatched_outcomes",
            "unmatched_rows",
            "recorded_together",
            "contradicting_changes",
        ] {
            data.insert(key.to_owned(), Value::from(1.0));
        }
    });
    toml::to_string_pretty(&root).map_err(|error| crate::Error::request(error.to_string()))
}

/// The zone that the config of a table gives times that name none.
fn zone_of(settings: &Settings, name: &str) -> Option<String> {
    let mut id = TableId::named(name)?;
    if id == TableId::History {
        // Changes are rows of the leads.
        id = TableId::Leads;
    }
    let zone = settings.table(&id)?.file.time_zone?;
    Some(zone.name().to_owned())
}

/// Writes the times at which rows were recorded with their zone, which is not that of the table.
fn instants_as_texts(table: &mut OutTable) {
    for (_, column) in &mut table.columns {
        if let OutColumn::Time(times) = column {
            let texts = times.iter().map(|at| at.map(stored_instant));
            *column = OutColumn::Text(texts.collect());
        }
    }
}

/// The columns of a table that nothing is learned from, where there are any.
fn left_out(settings: &Settings, name: &str) -> Option<Vec<String>> {
    let of_store = of_store(
        settings,
        std::slice::from_ref(&name.replacen("lookups.", "", 1)),
    );
    let exclude = match TableId::named(name)? {
        TableId::Leads => &of_store.leads.exclude,
        TableId::Lookup(lookup) => &of_store.lookups.get(&lookup)?.exclude,
        TableId::Outcomes
        | TableId::Activities(_)
        | TableId::History
        | TableId::Link(_)
        | TableId::Merges
        | TableId::Deleted => return None,
    };
    (!exclude.is_empty()).then(|| exclude.clone())
}

/// Changes a section, such as `activities.touches`, which is made where there is none.
fn section(root: &mut Table, name: &str, change: impl FnOnce(&mut Table)) {
    let mut table = root;
    for key in name.splitn(2, '.') {
        let entry = table
            .entry(key.to_owned())
            .or_insert_with(|| Value::Table(Table::new()));
        let Value::Table(inner) = entry else { return };
        table = inner;
    }
    change(table);
}

/// Paths of files that stay where they are begin at the folder of the config that named them.
fn in_folder(table: &mut Table, folder: &Path) {
    let full = |path: &str| {
        if path.contains("://") {
            path.to_owned()
        } else {
            folder.join(path).display().to_string()
        }
    };
    match table.get_mut("path") {
        Some(Value::String(path)) => *path = full(path),
        Some(Value::Array(paths)) => {
            for path in paths {
                if let Value::String(path) = path {
                    *path = full(path);
                }
            }
        }
        Some(
            Value::Integer(_)
            | Value::Float(_)
            | Value::Boolean(_)
            | Value::Datetime(_)
            | Value::Table(_),
        )
        | None => {}
    }
}
