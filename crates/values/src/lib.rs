//! Cells to values: missing markers, numbers and times, each in the one writing that its whole
//! column has.

mod number_census;
mod numbers;
mod strftime;
mod times;

pub use number_census::{NumberCensus, NumberVerdict, Sample, Unclear};
pub use numbers::{NumberFormat, PointRole, Sign, is_code, plain_number};
pub use times::{
    EpochUnit, NoTime, TimeFormat, Window, Workbook, proposals, serial_to_stamp, stamp, zone_name,
    zone_of,
};

/// Cells that mean missing unless the config lists others.
pub const DEFAULT_NULLS: [&str; 9] = [
    "NA", "N/A", "n/a", "NULL", "null", "None", "NaN", "nan", "#N/A",
];

/// Which cells mean missing.
pub struct Nulls<'a> {
    values: Vec<&'a str>,
    /// Whether some value begins with this byte: most cells are known to be values by their first.
    begins: [bool; 256],
}

impl<'a> Nulls<'a> {
    /// These cells; an empty one always does.
    pub fn new(values: Vec<&'a str>) -> Self {
        let mut begins = [false; 256];
        for first in values.iter().filter_map(|value| value.bytes().next()) {
            begins[usize::from(first)] = true;
        }
        Self { values, begins }
    }

    /// The cell without surrounding blanks, or `None` if it is missing.
    pub fn clean<'t>(&self, cell: &'t str) -> Option<&'t str> {
        let cell = cell.trim();
        let first = *cell.as_bytes().first()?;
        (!self.begins[usize::from(first)] || !self.values.contains(&cell)).then_some(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_markers() {
        let nulls = Nulls::new(DEFAULT_NULLS.to_vec());
        assert_eq!(
            (nulls.clean(" 2 "), nulls.clean("NA"), nulls.clean("  ")),
            (Some("2"), None, None)
        );
        let own = Nulls::new(vec!["Select"]);
        assert_eq!(
            (own.clean("NA"), own.clean("Select"), own.clean("")),
            (Some("NA"), None, None)
        );
    }
}
