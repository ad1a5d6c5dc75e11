//! The registry as its user has it: the life of models by the command, what every command does with
//! `@champion`, damage, a full disk, two at once, and processes that are killed.
#![allow(missing_docs, reason = "tests")]

use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use leadscore_operate::{By, Finding, Registry, Role};
use leadscore_tests::{Random, binary, leadscore, n_tries, refused, small_crm, succeed};
use tempfile::TempDir;

/// A CRM with the models `a.leadscore`, `b.leadscore` and `c.leadscore`, which differ.
fn crm() -> TempDir {
    let folder = small_crm();
    train(folder.path(), "2020-10-01");
    folder
}

fn train(folder: &Path, as_of: &str) {
    succeed(
        folder,
        &[
            "train",
            "-o",
            "a.leadscore",
            "--allow-too-few",
            "--as-of",
            as_of,
        ],
    );
    let mut model = leadscore::read_model(&folder.join("a.leadscore")).expect("a model");
    for name in ["b", "c"] {
        model.intercept += 0.25;
        model.card.model_id = model.compute_id().expect("encodes");
        let path = folder.join(format!("{name}.leadscore"));
        leadscore::write_model(&model, &path).expect("room");
    }
}

/// A registry with all three: `b` is the champion, `a` the previous one.
fn registry() -> (TempDir, [String; 3]) {
    let folder = crm();
    let ids = added(folder.path());
    (folder, ids)
}

fn added(folder: &Path) -> [String; 3] {
    let ids = ["a", "b", "c"].map(|name| {
        let file = format!("{name}.leadscore");
        succeed(folder, &["models", "add", &file]).trim().to_owned()
    });
    for id in &ids[..2] {
        succeed(
            folder,
            &["models", "promote", id, "--because", "it is better"],
        );
    }
    ids
}

fn bytes(folder: &Path, file: &str) -> Vec<u8> {
    std::fs::read(folder.join(file)).unwrap_or_else(|error| panic!("{file}: {error}"))
}

fn kinds(folder: &Path) -> Vec<&'static str> {
    let findings = Registry::verify(folder.join("models")).expect("readable");
    findings.iter().map(Finding::kind).collect()
}

/// Messages without what differs from run to run.
fn steady(text: &str, ids: &[String]) -> String {
    let mut text = text.to_owned();
    for (id, name) in ids.iter().zip(["<a>", "<b>", "<c>"]) {
        text = text.replace(id, name);
    }
    // Hashes and times.
    let mut words = Vec::new();
    for line in text.split('\n') {
        let line: Vec<String> = line
            .split(' ')
            .map(|word| {
                let core = word.trim_matches(|c: char| !c.is_ascii_alphanumeric());
                if core.len() == 64 && core.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                    word.replace(core, "<hash>")
                } else if core.len() >= 20 && core.starts_with("20") && core.ends_with('Z') {
                    word.replace(core, "<time>")
                } else {
                    word.to_owned()
                }
            })
            .collect();
        words.push(line.join(" "));
    }
    words.join("\n")
}

