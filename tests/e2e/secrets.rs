//! Thirty forms of a password, in every place that a user, a log or a neighbour could look at: it
//! is seen nowhere.
#![allow(missing_docs, reason = "tests")]

use std::fmt::Write as _;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Command, Stdio};

use leadscore_tests::{binary, small_crm, succeed};
use proptest::prelude::*;

/// The two halves of every password; a form has one or both.
const HALVES: [&str; 2] = ["Zq7xKv", "Wj4mTp"];

/// A URI as people have them, `Q` and `W` for the halves of the password; nobody listens on port 1.
const FORMS: [&str; 36] = [
    "postgresql://ann:Q@127.0.0.1:1/crm",
    "postgres://ann:Q@127.0.0.1:1/crm",
    "postgresql://ann:Q/W@127.0.0.1:1/crm",
    "postgresql://ann:Q?W@127.0.0.1:1/crm",
    "postgresql://ann:Q@W@127.0.0.1:1/crm",
    "postgresql://ann:Q@@W/@127.0.0.1:1/crm",
    "postgresql://ann:Q#W@127.0.0.1:1/crm",
    "postgresql://ann:Q:W@127.0.0.1:1/crm",
    "postgresql://ann:Q W@127.0.0.1:1/crm",
    "postgresql://ann:Q&W@127.0.0.1:1/crm",
    "postgresql://ann:Q;W@127.0.0.1:1/crm",
    "postgresql://ann:Q=W@127.0.0.1:1/crm",
    "postgresql://ann:Q\\W@127.0.0.1:1/crm",
    "postgresql://ann:Q'W@127.0.0.1:1/crm",
    "postgresql://ann:Q[W]@127.0.0.1:1/crm",
    "postgresql://ann:Q%2FW@127.0.0.1:1/crm",
    "postgresql://ann:Q%zzW@127.0.0.1:1/crm",
    "postgresql://ann:Q://W@127.0.0.1:1/crm",
    "postgresql://ann:Qäß→W@127.0.0.1:1/crm",
    "postgresql://Q:W@127.0.0.1:1/crm",
    "postgresql://:Q@127.0.0.1:1/crm",
    "postgresql://ann:Q",
    "postgresql://127.0.0.1:1/crm?password=Q",
    "postgresql://127.0.0.1:1/crm?user=ann&sslpassword=Q",
    "postgresql://127.0.0.1:1/crm?%70assword=Q",
    "postgresql://127.0.0.1:1/crm?%50ASS%57ORD=Q%57",
    "postgresql://127.0.0.1:1/crm?password=Q@W",
    "postgresql://127.0.0.1:1/crm?password=Q&W",
    "postgresql://127.0.0.1:1/crm?password=Q#W",
    "postgresql://127.0.0.1:1;password=Q@W",
    "host=127.0.0.1 port=1 user=ann password=Q",
    "host=127.0.0.1 port=1 user=ann password='Q W'",
    "ann:Q@127.0.0.1/crm",
    "jdbc:postgresql://ann:Q@127.0.0.1:1/crm",
    "sqlserver://127.0.0.1:1;user=ann;pwd=Q",
    "duckdb:md:crm?motherduck_token=Q",
];

fn form(pattern: &str) -> String {
    pattern.replace('Q', HALVES[0]).replace('W', HALVES[1])
}

/// Fails where a half of the password is in the bytes, whatever its case.
#[track_caller]
fn unseen(place: &str, form: &str, bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let folded = text.to_lowercase();
    for half in HALVES {
        assert!(
            !folded.contains(&half.to_lowercase()),
            "{place}, {form}:\n{text}"
        );
    }
}

/// A config whose leads are a query of this URI.
fn config(uri: &str) -> String {
    config_with(&format!(
        "uri = {}",
        serde_json::to_string(uri).expect("a text")
    ))
}

fn config_with(line: &str) -> String {
    format!(
        "[leads]\nquery = \"select 1\"\nid = \"id\"\ncreated_at = \"created\"\n\n[outcomes]\npath = \"deals.csv\"\nlead = \"lead\"\nclosed_at = \"closed\"\n\n[database]\n{line}\n"
    )
}

