//! The story as a page: figures, two charts over the nights, and tables of events, alarms and
//! decisions.

mod chart;
mod style;

use std::fmt::Write as _;

use crate::life::{Day, date};

use self::chart::{Chart, Line};
use super::judge::{Alarm, AlarmKind, Answer, Decision, Judged, PromotionKind, WRONG_MEAN};
use super::record::{Night, Story, Truth};

/// The page of a story.
pub fn page(story: &Story, judged: &Judged) -> String {
    let first = story.nights.first().map_or("", |night| &night.date);
    let last = story.nights.last().map_or("", |night| &night.date);
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>A life</title>\
         <style>{}</style></head><body><main>\n<h1>A year in the life</h1>\n\
         <p>A made company with about {} open leads, seed {}, scored every night from {first} to {last} \
         by {}. What the tool printed, beside what was true.</p>\n\
         {}{}{}{}{}{}</main></body></html>\n",
        style::STYLE,
        story.open_leads,
        story.seed,
        story.operator.words(),
        tiles(story, judged),
        charts(story),
        events(&judged.events),
        alarms(&judged.alarms),
        decisions(&judged.decisions),
        log(story),
    )
}

fn tiles(story: &Story, judged: &Judged) -> String {
    let of = |kind| {
        judged
            .alarms
            .iter()
            .filter(|alarm| alarm.kind == kind)
            .count()
    };
    let decided = |kind| {
        let all = judged.decisions.iter();
        all.filter(|decision| decision.kind == kind).count()
    };
    let right = judged
        .events
        .iter()
        .filter(|answer| answer.is_right)
        .count();
    let failed = story
        .nights
        .iter()
        .filter_map(|night| night.printed.as_ref());
    let failed = failed.filter(|printed| printed.is_failure()).count();
    let ratio = judged.ratio.map_or_else(
        || "–".to_owned(),
        |ratio| format!("{:+.2} %", 100.0 * (ratio - 1.0)),
    );
    let tile = |figure: &str, words: &str| {
        format!("<div class=\"tile\"><b>{figure}</b><span>{words}</span></div>")
    };
    let tiles = [
        tile(
            &ratio,
            &format!(
                "log-loss of what was shipped, against always shipping the truly best model so far (promised: at most +1 %; {} nights)",
                judged.n_compared
            ),
        ),
        tile(
            &format!("{right} of {}", judged.events.len()),
            "events answered as a good tool does",
        ),
        tile(
            &format!(
                "{} + {} + {}",
                of(AlarmKind::Right),
                of(AlarmKind::Late),
                of(AlarmKind::Wrong)
            ),
            "alarms: right, late, wrong",
        ),
        tile(
            &format!(
                "{} + {} + {} + {}",
                decided(PromotionKind::Right),
                decided(PromotionKind::Within),
                decided(PromotionKind::Wrong),
                decided(PromotionKind::Missed)
            ),
            "decisions: right, worse within the margin, wrong, a better model missed",
        ),
        tile(&failed.to_string(), "nights without scores"),
    ];
    format!("<div class=\"tiles\">{}</div>\n", tiles.concat())
}

fn charts(story: &Story) -> String {
    let shipped = |of: &dyn Fn(&Truth) -> f64| -> Vec<(Day, f64)> {
        let points = story.nights.iter();
        points
            .filter_map(|night| Some((night.night, of(night.shipped.as_ref()?))))
            .collect()
    };
    let oracle = story.nights.iter();
    let oracle: Vec<(Day, f64)> = oracle
        .filter_map(|night| Some((night.night, night.oracle?)))
        .collect();
    let losses = Chart {
        lines: vec![
            Line::new("shipped", "shipped", shipped(&|truth| truth.loss)),
            Line::new("the truly best model so far", "oracle", oracle),
            Line::new("the truth itself", "floor", shipped(&|truth| truth.floor)),
        ],
        band: None,
    };
    let ratios = Chart {
        lines: vec![Line::new(
            "true over predicted mean",
            "shipped",
            shipped(&Truth::ratio),
        )],
        band: Some((1.0 - WRONG_MEAN, 1.0 + WRONG_MEAN)),
    };
    format!(
        "<h2>Expected log-loss</h2>\n<p>Of the leads that were open on each night, by their true \
         probabilities; lower is better. Triangles are promotions.</p>\n{}\n<h2>Do the percentages hold</h2>\n\
         <p>True over predicted mean; the band is ±10 %. The strip is what the tool printed: \
         <i class=\"ok\">ok</i> <i class=\"watch\">watch</i> <i class=\"alarm\">alarm</i> \
         <i class=\"failed\">no scores</i> <i class=\"unclear\">cannot tell</i> <i class=\"none\">no run</i>.</p>\n{}\n",
        losses.svg(story),
        ratios.svg(story),
    )
}

