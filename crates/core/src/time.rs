//! Moments and lengths of time, in whole microseconds, so that equal times are equal to the bit.

use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, Timelike, Utc};
use serde::{Deserialize, Serialize};

const MICROS_PER_SECOND: i64 = 1_000_000;
const MICROS_PER_DAY: i64 = 86_400 * MICROS_PER_SECOND;

/// A moment in UTC: microseconds since 1970-01-01T00:00:00Z.
///
/// Flat exports have no times; there the value of `order_by` stands in, a million to the unit
/// ([`Timestamp::from_order`]).
///
/// Always within [`Timestamp::MIN`] and [`Timestamp::MAX`], some 73,000 years either way: what lies
/// beyond is one of these two. So the difference of any two, and the sum of any one and a [`Span`],
/// is within `i64`.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize,
)]
#[serde(from = "i64", into = "i64")]
pub struct Timestamp(i64);

impl From<i64> for Timestamp {
    fn from(micros: i64) -> Self {
        Self::from_micros(micros)
    }
}

impl From<Timestamp> for i64 {
    fn from(at: Timestamp) -> Self {
        at.0
    }
}

impl Timestamp {
    /// Before every time that data can hold.
    pub const MIN: Self = Self(Self::MIN_MICROS);
    /// After every time that data can hold.
    pub const MAX: Self = Self(Self::MAX_MICROS);
    /// The largest number that can stand for time, either way.
    pub const MAX_ORDER: f64 = 2.3e12;

    const MIN_MICROS: i64 = i64::MIN / 4;
    const MAX_MICROS: i64 = i64::MAX / 4;

    /// The moment `micros` microseconds after 1970-01-01T00:00:00Z.
    #[inline]
    pub const fn from_micros(micros: i64) -> Self {
        match micros {
            ..Self::MIN_MICROS => Self::MIN,
            Self::MAX_MICROS.. => Self::MAX,
            _ => Self(micros),
        }
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    #[inline]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// Midnight UTC of a calendar day, or `None` for a day that does not exist.
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        Some(Self::from_naive(
            NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(0, 0, 0)?,
        ))
    }

    /// A date and time that is already in UTC.
    pub fn from_naive(naive: NaiveDateTime) -> Self {
        Self::from_micros(naive.and_utc().timestamp_micros())
    }

    /// A number that stands for time in a flat export, with six decimal places kept; `None` if it
    /// is no number or beyond [`Timestamp::MAX_ORDER`].
    #[expect(clippy::cast_possible_truncation, reason = "the limit is within i64")]
    pub fn from_order(value: f64) -> Option<Self> {
        (value.abs() <= Self::MAX_ORDER).then(|| Self::from_micros((value * 1e6).round() as i64))
    }

    /// The number that [`Timestamp::from_order`] was given.
    pub fn order(self) -> f64 {
        self.0 as f64 / 1e6
    }

    /// The calendar date and time in UTC; `None` outside the years that a calendar knows.
    pub fn naive(self) -> Option<NaiveDateTime> {
        DateTime::<Utc>::from_timestamp_micros(self.0).map(|moment| moment.naive_utc())
    }

    /// The last microsecond of the UTC day that holds this moment: when a fact stamped with only a
    /// date counts as known.
    pub const fn end_of_day(self) -> Self {
        Self::from_micros(self.0.div_euclid(MICROS_PER_DAY) * MICROS_PER_DAY + MICROS_PER_DAY - 1)
    }

    /// Days from `earlier` to `self`, with fraction; negative if `earlier` is later.
    pub fn days_since(self, earlier: Self) -> f64 {
        (self.0 - earlier.0) as f64 / MICROS_PER_DAY as f64
    }

