//! What pages show: the same numbers as the engine, sentences where there are none, and texts of
//! others as texts.

use axum::http::StatusCode;
use leadscore_serve::{Engine, QueueQuery};

use crate::made::{HOSTILE, Kind};
use crate::site::{Setup, Site, text_of};

fn site(setup: Setup) -> (Site, String) {
    let site = Site::new(setup);
    let cookie = site.sign_in("admin");
    (site, cookie)
}

#[test]
fn fifty_rows_of_a_hundred_thousand_are_small() {
    let (site, cookie) = site(Setup {
        n_leads: 100_000,
        ..Setup::default()
    });
    let page = site.get("/", &cookie);
    assert_eq!(page.status, StatusCode::OK);
    assert_eq!(
        page.body.matches("<a href=\"/leads/").count(),
        50,
        "one link a row"
    );
    assert!(page.body.len() <= 40_000, "{} bytes", page.body.len());
}

#[test]
fn rows_are_those_of_the_engine_and_pages_go_on() {
    let (site, cookie) = site(Setup {
        // 5 of them are held back.
        n_leads: 125,
        capacity: Some(60),
        ..Setup::default()
    });
    let all = site
        .made
        .queue(&QueueQuery {
            limit: 500,
            ..QueueQuery::default()
        })
        .expect("a queue");
    let mut path = "/".to_owned();
    let mut seen = 0;
    for (page_no, expected) in [50, 50, 20].into_iter().enumerate() {
        let page = site.get(&path, &cookie);
        let rows: Vec<&str> = page.body.split("<tr><td>").skip(1).collect();
        assert_eq!(rows.len(), expected, "page {page_no}");
        for (row, wanted) in rows.iter().zip(&all.rows[seen..]) {
            let text = text_of(row.split("</tr>").next().unwrap_or_default());
            let score = &wanted.score;
            assert!(
                text.starts_with(&format!("{} {}", wanted.rank, wanted.name)),
                "{text}"
            );
            for part in [
                format!("{:.1} %", score.likelihood),
                score.tier.name().to_owned(),
                score.reasons[0].text.clone(),
                score.reasons[1].text.clone(),
            ] {
                assert!(text.contains(&part), "{text} has no {part}");
            }
            assert!(row.contains(&format!("href=\"/leads/{}\"", score.lead)));
        }
        seen += expected;
        let line = "You can call 60 leads today; below this line tomorrow";
        assert_eq!(
            text_of(&page.body).contains(line),
            page_no == 1,
            "page {page_no}"
        );
        if page_no == 1 {
            let above = page.body.split("class=\"line\"").next().unwrap_or_default();
            assert_eq!(above.matches("<a href=\"/leads/").count(), 10);
        }
        if page_no < 2 {
            path = page.between("rel=\"next\"", ">").to_owned();
            let at = page.body.find("rel=\"next\"").expect("a next page");
            let start = page.body[..at].rfind("href=\"").expect("its address") + 6;
            path = page.body[start..]
                .split('"')
                .next()
                .unwrap_or(&path)
                .to_owned();
        } else {
            assert!(text_of(&page.body).contains("All on this page are below the line"));
            assert!(!page.body.contains("rel=\"next\""));
        }
    }
}

