//! The manager's page: whether the tiers hold, who looks and who calls, and what was left.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use leadscore_core::{Span, count, counted};
use maud::{Markup, html};

use super::answer::{self, Notice};
use super::guard::{self, Visitor};
use super::layout::{Tab, frame};
use super::queue::name_of;
use super::sentences::{record_sentence, record_verdict, refused};
use super::tiers::{shapes, tier};
use super::words::{age, day, likelihood, shown, word};
use super::{Asked, Page};
use crate::auth::Right;
use crate::percent::lead_address;
use crate::{Act, Queue, QueueQuery, QueueRow, TierRecord, UseOfWeek};

/// Weeks of use that are shown.
const WEEKS: u32 = 8;

/// Leads above the line that are looked at, and leads without a word that are listed: the engine's
/// most, and a page.
const MOST_ABOVE: usize = 500;
const MOST_LISTED: usize = 50;

/// A word that is older than this is of another time: the lead is waiting again.
const FRESH_DAYS: f64 = 14.0;

/// The manager's page.
pub(crate) fn answer(page: &Page, asked: &Asked) -> Response<Body> {
    let visitor = match guard::admit(page, asked, "/manager") {
        Ok(visitor) => visitor,
        Err(response) => return *response,
    };
    if !visitor.caller.role.may(Right::Act) {
        let notice = Notice::new(StatusCode::FORBIDDEN, "This page is not for you")
            .text("It shows who works on what. Ask whoever runs the server for a token with the role “act” or “admin”.");
        return visitor.plain(page, &notice.queue_link());
    }
    let above = match leads_above(page, &visitor) {
        Ok(above) => above,
        Err(error) => return refused(page, &visitor, &error, "/manager"),
    };
    // Who sees one owner's leads sees their own use only.
    let user = visitor
        .caller
        .owner
        .as_ref()
        .map(|_| visitor.caller.name.as_str());
    let since = visitor.now - Span::from_days(7 * (WEEKS - 1));
    let usage = match page.sessions.usage(since, user) {
        Ok(usage) => usage,
        Err(error) => return *guard::failed(&error),
    };
    let body = html! {
        (shapes())
        div.head { h1 { "Does it hold, and is it used?" } }
        section aria-labelledby="record" { h2 id="record" { "Tiers against results" } (record(page, &visitor)) }
        section aria-labelledby="left" { h2 id="left" { "Above the line, and nobody called" } (left(&above, &visitor)) }
        section aria-labelledby="use" { h2 id="use" { "Use by week" } (weeks(&usage)) }
        section aria-labelledby="model" { h2 id="model" { "The model" } (model(page)) }
    };
    let frame = frame(&visitor.frame("Manager", Some(Tab::Manager)), &body);
    visitor.with_cookie(page, answer::page(StatusCode::OK, frame))
}

fn leads_above(page: &Page, visitor: &Visitor) -> Result<Queue, crate::NoScore> {
    let ask = |limit| {
        page.app.engine().queue(&QueueQuery {
            owner: visitor.caller.owner.clone(),
            limit,
            ..QueueQuery::default()
        })
    };
    let first = ask(1)?;
    match first.capacity {
        Some(capacity) if capacity > 1 => ask(capacity.min(MOST_ABOVE)),
        Some(_) | None => Ok(first),
    }
}

/// The record of leads that were prioritized, and, where some were held back, of these.
fn record(page: &Page, visitor: &Visitor) -> Markup {
    if visitor.caller.owner.is_some() {
        return html! { p.soft { "The record is of all leads, and your token sees those of one owner." } };
    }
    let prioritized = page.app.engine().track_record();
    let held_back = page.app.engine().track_record_of_held_back();
    if held_back.is_empty() {
        return tiers(page, &prioritized, "");
    }
    html! {
        h3 { "Leads that were prioritized" }
        (tiers(page, &prioritized, "Prioritized leads"))
        h3 { "Leads that were held back" }
        (tiers(page, &held_back, "Held-back leads"))
        p.soft { "Nobody saw the tiers of held-back leads. If the model is right, they are won as predicted; what prioritized leads of a tier win beyond that is what calling by score brings, if both were called as people would without scores, and these more." }
    }
}

fn tiers(page: &Page, record: &[TierRecord], whose: &str) -> Markup {
    let n: usize = record.iter().map(|record| record.n).sum();
    if n == 0 {
        return html! { p.soft { "No score is old enough yet: what became of a lead is known " (page.app.engine().model().horizon_days) " days after its score." } };
    }
    html! {
        @if let Some(best) = record.iter().find(|record| record.n > 0) { p.lead { (record_sentence(best)) } }
        table.numbers.wide {
            caption { @if whose.is_empty() { "Leads" } @else { (whose) } " by their tier then, of scores whose " (page.app.engine().model().horizon_days) " days have ended" }
            thead { tr { th scope="col" { "Tier" } th scope="col" { "Leads" } th scope="col" { "Won" } th scope="col" { "Predicted" } th scope="col" { "Win rate" } th scope="col" { "Predicted rate" } th.text scope="col" { "Verdict" } } }
            tbody { @for record in record {
                tr { th scope="row" { (tier(record.tier)) } td data-name="Leads" { (count(record.n)) } td data-name="Won" { (count(record.n_won)) } td data-name="Predicted" { (format!("{:.1}", record.predicted)) }
                    td data-name="Win rate" { (share(record.n_won as f64, record.n)) } td data-name="Predicted rate" { (share(record.predicted, record.n)) } td.text { (record_verdict(record)) } }
            } }
        }
        p.soft { "Beyond chance: a gap that chance alone makes in fewer than 1 of 20 tiers." }
    }
}

