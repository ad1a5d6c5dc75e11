//! A condition on one value, a text or a number: what `equals`, `in`, `min`, `max`, `contains`,
//! `matches` and `missing` mean.

use leadscore_core::Tokenizer;
use regex::Regex;

use crate::rule::{EventCondition, RuleValue};

/// When a value is the one that is meant.
#[derive(Debug, Clone)]
pub(crate) enum Condition {
    OneOf(Vec<RuleValue>),
    /// A missing value is none of them.
    NoneOf(Vec<RuleValue>),
    Range {
        above: Option<f64>,
        min: Option<f64>,
        max: Option<f64>,
    },
    /// In lower case.
    Contains(String),
    Matches(Regex),
    Missing(bool),
    /// On the values of a cell that holds several: one of them is the one that is meant, or none of
    /// them is one that is not.
    OfTokens(Box<Condition>, Tokenizer),
}

impl Condition {
    /// Of conditions that hold one; the error is a regular expression that is none.
    pub(crate) fn new(config: &EventCondition) -> Result<Self, regex::Error> {
        Ok(if let Some(value) = &config.equals {
            Self::OneOf(vec![value.clone()])
        } else if let Some(values) = &config.one_of {
            Self::OneOf(values.clone())
        } else if let Some(value) = &config.not_equals {
            Self::NoneOf(vec![value.clone()])
        } else if let Some(values) = &config.none_of {
            Self::NoneOf(values.clone())
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

    /// The condition on a cell that is split, where it holds several values: values are compared one
    /// by one, and patterns with the cell as it is.
    pub(crate) fn of_cells(self, tokenizer: Option<&Tokenizer>) -> Self {
        match (&self, tokenizer) {
            (Self::OneOf(_) | Self::NoneOf(_), Some(tokenizer)) => {
                Self::OfTokens(Box::new(self), tokenizer.clone())
            }
            _ => self,
        }
    }

    /// Whether it is one for texts only.
    pub(crate) fn needs_text(&self) -> bool {
        match self {
            Self::Contains(_) | Self::Matches(_) | Self::OfTokens(..) => true,
            Self::OneOf(_) | Self::NoneOf(_) | Self::Range { .. } | Self::Missing(_) => false,
        }
    }

    /// Whether it is one for numbers only.
    pub(crate) fn needs_number(&self) -> bool {
        match self {
            Self::Range { .. } => true,
            Self::OneOf(_)
            | Self::NoneOf(_)
            | Self::Contains(_)
            | Self::Matches(_)
            | Self::Missing(_)
            | Self::OfTokens(..) => false,
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
            (Self::OfTokens(condition, _), None) => condition.holds_for_text(None),
            (Self::OfTokens(condition, tokenizer), Some(text)) => {
                let tokens = tokenizer.tokens(text);
                let mut tokens = tokens
                    .iter()
                    .map(|token| condition.holds_for_text(Some(token)));
                if matches!(**condition, Self::NoneOf(_)) {
                    tokens.all(|holds| holds)
                } else {
                    tokens.any(|holds| holds)
                }
            }
            (Self::NoneOf(values), text) => {
                !text.is_some_and(|text| values.iter().any(|value| is(value, text)))
            }
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
            Self::NoneOf(values) => !values.iter().any(is),
            Self::Range { above, min, max } => {
                !number.is_nan()
                    && above.is_none_or(|above| number > above)
                    && min.is_none_or(|min| number >= min)
                    && max.is_none_or(|max| number <= max)
            }
            Self::Contains(_) | Self::Matches(_) | Self::OfTokens(..) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> RuleValue {
        RuleValue::Text(text.to_owned())
    }

    #[track_caller]
    fn check_text(condition: &Condition, are: &[&str], are_not: &[&str]) {
        for cell in are {
            assert!(condition.holds_for_text(Some(cell)), "{cell:?}");
        }
        for cell in are_not {
            assert!(!condition.holds_for_text(Some(cell)), "{cell:?}");
        }
    }

    #[track_caller]
    fn check_number(condition: &Condition, are: &[f64], are_not: &[f64]) {
        for number in are {
            assert!(condition.holds_for_number(*number), "{number}");
        }
        for number in are_not {
            assert!(!condition.holds_for_number(*number), "{number}");
        }
    }

    #[test]
    fn values_of_a_list() {
        let listed = Condition::OneOf(vec![
            text("Web"),
            RuleValue::Number(5.0),
            RuleValue::Flag(true),
        ]);
        check_text(
            &listed,
            &["Web", "5", "5.0", "true", "TRUE"],
            &["web", "", "50", "false", "1"],
        );
        assert!(!listed.holds_for_text(None));
        check_number(&listed, &[5.0, 1.0], &[0.0, 5.1, f64::NAN]);
        check_number(&Condition::OneOf(vec![text("7")]), &[7.0], &[0.0, f64::NAN]);
        check_number(&Condition::OneOf(vec![text("NaN")]), &[], &[f64::NAN]);
    }

    #[test]
    fn none_of_a_list_is_what_one_of_it_is_not() {
        let values = vec![text("Web"), RuleValue::Number(5.0), RuleValue::Flag(true)];
        let (one, none) = (Condition::OneOf(values.clone()), Condition::NoneOf(values));
        for cell in [
            None,
            Some("Web"),
            Some("5.0"),
            Some("TRUE"),
            Some("web"),
            Some(""),
        ] {
            assert_ne!(
                one.holds_for_text(cell),
                none.holds_for_text(cell),
                "{cell:?}"
            );
        }
        for number in [5.0, 1.0, 0.0, f64::NAN] {
            assert_ne!(
                one.holds_for_number(number),
                none.holds_for_number(number),
                "{number}"
            );
        }
    }

    #[test]
    fn values_of_a_set_are_compared_one_by_one() {
        let set = Tokenizer::Set(";".to_owned());
        let has = Condition::OneOf(vec![text("a"), text("b")]).of_cells(Some(&set));
        check_text(&has, &["a", "b; c", "c;a"], &["c", "ab", "A", ""]);
        assert!(!has.holds_for_text(None));
        let has_none = Condition::NoneOf(vec![text("a")]).of_cells(Some(&set));
        check_text(&has_none, &["b", "ab;c", ""], &["a", "b;a"]);
        assert!(has_none.holds_for_text(None));
        let word = Condition::OneOf(vec![text("head")]).of_cells(Some(&Tokenizer::Words));
        check_text(
            &word,
            &["HEAD of Sales", "sales/head"],
            &["headless", "sales"],
        );
        // A pattern is one of the whole cell.
        let pattern = Regex::new("^a;b$").expect("a pattern");
        let whole = Condition::Matches(pattern).of_cells(Some(&set));
        check_text(&whole, &["a;b"], &["a", "b"]);
    }

    #[test]
    fn ends_of_a_range() {
        let range = |above, min, max| Condition::Range { above, min, max };
        check_number(
            &range(None, Some(1.0), Some(2.0)),
            &[1.0, 2.0],
            &[0.999, 2.001, f64::NAN],
        );
        check_number(
            &range(Some(1.0), None, None),
            &[1.001, f64::INFINITY],
            &[1.0, f64::NAN],
        );
        check_number(&range(None, None, None), &[-1e300, 0.0], &[f64::NAN]);
        check_number(&range(None, Some(2.0), Some(1.0)), &[], &[1.0, 1.5, 2.0]);
        check_text(&range(None, Some(1.0), None), &[], &["2", ""]);
    }

    #[test]
    fn parts_and_patterns() {
        let config = EventCondition {
            contains: Some("GRÖSSE".to_owned()),
            ..EventCondition::default()
        };
        let part = Condition::new(&config).expect("no pattern");
        check_text(&part, &["Grösse", "die grösse"], &["größe", ""]);
        check_number(&part, &[], &[0.0, f64::NAN]);
        let pattern = Condition::Matches(Regex::new("^a.c$").expect("a pattern"));
        check_text(&pattern, &["abc", "aöc"], &["xabc", "abcd", "ABC", ""]);
        assert!(part.needs_text() && pattern.needs_text() && !part.needs_number());
    }

    #[test]
    fn what_is_missing() {
        for is_missing in [true, false] {
            let condition = Condition::Missing(is_missing);
            assert_eq!(condition.holds_for_text(None), is_missing);
            assert_eq!(condition.holds_for_text(Some("")), !is_missing);
            assert_eq!(condition.holds_for_number(f64::NAN), is_missing);
            assert_eq!(condition.holds_for_number(0.0), !is_missing);
            assert!(!condition.needs_text() && !condition.needs_number());
        }
    }
}
