//! Moments in JSON, as they are written everywhere else.

use leadscore_core::Timestamp;
use serde::Serializer;

/// A moment as text.
#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde passes fields by reference"
)]
pub(super) fn as_text<S: Serializer>(moment: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(moment)
}

/// The same where there may be none.
#[expect(clippy::ref_option, reason = "serde passes fields by reference")]
pub(super) fn as_optional_text<S: Serializer>(
    moment: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match moment {
        Some(moment) => as_text(moment, serializer),
        None => serializer.serialize_none(),
    }
}
