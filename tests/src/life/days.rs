//! Days of the company, as whole numbers: day 0 is 2023-01-01, and night 0 is the midnight before it.

use leadscore_core::Timestamp;

/// A day, counted from 2023-01-01. A night of the same number is the midnight with which it begins:
/// what happened on earlier days is past, and the day itself is still to come.
pub type Day = i64;

/// The first night on which the company is scored: it has a year of history.
pub const FIRST_NIGHT: Day = 365;

/// The day on which the oldest leads of the CRM came: those that are open on day 0.
pub(super) const OLDEST: Day = -240;

pub(super) const MICROS_OF_HOUR: i64 = 3_600_000_000;
pub(super) const MICROS_OF_DAY: i64 = 24 * MICROS_OF_HOUR;

/// Midnight of 2023-01-01.
const DAY_ZERO: i64 = 1_672_531_200_000_000;

/// The midnight with which a day begins.
pub const fn midnight(day: Day) -> Timestamp {
    Timestamp::from_micros(DAY_ZERO + day * MICROS_OF_DAY)
}

/// A moment within a day, by hours from its midnight.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a few years in microseconds"
)]
pub(super) fn at_hour(day: Day, hours: f64) -> Timestamp {
    Timestamp::from_micros(midnight(day).micros() + (hours * MICROS_OF_HOUR as f64) as i64)
}

/// A day as a calendar date, such as "2024-01-01".
pub fn date(day: Day) -> String {
    written(midnight(day), "%Y-%m-%d")
}

/// A moment as CRMs write it, to the second.
pub(super) fn to_the_second(at: Timestamp) -> String {
    written(at, "%Y-%m-%dT%H:%M:%S")
}

fn written(at: Timestamp, format: &str) -> String {
    at.naive()
        .map(|naive| naive.format(format).to_string())
        .unwrap_or_default()
}

/// The last day of the month that has this day.
pub(super) fn end_of_month(day: Day) -> Day {
    let next = midnight(day).next_month();
    (next.micros() - DAY_ZERO).div_euclid(MICROS_OF_DAY) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_dates() {
        assert_eq!(date(0), "2023-01-01");
        assert_eq!(date(FIRST_NIGHT), "2024-01-01");
        assert_eq!(date(OLDEST), "2022-05-06");
        assert_eq!(date(end_of_month(365 + 31)), "2024-02-29");
        assert_eq!(end_of_month(30), 30);
        assert_eq!(to_the_second(at_hour(1, 9.5)), "2023-01-02T09:30:00");
    }
}
