//! `leadscore serve` as a company uses it: the tables become a store, events move scores, the page
//! and every other command have the same numbers, and each answer can be computed again.
#![allow(missing_docs, reason = "tests")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use leadscore_tests::operated::{add_to_config, operated_crm};
use leadscore_tests::{binary, leadscore, succeed};
use serde_json::{Value, json};

/// A server of a folder, which ends with the test.
struct Served {
    child: Child,
    address: String,
    stderr: PathBuf,
}

impl Served {
    fn start(folder: &Path, args: &[&str]) -> Self {
        let stderr = folder.join("serve.log");
        let mut child = Command::new(binary())
            .current_dir(folder)
            .args(["serve", "--address", "127.0.0.1:0", "--now", "2026-01-01"])
            .args(args)
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&stderr).expect("a file"))
            .spawn()
            .expect("it starts");
        let mut line = String::new();
        let stdout = child.stdout.take().expect("piped");
        BufReader::new(stdout).read_line(&mut line).expect("a line");
        let log = || std::fs::read_to_string(&stderr).unwrap_or_default();
        let address = line
            .trim()
            .strip_prefix("listening on http://")
            .unwrap_or_else(|| panic!("{line}{}", log()))
            .to_owned();
        let served = Self {
            child,
            address,
            stderr,
        };
        for _ in 0..600 {
            if served.get("/readyz").0 == 200 {
                return served;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("the queue is never there: {}", served.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(&self.stderr).unwrap_or_default()
    }

    /// Sends a request as it is written, and returns status and body.
    fn send(&self, request: &str) -> (u16, String) {
        let mut socket = TcpStream::connect(&self.address).expect("it listens");
        socket.write_all(request.as_bytes()).expect("sent");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("an answer");
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let status = head.split(' ').nth(1).expect("a status");
        (status.parse().expect("a number"), body.to_owned())
    }

    fn get(&self, path: &str) -> (u16, String) {
        let host = &self.address;
        self.send(&format!(
            "GET {path} HTTP/1.1\r\nhost: {host}\r\nconnection: close\r\n\r\n"
        ))
    }

    fn post(&self, path: &str, body: &Value) -> (u16, Value) {
        let (host, body) = (&self.address, body.to_string());
        let (status, body) = self.send(&format!(
            "POST {path} HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
            body.len()
        ));
        (status, serde_json::from_str(&body).expect("JSON"))
    }

    fn json(&self, path: &str) -> Value {
        let (status, body) = self.get(path);
        assert_eq!(status, 200, "{path}: {body}");
        serde_json::from_str(&body).expect("JSON")
    }

    /// Asks it to end, and waits until it has.
    fn end(mut self) {
        let asked = Command::new("kill")
            .args(["-TERM", &self.child.id().to_string()])
            .status();
        assert!(asked.expect("kill").success());
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0), "{}", self.log());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A company with a champion.
fn company() -> tempfile::TempDir {
    let folder = operated_crm("linear", "1000", "");
    succeed(folder.path(), &["run"]);
    folder
}

fn likelihood(of: &Value) -> f64 {
    of["score"]["likelihood"].as_f64().expect("a number")
}

#[test]
fn events_move_scores_and_every_road_has_the_same_number() {
    let folder = company();
    let at = folder.path();
    let served = Served::start(at, &["--log", "answers"]);
    let log = served.log();
    assert!(
        log.contains("imported") && log.contains("events.store"),
        "{log}"
    );
    let queue = served.json("/v1/leads?limit=500");
    let leads = queue["leads"].as_array().expect("a list");
    assert_eq!(queue["n_matching"], leads.len());
    let likelihoods: Vec<f64> = leads.iter().map(likelihood).collect();
    assert!(likelihoods.is_sorted_by(|a, b| a >= b), "{likelihoods:?}");

    // The batch road at this moment says the same of every lead.
    add_to_config(at, "\n[store]\npath = \"events.store\"\n");
    let moment = queue["as_of"].as_str().expect("text");
    succeed(
        at,
        &["score", "@champion", "--as-of", moment, "-o", "batch.csv"],
    );
    let mut batch = csv::Reader::from_path(at.join("batch.csv")).expect("a file");
    let columns = batch.headers().expect("a header").clone();
    let column = |name: &str| columns.iter().position(|it| it == name).expect("a column");
    let (id, percent) = (column("lead_id"), column("likelihood_to_close"));
    let by_batch: std::collections::HashMap<String, f64> = batch
        .records()
        .map(|row| row.expect("a row"))
        .filter_map(|row| Some((row[id].to_owned(), row[percent].parse().ok()?)))
        .collect();
    assert!(leads.len() > 20);
    for lead in leads {
        let name = lead["score"]["lead"].as_str().expect("text");
        assert_eq!(by_batch.get(name), Some(&likelihood(lead)), "{name}");
    }

    // Three demos, entered now; the same event again is the same event.
    let lead = leads[leads.len() / 2]["score"]["lead"]
        .as_str()
        .expect("text");
    let days = ["2025-12-29", "2025-12-30", "2025-12-31"];
    let events: Vec<Value> = days
        .iter()
        .map(|day| {
            json!({"id": format!("demo {day}"), "table": "activities.sales", "row":
                {"lead_id": lead, "at": format!("{day}T09:00:00Z"), "activity_type": "demo"}})
        })
        .collect();
    let (status, answer) = served.post("/v1/events", &json!(events));
    assert_eq!((status, &answer["accepted"]), (202, &json!(3)), "{answer}");
    let (status, answer) = served.post("/v1/events", &json!(events));
    assert_eq!(
        (status, &answer["duplicates"]),
        (202, &json!(3)),
        "{answer}"
    );
    let before = likelihood(&leads[leads.len() / 2]);
    let after = served.json(&format!("/v1/leads/{lead}"));
    let now = likelihood(&after);
    assert!((now - before).abs() > 1e-9, "{before} {now}");
    served.end();

    // What it said can be computed again, and a changed log is found.
    let replayed = succeed(at, &["replay", "answers"]);
    assert!(replayed.contains("0 differ"), "{replayed}");
    let segment = std::fs::read_dir(at.join("answers"))
        .expect("a folder")
        .map(|entry| entry.expect("an entry").path())
        .next()
        .expect("a segment");
    let text = std::fs::read_to_string(&segment).expect("text");
    let changed = text.replacen("\"likelihood\":", "\"likelihood\":1", 1);
    assert_ne!(changed, text);
    std::fs::write(&segment, changed).expect("written");
    let found = leadscore(at, &["replay", "answers"]);
    assert_eq!(found.status.code(), Some(1));
}

#[test]
fn the_word_of_sales_takes_a_lead_off_the_queue() {
    word_takes_a_lead_off("");
    // Where models and rules read words, too.
    word_takes_a_lead_off("[activities.word]\nlead = \"lead\"\nat = \"at\"\nkind = [\"said\"]\n");
}

fn word_takes_a_lead_off(table: &str) {
    let folder = company();
    // The store comes first: before, a table needs a place.
    Served::start(folder.path(), &[]).end();
    let config = folder.path().join("leadscore.toml");
    let text = std::fs::read_to_string(&config).expect("a config");
    let store = "[store]\npath = \"events.store\"\n";
    std::fs::write(&config, format!("{text}\n{store}{table}")).expect("room");
    let served = Served::start(folder.path(), &[]);
    let queue = served.json("/v1/leads?limit=2");
    let lead = queue["leads"][0]["score"]["lead"]
        .as_str()
        .expect("text")
        .to_owned();
    let (status, answer) = served.post(
        &format!("/v1/leads/{lead}/word"),
        &json!({"said": "won", "note": "signed <b>today</b>"}),
    );
    assert_eq!(status, 202, "{answer}");
    // The queue follows at once.
    let mut n_tries = 0;
    loop {
        let queue = served.json("/v1/leads?limit=2");
        if queue["leads"][0]["score"]["lead"] != lead {
            break;
        }
        n_tries += 1;
        assert!(n_tries < 100, "{queue}");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    let (status, said) = served.get("/v1/leads?crossed=nope");
    assert_eq!(status, 422, "{said}");
    assert!(
        said.contains("crossed") && said.contains("no thresholds"),
        "{said}"
    );
    let (status, page) = served.get("/");
    assert_eq!(status, 200, "{page}");
    assert!(
        page.contains("Leads to call") && !page.contains(&lead),
        "{page}"
    );
    served.end();
}

#[test]
fn a_server_that_cannot_answer_well_does_not_start() {
    let folder = company();
    let at = folder.path();
    let refused = |args: &[&str]| {
        let output = leadscore(at, &[&["serve"], args].concat());
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        String::from_utf8_lossy(&output.stderr).into_owned()
    };
    let open = refused(&["--address", "0.0.0.0:0"]);
    assert!(open.contains("tokens"), "{open}");
    assert!(refused(&["--address", "nowhere"]).contains("nowhere"));
    std::fs::write(at.join("broken.store"), "no store").expect("written");
    let broken = refused(&["--store", "broken.store"]);
    assert!(broken.contains("broken.store"), "{broken}");
    // The second server of a store.
    let served = Served::start(at, &[]);
    let second = refused(&["--address", "127.0.0.1:0"]);
    assert!(second.contains("another"), "{second}");
    served.end();
    let create = ["tokens", "create", "crm", "--role", "ingest"];
    let nobody = leadscore(at, &[&create[..], &["--valid", "0d"]].concat());
    assert_eq!(nobody.status.code(), Some(2), "{nobody:?}");
    let proxied = |base: &str| {
        let config = at.join("leadscore.toml");
        let text = std::fs::read_to_string(&config).expect("a config");
        let text = text.split("\n[serve]\n").next().expect("a start");
        std::fs::write(&config, format!("{text}\n[serve]\nbase = \"{base}\"\n")).expect("room");
    };
    proxied("https://leads.example.com");
    let open = refused(&["--address", "127.0.0.1:0"]);
    assert!(
        open.contains(
            "people reach the server at https://leads.example.com, and there are no tokens"
        ),
        "{open}"
    );
    proxied("https://leads.example.com/queue");
    let path = refused(&[]);
    assert!(
        path.contains("has a path") && path.contains("leadscore.toml:"),
        "{path}"
    );
    let made = leadscore(at, &create);
    let token = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(!made.status.success(), "the config is wrong: {token}");
    proxied("http://leads.example.com");
    let made = leadscore(at, &create);
    let token = String::from_utf8_lossy(&made.stdout).into_owned();
    assert!(token.trim().len() > 40, "{token}");
    let told = String::from_utf8_lossy(&made.stderr).into_owned();
    assert!(
        told.contains("the token may append events of all leads; nothing else"),
        "{told}"
    );
    let seller = [
        "tokens", "create", "ann", "--role", "act", "--owner", "Ann Berg",
    ];
    let told = String::from_utf8_lossy(&leadscore(at, &seller).stderr).into_owned();
    assert!(
        told.contains(
            "may see leads of Ann Berg, without the scores of held-back ones; say what became of them; nothing else"
        ) && told.contains("warning: no lead has an owner"),
        "{told}"
    );
    let kept = std::fs::read_to_string(at.join("tokens.toml")).expect("text");
    assert!(!kept.contains(token.trim()));
    assert!(succeed(at, &["tokens", "list"]).contains("ingest"));
    // What others can read on the way is said at the start.
    for (base, is_said) in [
        ("http://leads.example.com", true),
        ("https://leads.example.com", false),
    ] {
        proxied(base);
        let served = Served::start(at, &[]);
        assert_eq!(served.get("/v1/leads").0, 401);
        let log = served.log();
        assert_eq!(log.contains("travel in the clear"), is_said, "{log}");
        served.end();
    }
}

/// Runs a command that is refused, and returns what it says.
#[track_caller]
fn refuses(folder: &Path, args: &[&str]) -> String {
    let output = leadscore(folder, args);
    assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[test]
fn a_store_is_read_by_the_contract_of_its_config() {
    let folder = operated_crm("linear", "1000", "");
    let at = folder.path();
    succeed(at, &["store", "import"]);
    add_to_config(at, "\n[store]\npath = \"events.store\"\n");
    let clean = succeed(at, &["store", "check"]);
    assert!(
        clean.contains("is whole") && clean.contains("can be read in one way"),
        "{clean}"
    );
    // The config says something else now than when rows were let in: what was a result is none.
    let config = at.join("leadscore.toml");
    let text = std::fs::read_to_string(&config).expect("a config");
    let without = text.replace("lost = [\"closed_lost\"]", "lost = [\"gone\"]");
    assert_ne!(without, text);
    std::fs::write(&config, without).expect("room");
    let doubt = refuses(at, &["store", "check"]);
    for words in [
        "is whole",
        "doubt: [outcomes] column `stage`",
        "(event `import:outcomes:",
        "of lead `L",
        "`closed_lost` (",
        "lost = [\"gone\", \"closed_lost\"]",
        "1 doubt to settle",
    ] {
        assert!(doubt.contains(words), "{words}: {doubt}");
    }
    // Other commands name the event, too.
    let doubt = refuses(at, &["train"]);
    assert!(doubt.contains("(event `import:outcomes:"), "{doubt}");
    // Rows of a table that has another name now.
    std::fs::write(
        &config,
        text.replace("[activities.touches]", "[activities.calls]"),
    )
    .expect("room");
    let renamed = succeed(at, &["store", "check"]);
    assert!(
        renamed.contains("nothing reads the rows of `activities.touches`"),
        "{renamed}"
    );
}

#[test]
fn what_the_rows_of_a_store_are_not_is_not_read_in_their_place() {
    let folder = operated_crm("linear", "1000", "");
    let at = folder.path();
    succeed(at, &["train", "-o", "model.leadscore"]);
    succeed(at, &["store", "import"]);
    add_to_config(at, "\n[store]\npath = \"events.store\"\n");
    // An engine, and a statement for a database, would read other tables.
    let engine = ["--engine", "spark", "--connect", "sc://127.0.0.1:1"];
    let train = [&["train", "-o", "other.leadscore"], &engine[..]].concat();
    for args in [
        &train[..],
        &[
            "export",
            "sql",
            "model.leadscore",
            "--dialect",
            "duckdb",
            "--features",
        ],
        &["features", "--sql", "duckdb", "-o", "matrix.sql"],
    ] {
        let said = refuses(at, args);
        assert!(
            said.contains("[store]") && said.contains("leadscore store export"),
            "{args:?}: {said}"
        );
    }
}

#[test]
fn a_model_that_reads_other_leads_of_the_account_is_refused_before_there_is_a_store() {
    let folder = operated_crm("linear", "1000", "");
    let at = folder.path();
    let config = at.join("leadscore.toml");
    let text = std::fs::read_to_string(&config).expect("a config");
    let text = text.replacen("[leads]\n", "[leads]\naccount = \"account_id\"\n", 1);
    std::fs::write(&config, text).expect("room");
    succeed(at, &["run"]);
    let said = refuses(at, &["serve", "--address", "127.0.0.1:0"]);
    assert!(
        said.contains("the account's other leads") && said.contains("families"),
        "{said}"
    );
    assert!(!at.join("events.store").exists());
}

#[test]
fn thresholds_of_rules_fit_the_rules_or_the_server_does_not_start() {
    let folder = company();
    let at = folder.path();
    let config = at.join("leadscore.toml");
    let text = std::fs::read_to_string(&config).expect("a config");
    let refused = |threshold: &str, expected: &[&str]| {
        let with = format!("{text}\n[serve.thresholds.best]\n{threshold}\n");
        std::fs::write(&config, with).expect("room");
        let output = leadscore(at, &["serve", "--address", "127.0.0.1:0"]);
        assert_eq!(output.status.code(), Some(2), "{output:?}");
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        let has_all = expected.iter().all(|part| said.contains(part));
        assert!(has_all && said.contains("serve.thresholds.best"), "{said}");
    };
    refused(
        "cell = \"A1\"",
        &["`cell`, and there are no rules", "rules.toml"],
    );
    refused("points = 4", &["`points`, and there are no rules"]);
    refused("cell = []", &["without any name", "[\"A1\", \"A2\"]"]);
    refused("cell = [\"A1\", \"A1\"]", &["the cell \"A1\" twice"]);
    refused("cell = \"A1\"\npoints = 4", &["2 of `likelihood`"]);
    refused(
        "cell = \"A1\"\nhysteresis = 4",
        &["`cell` and `hysteresis`"],
    );
    let recipes = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recipes");
    let rules = |name: &str| {
        std::fs::copy(recipes.join(name), at.join("rules.toml")).expect("a recipe");
    };
    rules("behaviour.toml");
    refused("cell = \"A1\"", &["rules.toml has no [matrix]"]);
    refused("points = 101", &["no lead can have", "go from 1 to 100"]);
    rules("fit-and-engagement.toml");
    refused("cell = \"A5\"", &["`A5`", "there are A1, A2, A3, A4, B1"]);
    refused("cell = [\"A1\", \"E1\"]", &["`E1`"]);

    // Points and cells over HTTP are those of the command at that moment.
    let more = "\n[serve.thresholds.best]\ncell = [\"A1\", \"B1\"]\n";
    std::fs::write(&config, format!("{text}{more}")).expect("room");
    let served = Served::start(at, &[]);
    let queue = served.json("/v1/leads?limit=500");
    assert_eq!(served.json("/v1/leads?crossed=best")["n_matching"], 0);
    add_to_config(at, "\n[store]\npath = \"events.store\"\n");
    let moment = queue["as_of"].as_str().expect("text");
    let args = [
        "rules",
        "score",
        "rules.toml",
        "--as-of",
        moment,
        "-o",
        "points.csv",
    ];
    succeed(at, &args);
    let mut points = csv::Reader::from_path(at.join("points.csv")).expect("a file");
    let columns = points.headers().expect("a header").clone();
    let column = |name: &str| columns.iter().position(|it| it == name).expect("a column");
    let (id, sum) = (column("lead_id"), column("fit_and_engagement"));
    let (cell, action) = (column("cell"), column("action"));
    let by_command: std::collections::HashMap<String, (f64, String, String)> = points
        .records()
        .map(|row| row.expect("a row"))
        .map(|row| {
            let points = row[sum].parse().expect("a number");
            (
                row[id].to_owned(),
                (points, row[cell].to_owned(), row[action].to_owned()),
            )
        })
        .collect();
    let leads = queue["leads"].as_array().expect("a list");
    assert!(leads.len() > 20);
    for lead in leads {
        let name = lead["score"]["lead"].as_str().expect("text");
        let text = |key: &str| lead["cell"][key].as_str().unwrap_or_default().to_owned();
        let found = (
            lead["points"].as_f64().expect("a number"),
            text("label"),
            text("action"),
        );
        assert_eq!(by_command.get(name), Some(&found), "{name}");
    }
    let lead = leads[0]["score"]["lead"].as_str().expect("text");
    let (status, page) = served.get(&format!("/leads/{lead}"));
    let label = leads[0]["cell"]["label"].as_str().expect("a cell");
    assert!(
        status == 200 && page.contains(&format!("Cell <b><bdi>{label}</bdi></b>")),
        "{page}"
    );
    served.end();
}
