//! Times as tables write them: one format for a whole column, recognised or declared, and a window
//! outside which nobody means them.

use std::sync::Arc;

use chrono::{Datelike, NaiveDate, NaiveDateTime, Offset, TimeDelta, TimeZone};
use chrono_tz::{OffsetName, Tz};
use leadscore_core::{Precision, Stamp, Timestamp};

use super::strftime::Strftime;

const DAY: i64 = 86_400_000_000;

/// The times that data can mean: both ends belong to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The first of them.
    pub earliest: Timestamp,
    /// The last of them.
    pub latest: Timestamp,
}

impl Window {
    /// What nobody has narrowed or widened: from 1990 to ten years from now.
    pub fn usual(now: Option<Timestamp>) -> Self {
        let latest = now.map_or(Timestamp::MAX, |now| {
            Timestamp::from_micros(now.micros() + 3_652 * DAY + DAY / 2)
        });
        Self {
            earliest: Timestamp::from_micros(631_152_000_000_000),
            latest,
        }
    }

    /// Whether data can mean this time.
    pub fn contains(&self, at: Timestamp) -> bool {
        self.earliest <= at && at <= self.latest
    }
}

/// What a whole number of time counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpochUnit {
    /// Seconds.
    Seconds,
    /// Milliseconds.
    Millis,
    /// Microseconds.
    Micros,
    /// Nanoseconds.
    Nanos,
}

impl EpochUnit {
    /// All of them, the coarsest first.
    pub const ALL: [Self; 4] = [Self::Seconds, Self::Millis, Self::Micros, Self::Nanos];

    /// Its name in a config.
    pub fn key(self) -> &'static str {
        match self {
            Self::Seconds => "epoch_s",
            Self::Millis => "epoch_ms",
            Self::Micros => "epoch_us",
            Self::Nanos => "epoch_ns",
        }
    }

    /// What a number counts, for messages.
    pub fn words(self) -> &'static str {
        match self {
            Self::Seconds => "seconds since 1970",
            Self::Millis => "milliseconds since 1970",
            Self::Micros => "microseconds since 1970",
            Self::Nanos => "nanoseconds since 1970",
        }
    }

    /// A whole number of these; `None` beyond what a time can be.
    pub fn micros(self, number: i64) -> Option<i64> {
        match self {
            Self::Seconds => number.checked_mul(1_000_000),
            Self::Millis => number.checked_mul(1_000),
            Self::Micros => Some(number),
            Self::Nanos => Some(number.div_euclid(1_000)),
        }
        .filter(|micros| (Timestamp::MIN.micros()..=Timestamp::MAX.micros()).contains(micros))
    }
}

/// From which day a spreadsheet counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Workbook {
    /// Day 1 is 1 January 1900.
    Of1900,
    /// Day 0 is 1 January 1904.
    Of1904,
}

/// How the times of a column are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TimeFormat {
    /// ISO 8601.
    Iso,
    /// Whole numbers since 1970.
    Epoch(EpochUnit),
    /// Day numbers of a spreadsheet.
    Excel(Workbook),
    /// By a pattern of strftime.
    Strftime(Arc<Strftime>),
}

/// Why a text is no time of its column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoTime {
    /// It is not written so, or names a day that does not exist.
    Written,
    /// It names its zone by an abbreviation, and the config no zone that has it.
    Zone(String),
}

impl TimeFormat {
    /// The format that a config declares; the error says why it is none.
    pub fn declared(text: &str) -> Result<Self, String> {
        Ok(match text {
            "iso" => Self::Iso,
            "excel" => Self::Excel(Workbook::Of1900),
            "excel_1904" => Self::Excel(Workbook::Of1904),
            _ => match EpochUnit::ALL.into_iter().find(|unit| unit.key() == text) {
                Some(unit) => Self::Epoch(unit),
                None if !text.contains('%') => {
                    return Err("write \"iso\", \"epoch_s\", \"epoch_ms\", \"epoch_us\", \"epoch_ns\", \"excel\", \"excel_1904\" or directives such as \"%d.%m.%Y\"".to_owned());
                }
                None => Self::Strftime(Arc::new(Strftime::new(text)?)),
            },
        })
    }

