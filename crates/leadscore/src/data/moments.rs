//! Moments of data, as they are typed and written.

use leadscore_core::Timestamp;

use super::Data;

impl Data {
    /// Reads a moment: a time, or in a flat export a value of `order_by`.
    ///
    /// # Errors
    ///
    /// It is neither.
    pub fn moment(&self, flag: &str, text: &str) -> crate::Result<Timestamp> {
        crate::moment::moment(&self.config, flag, text)
    }

    /// The same where it may be missing.
    ///
    /// # Errors
    ///
    /// As [`Self::moment`].
    pub fn moments(&self, flag: &str, text: Option<&String>) -> crate::Result<Option<Timestamp>> {
        text.map(|text| self.moment(flag, text)).transpose()
    }

    /// When leads were looked at, after "open"; nothing for a flat export, which has no dates.
    pub(crate) fn at(&self, as_of: Timestamp) -> String {
        if self.config.is_flat() {
            String::new()
        } else {
            format!(" at {}", (self.write_time())(as_of))
        }
    }

    /// How moments of these tables are written.
    pub fn write_time(&self) -> fn(Timestamp) -> String {
        if self.config.is_flat() {
            |at| at.order().to_string()
        } else {
            |at| at.to_string()
        }
    }
}
