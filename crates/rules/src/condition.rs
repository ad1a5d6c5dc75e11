//! A condition on one value, a text or a number: what `equals`, `in`, `min`, `max`, `contains`,
//! `matches` and `missing` mean.

use regex::Regex;

use crate::rules_file::{EventCondition, RuleValue};

/// When a value is the one that is meant.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    OneOf(Vec<RuleValue>),
    Range {
        above: Option<f64>,
        min: Option<f64>,
        max: Option<f64>,
    },
    /// In lower case.
    Contains(String),
    Matches(Regex),
    Missing(bool),
}

impl Condition {
    /// Of conditions that hold one; the error is a regular expression that is none.
    pub(crate) fn new(config: &EventCondition) -> Result<Self, regex::Error> {
        Ok(if let Some(value) = &config.equals {
            Self::OneOf(vec![value.clone()])
        } else if let Some(values) = &config.one_of {
            Self::OneOf(values.clone())
        } else if let Some(missing) = config.missing {
            Self::Missing(missing)
        } else if let Some(part) = &config.contains {
            Self::Contains(part.to_lowercase())
        } else if let Some(pattern) = &config.matches {
            Self::Matches(Regex::new(pattern.get_ref())?)
        } else {
            Self::Range {
                above: config.above,
                min: config.min,
                max: config.max,
            }
        })
    }

    /// Whether it is one for texts only.
    pub(crate) fn needs_text(&self) -> bool {
        match self {
            Self::Contains(_) | Self::Matches(_) => true,
            Self::OneOf(_) | Self::Range { .. } | Self::Missing(_) => false,
        }
    }

    /// Whether it is one for numbers only.
    pub(crate) fn needs_number(&self) -> bool {
        match self {
            Self::Range { .. } => true,
            Self::OneOf(_) | Self::Contains(_) | Self::Matches(_) | Self::Missing(_) => false,
        }
    }

    pub(crate) fn holds_for_text(&self, text: Option<&str>) -> bool {
        let is = |value: &RuleValue, text: &str| match value {
            RuleValue::Text(wanted) => text == wanted,
            RuleValue::Flag(flag) => {
                text.eq_ignore_ascii_case(if *flag { "true" } else { "false" })
            }
            RuleValue::Number(number) => text.parse::<f64>() == Ok(*number),
        };
        match (self, text) {
            (Self::Missing(missing), text) => text.is_none() == *missing,
            (_, None) => false,
            (Self::OneOf(values), Some(text)) => values.iter().any(|value| is(value, text)),
            (Self::Contains(part), Some(text)) => text.to_lowercase().contains(part),
            (Self::Matches(pattern), Some(text)) => pattern.is_match(text),
            (Self::Range { .. }, Some(_)) => false,
        }
    }

    /// NaN is missing.
    pub(crate) fn holds_for_number(&self, number: f64) -> bool {
        let is = |value: &RuleValue| match value {
            RuleValue::Number(wanted) => number == *wanted,
            RuleValue::Flag(flag) => number == f64::from(u8::from(*flag)),
            RuleValue::Text(text) => text.parse() == Ok(number),
        };
        match self {
            Self::Missing(missing) => number.is_nan() == *missing,
            Self::OneOf(values) => values.iter().any(is),
            Self::Range { above, min, max } => {
                !number.is_nan()
                    && above.is_none_or(|above| number > above)
                    && min.is_none_or(|min| number >= min)
                    && max.is_none_or(|max| number <= max)
            }
            Self::Contains(_) | Self::Matches(_) => false,
        }
    }
}
