//! Numbers, moments and texts of others as the page writes them.

use chrono::{Datelike, NaiveDateTime};
use leadscore_core::{Timestamp, count, counted, cut, printable};
use maud::{Markup, html};

use crate::{Word, WordKind};

/// A text of others on one line: no more than so many characters, those that act as escapes.
pub(crate) fn shown(text: &str, most: usize) -> String {
    let kept = cut(text.trim(), most);
    printable(&kept).into_owned()
}

/// A likelihood of 0 to 100 with one decimal. What is neither impossible nor certain does not look so.
pub(crate) fn likelihood(value: f64) -> String {
    if value > 0.0 && value < 0.05 {
        "< 0.1\u{a0}%".to_owned()
    } else if (99.95..100.0).contains(&value) {
        "> 99.9\u{a0}%".to_owned()
    } else {
        format!("{value:.1}\u{a0}%")
    }
}

/// What a reason adds, in percentage points; one that is smaller than is shown says which way it pushes.
pub(crate) fn step(value: f64) -> String {
    if value == 0.0 || value.is_nan() || value.abs() >= 0.05 {
        signed(value, 1)
    } else if value < 0.0 {
        "\u{2212}\u{a0}< 0.1".to_owned()
    } else {
        "+\u{a0}< 0.1".to_owned()
    }
}

/// A difference of percentage points, with its sign and one decimal.
pub(crate) fn points(value: f64) -> String {
    let number = signed(value, 1);
    let is_one = number.trim_start_matches(['+', '\u{2212}']) == "1.0";
    let noun = if is_one { "point" } else { "points" };
    format!("{number} {noun}")
}

fn signed(value: f64, decimals: usize) -> String {
    let digits = format!("{:.decimals$}", value.abs());
    let is_zero = digits.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    if is_zero {
        digits
    } else if value < 0.0 {
        format!("\u{2212}{digits}")
    } else {
        format!("+{digits}")
    }
}

/// Points of rules: whole where they are.
pub(crate) fn rule_points(value: f64) -> String {
    let text = if (value - value.round()).abs() < 1e-9 {
        format!("{:.0}", value.abs())
    } else {
        format!("{:.2}", value.abs())
    };
    if value < 0.0 && text.bytes().any(|byte| (b'1'..=b'9').contains(&byte)) {
        format!("\u{2212}{text}")
    } else {
        text
    }
}

/// A day, such as "28 Nov 2026".
pub(crate) fn day(at: Timestamp) -> String {
    calendar(at, |naive| naive.format("%-d %b %Y").to_string())
}

/// A moment to the minute, such as "28 Nov 2026, 09:14".
pub(crate) fn moment(at: Timestamp) -> String {
    calendar(at, |naive| naive.format("%-d %b %Y, %H:%M").to_string())
}

/// A moment that is near `now`: "today, 09:14", "yesterday, 16:20", "Friday, 16:20", and then by day.
pub(crate) fn near(at: Timestamp, now: Timestamp) -> String {
    let (Some(then), Some(today)) = (at.naive(), now.naive()) else {
        return moment(at);
    };
    let days = today.num_days_from_ce() - then.num_days_from_ce();
    let time = then.format("%H:%M");
    match days {
        0 => format!("today, {time}"),
        1 => format!("yesterday, {time}"),
        2..=6 => format!("{}", then.format("%A, %H:%M")),
        _ => moment(at),
    }
}

fn calendar(at: Timestamp, write: impl Fn(NaiveDateTime) -> String) -> String {
    at.naive().map_or_else(|| at.to_string(), write)
}

/// How long ago something was, in the largest unit that is whole; what is to come is "just now".
pub(crate) fn ago(at: Timestamp, now: Timestamp) -> String {
    let minutes = whole(now.days_since(at) * 1_440.0);
    match minutes {
        0 => "just now".to_owned(),
        1..60 => format!("{} ago", counted(minutes, "minute")),
        60..1_440 => format!("{} ago", counted(minutes / 60, "hour")),
        1_440..20_160 => format!("{} ago", counted(minutes / 1_440, "day")),
        20_160.. => day(at),
    }
}

/// An age in days, rounded as reasons round it.
pub(crate) fn age(days: f64) -> String {
    match whole(days) {
        0 => "today".to_owned(),
        1.. => counted(whole(days + 0.5), "day"),
    }
}

/// The number of whole units; what is below 0 or no number is 0.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates, and no number is 0"
)]
fn whole(value: f64) -> u64 {
    value.max(0.0).floor() as u64
}