#[test]
fn reasons_on_the_page_are_the_engines_and_add_up() {
    let (site, cookie) = site(Setup::default());
    for number in 1..=40 {
        let detail = site.made.lead(&format!("L{number}")).expect("a lead");
        let score = &detail.row.score;
        let sum: f64 = score.baseline
            + score
                .reasons
                .iter()
                .map(|reason| reason.log_odds)
                .sum::<f64>();
        assert!(
            (sum - score.log_odds).abs() < 1e-9,
            "the made engine keeps its promise"
        );
        let page = site.get(&format!("/leads/L{number}"), &cookie);
        let text = text_of(&page.body);
        if score.held_back {
            assert!(text.contains("This lead is held back"), "{text}");
            continue;
        }
        let probability = |log_odds: f64| 100.0 / (1.0 + (-log_odds).exp());
        let mut sum = score.baseline;
        for reason in &score.reasons {
            let before = probability(sum);
            sum += reason.log_odds;
            let line = format!(
                "{} {} {}",
                reason.text,
                added(probability(sum) - before),
                percent(probability(sum))
            );
            assert!(text.contains(&line), "{text} has no {line}");
        }
        let last = format!(
            "Likelihood {} {}",
            added(score.likelihood - probability(score.baseline)),
            percent(score.likelihood)
        );
        assert!(text.contains(&last), "{text} has no {last}");
        assert_eq!(text.contains("Unlike training."), score.outside.is_some());
        assert_eq!(
            text.contains("This lead is in the best tier."),
            detail.next_tier.is_none()
        );
    }
}

/// Percentage points with their sign.
fn added(points: f64) -> String {
    let sign = if points < 0.0 { "−" } else { "+" };
    if points.abs() < 0.05 {
        format!("{sign} < 0.1")
    } else {
        format!("{sign}{:.1}", points.abs())
    }
}

fn percent(likelihood: f64) -> String {
    if likelihood < 0.05 {
        "< 0.1 %".to_owned()
    } else {
        format!("{likelihood:.1} %")
    }
}

#[test]
fn there_is_a_sentence_where_there_is_nothing() {
    let usual = site(Setup {
        n_leads: 60,
        ..Setup::default()
    });
    let empty = site(Setup {
        n_leads: 0,
        ..Setup::default()
    });
    let starting = site(Setup {
        kind: Kind::Starting,
        ..Setup::default()
    });
    let no_line = site(Setup {
        capacity: None,
        ..Setup::default()
    });
    let zero = site(Setup {
        capacity: Some(0),
        ..Setup::default()
    });
    let all = site(Setup {
        n_leads: 9,
        ..Setup::default()
    });
    for ((site, cookie), path, status, says) in [
        (&empty, "/", 200, "No lead is open"),
        (&empty, "/?q=x", 200, "No lead matches"),
        (
            &empty,
            "/?changed=1",
            200,
            "Nothing changed No likelihood moved by a point or more since yesterday.",
        ),
        (
            &empty,
            "/manager",
            200,
            "No score is old enough yet: what became of a lead is known 90 days after its score.",
        ),
        (&empty, "/manager", 200, "No lead is above the line."),
        (&starting, "/", 503, "Scores are being computed"),
        (&starting, "/leads/L1", 503, "Scores are being computed"),
        (&starting, "/manager", 503, "Scores are being computed"),
        (
            &usual,
            "/?q=zzz",
            200,
            "No lead matches No open lead matches all of these filters.",
        ),
        (&usual, "/?from=60", 200, "This is the end of the queue"),
        (
            &usual,
            "/?from=x",
            400,
            "the cursor is not one of this queue.",
        ),
        (
            &usual,
            "/?tier=best",
            400,
            "There is no tier “best”: expected very-high, high, medium or low.",
        ),
        (&usual, "/leads/L61", 404, "There is no lead “L61”."),
        (
            &usual,
            "/leads/%3Cscript%3E",
            404,
            "There is no lead “<script>”.",
        ),
        (&usual, "/leads?id=", 404, "There is no lead “”."),
        (&usual, "/leads?id=..", 404, "There is no lead “..”."),
        (
            &usual,
            "/leads/closed",
            404,
            "“closed” has no likelihood any more: won on 2026-10-02.",
        ),
        (
            &usual,
            "/leads/waiting",
            404,
            "There are events of “waiting”, and no row of it in the leads yet.",
        ),
        (
            &no_line,
            "/",
            200,
            "No capacity is set, so that there is no line",
        ),
        (
            &no_line,
            "/manager",
            200,
            "No capacity is set, so that there is no line.",
        ),
        (
            &zero,
            "/",
            200,
            "None of these can be called today: the capacity is 0.",
        ),
        (&all, "/", 200, "You can call 25 leads today: all of these."),
    ] {
        let reply = site.get(path, cookie);
        assert_eq!(reply.status.as_u16(), status, "{path}");
        let text = text_of(&reply.body);
        assert!(text.contains(says), "{path}: {text}");
    }
    let (site, cookie) = &starting;
    let reply = site.get("/?q=a", cookie);
    assert!(
        reply.body.contains("href=\"/?q=a\"") && reply.header("retry-after") == "2",
        "a link looks again"
    );
}

