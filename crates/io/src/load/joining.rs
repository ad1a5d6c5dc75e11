//! What the rows of every table are joined to.

use hashbrown::HashMap;
use leadscore_config::Config;
use leadscore_core::Stamp;
use leadscore_dataset::LoadOptions;

use super::origin::Origin;

/// The leads that rows of other tables are joined to, and how tables are read.
pub(super) struct Joining<'j, 'c> {
    pub(super) config: &'c Config,
    pub(super) origin: &'j Origin<'j, 'c>,
    pub(super) options: &'j LoadOptions,
    /// The position of each lead by its id.
    pub(super) index: &'j HashMap<&'j str, u32>,
    /// When each lead was created.
    pub(super) created: &'j [Option<Stamp>],
}

impl Joining<'_, '_> {
    /// Whether what is read are whole tables, of which nothing is known yet.
    pub(super) fn is_whole(&self) -> bool {
        self.options.known_ends.is_none()
    }
}
