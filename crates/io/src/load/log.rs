//! Outcomes that are a log: each row a change of how its lead stands.

use std::sync::Arc;

use leadscore_core::{Span, counted};
use leadscore_dataset::{Change, Courses, LeadOutcome, LogRow, Note, Standing};

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
        mut rows: Vec<Vec<Entry>>,
        corrections: Option<Span>,
        is_all: bool,
        remarks: &mut Remarks,
    ) -> Self {
        // Of one moment the later row of the table is the later change.
        rows.iter_mut()
            .for_each(|rows| rows.sort_by_key(|row| (row.row.at, row.place)));
        let of_lead = |rows: &Vec<Entry>| rows.iter().map(|entry| entry.row).collect();
        let courses = Courses::new(rows.iter().map(of_lead), corrections);
        let outcomes = rows
            .iter()
            .enumerate()
            .map(|(lead, rows)| outcome(&courses.of(lead as u32), rows))
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

/// A row of a lead as the table has it.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    pub(super) row: LogRow,
    /// The row of the table.
    pub(super) place: usize,
    /// NaN for none.
    pub(super) amount: f64,
}

/// How a lead stands at the end of its course, and what it paid for its wins.
fn outcome(changes: &[Change], rows: &[Entry]) -> LeadOutcome {
    let is_win = |entry: &&Entry| {
        changes.iter().any(|change| {
            change.at == entry.row.at && change.standing == Standing::Won && !change.is_mistake
        })
    };
    let amounts = rows
        .iter()
        .filter(|entry| entry.row.standing == Standing::Won && !entry.amount.is_nan())
        .filter(is_win);
    let amount = amounts.map(|entry| entry.amount).reduce(|a, b| a + b);
    let open = LeadOutcome {
        amount,
        ..LeadOutcome::default()
    };
    let Some(last) = changes
        .last()
        .filter(|change| change.standing != Standing::Open)
    else {
        return open;
    };
    let is_won = last.standing == Standing::Won;
    let seen = rows
        .iter()
        .find(|entry| entry.row.at == last.at && entry.row.standing == last.standing)
        .map(|entry| entry.row.seen);
    LeadOutcome {
        closed: Some(last.at),
        closed_seen: seen,
        won: is_won.then_some(last.at),
        won_seen: seen.filter(|_| is_won),
        ..open
    }
}

/// Says how many leads were open again, and how soon wins were replaced.
fn say(courses: &Courses, n_leads: usize, corrections: Option<Span>, remarks: &mut Remarks) {
    let leads = || (0..n_leads as u32).map(|lead| courses.of(lead));
    let is_open = |change: &Change| change.standing == Standing::Open;
    let reopened = leads().filter(|changes| changes.iter().any(is_open));
    remarks.count(
        "[outcomes]",
        reopened.count(),
        "lead was open again after it had closed: it is at risk again from then on",
        "leads were open again after they had closed: they are at risk again from then on",
    );
    let n_corrected = leads().flatten().filter(|change| change.is_mistake).count();
    remarks.count(
        "[outcomes]",
        n_corrected,
        "closing was replaced within `corrections` and counts as a mistake",
        "closings were replaced within `corrections` and count as mistakes",
    );
    // Wins that did not last, by how soon they were replaced.
    let mut hours: Vec<f64> = leads()
        .flat_map(|changes| {
            let pairs = changes.windows(2);
            let of_wins =
                pairs.filter(|pair| pair[0].standing == Standing::Won && !pair[0].is_mistake);
            let hours = of_wins.map(|pair| 24.0 * pair[1].at.days_since(pair[0].at));
            hours.collect::<Vec<f64>>()
        })
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
