//! Words that a reader sees: what is counted agrees with its number, and a page names no flag of a
//! command that its reader does not have.
#![allow(missing_docs, reason = "tests")]

use std::io::Read as _;
use std::path::Path;

use leadscore_tests::{here, leadscore, small_crm, succeed};

/// Nouns that are wrong behind a 1.
const PLURALS: [&str; 26] = [
    "rows",
    "leads",
    "events",
    "outcomes",
    "snapshots",
    "rules",
    "columns",
    "tables",
    "days",
    "months",
    "wins",
    "accounts",
    "values",
    "cells",
    "features",
    "changes",
    "files",
    "points",
    "levels",
    "bins",
    "activities",
    "questions",
    "checks",
    "facts",
    "passes",
    "reasons",
];

/// The places of a text where a 1 has a plural behind it: perhaps with an adjective between, as in
/// "1 open leads".
fn wrong_plurals(text: &str) -> Vec<String> {
    let words: Vec<&str> = text.split([' ', '\n', '\t']).collect();
    let is_one = |word: &str| {
        let word = word.trim_start_matches(|c: char| !c.is_ascii_alphanumeric());
        word == "1"
    };
    let is_plural = |word: &str| {
        let end = word.find(|c: char| !c.is_alphanumeric());
        PLURALS.contains(&&word[..end.unwrap_or(word.len())])
    };
    let is_adjective = |word: &str| {
        [
            "open", "closed", "won", "other", "more", "mature", "training", "scored", "earlier",
        ]
        .contains(&word)
    };
    (0..words.len())
        .filter(|&at| {
            let next = words.get(at + 1).copied().unwrap_or_default();
            let then = words.get(at + 2).copied().unwrap_or_default();
            is_one(words[at]) && (is_plural(next) || is_adjective(next) && is_plural(then))
        })
        .map(|at| words[at.saturating_sub(3)..(at + 6).min(words.len())].join(" "))
        .collect()
}

#[test]
fn a_wrong_plural_is_found() {
    for wrong in [
        "there are 1 rows",
        "(1 leads, 2 won)",
        "of 1 open leads,",
        "has 1\nfeatures.",
        "scored 1 leads;",
    ] {
        assert_eq!(wrong_plurals(wrong).len(), 1, "{wrong}");
    }
    for right in [
        "1 row and 2 leads",
        "1,001 leads",
        "0.1 days",
        "L1 leads",
        "1 of 3 leads",
        "version 1",
    ] {
        assert_eq!(wrong_plurals(right), [""; 0], "{right}");
    }
}

/// The small CRM with a lead that is open, and one row of everything that is noted.
fn crm_of_ones() -> tempfile::TempDir {
    let crm = small_crm();
    let append = |file: &str, rows: &str| {
        let path = crm.path().join(file);
        let text = std::fs::read_to_string(&path).expect("there");
        std::fs::write(&path, text + rows).expect("a small file");
    };
    // The empty row is left out; L900 has no time of creation, N1 is open.
    append(
        "leads.csv",
        ",,,\nL900,,web,1\nN1,2020-06-27T10:00:00,web,NA\n",
    );
    append(
        "visits.csv",
        "X1,2020-03-03T10:00:00,page\nL1,,page\nL2,2020-01-01T10:00:00,page\nN1,2020-06-27T12:00:00,call\n",
    );
    // Of nobody; of a lead that closed before, won at last; without time; before its creation.
    append(
        "deals.csv",
        "X1,2020-06-10T10:00:00,lost\nL5,2020-11-10T10:00:00,won\nL900,,lost\nN1,,\n",
    );
    let deals = crm.path().join("deals.csv");
    let text = std::fs::read_to_string(&deals).expect("there");
    let text = text.replace("\nL9,2020", "\nL9,2019");
    std::fs::write(&deals, text).expect("a small file");
    append(
        "leadscore.toml",
        "\n[history]\npath = \"history.csv\"\nlead = \"lead\"\nattribute = \"attribute\"\nvalue = \"value\"\nchanged_at = \"at\"\n",
    );
    let mut history = "lead,attribute,value,at\ngone,source,web,2020-04-01T10:00:00\nN1,source,web,2020-06-27T13:00:00\n".to_owned();
    for number in 0..240 {
        let source = if number % 2 == 0 { "web" } else { "mail" };
        history.push_str(&format!("L{number},source,{source},2020-11-01T10:00:00\n"));
    }
    std::fs::write(crm.path().join("history.csv"), history).expect("a small file");
    std::fs::write(
        crm.path().join("rules.toml"),
        "[score]\nbase = 0\n[thresholds]\nwarm = 1\n[[rule]]\nname = \"web\"\nattribute = \"source\"\nequals = \"web\"\npoints = 1\n[[rule]]\nname = \"none\"\nattribute = \"source\"\nequals = \"fair\"\npoints = 5\n",
    )
    .expect("a small file");
    crm
}

