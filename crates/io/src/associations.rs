//! Which ids belong together and which are no more, by tables of their own: what rows go through to
//! reach their leads.

use std::path::Path;
use std::sync::Arc;

use leadscore_config::{Config, Doubt, Subject, TableId, shortened};
use leadscore_core::{Timestamp, counted};
use leadscore_dataset::Note;

use crate::bounds::Bounds;
use crate::deletions::read_deleted;
use crate::error::TablesError;
use crate::id_maps::{DeletedIds, MergeMap};
use crate::keys::why_unmatched;
use crate::links::{Links, read_links};
use crate::merges::read_merges;
use crate::remarks::Remarks;
use crate::scan::Table;

/// The association tables, the merges and the deleted leads of a config; nothing for parts, whose rows have reached
/// their leads.
#[derive(Default)]
pub(crate) struct Associations {
    links: Links,
    merges: Option<Arc<MergeMap>>,
    deleted: Option<Arc<DeletedIds>>,
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
            deleted: read_deleted(config, folder, bounds, until, remarks)?.map(Arc::new),
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
        let follows = config.follows_merges(id);
        let merges = self.merges.as_ref().filter(|_| follows);
        let is_of_leads = follows || *id == TableId::History;
        let deleted = self.deleted.clone().filter(|_| is_of_leads);
        if *id == TableId::Leads {
            return table.without_gone(column, merges.cloned(), deleted);
        }
        let link = config
            .link_of(id)
            .and_then(|(name, _)| self.links.get(name));
        table.associated(column, link.cloned(), merges.cloned(), deleted)
    }

    /// Says where what lists the deleted leads lists none that any row is of, once all tables were
    /// read; where they are written otherwise than the leads' ids are, that is a doubt.
    pub(crate) fn say_of_deleted(
        &self,
        config: &Config,
        ids: &mut dyn Iterator<Item = &str>,
        remarks: &mut Remarks,
    ) {
        let (Some(deleted), Some(settings)) = (&self.deleted, &config.deleted) else {
            return;
        };
        let not_found = deleted.not_found();
        if not_found.is_empty() {
            return;
        }
        let shown = shortened(not_found[0]);
        if let Some(why) = why_unmatched(&not_found, ids) {
            let n = counted(not_found.len(), "lead");
            let found = format!("no row is of {n} that it lists, such as `{shown}`; {why}");
            let doubt = Doubt::new(Subject::Keys, "[deleted]", found).of_column(&settings.lead);
            remarks.doubt(doubt.advise("write the ids as the leads have them"));
        } else if not_found.len() == deleted.n() {
            remarks.note(Note::new(
                "[deleted]",
                format!(
                    "no row of any table is of a lead that `{}` lists, such as `{shown}`; is it the column with the ids of leads?",
                    settings.lead
                ),
            ));
        }
    }
}
