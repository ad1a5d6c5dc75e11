//! `[data]`: what times can be meant, and how far tables may part before that is no accident any
//! more.

use leadscore_core::{Span, Timestamp};
use leadscore_values::Window;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer};

use super::moment::{Moment, written_moment};
use crate::bytes::Bytes;

/// `[data]`: what can be meant; beyond it a cell is an error and never a value.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DataConfig {
    /// No time that has a part in this config lies before; default 1990-01-01.
    pub earliest: Option<Moment>,
    /// Or after; a moment, or such as "now + 10y", the default.
    #[schemars(with = "Option<String>")]
    pub latest: Option<Latest>,
    /// Share of the rows of the outcomes that may name no lead of the leads table, 0 to 1; default
    /// 0.02.
    pub unmatched_outcomes: f64,
    /// Share of the rows of an event table, or of the history, that may name no lead, and of the
    /// leads that may point to no row of a lookup, 0 to 1; default 0.9.
    pub unmatched_rows: f64,
    /// Share of the closed rows of the outcomes, of events, or of changes that may have no time, 0
    /// to 1; default 0.02.
    pub undated_rows: f64,
    /// Share of the outcomes that may close before their lead was created, 0 to 1; default 0.2.
    pub closed_before_creation: f64,
    /// Share of the outcomes that may close more than 300 days after their lead was created, 0 to
    /// 1; default 0.98.
    pub slow_closings: f64,
    /// Share of the events, or of the changes, that may lie more than two years before the creation
    /// of their lead, 0 to 1; default 0.25.
    pub long_before_creation: f64,
    /// Share of the events of a table that may be recorded within three days, although they
    /// happened over more than 60, 0 to 1; default 0.6.
    pub recorded_together: f64,
    /// Share of the leads or accounts whose events may be the same rows again, 0 to 1; default 0.1.
    pub repeated_rows: f64,
    /// Share of the leads with changes whose last change, or whose chain of old values, may
    /// contradict the tables, 0 to 1; default 0.2.
    pub contradicting_changes: f64,
    /// How long before the moment of scoring events may end, beyond how long they did at training;
    /// default "30d".
    #[schemars(with = "String")]
    pub silence: Span,
    /// Largest text that is unpacked or read into memory as a whole (CSV, NDJSON), such as "8GB";
    /// default: half of the memory.
    #[schemars(with = "Option<String>")]
    pub largest_text: Option<Bytes>,
}

impl Default for DataConfig {
    fn default() -> Self {
        Self {
            earliest: None,
            latest: None,
            unmatched_outcomes: 0.02,
            unmatched_rows: 0.9,
            undated_rows: 0.02,
            closed_before_creation: 0.2,
            slow_closings: 0.98,
            long_before_creation: 0.25,
            recorded_together: 0.6,
            repeated_rows: 0.1,
            contradicting_changes: 0.2,
            silence: Span::from_days(30),
            largest_text: None,
        }
    }
}

/// The end of the times that can be meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Latest {
    /// A moment.
    At(Timestamp),
    /// So long after now.
    AfterNow(Span),
}

impl<'de> Deserialize<'de> for Latest {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = written_moment(deserializer)?;
        Self::parse(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is neither a moment nor such as \"now + 10y\" or \"now\""
            ))
        })
    }
}

impl Latest {
    fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.trim().strip_prefix("now") {
            let Some(span) = rest.trim_start().strip_prefix('+') else {
                return rest.trim().is_empty().then_some(Self::AfterNow(Span::ZERO));
            };
            return years(span.trim())
                .or_else(|| span.trim().parse().ok())
                .map(Self::AfterNow);
        }
        Timestamp::parse_iso(text).map(|(at, _, _)| Self::At(at))
    }
}

/// `10y`: whole years of 365.25 days.
fn years(text: &str) -> Option<Span> {
    let years: u32 = text
        .strip_suffix("years")
        .or(text.strip_suffix("year"))
        .or(text.strip_suffix('y'))?
        .trim()
        .parse()
        .ok()?;
    (years <= 999).then(|| Span::from_days(years * 365 + years / 4))
}

impl DataConfig {
    /// The times that can be meant, `now` being what the clock says.
    pub fn window(&self, now: Option<Timestamp>) -> Window {
        let usual = Window::usual(now);
        let latest = match self.latest {
            None => usual.latest,
            Some(Latest::At(at)) => at,
            Some(Latest::AfterNow(span)) => now.map_or(Timestamp::MAX, |now| now + span),
        };
        Window {
            earliest: self.earliest.map_or(usual.earliest, |at| at.0),
            latest,
        }
    }

    pub(super) fn defect(&self) -> Option<(&'static str, &'static str)> {
        let is_share = |share: f64| (0.0..=1.0).contains(&share);
        let shares = [
            self.unmatched_outcomes,
            self.unmatched_rows,
            self.undated_rows,
            self.closed_before_creation,
            self.slow_closings,
            self.long_before_creation,
            self.recorded_together,
            self.repeated_rows,
            self.contradicting_changes,
        ];
        if !shares.into_iter().all(is_share) {
            return Some((
                "[data] has a share outside of 0 to 1",
                "write such as unmatched_outcomes = 0.1",
            ));
        }
        match (self.earliest, self.latest) {
            (Some(earliest), Some(Latest::At(latest))) if latest <= earliest.0 => Some((
                "[data] `latest` is not after `earliest`",
                "times between the two can be meant",
            )),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_time() {
        assert_eq!(
            Latest::parse("now + 10y"),
            Some(Latest::AfterNow(Span::from_days(3652)))
        );
        assert_eq!(Latest::parse("now"), Some(Latest::AfterNow(Span::ZERO)));
        assert_eq!(
            Latest::parse("now+30d"),
            Some(Latest::AfterNow(Span::from_days(30)))
        );
        assert_eq!(
            Latest::parse("2026-01-01"),
            Timestamp::from_ymd(2026, 1, 1).map(Latest::At)
        );
        for wrong in ["later", "now + soon", "now 10y", "2026"] {
            assert_eq!(Latest::parse(wrong), None, "{wrong}");
        }
    }
}