    /// What a value should look like, for errors.
    pub fn words(&self) -> String {
        match self {
            Self::Iso => "a time in ISO 8601".to_owned(),
            Self::Epoch(unit) => format!("whole {}", unit.words()),
            Self::Excel(Workbook::Of1900) => "a spreadsheet's day number".to_owned(),
            Self::Excel(Workbook::Of1904) => {
                "a day number of a spreadsheet that counts from 1904".to_owned()
            }
            Self::Strftime(format) => format!("a time written as `{}`", format.text),
        }
    }

    /// The format of a column that declares none, by some of its cells: the one that most of them
    /// are a time in, and whole numbers a time of the window.
    pub fn recognise<'t>(
        cells: impl Iterator<Item = &'t str>,
        zone: Option<Tz>,
        window: Window,
    ) -> Option<Self> {
        let candidates =
            || std::iter::once(Self::Iso).chain(EpochUnit::ALL.into_iter().map(Self::Epoch));
        let (mut n_cells, mut fits) = (0, [0_usize; 5]);
        for cell in cells {
            n_cells += 1;
            for (fit, format) in fits.iter_mut().zip(candidates()) {
                *fit += usize::from(
                    format
                        .parse(cell, zone)
                        .is_ok_and(|stamp| format == Self::Iso || window.contains(stamp.start)),
                );
            }
        }
        let (most, format) = fits
            .into_iter()
            .zip(candidates())
            .max_by_key(|(fit, _)| *fit)?;
        // The first of equals is not taken by max_by_key, but no cell is written in two of them and
        // in the window of both.
        (most > 0 && 2 * most >= n_cells).then_some(format)
    }

    /// A time in this format; `zone` is that of texts which name none.
    pub fn parse(&self, text: &str, zone: Option<Tz>) -> Result<Stamp, NoTime> {
        match self {
            Self::Iso => match Timestamp::parse_iso(text) {
                Some((at, precision, zoned)) => {
                    Ok(stamp(at, precision, if zoned { None } else { zone }))
                }
                None => {
                    // 2024-06-25 16:40 CEST
                    let (time, name) = text
                        .rsplit_once(' ')
                        .filter(|(_, name)| is_zone_name(name))
                        .ok_or(NoTime::Written)?;
                    let (at, Precision::Instant, false) =
                        Timestamp::parse_iso(time.trim_end()).ok_or(NoTime::Written)?
                    else {
                        return Err(NoTime::Written);
                    };
                    in_named_zone(at.naive().ok_or(NoTime::Written)?, name, zone)
                }
            },
            Self::Epoch(unit) => parse_epoch(text, *unit).ok_or(NoTime::Written),
            Self::Excel(workbook) => parse_serial(text, *workbook).ok_or(NoTime::Written),
            Self::Strftime(format) => {
                let written = format.parse(text).ok_or(NoTime::Written)?;
                let at = Timestamp::from_naive(written.local);
                match (written.offset, &written.zone) {
                    (Some(offset), _) => Ok(stamp(
                        Timestamp::from_micros(at.micros() - i64::from(offset) * 1_000_000),
                        Precision::Instant,
                        None,
                    )),
                    (None, Some(name)) => in_named_zone(written.local, name, zone),
                    (None, None) => Ok(stamp(
                        at,
                        if format.has_time {
                            Precision::Instant
                        } else {
                            Precision::Day
                        },
                        zone,
                    )),
                }
            }
        }
    }

    /// A number of a typed column as a time.
    pub fn of_number(&self, number: i64) -> Option<Stamp> {
        match self {
            Self::Epoch(unit) => unit
                .micros(number)
                .map(|micros| stamp(Timestamp::from_micros(micros), Precision::Instant, None)),
            Self::Excel(_) | Self::Strftime(_) => self.parse(&number.to_string(), None).ok(),
            Self::Iso => None,
        }
    }
}

/// Letters that may be the abbreviation of a zone.
fn is_zone_name(text: &str) -> bool {
    (1..=5).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase())
        && !matches!(text, "AM" | "PM")
}

