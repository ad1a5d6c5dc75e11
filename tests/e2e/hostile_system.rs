//! A system that says no: signals, full disks, closed streams, no handles, no memory, kills; the
//! old files stay, and a sentence says what is wrong.
#![cfg(target_os = "linux")]
#![allow(missing_docs, reason = "tests")]

use std::collections::BTreeMap;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use leadscore_tests::{Random, binary, leadscore, n_tries, succeed};

/// A simulated CRM with a model of its past, as `crm` and `model.leadscore`.
fn crm(n_leads: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    succeed(
        folder.path(),
        &[
            "simulate", "--leads", n_leads, "--format", "csv", "--out", "crm",
        ],
    );
    succeed(
        folder.path(),
        &[
            "train",
            "-c",
            "crm/leadscore.toml",
            "--as-of",
            "2025-04-01",
            "-o",
            "model.leadscore",
        ],
    );
    folder
}

/// A line of the shell in a folder, with `$L` for the command.
fn shell(folder: &Path, line: &str) -> Output {
    Command::new("bash")
        .arg("-c")
        .arg(line)
        .current_dir(folder)
        .env("L", binary())
        .env("NO_COLOR", "1")
        .output()
        .expect("there is a shell")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// The commands that write, with what each writes; `$S` is what to put before the command.
const WRITERS: [(&str, &str); 9] = [
    (
        "train",
        "$S $L train -c crm/leadscore.toml -o new.leadscore --report new.html --json new.json",
    ),
    (
        "score",
        "$S $L score model.leadscore -c crm/leadscore.toml -o new.csv --json new.json",
    ),
    (
        "score --memory",
        "$S $L score model.leadscore -c crm/leadscore.toml -o new.csv --memory 400MB",
    ),
    (
        "evaluate",
        "$S $L evaluate model.leadscore -c crm/leadscore.toml -o new.html --format html,md,xlsx,vega --json new.json --scores new.csv",
    ),
    (
        "features",
        "$S $L features -c crm/leadscore.toml -o new.parquet",
    ),
    (
        "recalibrate",
        "$S $L recalibrate model.leadscore -c crm/leadscore.toml -o new.leadscore",
    ),
    (
        "export",
        "$S $L export points model.leadscore -c crm/leadscore.toml -o new.toml --format toml,csv,html",
    ),
    ("simulate", "$S $L simulate --leads 3000 --out crm2"),
    ("inspect", "$S $L inspect model.leadscore --html new.html"),
];

/// Every file below a folder with its bytes, but hidden ones.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in std::fs::read_dir(&next).expect("readable").flatten() {
            let path = entry.path();
            let name = path
                .strip_prefix(folder)
                .expect("below")
                .display()
                .to_string();
            if path.is_dir() {
                open.push(path);
            } else {
                found.insert(name, std::fs::read(&path).expect("readable"));
            }
        }
    }
    found
}

/// Ends with 0 or 2, with a sentence, without a panic.
#[track_caller]
fn is_orderly(what: &str, output: &Output) {
    let text = stderr(output);
    let code = output.status.code();
    assert!(
        code == Some(0) || (code == Some(2) && text.contains("error: ")),
        "{what}: {:?} {text}",
        output.status
    );
    assert!(!text.contains("panicked"), "{what}: {text}");
}

#[test]
fn a_full_disk_leaves_the_old_files() {
    let folder = crm("1000");
    for (name, line) in WRITERS {
        for old in [
            "new.leadscore",
            "new.html",
            "new.json",
            "new.csv",
            "new.md",
            "new.xlsx",
            "new.toml",
            "new.parquet",
        ] {
            std::fs::write(folder.path().join(old), "old").expect("room");
        }
        let before = files(folder.path());
        // From nothing at all to nearly everything.
        for blocks in [0, 8, 200] {
            let output = shell(
                folder.path(),
                &line.replace("$S", &format!("ulimit -f {blocks};")),
            );
            is_orderly(&format!("{name} within {blocks} blocks"), &output);
            if output.status.code() == Some(2) {
                let after = files(folder.path());
                let changed: Vec<_> = after
                    .iter()
                    .filter(|(name, bytes)| before.get(*name) != Some(bytes))
                    .map(|(name, _)| name.clone())
                    .collect();
                assert!(
                    changed.is_empty() && after.len() == before.len(),
                    "{name} within {blocks} blocks: {changed:?} {}",
                    stderr(&output)
                );
            } else {
                break;
            }
        }
        std::fs::remove_dir_all(folder.path().join("crm2")).ok();
        std::fs::remove_dir_all(folder.path().join("new.charts")).ok();
    }
}

