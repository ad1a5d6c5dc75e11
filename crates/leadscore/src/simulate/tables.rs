//! The tables of a made-up CRM.

use std::ops::Range;

use leadscore_core::Timestamp;
use leadscore_io::{OutColumn, OutTable};
use leadscore_simulate::{Chunk, Event, Simulator};

/// Some of the accounts.
pub(super) fn account_table(simulator: &Simulator, range: Range<u32>) -> OutTable {
    let rows = &simulator.accounts(range);
    table([
        ("account_id", texts(rows, |row| Some(&row.account_id))),
        ("industry", texts(rows, |row| Some(row.industry))),
        ("employees", texts(rows, |row| Some(row.employees))),
        ("country", texts(rows, |row| Some(row.country))),
    ])
}

/// The tables of a chunk, in the order of the writers.
pub(super) fn tables_of(chunk: &Chunk) -> [OutTable; 7] {
    [
        lead_table(chunk),
        touch_table(chunk),
        session_table(chunk),
        sales_table(chunk),
        deal_table(chunk),
        stage_table(chunk),
        truth_table(chunk),
    ]
}

/// The leads, with what is known of them from the start.
fn lead_table(chunk: &Chunk) -> OutTable {
    let rows = &chunk.leads;
    table([
        ("lead_id", texts(rows, |row| Some(&row.lead_id))),
        ("account_id", texts(rows, |row| Some(&row.account_id))),
        ("created_at", times(rows, |row| Some(row.created_at))),
        ("source", texts(rows, |row| row.source)),
        ("role", texts(rows, |row| Some(row.role))),
        ("seats", numbers(rows, |row| row.seats.unwrap_or(f64::NAN))),
        ("first_pages", numbers(rows, |row| row.first_pages)),
        (
            "free_mail",
            OutColumn::Boolean(rows.iter().map(|row| row.free_mail).collect()),
        ),
        ("manual_score", numbers(rows, |row| row.manual_score)),
    ])
}

/// Mails, forms and webinars.
fn touch_table(chunk: &Chunk) -> OutTable {
    let mut table = event_table(&chunk.touches);
    table.push("touch_type", texts(&chunk.touches, |row| Some(row.kind)));
    table
}

/// Visits of the web site.
fn session_table(chunk: &Chunk) -> OutTable {
    let rows = &chunk.sessions;
    let mut table = event_table(rows);
    table.push("page_views", numbers(rows, |row| row.page_views));
    table.push("minutes", numbers(rows, |row| row.minutes));
    table
}

/// What sales did.
fn sales_table(chunk: &Chunk) -> OutTable {
    let mut table = event_table(&chunk.sales);
    table.push("activity_type", texts(&chunk.sales, |row| Some(row.kind)));
    table
}

/// The deals, with how they ended.
fn deal_table(chunk: &Chunk) -> OutTable {
    let rows = &chunk.deals;
    table([
        ("deal_id", texts(rows, |row| Some(&row.deal_id))),
        ("lead_id", texts(rows, |row| Some(&row.lead_id))),
        ("amount", numbers(rows, |row| row.amount)),
        ("stage", texts(rows, |row| Some(row.stage))),
        ("closed_at", times(rows, |row| row.closed_at)),
    ])
}

/// How deals moved from stage to stage.
fn stage_table(chunk: &Chunk) -> OutTable {
    let rows = &chunk.stages;
    table([
        ("deal_id", texts(rows, |row| Some(&row.deal_id))),
        ("lead_id", texts(rows, |row| Some(&row.lead_id))),
        ("stage", texts(rows, |row| Some(row.stage))),
        ("entered_at", times(rows, |row| Some(row.entered_at))),
    ])
}

/// The true probability of each lead at each snapshot.
fn truth_table(chunk: &Chunk) -> OutTable {
    let rows = &chunk.truth;
    table([
        ("lead_id", texts(rows, |row| Some(&row.lead_id))),
        ("snapshot", times(rows, |row| Some(row.snapshot))),
        ("probability", numbers(rows, |row| row.probability)),
    ])
}

/// What all kinds of events have.
fn event_table(events: &[Event]) -> OutTable {
    table([
        ("lead_id", texts(events, |row| Some(&row.lead_id))),
        ("at", times(events, |row| Some(row.at))),
        ("recorded_at", times(events, |row| Some(row.recorded_at))),
    ])
}

/// A table of these columns.
fn table<const N: usize>(columns: [(&str, OutColumn); N]) -> OutTable {
    let mut table = OutTable::default();
    for (name, column) in columns {
        table.push(name, column);
    }
    table
}

/// A text of each row.
fn texts<'r, R, T: AsRef<str> + ?Sized + 'r>(
    rows: &'r [R],
    text: impl Fn(&'r R) -> Option<&'r T>,
) -> OutColumn {
    let text = |row| text(row).map(|text| text.as_ref().to_owned());
    OutColumn::Text(rows.iter().map(text).collect())
}

/// A moment of each row.
fn times<R>(rows: &[R], time: impl Fn(&R) -> Option<Timestamp>) -> OutColumn {
    OutColumn::Time(rows.iter().map(time).collect())
}

/// A number of each row.
fn numbers<R>(rows: &[R], number: impl Fn(&R) -> f64) -> OutColumn {
    OutColumn::Number(rows.iter().map(number).collect())
}
