//! Leads that are held back: no list, no page and no answer to whoever works on them says what their
//! scores are, and they can be found and worked on.

use axum::http::StatusCode;
use leadscore_serve::{Engine, HeldBackQuery, LeadDetail, QueueQuery};
use serde_json::Value;

use crate::site::{Setup, Site, text_of};

fn site() -> Site {
    Site::new(Setup {
        n_leads: 1_200,
        capacity: Some(30),
        ..Setup::default()
    })
}

/// IDs of leads that a page links to.
fn links(body: &str) -> Vec<String> {
    body.split("href=\"/leads/")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
        .collect()
}

fn is_held_back(lead: &str) -> bool {
    let number: usize = lead.trim_start_matches('L').parse().expect("a number");
    number.is_multiple_of(23)
}

#[test]
fn no_list_has_a_held_back_lead_and_the_count_says_how_many() {
    let site = site();
    let cookie = site.sign_in("admin");
    let n = site
        .made
        .held_back(&HeldBackQuery::default())
        .expect("a list");
    assert_eq!(n.n_matching, 52);
    for address in [
        "/",
        "/?tier=very-high",
        "/?tier=low",
        "/?changed=1",
        "/?crossed=hot",
        "/?tier=very-high&changed=1&crossed=hot",
        "/manager",
    ] {
        let page = site.get(address, &cookie);
        let held: Vec<String> = links(&page.body)
            .into_iter()
            .filter(|lead| is_held_back(lead))
            .collect();
        assert!(held.is_empty(), "{address}: {held:?}");
        if address != "/manager" {
            // The other filters do not change the number: it would tell tiers.
            let text = text_of(&page.body);
            let line = "52 more leads are held back from prioritizing, by chance. Work on them in the order in which they came";
            assert!(text.contains(line), "{address}: {text}");
        }
    }
    let all = site
        .made
        .queue(&QueueQuery {
            limit: 1_200,
            ..QueueQuery::default()
        })
        .expect("a queue");
    assert_eq!(all.n_matching, 1_200 - 52);
    assert!(all.rows.iter().all(|row| !row.score.held_back));
}

#[test]
fn they_are_found_in_the_order_in_which_they_came() {
    let site = site();
    let cookie = site.sign_in("admin");
    // The search of the queue leads to them.
    let queue = site.get("/?q=L1196", &cookie);
    let text = text_of(&queue.body);
    assert!(
        text.contains(
            "1 more lead is held back from prioritizing, by chance (of this owner and search)"
        ),
        "{text}"
    );
    assert!(
        queue.body.contains("href=\"/held-back?q=L1196\""),
        "{}",
        queue.body
    );
    assert_eq!(
        links(&site.get("/held-back?q=L1196", &cookie).body),
        ["L1196"]
    );
    let first = site.get("/held-back", &cookie);
    let shown = links(&first.body);
    let expected: Vec<String> = (1..=52).rev().map(|n| format!("L{}", 23 * n)).collect();
    assert_eq!(shown, expected[..50]);
    let next = first
        .body
        .split("rel=\"next\"")
        .next()
        .expect("a next page");
    let next = next
        .rsplit("href=\"")
        .next()
        .and_then(|rest| rest.split('"').next());
    let second = site.get(next.expect("an address"), &cookie);
    assert_eq!(links(&second.body), expected[50..]);
    for page in [&first, &second] {
        let text = text_of(&page.body);
        for word in ["Very high", "Medium", "Tier", "Changed", "crossed"] {
            assert!(!text.contains(word), "{word}: {text}");
        }
    }
    // Who sees one owner's leads sees those of the list alone.
    let kim = site.sign_in("kim");
    let own = links(&site.get("/held-back?owner=Lee", &kim).body);
    assert!(!own.is_empty());
    for lead in own {
        assert_eq!(
            site.made.owner(&lead).expect("a lead").as_deref(),
            Some("Kim")
        );
    }
    let reply = site.get("/held-back", "");
    assert_eq!(
        (reply.status, reply.header("location")),
        (StatusCode::SEE_OTHER, "/sign-in?to=%2Fheld-back")
    );
}

