//! Whether a lead is held back when its call is made: it may have become so since it crossed.

use std::sync::Arc;

/// Says whether a lead is held back from prioritizing now, or why that cannot be known. It may wait
/// for the disk.
///
/// Each call is asked about right before it is made, whatever put it into its line: a lead that is
/// held back is in no call.
pub type IsHeldBack = Arc<dyn Fn(&str) -> Result<bool, String> + Send + Sync>;
