//! Why a likelihood is another one than before: the reason that changed most, what it was and what
//! it is, and whether anything was recorded in between or time alone passed.

use std::fmt;

use leadscore_core::{Timestamp, count, log_odds_to_probability};
use leadscore_serve::Reason;
use leadscore_store::StoredEvent;

/// What of the reasons changed most.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Cause {
    /// The reason as it was, and as it is; at least one of them is there.
    then: Option<String>,
    now: Option<String>,
    /// Percentage points that the likelihood has because of the change, with its sign.
    points: f64,
    /// Rows of the reason's own table that began to count in between.
    n_new: usize,
    /// The table, such as `touches`.
    concept: String,
    /// Whether no row at all began to count in between.
    is_time_alone: bool,
}

/// A score's natural log-odds and its reasons.
#[derive(Debug, Clone, Copy)]
pub(super) struct Explained<'s> {
    pub(super) log_odds: f64,
    pub(super) reasons: &'s [Reason],
}

impl Cause {
    /// The reason whose contribution changed most in the direction in which the score moved, of a
    /// lead with these rows, between two moments; `None` where no reason moved that way.
    pub(super) fn of(
        (then, since): (Explained<'_>, Timestamp),
        (now, at): (Explained<'_>, Timestamp),
        rows: &[StoredEvent],
    ) -> Option<Self> {
        let moved = now.log_odds - then.log_odds;
        let concepts = now.reasons.iter().chain(then.reasons);
        let (concept, difference) = concepts
            .map(|reason| {
                let difference = then.of(&reason.concept).map_or(0.0, |old| -old.log_odds)
                    + now.of(&reason.concept).map_or(0.0, |new| new.log_odds);
                (&reason.concept, difference)
            })
            .filter(|(_, difference)| difference * moved > 0.0)
            // Of equal ones the first, which weighs most now.
            .reduce(|best, next| {
                if next.1.abs() > best.1.abs() {
                    next
                } else {
                    best
                }
            })?;
        let without = log_odds_to_probability(now.log_odds - difference);
        let points = 100.0 * (log_odds_to_probability(now.log_odds) - without);
        let is_new = |row: &&StoredEvent| {
            let counts_from = row.at.max(row.recorded);
            since <= counts_from && counts_from < at
        };
        let new: Vec<&StoredEvent> = rows.iter().filter(is_new).collect();
        let is_own =
            |row: &&&StoredEvent| row.table.strip_prefix("activities.") == Some(concept.as_str());
        Some(Self {
            then: then.of(concept).map(|reason| reason.text.clone()),
            now: now.of(concept).map(|reason| reason.text.clone()),
            points,
            n_new: new.iter().filter(is_own).count(),
            concept: concept.clone(),
            is_time_alone: new.is_empty(),
        })
    }
}

impl<'s> Explained<'s> {
    fn of(self, concept: &str) -> Option<&'s Reason> {
        self.reasons.iter().find(|reason| reason.concept == concept)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_time_alone {
            to.write_str("only time passed: ")?;
        } else if self.n_new > 0 {
            let table = self.concept.replace('_', " ");
            write!(to, "{} more in {table}: ", count(self.n_new))?;
        }
        match (&self.then, &self.now) {
            (Some(then), Some(now)) if then == now => {
                write!(to, "{now}: {} points", Signed(self.points))
            }
            (Some(then), Some(now)) => write!(to, "{now} (before: {then})"),
            (None, Some(now)) => write!(to, "{now} (before: not known)"),
            (Some(then), None) => write!(to, "no longer: {then}"),
            (None, None) => Ok(()),
        }
    }
}

/// A number with its sign and one decimal.
struct Signed(f64);

impl fmt::Display for Signed {
    fn fmt(&self, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = format!("{:.1}", self.0.abs());
        let sign = match (digits == "0.0", self.0 < 0.0) {
            (true, _) => "",
            (false, true) => "\u{2212}",
            (false, false) => "+",
        };
        write!(to, "{sign}{digits}")
    }
}

#[cfg(test)]
mod tests {
    use leadscore_store::Entity;

    use super::*;

