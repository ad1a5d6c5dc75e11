//! A lead's page: its likelihood, why, how it came, what it did, and the word of sales.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use leadscore_core::{ContactPriority, Timestamp, count, counted, hex};
use maud::{Markup, html};

use super::answer;
use super::guard::{self, Visitor};
use super::held_back::WHY;
use super::labels::Labels;
use super::layout::frame;
use super::path_picture::path;
use super::queue::name_of;
use super::sentences::{refused, unknown};
use super::since::Since;
use super::tiers::{shapes, tier};
use super::waterfall::waterfall;
use super::words::{
    WORDS, age, ago, likelihood, moment, near, points, rule_points, shown, word, word_key,
};
use super::{Asked, Page, field};
use crate::auth::Right;
use crate::held_back::HeldBackLead;
use crate::limits::NOTE_CHARS;
use crate::percent::{encoded, lead_address};
use crate::{Act, EventLine, LeadDetail, Word, WordKind};

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
    let last = match page.sessions.last_look(&visitor.caller.name, visitor.now) {
        Ok(last) => last,
        Err(error) => return *guard::failed(&error),
    };
    let since = Since::of(last, visitor.now);
    let detail = match page.app.engine().lead_since(id, since.at) {
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
        return *guard::failed(&error);
    }
    let all_events = field(fields, "events") == Some("all");
    let body = if detail.row.score.held_back {
        held_back(page, &visitor, &HeldBackLead::of(&detail), all_events)
    } else {
        render(page, &visitor, &detail, since, all_events)
    };
    let name = name_of(&detail.row.name, &detail.row.score.lead);
    visitor.with_cookie(
        page,
        answer::page(StatusCode::OK, frame(&visitor.frame(&name, None), &body)),
    )
}

fn held_back(page: &Page, visitor: &Visitor, of: &HeldBackLead, all_events: bool) -> Markup {
    html! {
        p.back { a href="/" { "← Queue" } " " a href="/held-back" { "Held-back leads" } }
        div.head {
            h1 { bdi { (name_of(of.name, of.lead)) } }
            (facts(page, of.lead, of.owner, of.shown, of.age_days))
        }
        p.aside { b { "This lead is held back from prioritizing, and its likelihood is not shown. " } (WHY) " Work on it as if there were no scores, in the order in which it came." }
        @if visitor.caller.role.may(Right::Act) { (forms(visitor, of.lead, false)) }
        section aria-labelledby="words" { h2 id="words" { "Word of sales" } (words(of.words, visitor.now)) }
        section aria-labelledby="events" { h2 id="events" { "Events" } (events(page, of.lead, &of.events, all_events)) }
    }
}

fn render(
    page: &Page,
    visitor: &Visitor,
    detail: &LeadDetail,
    since: Since,
    all_events: bool,
) -> Markup {
    let score = &detail.row.score;
    html! {
        (shapes())
        p.back { a href="/" { "← Queue" } }
        (head(page, visitor, detail, since))
        @if visitor.caller.role.may(Right::Act) { (forms(visitor, &score.lead, true)) }
        div.columns {
            section aria-labelledby="why" {
                h2 id="why" { "Why" }
                (waterfall(score))
                p.soft { "Points add up from the baseline to the likelihood, in this order. Near 0 % and near 100 % the same reason is worth fewer points. Numbers are rounded." }
            }
            div {
                section aria-labelledby="next" { h2 id="next" { "Why not higher" } (next_tier(detail)) (tiers_as_of(page, visitor.now)) }
                section aria-labelledby="path" { h2 id="path" { "Over time" } (path(&detail.path)) }
                @if !detail.points.is_empty() || detail.row.points.is_some() { (rules(detail)) }
                section aria-labelledby="words" { h2 id="words" { "Word of sales" } (words(&detail.words, visitor.now)) }
            }
        }
        section aria-labelledby="events" { h2 id="events" { "Events" } (events(page, &score.lead, &detail.events.iter().collect::<Vec<_>>(), all_events)) }
        footer {
            p { "Model " (shown(&score.model, 24)) ". Input " code { (shown(&score.input_hash, 16)) } ", features " code { (shown(&score.feature_hash, 16)) }
                ": by these the score can be computed again, to the bit." }
        }
    }
}

/// What is known of a lead beside its score.
fn facts(
    page: &Page,
    lead: &str,
    owner: Option<&str>,
    columns: &[(String, String)],
    age_days: f64,
) -> Markup {
    let labels = Labels(&page.options.labels);
    let mut facts: Vec<(String, String)> = Vec::new();
    facts.push(("ID".to_owned(), shown(lead, 80)));
    facts.extend(owner.map(|owner| ("Owner".to_owned(), shown(owner, 80))));
    facts.extend(
        columns
            .iter()
            .map(|(name, value)| (labels.of(name), shown(value, 120))),
    );
    facts.push(("Age".to_owned(), age(age_days)));
    facts.retain(|(_, value)| !value.is_empty());
    html! { dl.facts { @for (name, value) in &facts { div { dt { (name) } dd { bdi { (value) } } } } } }
}

