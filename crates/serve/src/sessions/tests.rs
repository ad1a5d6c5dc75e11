//! Sessions end when they should, and the file has no secret.

use super::*;
use crate::WordKind;

fn at(minutes: i64) -> Timestamp {
    let monday = Timestamp::from_ymd(2026, 11, 23).expect("a day");
    Timestamp::from_micros(monday.micros() + minutes * 60_000_000)
}

fn sessions() -> Sessions {
    Sessions::in_memory(SessionOptions::default()).expect("memory")
}

#[test]
fn a_session_lives_while_it_is_used_and_a_week_at_most() {
    let sessions = sessions();
    let id = sessions.begin("kim", at(0)).expect("begun");
    let alive = |minutes| sessions.resume(&id, at(minutes)).expect("read").is_some();
    assert!(alive(12 * 60 - 1), "a minute before its idle time ends");
    for hours in (12..7 * 24).step_by(6) {
        assert!(alive(hours * 60), "used every six hours, at hour {hours}");
    }
    assert!(!alive(7 * 24 * 60), "a week after the sign-in");
    assert!(
        !alive(0),
        "it ended and does not come back when the clock jumps"
    );
    let idle = sessions.begin("kim", at(0)).expect("begun");
    assert!(sessions.resume(&idle, at(12 * 60)).expect("read").is_none());
}

#[test]
fn an_id_is_one_of_ours_or_none() {
    let sessions = sessions();
    let id = sessions.begin("kim", at(0)).expect("begun");
    let text = id.expose();
    assert_eq!(SessionId::parse(&text), Some(id.clone()));
    for wrong in [
        "",
        "a",
        &text[1..],
        &text.to_uppercase(),
        &"é".repeat(32),
        &"g".repeat(64),
    ] {
        if wrong != text {
            assert_eq!(SessionId::parse(wrong), None, "{wrong}");
        }
    }
    let other = sessions.begin("kim", at(0)).expect("begun");
    assert_ne!(id, other);
    assert!(id.is_form_token(&id.form_token()));
    assert!(!id.is_form_token(&other.form_token()));
    assert!(!id.is_form_token(""));
    assert!(!format!("{id:?}").contains(&text[..8]));
    assert!(!id.form_token().contains(&text));
}

#[test]
fn the_file_has_hashes_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("events.store.state");
    let id = {
        let sessions = Sessions::open(&path, SessionOptions::default()).expect("opened");
        sessions.begin("kim", at(0)).expect("begun")
    };
    let bytes = std::fs::read(&path).expect("a file");
    let has = |wanted: &[u8]| bytes.windows(wanted.len()).any(|window| window == wanted);
    assert!(has(b"kim"));
    assert!(!has(id.expose().as_bytes()));
    let raw: Vec<u8> = (0..32)
        .map(|at| u8::from_str_radix(&id.expose()[2 * at..2 * at + 2], 16).expect("hex"))
        .collect();
    assert!(!has(&raw));
    let again = Sessions::open(&path, SessionOptions::default()).expect("opened");
    assert!(
        again.resume(&id, at(5)).expect("read").is_some(),
        "a restart signs nobody out"
    );
    again.end(&id).expect("ended");
    assert!(again.resume(&id, at(5)).expect("read").is_none());
}

#[test]
fn a_token_has_so_many_sessions() {
    let options = SessionOptions {
        most: 3,
        ..SessionOptions::default()
    };
    let sessions = Sessions::in_memory(options).expect("memory");
    let ids: Vec<SessionId> = (0..5)
        .map(|n| sessions.begin("kim", at(n)).expect("begun"))
        .collect();
    let other = sessions.begin("lee", at(9)).expect("begun");
    let alive: Vec<bool> = ids
        .iter()
        .map(|id| sessions.resume(id, at(10)).expect("read").is_some())
        .collect();
    assert_eq!(alive, [false, false, true, true, true]);
    assert!(sessions.resume(&other, at(10)).expect("read").is_some());
}

#[test]
fn a_notice_is_told_once() {
    let sessions = sessions();
    let id = sessions.begin("kim", at(0)).expect("begun");
    sessions.leave_notice(&id, "Saved").expect("left");
    let notice = |minutes| {
        sessions
            .resume(&id, at(minutes))
            .expect("read")
            .expect("alive")
            .notice
    };
    assert_eq!(notice(1).as_deref(), Some("Saved"));
    assert_eq!(notice(2), None);
}

#[test]
fn the_last_look_is_that_of_the_visit_before() {
    let sessions = sessions();
    let look = |minutes| sessions.look("kim", at(minutes)).expect("written");
    assert_eq!(look(0), None);
    assert_eq!(look(20), None, "the same visit");
    assert_eq!(look(49), None, "still");
    assert_eq!(look(49 + 30), Some(at(49)), "another visit");
    assert_eq!(look(49 + 50), Some(at(49)), "which sees the same changes");
    assert_eq!(look(60 * 24), Some(at(99)));
    assert_eq!(sessions.look("lee", at(5)).expect("written"), None);
    let used = sessions.usage(at(0), Some("kim")).expect("read");
    assert_eq!(used.len(), 1);
    assert_eq!(used[0].count(Act::Visit), 3);
}

#[test]
fn use_is_counted_by_week_and_user() {
    let sessions = sessions();
    let days = |n: i64| at(n * 24 * 60);
    for (user, act, day) in [
        ("kim", Act::Lead, 0),
        ("kim", Act::Lead, 6),
        ("kim", Act::Word(WordKind::Called), 6),
        ("kim", Act::Lead, 7),
        ("lee", Act::Word(WordKind::Wrong), 7),
        ("old", Act::Lead, -7),
    ] {
        sessions.count(user, act, days(day)).expect("written");
    }
    let used = sessions.usage(days(3), None).expect("read");
    let seen: Vec<_> = used
        .iter()
        .map(|row| (row.week, row.user.as_str(), row.counts))
        .collect();
    assert_eq!(
        seen,
        [
            (days(7), "kim", [0, 1, 0, 0, 0, 0, 0]),
            (days(7), "lee", [0, 0, 0, 0, 0, 0, 1]),
            (days(0), "kim", [0, 2, 1, 0, 0, 0, 0]),
        ]
    );
}

#[cfg(unix)]
#[test]
fn the_file_is_its_owners() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("page.sqlite");
    let _sessions = Sessions::open(&path, SessionOptions::default()).expect("room");
    let mode = std::fs::metadata(&path)
        .expect("a file")
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o600);
}
