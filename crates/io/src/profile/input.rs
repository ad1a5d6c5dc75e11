//! Which files a first config is made of.

use std::path::PathBuf;

use leadscore_core::Timestamp;

/// The files to profile; paths are written as given.
#[derive(Debug, Clone, Default)]
pub struct ProfileInput {
    /// The leads.
    pub leads: PathBuf,
    /// Outcomes, if they are in a file of their own.
    pub outcomes: Option<PathBuf>,
    /// Event tables.
    pub activities: Vec<PathBuf>,
    /// What the clock says.
    pub now: Option<Timestamp>,
    /// Columns of the leads to leave out, and why, beside those that are left out anyhow.
    pub leave_out: Vec<(String, String)>,
}
