//! Cells to values: missing markers, numbers, and times in a declared or recognised format, never guessed row by row.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone};
use chrono_tz::Tz;
use leadscore_core::{Precision, Stamp, Timestamp};

/// Cells that mean missing unless the config lists others.
pub const DEFAULT_NULLS: [&str; 9] = ["NA", "N/A", "n/a", "NULL", "null", "None", "NaN", "nan", "#N/A"];

/// Which cells mean missing.
pub(crate) struct Nulls {
    values: Vec<String>,
    /// Whether some value begins with this byte: most cells are known to be values by their first.
    begins: [bool; 256],
}

impl Nulls {
    pub(crate) fn new(configured: Option<&[String]>) -> Self {
        let values = configured.map_or_else(|| DEFAULT_NULLS.iter().map(|&text| text.to_owned()).collect(), <[String]>::to_vec);
        let mut begins = [false; 256];
        for first in values.iter().filter_map(|value| value.bytes().next()) {
            begins[usize::from(first)] = true;
        }
        Self { values, begins }
    }

    /// The cell without surrounding blanks, or `None` if it is missing.
    pub(crate) fn clean<'a>(&self, cell: &'a str) -> Option<&'a str> {
        let cell = cell.trim();
        let first = *cell.as_bytes().first()?;
        (!self.begins[usize::from(first)] || !self.values.iter().any(|null| null == cell)).then_some(cell)
    }
}

/// A number as text, with `1.234,5` for 1234.5 where `decimal_comma` is set.
pub(crate) fn parse_number(text: &str, decimal_comma: bool) -> Option<f64> {
    if decimal_comma { text.chars().filter(|&c| c != '.').map(|c| if c == ',' { '.' } else { c }).collect::<String>().parse().ok() } else { text.parse().ok() }
}

/// Whether a text is a code and not a number, although it has only digits: `007`.
pub(crate) fn is_code(text: &str) -> bool {
    let digits = text.strip_prefix('-').unwrap_or(text).as_bytes();
    digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit()
}

/// How the times of a column are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TimeFormat {
    Iso,
    EpochSeconds,
    EpochMillis,
    Strftime { format: String, has_time: bool, has_zone: bool },
}

/// Why a column's time format is not known.
pub(crate) struct UnknownFormat {
    pub(crate) found: String,
    pub(crate) help: String,
}

impl TimeFormat {
    /// The format that the config declares.
    pub(crate) fn declared(text: &str) -> Self {
        match text {
            "iso" => Self::Iso,
            "epoch_s" => Self::EpochSeconds,
            "epoch_ms" => Self::EpochMillis,
            _ => Self::Strftime {
                format: text.to_owned(),
                has_time: ["%H", "%I", "%T", "%R", "%s", "%k", "%l", "%c", "%+"].iter().any(|part| text.contains(part)),
                has_zone: ["%z", "%:z", "%#z", "%+", "%s"].iter().any(|part| text.contains(part)),
            },
        }
    }

    /// The format of a column, from its first value; every other value must follow it.
    pub(crate) fn recognise(text: &str) -> Result<Self, UnknownFormat> {
        if Timestamp::parse_iso(text).is_some() {
            return Ok(Self::Iso);
        }
        if let Ok(number) = text.parse::<i64>() {
            return Self::recognise_epoch(number);
        }
        Err(UnknownFormat {
            found: format!("`{text}` is not a time in ISO 8601 (2018-05-31 or 2018-05-31T14:30:00Z)"),
            help: "set `time_format` of this table, such as \"%d/%m/%Y\" or \"%m/%d/%Y\": which of the two cannot be told from the data".to_owned(),
        })
    }

    pub(crate) fn recognise_epoch(number: i64) -> Result<Self, UnknownFormat> {
        if (19_000_101..=21_001_231).contains(&number) && (1..=12).contains(&(number / 100 % 100)) && (1..=31).contains(&(number % 100)) {
            return Err(UnknownFormat {
                found: format!("`{number}` may be a date without dashes or seconds since 1970"),
                help: "set `time_format` of this table to \"%Y%m%d\" or \"epoch_s\"".to_owned(),
            });
        }
        Ok(if number.abs() < 100_000_000_000 { Self::EpochSeconds } else { Self::EpochMillis })
    }

    /// What a value should look like, for errors.
    pub(crate) fn expected(&self) -> String {
        match self {
            Self::Iso => {
                "expected a time in ISO 8601 such as 2018-05-31 or 2018-05-31T14:30:00Z, as in the rows before; otherwise set `time_format`".to_owned()
            }
            Self::EpochSeconds => "expected whole seconds since 1970, as in the rows before; otherwise set `time_format`".to_owned(),
            Self::EpochMillis => "expected whole milliseconds since 1970, as in the rows before; otherwise set `time_format`".to_owned(),
            Self::Strftime { format, .. } => format!("expected a time written as `{format}`, which `time_format` says"),
        }
    }