/// The nearest whole number of things.
pub(crate) fn nearest(value: f64) -> String {
    count(whole(value + 0.5))
}

/// The last word of sales on a lead, with its day and its user.
pub(crate) fn last_word(said: Option<&Word>, now: Timestamp) -> Markup {
    let Some(said) = said else {
        return html! {};
    };
    html! {
        (word(said.said)) small { (ago(said.at, now)) ", " bdi { (shown(&said.by, 40)) } }
    }
}

/// What sales can say of a lead, as the page writes it.
pub(crate) fn word(kind: WordKind) -> &'static str {
    match kind {
        WordKind::Called => "Called",
        WordKind::NotNow => "Not now",
        WordKind::Won => "Won",
        WordKind::Lost => "Lost",
        WordKind::Wrong => "Score is wrong",
    }
}

/// As forms and rows have it.
pub(crate) fn word_key(kind: WordKind) -> &'static str {
    kind.key()
}

/// All words, in the order of the buttons.
pub(crate) const WORDS: [WordKind; 5] = [
    WordKind::Called,
    WordKind::NotNow,
    WordKind::Won,
    WordKind::Lost,
    WordKind::Wrong,
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_likelihood_looks_certain_that_is_not() {
        for (value, expected) in [
            (0.0, "0.0 %"),
            (0.001, "< 0.1 %"),
            (0.0499, "< 0.1 %"),
            (0.05, "0.1 %"),
            (46.25, "46.2 %"),
            (99.94, "99.9 %"),
            (99.95, "> 99.9 %"),
            (99.999, "> 99.9 %"),
            (100.0, "100.0 %"),
        ] {
            assert_eq!(
                likelihood(value).replace('\u{a0}', " "),
                expected,
                "{value}"
            );
        }
    }

    #[test]
    fn differences_have_a_sign_unless_they_are_none() {
        for (value, expected) in [
            (0.0, "0.0 points"),
            (-0.04, "0.0 points"),
            (0.06, "+0.1 points"),
            (1.0, "+1.0 point"),
            (-1.0, "−1.0 point"),
            (11.0, "+11.0 points"),
            (-9.44, "−9.4 points"),
        ] {
            assert_eq!(points(value), expected, "{value}");
        }
        for (value, expected) in [
            (0.0, "0.0"),
            (-0.0, "0.0"),
            (0.049, "+ < 0.1"),
            (-0.001, "− < 0.1"),
            (0.05, "+0.1"),
            (-0.06, "−0.1"),
            (12.34, "+12.3"),
        ] {
            assert_eq!(step(value).replace('\u{a0}', " "), expected, "{value}");
        }
        for (value, expected) in [
            (5.0, "5"),
            (-3.0, "−3"),
            (2.5, "2.50"),
            (-0.0, "0"),
            (-0.001, "0.00"),
        ] {
            assert_eq!(rule_points(value), expected, "{value}");
        }
    }

    #[test]
    fn moments_are_told_from_now() {
        let now = "2026-11-28T09:14:00Z"
            .parse::<Timestamp>()
            .expect("a moment");
        for (at, expected_ago, expected_near) in [
            ("2026-11-28T09:13:01Z", "just now", "today, 09:13"),
            ("2026-11-28T09:13:00Z", "1 minute ago", "today, 09:13"),
            ("2026-11-28T08:15:00Z", "59 minutes ago", "today, 08:15"),
            ("2026-11-28T08:14:00Z", "1 hour ago", "today, 08:14"),
            ("2026-11-27T23:59:00Z", "9 hours ago", "yesterday, 23:59"),
            ("2026-11-23T16:20:00Z", "4 days ago", "Monday, 16:20"),
            ("2026-11-14T09:14:00Z", "14 Nov 2026", "14 Nov 2026, 09:14"),
            ("2026-11-28T09:20:00Z", "just now", "today, 09:20"),
            ("2026-12-09T09:20:00Z", "just now", "9 Dec 2026, 09:20"),
        ] {
            let moment = at.parse::<Timestamp>().expect("a moment");
            assert_eq!(ago(moment, now), expected_ago, "{at}");
            assert_eq!(near(moment, now), expected_near, "{at}");
        }
        assert_eq!(
            (age(0.9), age(1.0), age(f64::NAN)),
            ("today".into(), "1 day".into(), "today".into())
        );
    }

    #[test]
    fn keys_are_those_of_the_column() {
        for kind in WORDS {
            let json = serde_json::to_value(kind).expect("a text");
            assert_eq!(json, word_key(kind));
        }
    }
}
