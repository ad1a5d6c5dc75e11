//! What a rule asks for, in words: for who reads why a lead has its points.

use std::collections::BTreeMap;

use leadscore_core::Span;

use crate::rule::{EventCondition, NothingElse, PartConfig, RuleConfig, RuleValue, ThenConfig};

impl RuleConfig {
    /// What must hold for the rule to apply, in words.
    pub fn in_words(&self) -> String {
        let mut words: Vec<String> = Vec::new();
        if let Some(name) = self.attribute.as_ref().or(self.feature.as_ref()) {
            words.push(format!("{name} {}", self.condition().in_words()));
        }
        if let Some(activity) = &self.activity {
            words.push(self.events_in_words(activity));
        }
        for (key, parts) in [("all", &self.all), ("any", &self.any), ("none", &self.none)] {
            let Some(parts) = parts else { continue };
            let texts: Vec<String> = parts
                .iter()
                .map(|part| PartConfig::as_rule(part, "").in_words())
                .collect();
            words.push(format!("{key} of ({})", texts.join("; ")));
        }
        words.join(", and ")
    }

    /// Whether it puts several conditions together.
    pub fn is_combined(&self) -> bool {
        self.then.is_some()
            || self.reset.is_some()
            || self.all.is_some()
            || self.any.is_some()
            || self.none.is_some()
    }

    fn events_in_words(&self, activity: &str) -> String {
        let mut text = of_table(activity, self.kind.as_ref(), &self.on_columns);
        let unit = if self.per_day { "days" } else { "times" };
        text.extend(self.at_least.map(|n| format!(" at least {n} {unit}")));
        text.extend(self.at_most.map(|n| format!(" at most {n} {unit}")));
        text.extend(self.every.map(|n| format!(" for every {n} {unit}")));
        text.push_str(&within(self.within));
        let mut next = self.then.as_deref();
        while let Some(then) = next {
            let ThenConfig {
                activity,
                kind,
                on_columns,
                within: time,
                then,
            } = then.get_ref();
            text.push_str(" then ");
            text.push_str(&of_table(activity, kind.as_ref(), on_columns));
            text.push_str(&within(*time));
            next = then.as_deref();
        }
        match self.nothing_else {
            NothingElse::NotAsked => {}
            NothingElse::InTable => text.push_str(" and no other events of this table"),
            NothingElse::InAllTables => text.push_str(" and no other events"),
        }
        if let Some(reset) = &self.reset {
            let of = reset.get_ref();
            text.push_str(" since the last ");
            text.push_str(&of_table(&of.activity, of.kind.as_ref(), &of.on_columns));
        }
        text
    }
}

fn of_table(
    activity: &str,
    kind: Option<&String>,
    on_columns: &BTreeMap<String, EventCondition>,
) -> String {
    let mut text = activity.to_owned();
    text.extend(kind.map(|kind| format!(" \"{kind}\"")));
    for (column, condition) in on_columns {
        text.push_str(&format!(" with {column} {}", condition.in_words()));
    }
    text
}

fn within(time: Option<Span>) -> String {
    time.map_or(String::new(), |time| format!(" within {time}"))
}

impl EventCondition {
    fn in_words(&self) -> String {
        let list = |values: &[RuleValue]| {
            let texts: Vec<String> = values.iter().map(RuleValue::in_words).collect();
            texts.join(", ")
        };
        let mut words = Vec::new();
        words.extend(
            self.equals
                .as_ref()
                .map(|value| format!("is {}", value.in_words())),
        );
        words.extend(
            self.one_of
                .as_ref()
                .map(|values| format!("is one of {}", list(values))),
        );
        words.extend(
            self.not_equals
                .as_ref()
                .map(|value| format!("is not {}", value.in_words())),
        );
        words.extend(
            self.none_of
                .as_ref()
                .map(|values| format!("is none of {}", list(values))),
        );
        words.extend(self.above.map(|number| format!("above {number}")));
        words.extend(self.min.map(|number| format!("from {number}")));
        words.extend(self.max.map(|number| format!("up to {number}")));
        words.extend(
            self.contains
                .as_ref()
                .map(|text| format!("contains \"{text}\"")),
        );
        words.extend(
            self.matches
                .as_ref()
                .map(|text| format!("matches \"{}\"", text.get_ref())),
        );
        words.extend(self.missing.map(|missing| {
            if missing {
                "is missing"
            } else {
                "is not missing"
            }
            .to_owned()
        }));
        words.join(" ")
    }
}

impl RuleValue {
    fn in_words(&self) -> String {
        match self {
            Self::Number(number) => number.to_string(),
            Self::Flag(flag) => flag.to_string(),
            Self::Text(text) => format!("\"{text}\""),
        }
    }
}
