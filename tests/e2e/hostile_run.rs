//! What a scheduled run meets: input that is wrong, a system that says no, runs that are killed.
//! Yesterday's scores stay, nothing is half-written, and a sentence says what is wrong.
#![cfg(target_os = "linux")]
#![allow(missing_docs, reason = "tests")]

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use leadscore_operate::{Finding, Registry, Role};
use leadscore_tests::operated::{
    champion_as_of, copy_of, decides, edit, files_below, operated_crm, run_in,
};
use leadscore_tests::{Random, binary, n_tries, small_crm};

const PUBLISH: &str = "publish = [\"scores.csv\", \"out/\"]";

/// What others read: the published files and the history.
fn visible(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = files_below(folder);
    files.retain(|name, _| {
        name == "scores.csv"
            || name.starts_with("out/")
            || name.starts_with("scores/") && !name.ends_with(".lock")
    });
    files
}

fn kinds(folder: &Path) -> Vec<&'static str> {
    let findings = Registry::verify(folder.join("models")).expect("readable");
    findings.iter().map(Finding::kind).collect()
}

/// Fails with these words, and what others read is as it was.
#[track_caller]
fn fails(folder: &Path, args: &[&str], words: &[&str]) {
    let before = visible(folder);
    let ran = decides(folder, args, "failed", 2);
    let error = ran.error();
    for word in words {
        assert!(error.contains(word), "{word}: {error}");
    }
    assert!(
        !args.is_empty() || !error.contains("--"),
        "a library names no flags: {error}"
    );
    assert!(ran.stderr.contains("error: "), "{}", ran.stderr);
    assert!(visible(folder) == before, "{words:?}");
}

#[test]
fn input_that_is_wrong() {
    let folder = operated_crm("linear", "1000", PUBLISH);
    let at = folder.path();
    decides(at, &[], "first", 0);
    let whole = files_below(at);
    // Each on a copy, since a run that fails writes into the journal.
    let on = |args: &[&str], words: &[&str], change: &dyn Fn(&Path)| {
        let copy = copy_of(at);
        change(copy.path());
        fails(copy.path(), args, words);
        copy
    };
    let text_of = |name: &str| String::from_utf8(whole[name].clone()).expect("text");
    on(&[], &["touches.csv"], &|at| {
        std::fs::remove_file(at.join("touches.csv")).expect("there");
    });
    on(&[], &["leads.csv", "lead_id"], &|at| {
        edit(at, "leads.csv", |text| text.replacen("lead_id", "lead", 1));
    });
    on(&[], &["deals.csv"], &|at| {
        std::fs::write(at.join("deals.csv"), "").expect("room");
    });
    on(&[], &["touches.csv"], &|at| {
        // Cut off within a row.
        edit(at, "touches.csv", |text| {
            let end = text.trim_end().rfind(',').expect("a comma") - 3;
            text[..end].to_owned()
        });
    });
    on(&[], &["pubish"], &|at| {
        edit(at, "leadscore.toml", |text| {
            text.replace("publish", "pubish")
        });
    });
    on(&["--as-of", "tomorrow"], &["tomorrow"], &|_| {});
    on(&["--as-of", "2025-12-01"], &["2026-01-01 already"], &|_| {});
    for (places, what) in [
        ("[\"scores.csv\", \"scores.csv\"]", "twice"),
        ("[\"leads.csv\"]", "leads.csv"),
        ("[\"scores.xyz\"]", "scores.xyz"),
        ("[\"none/scores.csv\"]", "none"),
        ("[\"leads.csv/\"]", "leads.csv"),
        ("[\"table:scores\"]", "database"),
    ] {
        on(&[], &[what], &|at| {
            edit(at, "leadscore.toml", |text| {
                let begin = text.find("publish").expect("there");
                format!("{}publish = {places}\n", &text[..begin])
            });
        });
    }
    // A history of leads with another column of ids.
    on(&[], &["scores"], &|at| {
        for name in [
            "leadscore.toml",
            "leads.csv",
            "touches.csv",
            "deals.csv",
            "stages.csv",
            "web_sessions.csv",
            "sales_activities.csv",
        ] {
            edit(at, name, |text| text.replace("lead_id", "person"));
        }
    });
    let champion = format!("models/{}", text_of("models/champion").trim());
    let altered = on(&[], &["is not the file that was added"], &|at| {
        let path = at.join(format!("{champion}.leadscore"));
        let mut bytes = std::fs::read(&path).expect("there");
        bytes[900] ^= 4;
        std::fs::write(path, bytes).expect("room");
    });
    assert_eq!(kinds(altered.path()).len(), 1);
    let journal = |change: fn(&mut Vec<&str>)| {
        move |at: &Path| {
            edit(at, "models/journal.ndjson", |text| {
                let mut lines: Vec<&str> = text.lines().collect();
                change(&mut lines);
                lines.join("\n") + "\n"
            });
        }
    };
    on(
        &[],
        &["journal"],
        &journal(|lines| {
            lines.remove(0);
        }),
    );
    on(
        &[],
        &["journal"],
        &journal(|lines| {
            lines.pop();
        }),
    );
    assert!(files_below(at) == whole);
    decides(at, &[], "unchanged", 0);
}