/// The abbreviation at the end of a time that is otherwise in ISO 8601.
pub fn zone_name(text: &str) -> Option<&str> {
    let (time, name) = text
        .rsplit_once(' ')
        .filter(|(_, name)| is_zone_name(name))?;
    matches!(
        Timestamp::parse_iso(time.trim_end()),
        Some((_, Precision::Instant, false))
    )
    .then_some(name)
}

/// A local time whose text names its zone by an abbreviation, which the zone of the config knows.
fn in_named_zone(local: NaiveDateTime, name: &str, zone: Option<Tz>) -> Result<Stamp, NoTime> {
    let utc = |seconds: i64| {
        stamp(
            Timestamp::from_micros(Timestamp::from_naive(local).micros() - seconds * 1_000_000),
            Precision::Instant,
            None,
        )
    };
    if matches!(name, "UTC" | "GMT" | "UT" | "Z") {
        return Ok(utc(0));
    }
    let zone = zone.ok_or_else(|| NoTime::Zone(name.to_owned()))?;
    // The offset that the zone calls so: at this time, else in winter or summer of the same year.
    let of_year = |month| {
        NaiveDate::from_ymd_opt(local.year(), month, 1).and_then(|date| date.and_hms_opt(0, 0, 0))
    };
    for moment in [Some(local), of_year(1), of_year(7)].into_iter().flatten() {
        let found = zone.from_local_datetime(&moment);
        for candidate in [found.earliest(), found.latest()].into_iter().flatten() {
            if candidate.offset().abbreviation() == Some(name) {
                return Ok(utc(i64::from(candidate.offset().fix().local_minus_utc())));
            }
        }
    }
    Err(NoTime::Zone(name.to_owned()))
}

/// Zones that people mean by the abbreviations that exports have most.
const ZONES: [(&str, &str); 18] = [
    ("CET", "Europe/Berlin"),
    ("CEST", "Europe/Berlin"),
    ("MEZ", "Europe/Berlin"),
    ("EST", "America/New_York"),
    ("EDT", "America/New_York"),
    ("CST", "America/Chicago"),
    ("CDT", "America/Chicago"),
    ("MST", "America/Denver"),
    ("MDT", "America/Denver"),
    ("PST", "America/Los_Angeles"),
    ("PDT", "America/Los_Angeles"),
    ("BST", "Europe/London"),
    ("EET", "Europe/Helsinki"),
    ("EEST", "Europe/Helsinki"),
    ("MSK", "Europe/Moscow"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("AEST", "Australia/Sydney"),
];

/// A zone that has this abbreviation, to be proposed.
pub fn zone_of(name: &str) -> &'static str {
    ZONES
        .iter()
        .find(|(known, _)| *known == name)
        .map_or("Europe/Berlin", |(_, zone)| zone)
}

/// Digits, a fraction of zeros or one that is finer than the unit: `1704597859`, `1704597859000.0`,
/// `1704597859.25`.
fn parse_epoch(text: &str, unit: EpochUnit) -> Option<Stamp> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let whole: i64 = whole.parse().ok()?;
    let mut micros = unit.micros(whole)?;
    if !fraction.is_empty() {
        let digits = fraction.trim_end_matches('0');
        if !fraction.bytes().all(|byte| byte.is_ascii_digit()) || digits.len() > 9 || whole < 0 {
            return None;
        }
        let nanos = digits.parse::<i64>().unwrap_or(0) * 10_i64.pow(9 - digits.len() as u32);
        micros += match unit {
            EpochUnit::Seconds => nanos / 1_000,
            EpochUnit::Millis => nanos / 1_000_000,
            EpochUnit::Micros | EpochUnit::Nanos => 0,
        };
    }
    Some(stamp(
        Timestamp::from_micros(micros),
        Precision::Instant,
        None,
    ))
}

/// A spreadsheet's day number, to the millisecond. Whether whole ones are days or midnights is
/// decided over the column.
fn parse_serial(text: &str, workbook: Workbook) -> Option<Stamp> {
    let decimal = if text.contains(',') && !text.contains('.') {
        text.replacen(',', ".", 1)
    } else {
        text.to_owned()
    };
    if !decimal
        .bytes()
        .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return None;
    }
    let serial: f64 = decimal.parse().ok()?;
    serial_to_stamp(serial, workbook)
}

