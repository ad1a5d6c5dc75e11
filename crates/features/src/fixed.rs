//! Exact sums: numbers as whole multiples of 2⁻⁴⁴, so that any order of adding gives the same bits.

/// A sum of numbers of at most 10¹⁵ either way, exact in steps of 2⁻⁴⁴ (6 · 10⁻¹⁴).
///
/// Floating-point sums depend on their order, and a difference of two running sums keeps the
/// rounding of both. These do neither: a window is the difference of two running sums, an account
/// less one lead is a difference too, and both are exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Fixed(i128);

const SCALE: f64 = (1_u64 << 44) as f64;

impl Fixed {
    /// The nearest multiple of 2⁻⁴⁴; numbers of 256 and more are multiples already.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "1e15 · 2⁴⁴ is far below 2¹²⁷"
    )]
    pub(crate) fn new(value: f64) -> Self {
        let scaled = value * SCALE;
        // Below 2⁶² the cast to i64 is one instruction.
        Self(if scaled.abs() < 4e18 {
            i128::from(scaled.round_ties_even() as i64)
        } else {
            scaled as i128
        })
    }

    pub(crate) fn value(self) -> f64 {
        match i64::try_from(self.0) {
            Ok(small) => small as f64 / SCALE,
            Err(_) => self.0 as f64 / SCALE,
        }
    }
}

impl std::ops::Add for Fixed {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl std::ops::Sub for Fixed {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_order_and_no_large_neighbour_changes_a_sum() {
        let values = [0.1, 1e15, -3.25, 7e-5, -1e15, 12.34];
        let sum = |order: &[usize]| {
            order
                .iter()
                .fold(Fixed::default(), |sum, &position| {
                    sum + Fixed::new(values[position])
                })
                .value()
        };
        assert_eq!(sum(&[0, 1, 2, 3, 4, 5]), sum(&[4, 2, 0, 5, 1, 3]));
        // Each of the small numbers is off by at most half a step.
        assert!((sum(&[0, 1, 2, 3, 4, 5]) - (0.1 - 3.25 + 7e-5 + 12.34)).abs() < 4.0 * 0.5 / SCALE);
        assert_eq!(Fixed::new(-2.5).value(), -2.5);
        assert_eq!(Fixed::new(1e15).value(), 1e15);
    }
}
