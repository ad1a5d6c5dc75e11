//! A plan of features: their specifications in the order of their columns, with names that no two
//! of them share.

use std::collections::BTreeSet;

use leadscore_core::{CalendarPart, FeatureKind, FeatureSource, FeatureSpec, Unit};
use leadscore_dataset::Note;

/// The features for a survey, and what the user should know about them.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Plan {
    /// The features, in the order of their columns.
    pub specs: Vec<FeatureSpec>,
    /// Windows that were left out, and patterns that match nothing.
    pub notes: Vec<Note>,
}

impl Plan {
    pub(crate) fn number(&mut self, name: String, source: FeatureSource, unit: Unit) {
        self.specs.push(FeatureSpec {
            name,
            source,
            kind: FeatureKind::Number,
            unit,
        });
    }

    pub(crate) fn category(&mut self, name: String, source: FeatureSource) {
        self.specs.push(FeatureSpec {
            name,
            source,
            kind: FeatureKind::Category,
            unit: Unit::Level,
        });
    }

    pub(crate) fn calendar(
        &mut self,
        prefix: &str,
        source: fn(CalendarPart) -> FeatureSource,
        has_hour: bool,
        has_months: bool,
    ) {
        self.category(format!("{prefix}.weekday"), source(CalendarPart::Weekday));
        self.number(
            format!("{prefix}.day_of_month"),
            source(CalendarPart::DayOfMonth),
            Unit::Days,
        );
        if has_hour {
            self.number(
                format!("{prefix}.hour"),
                source(CalendarPart::Hour),
                Unit::Hours,
            );
        }
        if has_months {
            self.category(format!("{prefix}.month"), source(CalendarPart::Month));
        }
    }

    /// A column of the leads may be called as a feature of ours is; the later one gets a number.
    pub(crate) fn make_names_unique(&mut self) {
        let mut taken: BTreeSet<String> = BTreeSet::new();
        for spec in &mut self.specs {
            let given = spec.name.clone();
            let mut number = 2;
            while !taken.insert(spec.name.clone()) {
                spec.name = format!("{given}.{number}");
                number += 1;
            }
        }
    }

    pub(crate) fn keep_only(&mut self, patterns: &[String]) {
        for pattern in patterns
            .iter()
            .filter(|pattern| !self.specs.iter().any(|spec| matches(pattern, &spec.name)))
        {
            self.notes.push(Note::new("[features]", format!("no feature matches `{pattern}` of `only`; `features --describe` lists their names")));
        }
        self.specs
            .retain(|spec| patterns.iter().any(|pattern| matches(pattern, &spec.name)));
    }
}

/// Whether a name matches a pattern in which `*` stands for any text.
fn matches(pattern: &str, name: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == name,
        Some((start, rest)) => name.strip_prefix(start).is_some_and(|name| {
            (0..=name.len()).any(|skip| name.is_char_boundary(skip) && matches(rest, &name[skip..]))
        }),
    }
}
