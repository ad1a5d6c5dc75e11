//! A lead's page: its likelihood, why, how it came, what it did, and the word of sales.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use leadscore_core::{ContactPriority, Timestamp, count, counted, hex};
use maud::{Markup, html};

use super::answer;
use super::guard::{self, Visitor};
use super::layout::frame;
use super::path_picture::path;
use super::queue::name_of;
use super::sentences::{refused, unknown};
use super::tiers::{shapes, tier};
use super::waterfall::waterfall;
use super::words::{
    WORDS, age, ago, likelihood, moment, near, points, rule_points, shown, word, word_key,
};
use super::{Asked, Page, field};
use crate::auth::Right;
use crate::limits::NOTE_CHARS;
use crate::percent::{encoded, lead_address};
use crate::{Act, LeadDetail, WordKind};

/// Events that are shown at once.
const EVENTS: usize = 30;

/// The page of a lead.
pub(crate) fn answer(
    page: &Page,
    asked: &Asked,
    id: &str,
    fields: &[(String, String)],
) -> Response<Body> {
    let here = lead_address(id);
    let visitor = match guard::admit(page, asked, &here) {
        Ok(visitor) => visitor,
        Err(response) => return *response,
    };
    asked.trail.lead(id);
    let detail = match page.app.engine().lead(id) {
        Ok(detail) => detail,
        Err(error) => return refused(page, &visitor, &error, &here),
    };
    if !visitor.caller.sees(detail.row.owner.as_deref()) {
        return visitor.plain(page, &unknown(id, true));
    }
    if let Err(error) = page
        .sessions
        .count(&visitor.caller.name, Act::Lead, visitor.now)
    {
        return *guard::failed(page, &error);
    }
    let all_events = field(fields, "events") == Some("all");
    let body = render(page, &visitor, &detail, all_events);
    let name = name_of(&detail.row);
    visitor.with_cookie(
        page,
        answer::page(StatusCode::OK, frame(&visitor.frame(&name, None), &body)),
    )
}

fn render(page: &Page, visitor: &Visitor, detail: &LeadDetail, all_events: bool) -> Markup {
    let score = &detail.row.score;
    html! {
        (shapes())
        p.back { a href="/" { "← Queue" } }
        (head(page, visitor, detail))
        @if visitor.caller.role.may(Right::Act) { (forms(visitor, detail)) }
        div.columns {
            section aria-labelledby="why" {
                h2 id="why" { "Why" }
                (waterfall(score))
                p.soft { "Reasons add up: the baseline and all of them are the log-odds, and these are the likelihood. Numbers are rounded." }
            }
            div {
                section aria-labelledby="next" { h2 id="next" { "Why not higher" } (next_tier(detail)) }
                section aria-labelledby="path" { h2 id="path" { "Over time" } (path(&detail.path)) }
                @if !detail.points.is_empty() || detail.row.points.is_some() { (rules(detail)) }
                section aria-labelledby="words" { h2 id="words" { "Word of sales" } (words(detail, visitor.now)) }
            }
        }
        section aria-labelledby="events" { h2 id="events" { "Events" } (events(detail, all_events)) }
        footer {
            p { "Model " (shown(&score.model, 24)) ". Input " code { (shown(&score.input_hash, 16)) } ", features " code { (shown(&score.feature_hash, 16)) }
                ": by these the score can be computed again, to the bit." }
        }
    }
}

fn head(page: &Page, visitor: &Visitor, detail: &LeadDetail) -> Markup {
    let row = &detail.row;
    let score = &row.score;
    let days = page.app.engine().model().horizon_days;
    let mut facts: Vec<(String, String)> = Vec::new();
    facts.push(("ID".to_owned(), shown(&score.lead, 80)));
    facts.extend(
        row.owner
            .iter()
            .map(|owner| ("Owner".to_owned(), shown(owner, 80))),
    );
    facts.extend(
        row.shown
            .iter()
            .map(|(name, value)| (shown(name, 40), shown(value, 120))),
    );
    facts.push(("Age".to_owned(), age(row.age_days)));
    facts.retain(|(_, value)| !value.is_empty());
    html! {
        div.head {
            h1 { bdi { (name_of(row)) } }
            dl.facts { @for (name, value) in &facts { div { dt { (name) } dd { bdi { (value) } } } } }
        }
        div.score {
            p.big { b { (likelihood(score.likelihood)) } (tier(score.tier)) }
            p { "Likelihood to be won within " (days) " days, as of "
                time datetime=(score.at) { (near(score.at, visitor.now)) " UTC" } "." }
            @if let Some(change) = &row.change {
                p { b { (points(change.points)) } " since " (near(change.since, visitor.now)) " UTC"
                    @if let Some(because) = &change.because { ": " (shown(because, 200)) } "." }
            }
            @for (name, at) in &row.crossed { p { "Crossed the threshold “" bdi { (shown(name, 60)) } "” " (ago(*at, visitor.now)) "." } }
        }
        @if let Some(outside) = &score.outside {
            p.aside { b { "Unlike training. " } "The model has seen few leads like this one, so the likelihood is less sure: " (shown(outside, 300)) "." }
        }
        @if score.held_back {
            p.aside { b { "This lead is in the comparison group. " } "It is left out of prioritizing on purpose, by chance and not by its score, so that what calling by score brings can be measured. Work on it as you would without this page." }
        }
    }
}

