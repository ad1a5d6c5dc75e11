//! Why a lead cannot be explained: nobody knows it, or it cannot be compared with itself.

use leadscore_core::printable;

/// A lead cannot be compared with itself at an earlier date.
#[derive(Debug, thiserror::Error)]
pub enum SinceError {
    /// The date is not earlier.
    #[error("--since {since} is not before {as_of}\n  hint: name an earlier date")]
    NotEarlier {
        /// The date that was asked for.
        since: String,
        /// The moment that is explained.
        as_of: String,
    },
    /// There are no dates.
    #[error(
        "--since: this export has no dates, so that nothing is known of an earlier one\n  hint: leave it out"
    )]
    Undated,
    /// The lead was not open then.
    #[error(
        "--since: lead `{}` was not open at {since}\n  hint: name a date after {opened}",
        printable(lead)
    )]
    NotOpen {
        /// The lead.
        lead: String,
        /// The date.
        since: String,
        /// When it was created.
        opened: String,
    },
}

/// No lead has this id.
#[derive(Debug, thiserror::Error)]
#[error(
    "there is no lead `{}` in [leads]; the nearest id is `{}`{}",
    printable(id),
    printable(nearest),
    if *.may_be_deleted { "\n  hint: it may have been deleted: `deleted` in the config leaves such leads out" } else { "" }
)]
pub struct UnknownLead {
    pub(super) id: String,
    pub(super) nearest: String,
    pub(super) may_be_deleted: bool,
}
