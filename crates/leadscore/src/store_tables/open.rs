//! The store of a config, and its rows one after the other.

use std::sync::{Arc, OnceLock};

use leadscore_config::{Config as Settings, TableId};
use leadscore_core::Timestamp;
use leadscore_io::secret_uri;
use leadscore_store::{ServerAddress, Store, StorePlace, StoredEvent};

use super::rows::{ColumnsRead, EventOf, StoreRows, frames};
use super::settings::{check_store_settings, of_store};
use crate::config::Config;
use crate::error::Context as _;

/// What hands over the rows of a table of a store, one after the other.
pub type Scan<'s> =
    dyn FnMut(&str, &mut dyn FnMut(StoredEvent) -> crate::Result<()>) -> crate::Result<()> + 's;

/// Whether a text is the address of a store, or says where one is, and no path.
pub fn is_store_address(text: &str) -> bool {
    let is_elsewhere = text.starts_with("env:") || text.starts_with("file:");
    is_elsewhere || ServerAddress::is_meant(text) || text.contains("://")
}

/// Where the store of a config is: a file beside it, or a PostgreSQL database; `None` where it names
/// none.
///
/// # Errors
///
/// An address that cannot be read, has a password in the config, or is not where the config says.
pub fn store_place(config: &Config) -> crate::Result<Option<StorePlace>> {
    let settings: &Settings = config.settings();
    let Some(store) = &settings.store else {
        return Ok(None);
    };
    let text = store.path.expose();
    if !is_store_address(text) {
        return Ok(Some(config.folder().join(text).into()));
    }
    let uri = secret_uri(&store.path, &config.folder(), "path", "[store]")?;
    let address = ServerAddress::parse(&uri).context("the address of [store] cannot be used")?;
    Ok(Some(address.into()))
}

/// The store of a config, if it names one that there is.
pub(crate) fn store_of(config: &Config) -> crate::Result<Option<Store>> {
    let Some(place) = store_place(config)? else {
        return Ok(None);
    };
    if !Store::is_there(&place)? {
        return Ok(None);
    }
    Ok(Some(Store::open_read(place)?))
}

/// Finds events of the store of a config by their numbers; opens it once somebody asks for one.
pub(crate) fn event_finder(config: &Config) -> Arc<EventOf> {
    let (config, opened) = (config.clone(), OnceLock::new());
    Arc::new(move |seq| {
        let store = opened.get_or_init(|| store_of(&config).ok().flatten());
        let before = seq.checked_sub(1)?;
        let events = store.as_ref()?.since(before, 1).ok()?;
        events.into_iter().find(|event| event.seq == seq)
    })
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
    put_lookup_rows(settings, rows)
}

/// Puts the rows of lookups in place of what a config says of these lookups.
pub(crate) fn put_lookup_rows(settings: &mut Settings, rows: StoreRows<'_>) -> crate::Result<()> {
    let of_store = of_store(rows.config(), &rows.lookups());
    let mut tables = rows.into_tables()?;
    tables.retain(|name, _| name.starts_with("lookups."));
    for (name, lookup) in &mut settings.lookups {
        if tables.contains_key(&format!("lookups.{name}")) {
            lookup.clone_from(&of_store.lookups[name]);
        }
    }
    Ok(settings.put_frames(&frames(tables)?)?)
}