fn forms(visitor: &Visitor, detail: &LeadDetail) -> Markup {
    // One number for each time that the forms are shown: sending one twice counts once.
    let mut once = [0_u8; 16];
    let once = getrandom::fill(&mut once)
        .map(|()| hex(&once))
        .unwrap_or_default();
    let fixed = html! {
        input type="hidden" name="form" value=(visitor.form_token);
        // Browsers change line ends and drop other characters of a value that is not encoded.
        input type="hidden" name="lead" value=(encoded(&detail.row.score.lead));
        input type="hidden" name="once" value=(once);
    };
    html! {
        section.say aria-label="Your word on this lead" {
            form method="post" action="/words" {
                (fixed)
                @for kind in WORDS.into_iter().filter(|kind| *kind != WordKind::Wrong) {
                    button type="submit" name="said" value=(word_key(kind)) { (word(kind)) }
                }
            }
            form.wrong method="post" action="/words" {
                (fixed)
                label for="note" { "Wrong because …" }
                input id="note" name="note" required maxlength=(NOTE_CHARS) autocomplete="off";
                button type="submit" name="said" value=(word_key(WordKind::Wrong)) { "Score is wrong" }
            }
        }
    }
}

fn next_tier(detail: &LeadDetail) -> Markup {
    let score = &detail.row.score;
    let Some(next) = &detail.next_tier else {
        return html! {
            @if score.tier == ContactPriority::VeryHigh { p { "This lead is in the best tier." } }
            @else { p.soft { "It is not known at which likelihood the next tier starts." } }
        };
    };
    html! {
        p { (tier(next.tier)) " starts at " b { (likelihood(next.from)) } ". This lead is at " (likelihood(score.likelihood)) ": "
            (points(next.from - score.likelihood).trim_start_matches('+')) " to go." }
        @if next.by.is_empty() { p.soft { "No single step of this lead would bring it there." } }
        @else { p { "What would bring it there, if the rest stays as it is:" } ul { @for step in &next.by { li { (shown(step, 200)) } } } }
    }
}

fn rules(detail: &LeadDetail) -> Markup {
    let sum = detail
        .row
        .points
        .unwrap_or_else(|| detail.points.iter().map(|(_, points)| points).sum());
    html! {
        section aria-labelledby="rules" {
            h2 id="rules" { "Points of the rules" }
            table.numbers {
                caption.hidden { "Points by rule" }
                thead { tr { th scope="col" { "Rule" } th scope="col" { "Points" } } }
                tbody { @for (rule, points) in &detail.points { tr { th scope="row" { bdi { (shown(rule, 120)) } } td { (rule_points(*points)) } } } }
                tfoot { tr { th scope="row" { "All" } td { (rule_points(sum)) } } }
            }
            p.soft { "Points are beside the likelihood, and not part of it." }
        }
    }
}

fn words(detail: &LeadDetail, now: Timestamp) -> Markup {
    html! {
        @if detail.words.is_empty() { p.soft { "Nobody gave their word on this lead yet." } }
        @else {
            ol.words {
                @for said in &detail.words {
                    li { b { (word(said.said)) } " " span.soft { (near(said.at, now)) " UTC, " bdi { (shown(&said.by, 60)) } }
                        @if let Some(note) = &said.note { p { bdi { (shown(note, NOTE_CHARS)) } } } }
                }
            }
        }
    }
}

fn events(detail: &LeadDetail, all: bool) -> Markup {
    let n = detail.events.len();
    if n == 0 {
        return html! { p.soft { "No event of this lead is known." } };
    }
    let most = if all { n } else { EVENTS };
    let lead = &detail.row.score.lead;
    let address = lead_address(lead);
    let mark = if address.contains('?') { '&' } else { '?' };
    html! {
        table.events {
            caption.hidden { "Events, latest first" }
            thead { tr { th scope="col" { "When (UTC)" } th scope="col" { "What" } th scope="col" { "With" } } }
            tbody { @for event in detail.events.iter().take(most) {
                tr {
                    th scope="row" { time datetime=(event.at) { (moment(event.at)) }
                        @if event.recorded.days_since(event.at) >= 1.0 { small { "recorded " (moment(event.recorded)) } } }
                    td { (shown(&event.table, 60)) }
                    td { @for (name, value) in event.columns.iter().filter(|(_, value)| !value.trim().is_empty()) {
                        span.pair { span.soft { (shown(name, 40)) " " } bdi { (shown(value, 200)) } } " " } }
                }
            } }
        }
        @if n > most { p { "The latest " (most) " of " (counted(n, "event")) ". " a href={ (address) (mark) "events=all#events" } { "Show all " (count(n)) } } }
    }
}
