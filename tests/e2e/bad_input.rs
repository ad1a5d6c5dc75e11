//! Bad input: each case says what, where and what to do, exits with 2, and leaves no output behind.
#![allow(missing_docs, reason = "tests")]

use std::path::Path;

use leadscore_tests::{leadscore, small_crm};

fn edit(folder: &Path, file: &str, change: impl FnOnce(String) -> String) {
    let path = folder.join(file);
    let text = std::fs::read_to_string(&path).expect("there");
    std::fs::write(&path, change(text)).expect("a small file");
}

/// What `leadscore` says when it refuses, without the notes before.
#[track_caller]
fn refusal(folder: &Path, args: &[&str]) -> String {
    let before = names(folder);
    let output = leadscore(folder, args);
    assert_eq!(
        output.status.code(),
        Some(2),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    assert_eq!(
        names(folder),
        before,
        "a refused command leaves nothing behind"
    );
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let start = said.find("error").expect("an error");
    said[start..]
        .trim_end()
        .replace(&folder.display().to_string(), "FOLDER")
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .expect("readable")
        .map(|entry| {
            entry
                .expect("readable")
                .file_name()
                .to_string_lossy()
                .into_owned()
        })
        .collect();
    names.sort();
    names
}

/// A case: the CRM with one thing wrong, and what `train` says.
macro_rules! case {
    ($name:ident, $file:literal, $change:expr) => {
        #[test]
        fn $name() {
            let folder = small_crm();
            edit(folder.path(), $file, $change);
            insta::assert_snapshot!(refusal(folder.path(), &["train"]));
        }
    };
}

#[test]
fn the_small_crm_trains_and_scores() {
    let folder = small_crm();
    leadscore_tests::succeed(folder.path(), &["train"]);
    leadscore_tests::succeed(
        folder.path(),
        &["score", "model.leadscore", "--as-of", "2020-05-01"],
    );
    assert!(names(folder.path()).contains(&"scores.csv".to_owned()));
}

case!(missing_file, "leadscore.toml", |text| text
    .replace("visits.csv", "vists.csv"));
case!(unknown_key, "leadscore.toml", |text| text
    .replace("[outcomes]", "[outcome]"));
case!(missing_key, "leadscore.toml", |text| text
    .replace("id = \"id\"\n", ""));
case!(wrong_type_of_key, "leadscore.toml", |text| text
    .replace("kind = [\"kind\"]", "kind = 3"));
case!(bad_span, "leadscore.toml", |text| text
    .replace("[snapshots]", "[snapshots]\nhorizon = \"90\""));
case!(no_toml, "leadscore.toml", |text| text
    .replace("path = \"leads.csv\"", "path = leads.csv"));
case!(missing_column, "leadscore.toml", |text| text
    .replace("\"created\"", "\"createdAt\""));
case!(empty_file, "leads.csv", |_| String::new());
case!(header_only, "leads.csv", |text| text
    .lines()
    .next()
    .unwrap_or_default()
    .to_owned()
    + "\n");
case!(short_row, "leads.csv", |text| text.replace(
    "L3,2020-04-04T10:00:00,mail,3",
    "L3,2020-04-04T10:00:00,mail"
));
case!(long_row, "visits.csv", |text| text.replace(
    "L5,2020-06-06T12:00:00,form",
    "L5,2020-06-06T12:00:00,form,,x"
));
case!(unterminated_quote, "leads.csv", |text| text.replace(
    "L7,2020-02-08T10:00:00,mail,7",
    "L7,2020-02-08T10:00:00,\"mail,7"
));
case!(duplicate_header, "leads.csv", |text| text
    .replace("source,size", "source,source"));
case!(duplicate_lead, "leads.csv", |text| text
    .replace("\nL9,", "\nL8,"));
case!(impossible_date, "leads.csv", |text| text
    .replace("2020-04-04T10", "2020-13-04T10"));
case!(ambiguous_dates, "leads.csv", |text| text
    .replace("2020-01-01T10:00:00", "01/02/2020"));
case!(epoch_or_date, "visits.csv", |text| text
    .lines()
    .map(|line| line.replace("T12:00:00", "").replace('-', "") + "\n")
    .collect());
case!(no_win, "deals.csv", |text| text.replace(",won", ",lost"));
case!(no_loss, "deals.csv", |text| text.replace(",lost", ",won"));
case!(too_few, "deals.csv", |text| text
    .lines()
    .take(31)
    .map(|line| format!("{line}\n"))
    .collect());
case!(infinite_number, "leads.csv", |text| text
    .replace("mail,3\n", "mail,inf\n"));
case!(utf16_without_mark, "leads.csv", |text| text
    .chars()
    .flat_map(|c| [c, '\0'])
    .collect());
case!(old_mac_line_ends, "leads.csv", |text| text
    .replace('\n', "\r"));
case!(outcomes_of_other_leads, "deals.csv", |text| text
    .replace("\nL", "\nX"));
case!(no_date_after_the_end, "leadscore.toml", |text| text
    .replace("2021-01-01", "2020-01-15"));

#[test]
fn an_attribute_that_gives_the_outcome_away_is_left_out() {
    let folder = small_crm();
    let deals = std::fs::read_to_string(folder.path().join("deals.csv")).expect("there");
    let won: Vec<&str> = deals
        .lines()
        .filter(|line| line.ends_with(",won"))
        .filter_map(|line| line.split(',').next())
        .collect();
    edit(folder.path(), "leads.csv", |text| {
        text.lines()
            .map(|line| {
                format!(
                    "{line},{}\n",
                    if line.starts_with("id") {
                        "contract"
                    } else if won.contains(&line.split(',').next().unwrap_or("")) {
                        "signed"
                    } else {
                        ""
                    }
                )
            })
            .collect()
    });
    let output = leadscore(folder.path(), &["train"]);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        said.contains("leak, left out: `contract`: filled for") && output.status.success(),
        "{said}"
    );
    let checked = leadscore(folder.path(), &["check"]);
    assert_eq!(checked.status.code(), Some(1), "the answer of check is no");
}