#[test]
fn models_live_in_a_registry() {
    let (folder, ids) = registry();
    let at = folder.path();
    let run = |args: &[&str]| succeed(at, args);
    assert!(run(&["models", "list"]).contains("champion"));
    let list: serde_json::Value =
        serde_json::from_str(&run(&["models", "list", "--json"])).expect("JSON");
    assert_eq!(list["roles"]["champion"], ids[1].as_str());
    assert_eq!(list["models"].as_array().map(Vec::len), Some(3));
    // The same again is no new model, and no new champion.
    assert_eq!(run(&["models", "add", "a.leadscore"]).trim(), ids[0]);
    run(&["models", "promote", &ids[1][..10], "--because", "again"]);
    let journal = String::from_utf8(bytes(at, "models/journal.ndjson")).expect("text");
    assert_eq!(journal.lines().count(), 5, "{journal}");
    assert_eq!(
        bytes(at, &format!("models/{}.leadscore", ids[0])),
        bytes(at, "a.leadscore")
    );

    std::fs::write(
        at.join("why.json"),
        r#"{"log_loss": {"champion": 0.52, "challenger": 0.5}, "n_leads": 812}"#,
    )
    .expect("room");
    run(&[
        "models",
        "promote",
        &ids[2],
        "--because",
        "wins were 22 % and not 31 %",
        "--evidence",
        "why.json",
    ]);
    let why = run(&["models", "why"]);
    assert!(
        why.contains("because: wins were 22 % and not 31 %")
            && why.contains("log loss, challenger: 0.5"),
        "{why}"
    );
    run(&["models", "revert", "--because", "fewer calls"]);
    run(&["models", "retire", "@previous", "--because", "fewer calls"]);
    for (line, what) in [
        (vec!["models", "revert"], "no previous"),
        (
            vec!["models", "promote", &ids[2], "--because", "x"],
            "is retired",
        ),
        (
            vec!["models", "retire", "@champion", "--because", "x"],
            "is the champion",
        ),
        (vec!["models", "promote", &ids[0]], "--because"),
        (
            vec!["models", "promote", &ids[0], "--because", " "],
            "write why",
        ),
        (vec!["models", "show", "zz"], "no model `zz`"),
        (vec!["models", "show", "champion"], "write @champion"),
        (vec!["models", "add", "leads.csv"], "cannot add leads.csv"),
        (
            vec!["models", "add", "nothing"],
            "cannot read the model nothing",
        ),
        (
            vec!["models", "verify", "--registry", "modles"],
            "no registry modles",
        ),
        (
            vec!["models", "revert", "--registry", "modles"],
            "no registry modles",
        ),
        (
            vec!["models", "list", "--registry", "leads.csv"],
            "leads.csv",
        ),
        (
            vec![
                "models",
                "add",
                "a.leadscore",
                "--registry",
                "s3://b/models",
            ],
            "is not a folder",
        ),
    ] {
        let text = refused(at, &line);
        assert!(text.contains(what), "{line:?}: {text}");
    }
    assert!(!at.join("modles").exists());
    let shown = run(&["models", "show", "@champion"]);
    assert!(
        shown.contains("has been the champion since") && shown.contains("made"),
        "{shown}"
    );
    assert!(run(&["models", "verify"]).contains("is as it was written"));
    insta::assert_snapshot!("why_is_this_the_champion", {
        let text = steady(&run(&["models", "why"]), &ids);
        let user: serde_json::Value =
            serde_json::from_str(&run(&["models", "why", "--json"])).expect("JSON");
        let named = |key: &str| user[0][key].as_str().expect("text").to_owned();
        text.replace(
            &format!("{} on {}", named("user"), named("host")),
            "<user> on <host>",
        )
    });
}

#[test]
fn every_command_takes_a_name_of_the_registry() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = folder.path();
    succeed(
        at,
        &[
            "simulate", "--leads", "1000", "--format", "csv", "--out", ".",
        ],
    );
    train(at, "2025-04-01");
    let ids = added(at);
    succeed(at, &["score", "a.leadscore"]);
    let scores = String::from_utf8(bytes(at, "scores.csv")).expect("text");
    let best = scores.lines().nth(1).and_then(|row| row.split(',').next());
    let explain = format!("explain MODEL {} --json", best.expect("a lead"));
    let by_id = format!("@{}", &ids[1][..8]);
    for (line, outputs) in [
        (
            "score MODEL -o OUT.csv --json OUT.json",
            &["OUT.csv", "OUT.json"][..],
        ),
        (
            "evaluate MODEL --against a.leadscore --json OUT.json -o OUT.html",
            &["OUT.json"],
        ),
        ("inspect MODEL --html OUT.html", &["OUT.html"]),
        (explain.as_str(), &[]),
        (
            "explain MODEL --table OUT.csv --importance OUT2.csv",
            &["OUT.csv", "OUT2.csv"],
        ),
        (
            "recalibrate MODEL -o OUT.leadscore --kind shift",
            &["OUT.leadscore"],
        ),
        ("features --model MODEL -o OUT.csv", &["OUT.csv"]),
        ("export json MODEL -o OUT.json", &["OUT.json"]),
        (
            "export sql MODEL --dialect postgres -o OUT.sql",
            &["OUT.sql"],
        ),
        ("export onnx MODEL -o OUT.onnx", &["OUT.onnx"]),
        ("export pmml MODEL -o OUT.pmml", &["OUT.pmml"]),
        ("export points MODEL -o OUT.toml", &["OUT.toml"]),
    ] {
        let run = |model: &str, out: &str| -> (Output, Vec<Option<Vec<u8>>>) {
            let line = line.replace("MODEL", model).replace("OUT", out);
            let output = leadscore(at, &line.split(' ').collect::<Vec<_>>());
            let files = outputs
                .iter()
                .map(|name| std::fs::read(at.join(name.replace("OUT", out))).ok());
            (output, files.collect())
        };
        let (by_file, files) = run("b.leadscore", "x");
        assert_eq!(
            by_file.status.code(),
            Some(0),
            "{line}: {}",
            String::from_utf8_lossy(&by_file.stderr)
        );
        for name in ["@champion", by_id.as_str()] {
            let (by_name, same_files) = run(name, "x");
            assert_eq!(by_name.status.code(), Some(0), "{line}");
            assert_eq!(by_name.stdout, by_file.stdout, "{line}");
            assert!(files == same_files, "{line}: {name}");
        }
        // A name that is not there is an error that says what is, and no file.
        let text = refused(
            at,
            &line
                .replace("MODEL", "@challenger")
                .replace("OUT", "y")
                .split(' ')
                .collect::<Vec<_>>(),
        );
        assert!(text.contains("has no challenger"), "{line}: {text}");
        let text = refused(
            at,
            &line
                .replace("MODEL", "@champoin")
                .replace("OUT", "y")
                .split(' ')
                .collect::<Vec<_>>(),
        );
        assert!(
            text.contains("no model `@champoin`") && text.contains(&ids[1]),
            "{line}: {text}"
        );
    }
    succeed(
        at,
        &[
            "evaluate",
            "@champion",
            "--against",
            "@previous",
            "--json",
            "x.json",
        ],
    );
    // A file of the registry is an input, which no output replaces.
    let file = format!("models/{}.leadscore", ids[1]);
    let text = refused(at, &["recalibrate", "@champion", "-o", &file]);
    assert!(text.contains("would replace it"), "{text}");
    // A file that is really called so.
    std::fs::copy(at.join("a.leadscore"), at.join("@challenger")).expect("room");
    assert!(succeed(at, &["inspect", "./@challenger"]).contains(&ids[0]));
    let text = refused(at, &["inspect", "@challenger"]);
    assert!(text.contains("./@challenger"), "{text}");
}

