//! The store of a config, and its rows one after the other.

use std::path::Path;

use leadscore_config::{Config as Settings, TableId};
use leadscore_core::Timestamp;
use leadscore_store::{Store, StoredEvent};

use super::rows::{ColumnsRead, StoreRows, frames};
use super::settings::{check_store_settings, of_store};
use crate::config::Config;

/// What hands over the rows of a table of a store, one after the other.
pub type Scan<'s> =
    dyn FnMut(&str, &mut dyn FnMut(StoredEvent) -> crate::Result<()>) -> crate::Result<()> + 's;

/// Where the store of a config is: a file beside it, or an address; `None` where it names none.
pub fn store_path(config: &Config) -> Option<String> {
    let settings: &Settings = config.settings();
    let path = settings.store.as_ref()?.path.expose();
    Some(if path.contains("://") {
        path.to_owned()
    } else {
        config.folder().join(path).display().to_string()
    })
}

/// The store of a config, if it names one that there is.
pub(crate) fn store_of(config: &Config) -> crate::Result<Option<Store>> {
    let Some(path) = store_path(config) else {
        return Ok(None);
    };
    let path = Path::new(&path);
    if !Store::exists(path) {
        return Ok(None);
    }
    Ok(Some(Store::open_read(path)?))
}

/// Hands over the rows of a table; what fails first ends the call.
pub(crate) fn scan_table(
    store: &Store,
    table: &str,
    each: &mut dyn FnMut(StoredEvent) -> crate::Result<()>,
) -> crate::Result<()> {
    let mut failed = None;
    store.scan(table, Timestamp::MAX, |event| {
        if failed.is_none() {
            failed = each(event).err();
        }
    })?;
    failed.map_or(Ok(()), Err)
}

/// Puts the lookups that a store has rows of in place of those of a config for one lead.
pub(crate) fn put_lookups(config: &Config, settings: &mut Settings) -> crate::Result<()> {
    let Some(store) = store_of(config)? else {
        return Ok(());
    };
    let written = config.settings();
    check_store_settings(written)?;
    let mut rows = StoreRows::new(written, ColumnsRead::default());
    for name in written.lookups.keys() {
        let table = TableId::Lookup(name.clone()).to_string();
        scan_table(&store, &table, &mut |event| rows.add(event))?;
    }
    let of_store = of_store(written, &rows.lookups());
    let mut tables = rows.into_tables()?;
    tables.retain(|name, _| name.starts_with("lookups."));
    for (name, lookup) in &mut settings.lookups {
        if tables.contains_key(&format!("lookups.{name}")) {
            lookup.clone_from(&of_store.lookups[name]);
        }
    }
    Ok(settings.put_frames(&frames(tables)?)?)
}
