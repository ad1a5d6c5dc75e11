//! How a value is said: words with the number or level between them, as data, so that every engine
//! says the same.

/// How a feature's value is said.
#[derive(Debug, Clone, PartialEq)]
pub enum Phrase {
    /// A level between two texts.
    Level {
        /// Where the value is missing.
        missing: String,
        /// Before the level.
        before: String,
        /// After it.
        after: String,
    },
    /// A number: the first case whose limit is above it.
    Number {
        /// Where the value is missing.
        missing: String,
        /// Limits rise; the last one is infinite.
        cases: Vec<Case>,
    },
}

/// What is said of numbers below a limit, down to the case before.
#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    /// The limit.
    pub below: f64,
    /// Before the number, or all that is said.
    pub before: String,
    /// How the number is shown; `None` where it is not.
    pub shown: Option<Shown>,
    /// After it.
    pub after: String,
}

/// How a number is shown.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Shown {
    /// Its size, rounded to a whole number.
    Whole,
    /// With as many digits as a reader wants: 1200, 12.5, 0.25, 0.0012.
    Decimal,
    /// A share in whole percent.
    Percent,
    /// Of a count that fades by half in this many days, at most ½: whole days in which there was no
    /// event, at least.
    SilentDays(f64),
}

/// From here on, numbers are shown as they are.
const LARGEST_ROUNDED: f64 = 1e15;

impl Shown {
    /// The number in words.
    pub fn say(self, value: f64) -> String {
        match self {
            Self::Whole => digits(value.abs(), 0),
            Self::Decimal => decimal(value),
            Self::Percent => digits((100.0 * value).abs(), 0),
            Self::SilentDays(half_life) => digits(
                (half_life * -value.ln() / std::f64::consts::LN_2 - 0.5).max(0.0),
                0,
            ),
        }
    }
}

/// A number above 0 in decimal places, halves rounded up: whole numbers all the way, so that
/// engines say the same.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "of numbers up to 1e15"
)]
fn digits(value: f64, places: u32) -> String {
    if value >= LARGEST_ROUNDED {
        return format!("{value:e}");
    }
    let scale = 10_u64.pow(places);
    let scaled = (value * scale as f64 + 0.5).floor() as u64;
    match places {
        0 => scaled.to_string(),
        _ => format!(
            "{}.{:0width$}",
            scaled / scale,
            scaled % scale,
            width = places as usize
        ),
    }
}

fn decimal(value: f64) -> String {
    let size = value.abs();
    let text = match size {
        _ if size == size.floor() || size >= 100.0 => digits(size, 0),
        _ if size >= 1.0 => digits(size, 1),
        _ if size >= 0.01 => digits(size, 2),
        _ => digits(size, 4),
    };
    if value < 0.0 {
        format!("-{text}")
    } else {
        text
    }
}

impl Phrase {
    /// What is said of a number, NaN for missing.
    pub fn of_number(&self, value: f64) -> String {
        match self {
            Self::Number { cases, .. } if !value.is_nan() => {
                let case = cases
                    .iter()
                    .find(|case| value < case.below)
                    .or(cases.last())
                    .expect("the last limit is infinite");
                format!(
                    "{}{}{}",
                    case.before,
                    case.shown.map_or(String::new(), |shown| shown.say(value)),
                    case.after
                )
            }
            Self::Number { missing, .. } | Self::Level { missing, .. } => missing.clone(),
        }
    }

    /// What is said of a level, `None` for missing.
    pub fn of_level(&self, level: Option<&str>) -> String {
        match (self, level) {
            (Self::Level { before, after, .. }, Some(level)) => format!("{before}{level}{after}"),
            (Self::Level { missing, .. } | Self::Number { missing, .. }, _) => missing.clone(),
        }
    }

    /// The same after other words.
    #[must_use]
    pub(crate) fn after(mut self, words: &str) -> Self {
        match &mut self {
            Self::Level {
                missing, before, ..
            } => [missing, before]
                .into_iter()
                .for_each(|text| text.insert_str(0, words)),
            Self::Number { missing, cases } => {
                missing.insert_str(0, words);
                cases
                    .iter_mut()
                    .for_each(|case| case.before.insert_str(0, words));
            }
        }
        self
    }
}