/// The same of a number; `None` for a day that there was not.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a day number below three million, and milliseconds of a day"
)]
pub fn serial_to_stamp(serial: f64, workbook: Workbook) -> Option<Stamp> {
    if !(0.0..3_000_000.0).contains(&serial) {
        return None;
    }
    let (day, millis) = (
        serial.floor() as i64,
        ((serial - serial.floor()) * 86_400_000.0).round() as i64,
    );
    // Spreadsheets of 1900 know a 29 February of that year, day 60.
    let since_1970 = match workbook {
        Workbook::Of1900 if day == 60 || day == 0 => return None,
        Workbook::Of1900 if day < 60 => day - 25_568,
        Workbook::Of1900 => day - 25_569,
        Workbook::Of1904 => day - 24_107,
    };
    Some(stamp(
        Timestamp::from_micros(since_1970 * DAY + millis * 1_000),
        Precision::Instant,
        None,
    ))
}

/// Places a time that names no zone into `zone`.
pub fn stamp(at: Timestamp, precision: Precision, zone: Option<Tz>) -> Stamp {
    let to_utc = |at: Timestamp, zone: Tz| {
        let naive = at.naive()?;
        // In the hour that a change of clocks skips there is no such time: the hour after it is
        // meant.
        let local = zone.from_local_datetime(&naive).earliest().or_else(|| {
            zone.from_local_datetime(&(naive + TimeDelta::hours(1)))
                .earliest()
        })?;
        Some(Timestamp::from_micros(local.timestamp_micros()))
    };
    let whole = Stamp::new(at, precision);
    match zone {
        Some(zone) => Stamp {
            start: to_utc(whole.start, zone).unwrap_or(whole.start),
            known: to_utc(whole.known, zone).unwrap_or(whole.known),
        },
        None => whole,
    }
}

/// A setting that would make a time of the window out of a text, and that time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// What goes behind `time_format =`, or behind `time_zone =`.
    pub key: &'static str,
    pub value: String,
    pub words: String,
    pub read_as: Timestamp,
}

/// Formats that people use, to be proposed and never taken unasked.
const FORMATS: [&str; 36] = [
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%Y%m%d",
    "%d/%m/%Y %H:%M",
    "%m/%d/%Y %H:%M",
    "%d.%m.%Y %H:%M",
    "%d-%m-%Y %H:%M",
    "%m-%d-%Y %H:%M",
    "%Y/%m/%d %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%m/%d/%Y %H:%M:%S",
    "%d.%m.%Y %H:%M:%S",
    "%d-%m-%Y %H:%M:%S",
    "%m-%d-%Y %H:%M:%S",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %I:%M %p",
    "%d/%m/%Y %I:%M %p",
    "%m/%d/%Y %I:%M:%S %p",
    "%d/%m/%Y %I:%M:%S %p",
    "%Y%m%d%H%M",
    "%Y%m%d%H%M%S",
    "%Y%m%dT%H%M%S",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d.%m.%y",
    "%d %b %Y",
    "%b %d, %Y",
    "%B %d, %Y",
    "%d %b %Y %H:%M",
    "%a %b %d %H:%M:%S %Y",
    "%Y-%m-%dT%H:%M:%S.%f",
];