#[test]
fn no_handles_no_memory_no_right_to_write() {
    let folder = crm("1000");
    for (name, line) in WRITERS {
        for limit in [
            "ulimit -n 20;",
            "ulimit -n 8;",
            "ulimit -v 512000;",
            "ulimit -v 250000;",
        ] {
            is_orderly(
                &format!("{limit} {name}"),
                &shell(folder.path(), &line.replace("$S", limit)),
            );
        }
    }
    for hidden in std::fs::read_dir(folder.path())
        .expect("readable")
        .flatten()
        .filter(|entry| entry.file_name().to_string_lossy().starts_with('.'))
    {
        // What had no memory to clean up is gone after the next run.
        let name = hidden.file_name();
        succeed(
            folder.path(),
            &["inspect", "model.leadscore", "--html", "new.html"],
        );
        assert!(!hidden.path().exists(), "{name:?}");
    }
    // Whoever runs the tests may be root, who may write everywhere: a folder of the system is
    // read-only for everybody.
    let output = leadscore(
        folder.path(),
        &[
            "score",
            "model.leadscore",
            "-c",
            "crm/leadscore.toml",
            "-o",
            "/proc/scores.csv",
        ],
    );
    assert_eq!(output.status.code(), Some(2));
    assert!(
        stderr(&output).contains("/proc/scores.csv"),
        "{}",
        stderr(&output)
    );
}

#[test]
fn streams_that_nobody_reads() {
    let folder = crm("1000");
    for (line, code) in [
        (
            "$L inspect model.leadscore | true; exit ${PIPESTATUS[0]}",
            0,
        ),
        ("$L inspect model.leadscore >&- 2>&-", 0),
        (
            "$L score model.leadscore -c crm/leadscore.toml -o s.csv 2>/dev/full",
            0,
        ),
        (
            "$L score model.leadscore -c crm/leadscore.toml -o s.csv 2>&-",
            0,
        ),
        ("$L score nothing.leadscore 2>/dev/full", 2),
        ("$L score --nothing 2>/dev/full", 2),
        ("$L inspect model.leadscore >/dev/full", 2),
        ("$L schema >/dev/full", 2),
        ("$L completions bash >/dev/full", 2),
        ("$L completions zsh | true; exit ${PIPESTATUS[0]}", 0),
        ("$L --help >/dev/full", 2),
        ("$L --help | true; exit ${PIPESTATUS[0]}", 0),
    ] {
        let output = shell(folder.path(), line);
        assert_eq!(
            output.status.code(),
            Some(code),
            "{line}: {}",
            stderr(&output)
        );
        assert!(
            !stderr(&output).contains("panicked"),
            "{line}: {}",
            stderr(&output)
        );
    }
}

