//! Features in words: "3 demos in the last 30 days", as data, so that every engine says the same.

use std::collections::BTreeMap;

use crate::{
    AttributeTable, CalendarPart, EventFilter, FeatureKind, FeatureSource, FeatureSpec, PeerState,
    Span, Statistic,
};

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
    fn after(mut self, words: &str) -> Self {
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

fn level(before: &str, after: &str, missing: &str) -> Phrase {
    Phrase::Level {
        missing: missing.to_owned(),
        before: before.to_owned(),
        after: after.to_owned(),
    }
}

fn number(missing: &str, cases: Vec<Case>) -> Phrase {
    Phrase::Number {
        missing: missing.to_owned(),
        cases,
    }
}

/// Of numbers below a limit: words, with the number between them at `{}`.
fn case(below: f64, words: &str, shown: Shown) -> Case {
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
fn count(none: &str, one: &str, many: &str) -> Vec<Case> {
    vec![
        case(0.5, none, Shown::Whole),
        case(1.5, one, Shown::Whole),
        case(f64::INFINITY, many, Shown::Whole),
    ]
}

/// Days that have passed: what is below one is no day yet, however near.
fn days(less: &str, one: &str, many: &str) -> Vec<Case> {
    vec![
        case(1.0, less, Shown::Whole),
        case(1.5, one, Shown::Whole),
        case(f64::INFINITY, many, Shown::Whole),
    ]
}

/// What a count that fades by half in so many days says of the silence before it: whole days, at
/// least.
fn silence(half_life: f64, many: &str) -> Vec<Case> {
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

fn decimal_case(words: &str) -> Vec<Case> {
    vec![case(f64::INFINITY, words, Shown::Decimal)]
}

/// Braces of names, so that they are not taken for the place of the number.
fn name(text: &str) -> String {
    text.replace("{}", "{ }")
}

/// What one and what several events are called.
struct Nouns {
    one: String,
    many: String,
    /// Whether they say of which table the events are.
    has_table: bool,
}

/// Names that end as a plural does and are none.
const NO_PLURALS: [&str; 4] = ["sales", "news", "analytics", "logistics"];

/// Tables whose events would be called alike: there a noun says which table is meant.
///
/// A kind of one table may have the name of another table, or of a kind there. Kinds of one table
/// are one concept, so that no two reasons are of them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Wording {
    /// For each name of several events, in small letters, the tables that have such, and whether it
    /// is the table's own name.
    tables: BTreeMap<String, Vec<(String, bool)>>,
}

impl Wording {
    /// Of features that are told beside each other.
    pub fn of<'s>(specs: impl Iterator<Item = &'s FeatureSpec>) -> Self {
        let mut wording = Self::default();
        for spec in specs {
            let (FeatureSource::Activity {
                table,
                kind,
                statistic,
                ..
            }
            | FeatureSource::Peers {
                table,
                kind,
                statistic,
                ..
            }) = &spec.source
            else {
                continue;
            };
            wording.add(table, kind);
            match statistic {
                Statistic::Follows(earlier) => wording.add(table, earlier),
                Statistic::Share => wording.add(table, &EventFilter::All),
                Statistic::Count
                | Statistic::Sum(_)
                | Statistic::Mean(_)
                | Statistic::Max(_)
                | Statistic::RecencyDays
                | Statistic::FirstDays
                | Statistic::ActiveDays
                | Statistic::Decayed(_)
                | Statistic::Trend
                | Statistic::MeanGapDays
                | Statistic::MaxGapDays
                | Statistic::ReplyDays
                | Statistic::LatestValue(_)
                | Statistic::LatestKind(_) => {}
            }
        }
        wording
    }

    fn add(&mut self, table: &str, kind: &EventFilter) {
        let Nouns {
            many, has_table, ..
        } = Nouns::of(table, kind);
        let claims = self.tables.entry(many.to_lowercase()).or_default();
        match claims.iter_mut().find(|(known, _)| known == table) {
            Some((_, is_own)) => *is_own |= has_table,
            None => claims.push((table.to_owned(), has_table)),
        }
    }

    /// What events of a table are called beside those of the others.
    fn nouns(&self, table: &str, kind: &EventFilter) -> Nouns {
        let nouns = Nouns::of(table, kind);
        let claims = self
            .tables
            .get(&nouns.many.to_lowercase())
            .map_or(&[][..], Vec::as_slice);
        // The one table that is itself called so needs no more words.
        let is_plain = claims
            .iter()
            .all(|(other, is_own)| other == table || nouns.has_table && !is_own);
        if is_plain {
            return nouns;
        }
        let table = name(table);
        Nouns {
            one: format!("{} ({table})", nouns.one),
            many: format!("{} ({table})", nouns.many),
            ..nouns
        }
    }
}

impl Nouns {
    fn of_table(table: &str) -> Self {
        let words = name(&table.replace('_', " "));
        if words.ends_with('s')
            && !words.ends_with("ss")
            && !NO_PLURALS.contains(&words.to_lowercase().as_str())
        {
            return Self {
                one: singular(&words),
                many: words,
                has_table: true,
            };
        }
        if words.ends_with("activity") {
            return Self {
                many: plural(&words),
                one: words,
                has_table: true,
            };
        }
        Self {
            one: format!("{words} activity"),
            many: format!("{words} activities"),
            has_table: true,
        }
    }

    fn of(table: &str, kind: &EventFilter) -> Self {
        let of_table = || Self::of_table(table);
        match kind {
            EventFilter::All => of_table(),
            EventFilter::Is(column, value) => {
                let words = name(&value.replace('_', " "));
                if is_noun(&words) {
                    let is_plural = words.ends_with('s') && !words.ends_with("ss");
                    let (one, many) = if is_plural {
                        (singular(&words), words)
                    } else {
                        (words.clone(), plural(&words))
                    };
                    return Self {
                        one,
                        many,
                        has_table: false,
                    };
                }
                let Self {
                    one,
                    many,
                    has_table,
                } = of_table();
                if words.chars().any(char::is_alphabetic) {
                    return Self {
                        one: format!("{one} \u{2018}{words}\u{2019}"),
                        many: format!("{many} \u{2018}{words}\u{2019}"),
                        has_table,
                    };
                }
                let column = name(column);
                Self {
                    one: format!("{one} with {column} {words}"),
                    many: format!("{many} with {column} {words}"),
                    has_table,
                }
            }
            EventFilter::Other { .. } => {
                let Self {
                    one,
                    many,
                    has_table,
                } = of_table();
                Self {
                    one: format!("other {one}"),
                    many: format!("other {many}"),
                    has_table,
                }
            }
            EventFilter::Each(pairs) => {
                let Self {
                    one,
                    many,
                    has_table,
                } = of_table();
                let pairs: Vec<String> = pairs
                    .iter()
                    .map(|(column, value)| {
                        format!("{} \u{2018}{}\u{2019}", name(column), name(value))
                    })
                    .collect();
                let with = pairs.join(" and ");
                Self {
                    one: format!("{one} with {with}"),
                    many: format!("{many} with {with}"),
                    has_table,
                }
            }
        }
    }
}

/// Whether a kind can be counted as it is: one word, or words in small letters, that are no
/// participle.
fn is_noun(words: &str) -> bool {
    let is_plain = words
        .chars()
        .all(|letter| letter.is_ascii_alphabetic() || letter == ' ');
    let is_one = !words.contains(' ');
    let rest_is_small = words
        .chars()
        .skip(1)
        .all(|letter| letter.is_ascii_lowercase() || letter == ' ');
    is_plain
        && !words.is_empty()
        && rest_is_small
        && (is_one || words.starts_with(|first: char| first.is_ascii_lowercase()))
        && !words.ends_with("ed")
}

fn plural(words: &str) -> String {
    let before_last = words.chars().rev().nth(1);
    if words.ends_with('y') && !before_last.is_some_and(|letter| "aeiou".contains(letter)) {
        return format!("{}ies", &words[..words.len() - 1]);
    }
    let hisses = ["s", "x", "z", "ch", "sh"]
        .iter()
        .any(|ending| words.ends_with(ending));
    format!("{words}{}", if hisses { "es" } else { "s" })
}

fn singular(words: &str) -> String {
    let cut = |n: usize| words[..words.len() - n].to_owned();
    if words.ends_with("ies") && words.len() > 4 {
        format!("{}y", cut(3))
    } else if ["sses", "xes", "zes", "ches", "shes"]
        .iter()
        .any(|ending| words.ends_with(ending))
    {
        cut(2)
    } else {
        cut(1)
    }
}

/// Its largest whole unit, as it is in a config: "30 days", "1 day", "12 hours", "90 minutes".
fn length(span: Span) -> String {
    let text = span.to_string();
    let (count, unit) = text.split_at(text.len() - 1);
    let unit = match unit {
        "d" => "day",
        "h" => "hour",
        _ => "minute",
    };
    format!("{count} {unit}{}", if count == "1" { "" } else { "s" })
}

/// "in the last 30 days", "in the last hour", "so far".
fn within(window: Option<Span>) -> String {
    match window {
        None => "so far".to_owned(),
        Some(window) => {
            let length = length(window);
            format!(
                "in the last {}",
                length.strip_prefix("1 ").unwrap_or(&length)
            )
        }
    }
}

fn of_activity(
    wording: &Wording,
    table: &str,
    kind: &EventFilter,
    window: Option<Span>,
    statistic: &Statistic,
) -> Phrase {
    let Nouns { one, many, .. } = wording.nouns(table, kind);
    let when = within(window);
    let never = format!("no {many} yet");
    let none = if window.is_some() {
        format!("no {many} {when}")
    } else {
        never.clone()
    };
    match statistic {
        Statistic::Count => number(
            &none,
            count(
                &none,
                &format!("1 {one} {when}"),
                &format!("{{}} {many} {when}"),
            ),
        ),
        Statistic::ActiveDays => number(
            &none,
            count(
                &none,
                &format!("{many} on 1 day {when}"),
                &format!("{many} on {{}} days {when}"),
            ),
        ),
        Statistic::RecencyDays => number(
            &never,
            vec![
                case(
                    1.0,
                    &format!("latest {one} less than a day ago"),
                    Shown::Whole,
                ),
                case(1.5, &format!("latest {one} 1 day ago"), Shown::Whole),
                case(13.5, &format!("latest {one} {{}} days ago"), Shown::Whole),
                case(
                    f64::INFINITY,
                    &format!("no {many} for {{}} days"),
                    Shown::Whole,
                ),
            ],
        ),
        Statistic::FirstDays => number(
            &never,
            days(
                &format!("first {one} less than a day ago"),
                &format!("first {one} 1 day ago"),
                &format!("first {one} {{}} days ago"),
            ),
        ),
        Statistic::Decayed(half_life) => {
            let mut cases = vec![case(f64::MIN_POSITIVE, &never, Shown::Whole)];
            cases.extend(silence(half_life.days(), &many));
            cases.push(case(f64::INFINITY, &format!("recent {many}"), Shown::Whole));
            number(&never, cases)
        }
        Statistic::Sum(column) => {
            let column = name(column);
            number(
                &none,
                decimal_case(&format!("{column} of {many} {when}: {{}} in all")),
            )
        }
        Statistic::Mean(column) => number(
            &none,
            decimal_case(&format!(
                "{} of {many} {when}: {{}} on average",
                name(column)
            )),
        ),
        Statistic::Max(column) => number(
            &none,
            decimal_case(&format!("{} of {many} {when}: {{}} at most", name(column))),
        ),
        Statistic::Trend => {
            let before = window.map_or("before".to_owned(), |window| {
                format!("in the {} before", length(window))
            });
            let more = |how: &str| format!("{{}} {how} {many} {when} than {before}");
            let single = |how: &str| format!("1 {how} {one} {when} than {before}");
            number(
                &none,
                vec![
                    case(-1.5, &more("fewer"), Shown::Whole),
                    case(-0.5, &single("fewer"), Shown::Whole),
                    case(
                        0.5,
                        &format!("as many {many} {when} as {before}"),
                        Shown::Whole,
                    ),
                    case(1.5, &single("more"), Shown::Whole),
                    case(f64::INFINITY, &more("more"), Shown::Whole),
                ],
            )
        }
        Statistic::Share => {
            let all = wording.nouns(table, &EventFilter::All).many;
            let share = format!("{many}: {{}} % of all {all} {when}");
            number(
                &format!("no {all} {}", if window.is_some() { &when } else { "yet" }),
                vec![
                    case(f64::MIN_POSITIVE, &none, Shown::Percent),
                    case(f64::INFINITY, &share, Shown::Percent),
                ],
            )
        }
        Statistic::MeanGapDays => number(
            &format!("fewer than two {many} so far"),
            decimal_case(&format!("{{}} days between {many} on average")),
        ),
        Statistic::MaxGapDays => number(
            &format!("fewer than two {many} so far"),
            decimal_case(&format!("{{}} days between {many} at most")),
        ),
        Statistic::ReplyDays => number(
            &format!("no {many} since creation"),
            days(
                &format!("first {one} within a day of creation"),
                &format!("first {one} 1 day after creation"),
                &format!("first {one} {{}} days after creation"),
            ),
        ),
        Statistic::Follows(after) => {
            let Nouns { one: earlier, .. } = wording.nouns(table, after);
            let words = [
                format!("no {one} after a {earlier}"),
                format!("{one} after a {earlier}"),
            ];
            number(
                &never,
                vec![
                    case(0.5, &words[0], Shown::Whole),
                    case(f64::INFINITY, &words[1], Shown::Whole),
                ],
            )
        }
        Statistic::LatestValue(column) => number(
            &format!("no {} of {many} yet", name(column)),
            decimal_case(&format!("{} of the latest {one}: {{}}", name(column))),
        ),
        Statistic::LatestKind(_) => level(&format!("latest {one}: "), "", &never),
    }
}

fn of_calendar(part: CalendarPart, verb: &str, missing: &str) -> Phrase {
    match part {
        CalendarPart::Weekday => level(&format!("{verb} on a "), "", missing),
        CalendarPart::Month => level(&format!("{verb} in "), "", missing),
        CalendarPart::DayOfMonth => number(
            missing,
            vec![case(
                f64::INFINITY,
                &format!("{verb} on day {{}} of the month"),
                Shown::Whole,
            )],
        ),
        CalendarPart::Hour => number(
            missing,
            vec![case(
                f64::INFINITY,
                &format!("{verb} after {{}}:00 UTC"),
                Shown::Whole,
            )],
        ),
    }
}

impl FeatureSpec {
    /// How its values are said to a person who sees no other feature.
    pub fn phrase(&self) -> Phrase {
        self.phrase_among(&Wording::default())
    }

    /// How its values are said beside those of other features.
    pub fn phrase_among(&self, wording: &Wording) -> Phrase {
        let is_category = self.kind == FeatureKind::Category;
        let attribute = |column: &str| {
            let (words, column) = (format!("{}: {{}}", name(column)), column.to_owned());
            let missing = format!("{column}: not known");
            if is_category {
                level(&format!("{column}: "), "", &missing)
            } else {
                number(&missing, decimal_case(&words))
            }
        };
        match &self.source {
            FeatureSource::Attribute {
                table: AttributeTable::Leads,
                column,
            } => attribute(column),
            FeatureSource::Attribute {
                table: AttributeTable::Lookup(table),
                column,
            } => attribute(&format!("{column} ({table})")),
            FeatureSource::Created(part) => {
                of_calendar(*part, "created", "time of creation not known")
            }
            FeatureSource::Snapshot(part) => of_calendar(*part, "looked at", "time not known"),
            FeatureSource::AgeDays => number(
                "time of creation not known",
                days(
                    "open for less than a day",
                    "open for 1 day",
                    "open for {} days",
                ),
            ),
            FeatureSource::AgeWeekdays => {
                let mut cases = vec![case(
                    f64::MIN_POSITIVE,
                    "open for no working day",
                    Shown::Whole,
                )];
                cases.extend(days(
                    "open for less than a working day",
                    "open for 1 working day",
                    "open for {} working days",
                ));
                number("time of creation not known", cases)
            }
            FeatureSource::Activity {
                table,
                kind,
                window,
                statistic,
            } => of_activity(wording, table, kind, *window, statistic),
            FeatureSource::Peers {
                table,
                kind,
                window,
                statistic,
            } => of_activity(wording, table, kind, *window, statistic)
                .after("other leads of the account: "),
            FeatureSource::PeerLeads(state) => {
                let state = match state {
                    PeerState::Open => "open",
                    PeerState::Won => "won",
                    PeerState::Lost => "lost",
                };
                let no = format!("no other lead of the account {state}");
                number(
                    "no account",
                    count(
                        &no,
                        &format!("1 other lead of the account {state}"),
                        &format!("{{}} other leads of the account {state}"),
                    ),
                )
            }
            FeatureSource::AttributeAge { column } => {
                let column = name(column);
                number(
                    &format!("{column}: not known"),
                    days(
                        &format!("{column} changed less than a day ago"),
                        &format!("{column} unchanged for 1 day"),
                        &format!("{column} unchanged for {{}} days"),
                    ),
                )
            }
            FeatureSource::AttributeChanges { column } => {
                let column = name(column);
                number(
                    &format!("{column} never set"),
                    count(
                        &format!("{column} never set"),
                        &format!("{column} set once"),
                        &format!("{column} set {{}} times"),
                    ),
                )
            }
        }
    }

    /// Whether its values count what a lead did, so that few of them are said to be only so many.
    pub fn is_count(&self) -> bool {
        matches!(
            self.source,
            FeatureSource::Activity {
                statistic: Statistic::Count,
                ..
            }
        )
    }

    /// Whether a person knows the number as it is: a count, a day, a value; not one that was
    /// computed for the model's sake, nor days with events, which the number of events says better.
    pub fn is_plain(&self) -> bool {
        match &self.source {
            FeatureSource::Activity { statistic, .. } | FeatureSource::Peers { statistic, .. } => {
                match statistic {
                    Statistic::Count
                    | Statistic::Sum(_)
                    | Statistic::Mean(_)
                    | Statistic::Max(_)
                    | Statistic::RecencyDays
                    | Statistic::FirstDays
                    | Statistic::ReplyDays
                    | Statistic::LatestValue(_)
                    | Statistic::LatestKind(_) => true,
                    Statistic::ActiveDays
                    | Statistic::Decayed(_)
                    | Statistic::Trend
                    | Statistic::Share
                    | Statistic::MeanGapDays
                    | Statistic::MaxGapDays
                    | Statistic::Follows(_) => false,
                }
            }
            FeatureSource::AgeWeekdays => false,
            FeatureSource::Attribute { .. }
            | FeatureSource::Created(_)
            | FeatureSource::AgeDays
            | FeatureSource::Snapshot(_)
            | FeatureSource::AttributeAge { .. }
            | FeatureSource::AttributeChanges { .. }
            | FeatureSource::PeerLeads(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Unit;

    fn spec(source: FeatureSource, kind: FeatureKind) -> FeatureSpec {
        FeatureSpec {
            name: "x".to_owned(),
            source,
            kind,
            unit: Unit::AsGiven,
        }
    }

    #[track_caller]
    fn check(source: &FeatureSource, value: f64, expected: &str) {
        assert_eq!(
            spec(source.clone(), FeatureKind::Number)
                .phrase()
                .of_number(value),
            expected
        );
    }

    fn activity(
        table: &str,
        kind: Option<&str>,
        days: Option<u32>,
        statistic: Statistic,
    ) -> FeatureSource {
        let kind = kind.map_or(EventFilter::All, |kind| {
            EventFilter::Is("kind".to_owned(), kind.to_owned())
        });
        FeatureSource::Activity {
            table: table.to_owned(),
            kind,
            window: days.map(Span::from_days),
            statistic,
        }
    }

    #[test]
    fn counts_have_their_plural_and_window() {
        let demos = activity("sales", Some("demo"), Some(30), Statistic::Count);
        for (value, expected) in [
            (0.0, "no demos in the last 30 days"),
            (1.0, "1 demo in the last 30 days"),
            (3.0, "3 demos in the last 30 days"),
        ] {
            check(&demos, value, expected);
        }
        check(
            &activity("calls", None, None, Statistic::Count),
            0.0,
            "no calls yet",
        );
        check(
            &activity("calls", None, None, Statistic::Count),
            1.0,
            "1 call so far",
        );
        check(
            &activity("web", None, Some(1), Statistic::Count),
            2.0,
            "2 web activities in the last day",
        );
        check(
            &activity("sales", None, None, Statistic::Count),
            2.0,
            "2 sales activities so far",
        );
        check(
            &activity("touches", Some("opened"), None, Statistic::Count),
            1.0,
            "1 touch \u{2018}opened\u{2019} so far",
        );
        check(
            &activity("touches", Some("email_reply"), None, Statistic::Count),
            2.0,
            "2 email replies so far",
        );
        check(
            &activity("touches", Some("Anruf erledigt"), None, Statistic::Count),
            2.0,
            "2 touches \u{2018}Anruf erledigt\u{2019} so far",
        );
        check(
            &activity("touches", Some("7"), None, Statistic::Count),
            2.0,
            "2 touches with kind 7 so far",
        );
    }

    #[test]
    fn waiting_is_said_in_days() {
        let web = |statistic| activity("web", None, None, statistic);
        check(
            &web(Statistic::RecencyDays),
            f64::NAN,
            "no web activities yet",
        );
        for hours in [0.0, 0.2, 14.0, 23.9] {
            check(
                &web(Statistic::RecencyDays),
                hours / 24.0,
                "latest web activity less than a day ago",
            );
            check(
                &web(Statistic::FirstDays),
                hours / 24.0,
                "first web activity less than a day ago",
            );
            check(
                &web(Statistic::ReplyDays),
                hours / 24.0,
                "first web activity within a day of creation",
            );
            check(
                &FeatureSource::AgeDays,
                hours / 24.0,
                "open for less than a day",
            );
            check(
                &FeatureSource::AttributeAge {
                    column: "stage".to_owned(),
                },
                hours / 24.0,
                "stage changed less than a day ago",
            );
        }
        check(
            &web(Statistic::RecencyDays),
            1.0,
            "latest web activity 1 day ago",
        );
        check(
            &web(Statistic::RecencyDays),
            2.4,
            "latest web activity 2 days ago",
        );
        check(
            &web(Statistic::RecencyDays),
            41.2,
            "no web activities for 41 days",
        );
        check(&FeatureSource::AgeDays, 1.0, "open for 1 day");
        check(&FeatureSource::AgeDays, 47.0 / 24.0, "open for 2 days");
        check(&FeatureSource::AgeWeekdays, 0.0, "open for no working day");
        check(
            &FeatureSource::AgeWeekdays,
            14.0 / 24.0,
            "open for less than a working day",
        );
        check(&FeatureSource::AgeWeekdays, 1.0, "open for 1 working day");
        check(&FeatureSource::AgeDays, 106.9, "open for 107 days");
    }

    #[test]
    fn windows_are_said_in_whole_units() {
        let within = |window: &str| FeatureSource::Activity {
            table: "calls".to_owned(),
            kind: EventFilter::All,
            window: Some(window.parse().expect("a span")),
            statistic: Statistic::Count,
        };
        for (window, words) in [
            ("1d", "day"),
            ("24h", "day"),
            ("36h", "36 hours"),
            ("12h", "12 hours"),
            ("1h", "hour"),
            ("90m", "90 minutes"),
        ] {
            check(
                &within(window),
                2.0,
                &format!("2 calls in the last {words}"),
            );
        }
    }

    #[test]
    fn a_fading_count_of_hours_has_no_days_that_are_none() {
        let silent = |days: f64, half_life: f64| {
            let statistic = Statistic::Decayed(Span::from_micros((half_life * 86_400e6) as i64));
            spec(
                activity("calls", None, None, statistic),
                FeatureKind::Number,
            )
            .phrase()
            .of_number((-days / half_life).exp2())
        };
        assert_eq!(silent(0.6, 0.25), "no calls for less than a day");
        assert_eq!(silent(1.1, 0.25), "no calls for 1 day");
        assert_eq!(silent(2.1, 0.25), "no calls for 2 days");
        assert_eq!(silent(1.9, 1.0), "no calls for 1 day");
        assert_eq!(silent(0.9, 1.0), "recent calls");
        assert_eq!(silent(4.0, 3.0), "no calls for 4 days");
        assert_eq!(silent(0.1, 0.25), "recent calls");
    }

    #[test]
    fn events_of_two_tables_that_would_be_called_alike_name_their_table() {
        let said = |sources: &[FeatureSource]| {
            let specs: Vec<FeatureSpec> = sources
                .iter()
                .map(|source| spec(source.clone(), FeatureKind::Number))
                .collect();
            let wording = Wording::of(specs.iter());
            specs
                .iter()
                .map(|spec| spec.phrase_among(&wording).of_number(2.0))
                .collect::<Vec<_>>()
        };
        let count = |table: &str, kind: Option<&str>| activity(table, kind, None, Statistic::Count);
        assert_eq!(
            said(&[
                count("meetings", None),
                count("touches", Some("meeting")),
                count("touches", Some("call"))
            ]),
            [
                "2 meetings so far",
                "2 meetings (touches) so far",
                "2 calls so far"
            ]
        );
        assert_eq!(
            said(&[
                count("sales", Some("meeting")),
                count("visits", Some("Meetings"))
            ]),
            ["2 meetings (sales) so far", "2 Meetings (visits) so far"]
        );
        assert_eq!(
            said(&[count("web_visits", None), count("web visits", None)]),
            [
                "2 web visits (web_visits) so far",
                "2 web visits (web visits) so far"
            ]
        );
        // Kinds of one table are one concept, and a table of its own name needs no other.
        assert_eq!(
            said(&[count("meetings", None), count("meetings", Some("meeting"))]),
            ["2 meetings so far", "2 meetings so far"]
        );
        let of_peers = FeatureSource::Peers {
            table: "visits".to_owned(),
            kind: EventFilter::Is("kind".to_owned(), "meeting".to_owned()),
            window: None,
            statistic: Statistic::RecencyDays,
        };
        assert_eq!(
            said(&[count("sales", Some("meeting")), of_peers]),
            [
                "2 meetings (sales) so far",
                "other leads of the account: latest meeting (visits) 2 days ago"
            ]
        );
    }

    #[test]
    fn a_fading_count_says_how_long_it_was_silent() {
        let web = activity("web", None, None, Statistic::Decayed(Span::from_days(10)));
        check(&web, 0.0, "no web activities yet");
        // An eighth is three half-lives of one event, or longer ago of several.
        check(&web, 0.125, "no web activities for 30 days");
        check(&web, 2.5, "recent web activities");
    }

    #[test]
    fn numbers_are_rounded_for_people() {
        let size = FeatureSource::Attribute {
            table: AttributeTable::Leads,
            column: "size".to_owned(),
        };
        for (value, expected) in [
            (1200.0, "1200"),
            (1234.5, "1235"),
            (12.345, "12.3"),
            (0.125, "0.13"),
            (-0.125, "-0.13"),
            (0.00123, "0.0012"),
            (1e15, "1e15"),
            (-3.0, "-3"),
        ] {
            check(&size, value, &format!("size: {expected}"));
        }
        check(&size, f64::NAN, "size: not known");
        check(
            &activity("web", Some("page"), None, Statistic::Share),
            0.256,
            "pages: 26 % of all web activities so far",
        );
        check(
            &FeatureSource::Created(CalendarPart::Hour),
            14.0,
            "created after 14:00 UTC",
        );
    }

    #[test]
    fn names_with_braces_stay_names() {
        let odd = FeatureSource::Attribute {
            table: AttributeTable::Leads,
            column: "a {} b".to_owned(),
        };
        check(&odd, 3.0, "a { } b: 3");
    }
}
