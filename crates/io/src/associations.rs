//! Which ids belong together, by tables of their own: what rows go through to reach their leads.

use std::path::Path;
use std::sync::Arc;

use leadscore_config::{Config, TableId};
use leadscore_core::Timestamp;

use crate::bounds::Bounds;
use crate::error::TablesError;
use crate::id_maps::MergeMap;
use crate::links::{Links, read_links};
use crate::merges::read_merges;
use crate::remarks::Remarks;
use crate::scan::Table;

/// The association tables and the merges of a config; nothing for parts, whose rows have reached
/// their leads.
#[derive(Default)]
pub(crate) struct Associations {
    links: Links,
    merges: Option<Arc<MergeMap>>,
}

impl Associations {
    /// Reads all of them; merges that are known before a moment.
    ///
    /// # Errors
    ///
    /// A file that cannot be read, lacks a column that the config names, or contradicts itself.
    pub(crate) fn read(
        config: &Config,
        folder: &Path,
        bounds: Bounds,
        until: Option<Timestamp>,
        remarks: &mut Remarks,
    ) -> Result<Self, TablesError> {
        Ok(Self {
            links: read_links(config, folder, bounds, remarks)?,
            merges: read_merges(config, folder, bounds, until, remarks)?.map(Arc::new),
        })
    }

    /// A table whose rows go through them.
    ///
    /// Leads that were merged away have no rows; what they did is of the leads that live on. What
    /// their attributes were is not: those are the survivor's own.
    pub(crate) fn apply<'c>(&self, config: &Config, id: &TableId, table: Table<'c>) -> Table<'c> {
        let column = config.table(id).and_then(|table| table.key);
        let Some(column) = column.filter(|_| !table.is_spilled()) else {
            return table;
        };
        let is_of_leads = match id {
            TableId::Leads | TableId::Outcomes => true,
            TableId::Activities(name) => config
                .activities
                .get(name)
                .is_some_and(|activity| activity.lead.is_some()),
            TableId::History | TableId::Lookup(_) | TableId::Link(_) | TableId::Merges => false,
        };
        let merges = self.merges.as_ref().filter(|_| is_of_leads);
        match (id, merges) {
            (TableId::Leads, Some(merges)) => table.without_merged(column, Arc::clone(merges)),
            (TableId::Leads, None) => table,
            (_, merges) => {
                let link = config
                    .link_of(id)
                    .and_then(|(name, _)| self.links.get(name));
                table.associated(column, link.cloned(), merges.cloned())
            }
        }
    }
}
