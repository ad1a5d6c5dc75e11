//! What the rows of every table are joined to.

use hashbrown::HashMap;
use leadscore_config::{Config, FileConfig, TableId};
use leadscore_core::Stamp;
use leadscore_dataset::LoadOptions;

use super::origin::Origin;
use crate::associations::Associations;
use crate::error::TablesError;
use crate::scan::Table;

/// The leads that rows of other tables are joined to, and how tables are read.
pub(super) struct Joining<'j, 'c> {
    pub(super) config: &'c Config,
    pub(super) origin: &'j Origin<'j, 'c>,
    pub(super) options: &'j LoadOptions,
    /// Which ids belong to which leads.
    pub(super) associations: &'j Associations,
    /// The position of each lead by its id.
    pub(super) index: &'j HashMap<&'j str, u32>,
    /// When each lead was created.
    pub(super) created: &'j [Option<Stamp>],
}

impl<'c> Joining<'_, 'c> {
    /// Opens a table, whose ids may reach their leads through an association table.
    pub(super) fn open(
        &self,
        id: &TableId,
        file: FileConfig<'c>,
    ) -> Result<Table<'c>, TablesError> {
        let table = self.origin.open(&id.heading(), file)?;
        Ok(self.associations.apply(self.config, id, table))
    }

    /// Whether what is read are whole tables, of which nothing is known yet.
    pub(super) fn is_whole(&self) -> bool {
        self.options.known_ends.is_none()
    }
}