#[test]
fn the_config_says_where_the_registry_is() {
    let folder = crm();
    let at = folder.path();
    std::fs::create_dir(at.join("inner")).expect("room");
    let config = std::fs::read_to_string(at.join("leadscore.toml")).expect("text");
    std::fs::write(
        at.join("kept.toml"),
        format!("{config}\n[operation]\nregistry = \"kept\"\n"),
    )
    .expect("room");
    let id = succeed(at, &["models", "add", "a.leadscore", "-c", "kept.toml"]);
    succeed(
        at,
        &[
            "models",
            "promote",
            id.trim(),
            "--because",
            "first",
            "-c",
            "kept.toml",
        ],
    );
    assert!(at.join("kept/champion").is_file() && !at.join("models").exists());
    // From wherever the command is run.
    succeed(
        &at.join("inner"),
        &[
            "score",
            "@champion",
            "-c",
            "../kept.toml",
            "-o",
            "x.csv",
            "--as-of",
            "2020-06-20",
        ],
    );
    assert!(refused(at, &["score", "@champion"]).contains("models has no champion"));
    assert!(refused(at, &["score", "@champion", "-c", "none.toml"]).contains("none.toml"));
    succeed(at, &["models", "why", "--registry", "kept"]);
}

#[test]
fn damage_is_found_and_refused() {
    let (folder, ids) = registry();
    let at = folder.path();
    let champion = format!("models/{}.leadscore", ids[1]);
    let mut said = String::new();
    let mut damage = |what: &str, file: &str, change: &dyn Fn(&mut Vec<u8>), use_of_it: &[&str]| {
        let before = bytes(at, file);
        let mut changed = before.clone();
        change(&mut changed);
        std::fs::write(at.join(file), changed).expect("room");
        let output = leadscore(at, &["models", "verify"]);
        assert_eq!(output.status.code(), Some(1), "{what}");
        said += &format!(
            "## {what}\n$ leadscore models verify\n{}$ leadscore {}\n{}",
            String::from_utf8_lossy(&output.stdout),
            use_of_it.join(" "),
            refused(at, use_of_it)
        );
        std::fs::write(at.join(file), before).expect("room");
        assert!(kinds(at).is_empty(), "{what}");
    };
    let lines = |change: fn(&mut Vec<&str>)| {
        move |bytes: &mut Vec<u8>| {
            let text = String::from_utf8(bytes.clone()).expect("text");
            let mut lines: Vec<&str> = text.lines().collect();
            change(&mut lines);
            *bytes = (lines.join("\n") + "\n").into_bytes();
        }
    };
    let journal = "models/journal.ndjson";
    damage(
        "a bit of the champion",
        &champion,
        &|bytes| bytes[900] ^= 4,
        &["score", "@champion"],
    );
    damage(
        "the model of another under its name",
        &champion,
        &|bytes| *bytes = std::fs::read(at.join("c.leadscore")).expect("there"),
        &["inspect", "@champion"],
    );
    damage(
        "a line removed",
        journal,
        &lines(|lines| {
            lines.remove(2);
        }),
        &["score", "@champion"],
    );
    damage(
        "lines swapped",
        journal,
        &lines(|lines| lines.swap(1, 2)),
        &["models", "list"],
    );
    damage(
        "a bit of a line",
        journal,
        &|bytes| {
            let text = String::from_utf8(bytes.clone()).expect("text");
            bytes[text.find("\"n_leads\":").expect("there") + 10] ^= 1;
        },
        &["models", "why"],
    );
    damage(
        "the last line removed",
        journal,
        &lines(|lines| {
            lines.pop();
        }),
        &["models", "revert"],
    );
    damage(
        "a word in the last line",
        journal,
        &|bytes| {
            let text = String::from_utf8(bytes.clone()).expect("text");
            let at = text.rfind("it is better").expect("there");
            bytes[at..at + 5].copy_from_slice(b"it is");
            bytes[at + 6..at + 12].copy_from_slice(b"worse!");
        },
        &["models", "add", "c.leadscore"],
    );
    insta::assert_snapshot!("damage", steady(&said, &ids));

    // What does not matter to the journal is found, and the journal counts.
    std::fs::write(at.join("models/champion"), format!("{}\n", ids[2])).expect("room");
    std::fs::write(at.join("models/new.leadscore"), bytes(at, "c.leadscore")).expect("room");
    std::fs::write(at.join("models/notes.txt"), "x").expect("room");
    let output = leadscore(at, &["models", "verify"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_snapshot!(
        "findings",
        steady(&String::from_utf8_lossy(&output.stdout), &ids)
    );
    assert!(succeed(at, &["inspect", "@champion"]).contains(&ids[1]));
    let found = leadscore(at, &["models", "verify", "--json"]);
    let found: serde_json::Value = serde_json::from_slice(&found.stdout).expect("JSON");
    assert_eq!(
        found["findings"].as_array().map(Vec::len),
        Some(3),
        "{found}"
    );
    std::fs::remove_file(at.join("models").join(format!("{}.leadscore", ids[1]))).expect("there");
    assert!(refused(at, &["score", "@champion"]).contains("is missing"));
    // The same file again puts it back.
    let output = leadscore(at, &["models", "add", "b.leadscore"]);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success() && text.contains("back into models"),
        "{text}"
    );
    succeed(at, &["inspect", "@champion"]);
}

#[test]
fn two_at_once() {
    let (folder, ids) = registry();
    let at = folder.path();
    let by = By {
        at: leadscore::Timestamp::from_ymd(2025, 7, 1).expect("a day"),
        user: "ana".to_owned(),
        host: "desk".to_owned(),
        command: "leadscore run".to_owned(),
    };
    let locked = Registry::lock(at.join("models"), by).expect("free");
    for line in [
        vec!["models", "add", "c.leadscore"],
        vec!["models", "promote", &ids[2], "--because", "x"],
        vec!["models", "revert"],
        vec!["models", "retire", "@previous", "--because", "x"],
    ] {
        let output = leadscore(at, &line);
        assert_eq!(output.status.code(), Some(75), "{line:?}");
        let text = String::from_utf8_lossy(&output.stderr).into_owned();
        let pid = std::process::id();
        assert_eq!(
            text.replace(&format!("process {pid}"), "process <pid>"),
            "error: the registry models is in use: process <pid> of ana on desk has the lock since 2025-07-01, running `leadscore run`\n  hint: wait until it ends and try again; nothing was changed\n"
        );
    }
    // Reading needs no lock.
    succeed(at, &["models", "list"]);
    succeed(at, &["score", "@champion", "--as-of", "2020-06-20"]);
    succeed(at, &["models", "verify"]);
    drop(locked);
    succeed(at, &["models", "revert"]);
}

#[cfg(target_os = "linux")]
mod hostile {
    use super::*;

    /// A line of the shell, with `$L` for the command.
    fn shell(folder: &Path, line: &str) -> Output {
        Command::new("bash")
            .args(["-c", line])
            .current_dir(folder)
            .env("L", binary())
            .env("NO_COLOR", "1")
            .output()
            .expect("there is a shell")
    }

    #[test]
    fn a_full_disk_and_a_folder_that_cannot_be_written() {
        let (folder, ids) = registry();
        let at = folder.path();
        let n_bytes = bytes(at, "c.leadscore").len() / 1024;
        std::fs::remove_file(at.join("c.leadscore")).expect("there");
        leadscore::write_model(
            &{
                let mut model = leadscore::read_model(&at.join("b.leadscore")).expect("a model");
                model.intercept += 3.0;
                model.card.model_id = model.compute_id().expect("encodes");
                model
            },
            &at.join("d.leadscore"),
        )
        .expect("room");
        let mut codes = Vec::new();
        for blocks in [0, 1, 2, 3, 4, 8, n_bytes / 2, n_bytes, 2 * n_bytes + 64] {
            for line in [
                "$L models add d.leadscore",
                "$L models revert",
                "$L models promote @previous --because again",
            ] {
                let output = shell(at, &format!("ulimit -f {blocks}; {line}"));
                let text = String::from_utf8_lossy(&output.stderr).into_owned();
                let code = output.status.code();
                assert!(
                    code == Some(0) || code == Some(2) && text.contains("error: "),
                    "{line} {blocks}: {text}"
                );
                assert!(kinds(at).is_empty(), "{line} within {blocks}: {text}");
                codes.push(code);
                succeed(at, &["models", "why"]);
            }
        }
        assert!(
            codes.contains(&Some(0)) && codes.contains(&Some(2)),
            "{codes:?}"
        );
        for line in [
            vec!["models", "add", "d.leadscore", "--registry", "/proc/models"],
            vec!["models", "add", "d.leadscore", "--registry", "/proc"],
        ] {
            let text = refused(at, &line);
            assert!(
                text.contains("/proc") && text.contains("because: "),
                "{text}"
            );
        }
        let _ = ids;
    }

    /// Starts a command that is not waited for.
    fn start(folder: &Path, args: &[&str]) -> Child {
        Command::new(binary())
            .args(args)
            .current_dir(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts")
    }

    /// Four at once, each killed at a random moment: the registry is as it was before or after each
    /// change, has one champion, and the next command works.
    #[test]
    fn killed_at_any_moment() {
        let (folder, ids) = registry();
        let at = folder.path();
        let mut random = Random(11);
        let mut model = leadscore::read_model(&at.join("a.leadscore")).expect("a model");
        let (mut n_killed, mut n_done, mut n_torn) = (0, 0, 0);
        for round in 0..n_tries(25) {
            model.intercept += 1.0 / 1024.0;
            model.card.model_id = model.compute_id().expect("encodes");
            leadscore::write_model(&model, &at.join("new.leadscore")).expect("room");
            let before = Registry::open(at.join("models"))
                .expect("sound")
                .journal()
                .len();
            let because = format!("round {round}");
            let children: Vec<Child> = (0..4)
                .map(|_| {
                    let id = &ids[random.below(3)];
                    match random.below(4) {
                        0 => start(at, &["models", "add", "new.leadscore"]),
                        1 => start(at, &["models", "promote", id, "--because", &because]),
                        2 => start(at, &["models", "revert"]),
                        _ => start(
                            at,
                            &["models", "promote", "@previous", "--because", &because],
                        ),
                    }
                })
                .collect();
            for mut child in children {
                std::thread::sleep(Duration::from_micros(
                    (random.below(9_000) << random.below(4)) as u64,
                ));
                let _ = child.kill();
                match child.wait().expect("it ended").code() {
                    None => n_killed += 1,
                    Some(0) => n_done += 1,
                    Some(code) => assert!(code == 75 || code == 2, "{code}"),
                }
            }
            assert_eq!(kinds(at), Vec::<&str>::new(), "round {round}");
            let registry = Registry::open(at.join("models")).expect("sound");
            assert!(registry.journal().len() >= before, "round {round}");
            let champion = registry.role(Role::Champion).expect("one");
            registry.read(champion).expect("whole");
            let head = std::fs::read_to_string(at.join("models/head")).expect("text");
            let last = registry.journal().len().to_string();
            n_torn += usize::from(!head.starts_with(&format!("{last} ")));
        }
        succeed(at, &["models", "revert"]);
        assert!(kinds(at).is_empty());
        let named = std::fs::read_to_string(at.join("models/champion")).expect("text");
        let registry = Registry::open(at.join("models")).expect("sound");
        assert_eq!(registry.roles().champion.as_deref(), Some(named.trim_end()));
        let grown = registry.journal().len() - 5;
        assert!(
            n_killed > 0 && grown > 0,
            "{n_killed} killed, {n_done} done, {grown} changes"
        );
        leadscore_tests::say(&format!(
            "{n_killed} killed, {n_done} done, {n_torn} changes were left to be completed, {} lines",
            registry.journal().len()
        ));
    }
}
