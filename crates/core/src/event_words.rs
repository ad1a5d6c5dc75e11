//! Words for one kind of events over one window, of which statistics make their phrases.

use crate::phrase::{Phrase, decimal_case, number};
use crate::wording::{Nouns, Wording, name};
use crate::{EventFilter, Span};

/// How features of one kind of events are said, over one window.
pub(crate) struct EventWords<'a> {
    wording: &'a Wording,
    table: &'a str,
    /// What one of them is called.
    pub(crate) one: String,
    /// What several are called.
    pub(crate) many: String,
    /// How long a window is: "30 days"; `None` for the whole life of the lead.
    pub(crate) window: Option<String>,
    /// "in the last 30 days", or "so far".
    pub(crate) when: String,
    /// That there were none, ever.
    pub(crate) never: String,
    /// That there were none in the window.
    pub(crate) none: String,
}

impl<'a> EventWords<'a> {
    /// What events of a kind are called, and the words for their window.
    pub(crate) fn new(
        wording: &'a Wording,
        table: &'a str,
        kind: &EventFilter,
        window: Option<Span>,
    ) -> Self {
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
            window: window.map(length),
            when,
            never,
            none,
        }
    }

    /// What other events of the table are called.
    pub(crate) fn nouns(&self, kind: &EventFilter) -> Nouns {
        self.wording.nouns(self.table, kind)
    }

    /// A column of the events, put together in this way.
    pub(crate) fn value(&self, column: &str, how: &str) -> Phrase {
        let Self {
            many, when, none, ..
        } = self;
        let column = name(column);
        number(
            none,
            decimal_case(&format!("{column} of {many} {when}: {{}} {how}")),
        )
    }

    /// Days between events, put together in this way.
    pub(crate) fn gap(&self, how: &str) -> Phrase {
        let many = &self.many;
        number(
            &format!("fewer than two {many} so far"),
            decimal_case(&format!("{{}} days between {many} {how}")),
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
