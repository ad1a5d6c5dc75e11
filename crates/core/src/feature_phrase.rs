//! Features in words: "3 demos in the last 30 days".

use crate::event_words::EventWords;
use crate::phrase::{Case, Phrase, Shown, case, count, days, decimal_case, level, number};
use crate::wording::{Wording, name};
use crate::{
    AttributeTable, CalendarPart, FeatureKind, FeatureSource, FeatureSpec, PeerState, Statistic,
    Tokenizer,
};

impl FeatureSpec {
    /// How its values are said to a person who sees no other feature.
    pub fn phrase(&self) -> Phrase {
        self.phrase_among(&Wording::default())
    }

    /// How its values are said beside those of other features.
    pub fn phrase_among(&self, wording: &Wording) -> Phrase {
        match &self.source {
            FeatureSource::Attribute { table, column } => {
                of_attribute(&column_of(table, column), self.kind)
            }
            FeatureSource::Token {
                table,
                column,
                tokenizer,
                token,
            } => of_token(&column_of(table, column), tokenizer, token),
            FeatureSource::TokenCount {
                table,
                column,
                tokenizer,
            } => of_token_count(&column_of(table, column), tokenizer),
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
            } => statistic.phrase(&EventWords::new(wording, table, kind, *window)),
            FeatureSource::Peers {
                table,
                kind,
                window,
                statistic,
            } => statistic
                .phrase(&EventWords::new(wording, table, kind, *window))
                .after("other leads of the account: "),
            FeatureSource::PeerLeads(state) => of_peer_leads(*state),
            FeatureSource::TimesClosed => of_times_closed(),
            FeatureSource::ReopenedDays => of_reopened_days(),
            FeatureSource::DaysUntil { table, column } => {
                of_days_until(&name(&column_of(table, column)))
            }
            FeatureSource::AttributeAge { column } => of_attribute_age(&name(column)),
            FeatureSource::AttributeChanges { column } => of_attribute_changes(&name(column)),
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
    /// computed for the model's sake.
    pub fn is_plain(&self) -> bool {
        let Some(read) = self.source.events() else {
            return self.source != FeatureSource::AgeWeekdays;
        };
        read.statistic.is_plain()
    }
}

impl Wording {
    /// Of features that are told beside each other.
    pub fn of<'s>(specs: impl Iterator<Item = &'s FeatureSpec>) -> Self {
        let mut wording = Self::default();
        for read in specs.filter_map(|spec| spec.source.events()) {
            for aggregate in read.formula().aggregates() {
                wording.add(read.table, &aggregate.filter);
            }
        }
        wording
    }
}

/// How often a lead closed before.
fn of_times_closed() -> Phrase {
    number(
        "never closed before",
        count(
            "never closed before",
            "closed once before",
            "closed {} times before",
        ),
    )
}

/// For how long a lead has been open again.
fn of_reopened_days() -> Phrase {
    number(
        "never closed before",
        days(
            "open again for less than a day",
            "open again for 1 day",
            "open again for {} days",
        ),
    )
}

/// How old the value of a column is.
fn of_attribute_age(column: &str) -> Phrase {
    number(
        &format!("{column}: not known"),
        days(
            &format!("{column} changed less than a day ago"),
            &format!("{column} unchanged for 1 day"),
            &format!("{column} unchanged for {{}} days"),
        ),
    )
}

/// How far a date lies ahead, or how long ago it was.
fn of_days_until(column: &str) -> Phrase {
    let column = column.replace('_', " ");
    let said = |below: f64, words: &str| case(below, &format!("{column} {words}"), Shown::Whole);
    number(
        &format!("{column}: not known"),
        vec![
            // Limits lie above what is below them: a whole day is one.
            said(-1.499_999, "was {} days ago"),
            said(-0.999_999, "was 1 day ago"),
            said(0.0, "was less than a day ago"),
            said(1.0, "is in less than a day"),
            said(1.5, "is in 1 day"),
            said(f64::INFINITY, "is in {} days"),
        ],
    )
}

/// How often a column was set.
fn of_attribute_changes(column: &str) -> Phrase {
    number(
        &format!("{column} never set"),
        count(
            &format!("{column} never set"),
            &format!("{column} set once"),
            &format!("{column} set {{}} times"),
        ),
    )
}

/// A column as sentences name it.
fn column_of(table: &AttributeTable, column: &str) -> String {
    match table {
        AttributeTable::Leads => column.to_owned(),
        AttributeTable::Lookup(table) => format!("{column} ({table})"),
    }
}

/// Whether a column that holds several values has one of them.
fn of_token(column: &str, tokenizer: &Tokenizer, token: &str) -> Phrase {
    let (column, token) = (name(column), name(token));
    let (without, with) = match tokenizer {
        Tokenizer::Set(_) => (
            format!("{column} without \u{2018}{token}\u{2019}"),
            format!("{column} with \u{2018}{token}\u{2019}"),
        ),
        Tokenizer::Words => {
            let noun = tokenizer.noun_of(&token);
            (
                format!("{column} without the {noun} \u{2018}{token}\u{2019}"),
                format!("{column} with the {noun} \u{2018}{token}\u{2019}"),
            )
        }
    };
    let plain = |below: f64, text: String| Case {
        below,
        before: text,
        shown: None,
        after: String::new(),
    };
    number(
        &without,
        vec![plain(0.5, without.clone()), plain(f64::INFINITY, with)],
    )
}

/// How many values a column holds.
fn of_token_count(column: &str, tokenizer: &Tokenizer) -> Phrase {
    let (column, noun) = (name(column), tokenizer.noun());
    number(
        &format!("{column}: not known"),
        count(
            &format!("{column}: no {noun}"),
            &format!("{column}: 1 {noun}"),
            &format!("{column}: {{}} {noun}s"),
        ),
    )
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{EventFilter, Span, Unit};

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
    fn dates_lie_ahead_or_have_passed() {
        let until = FeatureSource::DaysUntil {
            table: AttributeTable::Leads,
            column: "contract_end".to_owned(),
        };
        for (days, words) in [
            (20.0, "contract end is in 20 days"),
            (1.6, "contract end is in 2 days"),
            (1.2, "contract end is in 1 day"),
            (0.4, "contract end is in less than a day"),
            (0.0, "contract end is in less than a day"),
            (-0.4, "contract end was less than a day ago"),
            (-1.0, "contract end was 1 day ago"),
            (-1.2, "contract end was 1 day ago"),
            (-1.5, "contract end was 2 days ago"),
            (-3.0, "contract end was 3 days ago"),
            (f64::NAN, "contract end: not known"),
        ] {
            check(&until, days, words);
        }
        let of_account = FeatureSource::DaysUntil {
            table: AttributeTable::Lookup("accounts".to_owned()),
            column: "renewal".to_owned(),
        };
        check(&of_account, -30.0, "renewal (accounts) was 30 days ago");
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
