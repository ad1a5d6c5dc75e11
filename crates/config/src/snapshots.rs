//! `[snapshots]`: when leads are looked at.

use std::fmt;

use leadscore_core::{Span, Timestamp};
use schemars::JsonSchema;
use serde::Deserialize;

use super::moment::{Moment, written_moment};
use super::text::ConfigError;

/// `[snapshots]`: when leads are looked at.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SnapshotsConfig {
    /// No snapshot before this moment.
    pub from: Option<Moment>,
    /// Undated data: a column of the leads that is used as time.
    pub order_by: Option<String>,
    /// The days after a snapshot in which a win counts; default 90d.
    #[schemars(with = "String")]
    pub horizon: Span,
    /// Calendar snapshots of every lead at risk: "month" (the first of each; default), "week"
    /// (Mondays) or a length such as "30d".
    pub every: Every,
    /// In place of calendar snapshots, each lead once at each of these ages.
    #[schemars(with = "Option<Vec<String>>")]
    pub ages: Option<Vec<Span>>,
    /// A lead without any event for so long, such as "365d", is not looked at, in training as in
    /// scoring, until one comes again; default: every lead that is open.
    #[schemars(with = "Option<String>")]
    pub silent: Option<Span>,
    /// Where the data ends: a moment, or "outcomes" for the end of the outcomes; default: the latest
    /// end of a table.
    #[schemars(with = "Option<String>")]
    pub observation_end: Option<ObservationEnd>,
    /// More snapshots than so many are an error, found before any is made; default 20,000,000.
    pub limit: usize,
}

impl Default for SnapshotsConfig {
    fn default() -> Self {
        Self {
            from: None,
            order_by: None,
            horizon: Span::from_days(90),
            every: Every::Month,
            ages: None,
            silent: None,
            observation_end: None,
            limit: 20_000_000,
        }
    }
}

impl SnapshotsConfig {
    /// The last moment that the data speaks of, where the config names one.
    pub fn configured_end(&self) -> Option<Timestamp> {
        match self.observation_end {
            Some(ObservationEnd::At(at)) => Some(at),
            Some(ObservationEnd::Outcomes) | None => None,
        }
    }

    /// Fails where a length is zero, or a list empty.
    pub(super) fn check(&self) -> Result<(), ConfigError> {
        if self.horizon == Span::ZERO {
            return ConfigError::refuse(
                "[snapshots] `horizon` is zero",
                "write the days in which a win counts, such as \"90d\"",
            );
        }
        if self.silent == Some(Span::ZERO) {
            return ConfigError::refuse(
                "[snapshots] `silent` is zero",
                "write after how long without an event a lead is not looked at, such as \"365d\", or remove it",
            );
        }
        if self.ages.as_ref().is_some_and(Vec::is_empty) {
            return ConfigError::refuse(
                "[snapshots] `ages` is an empty list",
                "remove it for calendar snapshots, or write ages such as [\"7d\", \"30d\"]",
            );
        }
        Ok(())
    }

    /// Fails where a flat export is to be looked at by dates.
    pub(super) fn check_flat(&self) -> Result<(), ConfigError> {
        if self.silent.is_some() {
            return ConfigError::refuse(
                "[snapshots] `silent` needs events with dates, and undated data has none",
                "remove `silent`",
            );
        }
        if self.ages.is_some() {
            return ConfigError::refuse(
                "[snapshots] `ages` needs dates, and undated data has none",
                "remove `ages`; `order_by` may name a column that represents time",
            );
        }
        Ok(())
    }
}

/// Until when the data speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ObservationEnd {
    /// Until a moment.
    At(Timestamp),
    /// Until the outcomes end.
    Outcomes,
}

impl<'de> Deserialize<'de> for ObservationEnd {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = written_moment(deserializer)?;
        if text == "outcomes" {
            Ok(Self::Outcomes)
        } else {
            Moment::parse(&text, ", or \"outcomes\" for the end of the outcomes")
                .map(|at| Self::At(at.0))
        }
    }
}

/// The rhythm of calendar snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Every {
    /// The first of each month.
    Month,
    /// Each Monday.
    Week,
    /// A fixed length, counted from 1970-01-01.
    Length(Span),
}

impl fmt::Display for Every {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Month => f.write_str("month"),
            Self::Week => f.write_str("week"),
            Self::Length(span) => span.fmt(f),
        }
    }
}

impl JsonSchema for Every {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Every".into()
    }
    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        String::json_schema(generator)
    }
}

impl<'de> Deserialize<'de> for Every {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        match text.as_str() {
            "month" => Ok(Self::Month),
            "week" => Ok(Self::Week),
            _ => match text.parse::<Span>() {
                Ok(span) if span > Span::ZERO => Ok(Self::Length(span)),
                _ => Err(serde::de::Error::custom(format!(
                    "`{text}` is not a rhythm\n  hint: write \"month\", \"week\" or a length such as \"30d\""
                ))),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Line {
        every: Every,
    }

    #[track_caller]
    fn check_every(text: &str, expected: Option<Every>) {
        let line = toml::from_str::<Line>(&format!("every = \"{text}\""));
        assert_eq!(line.ok().map(|line| line.every), expected, "{text}");
        // It is written as it is read.
        if let Some(every) = expected {
            assert_eq!(every.to_string(), text);
        }
    }

    #[test]
    fn rhythms() {
        check_every("month", Some(Every::Month));
        check_every("week", Some(Every::Week));
        check_every("30d", Some(Every::Length(Span::from_days(30))));
        for wrong in ["", "0d", "0h", "-7d", "Month", "year", "30"] {
            check_every(wrong, None);
        }
    }

    #[test]
    fn the_end_of_what_was_observed() {
        let end = |line: &str| {
            toml::from_str::<SnapshotsConfig>(line)
                .ok()
                .and_then(|config| config.observation_end)
        };
        // 2024-03-01 is 19,783 days after 1970.
        let at = Timestamp::from_micros(19_783 * 86_400_000_000);
        assert_eq!(
            end("observation_end = \"2024-03-01\""),
            Some(ObservationEnd::At(at))
        );
        assert_eq!(
            end("observation_end = 2024-03-01"),
            Some(ObservationEnd::At(at))
        );
        assert_eq!(
            end("observation_end = \"outcomes\""),
            Some(ObservationEnd::Outcomes)
        );
        assert_eq!(end("observation_end = \"2024-02-30\""), None);
    }
}