pub(crate) fn level(before: &str, after: &str, missing: &str) -> Phrase {
    Phrase::Level {
        missing: missing.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

pub(crate) fn number(missing: &str, cases: Vec<Case>) -> Phrase {
    Phrase::Number {
        missing: missing.to_owned(),
        cases,
    }
}

/// Of numbers below a limit: words, with the number between them at `{}`.
pub(crate) fn case(below: f64, words: &str, shown: Shown) -> Case {
    match words.split_once("{}") {
        Some((before, after)) => Case {
            below,
            before: before.to_owned(),
            shown: Some(shown),
            after: after.to_owned(),
        },
        None => Case {
            below,
            before: words.to_owned(),
            shown: None,
            after: String::new(),
        },
    }
}

/// None, one, or more of them.
pub(crate) fn count(none: &str, one: &str, many: &str) -> Vec<Case> {
    vec![
        case(0.5, none, Shown::Whole),
        case(1.5, one, Shown::Whole),
        case(f64::INFINITY, many, Shown::Whole),
    ]
}

/// Days that have passed: what is below one is no day yet, however near.
pub(crate) fn days(less: &str, one: &str, many: &str) -> Vec<Case> {
    vec![
        case(1.0, less, Shown::Whole),
        case(1.5, one, Shown::Whole),
        case(f64::INFINITY, many, Shown::Whole),
    ]
}

/// What a count that fades by half in so many days says of the silence before it: whole days, at
/// least.
pub(crate) fn silence(half_life: f64, many: &str) -> Vec<Case> {
    let after = |days: f64| (-days / half_life).exp2();
    let spells = [
        (after(2.0), format!("no {many} for {{}} days")),
        (after(1.0), format!("no {many} for 1 day")),
        (f64::INFINITY, format!("no {many} for less than a day")),
    ];
    // From half an event on, there was one lately.
    let n_below = spells.iter().take_while(|(limit, _)| *limit < 0.5).count();
    spells[..=n_below]
        .iter()
        .map(|(limit, words)| case(limit.min(0.5), words, Shown::SilentDays(half_life)))
        .collect()
}

pub(crate) fn decimal_case(words: &str) -> Vec<Case> {
    vec![case(f64::INFINITY, words, Shown::Decimal)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(shown: Shown, value: f64, expected: &str) {
        assert_eq!(shown.say(value), expected);
    }

    #[test]
    fn numbers_have_as_many_digits_as_they_need() {
        check(Shown::Decimal, 0.0, "0");
        check(Shown::Decimal, 3.0, "3");
        check(Shown::Decimal, 2.25, "2.3");
        check(Shown::Decimal, -2.25, "-2.3");
        check(Shown::Decimal, 0.125, "0.13");
        check(Shown::Decimal, 0.001_25, "0.0013");
        check(Shown::Decimal, 123.5, "124");
        check(Shown::Decimal, 1e15, "1e15");
        check(Shown::Decimal, f64::INFINITY, "inf");
        check(Shown::Whole, -2.5, "3");
        check(Shown::Whole, 0.49, "0");
        check(Shown::Percent, 0.125, "13");
        check(Shown::Percent, -0.5, "50");
    }

    #[test]
    fn silence_is_told_by_what_is_left_of_an_event() {
        // A quarter is left after two half-lives: 60 days, less the half day that rounds down.
        check(Shown::SilentDays(30.0), 0.25, "60");
        check(Shown::SilentDays(30.0), 0.5, "30");
        check(Shown::SilentDays(30.0), 1.0, "0");
        // Several events may leave more than one.
        check(Shown::SilentDays(30.0), 3.0, "0");
        check(Shown::SilentDays(30.0), 0.0, "inf");
    }

    #[test]
    fn the_first_case_above_the_value_is_said() {
        let phrase = number(
            "unknown",
            vec![
                case(1.0, "none", Shown::Whole),
                case(2.0, "{} visit", Shown::Whole),
                case(f64::INFINITY, "{} visits", Shown::Whole),
            ],
        );
        for (value, expected) in [
            (0.0, "none"),
            (0.99, "none"),
            (1.0, "1 visit"),
            (2.0, "2 visits"),
            (f64::INFINITY, "inf visits"),
            (f64::NAN, "unknown"),
        ] {
            assert_eq!(phrase.of_number(value), expected);
        }
        assert_eq!(phrase.of_level(Some("x")), "unknown");
        let phrase = phrase.after("web: ");
        assert_eq!(phrase.of_number(1.0), "web: 1 visit");
        assert_eq!(phrase.of_number(f64::NAN), "web: unknown");
    }

    #[test]
    fn levels_are_said_as_they_are() {
        let phrase = level("from ", "!", "from nowhere");
        assert_eq!(phrase.of_level(Some("{}")), "from {}!");
        assert_eq!(phrase.of_level(None), "from nowhere");
        assert_eq!(phrase.of_number(1.0), "from nowhere");
    }
}
