//! The word of sales: saved once, with who and when, and told.

use axum::http::StatusCode;
use leadscore_serve::WordKind;

use crate::site::{Reply, Setup, Site, text_of};

fn say(site: &Site, cookie: &str, page: &Reply, said: &str, note: &str) -> Reply {
    let (form, once, lead) = (
        page.hidden("form"),
        page.hidden("once"),
        page.hidden("lead"),
    );
    site.post(
        "/words",
        cookie,
        &[
            ("form", &form),
            ("once", &once),
            ("lead", &lead),
            ("said", said),
            ("note", note),
        ],
    )
}

#[test]
fn each_word_is_an_event_with_user_and_time() {
    let site = Site::new(Setup::default());
    let cookie = site.sign_in("admin");
    for (n, (said, kind, note, told)) in [
        ("called", WordKind::Called, "", "Saved: called."),
        ("not_now", WordKind::NotNow, "", "Saved: not now."),
        ("won", WordKind::Won, "", "Saved: won."),
        ("lost", WordKind::Lost, "", "Saved: lost."),
        (
            "wrong",
            WordKind::Wrong,
            "They are <b>our</b> own & \u{202e}firm",
            "Saved: the score is wrong, with your reason.",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let page = site.get("/leads/L1", &cookie);
        site.wait(1);
        let reply = say(&site, &cookie, &page, said, note);
        assert_eq!(
            (reply.status, reply.header("location")),
            (StatusCode::SEE_OTHER, "/leads/L1")
        );
        let words = site.made.words_on("L1");
        let word = &words[n];
        assert_eq!(
            (words.len(), word.said, word.by.as_str()),
            (n + 1, kind, "admin")
        );
        assert_eq!(
            word.note.as_deref(),
            (!note.is_empty()).then_some(note),
            "kept as it was typed"
        );
        assert_eq!(word.at.to_string(), format!("2026-11-27T09:0{}:00Z", n + 1));
        let after = site.get("/leads/L1", &cookie);
        assert_eq!(after.between("role=\"status\">", "<"), told);
        assert!(
            !site.get("/leads/L1", &cookie).body.contains(told),
            "told once"
        );
    }
    let page = site.get("/leads/L1", &cookie);
    assert!(text_of(&page.body).contains("They are <b>our</b> own & \\u{202e}firm"));
    let use_by_week = text_of(&site.get("/manager", &cookie).body);
    // 15 times opened, and each word once.
    assert!(
        use_by_week.contains("23 Nov 2026 admin 0 16 1 1 1 1 1"),
        "{use_by_week}"
    );
}

#[test]
fn a_form_that_is_sent_twice_counts_once() {
    let site = Site::new(Setup::default());
    let cookie = site.sign_in("admin");
    let page = site.get("/leads/L1", &cookie);
    for _ in 0..3 {
        assert_eq!(
            say(&site, &cookie, &page, "called", "").status,
            StatusCode::SEE_OTHER
        );
    }
    assert_eq!(site.made.words_on("L1").len(), 1);
    let again = site.get("/leads/L1", &cookie);
    say(&site, &cookie, &again, "called", "");
    assert_eq!(
        site.made.words_on("L1").len(),
        2,
        "a second call is a second word"
    );
    let other = site.sign_in("admin");
    let form = site.get("/leads/L2", &other).hidden("form");
    site.post(
        "/words",
        &other,
        &[
            ("form", &form),
            ("once", &page.hidden("once")),
            ("lead", "L2"),
            ("said", "called"),
        ],
    );
    assert_eq!(
        site.made.words_on("L2").len(),
        1,
        "of another lead it is another word"
    );
    let use_by_week = text_of(&site.get("/manager", &cookie).body);
    // Three times opened, and as many words as the store has, however often forms were sent.
    assert!(
        use_by_week.contains("23 Nov 2026 admin 0 3 3 0 0 0 0"),
        "{use_by_week}"
    );
}

#[test]
fn what_cannot_be_meant_is_not_saved() {
    let site = Site::new(Setup::default());
    let cookie = site.sign_in("admin");
    let page = site.get("/leads/L1", &cookie);
    for (said, note, status, says) in [
        (
            "wrong",
            " \n ",
            StatusCode::UNPROCESSABLE_ENTITY,
            "A score that is wrong needs a note. Write what the score does not know.",
        ),
        (
            "",
            "",
            StatusCode::BAD_REQUEST,
            "The form does not say what is meant",
        ),
        (
            "sold",
            "",
            StatusCode::BAD_REQUEST,
            "The form does not say what is meant",
        ),
        (
            "wrong",
            &"ä".repeat(2_001),
            StatusCode::UNPROCESSABLE_ENTITY,
            "The note has more than 2000 characters",
        ),
        (
            "called",
            &"x".repeat(40_000),
            StatusCode::PAYLOAD_TOO_LARGE,
            "",
        ),
    ] {
        let reply = say(&site, &cookie, &page, said, note);
        assert_eq!(reply.status, status, "{said}");
        assert!(
            text_of(&reply.body).contains(says),
            "{}",
            text_of(&reply.body)
        );
    }
    let form = page.hidden("form");
    for (lead, says) in [
        ("L9999", "There is no lead “L9999”."),
        ("", "There is no lead “”."),
        ("%FF", "There is no lead “%FF”."),
    ] {
        let fields = [("form", form.as_str()), ("lead", lead), ("said", "called")];
        let reply = site.post("/words", &cookie, &fields);
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{lead}");
        assert!(
            text_of(&reply.body).contains(says),
            "{}",
            text_of(&reply.body)
        );
    }
    // Of a lead that closed there is something to say, and no page.
    let fields = [("form", form.as_str()), ("lead", "closed"), ("said", "won")];
    assert_eq!(
        site.post("/words", &cookie, &fields).status,
        StatusCode::SEE_OTHER
    );
    let after = text_of(&site.get("/leads/closed", &cookie).body);
    assert!(
        after.contains("Saved: won. This lead is not open"),
        "{after}"
    );
    assert!(site.made.words_on("L1").is_empty());
    assert_eq!(
        say(&site, &cookie, &page, "wrong", &"😀".repeat(2_000)).status,
        StatusCode::SEE_OTHER
    );
}

#[test]
fn a_word_reaches_a_lead_whatever_its_id() {
    let site = Site::new(Setup {
        kind: crate::made::Kind::Hostile,
        ..Setup::default()
    });
    let cookie = site.sign_in("admin");
    for lead in crate::made::HOSTILE {
        let address = if lead.bytes().all(|byte| byte == b'.') {
            format!("/leads?id={lead}")
        } else {
            format!(
                "/leads/{}",
                lead.bytes()
                    .map(|byte| format!("%{byte:02X}"))
                    .collect::<String>()
            )
        };
        let page = site.get(&address, &cookie);
        let reply = say(&site, &cookie, &page, "called", "");
        assert_eq!(reply.status, StatusCode::SEE_OTHER, "{lead:?}");
        assert_eq!(site.made.words_on(lead).len(), 1, "{lead:?}");
        let back = site.get(reply.header("location"), &cookie);
        assert_eq!(back.between("role=\"status\">", "<"), "Saved: called.");
    }
}

#[test]
fn a_bad_form_after_a_saved_word_says_of_each_what_became_of_it() {
    let site = Site::new(Setup::default());
    let cookie = site.sign_in("admin");
    let page = site.get("/leads/L1", &cookie);
    assert_eq!(
        say(&site, &cookie, &page, "called", "").status,
        StatusCode::SEE_OTHER
    );
    // The browser has not looked at the answer when the next form comes.
    let reply = say(&site, &cookie, &page, "wrong", "");
    let text = text_of(&reply.body);
    assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{text}");
    let expected = "The form before this one came through. Saved: called.";
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("This form was not saved."), "{text}");
    assert!(!text.contains("Nothing was saved"), "{text}");
    let after = text_of(&site.get("/leads/L1", &cookie).body);
    assert!(!after.contains("Saved:"), "told once: {after}");
    // A form of another session, after a word.
    say(&site, &cookie, &page, "not_now", "");
    let fields = [("form", "0"), ("lead", "L1"), ("said", "won")];
    let reply = site.post("/words", &cookie, &fields);
    let text = text_of(&reply.body);
    assert_eq!(reply.status, StatusCode::FORBIDDEN, "{text}");
    assert!(text.contains("came through. Saved: not now."), "{text}");
    assert!(text.contains("This form was not saved."), "{text}");
    assert_eq!(site.made.words_on("L1").len(), 2);
}