    /// Days from Monday to Friday (UTC) between `earlier` and `self`, with fraction: a week is five
    /// of them.
    ///
    /// # Examples
    ///
    /// ```
    /// use leadscore_core::Timestamp;
    /// let friday_noon = Timestamp::parse_iso("2022-01-07T12:00").unwrap().0;
    /// let tuesday = Timestamp::parse_iso("2022-01-11").unwrap().0;
    /// assert_eq!(tuesday.weekdays_since(friday_noon), 1.5);
    /// ```
    pub fn weekdays_since(self, earlier: Self) -> f64 {
        // Since Monday, 1970-01-05.
        let weekdays = |at: Self| {
            let since = at.0 - 4 * MICROS_PER_DAY;
            since.div_euclid(7 * MICROS_PER_DAY) * 5 * MICROS_PER_DAY
                + since.rem_euclid(7 * MICROS_PER_DAY).min(5 * MICROS_PER_DAY)
        };
        (weekdays(self) - weekdays(earlier)) as f64 / MICROS_PER_DAY as f64
    }

    /// Hour of the day in UTC, 0 to 23.
    pub fn hour(self) -> u32 {
        self.naive().map_or(0, |naive| naive.hour())
    }

    /// Day of the week in UTC, 0 for Monday to 6 for Sunday.
    pub fn weekday(self) -> u32 {
        self.naive()
            .map_or(0, |naive| naive.weekday().num_days_from_monday())
    }

    /// Day of the month in UTC, 1 to 31.
    pub fn day_of_month(self) -> u32 {
        self.naive().map_or(1, |naive| naive.day())
    }

    /// Month of the year in UTC, 1 to 12.
    pub fn month(self) -> u32 {
        self.naive().map_or(1, |naive| naive.month())
    }

    /// The first midnight of UTC after this moment.
    pub fn next_midnight(self) -> Self {
        Self::from_micros((self.0.div_euclid(MICROS_PER_DAY) + 1) * MICROS_PER_DAY)
    }

    /// The first moment at or after this one that is a whole number of steps from an anchor.
    ///
    /// # Panics
    ///
    /// Where the step is zero.
    pub fn step_at_or_after(self, step: Span, anchor: Self) -> Self {
        let since = self.0 - anchor.0;
        let beyond = i64::from(since.rem_euclid(step.0) != 0);
        Self::from_micros((since.div_euclid(step.0) + beyond) * step.0 + anchor.0)
    }

    /// The first Monday, 00:00 UTC, at or after this moment.
    pub fn monday_at_or_after(self) -> Self {
        // 1970-01-05 was a Monday.
        let monday = Self(4 * MICROS_PER_DAY);
        self.step_at_or_after(Span::from_days(7), monday)
    }

    /// The first midnight of a month at or after this moment.
    pub fn month_start_at_or_after(self) -> Self {
        let Some(naive) = self.naive() else {
            return self;
        };
        let first = Self::from_ymd(naive.year(), naive.month(), 1).unwrap_or(self);
        if first >= self {
            first
        } else {
            first.next_month()
        }
    }

    /// Midnight of the first day of the month after the one that holds this moment.
    pub fn next_month(self) -> Self {
        let Some(naive) = self.naive() else {
            return Self::MAX;
        };
        let (year, month) = if naive.month() == 12 {
            (naive.year() + 1, 1)
        } else {
            (naive.year(), naive.month() + 1)
        };
        Self::from_ymd(year, month, 1).unwrap_or(Self::MAX)
    }

