//! How numbers and texts are written for people: per cent, thousands, short names.

use leadscore_core::{count, printable};

pub(crate) fn number(value: f64) -> String {
    format!("{value:.3}")
}

pub(crate) fn per_cent(share: f64) -> String {
    let value = share * 100.0;
    // As it is shown: 9.96 is 10, which has no decimal.
    if value != 0.0 && value.abs() < 9.95 {
        format!("{value:.1} %")
    } else {
        format!("{value:.0} %")
    }
}

/// The nearest whole number to what is counted.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "numbers of leads, or sums of money"
)]
pub(crate) fn whole_number(value: f64) -> u64 {
    value.abs().round() as u64
}

/// The nearest whole number, thousands apart.
pub(crate) fn whole(value: f64) -> String {
    let digits = count(whole_number(value));
    if value <= -0.5 {
        format!("-{digits}")
    } else {
        digits
    }
}

pub(crate) fn signed_whole(value: f64) -> String {
    if value >= 0.5 {
        format!("+{}", whole(value))
    } else {
        whole(value)
    }
}

/// No more of a text than this, on one line, with characters that act escaped.
pub(crate) fn shorten(text: &str, limit: usize) -> String {
    let text = printable(text);
    if text.chars().count() <= limit {
        text.into_owned()
    } else {
        format!("{}…", text.chars().take(limit - 1).collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_per_cent(share: f64, expected: &str) {
        assert_eq!(per_cent(share), expected);
    }

    #[test]
    fn shares_below_a_tenth_have_a_decimal() {
        check_per_cent(0.0, "0 %");
        check_per_cent(0.0004, "0.0 %");
        check_per_cent(0.012, "1.2 %");
        check_per_cent(0.0994, "9.9 %");
        check_per_cent(0.1, "10 %");
        check_per_cent(0.254, "25 %");
        check_per_cent(1.0, "100 %");
        // It rounds to a number of two digits.
        check_per_cent(0.0996, "10 %");
        check_per_cent(-0.25, "-25 %");
        check_per_cent(-0.025, "-2.5 %");
    }

    #[test]
    fn thousands_are_apart() {
        for (number, expected) in [
            (0, "0"),
            (999, "999"),
            (1_000, "1,000"),
            (12_345, "12,345"),
            (1_000_007, "1,000,007"),
            (usize::MAX, "18,446,744,073,709,551,615"),
        ] {
            assert_eq!(count(number), expected);
        }
    }

    #[test]
    fn whole_numbers_have_no_sign_where_they_are_zero() {
        for (value, plain, signed) in [
            (0.0, "0", "0"),
            (-0.0, "0", "0"),
            (0.49, "0", "0"),
            (-0.49, "0", "0"),
            (0.5, "1", "+1"),
            (-0.5, "-1", "-1"),
            (1_234.5, "1,235", "+1,235"),
            (-98_765.4, "-98,765", "-98,765"),
            (f64::NAN, "0", "0"),
        ] {
            assert_eq!(
                (whole(value).as_str(), signed_whole(value).as_str()),
                (plain, signed)
            );
        }
    }

    #[test]
    fn texts_are_cut_by_letters_and_not_by_bytes() {
        for (text, limit, expected) in [
            ("", 1, ""),
            ("name", 4, "name"),
            ("names", 4, "nam…"),
            ("größer", 6, "größer"),
            ("größere", 6, "größe…"),
            ("ab", 1, "…"),
            // An escape counts as the letters that it is shown by.
            ("a\nb", 4, "a\\nb"),
            ("a\nb", 3, "a\\…"),
        ] {
            assert_eq!(shorten(text, limit), expected);
        }
    }
}
