//! Lookups whose rows are not the store's: they are read from their place, once.

use std::collections::BTreeMap;
use std::sync::Arc;

use leadscore_config::{Config as Settings, TableId};
use leadscore_core::printable;
use leadscore_dataset::{LoadOptions, MISSING};
use leadscore_io::{OutColumn, OutTable, ReadAs, ReadColumn};

use super::lead_tables::FileLookup;
use super::rows::frames;
use crate::data::Data;
use crate::error::bail;

/// The lookups of which a store has rows, or that have no other place.
pub fn kept_lookups(settings: &Settings, tables: &[String]) -> Vec<String> {
    let lookups = settings.lookups.iter();
    let kept = lookups.filter(|(name, lookup)| {
        let is_elsewhere = lookup.query.is_some() || !lookup.path.paths().is_empty();
        tables.contains(&format!("lookups.{name}")) || !is_elsewhere
    });
    kept.map(|(name, _)| name.clone()).collect()
}

/// The rows of the lookups that are not the store's, and the entry of each key.
pub(super) fn file_lookups(
    data: &Data,
    options: &LoadOptions,
    kept: &[String],
) -> crate::Result<BTreeMap<String, FileLookup>> {
    let mut files = BTreeMap::new();
    for (name, lookup) in &data.config.lookups {
        if kept.contains(name) {
            continue;
        }
        let id = TableId::Lookup(name.clone());
        let columns =
            leadscore_io::read_columns(&data.config, data.folder(), &id, None, |_| ReadAs::Texts)?;
        let found = columns
            .into_iter()
            .find(|(column, _)| *column == lookup.key);
        let Some((_, ReadColumn::Texts(mut keys))) = found else {
            bail!(
                "[lookups.{}] has no column `{}`\n  hint: name the column with the key as `key`",
                printable(name),
                printable(&lookup.key)
            );
        };
        keys.retain(Option::is_some);
        keys.sort_unstable();
        keys.dedup();
        files.insert(name.clone(), file_lookup(data, options, name, keys)?);
    }
    Ok(files)
}

/// The rows of one such lookup, read by the road of tables: leads with all of its keys are joined to
/// it.
fn file_lookup(
    data: &Data,
    options: &LoadOptions,
    name: &str,
    keys: Vec<Option<String>>,
) -> crate::Result<FileLookup> {
    let mut settings = data.config.clone();
    settings.leads.recorded_at = None;
    settings.lookups.retain(|known, _| known == name);
    settings.activities.clear();
    settings.history = None;
    let lookup = &settings.lookups[name];
    let leads_key = lookup.leads_key.as_ref().unwrap_or(&lookup.key).clone();
    let mut leads = OutTable::default();
    let n_leads = keys.len().max(1);
    let ids = (0..n_leads).map(|number| Some(format!("{number:010}")));
    let mut cells = keys.clone();
    if leads_key == settings.leads.id && !keys.is_empty() {
        leads.push(&leads_key, OutColumn::Text(cells));
    } else {
        leads.push(&settings.leads.id, OutColumn::Text(ids.collect()));
        cells.resize(n_leads, None);
        leads.push(&leads_key, OutColumn::Text(cells));
    }
    if let Some(created_at) = &settings.leads.created_at {
        let day = Some("2000-01-01".to_owned());
        leads.push(created_at, OutColumn::Text(vec![day; n_leads]));
    }
    for column in settings.named_columns("[leads]") {
        if !leads.columns.iter().any(|(known, _)| *known == column) {
            leads.push(&column, OutColumn::Text(vec![None; n_leads]));
        }
    }
    settings.put_frames(&frames(BTreeMap::from([("leads".to_owned(), leads)]))?)?;
    settings.outcomes = leadscore_config::OutcomesConfig::default();
    leadscore_io::do_without_outcomes(&mut settings, data.folder());
    let wanted = options.attributes.iter().flatten();
    let options = LoadOptions {
        attributes: Some(
            wanted
                .filter(|(key, _)| key.lookup.as_deref() == Some(name))
                .map(|(key, kind)| (key.clone(), *kind))
                .collect(),
        ),
        ..LoadOptions::default()
    };
    let tables = leadscore_io::load(&settings, data.folder(), &options)?;
    let Some(lookup) = tables.lookups.first() else {
        bail!("[lookups.{}] cannot be read", printable(name));
    };
    let entries = keys
        .into_iter()
        .flatten()
        .zip(lookup.entry_of_lead.iter().copied());
    Ok(FileLookup {
        entries: entries.filter(|(_, entry)| *entry != MISSING).collect(),
        rows: Arc::clone(&lookup.rows),
    })
}
