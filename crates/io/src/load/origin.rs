//! Where the rows of tables come from: their files, or the part of the leads that waits on disk.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use leadscore_config::{Config, FileConfig};
use leadscore_dataset::LoadOptions;

use super::lookups::LookupTable;
use crate::associations::Associations;
use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::remarks::Remarks;
use crate::row_memory::check_fits;
use crate::scan::Table;
use crate::scratch::ScratchFolder;
use crate::spill::{Schema, SpilledFile};

/// Where the rows of tables come from.
pub(crate) enum Origin<'a, 'c> {
    /// All of them, from their files, which are relative to a folder.
    Files(&'a Path, Bounds),
    /// Those of one part of the leads.
    Spilled(&'a SpilledTables<'c>, usize),
}

impl<'c> Origin<'_, 'c> {
    /// Where the first row of a table stands that names nobody, as far as the whole table was
    /// looked at before.
    pub(super) fn first_stranger(&self, table: &str) -> Option<String> {
        match self {
            Self::Files(..) => None,
            Self::Spilled(tables, _) => tables.strangers.get(table).cloned(),
        }
    }

    /// Which ids belong together; rows of a part have reached their leads.
    pub(super) fn associations(
        &self,
        config: &Config,
        options: &LoadOptions,
        remarks: &mut Remarks,
    ) -> Result<Associations, TablesError> {
        match self {
            Self::Files(folder, bounds) => {
                let until = options.as_of.or(options.now);
                Associations::read(config, folder, *bounds, until, remarks)
            }
            Self::Spilled(..) => Ok(Associations::default()),
        }
    }

    /// Opens a table, or the part of it.
    pub(super) fn open(&self, name: &str, file: FileConfig<'c>) -> Result<Table<'c>, TablesError> {
        match self {
            Self::Files(folder, bounds) => {
                let table = Table::open(name, folder, file, *bounds)?;
                check_fits(name, &table)?;
                Ok(table)
            }
            Self::Spilled(tables, part) => Ok(tables.table(name, *part)),
        }
    }
}

/// Tables that were split by lead, waiting on disk.
pub(crate) struct SpilledTables<'c> {
    pub(crate) folder: ScratchFolder,
    /// By the name that the config gives each.
    pub(crate) tables: BTreeMap<String, Table<'c>>,
    /// The number and the columns of each on disk.
    pub(crate) schemas: BTreeMap<String, (usize, Arc<Schema>)>,
    pub(crate) lookups: BTreeMap<String, LookupTable>,
    /// By table, where the first row stands that names nobody.
    pub(crate) strangers: BTreeMap<String, String>,
}

impl<'c> SpilledTables<'c> {
    /// One part of a table.
    fn table(&self, name: &str, part: usize) -> Table<'c> {
        let (number, schema) = &self.schemas[name];
        self.tables[name].of_spilled(SpilledFile {
            path: self.file_of(*number, part),
            schema: Arc::clone(schema),
        })
    }

    /// Where the rows of a table for a part are kept.
    pub(crate) fn file_of(&self, table: usize, part: usize) -> PathBuf {
        self.folder.path().join(format!("{table}-{part}"))
    }
}
