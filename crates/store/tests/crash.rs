//! `kill -9` at any time: what was acknowledged is there, once, and calls are there whole or not at
//! all. `LEADSCORE_CRASH_ROUNDS` says how often (default 12).

mod world;

use std::collections::HashMap;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use leadscore_store::Store;
use world::World;

/// The example `crash`, which is built beside the tests.
fn program() -> PathBuf {
    let test = std::env::current_exe().expect("a test");
    let folder = test.ancestors().nth(2).expect("target/PROFILE/deps");
    folder.join("examples").join("crash")
}

/// A call that was answered: how many events it has, and a moment from before it.
type Answered = HashMap<String, (usize, i64)>;

fn append_and_kill(place: &str, round: usize, after: Duration) -> Answered {
    let mut child = Command::new(program())
        .arg("append")
        .arg(place)
        .arg(round.to_string())
        .stdout(Stdio::piped())
        .spawn()
        .expect("started");
    let out = BufReader::new(child.stdout.take().expect("piped"));
    let (tell, first_answer) = std::sync::mpsc::channel();
    let reader = std::thread::spawn(move || {
        let mut answered = Answered::new();
        for line in out.lines() {
            let line = line.expect("text");
            let words: Vec<&str> = line.split(' ').collect();
            let [call, n, moment] = words.as_slice() else {
                panic!("`{line}`");
            };
            let n = n.parse().expect("a count");
            // Nobody listens for the second one.
            tell.send(()).unwrap_or_default();
            answered.insert((*call).to_owned(), (n, moment.parse().expect("a moment")));
        }
        answered
    });
    // Some are killed while they start; a busy machine needs long for that.
    if !round.is_multiple_of(4) {
        first_answer
            .recv_timeout(Duration::from_secs(60))
            .expect("an answer");
    }
    std::thread::sleep(after);
    child.kill().expect("killed");
    child.wait().expect("ended");
    reader.join().expect("read")
}

/// Events of each call that are in the store, and when they were recorded.
fn show(place: &str) -> HashMap<String, Vec<i64>> {
    let output = Command::new(program())
        .arg("show")
        .arg(place)
        .output()
        .expect("run");
    let text = String::from_utf8(output.stdout).expect("text");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let mut calls: HashMap<String, Vec<i64>> = HashMap::new();
    let mut seen = std::collections::HashSet::new();
    for line in text.lines() {
        assert!(!line.starts_with("wrong"), "{line}");
        let (id, recorded) = line.split_once(' ').expect("an ID and a time");
        assert!(seen.insert(id.to_owned()), "{id} is there twice");
        let (call, _) = id.split_once('.').expect("an ID of a call");
        calls
            .entry(call.to_owned())
            .or_default()
            .push(recorded.parse().expect("a time"));
    }
    calls
}

#[test]
fn nothing_acknowledged_is_lost_or_counted_twice() {
    let n_rounds: usize = std::env::var("LEADSCORE_CRASH_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(12);
    let mut n_answered = 0;
    let mut world = World::new();
    let mut answered = Answered::new();
    for round in 0..n_rounds {
        // A fresh store now and then, so that creating one is killed, too.
        if round % 25 == 0 {
            world = World::new();
            answered.clear();
        }
        // Times that fall anywhere.
        let after = Duration::from_micros(2_000 + (round as u64 * 7_919) % 150_000);
        let new = append_and_kill(&world.place_text(), round, after);
        n_answered += new.len();
        answered.extend(new);
        if !Store::is_there(world.place()).expect("known") {
            continue;
        }
        let stored = show(&world.place_text());
        for (call, (n, moment)) in &answered {
            let found = stored.get(call).map_or(0, Vec::len);
            assert_eq!(
                found, *n,
                "round {round}: call {call} has {found} of {n} events"
            );
            assert!(stored[call].iter().all(|recorded| recorded >= moment));
        }
        for (call, events) in &stored {
            let place: usize = call
                .rsplit('-')
                .next()
                .and_then(|n| n.parse().ok())
                .expect("a number");
            assert_eq!(
                events.len(),
                1 + place % 7,
                "round {round}: call {call} is there in part"
            );
        }
    }
    assert!(
        n_answered > n_rounds,
        "only {n_answered} calls were answered"
    );
}