/// Of a CRM without wins, or without open leads, no run makes anything.
#[test]
fn nothing_to_learn_and_nothing_to_score() {
    let folder = operated_crm("linear", "1000", PUBLISH);
    let at = folder.path();
    let new = copy_of(at);
    edit(new.path(), "deals.csv", |text| {
        text.replace("closed_won", "closed_lost")
    });
    fails(new.path(), &[], &["won"]);
    assert!(visible(new.path()).is_empty() && !new.path().join("models/champion").exists());
    assert!(kinds(new.path()).is_empty());
    // A model can be learned where no lead is open any more: it waits for the next one.
    let over = small(PUBLISH);
    fails(over.path(), &[], &["no lead is open"]);
    assert!(over.path().join("models/champion").exists() && kinds(over.path()).is_empty());
    fails(over.path(), &[], &["no lead is open"]);
    assert!(kinds(over.path()).is_empty());
}

fn small(operation: &str) -> tempfile::TempDir {
    let folder = small_crm();
    leadscore_tests::operated::add_to_config(
        folder.path(),
        &format!("\n[operation]\n{operation}\n"),
    );
    folder
}

/// A line of the shell, with `$L` for the command.
fn shell(folder: &Path, line: &str) -> (Option<i32>, String, String) {
    let output = Command::new("bash")
        .args(["-c", line])
        .current_dir(folder)
        .env("L", binary())
        .env("NO_COLOR", "1")
        .output()
        .expect("there is a shell");
    (
        output.status.code(),
        String::from_utf8_lossy(&output.stdout).into_owned(),
        String::from_utf8_lossy(&output.stderr).into_owned(),
    )
}

#[test]
fn a_full_disk_and_a_folder_that_cannot_be_written() {
    let folder = operated_crm("linear", "1000", PUBLISH);
    decides(folder.path(), &[], "first", 0);
    let mut codes = Vec::new();
    // From a limit under which not even the journal can grow to one that is enough.
    for kilobytes in [0, 1, 4, 8, 12, 20, 60, 100_000] {
        let copy = copy_of(folder.path());
        let before = visible(copy.path());
        edit(copy.path(), "leadscore.toml", |text| {
            text + "# another run\n"
        });
        std::fs::remove_file(copy.path().join("scores.csv")).expect("there");
        let (code, stdout, stderr) = shell(
            copy.path(),
            &format!("ulimit -f {kilobytes}; $L run --as-of 2026-01-05"),
        );
        assert!(
            matches!(code, Some(0 | 2)),
            "{kilobytes}: {code:?} {stderr}"
        );
        assert_eq!(stdout.lines().count(), 1, "{kilobytes}: {stdout}{stderr}");
        assert_eq!(kinds(copy.path()), Vec::<&str>::new(), "{kilobytes}");
        if code == Some(2) {
            assert!(stderr.contains("error: "), "{stderr}");
            let mut after = visible(copy.path());
            after.retain(|name, _| !name.ends_with("=2026-01-05/"));
            let mut before = before;
            // A run that had shown its files and could not note that it ended is done again.
            if !after.contains_key("scores.csv") {
                before.remove("scores.csv");
                assert!(after == before, "{kilobytes}: {:?}", after.keys());
            }
        }
        codes.push(code);
        decides(
            copy.path(),
            &["--as-of", "2026-01-05"],
            if code == Some(0) {
                "unchanged"
            } else {
                "not due"
            },
            0,
        );
        assert!(copy.path().join("scores.csv").is_file());
    }
    assert!(
        codes.contains(&Some(0)) && codes.contains(&Some(2)),
        "{codes:?}"
    );

    // Whoever runs the tests may be root: a folder of the system is read-only for everybody.
    for key in ["registry", "history"] {
        let copy = copy_of(folder.path());
        edit(copy.path(), "leadscore.toml", |text| {
            format!("{text}{key} = \"/proc/there\"\n")
        });
        let before = visible(copy.path());
        let ran = decides(copy.path(), &[], "failed", 2);
        assert!(ran.error().contains("/proc/there"), "{}", ran.error());
        assert!(visible(copy.path()) == before);
    }
}