#[test]
fn a_signal_removes_what_is_unfinished() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (signal, code) in [("INT", 130), ("TERM", 143), ("HUP", 129)] {
        let line = format!(
            "$L simulate --leads 3000000 --out crm & sleep 0.4; kill -{signal} $!; wait $!"
        );
        // A shell gives its children in the background no Ctrl-C unless it has control of jobs.
        let output = shell(folder.path(), &format!("set -m; {line}"));
        assert_eq!(
            output.status.code(),
            Some(code),
            "{signal}: {}",
            stderr(&output)
        );
        assert_eq!(
            std::fs::read_dir(folder.path().join("crm")).map_or(0, Iterator::count),
            0,
            "{signal}"
        );
    }
    // Who asked that nothing hang up is not hung up.
    let output = shell(
        folder.path(),
        "set -m; nohup $L simulate --leads 2000 --out crm >/dev/null 2>&1 & sleep 0.05; kill -HUP $!; wait $!",
    );
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn outputs_over_inputs_links_and_pipes() {
    let folder = crm("1000");
    let at = |name: &str| folder.path().join(name);
    std::os::unix::fs::symlink("crm/leads.csv", at("link.csv")).expect("room");
    std::fs::hard_link(at("crm/leads.csv"), at("hard.csv")).expect("room");
    let before = files(folder.path());
    for (line, target) in [
        (
            "$L score model.leadscore -c crm/leadscore.toml -o crm/leads.csv",
            "crm/leads.csv",
        ),
        (
            "$L score model.leadscore -c crm/leadscore.toml -o crm/../crm/touches.csv",
            "touches.csv",
        ),
        (
            "$L score model.leadscore -c crm/leadscore.toml -o link.csv",
            "link.csv",
        ),
        (
            "$L score model.leadscore -c crm/leadscore.toml -o hard.csv",
            "hard.csv",
        ),
        (
            "$L score model.leadscore -c crm/leadscore.toml -o s.csv --json model.leadscore",
            "model.leadscore",
        ),
        (
            "$L score model.leadscore -c crm/leadscore.toml -o s.csv --json s.csv",
            "s.csv",
        ),
        (
            "$L recalibrate model.leadscore -c crm/leadscore.toml -o model.leadscore",
            "model.leadscore",
        ),
        (
            "$L evaluate model.leadscore -c crm/leadscore.toml -o crm/leadscore.toml",
            "leadscore.toml",
        ),
        (
            "$L evaluate model.leadscore -c crm/leadscore.toml -o r.html --json r.html",
            "r.html",
        ),
        (
            "$L train -c crm/leadscore.toml -o crm/deals.csv",
            "deals.csv",
        ),
        (
            "$L features -c crm/leadscore.toml -o crm/accounts.csv",
            "accounts.csv",
        ),
        (
            "$L export json model.leadscore -o model.leadscore",
            "model.leadscore",
        ),
        (
            "$L export sql model.leadscore --dialect duckdb -o model.leadscore",
            "model.leadscore",
        ),
        (
            "$L inspect model.leadscore --html model.leadscore",
            "model.leadscore",
        ),
        (
            "ln -s . same; $L score model.leadscore -c crm/leadscore.toml -o s.csv --json same/s.csv; code=$?; rm same; exit $code",
            "same/s.csv",
        ),
        (
            "$L init --leads crm/leads.csv --outcomes crm/deals.csv -o crm/deals.csv --force",
            "deals.csv",
        ),
    ] {
        let output = shell(folder.path(), line);
        let text = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{line}: {text}");
        assert!(
            text.contains(target)
                && (text.contains("would replace it") || text.contains("two outputs")),
            "{line}: {text}"
        );
        assert_eq!(files(folder.path()), before, "{line}");
    }
    // Somebody's own tables are not a simulation's to replace.
    std::fs::create_dir(at("own")).expect("room");
    std::fs::write(at("own/leads.csv"), "id\n1\n").expect("room");
    let output = shell(
        folder.path(),
        "$L simulate --leads 1000 --format csv --out own",
    );
    assert!(
        output.status.code() == Some(2)
            && stderr(&output).contains("own/leads.csv is no simulation's"),
        "{}",
        stderr(&output)
    );
    std::os::unix::fs::symlink("real.csv", at("scores.csv")).expect("room");
    std::fs::write(at("real.csv"), "old").expect("room");
    std::fs::set_permissions(at("real.csv"), std::fs::Permissions::from_mode(0o600)).expect("own");
    succeed(
        folder.path(),
        &[
            "score",
            "model.leadscore",
            "-c",
            "crm/leadscore.toml",
            "-o",
            "scores.csv",
        ],
    );
    let n_lines = std::fs::read_to_string(at("real.csv"))
        .expect("there")
        .lines()
        .count();
    assert!(at("scores.csv").is_symlink() && n_lines > 20);
    assert_eq!(
        at("real.csv")
            .metadata()
            .expect("there")
            .permissions()
            .mode()
            & 0o777,
        0o600
    );
    let output = shell(
        folder.path(),
        "mkfifo pipe.csv; wc -l < pipe.csv & $L score model.leadscore -c crm/leadscore.toml -o pipe.csv; wait",
    );
    assert_eq!(
        String::from_utf8_lossy(&output.stdout)
            .lines()
            .filter(|line| line.trim() == n_lines.to_string())
            .count(),
        1,
        "{output:?}"
    );
    let output = shell(
        folder.path(),
        "$L score model.leadscore -c crm/leadscore.toml -o /dev/stdout | wc -l",
    );
    assert!(
        String::from_utf8_lossy(&output.stdout)
            .trim()
            .parse::<usize>()
            .is_ok_and(|n| n >= n_lines),
        "{output:?}"
    );
}