#[test]
fn texts_of_others_stay_texts() {
    let (site, cookie) = site(Setup {
        kind: Kind::Hostile,
        n_leads: 300,
        ..Setup::default()
    });
    let queue = site
        .made
        .queue(&QueueQuery {
            limit: 300,
            ..QueueQuery::default()
        })
        .expect("a queue");
    let leads: Vec<String> = queue
        .rows
        .iter()
        .map(|row| row.score.lead.clone())
        .collect();
    assert!(
        HOSTILE
            .iter()
            .all(|text| leads.iter().any(|lead| lead == text))
    );
    let mut pages = vec![
        "/".to_owned(),
        "/?from=50".to_owned(),
        "/manager".to_owned(),
        format!("/?q={}", "%3Cscript%3E%22'"),
        "/?owner=%22%3E%3Cimg%20src=x%3E".to_owned(),
    ];
    for lead in HOSTILE {
        pages.push(if lead.bytes().all(|byte| byte == b'.') {
            format!("/leads?id={lead}")
        } else {
            format!(
                "/leads/{}",
                lead.bytes()
                    .map(|byte| format!("%{byte:02X}"))
                    .collect::<String>()
            )
        });
    }
    for path in pages {
        let reply = site.get(&path, &cookie);
        assert_eq!(reply.status, StatusCode::OK, "{path}");
        assert_eq!(
            reply.body.matches("<script").count(),
            1,
            "{path}: the one of the page"
        );
        assert!(
            !reply.body.contains("<img") && !reply.body.contains("<i>"),
            "{path}"
        );
        assert!(
            !reply
                .body
                .chars()
                .any(|c| c != '\n' && leadscore_core::is_hostile(c)),
            "{path} has characters that act"
        );
        for href in reply.body.split("href=\"").skip(1) {
            assert!(
                href.starts_with('/') || href.starts_with('#') || href.starts_with("data:,\""),
                "{path}: {}",
                &href[..30]
            );
        }
        let longest = text_of(&reply.body)
            .split(' ')
            .map(str::len)
            .max()
            .unwrap_or(0);
        assert!(longest < 2_100, "{path}: a word of {longest}");
        assert!(
            reply.body.len() < 90_000,
            "{path}: {} bytes",
            reply.body.len()
        );
    }
}

#[test]
fn what_changed_is_since_the_last_visit() {
    let (site, cookie) = site(Setup::default());
    let since = |cookie: &str| text_of(&site.get("/", cookie).body);
    assert!(since(&cookie).contains("“Changed” is since yesterday."));
    site.wait(10);
    assert!(since(&cookie).contains("since yesterday"), "the same visit");
    site.wait(6 * 60);
    assert!(since(&cookie).contains("“Changed” is since your last look (today, 09:10 UTC)."));
    let other = site.sign_in("kim");
    assert!(
        since(&other).contains("since yesterday"),
        "looks are each user's own"
    );
}

#[test]
fn changes_are_told_with_the_moment_that_the_engine_has() {
    let (site, cookie) = site(Setup {
        kind: Kind::Hostile,
        ..Setup::default()
    });
    site.get("/", &cookie);
    site.wait(6 * 60);
    let text = text_of(&site.get("/", &cookie).body);
    assert!(
        text.contains("“Changed” is since yesterday, 15:00 UTC."),
        "{text}"
    );
}