/// How long a run lives before it is killed.
struct Life {
    begins: Duration,
    lasts: Duration,
}

/// Four runs, each killed at a random moment: how many were killed while they worked, and how many
/// had ended.
fn four_killed(folder: &Path, random: &mut Random, usual: Duration) -> (usize, usize) {
    let mut part = |most: f64| usual.mul_f64(most * random.below(1_000) as f64 / 1_000.0);
    let lives: Vec<Life> = (0..4)
        .map(|_| Life {
            begins: part(0.5),
            lasts: part(0.3),
        })
        .collect();
    let codes: Vec<Option<i32>> = std::thread::scope(|scope| {
        let runs: Vec<_> = lives
            .iter()
            .map(|life| {
                scope.spawn(|| {
                    std::thread::sleep(life.begins);
                    let mut child = Command::new(binary())
                        .args(["run"])
                        .current_dir(folder)
                        .stdout(Stdio::null())
                        .stderr(Stdio::null())
                        .spawn()
                        .expect("the program starts");
                    std::thread::sleep(life.lasts);
                    let _ = child.kill();
                    child.wait().expect("it ended").code()
                })
            })
            .collect();
        runs.into_iter()
            .map(|run| run.join().expect("no panic"))
            .collect()
    });
    for code in codes.iter().flatten() {
        assert!(matches!(code, 0 | 1 | 75), "{code}");
    }
    let n_killed = codes.iter().filter(|code| code.is_none()).count();
    (n_killed, codes.len() - n_killed)
}

/// Runs that train, compare, promote and publish, killed at any moment: the registry is sound and
/// has one champion, and the next run ends as if nobody had disturbed it.
#[test]
fn killed_at_any_moment() {
    let world = operated_crm(
        "linear",
        "1500",
        &format!(
            "{PUBLISH}\nretrain = \"30d\"\npromote = \"auto\"\nmax_age = \"30d\"\nmargin = 0.5\nmax_churn = 1.0"
        ),
    );
    champion_as_of(world.path(), "2024-12-01");
    let undisturbed = copy_of(world.path());
    let began = Instant::now();
    let ran = run_in(undisturbed.path(), &[]);
    let usual = began.elapsed();
    assert!(ran.code < 2, "{}", ran.stderr);
    let expected = visible(undisturbed.path());
    let champion = ran.report["champion"].clone();

    let mut random = Random(25);
    let (mut n_killed, mut n_ended, mut n_promoted, mut n_kills) = (0, 0, 0, 0);
    // Five rounds of four kills, and then the run that counts.
    for _ in 0..n_tries(1) {
        let copy = copy_of(world.path());
        let at = copy.path();
        for round in 0..5 {
            let (killed, ended) = four_killed(at, &mut random, usual);
            n_kills += 4;
            n_killed += killed;
            n_ended += ended;
            assert_eq!(kinds(at), Vec::<&str>::new(), "round {round}");
            let registry = Registry::open(at.join("models")).expect("sound");
            let champion = registry.role(Role::Champion).expect("one champion");
            registry.read(champion).expect("a whole model");
        }
        let ran = run_in(at, &[]);
        assert!(ran.code < 2, "{}", ran.stderr);
        assert_eq!(ran.report["champion"], champion, "{}", ran.stderr);
        assert_eq!(kinds(at), Vec::<&str>::new());
        let named = std::fs::read_to_string(at.join("models/champion")).expect("text");
        assert_eq!(champion, named.trim());
        let found = visible(at);
        assert!(
            found == expected,
            "{:?} and not {:?}",
            found.keys(),
            expected.keys()
        );
        n_promoted += usize::from(ran.decision() == "promoted");
        decides(at, &[], "unchanged", ran.code);
    }
    assert!(n_killed > 0);
    leadscore_tests::say(&format!(
        "{n_kills} kills: {n_killed} runs were killed at work, {n_ended} had ended; {n_promoted} times the run that counts decided, usual {usual:?}"
    ));
}