/// Runs the command as loudly as it can, and fails where it succeeds, or where it says any part of
/// the password.
#[track_caller]
fn fails(place: &str, folder: &Path, form: &str, args: &[&str], value: &str) -> String {
    let mut command = Command::new(binary());
    command
        .args(args)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .env("RUST_LOG", "trace")
        .env("RUST_BACKTRACE", "full");
    let output = command
        .env("CRM_URI", value)
        .env("LEADSCORE_LOG", "trace")
        .output()
        .expect("the program starts");
    unseen(place, form, &output.stdout);
    unseen(place, form, &output.stderr);
    assert_eq!(output.status.code(), Some(2), "{place}, {form}");
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn check_form(folder: &Path, uri: &str) {
    let write = |text: &str| std::fs::write(folder.join("c.toml"), text).expect("a small file");
    let check = ["check", "-c", "c.toml"];
    write(&config("env:CRM_URI"));
    fails("an address of the environment", folder, uri, &check, uri);
    fails(
        "an error as JSON",
        folder,
        uri,
        &["check", "-c", "c.toml", "--json"],
        uri,
    );
    write(&config("file:crm.uri"));
    let path = folder.join("crm.uri");
    std::fs::write(&path, uri).expect("a small file");
    fails(
        "an address of a file that others read",
        folder,
        uri,
        &check,
        "",
    );
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))
            .expect("the owner may");
    }
    fails("an address of a file", folder, uri, &check, "");
    std::fs::remove_file(path).expect("it was written");
    write(&config(uri));
    fails("an address in the config", folder, uri, &check, "");
    write(&config(&format!("env:{uri}")));
    fails("an address behind env: by mistake", folder, uri, &check, "");
    write(&config(&format!("file:{uri}")));
    fails(
        "an address behind file: by mistake",
        folder,
        uri,
        &check,
        "",
    );
    let quoted = serde_json::to_string(uri).expect("a text");
    write(&config_with(&format!("address = {quoted}")));
    fails("the line of an unknown key", folder, uri, &check, "");
    write(&config_with(&format!(
        "uri = {}",
        &quoted[..quoted.len() - 1]
    )));
    fails(
        "the line of a quotation mark that is missing",
        folder,
        uri,
        &check,
        "",
    );
    write(
        &config("env:CRM_URI")
            .replace("[database]\n", "database = ")
            .replace("uri = \"env:CRM_URI\"", &quoted),
    );
    fails("a value of another type", folder, uri, &check, "");
    write(&config_with(&format!("uri = [{quoted}]")));
    fails("a list in place of a text", folder, uri, &check, "");
    fails(
        "the address of an engine",
        folder,
        uri,
        &["check", "-c", "leadscore.toml", "--connect", uri],
        "",
    );
    fails(
        "the address of an engine in the environment",
        folder,
        uri,
        &["check", "-c", "leadscore.toml", "--connect", "env:CRM_URI"],
        uri,
    );
}

#[test]
fn no_form_of_a_password_is_seen_in_any_place() {
    let crm = small_crm();
    for pattern in FORMS {
        check_form(crm.path(), &form(pattern));
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, ..ProptestConfig::default() })]

    /// Marks anywhere around the halves, in the user, the password, the host and the parameters.
    #[test]
    fn nor_is_any_other(marks in proptest::collection::vec("[:/?#@&;=%+.,!'\\\\ \\[\\]a-f0-9]{0,3}", 5), is_parameter in any::<bool>()) {
        let crm = small_crm();
        let [q, w] = HALVES;
        let uri = if is_parameter {
            format!("postgresql://127.0.0.1:1/crm?{}password={}{q}{}{w}{}", ["", "ssl"][marks[0].len() % 2], marks[1], marks[2], marks[3])
        } else {
            format!("postgresql://ann:{}{q}{}{w}{}@127.0.0.1:1/crm", marks[0], marks[1], marks[2])
        };
        let write = |text: &str| std::fs::write(crm.path().join("c.toml"), text).expect("a small file");
        write(&config("env:CRM_URI"));
        fails("an address of the environment", crm.path(), &uri, &["check", "-c", "c.toml"], &uri);
        write(&config(&format!("env:{uri}")));
        fails("an address behind env: by mistake", crm.path(), &uri, &["check", "-c", "c.toml"], "");
        write(&config_with(&format!("address = {}", serde_json::to_string(&uri).expect("a text"))));
        fails("the line of an unknown key", crm.path(), &uri, &["check", "-c", "c.toml"], "");
        fails("the address of an engine", crm.path(), &uri, &["check", "-c", "leadscore.toml", "--connect", &uri.replace("postgresql:", "sc:")], "");
    }
}

#[test]
fn what_is_written_has_no_password() {
    let crm = small_crm();
    let folder = crm.path();
    let text = std::fs::read_to_string(folder.join("leadscore.toml")).expect("it is there");
    let leads = std::fs::read_to_string(folder.join("leads.csv")).expect("it is there");
    std::fs::write(
        folder.join("leads.csv"),
        leads + "open,2020-06-20T10:00:00,web,3\n",
    )
    .expect("a small file");
    std::fs::write(
        folder.join("leadscore.toml"),
        format!("{text}\n[database]\nuri = \"env:CRM_URI\"\n"),
    )
    .expect("a small file");
    for pattern in [FORMS[0], FORMS[2], FORMS[4], FORMS[23]] {
        let uri = form(pattern);
        let run = |args: &[&str]| {
            let output = Command::new(binary())
                .args(args)
                .current_dir(folder)
                .env("CRM_URI", &uri)
                .env("RUST_LOG", "trace")
                .output()
                .expect("it starts");
            unseen(args[0], &uri, &output.stdout);
            unseen(args[0], &uri, &output.stderr);
            assert!(
                output.status.success(),
                "{args:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        run(&[
            "train",
            "-o",
            "model",
            "--report",
            "report.html",
            "--json",
            "report.json",
        ]);
        run(&[
            "score",
            "model",
            "-o",
            "scores.csv",
            "--json",
            "summary.json",
        ]);
        run(&["inspect", "model", "--json"]);
        run(&["check", "--json"]);
        run(&[
            "evaluate",
            "model",
            "--allow-in-sample",
            "--format",
            "html,json,md,vega",
            "-o",
            "report.html",
        ]);
        run(&["export", "json", "model", "-o", "model.json"]);
        fails(
            "scores into a table",
            folder,
            &uri,
            &["score", "model", "--table", "marts.scores"],
            &uri,
        );
        let written: Vec<_> = std::fs::read_dir(folder)
            .expect("readable")
            .flatten()
            .filter(|entry| entry.path().is_file())
            .collect();
        assert!(
            written.iter().any(|entry| entry.file_name() == "model")
                && written
                    .iter()
                    .any(|entry| entry.file_name() == "scores.csv")
        );
        for entry in written {
            unseen(
                &entry.file_name().to_string_lossy(),
                &uri,
                &std::fs::read(entry.path()).expect("readable"),
            );
        }
    }
}