    /// Parses ISO 8601: `2026-02-28`, `2026-02-28 13:05`, `2026-02-28T13:05:09.25`, with `Z` or an
    /// offset like `+02:00`.
    ///
    /// Returns the moment (midnight for a date), how precise the text was, and whether it named its
    /// zone. `None` if the text is none of these or the day does not exist.
    ///
    /// # Examples
    ///
    /// ```
    /// use leadscore_core::{Precision, Timestamp};
    /// let (at, precision, zoned) = Timestamp::parse_iso("1970-01-02T01:00:00+01:00").unwrap();
    /// assert_eq!((at.micros(), precision, zoned), (86_400_000_000, Precision::Instant, true));
    /// assert!(Timestamp::parse_iso("2026-02-30").is_none());
    /// ```
    pub fn parse_iso(text: &str) -> Option<(Self, Precision, bool)> {
        let bytes = text.as_bytes();
        if bytes.len() < 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let date = NaiveDate::from_ymd_opt(
            i32::try_from(digits(&bytes[..4])?).ok()?,
            digits(&bytes[5..7])?,
            digits(&bytes[8..10])?,
        )?;
        let midnight = Self::from_naive(date.and_hms_opt(0, 0, 0)?);
        if bytes.len() == 10 {
            return Some((midnight, Precision::Day, false));
        }
        if !matches!(bytes[10], b'T' | b't' | b' ') || bytes.len() < 16 || bytes[13] != b':' {
            return None;
        }
        let (hour, minute) = (digits(&bytes[11..13])?, digits(&bytes[14..16])?);
        let mut rest = &bytes[16..];
        let mut second = 0;
        let mut micros = 0_i64;
        if rest.first() == Some(&b':') {
            second = digits(rest.get(1..3)?)?;
            rest = &rest[3..];
            if matches!(rest.first(), Some(b'.' | b',')) {
                let length = rest[1..]
                    .iter()
                    .take_while(|byte| byte.is_ascii_digit())
                    .count();
                if length == 0 || length > 9 {
                    return None;
                }
                let kept = length.min(6);
                micros =
                    i64::from(digits(&rest[1..=kept])?) * 10_i64.pow(6 - u32::try_from(kept).ok()?);
                rest = &rest[1 + length..];
            }
        }
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let (offset_minutes, zoned) = parse_offset(rest)?;
        let seconds = i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second)
            - offset_minutes * 60;
        Some((
            Self::from_micros(midnight.0 + seconds * MICROS_PER_SECOND + micros),
            Precision::Instant,
            zoned,
        ))
    }
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes.iter().try_fold(0_u32, |value, byte| {
        byte.is_ascii_digit()
            .then(|| value * 10 + u32::from(byte - b'0'))
    })
}

/// Minutes east of UTC, and whether a zone was named at all.
fn parse_offset(text: &[u8]) -> Option<(i64, bool)> {
    match text {
        [] => Some((0, false)),
        [b'Z' | b'z'] | [b' ', b'U', b'T', b'C'] => Some((0, true)),
        [sign @ (b'+' | b'-'), rest @ ..] => {
            let (hours, minutes) = match rest {
                [a, b] => (digits(&[*a, *b])?, 0),
                [a, b, c, d] | [a, b, b':', c, d] => (digits(&[*a, *b])?, digits(&[*c, *d])?),
                _ => return None,
            };
            let total = i64::from(hours) * 60 + i64::from(minutes);
            (hours < 24 && minutes < 60)
                .then_some((if *sign == b'-' { -total } else { total }, true))
        }
        _ => None,
    }
}

impl std::str::FromStr for Timestamp {
    type Err = NoTime;

    /// A date, which is its first moment, or a time as ISO 8601 has it.
    fn from_str(text: &str) -> Result<Self, NoTime> {
        Self::parse_iso(text)
            .map(|(at, _, _)| at)
            .ok_or_else(|| NoTime(text.to_owned()))
    }
}

/// A text that is no time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a moment\n  hint: write such as 2018-05-01 or 2018-05-01T09:30:00Z")]
pub struct NoTime(String);

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.naive() {
            Some(naive) if self.0.rem_euclid(MICROS_PER_DAY) == 0 => {
                write!(f, "{}", naive.format("%Y-%m-%d"))
            }
            Some(naive) if self.0.rem_euclid(MICROS_PER_SECOND) == 0 => {
                write!(f, "{}", naive.format("%Y-%m-%dT%H:%M:%SZ"))
            }
            Some(naive) => write!(f, "{}", naive.format("%Y-%m-%dT%H:%M:%S%.6fZ")),
            None => write!(f, "{} µs", self.0),
        }
    }
}

