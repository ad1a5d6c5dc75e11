//! Association tables in memory: the leads that each id belongs to, and from when.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use hashbrown::HashMap;
use leadscore_config::{Config, LinkConfig};
use leadscore_core::Timestamp;
use leadscore_dataset::{NEVER, Note};

use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::id_maps::{LinkMap, Linked};
use crate::id_tables::{read_named, say_how_read, times_of};
use crate::remarks::Remarks;
use crate::result_words::{Says, says};
use crate::scan::{RawTable, Table};

/// The association tables of a config, by name.
pub(crate) type Links = BTreeMap<String, Arc<LinkMap>>;

/// Reads all association tables.
///
/// # Errors
///
/// A file that cannot be read, or lacks a column that the config names.
pub(crate) fn read_links(
    config: &Config,
    folder: &Path,
    bounds: Bounds,
    remarks: &mut Remarks,
) -> Result<Links, TablesError> {
    let mut links = Links::new();
    for (name, settings) in &config.links {
        let heading = format!("[links.{name}]");
        let table = Table::open(&heading, folder, settings.file(), bounds)?;
        let map = Reading::new(&table, settings)?.map(remarks)?;
        links.insert(name.clone(), Arc::new(map));
    }
    Ok(links)
}

/// One association table while it is read.
struct Reading<'r> {
    table: &'r Table<'r>,
    settings: &'r LinkConfig,
    raw: RawTable<'r>,
}

impl<'r> Reading<'r> {
    fn new(table: &'r Table<'r>, settings: &'r LinkConfig) -> Result<Self, TablesError> {
        let named = [
            ("from", Some(&settings.from)),
            ("lead", Some(&settings.lead)),
            ("primary", settings.primary.as_ref()),
            ("linked_at", settings.linked_at.as_ref()),
        ];
        Ok(Self {
            table,
            settings,
            raw: read_named(table, &named)?,
        })
    }

    /// The links, with what is to be said of those that are left out.
    fn map(&self, remarks: &mut Remarks) -> Result<LinkMap, TablesError> {
        let (settings, raw, heading) = (self.settings, &self.raw, &self.table.name);
        let is_primary = self.primary()?;
        let since = times_of(raw, settings.linked_at.as_ref(), remarks)?;
        let mut froms: Vec<Option<String>> = Vec::with_capacity(raw.n_rows);
        raw.for_each_text(&settings.from, |_, text| {
            froms.push(text.map(str::to_owned));
            Ok(())
        })?;
        let mut places: HashMap<String, u32> = HashMap::new();
        let mut links: Vec<(u32, Linked)> = Vec::with_capacity(raw.n_rows);
        let mut left_out = LeftOut::default();
        raw.for_each_text(&settings.lead, |row, lead| {
            let (Some(from), Some(lead)) = (froms[row].take(), lead) else {
                left_out.without_id.push(row);
                return Ok(());
            };
            let at = since.as_ref().map_or(Timestamp::MIN, |since| since[row]);
            if since.is_some() && at == NEVER {
                left_out.without_time.push(row);
                return Ok(());
            }
            if is_primary
                .as_ref()
                .is_some_and(|is_primary| !is_primary[row])
            {
                left_out.n_not_primary += 1;
                return Ok(());
            }
            let next = places.len() as u32;
            let link = Linked {
                lead: lead.to_owned(),
                since: at,
                row,
            };
            links.push((*places.entry(from).or_insert(next), link));
            Ok(())
        })?;
        let has_since = settings.linked_at.is_some();
        let (map, twice) = LinkMap::new(heading, places, links, (has_since, settings.own_ids));
        left_out.twice = twice;
        left_out.say(heading, raw, remarks);
        say_how_read(self.table, raw, remarks);
        Ok(map)
    }

    /// Whether each link is a primary one, where a column says so.
    ///
    /// # Errors
    ///
    /// No link is.
    fn primary(&self) -> Result<Option<Vec<bool>>, TablesError> {
        let Some(column) = &self.settings.primary else {
            return Ok(None);
        };
        let mut is_primary = vec![false; self.raw.n_rows];
        self.raw.for_each_text(column, |row, text| {
            is_primary[row] = text.is_some_and(|text| {
                says(text) == Says::Yes || text.to_lowercase().starts_with(LinkConfig::PRIMARY)
            });
            Ok(())
        })?;
        if is_primary.iter().any(|is_primary| *is_primary) || self.raw.n_rows == 0 {
            return Ok(Some(is_primary));
        }
        Err(TablesError::Content {
            table: self.table.name.clone(),
            found: format!("no row of `{column}` says yes, so no link is a primary one"),
            help: "name the column that is true (or yes, 1, primary) for primary links, or take `primary` out".to_owned(),
        })
    }
}

/// Links that are left out, or say again what another says.
#[derive(Default)]
struct LeftOut {
    without_id: Vec<usize>,
    without_time: Vec<usize>,
    twice: Vec<usize>,
    n_not_primary: usize,
}

impl LeftOut {
    fn say(&self, heading: &str, raw: &RawTable<'_>, remarks: &mut Remarks) {
        for (rows, one, many) in [
            (
                &self.without_id,
                "link lacks one of its ids and is left out",
                "links lack one of their ids and are left out",
            ),
            (
                &self.without_time,
                "link has no time from which it holds and is left out",
                "links have no time from which they hold and are left out",
            ),
            (
                &self.twice,
                "link is in the table twice; the earlier time counts",
                "links are in the table twice; the earlier time counts",
            ),
        ] {
            let first = rows.first().map(|&row| raw.place(row));
            let note = Note::counted(heading, rows.len(), one, many);
            remarks
                .notes
                .extend(note.map(|note| Note { first, ..note }));
        }
        remarks.count(
            heading,
            self.n_not_primary,
            "link is not a primary one and is left out".to_owned(),
            "links are not primary ones and are left out".to_owned(),
        );
    }
}