/// Locations of tables and of results, with a key that some tools take there.
const LOCATIONS: [&str; 9] = [
    "s3://AKIA:Q@bucket/leads.parquet",
    "s3://AKIA:Q/W@bucket/leads.parquet",
    "s3://AKIA%3AQ@bucket/leads.parquet",
    "s3a://Q@bucket/leads.parquet",
    "S3:/AKIA:Q@bucket/leads.parquet",
    "gs://ann:Q@bucket/*.parquet",
    "abfs://crm:Q@account.dfs.core.windows.net/leads.parquet",
    "https://ann:Q@crm.example/leads.parquet",
    "https://account.blob.core.windows.net/crm/leads.parquet?se=2026&sig=Q%3D",
];

#[test]
fn keys_in_locations_are_refused_and_not_repeated() {
    let crm = small_crm();
    let folder = crm.path();
    succeed(folder, &["train", "-o", "model"]);
    let text = std::fs::read_to_string(folder.join("leadscore.toml")).expect("it is there");
    for location in LOCATIONS.map(form) {
        std::fs::write(
            folder.join("c.toml"),
            text.replacen("leads.csv", &location, 1),
        )
        .expect("a small file");
        let said = fails(
            "a location of the config",
            folder,
            &location,
            &["check", "-c", "c.toml"],
            "",
        );
        assert!(
            said.contains("`path` of [leads]") && said.contains("AWS_ACCESS_KEY_ID"),
            "{said}"
        );
        std::fs::write(
            folder.join("c.toml"),
            text.replacen(
                "\"leads.csv\"",
                &format!("[\"leads.csv\", \"{location}\"]"),
                1,
            ),
        )
        .expect("a small file");
        fails(
            "a list of locations",
            folder,
            &location,
            &["check", "-c", "c.toml", "--json"],
            "",
        );
        std::fs::write(
            folder.join("c.toml"),
            text.replacen("path = \"leads.csv\"", &format!("pfad = \"{location}\""), 1),
        )
        .expect("a small file");
        fails(
            "the line of an unknown key",
            folder,
            &location,
            &["check", "-c", "c.toml"],
            "",
        );
        fails(
            "where scores go",
            folder,
            &location,
            &["score", "model", "-o", &location],
            "",
        );
        fails(
            "leads of a first config",
            folder,
            &location,
            &["init", "--leads", &location, "-o", "new.toml"],
            "",
        );
        fails(
            "an argument that is not expected",
            folder,
            &location,
            &["schema", &location],
            "",
        );
    }
}

#[cfg(target_os = "linux")]
#[test]
fn neighbours_and_core_dumps_see_no_password() {
    let crm = small_crm();
    // Whoever connects hears nothing, so that the command waits.
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = format!(
        "sc://127.0.0.1:{}/;token={}",
        listener.local_addr().expect("bound").port(),
        HALVES[0]
    );
    let mut command = Command::new(binary());
    command
        .args(["check", "--connect", "env:CRM_URI"])
        .current_dir(crm.path())
        .env("CRM_URI", &address)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().expect("the program starts");
    let connection = listener.accept().expect("it connects");
    let process = std::path::PathBuf::from(format!("/proc/{}", child.id()));
    let read = |name: &str| std::fs::read(process.join(name)).expect("it runs");
    let (arguments, limits, status) = (
        read("cmdline"),
        String::from_utf8(read("limits")).expect("text"),
        String::from_utf8(read("status")).expect("text"),
    );
    let mut names = String::new();
    for task in std::fs::read_dir(process.join("task"))
        .expect("it runs")
        .flatten()
    {
        let _ = writeln!(
            names,
            "{}",
            std::fs::read_to_string(task.path().join("comm")).unwrap_or_default()
        );
    }
    child.kill().expect("it runs");
    let output = child.wait_with_output().expect("it was killed");
    drop(connection);
    unseen("the list of processes", &address, &arguments);
    unseen("the names of threads", &address, names.as_bytes());
    unseen("what the process is", &address, status.as_bytes());
    unseen(
        "what was said before it was killed",
        &address,
        &[output.stdout, output.stderr].concat(),
    );
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .expect("a limit");
    assert_eq!(
        core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(),
        ["0", "0"],
        "{core}"
    );
}
