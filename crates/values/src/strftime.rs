//! A declared format of times: every directive is honoured in full, or the format is refused by
//! name.

use chrono::format::{Fixed, Item, Numeric, Parsed, StrftimeItems, parse_and_remainder};
use chrono::{DateTime, NaiveDate, NaiveDateTime, Utc};

/// A format in strftime's directives that names a whole date.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Strftime {
    pub text: String,
    pieces: Vec<Piece>,
    pub has_time: bool,
    has_hour_only: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Items(Vec<Item<'static>>),
    /// `%f`: digits of a fraction of a second, as C and Python write them.
    Fraction,
    /// `%Z`: a zone by its abbreviation.
    Zone,
}

/// A text in such a format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// As it stands there; midnight where there is only a date.
    pub local: NaiveDateTime,
    /// Seconds east of UTC, where the text says so.
    pub offset: Option<i32>,
    /// The abbreviation of a zone.
    pub zone: Option<String>,
}

impl Strftime {
    /// Reads a format.
    ///
    /// The error says which directive cannot be honoured, or what the format lacks to name a day.
    pub fn new(text: &str) -> Result<Self, String> {
        let mut pieces: Vec<Piece> = Vec::new();
        let mut seen: Vec<Item<'static>> = Vec::new();
        let mut directives: Vec<&str> = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            let length = directive_length(rest);
            let (part, after) = rest.split_at(length);
            rest = after;
            directives.extend(Some(part).filter(|part| part.starts_with('%')));
            match part {
                "%f" => pieces.push(Piece::Fraction),
                "%Z" => pieces.push(Piece::Zone),
                _ => {
                    let items = StrftimeItems::new(part)
                        .parse_to_owned()
                        .map_err(|_| format!("`{part}` is not a supported directive"))?;
                    if matches!(part, "%::z" | "%:::z") {
                        return Err(format!("`{part}` is not read\n  hint: write %z or %:z"));
                    }
                    seen.extend(items.iter().cloned());
                    match pieces.last_mut() {
                        Some(Piece::Items(known)) => known.extend(items),
                        _ => pieces.push(Piece::Items(items)),
                    }
                }
            }
        }
        let mut format = Self {
            text: text.to_owned(),
            pieces,
            has_time: false,
            has_hour_only: false,
        };
        format.check(&seen, &directives)?;
        Ok(format)
    }

    fn check(&mut self, seen: &[Item<'static>], directives: &[&str]) -> Result<(), String> {
        let has = |kind: Numeric| {
            seen.iter()
                .any(|item| matches!(item, Item::Numeric(found, _) if *found == kind))
        };
        let is_fixed = |kinds: &[Fixed]| {
            seen.iter()
                .any(|item| matches!(item, Item::Fixed(found) if kinds.contains(found)))
        };
        let is_moment = has(Numeric::Timestamp) || is_fixed(&[Fixed::RFC3339]);
        if !is_moment {
            let has_year = has(Numeric::Year) || has(Numeric::YearMod100);
            let has_month =
                has(Numeric::Month) || is_fixed(&[Fixed::ShortMonthName, Fixed::LongMonthName]);
            let has_weekday = has(Numeric::NumDaysFromSun)
                || has(Numeric::WeekdayFromMon)
                || is_fixed(&[Fixed::ShortWeekdayName, Fixed::LongWeekdayName]);
            let of_year = has_month && has(Numeric::Day)
                || has(Numeric::Ordinal)
                || has_weekday && (has(Numeric::WeekFromSun) || has(Numeric::WeekFromMon));
            let of_iso_year = (has(Numeric::IsoYear) || has(Numeric::IsoYearMod100))
                && has(Numeric::IsoWeek)
                && has_weekday;
            if !(has_year && of_year || of_iso_year) {
                return Err("it names no whole date: a year (%Y or %y), a month (%m or %b) and a day (%d) are needed".to_owned());
            }
        }
        let half_days = is_fixed(&[Fixed::LowerAmPm, Fixed::UpperAmPm]);
        let (hour, hour12) = (has(Numeric::Hour), has(Numeric::Hour12));
        if hour12 && !hour && !half_days {
            return Err(
                "`%I` is an hour of half a day, and there is no `%p` for the half".to_owned(),
            );
        }
        if half_days && !hour && !hour12 {
            return Err("`%p` needs an hour, `%I`".to_owned());
        }
        let has_hour = hour || hour12;
        if has(Numeric::Minute) && !has_hour {
            return Err("`%M` is minutes, and there is no hour: a month is `%m`".to_owned());
        }
        if has(Numeric::Second) && !has(Numeric::Minute) {
            return Err("`%S` is seconds, and there is no minute".to_owned());
        }
        let has_fraction = directives.iter().any(|directive| directive.ends_with('f'));
        if has_fraction && !has(Numeric::Second) && !is_moment {
            return Err("a fraction of a second needs its second, `%S`".to_owned());
        }
        self.has_time = is_moment || has_hour;
        self.has_hour_only = has_hour && !has(Numeric::Minute);
        let has_offset = is_moment || directives.iter().any(|directive| directive.ends_with('z'));
        let has_zone = self.pieces.contains(&Piece::Zone);
        if (has_offset || has_zone) && !self.has_time {
            return Err("it names a zone and no time".to_owned());
        }
        if has_offset && has_zone {
            return Err("`%Z` and an offset both say the zone: keep one of them".to_owned());
        }
        Ok(())
    }

    /// The time of a text; `None` where it is not written so, or names a day that does not exist.
    pub fn parse(&self, text: &str) -> Option<Written> {
        let mut parsed = Parsed::new();
        let mut zone = None;
        let mut rest = text;
        for piece in &self.pieces {
            match piece {
                Piece::Items(items) => {
                    rest = parse_and_remainder(&mut parsed, rest, items.iter()).ok()?;
                }
                Piece::Fraction => {
                    let n_digits = rest.bytes().take_while(u8::is_ascii_digit).count();
                    if !(1..=9).contains(&n_digits) {
                        return None;
                    }
                    let nanos = rest[..n_digits].parse::<i64>().ok()?
                        * 10_i64.pow(9 - u32::try_from(n_digits).ok()?);
                    parsed.set_nanosecond(nanos).ok()?;
                    rest = &rest[n_digits..];
                }
                Piece::Zone => {
                    rest = rest.trim_start();
                    let length = rest
                        .find(|c: char| !c.is_ascii_alphabetic())
                        .unwrap_or(rest.len());
                    if length == 0 {
                        return None;
                    }
                    zone = Some(rest[..length].to_ascii_uppercase());
                    rest = &rest[length..];
                }
            }
        }
        if !rest.is_empty() {
            return None;
        }
        if let Some(seconds) = parsed.timestamp() {
            let moment =
                DateTime::<Utc>::from_timestamp(seconds, parsed.nanosecond().unwrap_or(0))?;
            return Some(Written {
                local: moment.naive_utc(),
                offset: Some(0),
                zone: None,
            });
        }
        let date = parsed.to_naive_date().ok()?;
        if !self.has_time {
            return Some(Written {
                local: date.and_hms_opt(0, 0, 0)?,
                offset: None,
                zone: None,
            });
        }
        if self.has_hour_only {
            parsed.set_minute(0).ok()?;
        }
        let time = parsed.to_naive_time().ok()?;
        Some(Written {
            local: NaiveDate::and_time(&date, time),
            offset: parsed.offset(),
            zone,
        })
    }
}