    /// A time in this format; `zone` is that of texts which name none.
    pub(crate) fn parse(&self, text: &str, zone: Option<Tz>) -> Option<Stamp> {
        match self {
            Self::Iso => {
                let (at, precision, zoned) = Timestamp::parse_iso(text)?;
                Some(stamp(at, precision, if zoned { None } else { zone }))
            }
            Self::EpochSeconds | Self::EpochMillis => self.parse_epoch(text.parse().ok()?),
            Self::Strftime { format, has_time: false, .. } => {
                let date = NaiveDate::parse_from_str(text, format).ok()?;
                Some(stamp(Timestamp::from_naive(date.and_hms_opt(0, 0, 0)?), Precision::Day, zone))
            }
            Self::Strftime { format, has_zone: true, .. } => {
                let at = DateTime::parse_from_str(text, format).ok()?;
                Some(stamp(Timestamp::from_micros(at.timestamp_micros()), Precision::Instant, None))
            }
            Self::Strftime { format, .. } => {
                let at = NaiveDateTime::parse_from_str(text, format).ok()?;
                Some(stamp(Timestamp::from_naive(at), Precision::Instant, zone))
            }
        }
    }

    /// A whole number as a time; `None` if the unit makes no sense of it.
    pub(crate) fn parse_epoch(&self, number: i64) -> Option<Stamp> {
        let (factor, limit) = match self {
            Self::EpochSeconds => (1_000_000, 100_000_000_000),
            Self::EpochMillis => (1_000, 100_000_000_000_000),
            _ => return None,
        };
        (number.abs() < limit).then(|| stamp(Timestamp::from_micros(number * factor), Precision::Instant, None))
    }
}

/// Places a time that names no zone into `zone`.
pub(crate) fn stamp(at: Timestamp, precision: Precision, zone: Option<Tz>) -> Stamp {
    let to_utc = |at: Timestamp, zone: Tz| {
        let naive = at.naive()?;
        // In the hour that a change of clocks skips there is no such time: the hour after it is meant.
        let local = zone.from_local_datetime(&naive).earliest().or_else(|| zone.from_local_datetime(&(naive + chrono::TimeDelta::hours(1))).earliest())?;
        Some(Timestamp::from_micros(local.timestamp_micros()))
    };
    let whole = Stamp::new(at, precision);
    match zone {
        Some(zone) => Stamp { start: to_utc(whole.start, zone).unwrap_or(whole.start), known: to_utc(whole.known, zone).unwrap_or(whole.known) },
        None => whole,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(format: &TimeFormat, text: &str, zone: Option<Tz>, expected: Option<&str>) {
        assert_eq!(format.parse(text, zone).map(|stamp| stamp.known.to_string()).as_deref(), expected);
    }

    #[test]
    fn times_follow_their_format() {
        let day_first = TimeFormat::declared("%d-%m-%Y");
        check(&day_first, "03-02-2018", None, Some("2018-02-03T23:59:59.999999Z"));
        check(&day_first, "31-02-2018", None, None);
        check(&TimeFormat::declared("%m/%d/%Y %H:%M"), "02/03/2018 10:30", None, Some("2018-02-03T10:30:00Z"));
        check(&TimeFormat::EpochMillis, "1519675134000", None, Some("2018-02-26T19:58:54Z"));
        check(&TimeFormat::Iso, "2018-07-01T12:00:00", Some(chrono_tz::Europe::Berlin), Some("2018-07-01T10:00:00Z"));
        check(&TimeFormat::Iso, "2018-07-01T12:00:00Z", Some(chrono_tz::Europe::Berlin), Some("2018-07-01T12:00:00Z"));
        check(&TimeFormat::Iso, "2018-07-01", Some(chrono_tz::Europe::Berlin), Some("2018-07-01T21:59:59.999999Z"));
    }

    #[test]
    fn ambiguous_columns_are_refused() {
        assert!(TimeFormat::recognise("01/02/2026").is_err());
        assert!(TimeFormat::recognise("20180226").is_err());
        assert!(matches!(TimeFormat::recognise("1519675134"), Ok(TimeFormat::EpochSeconds)));
        assert!(matches!(TimeFormat::recognise("1519675134000"), Ok(TimeFormat::EpochMillis)));
    }

    #[test]
    fn numbers_and_codes() {
        assert_eq!(parse_number("1.234,50", true), Some(1234.5));
        assert_eq!(parse_number("2.5", false), Some(2.5));
        assert_eq!(parse_number("2,5", false), None);
        assert!(is_code("007") && !is_code("0") && !is_code("0.5") && !is_code("10"));
        let nulls = Nulls::new(None);
        assert_eq!((nulls.clean(" 2 "), nulls.clean("NA"), nulls.clean("  ")), (Some("2"), None, None));
        let own = Nulls::new(Some(&["Select".to_owned()]));
        assert_eq!((own.clean("NA"), own.clean("Select"), own.clean("")), (Some("NA"), None, None));
    }
}
