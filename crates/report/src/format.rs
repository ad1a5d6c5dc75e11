//! How numbers and texts are written for people: per cent, thousands, short names.

use leadscore_core::printable;

pub(crate) fn number(value: f64) -> String {
    format!("{value:.3}")
}

pub(crate) fn per_cent(share: f64) -> String {
    let value = share * 100.0;
    if value != 0.0 && value < 10.0 {
        format!("{value:.1} %")
    } else {
        format!("{value:.0} %")
    }
}

/// A number with thousands apart, as people read it.
pub fn count(number: usize) -> String {
    let digits = number.to_string();
    let parts: Vec<&str> = digits
        .as_bytes()
        .rchunks(3)
        .rev()
        .map(|part| std::str::from_utf8(part).expect("digits"))
        .collect();
    parts.join(",")
}

/// The nearest whole number, thousands apart.
pub(crate) fn whole(value: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "numbers of leads, or sums of money"
    )]
    let digits = count(value.abs().round() as usize);
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
