//! Tables that were read, kept for every view and every call that can use them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use leadscore_dataset::LoadOptions;
use leadscore_io::ReadTables;

use super::Data;

/// The tables as the config alone has them read, once they were.
#[derive(Default)]
pub(crate) struct KeptTables {
    read: Mutex<Option<Arc<ReadTables>>>,
}

impl KeptTables {
    /// The tables: those that are kept where they hold what is asked for, else read now, and kept if
    /// wished.
    ///
    /// A model asks for its attributes in the types that it was trained on; where the tables have
    /// them so anyway, they need no second reading.
    pub(crate) fn get(
        &self,
        data: &Data,
        options: &LoadOptions,
        keep: bool,
    ) -> crate::Result<Arc<ReadTables>> {
        // These say how else to read.
        let may_serve = options.history_kinds.is_none()
            && options.known_ends.is_none()
            && !data.has_its_own_leads();
        if may_serve
            && let Some(kept) = self.kept().clone()
            && options
                .attributes
                .as_ref()
                .is_none_or(|wanted| kept.has(wanted))
        {
            return Ok(kept);
        }
        let read = Arc::new(data.read_all(options)?);
        if keep && may_serve && options.attributes.is_none() {
            *self.kept() = Some(Arc::clone(&read));
        }
        Ok(read)
    }

    fn kept(&self) -> MutexGuard<'_, Option<Arc<ReadTables>>> {
        self.read.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