/// What texts of a column may mean, if each of them is a time of the window so; formats that all of
/// them allow come first.
pub fn proposals(texts: &[&str], zone: Option<Tz>, window: Window) -> Vec<Proposal> {
    let mut found = Vec::new();
    let Some(first) = texts.first() else {
        return found;
    };
    let mut propose =
        |key: &'static str, value: &str, words: String, format: &TimeFormat, zone: Option<Tz>| {
            let reads = |text: &&str| {
                format
                    .parse(text, zone)
                    .ok()
                    .map(|stamp| stamp.start)
                    .filter(|at| window.contains(*at))
            };
            if let (Some(read_as), true) =
                (reads(first), texts.iter().all(|text| reads(text).is_some()))
            {
                found.push(Proposal {
                    key,
                    value: value.to_owned(),
                    words,
                    read_as,
                });
            }
        };
    if let Some(name) = zone_name(first) {
        let of = zone_of(name);
        propose(
            "time_zone",
            of,
            format!("the zone that `{name}` is of"),
            &TimeFormat::Iso,
            of.parse().ok(),
        );
    }
    for unit in EpochUnit::ALL {
        propose(
            "time_format",
            unit.key(),
            unit.words().to_owned(),
            &TimeFormat::Epoch(unit),
            zone,
        );
    }
    propose(
        "time_format",
        "excel",
        "day numbers of a spreadsheet".to_owned(),
        &TimeFormat::Excel(Workbook::Of1900),
        zone,
    );
    propose(
        "time_format",
        "excel_1904",
        "day numbers of a spreadsheet that counts from 1904".to_owned(),
        &TimeFormat::Excel(Workbook::Of1904),
        zone,
    );
    for text in FORMATS {
        if let Ok(format) = TimeFormat::declared(text) {
            propose(
                "time_format",
                text,
                "directives of strftime".to_owned(),
                &format,
                zone,
            );
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Window {
        Window::usual(Timestamp::from_ymd(2025, 1, 1))
    }

    #[track_caller]
    fn check(format: &TimeFormat, text: &str, zone: Option<Tz>, expected: Option<&str>) {
        assert_eq!(
            format
                .parse(text, zone)
                .ok()
                .map(|stamp| stamp.known.to_string())
                .as_deref(),
            expected
        );
    }

    fn declared(text: &str) -> TimeFormat {
        TimeFormat::declared(text).expect("a format")
    }

    #[test]
    fn times_follow_their_format() {
        let day_first = declared("%d-%m-%Y");
        check(
            &day_first,
            "03-02-2018",
            None,
            Some("2018-02-03T23:59:59.999999Z"),
        );
        check(&day_first, "31-02-2018", None, None);
        check(
            &declared("%m/%d/%Y %H:%M"),
            "02/03/2018 10:30",
            None,
            Some("2018-02-03T10:30:00Z"),
        );
        check(
            &declared("epoch_ms"),
            "1519675134000",
            None,
            Some("2018-02-26T19:58:54Z"),
        );
        check(
            &declared("epoch_ms"),
            "1519675134000.0",
            None,
            Some("2018-02-26T19:58:54Z"),
        );
        check(
            &declared("epoch_s"),
            "1519675134.25",
            None,
            Some("2018-02-26T19:58:54.250000Z"),
        );
        check(
            &declared("epoch_us"),
            "1519675134000001",
            None,
            Some("2018-02-26T19:58:54.000001Z"),
        );
        check(
            &declared("epoch_ns"),
            "1519675134000001999",
            None,
            Some("2018-02-26T19:58:54.000001Z"),
        );
        check(&declared("epoch_s"), "9223372036854775807", None, None);
        let berlin = Some(chrono_tz::Europe::Berlin);
        check(
            &TimeFormat::Iso,
            "2018-07-01T12:00:00",
            berlin,
            Some("2018-07-01T10:00:00Z"),
        );
        check(
            &TimeFormat::Iso,
            "2018-07-01T12:00:00Z",
            berlin,
            Some("2018-07-01T12:00:00Z"),
        );
        check(
            &TimeFormat::Iso,
            "2018-07-01",
            berlin,
            Some("2018-07-01T21:59:59.999999Z"),
        );
    }

    #[test]
    fn zones_by_their_abbreviation() {
        let berlin = Some(chrono_tz::Europe::Berlin);
        check(
            &TimeFormat::Iso,
            "2024-06-25 16:40 CEST",
            berlin,
            Some("2024-06-25T14:40:00Z"),
        );
        check(
            &TimeFormat::Iso,
            "2024-12-25 16:40 CET",
            berlin,
            Some("2024-12-25T15:40:00Z"),
        );
        check(
            &TimeFormat::Iso,
            "2024-06-25 16:40 CET",
            berlin,
            Some("2024-06-25T15:40:00Z"),
        );
        // The hour that comes twice is told apart.
        check(
            &TimeFormat::Iso,
            "2024-10-27 02:30 CEST",
            berlin,
            Some("2024-10-27T00:30:00Z"),
        );
        check(
            &TimeFormat::Iso,
            "2024-10-27 02:30 CET",
            berlin,
            Some("2024-10-27T01:30:00Z"),
        );
        check(
            &TimeFormat::Iso,
            "2024-06-25 16:40 GMT",
            None,
            Some("2024-06-25T16:40:00Z"),
        );
        assert_eq!(
            TimeFormat::Iso.parse("2024-06-25 16:40 PST", berlin),
            Err(NoTime::Zone("PST".to_owned()))
        );
        assert_eq!(
            TimeFormat::Iso.parse("2024-06-25 16:40 CEST", None),
            Err(NoTime::Zone("CEST".to_owned()))
        );
        check(
            &declared("%d.%m.%Y %H:%M %Z"),
            "25.06.2024 16:40 CEST",
            berlin,
            Some("2024-06-25T14:40:00Z"),
        );
        assert_eq!(
            declared("%d.%m.%Y %H:%M %Z").parse("25.06.2024 16:40 XYZ", berlin),
            Err(NoTime::Zone("XYZ".to_owned()))
        );
    }

    #[test]
    fn day_numbers_of_spreadsheets() {
        check(&declared("excel"), "45000", None, Some("2023-03-15"));
        check(
            &declared("excel"),
            "45000.5",
            None,
            Some("2023-03-15T12:00:00Z"),
        );
        // 10:30:01, as a spreadsheet writes it.
        check(
            &declared("excel"),
            "45000.43751157407",
            None,
            Some("2023-03-15T10:30:01Z"),
        );
        check(
            &declared("excel"),
            "45000,25",
            None,
            Some("2023-03-15T06:00:00Z"),
        );
        check(&declared("excel_1904"), "43538", None, Some("2023-03-15"));
        check(&declared("excel"), "61", None, Some("1900-03-01"));
        check(&declared("excel"), "59", None, Some("1900-02-28"));
        check(&declared("excel"), "60", None, None);
        check(&declared("excel"), "1e4", None, None);
    }

    #[test]
    fn formats_are_recognised_by_what_can_be_meant() {
        let recognise = |cells: &[&str]| TimeFormat::recognise(cells.iter().copied(), None, now());
        assert_eq!(
            recognise(&["2024-01-05", "0000-00-00"]),
            Some(TimeFormat::Iso)
        );
        assert_eq!(
            recognise(&["0", "1519675134000", "1519675134001"]),
            Some(TimeFormat::Epoch(EpochUnit::Millis))
        );
        assert_eq!(
            recognise(&["1519675134"]),
            Some(TimeFormat::Epoch(EpochUnit::Seconds))
        );
        assert_eq!(
            recognise(&["1519675134000000"]),
            Some(TimeFormat::Epoch(EpochUnit::Micros))
        );
        assert_eq!(
            recognise(&["1519675134000000000"]),
            Some(TimeFormat::Epoch(EpochUnit::Nanos))
        );
        for none in [
            "45000",
            "01/02/2026",
            "20180226",
            "201802261130",
            "1.704598E+12",
            "2024-06-25 16:40 CEST",
        ] {
            assert_eq!(recognise(&[none]), None, "{none}");
        }
        let named = |text: &str| {
            proposals(&[text], None, now())
                .into_iter()
                .map(|proposal| proposal.value)
                .collect::<Vec<_>>()
        };
        assert_eq!(named("45000"), ["excel", "excel_1904"]);
        assert_eq!(named("20180226"), ["%Y%m%d"]);
        assert_eq!(named("201802261130"), ["%Y%m%d%H%M"]);
        assert_eq!(named("01/02/2026"), ["%d/%m/%Y", "%m/%d/%Y"]);
        assert_eq!(named("2024-06-25 16:40 CEST"), ["Europe/Berlin"]);
        assert_eq!(named("13/02/2024 06:53"), ["%d/%m/%Y %H:%M"]);
        assert_eq!(named("1519675134"), ["epoch_s"]);
    }
}