#[test]
fn the_page_of_one_has_nothing_of_its_score_and_everything_else() {
    let site = site();
    let cookie = site.sign_in("admin");
    for number in [23, 46, 69, 299, 1_196] {
        let lead = format!("L{number}");
        let detail = site.made.lead(&lead).expect("a lead");
        let score = &detail.row.score;
        let page = site.get(&format!("/leads/{lead}"), &cookie);
        let text = text_of(&page.body);
        assert!(
            text.contains(&detail.row.name) && text.contains("is held back from prioritizing"),
            "{text}"
        );
        assert!(
            text.contains("Events") && text.contains("Called Not now Won Lost"),
            "{text}"
        );
        assert!(!text.contains("wrong"), "{text}");
        let mut hidden = vec![
            format!("{:.1} %", score.likelihood),
            score.tier.name().to_owned(),
            "Why".to_owned(),
            "Over time".to_owned(),
            "Points".to_owned(),
            "crossed".to_owned(),
            "Crossed".to_owned(),
            "since your last look".to_owned(),
            "since yesterday".to_owned(),
        ];
        hidden.extend(score.reasons.iter().map(|reason| reason.text.clone()));
        for part in hidden {
            assert!(!text.contains(&part), "{lead} shows {part}: {text}");
        }
        assert!(!page.body.contains("<polyline") && !page.body.contains("class=\"waterfall\""));
        // The word is saved as for any other lead.
        let fields = [
            ("form", page.hidden("form")),
            ("once", page.hidden("once")),
            ("lead", page.hidden("lead")),
            ("said", "called".to_owned()),
        ];
        let fields: Vec<(&str, &str)> = fields
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        assert_eq!(
            site.post("/words", &cookie, &fields).status,
            StatusCode::SEE_OTHER
        );
        assert_eq!(site.made.words_on(&lead).len(), 1);
    }
}

fn ask(site: &Site, token: &str, method: &str, path: &str, body: &str) -> (StatusCode, Value) {
    let request = axum::http::Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:8700")
        .header("authorization", format!("Bearer {token}"))
        .header("content-type", "application/json")
        .body(axum::body::Body::from(body.to_owned()))
        .expect("a request");
    let reply = site.send(request);
    (
        reply.status,
        serde_json::from_str(&reply.body).expect("JSON"),
    )
}

/// What an answer must not have of a lead whose score is withheld.
fn made_of_the_score(detail: &LeadDetail) -> Vec<String> {
    let score = &detail.row.score;
    let mut hidden: Vec<String> = [
        "likelihood",
        "percent",
        "tier",
        "log_odds",
        "reasons",
        "change",
        "crossed",
        "points",
        "path",
        "rank",
        "hash",
        "outside",
    ]
    .map(str::to_owned)
    .to_vec();
    hidden.push(score.tier.name().to_owned());
    hidden.push(score.likelihood.to_string());
    hidden.extend(score.reasons.iter().map(|reason| reason.text.clone()));
    hidden
}