fn share(part: f64, n: usize) -> String {
    if n == 0 {
        "–".to_owned()
    } else {
        likelihood(100.0 * part / n as f64)
    }
}

fn left(above: &Queue, visitor: &Visitor) -> Markup {
    let Some(capacity) = above.capacity else {
        return html! { p.soft { "No capacity is set, so that there is no line. `capacity` of [report] in leadscore.toml draws it." } };
    };
    let rows: Vec<&QueueRow> = above
        .rows
        .iter()
        .filter(|row| row.rank <= capacity)
        .collect();
    let waiting: Vec<&QueueRow> = rows
        .iter()
        .copied()
        .filter(|row| {
            row.word
                .as_ref()
                .is_none_or(|word| visitor.now.days_since(word.at) > FRESH_DAYS)
        })
        .collect();
    if rows.is_empty() {
        return html! { p.soft { "No lead is above the line." } };
    }
    if waiting.is_empty() {
        return html! { p { "Each of the " (counted(rows.len(), "lead")) " above today’s line has a word of the last two weeks." } };
    }
    html! {
        p.lead { "In the last two weeks nobody gave a word on " (count(waiting.len())) " of the " (counted(rows.len(), "lead")) " above today’s line." }
        table.wide {
            caption.hidden { "Leads above the line without a word" }
            thead { tr { th scope="col" { "#" } th scope="col" { "Lead" } th scope="col" { "Owner" } th scope="col" { "Likelihood" } th scope="col" { "Age" } } }
            tbody { @for row in waiting.iter().take(MOST_LISTED) {
                tr { td { (count(row.rank)) } th scope="row" { a href=(lead_address(&row.score.lead)) { bdi { (name_of(&row.name, &row.score.lead)) } } }
                    td.text { bdi { (row.owner.as_deref().map_or_else(|| "nobody".to_owned(), |owner| shown(owner, 60))) } }
                    td { (likelihood(row.score.likelihood)) } td { (age(row.age_days)) } }
            } }
        }
        @if waiting.len() > MOST_LISTED { p.soft { "The first " (MOST_LISTED) " of them." } }
        @if capacity > MOST_ABOVE { p.soft { "Of the first " (MOST_ABOVE) " leads; the line is at " (count(capacity)) "." } }
    }
}

fn weeks(usage: &[UseOfWeek]) -> Markup {
    if usage.is_empty() {
        return html! { p.soft { "Nobody has used the page in the last " (WEEKS) " weeks." } };
    }
    let total = |act| usage.iter().map(|row| row.count(act)).sum::<u32>();
    html! {
        table.numbers.wide {
            caption { "Visits, leads opened and words, by user; weeks begin on Monday, UTC" }
            thead { tr { th scope="col" { "Week of" } th.text scope="col" { "User" } @for act in Act::ALL { th scope="col" { (title(act)) } } } }
            tbody { @for row in usage {
                tr { th scope="row" { (day(row.week)) } td.text { bdi { (shown(&row.user, 60)) } }
                    @for act in Act::ALL { td data-name=(title(act)) { (count(row.count(act))) } } }
            } }
            tfoot { tr { th scope="row" colspan="2" { "All" } @for act in Act::ALL { td data-name=(title(act)) { (count(total(act))) } } } }
        }
        p.soft { "Words given on this page. Words sent by other systems are on the pages of their leads." }
    }
}

fn title(act: Act) -> &'static str {
    match act {
        Act::Visit => "Visits",
        Act::Lead => "Leads opened",
        Act::Word(kind) => word(kind),
    }
}

fn model(page: &Page) -> Markup {
    let model = page.app.engine().model();
    html! {
        dl.facts {
            div { dt { "Model" } dd { code { (shown(&model.id, 64)) } } }
            div { dt { "Horizon" } dd { (model.horizon_days) " days" } }
            @if let Some(cutoff) = &model.training_cutoff { div { dt { "Trained on data up to" } dd { (shown(cutoff, 60)) } } }
            div { dt { "Features" } dd { (count(model.features.len())) } }
        }
        @if let Some(why) = &model.why { p { (shown(why, 600)) } }
        h3 { "Limitations" }
        @if model.limitations.is_empty() { p.soft { "None is known." } }
        @else { ul { @for limit in &model.limitations { li { (shown(limit, 400)) } } } }
    }
}
