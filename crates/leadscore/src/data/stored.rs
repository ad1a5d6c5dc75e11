//! Data whose tables are the rows of a store.

use std::sync::Arc;

use leadscore_config::{Config as Settings, Query, TableId};
use leadscore_core::printable;
use leadscore_io::Frames;
use leadscore_store::{Entity, Store, StoredEvent, WORD_TABLE};

use super::{Data, Inputs};
use crate::config::Config;
#[cfg(feature = "spark")]
use crate::data::OpenTables;
use crate::error::bail;
use crate::listener::Silent;
use crate::sales_words::SalesWord;
use crate::store_tables::{
    ColumnsRead, EventOf, Scan, StoreRows, check_store_settings, event_finder, of_store,
    put_lookup_rows, scan_table, times_by_door,
};

impl Data {
    /// Data by settings that were made of a config: nothing is brought or asked.
    pub(crate) fn by_settings(config: &Config, settings: Settings) -> Self {
        Self {
            config: settings,
            name: config.path().display().to_string(),
            folder: config.folder(),
            known_before: None,
            is_of_store: false,
            words: Arc::default(),
            read: Arc::default(),
            listener: Arc::new(Silent),
            objects: None,
        }
    }

    /// The same with objects of stores brought, and these queries asked.
    pub(crate) fn brought(mut self, queries: Vec<Query>) -> crate::Result<Self> {
        self.bring_objects()?;
        self.ask_databases(queries)?;
        Ok(self)
    }

    /// Lookups for leads that are in no table; those of `kept`, by whose rows they are read, are a
    /// store's.
    pub(crate) fn lookups_beside(config: &Config, kept: StoreRows<'_>) -> crate::Result<Self> {
        let mut settings =
            config.parse_by(|text| Settings::parse_for_one(text, &Frames::default()))?;
        put_lookup_rows(&mut settings, kept)?;
        let queries = config.parse_by(|_| settings.queries())?;
        Self::by_settings(config, settings).brought(queries)
    }

    /// The same with these rows of the store's lookups, for a lead that came through the door with
    /// rows of some lookups.
    pub(crate) fn with_lookup_rows(
        &self,
        rows: StoreRows<'_>,
        brought: &[&str],
    ) -> crate::Result<Self> {
        let mut data = self.clone();
        let mut put = Ok(());
        data.reads_anew_if(|settings| {
            put = put_lookup_rows(settings, rows);
            times_by_door(settings, brought);
            true
        });
        put.map(|()| data)
    }

    /// Data whose tables are those of a store, as it is now.
    ///
    /// # Errors
    ///
    /// As [`Self::open_rows`]; or the store cannot be read.
    pub fn open_store(config: &Config, inputs: Inputs, store: &Store) -> crate::Result<Self> {
        let scan: &mut Scan<'_> = &mut |table, each| scan_table(store, table, each);
        Self::open_rows_of(config, inputs, scan, &event_finder(config))
    }

    /// Data whose tables are rows of a store: what `scan` hands over for each table. Lookups of
    /// which it has no rows, and frames, are read as the config says.
    ///
    /// # Errors
    ///
    /// The config asks for what a store cannot do, `scan` fails, or a row is not what a store lets
    /// in.
    pub fn open_rows(config: &Config, inputs: Inputs, scan: &mut Scan<'_>) -> crate::Result<Self> {
        let nobody: Arc<EventOf> = Arc::new(|_| None);
        Self::open_rows_of(config, inputs, scan, &nobody)
    }

    /// The same; `event_of` finds the events that messages name.
    fn open_rows_of(
        config: &Config,
        inputs: Inputs,
        scan: &mut Scan<'_>,
        event_of: &Arc<EventOf>,
    ) -> crate::Result<Self> {
        let written = config.settings();
        check_store_settings(written)?;
        #[cfg(feature = "spark")]
        if inputs.tables == OpenTables::OnEngine {
            bail!(
                "the tables are the rows of [store], and an engine has others\n  hint: write them as tables with `leadscore store export` for the engine, and use the config that it writes; or leave the engine out"
            );
        }
        let mut rows = StoreRows::new(written, ColumnsRead::default());
        for table in written.tables() {
            let is_of_store = match table.id {
                TableId::Leads
                | TableId::Outcomes
                | TableId::Activities(_)
                | TableId::Lookup(_) => true,
                TableId::History | TableId::Link(_) | TableId::Merges | TableId::Deleted => false,
            };
            if is_of_store {
                scan(&table.id.to_string(), &mut |event| rows.add(event))?;
            }
        }
        let kept: Vec<String> = rows.lookups();
        let is_kept = |id: &TableId| match id {
            TableId::Lookup(name) => kept.contains(name),
            TableId::Leads
            | TableId::Outcomes
            | TableId::Activities(_)
            | TableId::History
            | TableId::Link(_)
            | TableId::Merges
            | TableId::Deleted => true,
        };
        let mut ids = written.tables().map(|table| table.id).filter(is_kept);
        if let Some(id) = ids.find(|id| inputs.frames.contains_key(&id.to_string())) {
            bail!(
                "a frame is given for `{}`, whose rows are those of [store]\n  hint: remove [store], or send the rows of the frame as events",
                printable(&id.to_string())
            );
        }
        let mut settings = of_store(written, &kept);
        settings.put_frames(&rows.into_named_frames(event_of)?)?;
        settings.put_frames(&inputs.frames)?;
        let queries = config.parse_by(|_| settings.queries())?;
        let mut words = Vec::new();
        scan(WORD_TABLE, &mut |event| {
            words.extend(word_of(&event));
            Ok(())
        })?;
        let mut data = Self::by_settings(config, settings).heard_by(Arc::clone(&inputs.listener));
        data.is_of_store = true;
        data.words = words.into();
        data.brought(queries)
    }
}

/// A row of [`WORD_TABLE`] as what sales said; `None` where it says nothing of a lead.
fn word_of(event: &StoredEvent) -> Option<SalesWord> {
    let Entity::Lead(lead) = &event.entity else {
        return None;
    };
    let row: serde_json::Map<String, serde_json::Value> = serde_json::from_str(&event.row).ok()?;
    Some(SalesWord {
        lead: lead.clone(),
        at: event.at,
        recorded: event.recorded,
        said: row.get("said")?.as_str()?.to_owned(),
    })
}