#[test]
fn an_admin_alone_gets_the_number_by_the_interface() {
    let site = site();
    let list = site
        .made
        .held_back(&HeldBackQuery {
            owner: Some("Kim".to_owned()),
            limit: 1,
            ..HeldBackQuery::default()
        })
        .expect("a list");
    let lead = &list.rows.first().expect("Kim has one").lead;
    let whole = site.made.lead(lead).expect("a lead");
    let (path, body) = (
        format!("/v1/leads/{lead}"),
        format!("{{\"leads\": [\"{lead}\"]}}"),
    );
    let (status, detail) = ask(&site, "admin", "GET", &path, "");
    assert_eq!(
        (status, &detail["score"]["held_back"]),
        (StatusCode::OK, &Value::Bool(true))
    );
    assert!(detail["score"]["likelihood"].is_number());
    let (_, scores) = ask(&site, "admin", "POST", "/v1/score", &body);
    assert!(scores["scores"][0]["likelihood"].is_number(), "{scores}");

    // Who may read, who may act, and an admin who works on leads: all of it but the score.
    for token in ["reader", "kim", "boss"] {
        let (status, detail) = ask(&site, token, "GET", &path, "");
        assert_eq!(status, StatusCode::OK, "{token}: {detail}");
        let (status, scores) = ask(&site, token, "POST", "/v1/score", &body);
        assert_eq!(status, StatusCode::OK, "{token}: {scores}");
        let score = &scores["scores"][0];
        assert_eq!(&detail["score"], score);
        assert_eq!(score["lead"], lead.as_str());
        assert_eq!(score["held_back"], true);
        assert!(
            score["withheld"]
                .as_str()
                .is_some_and(|why| why.starts_with("the lead is held back from prioritizing")),
            "{score}"
        );
        assert_eq!(score.as_object().map(serde_json::Map::len), Some(3));
        assert_eq!(detail["name"], whole.row.name);
        assert_eq!(
            detail["events"].as_array().map(Vec::len),
            Some(whole.events.len())
        );
        let mut told = detail.clone();
        // Its events are of the lead, and not of the score.
        told["events"] = Value::Null;
        for hidden in made_of_the_score(&whole) {
            for answer in [&told, &scores] {
                assert!(!answer.to_string().contains(&hidden), "{hidden}: {answer}");
            }
        }
    }
    for token in ["admin", "reader", "kim"] {
        let (_, queue) = ask(&site, token, "GET", "/v1/leads?limit=500", "");
        let leads = queue["leads"].as_array().expect("leads");
        assert!(leads.iter().all(|row| row["score"]["held_back"] == false));
        assert!(queue["n_held_back"].as_u64() > Some(0), "{token}");
    }
    let (_, record) = ask(&site, "reader", "GET", "/v1/record", "");
    assert_eq!(record["held_back"][0]["n"], 40);
}

#[test]
fn a_score_that_nobody_sees_is_not_called_wrong() {
    let site = site();
    let held = "L23";
    let word = format!("/v1/leads/{held}/word");
    let wrong = "{\"said\": \"wrong\", \"note\": \"no budget\"}";
    let cookie = site.sign_in("admin");
    let page = site.get(&format!("/leads/{held}"), &cookie);
    assert!(!page.body.contains("Score is wrong") && page.body.contains("Called"));
    assert!(
        site.get("/leads/L1", &cookie)
            .body
            .contains("Score is wrong")
    );
    let seller = "seller";
    let (status, problem) = ask(&site, seller, "POST", &word, wrong);
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{problem}");
    assert_eq!(problem["errors"][0]["pointer"], "/said");
    assert!(site.made.words_on(held).is_empty());
    let (status, _) = ask(&site, seller, "POST", &word, "{\"said\": \"called\"}");
    assert_eq!(status, StatusCode::ACCEPTED);
    let (status, _) = ask(&site, "admin", "POST", &word, wrong);
    assert_eq!(status, StatusCode::ACCEPTED, "who sees the score may");
    let (status, _) = ask(&site, seller, "POST", "/v1/leads/L1/word", wrong);
    assert_eq!(status, StatusCode::ACCEPTED, "and of one that they see");
}

#[test]
fn the_track_record_is_by_arm() {
    let site = site();
    let cookie = site.sign_in("admin");
    let text = text_of(&site.get("/manager", &cookie).body);
    for part in [
        "Leads that were prioritized Of the last 100 leads in Very high, 46 were won; 44 were predicted.",
        "Leads that were held back Of the last 40 leads in Very high, 14 were won; 17 were predicted.",
    ] {
        assert!(text.contains(part), "{text}");
    }
}
