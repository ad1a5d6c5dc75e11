//! The outermost numbers of a column, and whether they are such as stand for a missing one.

/// The two smallest and the two largest numbers of a column, each with the first row of the
/// outermost.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Extremes {
    low: (f64, usize),
    pub(crate) second_low: f64,
    high: (f64, usize),
    pub(crate) second_high: f64,
}

impl Default for Extremes {
    fn default() -> Self {
        Self {
            low: (f64::INFINITY, usize::MAX),
            second_low: f64::INFINITY,
            high: (f64::NEG_INFINITY, usize::MAX),
            second_high: f64::NEG_INFINITY,
        }
    }
}

/// From so many times the next number on, nines are far from all others.
const FAR: f64 = 5.0;

impl Extremes {
    /// Of numbers, some of which are missing, with the row of the first.
    pub(crate) fn of(values: &[f64], row_of: impl Fn(usize) -> usize) -> Self {
        let mut found = Self::default();
        for (row, &value) in values
            .iter()
            .enumerate()
            .filter(|(_, value)| !value.is_nan())
        {
            if value > found.high.0 {
                (found.second_high, found.high) = (found.high.0, (value, row));
            } else if value < found.high.0 && value > found.second_high {
                found.second_high = value;
            }
            if value < found.low.0 {
                (found.second_low, found.low) = (found.low.0, (value, row));
            } else if value > found.low.0 && value < found.second_low {
                found.second_low = value;
            }
        }
        if found.high.0 >= found.low.0 {
            (found.low.1, found.high.1) = (row_of(found.low.1), row_of(found.high.1));
        }
        found
    }

    /// Those of more rows of the column.
    pub(crate) fn merge(&mut self, other: Self) {
        let outer = |a: (f64, usize), b: (f64, usize), is_further: bool| {
            if is_further {
                a
            } else if a.0 == b.0 {
                (a.0, a.1.min(b.1))
            } else {
                b
            }
        };
        let mut highs = [
            self.high.0,
            self.second_high,
            other.high.0,
            other.second_high,
        ];
        highs.sort_unstable_by(|a, b| b.total_cmp(a));
        let mut lows = [self.low.0, self.second_low, other.low.0, other.second_low];
        lows.sort_unstable_by(f64::total_cmp);
        *self = Self {
            high: outer(self.high, other.high, self.high.0 > other.high.0),
            second_high: highs
                .into_iter()
                .find(|value| *value < highs[0])
                .unwrap_or(f64::NEG_INFINITY),
            low: outer(self.low, other.low, self.low.0 < other.low.0),
            second_low: lows
                .into_iter()
                .find(|value| *value > lows[0])
                .unwrap_or(f64::INFINITY),
        };
    }

    /// The number that is likely none, with its row.
    pub(crate) fn sentinel(&self) -> Option<(f64, usize)> {
        let is_far_above = self.second_high > 0.0
            && self.second_high.is_finite()
            && self.high.0 >= FAR * self.second_high;
        // Below zero where nothing else is.
        let is_alone_below =
            self.low.0 < 0.0 && self.second_low >= 0.0 && self.second_low.is_finite();
        let above = Some(self.high).filter(|(value, _)| is_far_above && is_marker(*value));
        above.or(Some(self.low).filter(|(value, _)| is_alone_below && is_marker(*value)))
    }
}

/// Whether a number is one that programs and people write for none: nines alone, at least three,
/// one digit five times, or the largest number of a type.
fn is_marker(value: f64) -> bool {
    let text = value.abs().to_string();
    // The largest numbers of programs' types, and what fingers run along.
    const LARGEST: [f64; 8] = [
        32_767.0,
        32_768.0,
        65_535.0,
        2_147_483_647.0,
        2_147_483_648.0,
        4_294_967_295.0,
        9_223_372_036_854_775_807.0,
        18_446_744_073_709_551_615.0,
    ];
    let of_one_digit = text.len() >= 5 && text.bytes().all(|byte| byte == text.as_bytes()[0]);
    if LARGEST.contains(&value.abs())
        || of_one_digit
        || matches!(text.as_str(), "123456789" | "1234567890" | "12345678")
        || value.abs() >= 1e30
    {
        return true;
    }
    text.len() >= 3
        && text.bytes().filter(|byte| *byte == b'9').count() >= 3
        && text.bytes().all(|byte| matches!(byte, b'9' | b'.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentinel(values: &[f64]) -> Option<f64> {
        let whole = Extremes::of(values, |row| row);
        let mut parts = Extremes::default();
        values
            .chunks(2)
            .enumerate()
            .for_each(|(number, part)| parts.merge(Extremes::of(part, |row| 2 * number + row)));
        assert_eq!(parts, whole, "{values:?}");
        whole.sentinel().map(|(value, row)| {
            assert_eq!(values[row], value);
            value
        })
    }

    #[test]
    fn nines_far_from_all_others_are_no_numbers() {
        assert_eq!(
            sentinel(&[1.0, 999_999.0, 250.0, 999_999.0, 12.0]),
            Some(999_999.0)
        );
        assert_eq!(sentinel(&[1.0, 9_999.99, 250.0]), Some(9_999.99));
        assert_eq!(sentinel(&[0.0, 3.0, -999.0, 7.0, f64::NAN]), Some(-999.0));
        assert_eq!(sentinel(&[1.0, 999.0, 850.0]), None);
        assert_eq!(sentinel(&[1.0, 99.0, 2.0]), None);
        assert_eq!(sentinel(&[-4.0, -999.0, 8.0]), None);
        assert_eq!(sentinel(&[1.0, 1_000_000.0, 8.0]), None);
        assert_eq!(sentinel(&[999.0, 999.0]), None);
        assert_eq!(sentinel(&[f64::NAN]), None);
        assert_eq!(sentinel(&[]), None);
    }
}