#[test]
fn what_is_left_out_is_counted() {
    let folder = small_crm();
    edit(folder.path(), "visits.csv", |text| {
        text + "X1,2020-03-03T10:00:00,page\nX2,2020-03-03T10:00:00,page\nL1,,page\n"
    });
    edit(folder.path(), "deals.csv", |text| {
        text.replace("L9,2020-06-10", "L9,2019-06-10")
    });
    edit(folder.path(), "leads.csv", |text| {
        text.lines()
            .map(|line| {
                line.to_owned()
                    + if line.starts_with("id") {
                        ",empty,same\n"
                    } else {
                        ",,x\n"
                    }
            })
            .collect()
    });
    let said = String::from_utf8_lossy(&leadscore(folder.path(), &["check"]).stdout)
        .replace(&folder.path().display().to_string(), "FOLDER");
    let lines: Vec<&str> = said
        .lines()
        .filter(|line| {
            line.starts_with("note")
                || line.starts_with("left out: `empty`")
                || line.starts_with("left out: `same`")
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn files_of_a_table_have_the_same_columns() {
    let folder = small_crm();
    let leads = std::fs::read_to_string(folder.path().join("leads.csv")).expect("there");
    let header = leads.lines().next().expect("a header");
    let without = |line: &str| line.rsplit_once(',').expect("columns").0.to_owned() + "\n";
    let first: String = leads.lines().take(100).map(without).collect();
    let rest: String = leads
        .lines()
        .skip(100)
        .map(|line| line.to_owned() + "\n")
        .collect();
    std::fs::remove_file(folder.path().join("leads.csv")).expect("there");
    edit(folder.path(), "leadscore.toml", |text| {
        text.replace("leads.csv", "leads-*.csv")
    });
    let rest = format!("{header}\n{rest}");
    for (lacking, whole) in [
        ("leads-1.csv", "leads-2.csv"),
        ("leads-2.csv", "leads-1.csv"),
    ] {
        std::fs::write(folder.path().join(lacking), &first).expect("room");
        std::fs::write(folder.path().join(whole), &rest).expect("room");
        let output = leadscore(folder.path(), &["check"]);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(
            error.contains(&format!("{lacking} has no column `size`")),
            "{error}"
        );
    }
}

#[test]
fn the_first_row_that_was_known_is_named() {
    let folder = small_crm();
    let deals = std::fs::read_to_string(folder.path().join("deals.csv")).expect("there");
    let mut files = [
        "lead,closed,stage,entered,remark\n".to_owned(),
        String::new(),
    ];
    files[1] = files[0].clone() + "\n";
    for row in deals.lines().skip(1) {
        let (lead, rest) = row.split_once(',').expect("fields");
        let (closed, stage) = rest.split_once(',').expect("fields");
        let (closed, stage, entered) = match lead {
            "L100" => ("2019-06-10", "lost", "2020-06-01"),
            "L200" => ("2019-01-10", "lost", "2020-02-01"),
            _ => (closed, stage, closed),
        };
        let number: usize = lead[1..].parse().expect("a number");
        files[number / 120] += &format!("{lead},{closed},{stage},{entered},\"a\nb\"\n");
    }
    std::fs::remove_file(folder.path().join("deals.csv")).expect("there");
    std::fs::write(folder.path().join("deals-1.csv"), &files[0]).expect("room");
    std::fs::write(folder.path().join("deals-2.csv"), &files[1]).expect("room");
    edit(folder.path(), "leadscore.toml", |text| {
        text.replace("deals.csv", "deals-*.csv")
            .replace("closed_at", "recorded_at = \"entered\"\nclosed_at")
    });
    leadscore_tests::succeed(folder.path(), &["train"]);
    let said = |args: &[&str]| {
        let output = leadscore(folder.path(), args);
        let said = [output.stdout, output.stderr].concat();
        String::from_utf8_lossy(&said).into_owned()
    };
    let now = said(&["check"]);
    assert!(
        now.contains("2 outcomes close before") && now.contains("deals-1.csv, line 202)"),
        "{now}"
    );
    let then = said(&["score", "model.leadscore", "--as-of", "2020-05-01"]);
    assert!(
        then.contains("1 outcome closes before") && then.contains("deals-2.csv, line 163)"),
        "{then}"
    );
}

#[test]
fn a_model_and_data_that_do_not_fit() {
    let folder = small_crm();
    leadscore_tests::succeed(folder.path(), &["train"]);
    edit(folder.path(), "leads.csv", |text| {
        text.replace("id,created,source,size", "id,created,origin,size")
    });
    insta::assert_snapshot!(refusal(
        folder.path(),
        &["score", "model.leadscore", "--as-of", "2020-05-01"]
    ));
    edit(folder.path(), "leads.csv", |text| {
        text.replace("id,created,origin,size", "id,created,source,size")
            .replace("mail,3\n", "mail,big\n")
    });
    insta::assert_snapshot!(refusal(folder.path(), &["score", "model.leadscore"]));
}

#[test]
fn a_damaged_model_file() {
    let folder = small_crm();
    leadscore_tests::succeed(folder.path(), &["train"]);
    let path = folder.path().join("model.leadscore");
    let whole = std::fs::read(&path).expect("there");
    std::fs::write(&path, &whole[..whole.len() / 2]).expect("a small file");
    insta::assert_snapshot!(
        refusal(folder.path(), &["score", "model.leadscore"])
            .split(" bytes")
            .last()
            .unwrap_or_default()
    );
    let mut flipped = whole.clone();
    flipped[whole.len() - 200] ^= 4;
    std::fs::write(&path, &flipped).expect("a small file");
    insta::assert_snapshot!(refusal(folder.path(), &["score", "model.leadscore"]));
    std::fs::write(&path, "lead,score\n").expect("a small file");
    insta::assert_snapshot!(refusal(folder.path(), &["inspect", "model.leadscore"]));
    insta::assert_snapshot!(refusal(folder.path(), &["inspect", "no.leadscore"]));
}

#[test]
fn outputs_that_cannot_be_written() {
    let folder = small_crm();
    insta::assert_snapshot!(refusal(
        folder.path(),
        &["train", "-o", "no/such/folder/model"]
    ));
    leadscore_tests::succeed(folder.path(), &["train"]);
    insta::assert_snapshot!(refusal(
        folder.path(),
        &[
            "score",
            "model.leadscore",
            "--as-of",
            "2020-05-01",
            "-o",
            "scores.xls"
        ]
    ));
    if Path::new("/dev/full").exists() {
        insta::assert_snapshot!(refusal(
            folder.path(),
            &[
                "score",
                "model.leadscore",
                "--as-of",
                "2020-05-01",
                "-o",
                "/dev/full"
            ]
        ));
        std::os::unix::fs::symlink("/dev/full", folder.path().join("full.parquet"))
            .expect("a link");
        insta::assert_snapshot!(refusal(
            folder.path(),
            &[
                "score",
                "model.leadscore",
                "--as-of",
                "2020-05-01",
                "-o",
                "full.parquet"
            ]
        ));
    }
}

#[test]
fn wrong_moments_and_ranges() {
    let folder = small_crm();
    insta::assert_snapshot!(refusal(folder.path(), &["train", "--as-of", "May"]));
    leadscore_tests::succeed(folder.path(), &["train"]);
    insta::assert_snapshot!(refusal(folder.path(), &["evaluate", "model.leadscore"]));
    insta::assert_snapshot!(refusal(
        folder.path(),
        &["evaluate", "model.leadscore", "--from", "2020-01-01"]
    ));
    insta::assert_snapshot!(refusal(
        folder.path(),
        &["score", "model.leadscore", "--as-of", "2019-01-01"]
    ));
    insta::assert_snapshot!(refusal(folder.path(), &["check", "-c", "nowhere.toml"]));
}

/// What a command says beside its result: lines that hold one of these words.
#[track_caller]
fn said(folder: &Path, args: &[&str], words: &[&str]) -> String {
    let output = leadscore(folder, args);
    let text =
        String::from_utf8_lossy(&output.stderr).replace(&folder.display().to_string(), "FOLDER");
    assert!(output.status.success(), "{text}");
    text.lines()
        .filter(|line| words.iter().any(|word| line.contains(word)))
        .collect::<Vec<_>>()
        .join("\n")
}

/// Gives each visit a number of pages; the third one is `third`.
fn with_pages(folder: &Path, third: &str) {
    edit(folder, "leadscore.toml", |text| {
        text.replace(
            "kind = [\"kind\"]",
            "kind = [\"kind\"]\nvalues = [\"pages\"]",
        )
    });
    edit(folder, "visits.csv", |text| {
        let pages = |number: usize| {
            if number == 3 {
                third.to_owned()
            } else {
                "2".to_owned()
            }
        };
        let cell = |(number, line): (usize, &str)| {
            format!(
                "{line},{}\n",
                if number == 0 {
                    "pages".to_owned()
                } else {
                    pages(number)
                }
            )
        };
        text.lines().enumerate().map(cell).collect()
    });
}

#[test]
fn values_that_cannot_be_summed() {
    for (name, third) in [
        ("too_large", "1e16"),
        ("infinite", "-inf"),
        ("words", "many"),
    ] {
        let folder = small_crm();
        with_pages(folder.path(), third);
        insta::assert_snapshot!(format!("value_{name}"), refusal(folder.path(), &["train"]));
    }
    // A negative number is a number: points are taken back, and refunds are paid.
    let folder = small_crm();
    with_pages(folder.path(), "-7");
    leadscore_tests::succeed(folder.path(), &["features", "-o", "matrix.csv"]);
    let matrix = std::fs::read_to_string(folder.path().join("matrix.csv")).expect("written");
    let sum = matrix
        .lines()
        .next()
        .expect("a header")
        .split(',')
        .position(|name| name == "visits.sum_pages.ever")
        .expect("the feature");
    assert!(
        matrix
            .lines()
            .skip(1)
            .any(|line| line.split(',').nth(sum) == Some("-7"))
    );
}

case!(window_of_zero, "leadscore.toml", |text| text
    + "[features]\nwindows = [\"0d\"]\n");
case!(half_life_of_zero, "leadscore.toml", |text| text
    + "[features]\nhalf_lives = [\"0d\"]\n");
case!(unknown_family, "leadscore.toml", |text| text
    + "[features]\nfamilies = [\"default\", \"recencies\"]\n");
case!(no_feature_left, "leadscore.toml", |text| text
    + "[features]\nonly = [\"vists.*\"]\n");
case!(table_without_lead_key, "visits.csv", |text| text
    .replacen("lead,", "contact,", 1));
case!(lookup_with_two_rows_for_a_key, "leadscore.toml", |text| {
    text.replace("[activities.visits]", "[lookups.kinds]\npath = \"visits.csv\"\nkey = \"kind\"\nleads_key = \"source\"\n\n[activities.visits]")
});

#[test]
fn windows_longer_than_the_data_and_kinds_that_the_model_never_saw() {
    let folder = small_crm();
    edit(folder.path(), "leadscore.toml", |text| {
        text + "[features]\nwindows = [\"30d\", \"3000d\"]\n"
    });
    insta::assert_snapshot!(
        "window_longer_than_the_data",
        said(folder.path(), &["train"], &["3000d"])
    );
    edit(folder.path(), "visits.csv", |text| {
        text + "L3,2020-04-04T13:00:00,fax\nL3,2020-04-04T14:00:00,telex\nL4,2020-04-04T13:00:00,pigeon\n"
    });
    insta::assert_snapshot!(
        "unknown_kind",
        said(
            folder.path(),
            &["score", "model.leadscore", "--as-of", "2020-05-01"],
            &["never seen"]
        )
    );
}

#[test]
fn clocks_that_are_wrong() {
    let folder = small_crm();
    edit(folder.path(), "leadscore.toml", |text| {
        text.replace("observation_end = \"2021-01-01\"", "")
    });
    edit(folder.path(), "visits.csv", |text| {
        text + "L3,2019-04-04T13:00:00,page\nL4,2020-11-04T13:00:00,page\n"
    });
    insta::assert_snapshot!(
        "clocks",
        said(
            folder.path(),
            &["train"],
            &["later in", "before its lead was created"]
        )
    );
    edit(folder.path(), "visits.csv", |text| {
        text + "L4,2021-11-04T13:00:00,page\n"
    });
    insta::assert_snapshot!("clocks_far_ahead", refusal(folder.path(), &["train"]));
    edit(folder.path(), "visits.csv", |text| {
        text.replace("L4,2021-11-04", "L4,2119-11-04")
    });
    // How far ahead times can be meant depends on today.
    let text = refusal(folder.path(), &["train"]);
    assert!(text.contains("`2119-11-04T13:00:00`, read as a time in ISO 8601, is 2119-11-04T13:00:00Z, which is not within 1990-01-01 to 20"), "{text}");
}

/// One lead may be a robot: what it did is counted like that of any other, in time that grows with
/// its events alone.
#[test]
fn very_many_events_of_one_lead() {
    let folder = small_crm();
    edit(folder.path(), "visits.csv", |mut text| {
        for number in 0..200_000 {
            text.push_str(&format!(
                "L3,2020-04-{:02}T{:02}:{:02}:00,page\n",
                4 + number % 20,
                number / 20 % 24,
                number / 480 % 60
            ));
        }
        text
    });
    insta::assert_snapshot!(
        "busy_lead",
        said(folder.path(), &["features", "-o", "matrix.csv"], &["alone"])
    );
    let matrix = std::fs::read_to_string(folder.path().join("matrix.csv")).expect("written");
    let count = matrix
        .lines()
        .next()
        .expect("a header")
        .split(',')
        .position(|name| name == "visits.count.ever")
        .expect("the feature");
    let most = matrix
        .lines()
        .skip(1)
        .filter_map(|line| line.split(',').nth(count)?.parse::<u32>().ok())
        .max();
    assert_eq!(most, Some(200_001));
}