impl std::ops::Add<Span> for Timestamp {
    type Output = Self;
    fn add(self, span: Span) -> Self {
        Self::from_micros(self.0.saturating_add(span.0))
    }
}

impl std::ops::Sub<Span> for Timestamp {
    type Output = Self;
    fn sub(self, span: Span) -> Self {
        Self::from_micros(self.0.saturating_sub(span.0))
    }
}

/// How much of a moment its text gave.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Precision {
    /// Only the calendar day: the fact counts as known from the end of that day.
    Day,
    /// Day and time.
    Instant,
}

/// A moment as a table gave it: where its day or instant begins, and from when the fact counts as
/// known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Stamp {
    /// The instant itself, or midnight of the day.
    pub start: Timestamp,
    /// The instant itself, or the last microsecond of the day.
    pub known: Timestamp,
}

impl Stamp {
    /// The stamp of a moment that was given with this precision.
    pub fn new(start: Timestamp, precision: Precision) -> Self {
        let known = match precision {
            Precision::Day => start.end_of_day(),
            Precision::Instant => start,
        };
        Self { start, known }
    }
}

/// A length of time, at least zero, written `90d`, `12h`, `2w` or `30m` (minutes).
///
/// # Examples
///
/// ```
/// use leadscore_core::Span;
/// assert_eq!("2w".parse::<Span>().unwrap(), Span::from_days(14));
/// assert_eq!(Span::from_days(90).to_string(), "90d");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span(i64);

/// Why a text is not a length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{found}` is not a length of time\n  hint: write a whole number and a unit, such as \"90d\", \"12h\", \"2w\" or \"30m\""
)]
pub struct SpanError {
    /// The text that was found.
    pub found: String,
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// A number of days of 24 hours each.
    pub const fn from_days(days: u32) -> Self {
        Self(days as i64 * MICROS_PER_DAY)
    }

    /// A number of microseconds; none where it is negative.
    pub const fn from_micros(micros: i64) -> Self {
        Self(if micros < 0 { 0 } else { micros })
    }

    /// Twice the length.
    #[must_use]
    pub const fn doubled(self) -> Self {
        Self(self.0.saturating_mul(2))
    }

    /// The length in days, with fraction.
    pub fn days(self) -> f64 {
        self.0 as f64 / MICROS_PER_DAY as f64
    }

    /// The length in microseconds.
    pub const fn micros(self) -> i64 {
        self.0
    }
}

impl std::str::FromStr for Span {
    type Err = SpanError;
    fn from_str(text: &str) -> Result<Self, SpanError> {
        let error = || SpanError {
            found: text.to_owned(),
        };
        let trimmed = text.trim();
        let (number, unit) = trimmed.split_at(
            trimmed
                .find(|c: char| !c.is_ascii_digit())
                .ok_or_else(error)?,
        );
        let factor = match unit.trim() {
            "d" | "day" | "days" => MICROS_PER_DAY,
            "w" | "week" | "weeks" => 7 * MICROS_PER_DAY,
            "h" | "hour" | "hours" => 3600 * MICROS_PER_SECOND,
            "m" | "min" => 60 * MICROS_PER_SECOND,
            _ => return Err(error()),
        };
        let number: i64 = number.parse().map_err(|_| error())?;
        // A thousand years is more than any horizon, and keeps every sum of times within i64.
        if number
            .checked_mul(factor)
            .is_none_or(|micros| micros > 365_250 * MICROS_PER_DAY)
        {
            return Err(error());
        }
        Ok(Self(number * factor))
    }
}

impl std::fmt::Display for Span {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (value, unit) = if self.0 % MICROS_PER_DAY == 0 {
            (self.0 / MICROS_PER_DAY, "d")
        } else if self.0 % (3600 * MICROS_PER_SECOND) == 0 {
            (self.0 / (3600 * MICROS_PER_SECOND), "h")
        } else {
            (self.0 / (60 * MICROS_PER_SECOND), "m")
        };
        write!(f, "{value}{unit}")
    }
}