    fn reasons(of: &[(&str, &str, f64)]) -> Vec<Reason> {
        of.iter()
            .map(|(concept, text, log_odds)| Reason {
                concept: (*concept).to_owned(),
                text: (*text).to_owned(),
                log_odds: *log_odds,
            })
            .collect()
    }

    fn row(table: &str, at: i64, recorded: i64) -> StoredEvent {
        StoredEvent {
            seq: 0,
            id: "e".to_owned(),
            table: table.to_owned(),
            entity: Entity::Lead("L1".to_owned()),
            at: Timestamp::from_micros(at),
            recorded: Timestamp::from_micros(recorded),
            row: "{}".to_owned(),
        }
    }

    /// What changed between the moments 100 and 200, of a baseline of −1.
    #[track_caller]
    fn check(
        then: &[(&str, &str, f64)],
        now: &[(&str, &str, f64)],
        rows: &[StoredEvent],
        expected: Option<&str>,
    ) {
        let (then, now) = (reasons(then), reasons(now));
        let explained = |reasons: &'static [Reason]| Explained {
            log_odds: -1.0 + reasons.iter().map(|reason| reason.log_odds).sum::<f64>(),
            reasons,
        };
        let cause = Cause::of(
            (explained(then.leak()), Timestamp::from_micros(100)),
            (explained(now.leak()), Timestamp::from_micros(200)),
            rows,
        );
        assert_eq!(cause.map(|cause| cause.to_string()).as_deref(), expected);
    }

    #[test]
    fn time_alone_is_told_from_news() {
        let then = [
            ("touches", "1 touch in 7 days", 1.0),
            ("seats", "9 seats", 0.5),
        ];
        let now = [
            ("touches", "no touch in 7 days", 0.25),
            ("seats", "9 seats", 0.5),
        ];
        let text = "no touch in 7 days (before: 1 touch in 7 days)";
        let only_time = format!("only time passed: {text}");
        check(&then, &now, &[], Some(&only_time));
        // Rows from before, from the moment itself on, and those that are yet to count.
        check(
            &then,
            &now,
            &[row("activities.touches", 50, 99)],
            Some(&only_time),
        );
        check(
            &then,
            &now,
            &[row("activities.touches", 50, 200)],
            Some(&only_time),
        );
        check(
            &then,
            &now,
            &[row("activities.touches", 300, 150)],
            Some(&only_time),
        );
        check(&then, &now, &[row("leads", 50, 100)], Some(text));
        // What was planned before has happened.
        let planned = [row("activities.touches", 150, 50)];
        check(
            &then,
            &now,
            &planned,
            Some(&format!("1 more in touches: {text}")),
        );
        let two = [
            row("activities.touches", 60, 100),
            row("activities.touches", 60, 199),
        ];
        check(
            &then,
            &now,
            &two,
            Some(&format!("2 more in touches: {text}")),
        );
    }

    #[test]
    fn the_reason_that_changed_is_named_and_not_the_strongest_one() {
        let other = [row("leads", 50, 150)];
        // The strongest reason stays as it is; the likelihood goes from 50 % to 73.1 %.
        check(
            &[("role", "a director", 3.0), ("web", "2 visits", -2.0)],
            &[("role", "a director", 3.0), ("web", "2 visits", -1.0)],
            &other,
            Some("2 visits: +23.1 points"),
        );
        // What it says has the direction of the change, however the score has moved meanwhile.
        check(
            &[("role", "a director", 0.0), ("web", "17 visits", 2.5)],
            &[("role", "a director", -0.05), ("web", "17 visits", 2.25)],
            &other,
            Some("17 visits: \u{2212}4.1 points"),
        );
        // One goes against the change, and further than any with it.
        check(
            &[("a", "a1", 0.0), ("b", "b1", 0.0), ("c", "c1", 0.0)],
            &[("a", "a2", -1.0), ("b", "b2", 0.75), ("c", "c2", 0.5)],
            &other,
            Some("b2 (before: b1)"),
        );
        check(
            &[],
            &[("a", "asked for a demo", 1.0)],
            &other,
            Some("asked for a demo (before: not known)"),
        );
        check(
            &[("a", "a trial", 1.0)],
            &[],
            &other,
            Some("no longer: a trial"),
        );
        check(&[("a", "a1", 1.0)], &[("a", "a1", 1.0)], &other, None);
    }
}
