//! The log under load, without room, and after a lead was forgotten.

use leadscore_core::{ContactPriority, Timestamp};

use super::*;
use crate::queue::Edges;

fn answer(lead: &str, at: i64) -> Answer {
    Answer {
        at: Timestamp::from_micros(at),
        lead: lead.to_owned(),
        model: "m".to_owned(),
        log_odds: -1.5,
        likelihood: 18.2,
        tier: ContactPriority::Low,
        percent: 22.0,
        edges: Edges {
            values: [0.5, 0.4, 0.3],
            of: None,
        },
        input_hash: String::new(),
        feature_hash: String::new(),
        raw: None,
    }
}

fn leads_of(folder: &std::path::Path) -> Vec<String> {
    let mut leads = Vec::new();
    for path in segments_of(folder).expect("files") {
        for_each_line(&path, |_, line| leads.push(line.expect("an answer").lead)).expect("a file");
    }
    leads
}

#[test]
fn what_is_written_is_there_in_order_over_files_and_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let options = LogOptions {
        file_bytes: 2_000,
        ..LogOptions::new(folder.path().join("log"))
    };
    for run in 0..2 {
        let log = AnswerLog::open(options.clone()).expect("a log");
        for number in 0..50 {
            log.write(answer(&format!("L{}", 50 * run + number), 7));
            if number % 10 == 0 {
                log.flush();
            }
        }
        log.flush();
        assert_eq!(log.state().n_written, 50);
    }
    let expected: Vec<String> = (0..100).map(|number| format!("L{number}")).collect();
    assert_eq!(leads_of(&options.folder), expected);
    assert!(segments_of(&options.folder).expect("files").len() > 4);
}

#[test]
fn a_disk_that_refuses_stops_nothing_and_is_told() {
    let folder = tempfile::tempdir().expect("a folder");
    let place = folder.path().join("log");
    let log = AnswerLog::open(LogOptions::new(&place)).expect("a log");
    // A file in the folder's place refuses every file of the log.
    std::fs::remove_dir(&place).expect("an empty folder");
    std::fs::write(&place, "").expect("a file");
    log.write(answer("L1", 1));
    log.flush();
    let state = log.state();
    assert!(state.error.is_some());
    assert_eq!((state.n_written, state.n_lost), (0, 0));
    // What waited is written once there is room.
    std::fs::remove_file(&place).expect("the file");
    std::fs::create_dir(&place).expect("a folder");
    log.write(answer("L2", 2));
    log.flush();
    assert_eq!(log.state().n_written, 2);
    assert_eq!(log.state().error, None);
    assert_eq!(leads_of(&place), ["L1", "L2"]);
    // While it refuses, memory has a bound.
    std::fs::remove_dir_all(&place).expect("the folder");
    std::fs::write(&place, "").expect("a file");
    let long = "x".repeat(10_000);
    for number in 0..2_000 {
        log.write(answer(&long, number));
    }
    log.flush();
    assert!(log.state().n_lost > 500, "{:?}", log.state());
    assert!(log.state().n_lost < 2_000);
}

#[test]
fn a_lead_that_is_forgotten_is_in_no_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let log = AnswerLog::open(LogOptions::new(folder.path())).expect("a log");
    for number in 0..9 {
        log.write(answer(["L1", "L\"2", "L11"][number % 3], number as i64));
    }
    assert_eq!(log.forget("L\"2").expect("files"), 3);
    assert_eq!(log.forget("L\"2").expect("files"), 0);
    log.write(answer("L3", 9));
    log.flush();
    let mut leads = leads_of(folder.path());
    leads.sort();
    assert_eq!(leads, ["L1", "L1", "L1", "L11", "L11", "L11", "L3"]);
    for path in segments_of(folder.path()).expect("files") {
        let text = std::fs::read_to_string(path).expect("a file");
        assert!(!text.contains("L\\\"2"));
    }
}
