//! Features in words: "3 demos in the last 30 days".

use crate::phrase::{Phrase, Shown, case, count, days, decimal_case, level, number, silence};
use crate::wording::{Nouns, Wording, name};
use crate::{
    AttributeTable, CalendarPart, EventFilter, FeatureKind, FeatureSource, FeatureSpec, PeerState,
    Span, Statistic,
};

impl FeatureSpec {
    /// How its values are said to a person who sees no other feature.
    pub fn phrase(&self) -> Phrase {
        self.phrase_among(&Wording::default())
    }

    /// How its values are said beside those of other features.
    pub fn phrase_among(&self, wording: &Wording) -> Phrase {
        match &self.source {
            FeatureSource::Attribute {
                table: AttributeTable::Leads,
                column,
            } => of_attribute(column, self.kind),
            FeatureSource::Attribute {
                table: AttributeTable::Lookup(table),
                column,
            } => of_attribute(&format!("{column} ({table})"), self.kind),
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
            } => EventWords::new(wording, table, kind, *window).phrase(statistic),
            FeatureSource::Peers {
                table,
                kind,
                window,
                statistic,
            } => EventWords::new(wording, table, kind, *window)
                .phrase(statistic)
                .after("other leads of the account: "),
            FeatureSource::PeerLeads(state) => of_peer_leads(*state),
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
        let Some(read) = self.source.events() else {
            return self.source != FeatureSource::AgeWeekdays;
        };
        match read.statistic {
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
}

/// A column of the leads or of a lookup.
fn of_attribute(column: &str, kind: FeatureKind) -> Phrase {
    let missing = format!("{column}: not known");
    match kind {
        FeatureKind::Category => level(&format!("{column}: "), "", &missing),
        FeatureKind::Number => number(&missing, decimal_case(&format!("{}: {{}}", name(column)))),
    }
}

/// How many other leads of the account stand so.
fn of_peer_leads(state: PeerState) -> Phrase {
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

/// How features of one kind of events are said, over one window.
struct EventWords<'a> {
    wording: &'a Wording,
    table: &'a str,
    one: String,
    many: String,
    window: Option<Span>,
    /// "in the last 30 days", or "so far".
    when: String,
    /// That there were none, ever.
    never: String,
    /// That there were none in the window.
    none: String,
}

impl<'a> EventWords<'a> {
    /// What events of a kind are called, and the words for their window.
    fn new(wording: &'a Wording, table: &'a str, kind: &EventFilter, window: Option<Span>) -> Self {
        let Nouns { one, many, .. } = wording.nouns(table, kind);
        let when = within(window);
        let never = format!("no {many} yet");
        let none = if window.is_some() {
            format!("no {many} {when}")
        } else {
            never.clone()
        };
        Self {
            wording,
            table,
            one,
            many,
            window,
            when,
            never,
            none,
        }
    }

    /// How a statistic of the events is said.
    fn phrase(&self, statistic: &Statistic) -> Phrase {
        let Self {
            one,
            many,
            when,
            never,
            none,
            ..
        } = self;
        match statistic {
            Statistic::Count => number(
                none,
                count(
                    none,
                    &format!("1 {one} {when}"),
                    &format!("{{}} {many} {when}"),
                ),
            ),
            Statistic::ActiveDays => number(
                none,
                count(
                    none,
                    &format!("{many} on 1 day {when}"),
                    &format!("{many} on {{}} days {when}"),
                ),
            ),
            Statistic::RecencyDays => self.recency(),
            Statistic::FirstDays => number(
                never,
                days(
                    &format!("first {one} less than a day ago"),
                    &format!("first {one} 1 day ago"),
                    &format!("first {one} {{}} days ago"),
                ),
            ),
            Statistic::Decayed(half_life) => self.decayed(*half_life),
            Statistic::Sum(column) => self.value(column, "in all"),
            Statistic::Mean(column) => self.value(column, "on average"),
            Statistic::Max(column) => self.value(column, "at most"),
            Statistic::Trend => self.trend(),
            Statistic::Share => self.share(),
            Statistic::MeanGapDays => self.gap("on average"),
            Statistic::MaxGapDays => self.gap("at most"),
            Statistic::ReplyDays => number(
                &format!("no {many} since creation"),
                days(
                    &format!("first {one} within a day of creation"),
                    &format!("first {one} 1 day after creation"),
                    &format!("first {one} {{}} days after creation"),
                ),
            ),
            Statistic::Follows(after) => self.follows(after),
            Statistic::LatestValue(column) => number(
                &format!("no {} of {many} yet", name(column)),
                decimal_case(&format!("{} of the latest {one}: {{}}", name(column))),
            ),
            Statistic::LatestKind(_) => level(&format!("latest {one}: "), "", never),
        }
    }

    /// Days since the latest event, and from two weeks on how long there was none.
    fn recency(&self) -> Phrase {
        let Self {
            one, many, never, ..
        } = self;
        number(
            never,
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
        )
    }

    /// A count that fades, as the silence before it.
    fn decayed(&self, half_life: Span) -> Phrase {
        let Self { many, never, .. } = self;
        let mut cases = vec![case(f64::MIN_POSITIVE, never, Shown::Whole)];
        cases.extend(silence(half_life.days(), many));
        cases.push(case(f64::INFINITY, &format!("recent {many}"), Shown::Whole));
        number(never, cases)
    }

    /// A column of the events, put together in this way.
    fn value(&self, column: &str, how: &str) -> Phrase {
        let Self {
            many, when, none, ..
        } = self;
        let column = name(column);
        number(
            none,
            decimal_case(&format!("{column} of {many} {when}: {{}} {how}")),
        )
    }

    /// More or fewer events than in the window before.
    fn trend(&self) -> Phrase {
        let Self {
            one,
            many,
            when,
            none,
            ..
        } = self;
        let before = self.window.map_or("before".to_owned(), |window| {
            format!("in the {} before", length(window))
        });
        let more = |how: &str| format!("{{}} {how} {many} {when} than {before}");
        let single = |how: &str| format!("1 {how} {one} {when} than {before}");
        number(
            none,
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

    /// A kind among all events of its table.
    fn share(&self) -> Phrase {
        let Self {
            many, when, none, ..
        } = self;
        let all = self.wording.nouns(self.table, &EventFilter::All).many;
        let share = format!("{many}: {{}} % of all {all} {when}");
        let since = if self.window.is_some() { when } else { "yet" };
        number(
            &format!("no {all} {since}"),
            vec![
                case(f64::MIN_POSITIVE, none, Shown::Percent),
                case(f64::INFINITY, &share, Shown::Percent),
            ],
        )
    }

    /// Days between events, put together in this way.
    fn gap(&self, how: &str) -> Phrase {
        let many = &self.many;
        number(
            &format!("fewer than two {many} so far"),
            decimal_case(&format!("{{}} days between {many} {how}")),
        )
    }

    /// Whether an event came after one of another kind.
    fn follows(&self, after: &EventFilter) -> Phrase {
        let Self { one, never, .. } = self;
        let Nouns { one: earlier, .. } = self.wording.nouns(self.table, after);
        let words = [
            format!("no {one} after a {earlier}"),
            format!("{one} after a {earlier}"),
        ];
        number(
            never,
            vec![
                case(0.5, &words[0], Shown::Whole),
                case(f64::INFINITY, &words[1], Shown::Whole),
            ],
        )
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