impl Serialize for Span {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_iso(text: &str, expected: Option<&str>) {
        assert_eq!(
            Timestamp::parse_iso(text)
                .map(|(at, _, _)| at.to_string())
                .as_deref(),
            expected,
            "{text}"
        );
    }

    #[test]
    fn iso_texts() {
        check_iso("2018-02-26", Some("2018-02-26"));
        check_iso("2018-02-26 19:58:54", Some("2018-02-26T19:58:54Z"));
        check_iso("2018-02-26T19:58", Some("2018-02-26T19:58:00Z"));
        check_iso(
            "2018-02-26T19:58:54.5-02:30",
            Some("2018-02-26T22:28:54.500000Z"),
        );
        check_iso("2018-02-26T23:58:54Z", Some("2018-02-26T23:58:54Z"));
        check_iso("2018-02-29", None);
        check_iso("2018-13-01", None);
        check_iso("26/02/2018", None);
        check_iso("2018-02-26T24:00", None);
        check_iso("2018-02-26T10:00:00 foo", None);
        check_iso("", None);
    }

    #[test]
    fn a_date_counts_from_its_last_microsecond() {
        let day = Timestamp::from_ymd(2018, 5, 1).expect("exists");
        let stamp = Stamp::new(day, Precision::Day);
        assert!(stamp.known < Timestamp::from_ymd(2018, 5, 2).expect("exists"));
        assert_eq!(stamp.known.to_string(), "2018-05-01T23:59:59.999999Z");
    }

    /// No arithmetic on times leaves `i64`, whatever the numbers were that they came from.
    #[test]
    fn the_ends_of_time() {
        let ends = [
            i64::MIN,
            i64::MIN + 1,
            i64::MIN / 4 - 1,
            -1,
            0,
            1,
            i64::MAX / 4 + 1,
            i64::MAX - 1,
            i64::MAX,
        ];
        for (a, b) in ends.iter().flat_map(|a| ends.iter().map(move |b| (*a, *b))) {
            let (at, other, span) = (
                Timestamp::from_micros(a),
                Timestamp::from_micros(b),
                Span::from_micros(b),
            );
            assert_eq!(
                at <= other,
                a.clamp(i64::MIN / 4, i64::MAX / 4) <= b.clamp(i64::MIN / 4, i64::MAX / 4)
            );
            assert!(
                (at.days_since(other) - (at.micros() - other.micros()) as f64 / 8.64e10).abs()
                    < 1e-6
            );
            assert!(at.weekdays_since(other).is_finite());
            assert!(at - span <= at && at + span >= at && span.doubled() >= span);
            assert!(
                at.end_of_day() >= at
                    && at.next_midnight() >= at
                    && at.month_start_at_or_after() >= at
            );
            assert!(!at.to_string().is_empty() && at.hour() < 24 && at.next_month() >= at);
            assert_eq!(
                serde_json::from_str::<Timestamp>(&a.to_string()).expect("a number"),
                at
            );
        }
        assert_eq!(Timestamp::from_order(20_240_101_123_000.0), None);
        assert_eq!(Timestamp::from_order(f64::NAN), None);
        assert_eq!(
            Timestamp::from_order(1_700_000_000_123.0).map(Timestamp::order),
            Some(1_700_000_000_123.0)
        );
    }

    #[test]
    fn months_and_spans() {
        let moment = Timestamp::parse_iso("2019-12-05").expect("iso").0;
        assert_eq!(moment.month_start_at_or_after().to_string(), "2020-01-01");
        assert_eq!(
            moment.next_month().month_start_at_or_after().to_string(),
            "2020-01-01"
        );
        assert!("90".parse::<Span>().is_err());
        assert!("-3d".parse::<Span>().is_err());
        assert!("99999999999d".parse::<Span>().is_err());
        assert_eq!("36h".parse::<Span>().expect("valid").to_string(), "36h");
    }
}
