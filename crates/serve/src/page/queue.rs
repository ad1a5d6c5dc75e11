//! The queue: open leads, best first, with the line at what can be called today.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use leadscore_core::{Timestamp, agree, count, counted};
use maud::{Markup, html};

use super::answer;
use super::filters::{self, Filters};
use super::guard::{self, Visitor};
use super::layout::{Tab, frame};
use super::sentences::{record_sentence, refused};
use super::since::Since;
use super::tiers::{shapes, tier};
use super::words::{age, ago, last_word, likelihood, near, points, shown};
use super::{Asked, Page};
use crate::percent::lead_address;
use crate::{Change, Queue, QueueRow, TierRecord};

/// Columns of the table.
const COLUMNS: usize = 7;

/// The page of the queue.
pub(crate) fn answer(page: &Page, asked: &Asked, fields: &[(String, String)]) -> Response<Body> {
    let admitted = filters::admit(page, asked, fields, "/", Filters::address);
    let (visitor, filters, here) = match admitted {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let last = match page.sessions.look(&visitor.caller.name, visitor.now) {
        Ok(last) => last,
        Err(error) => return *guard::failed(&error),
    };
    let since = Since::of(last, visitor.now);
    let query = filters.query(&visitor.caller, since.at);
    let queue = match page.app.engine().queue(&query) {
        Ok(queue) => queue,
        Err(error) => return refused(page, &visitor, &error, &here),
    };
    let leads: Vec<String> = queue
        .rows
        .iter()
        .map(|row| row.score.lead.clone())
        .collect();
    asked.trail.leads(&leads);
    let record = page.app.engine().track_record();
    let body = render(page, &visitor, &filters, &since, &queue, &record);
    let frame = frame(&visitor.frame("Queue", Some(Tab::Queue)), &body);
    visitor.with_cookie(page, answer::page(StatusCode::OK, frame))
}

fn render(
    page: &Page,
    visitor: &Visitor,
    filters: &Filters,
    since: &Since,
    queue: &Queue,
    record: &[TierRecord],
) -> Markup {
    let compared = since.clone().shown(&queue.rows, queue.at);
    html! {
        (shapes())
        (head(page, visitor, filters, queue))
        (filters.form(page, &visitor.caller, &since.words))
        @if queue.rows.is_empty() {
            (nothing(filters, since))
        } @else {
            (table(queue, &compared))
            (pages(filters, queue))
        }
        (foot(page, queue, record))
    }
}

fn head(page: &Page, visitor: &Visitor, filters: &Filters, queue: &Queue) -> Markup {
    let whose = visitor
        .caller
        .owner
        .as_deref()
        .map_or_else(String::new, |owner| format!(" of {}", shown(owner, 40)));
    let days = page.app.engine().model().horizon_days;
    let first = Filters {
        cursor: None,
        ..filters.clone()
    };
    html! {
        div.head {
            h1 { "Leads to call" bdi { (whose) } }
            p.soft {
                (count(queue.n_matching)) " open " (agree(queue.n_matching, "lead", "leads"))
                @if filters.are_set() { " that " (agree(queue.n_matching, "matches", "match")) }
                ", best first. Likelihood: to be won within " (days) " days, as of "
                time datetime=(queue.at) { (near(queue.at, visitor.now)) " UTC" }
                ". Order, and where tiers start: " (ago(queue.ordered_at, queue.at)) "."
            }
            @if queue.n_held_back > 0 { p.soft { (held_back(&first, queue.n_held_back)) } }
            @if queue.is_reordered { p.soft { "The order is newer than that of the page before: a lead may be on both, or on none. " a href=(first.address()) { "First page" } } }
            @if let Some(sentence) = line_above(queue, filters) { p.capacity { (sentence) } }
        }
    }
}

/// How many leads are not in the queue, and where they are. Only the owner and the search count: by
/// the other filters the number would tell what their scores are.
fn held_back(first: &Filters, n: usize) -> Markup {
    html! {
        (count(n)) " more " (agree(n, "lead is", "leads are")) " held back from prioritizing, by chance"
        @if first.owner.is_some() || first.search.is_some() { " (of this owner and search)" }
        ". " a href=(first.held_back_address()) { "Work on them in the order in which they came" }
    }
}

/// How many leads can be called today, before they are listed.
fn line_above(queue: &Queue, filters: &Filters) -> Option<String> {
    let capacity = queue.capacity?;
    let first = queue.rows.first()?.rank;
    let n = counted(capacity, "lead");
    if capacity == 0 && filters.are_set() {
        Some("None of these is above today’s line.".to_owned())
    } else if capacity == 0 {
        Some("None of these can be called today: the capacity is 0.".to_owned())
    } else if first > capacity {
        Some(format!(
            "You can call {n} today. All on this page are below the line: tomorrow."
        ))
    } else if capacity >= queue.n_matching {
        Some(format!("You can call {n} today: all of these."))
    } else if filters.are_set() {
        let are = agree(capacity, "is", "are");
        Some(format!(
            "{n} of these {are} above today’s line: call them today."
        ))
    } else {
        Some(format!("You can call {n} today."))
    }
}

/// The rank after which the line is, where it is among the rows of this page.
fn line_after(queue: &Queue) -> Option<usize> {
    let capacity = queue.capacity?;
    let is_within = queue.rows.first()?.rank <= capacity && capacity < queue.n_matching;
    (is_within && queue.rows.last()?.rank >= capacity).then_some(capacity)
}

fn table(queue: &Queue, since: &Since) -> Markup {
    let line = line_after(queue);
    let (above, below) = match line {
        Some(rank) => queue
            .rows
            .split_at(queue.rows.partition_point(|row| row.rank <= rank)),
        None => (&queue.rows[..], &[][..]),
    };
    html! {
        table.queue {
            caption { "Open leads, best first. “Changed” is since " (since.words) "." }
            thead { tr {
                th scope="col" { abbr title="Rank" { "#" } }
                th scope="col" { "Lead" }
                th scope="col" aria-sort="descending" { "Likelihood" }
                th scope="col" { "Why" }
                th scope="col" { "Changed" }
                th scope="col" { "Age" }
                th scope="col" { "Last word" }
            } }
            tbody { @for row in above { (line_of(row, since, queue.at)) } }
            @if let Some(n) = line {
                tbody.below {
                    tr.line { th scope="rowgroup" colspan=(COLUMNS) {
                        "You can call " (counted(n, "lead")) " today; below this line tomorrow"
                    } }
                    @for row in below { (line_of(row, since, queue.at)) }
                }
            }
        }
    }
}

fn line_of(row: &QueueRow, since: &Since, now: Timestamp) -> Markup {
    let score = &row.score;
    html! {
        tr {
            td { (count(row.rank)) }
            th scope="row" {
                a href=(lead_address(&score.lead)) { bdi { (name_of(&row.name, &score.lead)) } }
                (about(row))
            }
            td { b { (likelihood(score.likelihood)) } (tier(score.tier)) }
            td {
                @for reason in score.reasons.iter().take(2) {
                    p class=[(reason.log_odds < 0.0).then_some("no")] { (shown(&reason.text, 160)) }
                }
                @if score.reasons.is_empty() { p.none { "nothing known of it" } }
                @if score.outside.is_some() { p.tag { "unlike training" } }
            }
            td { (changed(row.change.as_ref(), since, now)) (crossed(row, now)) }
            td { (age(row.age_days)) }
            td { (last_word(row.word.as_ref(), now)) }
        }
    }
}

/// How people call a lead; its ID where it has no name.
pub(crate) fn name_of(name: &str, lead: &str) -> String {
    [name, lead]
        .into_iter()
        .map(|text| shown(text, 80))
        .find(|text| !text.is_empty())
        .unwrap_or_else(|| "(no name)".to_owned())
}

/// Owner, shown columns, and the ID where the name is another text.
fn about(row: &QueueRow) -> Markup {
    let mut parts: Vec<String> = row.owner.iter().map(|owner| shown(owner, 40)).collect();
    parts.extend(row.shown.iter().map(|(_, value)| shown(value, 40)));
    if !row.name.trim().is_empty() && row.name != row.score.lead {
        parts.push(shown(&row.score.lead, 40));
    }
    parts.retain(|part| !part.is_empty());
    html! { @if !parts.is_empty() { small { @for (n, part) in parts.iter().enumerate() { @if n > 0 { " · " } bdi { (part) } } } } }
}

fn changed(change: Option<&Change>, since: &Since, now: Timestamp) -> Markup {
    let Some(change) = change else {
        return html! {};
    };
    // Smaller than what the page shows of a likelihood.
    if change.points.abs() < 0.05 && change.because.is_none() {
        return html! {};
    }
    let sign = if change.points < 0.0 { "down" } else { "up" };
    html! {
        p { b class=(sign) { (points(change.points)) }
            @if let Some(because) = &change.because { ": " (shown(because, 240)) }
            @if !since.is(change.since) { small { "since " (near(change.since, now)) } }
        }
    }
}

fn crossed(row: &QueueRow, now: Timestamp) -> Markup {
    html! {
        @for (name, at) in &row.crossed { p.tag { "crossed " bdi { (shown(name, 40)) } ", " (ago(*at, now)) } }
    }
}

fn pages(filters: &Filters, queue: &Queue) -> Markup {
    let (Some(first), Some(last)) = (queue.rows.first(), queue.rows.last()) else {
        return html! {};
    };
    let start = Filters {
        cursor: None,
        ..filters.clone()
    };
    let next = queue.next.clone().map(|next| Filters {
        cursor: Some(next),
        ..filters.clone()
    });
    html! {
        nav.pages aria-label="Parts of the queue" {
            @if filters.cursor.is_some() { a href=(start.address()) { "First page" } }
            span { (count(first.rank)) " to " (count(last.rank)) " of " (count(queue.n_matching)) }
            @if let Some(next) = next { a href=(next.address()) rel="next" { "Next page" } }
        }
    }
}

/// Why no lead is shown.
fn nothing(filters: &Filters, since: &Since) -> Markup {
    let only_changed = Filters {
        changed: false,
        ..filters.clone()
    };
    html! {
        section.notice {
            @if filters.changed && !only_changed.are_set() {
                h2 { "Nothing changed" }
                p { "No likelihood moved by a point or more since " (since.words) "." }
                p { a href="/" { "All leads" } }
            } @else if filters.are_set() {
                h2 { "No lead matches" }
                p { "No open lead matches all of these filters." }
                p { a href="/" { "All leads" } }
            } @else if filters.cursor.is_some() {
                h2 { "This is the end of the queue" }
                p { a href="/" { "First page" } }
            } @else {
                h2 { "No lead is open" }
                p { "Leads appear here as soon as there are some that are neither won nor lost." }
            }
        }
    }
}

fn foot(page: &Page, queue: &Queue, record: &[TierRecord]) -> Markup {
    let best = record.iter().find(|record| record.n > 0);
    let model = page.app.engine().model();
    html! {
        footer {
            @if let Some(record) = best { p { "Track record: " (record_sentence(record)) } }
            @else { p { "Track record: no scores are old enough yet to know what became of their leads." } }
            @if queue.capacity.is_none() { p { "No capacity is set, so that there is no line at what can be called today." } }
            p { "Model " (shown(&model.id, 24))
                @if let Some(cutoff) = &model.training_cutoff { ", trained on data up to " (shown(cutoff, 40)) }
                ". Likelihoods are of this model; what it does not know is not in them." }
        }
    }
}
