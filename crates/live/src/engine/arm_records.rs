//! The track record of the leads that were prioritized, and of those that were held back.

use leadscore_serve::TierRecord;

/// The track record by arm.
#[derive(Debug, Clone, Default)]
pub(super) struct ArmRecords {
    pub(super) prioritized: Vec<TierRecord>,
    /// Empty where nobody was held back.
    pub(super) held_back: Vec<TierRecord>,
}