/// Bytes of the first directive, or of the text before the next one.
fn directive_length(text: &str) -> usize {
    if !text.starts_with('%') {
        return text.find('%').unwrap_or(text.len());
    }
    let after = |length: usize| {
        text[length..]
            .chars()
            .next()
            .map_or(length, |c| length + c.len_utf8())
    };
    let flags = text[1..]
        .find(|c: char| !matches!(c, '-' | '_' | '0' | '#' | ':' | '.' | '3' | '6' | '9'))
        .map_or(text.len(), |at| 1 + at);
    after(flags)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn refused(format: &str, word: &str) {
        let error = Strftime::new(format).expect_err(format);
        assert!(error.contains(word), "{format}: {error}");
    }

    #[track_caller]
    fn check(format: &str, text: &str, expected: &str) {
        let written = Strftime::new(format).expect(format).parse(text);
        let shown = written.map(|written| {
            format!(
                "{}{}",
                written.local.format("%Y-%m-%dT%H:%M:%S%.f"),
                written.offset.map_or(String::new(), |o| format!(" {o}"))
            )
        });
        assert_eq!(shown.as_deref(), Some(expected), "{format}");
    }

    #[test]
    fn what_cannot_be_honoured_is_refused() {
        refused("%d/%M/%Y", "date");
        refused("%Y-%m-%d %M", "minutes");
        refused("%Y-%m-%d %I:%M", "%I");
        refused("%Y-%m-%d %p", "%p");
        refused("%Y-%m", "date");
        refused("%H:%M", "date");
        refused("%Y-%m-%d %Q", "%Q");
        refused("%Y-%m-%dT%H:%M:%S%::z", "%::z");
        refused("%Y-%m-%d %z", "zone");
        refused("%Y-%m-%d %H%:", "%");
        refused("%Ey-%m-%d", "%E");
    }

    #[test]
    fn directives_are_honoured() {
        check("%d.%m.%Y %-H:%M", "3.2.2024 9:05", "2024-02-03T09:05:00");
        check(
            "%m/%d/%y %I:%M %p",
            "02/03/24 11:05 PM",
            "2024-02-03T23:05:00",
        );
        check(
            "%m/%d/%Y %r",
            "02/03/2024 12:05:09 AM",
            "2024-02-03T00:05:09",
        );
        check("%x %X", "02/03/24 11:05:06", "2024-02-03T11:05:06");
        check("%Y%m%d%H%M", "202402031105", "2024-02-03T11:05:00");
        check("%Y-%m-%d %H", "2024-02-03 23", "2024-02-03T23:00:00");
        check(
            "%Y-%m-%dT%H:%M:%S.%f",
            "2024-02-03T23:00:00.25",
            "2024-02-03T23:00:00.250",
        );
        check(
            "%Y-%m-%dT%H:%M:%S.%fZ",
            "2024-02-03T23:00:00.000250Z",
            "2024-02-03T23:00:00.000250",
        );
        check(
            "%Y-%m-%dT%H:%M:%S%z",
            "2024-02-03T23:00:00+0230",
            "2024-02-03T23:00:00 9000",
        );
        check("%s", "1704597859", "2024-01-07T03:24:19 0");
        check("%G-W%V-%u", "2024-W05-6", "2024-02-03T00:00:00");
        check("%Y %j", "2024 034", "2024-02-03T00:00:00");
        check("%a %d %b %Y", "Sat 03 Feb 2024", "2024-02-03T00:00:00");
        let zoned = Strftime::new("%Y-%m-%d %H:%M %Z")
            .expect("a format")
            .parse("2024-06-25 16:40 CEST")
            .expect("written so");
        assert_eq!(zoned.zone.as_deref(), Some("CEST"));
        assert!(
            Strftime::new("%a %d %b %Y")
                .expect("a format")
                .parse("Sun 03 Feb 2024")
                .is_none()
        );
        assert!(
            Strftime::new("%d/%m/%y")
                .expect("a format")
                .parse("03/02/2024")
                .is_none()
        );
    }

    /// Parts of formats, with what they need of a time to be brought back.
    const DATES: [&str; 14] = [
        "%Y-%m-%d",
        "%d.%m.%Y",
        "%m/%d/%Y",
        "%d/%m/%y",
        "%Y%m%d",
        "%-d.%-m.%Y",
        "%e %b %Y",
        "%d %B %Y",
        "%F",
        "%D",
        "%Y %j",
        "%G-W%V-%u",
        "%Y %W %a",
        "%v",
    ];
    const TIMES: [(&str, i64); 16] = [
        ("", 86_400_000_000_000),
        (" %H", 3_600_000_000_000),
        (" %-H:%M", 60_000_000_000),
        (" %k:%M", 60_000_000_000),
        (" %H:%M:%S", 1_000_000_000),
        ("T%T", 1_000_000_000),
        (" %R", 60_000_000_000),
        (" %r", 1_000_000_000),
        (" %X", 1_000_000_000),
        (" %I:%M %p", 60_000_000_000),
        (" %-I:%M:%S %P", 1_000_000_000),
        (" %l:%M%p", 60_000_000_000),
        (" %H:%M:%S%.f", 1),
        (" %H:%M:%S%.3f", 1_000_000),
        (" %H:%M:%S.%6f", 1_000),
        (" %H:%M:%S.%f", 1),
    ];
    /// What is written, and what is read: `%#z` is for reading alone.
    const ZONES: [(&str, &str); 4] = [("", ""), (" %z", " %z"), ("%:z", "%:z"), (" %z", " %#z")];

    proptest! {
        #![proptest_config(ProptestConfig { cases: 10_000, ..ProptestConfig::default() })]

        /// What is written in a format is read in it, to its last digit.
        #[test]
        fn what_is_written_is_read(
            // In any zone after 1970, where years of two digits begin.
            seconds in 172_800_i64..2_145_916_800,
            nanos in 0_u32..1_000_000_000,
            (date, time, zone) in (0..DATES.len(), 0..TIMES.len(), 0..ZONES.len()),
            quarters in -48_i32..=56,
        ) {
            let (time_format, unit) = TIMES[time];
            let (zone_written, zone_format) = if time_format.is_empty() { ("", "") } else { ZONES[zone] };
            let text = format!("{}{time_format}{zone_format}", DATES[date]);
            let format = Strftime::new(&text).expect("a format that is read");
            let offset = chrono::FixedOffset::east_opt(quarters * 900).expect("less than a day");
            let moment = DateTime::<Utc>::from_timestamp(seconds, nanos).expect("in range").with_timezone(&offset);
            // Years of two digits speak of 1970 to 2069.
            let written = moment.format(&format!("{}{time_format}{zone_written}", DATES[date])).to_string();
            let read = format.parse(&written).unwrap_or_else(|| panic!("`{written}` as `{text}`"));
            let local = moment.naive_local();
            let total = local.and_utc().timestamp_nanos_opt().expect("in range");
            let expected = DateTime::<Utc>::from_timestamp_nanos(total.div_euclid(unit) * unit).naive_utc();
            prop_assert_eq!(read.local, expected, "`{}` as `{}`", written, text);
            prop_assert_eq!(read.offset, (!zone_format.is_empty()).then_some(quarters * 900));
        }
    }
}
