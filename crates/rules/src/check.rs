//! What a rule cannot say: contradictions are errors at their place.

use std::collections::BTreeMap;
use std::ops::Range;

use leadscore_config::ConfigError;
use leadscore_core::Span;

use crate::rule::{EventCondition, NothingElse, RuleConfig};

/// How decay by steps is written.
const STEPS: &str = "write [{ after = \"30d\", keep = 0.5 }, { after = \"90d\", keep = 0 }] for steps, or [{ every = \"30d\", keep = 0.5 }] for a decay without end";

impl RuleConfig {
    /// The error at the rule's name.
    pub(crate) fn refused(&self, message: &str, help: &str) -> Result<(), ConfigError> {
        self.refused_at(&self.name.span(), message, help)
    }

    /// The error at another place of the rule.
    fn refused_at(
        &self,
        place: &Range<usize>,
        message: &str,
        help: &str,
    ) -> Result<(), ConfigError> {
        Err(ConfigError {
            message: format!("rule \"{}\": {message}", self.name.get_ref()),
            help: Some(help.to_owned()),
            span: Some(place.clone()),
            is_unknown_key: false,
        })
    }

    /// Fails where what the rule looks at, or one of its combined conditions, contradicts itself.
    pub(crate) fn check_conditions(&self) -> Result<(), ConfigError> {
        let looks_at = [
            self.attribute.is_some(),
            self.feature.is_some(),
            self.activity.is_some(),
        ];
        let n_given = looks_at.into_iter().filter(|given| *given).count();
        let parts = self.parts();
        if n_given > 1 || (n_given == 0 && parts.iter().all(Option::is_none)) {
            return self.refused(
                "it needs one of `attribute`, `activity` and `feature`",
                "name the column, the table of activities or the feature that it looks at, or combine conditions by `all`, `any` and `none`",
            );
        }
        for (key, parts) in ["all", "any", "none"].into_iter().zip(&parts) {
            let Some(parts) = parts else { continue };
            if parts.is_empty() {
                return self.refused(
                    &format!("its `{key}` is empty"),
                    "write conditions such as { attribute = \"title\", contains = \"CEO\" }",
                );
            }
            for part in parts {
                part.check_conditions()?;
            }
        }
        if self.activity.is_some() {
            self.check_events()?;
            self.check_lengths()
        } else {
            self.check_condition()
        }
    }

    /// Fails where ways to count events contradict each other.
    fn check_counts(&self) -> Result<(), ConfigError> {
        if self.per_event && (self.per_day || self.every.is_some()) {
            return self.refused(
                "it counts each event and also days, or several events as one",
                "keep one: `per_event` for each event, `per_day` for each day, `every` for each so many",
            );
        }
        let Some(every) = self.every else {
            return Ok(());
        };
        if every < 2 {
            return self.refused(
                &format!("its `every` is {every}"),
                "write a number from 2 on; `per_event` gives points for each event",
            );
        }
        if self.at_least.is_some_and(|least| least < every) {
            return self.refused(
                "its `at_least` lies below its `every`",
                "fewer events than `every` give no points: leave `at_least` out, or raise it",
            );
        }
        Ok(())
    }

    /// Fails where a condition on columns of events has not one condition a column.
    fn check_where(
        &self,
        on_columns: &BTreeMap<String, EventCondition>,
        place: &Range<usize>,
    ) -> Result<(), ConfigError> {
        for (column, condition) in on_columns {
            if condition.given() != 1 {
                return self.refused_at(
                    place,
                    &format!("`where` has no condition on `{column}`, or several"),
                    "write one, such as { min = 5 } or { in = [\"a\", \"b\"] }",
                );
            }
        }
        Ok(())
    }

    /// Fails where what follows an event cannot.
    fn check_then(&self) -> Result<(), ConfigError> {
        let mut next = self.then.as_deref();
        while let Some(then) = next {
            let place = then.span();
            self.check_where(&then.get_ref().on_columns, &place)?;
            if then.get_ref().within == Some(Span::ZERO) {
                return self.refused_at(
                    &place,
                    "its `then` has a length of zero",
                    "write lengths such as \"7d\"",
                );
            }
            next = then.get_ref().then.as_deref();
        }
        if self.then.is_some() && self.nothing_else == NothingElse::InAllTables {
            return self.refused(
                "it has a `then` and allows nothing else in all tables",
                "what follows is an event as well: keep `then` or `nothing_else`",
            );
        }
        Ok(())
    }

