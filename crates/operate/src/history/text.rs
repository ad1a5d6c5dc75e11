//! A history in words, for the terminal.

use leadscore::front_end::table;
use leadscore_core::{ContactPriority, agree, count, counted};
use leadscore_inference::signed;

use super::migration::Migration;
use super::path::{Basis, Change, LeadPath, OpenPoint, PathPoint, Standing};
use super::summary::{HistorySummary, MomentSummary};

/// Changes below this, in log-odds, are not shown one by one.
const VISIBLE: f64 = 0.005;
/// Changes that are named at most.
const N_CHANGES: usize = 12;

impl LeadPath {
    /// The path as a table, and what changed.
    pub fn text(&self) -> String {
        let rows: Vec<Vec<String>> = self.points.iter().map(row_of_path).collect();
        let header = [
            "as of",
            "likelihood",
            "priority",
            "model",
            "largest change since the row before",
        ];
        let mut lines = vec![format!("lead {}", self.lead), String::new()];
        lines.push(table(&header, &rows));
        let last = self.points.last().and_then(PathPoint::open);
        if last.and_then(|open| open.held_back) == Some(true) {
            lines.push(String::new());
            lines.push("held back: whatever its likelihood, it is in no list".to_owned());
        }
        if let Some(guard) = last.and_then(|open| open.guard.as_ref()) {
            lines.push(String::new());
            lines.push(format!("outside of what training saw: {guard}"));
        }
        if let Some(absent) = self.absent_from {
            lines.push(String::new());
            lines.push(format!(
                "not in the scores of {absent}: lost, merged or deleted since"
            ));
        }
        if let Some(change) = &self.change {
            lines.push(String::new());
            lines.extend(change.lines());
        }
        lines.join("\n")
    }
}

impl PathPoint {
    fn open(&self) -> Option<&OpenPoint> {
        match &self.standing {
            Standing::Open(open) => Some(open),
            Standing::Won => None,
        }
    }
}

fn row_of_path(point: &PathPoint) -> Vec<String> {
    let (likelihood, priority, change) = match &point.standing {
        Standing::Won => (
            String::new(),
            ContactPriority::ClosedWon.name().to_owned(),
            String::new(),
        ),
        Standing::Open(open) => (
            format!("{:.1} %", open.likelihood_to_close),
            open.contact_priority.to_owned(),
            open.change.as_ref().map(largest).unwrap_or_default(),
        ),
    };
    vec![
        point.as_of.to_string(),
        likelihood,
        priority,
        point.model_id.clone(),
        change,
    ]
}

/// The largest difference of a change.
fn largest(change: &Change) -> String {
    let largest = change
        .items
        .first()
        .filter(|item| item.difference.abs() >= VISIBLE)
        .map_or("nothing".to_owned(), |item| {
            signed(&item.what, item.difference)
        });
    if change.is_other_model {
        format!("{largest}, another model")
    } else {
        largest
    }
}

impl Change {
    /// Difference by difference, which add up.
    fn lines(&self) -> Vec<String> {
        let by = if self.is_other_model {
            ", by another model"
        } else {
            ""
        };
        let mut lines = vec![format!(
            "from {} to {}{by}: {:.1} % then, {:.1} % now, log-odds {:+.3}",
            self.since, self.until, self.likelihood_then, self.likelihood_now, self.log_odds
        )];
        let is_shown = |difference: f64| difference.abs() >= VISIBLE;
        let n_shown = self
            .items
            .iter()
            .take(N_CHANGES)
            .take_while(|item| is_shown(item.difference))
            .count();
        let (shown, rest) = self.items.split_at(n_shown);
        let value =
            |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:+.3}"));
        for item in shown {
            lines.push(format!(
                "{:>+8.3}  {}: {} then, {} now",
                item.difference,
                item.what,
                value(item.then),
                value(item.now)
            ));
        }
        let sum: f64 = rest.iter().map(|item| item.difference).sum();
        if !rest.is_empty() {
            lines.push(format!(
                "{sum:>+8.3}  {}",
                counted(rest.len(), "smaller change")
            ));
        }
        if self.items.is_empty() {
            lines.push("   nothing changed".to_owned());
        }
        match self.basis {
            Basis::Concepts => {}
            Basis::NamedReasons => lines.push(
                "one of the two scores has no contributions by concept: these are the reasons that the scores name, and – is a reason that was not named".to_owned(),
            ),
        }
        lines
    }
}

impl HistorySummary {
    /// A row for each moment, and how leads moved between tiers at the last one.
    pub fn text(&self) -> String {
        let rows: Vec<Vec<String>> = self.moments.iter().map(row_of_summary).collect();
        let header = [
            "as of",
            "open",
            "new",
            "gone",
            "(won)",
            "mean",
            "Very high from",
            "High from",
            "Medium from",
            "tier changed",
            "model",
        ];
        let mut text = table(&header, &rows);
        if let Some(moved) = self.moments.last().and_then(|last| last.migration.as_ref()) {
            text.push_str("\n\n");
            text.push_str(&moved.text());
        }
        let n_replaced: usize = self.moments.iter().map(|moment| moment.n_replaced).sum();
        if n_replaced > 0 {
            text.push_str(&format!(
                "\n\nnote: {} {} replaced by later scores of the same moment",
                counted(n_replaced, "file"),
                agree(n_replaced, "is", "are")
            ));
        }
        text
    }
}

fn row_of_summary(moment: &MomentSummary) -> Vec<String> {
    let percent = |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:.1} %"));
    let moved = moment.migration.as_ref();
    let number =
        |value: fn(&Migration) -> usize| moved.map_or(String::new(), |moved| count(value(moved)));
    let [very_high, high, medium] = moment.tier_edges.map(percent);
    vec![
        moment.as_of.to_string(),
        count(moment.n_open),
        number(|moved| moved.n_new),
        number(|moved| moved.n_gone),
        number(|moved| moved.n_won),
        percent(moment.mean_likelihood),
        very_high,
        high,
        medium,
        percent(
            moved
                .and_then(|moved| moved.churn)
                .map(|churn| 100.0 * churn),
        ),
        moment.model_id.clone(),
    ]
}

impl Migration {
    /// From which tier to which.
    fn text(&self) -> String {
        let names = ContactPriority::QUARTILES.map(ContactPriority::name);
        let rows: Vec<Vec<String>> = names
            .iter()
            .zip(&self.counts)
            .map(|(name, counts)| {
                std::iter::once((*name).to_owned())
                    .chain(counts.iter().map(|n| count(*n)))
                    .collect()
            })
            .collect();
        let by = if self.is_other_model {
            ", by another model"
        } else {
            ""
        };
        let header = [&["then \\ now"], names.as_slice()].concat();
        format!(
            "{} open then and now, by tier at {}{by} (rows) and at the last moment (columns):\n\n{}",
            counted(self.n_both, "lead"),
            self.since,
            table(&header, &rows)
        )
    }
}