/// All that a command printed, whether it worked or not.
fn printed(folder: &Path, args: &[&str]) -> String {
    let output = leadscore(folder, args);
    let code = output.status.code();
    assert!(matches!(code, Some(0..=2)), "{args:?}: {code:?}");
    format!(
        "{}\n{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn what_is_counted_agrees_with_its_number() {
    let crm = crm_of_ones();
    let folder = crm.path();
    let commands: &[&[&str]] = &[
        &["check"],
        &["features", "--describe"],
        &["features", "-o", "matrix.csv"],
        &["train", "--allow-too-few", "-o", "model"],
        &["inspect", "model", "--html", "model.html"],
        &[
            "evaluate",
            "model",
            "--allow-in-sample",
            "-o",
            "report.html",
            "--format",
            "html,json,md",
        ],
        &["score", "model", "--list", "list.html"],
        &["score", "model", "--list", "list.csv", "--top", "1"],
        &["explain", "model", "N1"],
        &["recalibrate", "model", "-o", "other"],
        &[
            "export",
            "points",
            "model",
            "--rules",
            "1",
            "-o",
            "points.html",
        ],
        &["rules", "check", "rules.toml"],
        &["rules", "score", "rules.toml"],
        &["rules", "explain", "rules.toml", "N1"],
        &[
            "init",
            "--leads",
            "leads.csv",
            "--outcomes",
            "deals.csv",
            "-o",
            "init.toml",
        ],
    ];
    let mut texts: Vec<(String, String)> = commands
        .iter()
        .map(|args| (args.join(" "), printed(folder, args)))
        .collect();
    for file in [
        "model.html",
        "report.html",
        "report.json",
        "report.md",
        "list.html",
    ] {
        let text = std::fs::read_to_string(folder.join(file)).expect(file);
        texts.push((file.to_owned(), text.replace(['<', '>', '"'], " ")));
    }
    let all: String = texts.iter().map(|(_, text)| text.as_str()).collect();
    // Each of these places was reached: else the test would look at nothing.
    for reached in [
        "1 row of empty cells is left out",
        "1 outcome closes before its lead was created",
        "1 outcome is of a lead that the leads table does not have",
        "1 outcome is of a lead that closed before",
        "1 row with a result has no time of closing",
        "1 lead was lost first and won later",
        "1 event has no time",
        "1 event happened before its lead was created",
        "1 event is of a lead that the leads table does not have",
        "1 change is of a lead that is not there",
        "1 lead has no `created`",
        "1 cell of `size` is read as missing",
        "1 row has no result",
        "1 row lies later in `closed`",
        "1 pass,",
        "scored 1 lead open",
        "The best 1 lead",
        "of 1 open lead",
        "1 rule is too few",
        "1 of 1 open lead reaches `warm` (1 point)",
    ] {
        assert!(all.contains(reached), "{reached}:\n{all}");
    }
    for (what, text) in &texts {
        assert_eq!(wrong_plurals(text), [""; 0], "{what}");
    }
}

#[test]
fn snapshots_of_messages_agree_with_their_numbers() {
    let folder = here().join("e2e/snapshots");
    let mut n_files = 0;
    for entry in std::fs::read_dir(folder).expect("readable") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("text");
        assert_eq!(wrong_plurals(&text), [""; 0], "{}", path.display());
        n_files += 1;
    }
    assert!(n_files > 50);
}

/// A page without its look and its script.
fn without_code(page: &str) -> String {
    let cut = |text: String, (begin, end): (&str, &str)| {
        let mut parts = text.split(begin);
        let first = parts.next().unwrap_or_default().to_owned();
        parts.fold(first, |kept, part| {
            kept + part.split_once(end).expect("an end").1
        })
    };
    [("<style", "</style>"), ("<script", "</script>")]
        .into_iter()
        .fold(page.to_owned(), cut)
}