    /// Fails where steps of decay are none.
    fn check_decay(&self) -> Result<(), ConfigError> {
        let Some(steps) = &self.decay else {
            return Ok(());
        };
        if steps.is_empty() {
            return self.refused("its `decay` is empty", STEPS);
        }
        let mut before: Option<(Span, f64)> = None;
        for step in steps {
            if !(0.0..1.0).contains(&step.keep) {
                return self.refused(
                    &format!("its `decay` keeps {}, which is not a share", step.keep),
                    "`keep` is 0 or more and below 1: 0.5 for half of the points",
                );
            }
            let length = match (step.after, step.every) {
                (Some(after), None) => after,
                (None, Some(every)) if steps.len() == 1 => every,
                (None, Some(_)) => {
                    return self.refused("its `decay` has steps and an `every`", STEPS);
                }
                (Some(_), Some(_)) | (None, None) => {
                    return self.refused(
                        "a step of its `decay` needs one of `after` and `every`",
                        STEPS,
                    );
                }
            };
            if length == Span::ZERO {
                return self.refused("its `decay` has a length of zero", STEPS);
            }
            if before.is_some_and(|(after, keep)| length <= after || step.keep >= keep) {
                return self.refused(
                    "the steps of its `decay` are not in order",
                    "each step is later than the one before and keeps less",
                );
            }
            before = Some((length, step.keep));
        }
        Ok(())
    }

    /// Fails where a rule on an attribute or a feature has not one condition, or keys of events.
    fn check_condition(&self) -> Result<(), ConfigError> {
        let n_conditions = self.condition().given();
        let on_events = self.kind.is_some()
            || !self.on_columns.is_empty()
            || self.nothing_else != NothingElse::NotAsked
            || self.within.is_some()
            || self.at_least.is_some()
            || self.at_most.is_some()
            || self.per_event
            || self.per_day
            || self.every.is_some()
            || self.then.is_some()
            || self.reset.is_some()
            || self.decay.is_some()
            || self.max_events.is_some()
            || self.half_life.is_some()
            || self.monthly_decay.is_some();
        if !self.looks_at_something() {
            return if n_conditions > 0 || on_events || self.cap.is_some() {
                self.refused(
                    "it has a condition, and neither `attribute`, `feature` nor `activity`",
                    "name what the condition is on, beside `all`, `any` and `none` or within them",
                )
            } else {
                Ok(())
            };
        }
        if n_conditions != 1 {
            return self.refused(
                "it has no condition on what it looks at, or several",
                "write one of `equals`, `in`, `not_equals`, `not_in`, `above`, `min` and `max`, `contains`, `matches`, `missing`",
            );
        }
        if on_events || self.cap.is_some() {
            return self.refused(
                "it has keys of an activity",
                "`kind`, `where`, `within`, `then`, `reset`, counts, caps and decay go with `activity`",
            );
        }
        if self.min.zip(self.max).is_some_and(|(min, max)| min > max) {
            return self.refused("its `min` lies above its `max`", "no number is in between");
        }
        Ok(())
    }

    /// Fails where a rule on events has a condition of an attribute, or counts that contradict
    /// each other.
    fn check_events(&self) -> Result<(), ConfigError> {
        let n_conditions = self.condition().given();
        if n_conditions > 0 {
            return self.refused(
                "it has a condition of an attribute",
                "they go with `attribute`; for a column of the events write `where = { column = { min = 5 } }`",
            );
        }
        self.check_where(&self.on_columns, &self.name.span())?;
        if self
            .at_least
            .zip(self.at_most)
            .is_some_and(|(least, most)| least > most)
        {
            return self.refused(
                "its `at_least` lies above its `at_most`",
                "no number of events is in between",
            );
        }
        if (self.per_event || self.per_day || self.every.is_some()) && self.at_most.is_some() {
            return self.refused(
                "it counts each event and has an `at_most`",
                "`max_events` limits the events that give points",
            );
        }
        self.check_counts()?;
        if let Some(reset) = &self.reset {
            self.check_where(&reset.get_ref().on_columns, &reset.span())?;
        }
        self.check_then()?;
        if self
            .cap
            .is_some_and(|cap| cap.is_nan() || cap < self.points.abs())
        {
            return self.refused(
                "its `cap` lies below its points",
                "one event alone would exceed it",
            );
        }
        Ok(())
    }