fn events(events: &[Answer]) -> String {
    let mut rows = String::new();
    for answer in events {
        let said = |said: &Option<(Day, String)>| {
            said.as_ref().map_or_else(
                || "<td>–</td>".to_owned(),
                |(after, sentence)| {
                    format!("<td><b>{}</b> {}</td>", weeks(*after), escaped(sentence))
                },
            )
        };
        let _ = writeln!(
            rows,
            "<tr><td class=\"nowrap\">{}</td><td>{}</td><td>{:.2}</td>{}{}<td>{}</td><td>{}</td><td>{}</td></tr>",
            answer.from,
            answer.what,
            answer.worst,
            said(&answer.finding),
            said(&answer.alarm),
            answer.promoted.map_or_else(|| "–".to_owned(), weeks),
            answer.wanted,
            mark(answer.is_right, if answer.is_right { "yes" } else { "no" }),
        );
    }
    section(
        "What happened",
        &[
            "from",
            "event",
            "worst true ÷ predicted",
            "first new finding",
            "first alarm",
            "next promotion",
            "a good tool",
            "did it",
        ],
        &rows,
    )
}

fn alarms(alarms: &[Alarm]) -> String {
    let mut rows = String::new();
    for alarm in alarms {
        let (is_right, word) = match alarm.kind {
            AlarmKind::Right => (true, "right"),
            AlarmKind::Late => (true, "late"),
            AlarmKind::Wrong => (false, "wrong"),
        };
        let _ = writeln!(
            rows,
            "<tr><td class=\"nowrap\">{}</td><td class=\"nowrap\">{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            date(alarm.from),
            date(alarm.to),
            escaped(&alarm.sentence),
            escaped(&alarm.truth),
            mark(is_right, word),
        );
    }
    section(
        "Alarms",
        &["from", "to", "what was printed", "what was true", "verdict"],
        &rows,
    )
}

fn decisions(decisions: &[Decision]) -> String {
    let mut rows = String::new();
    for decision in decisions {
        let (is_right, word) = match decision.kind {
            PromotionKind::Right => (true, "right"),
            PromotionKind::Within => (true, "worse within the margin"),
            PromotionKind::Wrong => (false, "wrong"),
            PromotionKind::Missed => (false, "a better model missed"),
        };
        let _ = writeln!(
            rows,
            "<tr><td class=\"nowrap\">{}</td><td><b>{}</b> {}</td><td>{:.4}</td><td>{:.4}</td><td>{:+.2} %</td><td>{}</td></tr>",
            date(decision.night),
            escaped(&decision.decision),
            escaped(&decision.because),
            decision.champion,
            decision.challenger,
            100.0 * (decision.challenger / decision.champion - 1.0),
            mark(is_right, word),
        );
    }
    section(
        "Decisions",
        &[
            "night",
            "decision",
            "true loss of the champion",
            "of the challenger",
            "difference",
            "verdict",
        ],
        &rows,
    )
}

/// The nights on which the tool printed something else than on the night before.
fn log(story: &Story) -> String {
    let mut rows = String::new();
    let mut before = String::new();
    for night in &story.nights {
        let words = words(night);
        if words != before {
            let _ = writeln!(
                rows,
                "<tr><td class=\"nowrap\">{}</td><td>{words}</td></tr>",
                night.date
            );
            before = words;
        }
    }
    format!(
        "<details><summary>Night by night, where something changed</summary>{}</details>",
        section("", &["night", "what was printed"], &rows)
    )
}

fn words(night: &Night) -> String {
    let Some(printed) = &night.printed else {
        return "no export, no run".to_owned();
    };
    let mut words = escaped(&printed.decision);
    if let Some(verdict) = &printed.verdict {
        let _ = write!(words, ", {}", escaped(verdict));
    }
    for finding in &printed.findings {
        let _ = write!(
            words,
            "<br>{} {}: {}",
            finding.severity,
            escaped(&finding.name),
            escaped(&finding.message)
        );
    }
    if let Some(error) = &printed.error {
        let _ = write!(words, "<br>{}", escaped(error));
    }
    words
}

fn section(title: &str, header: &[&str], rows: &str) -> String {
    let title = if title.is_empty() {
        String::new()
    } else {
        format!("<h2>{title}</h2>\n")
    };
    if rows.is_empty() {
        return format!("{title}<p>None.</p>\n");
    }
    let header: String = header
        .iter()
        .map(|name| format!("<th>{name}</th>"))
        .collect();
    format!(
        "{title}<div class=\"wide\"><table><thead><tr>{header}</tr></thead><tbody>\n{rows}</tbody></table></div>\n"
    )
}

fn mark(is_right: bool, word: &str) -> String {
    let class = if is_right { "right" } else { "wrong" };
    format!("<span class=\"{class}\">{word}</span>")
}

fn weeks(nights: Day) -> String {
    if nights < 14 {
        format!("{nights} d")
    } else {
        format!("{:.0} wk", nights as f64 / 7.0)
    }
}

/// A text from elsewhere, within a page.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
