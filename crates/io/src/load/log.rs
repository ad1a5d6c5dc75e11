//! Outcomes that are a log: each row a change of how its lead stands.

use std::sync::Arc;

use leadscore_core::{Span, Timestamp, counted};
use leadscore_dataset::{Change, Courses, LeadOutcome, NEVER, Note, Standing};

use crate::remarks::Remarks;

/// What a log says of leads as of a moment.
pub(super) struct Log {
    /// How each lead stands at the end, and since when.
    pub(super) outcomes: Vec<LeadOutcome>,
    pub(super) courses: Arc<Courses>,
}

impl Log {
    /// Reads the rows of each lead, in any order; `is_all` where no moment leaves some out.
    pub(super) fn read(
        mut rows: Vec<Vec<LogRow>>,
        corrections: Option<Span>,
        is_all: bool,
        remarks: &mut Remarks,
    ) -> Self {
        // Of one moment the later row of the table is the later change.
        rows.iter_mut()
            .for_each(|rows| rows.sort_by_key(|row| (row.at, row.place)));
        let courses = Courses::new(rows.iter().map(|rows| changes(rows, corrections)));
        let outcomes = rows
            .iter()
            .enumerate()
            .map(|(lead, rows)| outcome(courses.of(lead as u32), rows))
            .collect();
        if is_all {
            say(&courses, rows.len(), corrections, remarks);
        }
        Self {
            outcomes,
            courses: Arc::new(courses),
        }
    }
}

/// A row of a lead.
#[derive(Clone, Copy)]
pub(super) struct LogRow {
    pub(super) at: Timestamp,
    /// The row of the table.
    pub(super) place: usize,
    /// From when it is known, never before.
    pub(super) seen: Timestamp,
    pub(super) standing: Standing,
    /// NaN for none.
    pub(super) amount: f64,
}

/// The changes that rows in order of time are; a closing that is replaced within `corrections` was
/// a mistake.
fn changes(rows: &[LogRow], corrections: Option<Span>) -> Vec<Change> {
    let mut changes: Vec<Change> = Vec::with_capacity(rows.len());
    for row in rows {
        if let Some(before) = changes.last_mut()
            && before.standing != Standing::Open
            && before.standing != row.standing
            && corrections.is_some_and(|within| row.at <= before.at + within)
        {
            before.corrected = row.seen.max(before.seen);
        }
        if changes
            .last()
            .map_or(Standing::Open, |change| change.standing)
            != row.standing
        {
            changes.push(Change {
                at: row.at,
                seen: row.seen,
                standing: row.standing,
                corrected: NEVER,
            });
        }
    }
    changes
}

/// How a lead stands at the end of its course, and what it paid for its wins.
fn outcome(changes: &[Change], rows: &[LogRow]) -> LeadOutcome {
    let is_win = |row: &&LogRow| {
        let change = changes.iter().find(|change| change.at == row.at);
        change.is_some_and(|change| change.standing == Standing::Won && change.corrected == NEVER)
    };
    let amounts = rows
        .iter()
        .filter(|row| row.standing == Standing::Won && !row.amount.is_nan())
        .filter(is_win);
    let amount = amounts.map(|row| row.amount).reduce(|a, b| a + b);
    let Some(last) = changes
        .last()
        .filter(|change| change.standing != Standing::Open)
    else {
        return LeadOutcome::default();
    };
    let is_won = last.standing == Standing::Won;
    LeadOutcome {
        closed: Some(last.at),
        closed_seen: Some(last.seen),
        won: is_won.then_some(last.at),
        won_seen: is_won.then_some(last.seen),
        amount: amount.filter(|_| is_won),
        ..LeadOutcome::default()
    }
}

/// Says how many leads were open again, and how soon wins were replaced.
fn say(courses: &Courses, n_leads: usize, corrections: Option<Span>, remarks: &mut Remarks) {
    let leads = || (0..n_leads as u32).map(|lead| courses.of(lead));
    let reopened = leads().filter(|changes| {
        changes
            .iter()
            .any(|change| change.standing == Standing::Open)
    });
    remarks.count(
        "[outcomes]",
        reopened.count(),
        "lead was open again after it had closed: it is at risk again from then on",
        "leads were open again after they had closed: they are at risk again from then on",
    );
    let n_corrected = leads()
        .flatten()
        .filter(|change| change.corrected != NEVER)
        .count();
    remarks.count(
        "[outcomes]",
        n_corrected,
        "closing was replaced within `corrections` and counts as a mistake",
        "closings were replaced within `corrections` and count as mistakes",
    );
    // Wins that did not last, by how soon they were replaced.
    let mut hours: Vec<f64> = leads()
        .flat_map(|changes| changes.windows(2))
        .filter(|pair| pair[0].standing == Standing::Won && pair[0].corrected == NEVER)
        .map(|pair| 24.0 * pair[1].at.days_since(pair[0].at))
        .collect();
    hours.sort_by(f64::total_cmp);
    if let (Some(&median), Some(&longest)) = (hours.get(hours.len() / 2), hours.last()) {
        let wins = counted(hours.len(), "win");
        let but = match corrections {
            Some(_) => "they count as wins, since they lasted longer than `corrections`",
            None => {
                "they count as wins; `corrections = \"1d\"` takes closings that were replaced within a day for mistakes"
            }
        };
        remarks.note(Note::new(
            "[outcomes]",
            format!(
                "{wins} did not last: replaced after {median:.1} hours (median) to {longest:.1} hours; {but}"
            ),
        ));
    }
}
