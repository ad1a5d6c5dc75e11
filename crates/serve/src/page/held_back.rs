//! Leads that are held back from prioritizing, in the order in which they came: a list without a
//! likelihood, a tier or a reason, in which nothing says who would be on top.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use leadscore_core::{agree, count, counted};
use maud::{Markup, html};

use super::answer;
use super::filters::{self, Filters, ROWS};
use super::guard::Visitor;
use super::labels::Labels;
use super::layout::frame;
use super::queue::name_of;
use super::sentences::refused;
use super::words::{age, last_word, shown};
use super::{Asked, Page};
use crate::percent::lead_address;
use crate::{HeldBack, HeldBackQuery, HeldBackRow};

/// What the hold-back arm is, in one sentence.
pub(crate) const WHY: &str = "Leads are held back by chance and not by their score, so that what calling by score brings can be measured.";

/// The page of the list.
pub(crate) fn answer(page: &Page, asked: &Asked, fields: &[(String, String)]) -> Response<Body> {
    let address = Filters::held_back_address;
    let (visitor, filters, here) = match filters::admit(page, asked, fields, "/held-back", address)
    {
        Ok(admitted) => admitted,
        Err(response) => return *response,
    };
    let query = HeldBackQuery {
        owner: visitor
            .caller
            .owner
            .clone()
            .or_else(|| filters.owner.clone()),
        search: filters.search.clone(),
        cursor: filters.cursor.clone(),
        limit: ROWS,
    };
    let list = match page.app.engine().held_back(&query) {
        Ok(list) => list,
        Err(error) => return refused(page, &visitor, &error, &here),
    };
    let leads: Vec<String> = list.rows.iter().map(|row| row.lead.clone()).collect();
    asked.trail.leads(&leads);
    let body = render(page, &visitor, &filters, &list);
    let frame = frame(&visitor.frame("Held back", None), &body);
    visitor.with_cookie(page, answer::page(StatusCode::OK, frame))
}

fn render(page: &Page, visitor: &Visitor, filters: &Filters, list: &HeldBack) -> Markup {
    let whose = visitor
        .caller
        .owner
        .as_deref()
        .map_or_else(String::new, |owner| format!(" of {}", shown(owner, 40)));
    html! {
        p.back { a href="/" { "← Queue" } }
        div.head {
            h1 { "Leads that are held back" bdi { (whose) } }
            p.soft { (count(list.n_matching)) " open " (agree(list.n_matching, "lead", "leads"))
                @if filters.search.is_some() || filters.owner.is_some() { " that " (agree(list.n_matching, "matches", "match")) }
                ", in the order in which they came, the latest first. " (WHY)
                " They have no likelihood here: work on them as if there were no scores, and leave none alone." }
        }
        (filters.held_back_form(page, &visitor.caller))
        @if list.rows.is_empty() {
            section.notice { h2 { "No lead is here" } p { "No open lead is held back, or none that matches." } p { a href="/" { "To the queue" } } }
        } @else {
            table.wide {
                caption.hidden { "Held-back leads, the latest first" }
                thead { tr { th scope="col" { "Lead" } th scope="col" { "Owner" } th scope="col" { "Age" } th scope="col" { "Last word" } } }
                tbody { @for row in &list.rows { (line_of(page, row, visitor)) } }
            }
            (pages(filters, list))
        }
    }
}

fn line_of(page: &Page, row: &HeldBackRow, visitor: &Visitor) -> Markup {
    let labels = Labels(&page.options.labels);
    html! {
        tr {
            th scope="row" { a href=(lead_address(&row.lead)) { bdi { (name_of(&row.name, &row.lead)) } }
                small { @for (column, value) in row.shown.iter().filter(|(_, value)| !value.trim().is_empty()) {
                    span.pair { span.soft { (labels.of(column)) " " } bdi { (shown(value, 60)) } } " " } } }
            td.text { bdi { (row.owner.as_deref().map_or_else(|| "nobody".to_owned(), |owner| shown(owner, 60))) } }
            td { (age(row.age_days)) }
            td.text { (last_word(row.word.as_ref(), visitor.now)) }
        }
    }
}

fn pages(filters: &Filters, list: &HeldBack) -> Markup {
    let to = |cursor: Option<String>| {
        Filters {
            cursor,
            ..filters.clone()
        }
        .held_back_address()
    };
    html! {
        @if filters.cursor.is_some() || list.next.is_some() {
            nav.pages aria-label="Parts of the list" {
                @if filters.cursor.is_some() { a href=(to(None)) { "First page" } }
                span { (counted(list.rows.len(), "lead")) " of " (count(list.n_matching)) }
                @if let Some(next) = &list.next { a href=(to(Some(next.clone()))) rel="next" { "Next page" } }
            }
        }
    }
}