    /// Fails where decay and lengths of time of a rule on events cannot be.
    fn check_lengths(&self) -> Result<(), ConfigError> {
        let kinds = [
            self.half_life.is_some(),
            self.monthly_decay.is_some(),
            self.decay.is_some(),
        ];
        if kinds.into_iter().filter(|given| *given).count() > 1 {
            return self.refused(
                "it has two kinds of decay",
                "keep one of `half_life`, `monthly_decay` and `decay`",
            );
        }
        self.check_decay()?;
        if self.half_life == Some(Span::ZERO) || self.within == Some(Span::ZERO) {
            return self.refused("it has a length of zero", "write lengths such as \"30d\"");
        }
        if self
            .monthly_decay
            .is_some_and(|share| !(share > 0.0 && share <= 1.0))
        {
            return self.refused(
                "its `monthly_decay` is not a share",
                "write above 0 and at most 1: 0.5 for half of the points a month",
            );
        }
        Ok(())
    }
}

impl EventCondition {
    /// How many conditions it holds; a range is one.
    pub(crate) fn given(&self) -> usize {
        let is_range = self.above.is_some() || self.min.is_some() || self.max.is_some();
        let given = [
            self.equals.is_some(),
            self.one_of.is_some(),
            self.not_equals.is_some(),
            self.none_of.is_some(),
            is_range,
            self.contains.is_some(),
            self.matches.is_some(),
            self.missing.is_some(),
        ];
        given.iter().filter(|given| **given).count()
    }
}

#[cfg(test)]
mod tests {
    use crate::rules_file::RulesFile;

    #[track_caller]
    fn check_error(text: &str, expected: &str, pointed_at: &str) {
        let error = RulesFile::parse(text).expect_err("refused");
        assert!(error.to_string().contains(expected), "{error}");
        let span = error.span.clone().expect("a place");
        assert!(text[span].contains(pointed_at), "{error}");
    }

    #[test]
    fn what_cannot_be_is_refused_at_its_place() {
        let rule = "[[rule]]\nname = \"r\"\npoints = 5\n";
        check_error(
            &format!("{rule}attribute = \"a\"\nequals = 1\nactivity = \"b\"\n"),
            "one of `attribute`, `activity` and `feature`",
            "\"r\"",
        );
        check_error(
            &format!("{rule}attribute = \"a\"\n"),
            "no condition on what it looks at",
            "\"r\"",
        );
        check_error(
            &format!("{rule}attribute = \"a\"\nmin = 5\nmax = 4\n"),
            "`min` lies above its `max`",
            "\"r\"",
        );
        check_error(
            &format!("{rule}activity = \"a\"\ngroup = \"fit\"\n"),
            "there is no [groups.fit]",
            "\"r\"",
        );
        check_error(
            &format!("{rule}activity = \"a\"\ncap = 4\n"),
            "`cap` lies below its points",
            "\"r\"",
        );
        check_error(
            &format!("{rule}activity = \"a\"\nmonthly_decay = 2\n"),
            "is not a share",
            "\"r\"",
        );
        check_error(
            "[[rule]]\nname = \"r\"\npoints = 5000000\nactivity = \"a\"\n",
            "points are out of range",
            "\"r\"",
        );
        check_error(
            &format!("{rule}activity = \"a\"\n[thresholds]\nmql = 150\n"),
            "`mql` begins at 150, which no lead can have",
            "150",
        );
        check_error(
            "[[rule]]\nname = \"r\"\npionts = 5\nactivity = \"a\"\n",
            "did you mean `points`?",
            "pionts",
        );
    }
}