#[test]
fn a_table_that_is_cut_off_while_it_is_read() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    succeed(
        folder.path(),
        &[
            "simulate", "--leads", "40000", "--format", "parquet", "--out", "crm",
        ],
    );
    let whole = std::fs::read(at("crm/touches.parquet")).expect("there");
    let mut codes = BTreeMap::new();
    let mut random = Random(3);
    let began = Instant::now();
    succeed(folder.path(), &["check", "-c", "crm/leadscore.toml"]);
    let usual = began.elapsed();
    for _ in 0..n_tries(6) {
        std::fs::write(at("crm/touches.parquet"), &whole).expect("room");
        let child = Command::new(binary())
            .args(["check", "-c", "crm/leadscore.toml"])
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn();
        std::thread::sleep(usual.mul_f64(random.below(1_000) as f64 / 1_000.0));
        // Cut off in place, as a copy over it does.
        let file = std::fs::File::options()
            .write(true)
            .open(at("crm/touches.parquet"))
            .expect("there");
        file.set_len(random.below(whole.len()) as u64).expect("own");
        let output = child.expect("starts").wait_with_output().expect("ends");
        let text = stderr(&output);
        assert!(
            output.status.signal().is_none(),
            "{:?} {text}",
            output.status
        );
        assert!(
            matches!(output.status.code(), Some(0 | 2)) && !text.contains("panicked"),
            "{:?} {text}",
            output.status
        );
        *codes.entry(output.status.code()).or_insert(0) += 1;
    }
    assert!(codes.contains_key(&Some(2)), "{codes:?}");
}

/// Commands with several outputs, killed at any time: all of the new set or all of the old one, and
/// nothing left behind.
#[test]
fn a_kill_leaves_one_set_of_files() {
    let folder = crm("1500");
    let at = |name: &str| folder.path().join(name);
    let lines: [(&str, [&str; 2]); 4] = [
        (
            "train",
            [
                "train -c crm/leadscore.toml --as-of 2025-03-01 -o out/m.leadscore --report out/r.html --json out/r.json",
                "train -c crm/leadscore.toml --as-of 2025-01-01 -o out/m.leadscore --report out/r.html --json out/r.json",
            ],
        ),
        (
            "score",
            [
                "score model.leadscore -c crm/leadscore.toml --as-of 2025-06-01 -o out/s.csv --json out/s.json",
                "score model.leadscore -c crm/leadscore.toml --as-of 2025-07-01 -o out/s.csv --json out/s.json",
            ],
        ),
        (
            "simulate",
            [
                "simulate --leads 4000 --seed 1 --out out",
                "simulate --leads 4000 --seed 2 --out out",
            ],
        ),
        (
            "evaluate",
            [
                "evaluate model.leadscore -c crm/leadscore.toml -o out/r.html --format html,json,md,xlsx,vega --scores out/s.csv",
                "evaluate model.leadscore -c crm/leadscore.toml -o out/r.html --format html,json,md,xlsx,vega --scores out/s.csv --from 2025-05-15",
            ],
        ),
    ];
    let mut random = Random(9);
    let mut n_new = 0;
    for (name, both) in lines {
        let both = both.map(|line| line.split(' ').collect::<Vec<_>>());
        let mut sets = Vec::new();
        let mut usual = Duration::ZERO;
        for line in &both {
            std::fs::remove_dir_all(at("out")).ok();
            std::fs::create_dir(at("out")).expect("room");
            let began = Instant::now();
            succeed(folder.path(), line);
            usual = began.elapsed();
            sets.push(files(&at("out")));
        }
        assert_ne!(sets[0], sets[1], "{name}: nothing to tell apart");
        let mut current = 1;
        for _ in 0..n_tries(6) {
            let mut child = Command::new(binary())
                .args(&both[1 - current])
                .current_dir(folder.path())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .expect("starts");
            // Mostly near the end, where names are given.
            std::thread::sleep(usual.mul_f64(if random.below(2) == 0 {
                0.9 + 0.0006 * random.below(1_000) as f64
            } else {
                random.below(1_000) as f64 / 1_000.0
            }));
            child.kill().ok();
            child.wait().expect("ends");
            // The next start, of whatever reads or writes there.
            for inside in ["out", "out/r.charts"]
                .into_iter()
                .filter(|inside| at(inside).is_dir())
            {
                let any = format!("{inside}/any.leadscore");
                std::fs::copy(at("model.leadscore"), at(&any)).expect("room");
                succeed(folder.path(), &["inspect", &any]);
                std::fs::remove_file(at(&any)).expect("there");
            }
            let found = files(&at("out"));
            let which = sets.iter().position(|set| *set == found);
            let names: Vec<&String> = found.keys().collect();
            assert!(
                which.is_some(),
                "{name}: a mixed set, or something left: {names:?}"
            );
            n_new += usize::from(which == Some(1 - current));
            current = which.unwrap_or(current);
        }
    }
    assert!(n_new > 0, "no run came to its end");
}