fn head(page: &Page, visitor: &Visitor, detail: &LeadDetail, since: Since) -> Markup {
    let row = &detail.row;
    let score = &row.score;
    let days = page.app.engine().model().horizon_days;
    let since = since.shown([row], visitor.now);
    html! {
        div.head {
            h1 { bdi { (name_of(&row.name, &score.lead)) } }
            (facts(page, &score.lead, row.owner.as_deref(), &row.shown, row.age_days))
        }
        div.score {
            p.big { b { (likelihood(score.likelihood)) } (tier(score.tier)) }
            p { "Likelihood to be won within " (days) " days, as of "
                time datetime=(score.at) { (near(score.at, visitor.now)) " UTC" } "." }
            @if let Some(change) = &row.change {
                p { b { (points(change.points)) } " since " (since.words)
                    @if let Some(because) = &change.because { ": " (shown(because, 400)) } "." }
            }
            @for (name, at) in &row.crossed { p { "Crossed the threshold “" bdi { (shown(name, 60)) } "” " (ago(*at, visitor.now)) "." } }
        }
        @if let Some(outside) = &score.outside {
            p.aside { b { "Unlike training. " } "The model has seen few leads like this one, so the likelihood is less sure: " (shown(outside, 300)) "." }
        }
    }
}

/// Tiers start where they did at the last refresh; the likelihood is of now.
fn tiers_as_of(page: &Page, now: Timestamp) -> Markup {
    html! { @if let Some(at) = page.app.engine().ordered_at() { p.soft { "Where tiers start was computed " (ago(at, now)) "." } } }
}

/// Of a score that is not shown, nobody is asked whether it is wrong.
fn forms(visitor: &Visitor, lead: &str, has_score: bool) -> Markup {
    // One number for each time that the forms are shown: sending one twice counts once.
    let mut once = [0_u8; 16];
    let once = getrandom::fill(&mut once)
        .map(|()| hex(&once))
        .unwrap_or_default();
    let fixed = html! {
        input type="hidden" name="form" value=(visitor.form_token);
        // Browsers change line ends and drop other characters of a value that is not encoded.
        input type="hidden" name="lead" value=(encoded(lead));
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
            @if has_score {
                form.wrong method="post" action="/words" {
                    (fixed)
                    label for="note" { "Wrong because …" }
                    input id="note" name="note" required maxlength=(NOTE_CHARS) autocomplete="off";
                    button type="submit" name="said" value=(word_key(WordKind::Wrong)) { "Score is wrong" }
                }
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
            @if let Some(cell) = &detail.row.cell {
                p { "Cell " b { bdi { (shown(&cell.label, 30)) } }
                    @if let Some(action) = &cell.action { ": " bdi { (shown(action, 120)) } } "." }
            }
            p.soft { "Points are beside the likelihood, and not part of it." }
        }
    }
}

fn words(words: &[Word], now: Timestamp) -> Markup {
    html! {
        @if words.is_empty() { p.soft { "Nobody gave their word on this lead yet." } }
        @else {
            ol.words {
                @for said in words {
                    li { b { (word(said.said)) } " " span.soft { (near(said.at, now)) " UTC, " bdi { (shown(&said.by, 60)) } }
                        @if let Some(note) = &said.note { p { bdi { (shown(note, NOTE_CHARS)) } } } }
                }
            }
        }
    }
}

fn events(page: &Page, lead: &str, events: &[&EventLine], all: bool) -> Markup {
    let labels = Labels(&page.options.labels);
    let n = events.len();
    if n == 0 {
        return html! { p.soft { "No event of this lead is known." } };
    }
    let most = if all { n } else { EVENTS };
    let address = lead_address(lead);
    let mark = if address.contains('?') { '&' } else { '?' };
    html! {
        table.events {
            caption.hidden { "Events, latest first" }
            thead { tr { th scope="col" { "When (UTC)" } th scope="col" { "What" } th scope="col" { "With" } } }
            tbody { @for event in events.iter().take(most) {
                tr {
                    th scope="row" { time datetime=(event.at) { (moment(event.at)) }
                        @if event.recorded.days_since(event.at) >= 1.0 { small { "recorded " (moment(event.recorded)) } } }
                    td { (labels.of(&event.table)) }
                    td { @for (name, value) in event.columns.iter().filter(|(_, value)| !value.trim().is_empty()) {
                        span.pair { span.soft { (labels.of(name)) " " } bdi { (shown(value, 200)) } } " " } }
                }
            } }
        }
        @if n > most { p { "The latest " (most) " of " (counted(n, "event")) ". " a href={ (address) (mark) "events=all#events" } { "Show all " (count(n)) } } }
    }
}