/// Flags that a text names, each with the words before it.
fn flags(text: &str) -> Vec<&str> {
    text.match_indices("--")
        .filter(|&(at, _)| {
            let (before, behind) = (&text[..at], &text[at + 2..]);
            behind.starts_with(|c: char| c.is_ascii_lowercase())
                && !before.ends_with('-')
                && !before.ends_with("var(")
        })
        .map(|(at, _)| {
            let begin = text[..at]
                .char_indices()
                .rev()
                .nth(40)
                .map_or(0, |(begin, _)| begin);
            let end = text[at..].find(' ').map_or(text.len(), |end| at + end);
            &text[begin..end]
        })
        .collect()
}

/// Everything that a workbook has: the XML of all its parts.
fn workbook_text(bytes: &[u8]) -> String {
    let number = |at: usize, width: usize| {
        bytes[at..at + width]
            .iter()
            .rev()
            .fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte))
    };
    let mut text = String::new();
    // The directory at the end names each part, with its length and its place.
    let entries = (0..bytes.len() - 4).filter(|&at| bytes[at..].starts_with(b"PK\x01\x02"));
    for entry in entries {
        let (method, length, place) = (
            number(entry + 10, 2),
            number(entry + 20, 4),
            number(entry + 42, 4),
        );
        let begin = place + 30 + number(place + 26, 2) + number(place + 28, 2);
        let packed = &bytes[begin..begin + length];
        let mut part = Vec::new();
        if method == 8 {
            flate2::read::DeflateDecoder::new(packed)
                .read_to_end(&mut part)
                .expect("deflated");
        } else {
            part.extend_from_slice(packed);
        }
        text.push_str(&String::from_utf8_lossy(&part));
        text.push('\n');
    }
    text
}

#[test]
fn pages_name_no_flags() {
    let folder = tempfile::tempdir().expect("a folder");
    let demo = folder.path().join("demo");
    succeed(folder.path(), &["demo", "--leads", "2000", "--out", "demo"]);
    for args in [
        &["inspect", "proof.leadscore", "--html", "model.html"][..],
        &[
            "evaluate",
            "proof.leadscore",
            "-o",
            "full.html",
            "--format",
            "html,md,json,xlsx",
        ],
        &[
            "evaluate",
            "proof.leadscore",
            "-o",
            "money.html",
            "--capacity",
            "20/week",
            "--cost",
            "5",
            "--value",
            "900",
        ],
        &[
            "score",
            "proof.leadscore",
            "--list",
            "list.html",
            "--list",
            "list.xlsx",
        ],
        &["export", "points", "proof.leadscore", "-o", "points.html"],
    ] {
        succeed(&demo, args);
    }
    // A column that is filled once a lead is lost, and a model that reads it all the same.
    let leaky = small_crm();
    let leads = std::fs::read_to_string(leaky.path().join("leads.csv")).expect("there");
    let deals = std::fs::read_to_string(leaky.path().join("deals.csv")).expect("there");
    let mut lines = leads.lines();
    let mut text = format!("{},lost_reason\n", lines.next().unwrap_or_default());
    for (line, deal) in lines.zip(deals.lines().skip(1)) {
        let reason = if deal.ends_with("lost") { "price" } else { "" };
        text.push_str(&format!("{line},{reason}\n"));
    }
    std::fs::write(leaky.path().join("leads.csv"), text).expect("a small file");
    succeed(
        leaky.path(),
        &["train", "--allow-too-few", "--allow-leaks", "-o", "model"],
    );
    succeed(
        leaky.path(),
        &["evaluate", "model", "--allow-in-sample", "-o", "leaky.html"],
    );
    let read = |name: &str| {
        let bytes = std::fs::read(demo.join(name))
            .or_else(|_| std::fs::read(leaky.path().join(name)))
            .expect(name);
        if name.ends_with("xlsx") {
            workbook_text(&bytes)
        } else {
            without_code(&String::from_utf8(bytes).expect("text"))
        }
    };
    assert!(read("list.xlsx").contains("contact priority"), "a list");
    assert!(read("leaky.html").contains("training allowed leaks"));
    assert!(read("full.html").contains("<code>cost</code>"));
    for name in [
        "report.html",
        "full.html",
        "full.md",
        "full.json",
        "full.xlsx",
        "money.html",
        "leaky.html",
        "model.html",
        "list.html",
        "list.xlsx",
        "points.html",
    ] {
        let text = read(name);
        assert!(text.len() > 500, "{name}");
        assert_eq!(flags(&text), [""; 0], "{name}");
    }
}

#[test]
fn a_flag_is_found() {
    assert_eq!(flags("set --capacity to 3"), ["set --capacity"]);
    assert_eq!(flags("a -- b, 3--4, var(--soft), ---x"), [""; 0]);
}
