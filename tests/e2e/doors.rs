//! Every door by which something comes in from outside is given what nobody meant: it takes it or
//! says what is wrong, and nothing falls.
#![allow(missing_docs, reason = "tests")]

use std::path::{Path, PathBuf};

use leadscore_config::{Capacity, Config};
use leadscore_core::SecretUri;
use leadscore_databases::Address;
use leadscore_dataset::LoadOptions;
use leadscore_features::{compute, labelled_snapshots, plan, scoring_snapshots};
use leadscore_io::look;
use leadscore_rules::{BoundRules, RulesFile};
use leadscore_tests::{Random, leadscore, mutated, n_tries, small_crm, succeed, try_door};

/// A file of the corpus.
fn seed(name: &str) -> Vec<u8> {
    std::fs::read(
        Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("corpus")
            .join(name),
    )
    .expect("the corpus is there")
}

/// Tables in memory's file system where there is one: millions of files need no disk.
fn folder() -> tempfile::TempDir {
    let parent = Some(PathBuf::from("/dev/shm"))
        .filter(|path| path.is_dir())
        .unwrap_or_else(std::env::temp_dir);
    let folder = tempfile::tempdir_in(parent).expect("a temporary folder");
    std::fs::write(
        folder.path().join("deals.csv"),
        "lead,closed,result\nL01,2024-03-01T10:00:00,won\nL02,2024-03-05T10:00:00,lost\n",
    )
    .expect("room");
    folder
}

fn config_of(leads: &str, more: &str) -> String {
    format!(
        "[leads]\npath = \"{leads}\"\nid = \"id\"\ncreated_at = \"created\"\n{more}\n[outcomes]\npath = \"deals.csv\"\nlead = \"lead\"\nclosed_at = \"closed\"\nresult = \"result\"\nwon = [\"won\"]\nlost = [\"lost\"]\n[data]\nlargest_text = \"50MB\"\n"
    )
}

/// Reads tables as training and scoring do, up to the matrix; whether they could be read.
fn use_tables(config: &Config, folder: &Path) -> bool {
    let Ok((tables, doubts)) = look(config, folder, &LoadOptions::default()) else {
        return false;
    };
    if !doubts.is_empty() {
        return true;
    }
    let Ok((labelled, _)) = labelled_snapshots(&tables, &config.snapshots, None) else {
        return true;
    };
    let open = scoring_snapshots(&tables, tables.observation_end.next_midnight()).at_risk;
    let specs = plan(&tables, &config.features, &labelled.snapshots).specs;
    for snapshots in [&labelled.snapshots, &open] {
        compute(&tables, &specs, snapshots).expect("planned from these tables");
    }
    true
}

/// What the config of nested leads says beside.
const NESTED: &str = "exclude = [\"p.log\"]\ntypes.tags = { set = \";\" }\n[activities.log]\npath = \"nested.ndjson\"\nexplode = \"p.log\"\nlead = \"id\"\nat = \"at\"\nkind = [\"kind.name\"]";

/// One of the corpus's files of leads, changed.
fn try_files(door: &str, names: &[&str], usual: usize) {
    let folder = folder();
    let seeds: Vec<Vec<u8>> = names.iter().map(|name| seed(name)).collect();
    let configs: Vec<Config> = names
        .iter()
        .map(|name| {
            let is_nested = name.starts_with("nested");
            let more = if is_nested { NESTED } else { "" };
            Config::parse(&config_of(name, more)).expect("right")
        })
        .collect();
    let mut random = Random(door.bytes().map(u64::from).sum());
    let seen = try_door(door, n_tries(usual), |number| {
        let which = number % names.len();
        let others: Vec<&[u8]> = seeds.iter().map(Vec::as_slice).collect();
        let file = folder.path().join(names[which]);
        std::fs::write(&file, mutated(&mut random, &seeds[which], &others)).expect("room");
        let began = std::time::Instant::now();
        let is_taken = use_tables(&configs[which], folder.path());
        if began.elapsed() > std::time::Duration::from_secs(5) {
            // To be looked at, and to become a case.
            std::fs::copy(
                &file,
                std::env::temp_dir().join(format!("slow-{number}-{}", names[which])),
            )
            .expect("room");
        }
        is_taken
    });
    assert!(
        seen.n_taken > seen.n / 1_000,
        "only {} were tables at all",
        seen.n_taken
    );
}

#[test]
fn csv() {
    try_files("CSV", &["plain.csv", "odd.csv"], 800);
}

#[test]
fn gzip() {
    try_files("gzip", &["plain.csv.gz"], 800);
}

#[test]
fn ndjson() {
    try_files("NDJSON", &["plain.ndjson", "nested.ndjson"], 800);
}

#[test]
fn parquet() {
    try_files(
        "Parquet",
        &[
            "none.parquet",
            "snappy.parquet",
            "zstd.parquet",
            "pages.parquet",
        ],
        800,
    );
}

#[test]
fn arrow() {
    try_files(
        "Arrow",
        &["uncompressed.arrow", "lz4.arrow", "zstd.arrow"],
        800,
    );
}

/// Texts of a door, changed as texts: what is not UTF-8 does not get that far.
fn try_texts(door: &str, seeds: &[&str], usual: usize, mut take: impl FnMut(&str) -> bool) {
    let mut random = Random(door.bytes().map(u64::from).sum());
    let others: Vec<&[u8]> = seeds.iter().map(|seed| seed.as_bytes()).collect();
    let seen = try_door(door, n_tries(usual), |number| {
        let bytes = mutated(&mut random, others[number % others.len()], &others);
        take(&String::from_utf8_lossy(&bytes))
    });
    assert!(
        seen.n_taken > seen.n / 1_000,
        "only {} were taken",
        seen.n_taken
    );
}

#[test]
fn config() {
    let folder = small_crm();
    let text = std::fs::read_to_string(folder.path().join("leadscore.toml")).expect("there");
    let full = config_of(
        "leads.csv",
        "time_format = \"iso\"\nexclude = [\"role\"]\n[leads.types]\nseats = \"number\"\n[snapshots]\nevery = \"2w\"\nhorizon = \"90d\"\nobservation_end = \"2024-12-01\"\n[features]\nwindows = [\"7d\", \"30d\"]\n[model]\nkind = \"linear\"\nl1_ratio = 0.5\n[report]\ncapacity = \"200/week\"\ncost = 3.5\n",
    );
    try_texts("config", &[&text, &full], 4_000, |text| {
        Config::parse(text).is_ok()
    });
}

/// A config that can be read, with one number or length replaced by an extreme one, over tables
/// that are there.
#[test]
fn config_over_tables() {
    let folder = small_crm();
    let text = std::fs::read_to_string(folder.path().join("leadscore.toml")).expect("there");
    let keys = [
        (
            "snapshots",
            "every",
            &["\"1m\"", "\"1h\"", "\"365000d\"", "\"month\""][..],
        ),
        ("snapshots", "horizon", &["\"0d\"", "\"1m\"", "\"365000d\""]),
        (
            "snapshots",
            "ages",
            &["[\"0d\"]", "[\"365000d\"]", "[]", "[\"0d\", \"0d\"]"],
        ),
        ("snapshots", "silent", &["\"0d\"", "\"365000d\""]),
        ("snapshots", "from", &["\"0001-01-01\"", "\"9999-12-31\""]),
        (
            "snapshots",
            "observation_end",
            &["\"9999-12-31\"", "\"0001-01-01\"", "\"outcomes\""],
        ),
        ("snapshots", "limit", &["0", "1", "20_000", "-1"]),
        ("data", "earliest", &["\"0001-01-01\"", "\"9999-12-31\""]),
        (
            "data",
            "latest",
            &["\"now + 9999999999y\"", "\"0001-01-01\"", "\"now + 0y\""],
        ),
        ("data", "silence", &["\"0d\"", "\"365000d\""]),
        ("leads", "skip_rows", &["0", "9223372036854775807", "1000"]),
        ("model", "max_pairs", &["0", "9223372036854775807"]),
        (
            "features",
            "windows",
            &["[]", "[\"0d\"]", "[\"365000d\", \"1m\"]"],
        ),
        (
            "features",
            "half_lives",
            &["[\"1m\"]", "[\"365000d\"]", "[\"0d\"]"],
        ),
    ];
    let mut random = Random(5);
    try_door("config over tables", n_tries(600), |_| {
        let mut sections: std::collections::BTreeMap<&str, std::collections::BTreeMap<&str, &str>> =
            std::collections::BTreeMap::new();
        for _ in 0..1 + random.below(3) {
            let (section, key, values) = keys[random.below(keys.len())];
            sections
                .entry(section)
                .or_default()
                .insert(key, values[random.below(values.len())]);
        }
        // Millions of snapshots are no hang, and no test either.
        sections
            .entry("snapshots")
            .or_default()
            .entry("limit")
            .or_insert("20_000");
        let mut changed = text.clone();
        for (section, lines) in sections {
            let lines: String = lines
                .iter()
                .map(|(key, value)| format!("{key} = {value}\n"))
                .collect();
            let head = format!("[{section}]\n");
            changed = if changed.contains(&head) {
                changed.replacen(&head, &format!("{head}{lines}"), 1)
            } else {
                format!("{changed}\n{head}{lines}")
            };
        }
        Config::parse(&changed).is_ok_and(|config| use_tables(&config, folder.path()))
    });
}

#[test]
fn rules() {
    let folder = small_crm();
    let text = std::fs::read_to_string(folder.path().join("leadscore.toml")).expect("there");
    let config = Config::parse(&text).expect("right");
    let (tables, _) = look(&config, folder.path(), &LoadOptions::default()).expect("right");
    let open = scoring_snapshots(&tables, tables.observation_end.next_midnight()).at_risk;
    let own = "[score]\nname = \"fit\"\nbase = 5\n[groups.a]\ncap = 20\n[thresholds]\nhot = 60\n[grades]\nA = 50\nB = 0\n[[rule]]\nname = \"one\"\ngroup = \"a\"\npoints = 10\nattribute = \"role\"\nmatches = \"^(a|b)+$\"\n[[rule]]\nname = \"two\"\npoints = -5\nactivity = \"visits\"\nper_event = true\nmax_events = 3\nhalf_life = \"14d\"\nwithin = \"30d\"\n";
    let recipe = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recipes/fit-and-engagement.toml"),
    )
    .expect("there");
    try_texts("rules", &[own, &recipe], 3_000, |text| {
        let Ok(file) = RulesFile::parse(text) else {
            return false;
        };
        if let Ok((bound, _)) = BoundRules::of_part(file, &tables, &[]) {
            let scores = bound.score(&tables, &open).expect("bound to these tables");
            assert!(
                scores.iter().all(|score| score.points.is_finite()),
                "points that are none"
            );
        }
        true
    });
}

#[test]
fn time_format() {
    let folder = folder();
    let table = "id,created\nL01,2024-02-01 10:00:00\nL02,01/02/2024\nL03,45000.5\nL04,1706781600\nL05,-9223372036854775808\n";
    std::fs::write(folder.path().join("leads.csv"), table).expect("room");
    try_texts(
        "time_format",
        &[
            "%Y-%m-%d %H:%M:%S",
            "%d/%m/%Y",
            "%s%.3f",
            "%b %e, %Y %I:%M %p %z",
            "excel",
            "epoch_us",
            "%+",
            "%Z %:z %j %U",
        ],
        2_000,
        |format| {
            let quoted = format!("{format:?}");
            Config::parse(&config_of("leads.csv", &format!("time_format = {quoted}"))).is_ok_and(
                |config| {
                    use_tables(&config, folder.path());
                    true
                },
            )
        },
    );
}

#[test]
fn addresses_and_small_words() {
    let seeds = [
        "postgresql://user@host:5432/base?sslmode=require",
        "sqlite:///a.db",
        "env:LEADSCORE_NOWHERE",
        "file:nowhere",
        "200/week",
        "512MB",
        "2026-01-31T10:00:00+01:00",
        "90d",
    ];
    let folder = folder();
    try_texts("addresses and small words", &seeds, 20_000, |text| {
        let shown = Address::resolve(
            &SecretUri::from(text.to_owned()),
            None,
            folder.path(),
            "[database]",
        )
        .map(|address| address.shown());
        drop(Capacity::parse(text));
        let bytes = text.parse::<leadscore_config::Bytes>();
        let span = text.parse::<leadscore_core::Span>();
        let moment = leadscore_core::Timestamp::parse_iso(text);
        shown.is_ok() || bytes.is_ok() || span.is_ok() || moment.is_some()
    });
}

/// The command over one file that was changed: it ends in time, with a code that it knows, and says
/// why.
#[test]
fn command() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let at = |name: &str| folder.path().join(name);
    succeed(
        folder.path(),
        &[
            "simulate", "--leads", "1000", "--format", "csv", "--out", "csv",
        ],
    );
    succeed(
        folder.path(),
        &[
            "simulate", "--leads", "1000", "--format", "parquet", "--out", "parquet",
        ],
    );
    succeed(
        folder.path(),
        &[
            "train",
            "-c",
            "csv/leadscore.toml",
            "--as-of",
            "2025-04-01",
            "-o",
            "model.leadscore",
        ],
    );
    let rules =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/recipes/fit-and-engagement.toml");
    std::fs::copy(rules, at("rules.toml")).expect("room");
    // Each file with what reads it.
    let targets: [(&str, &[&str]); 12] = [
        (
            "csv/leads.csv",
            &[
                "check -c csv/leadscore.toml",
                "score model.leadscore -c csv/leadscore.toml -o out.csv",
                "init --leads csv/leads.csv --outcomes csv/deals.csv -o out.toml --force",
            ],
        ),
        (
            "csv/deals.csv",
            &[
                "check -c csv/leadscore.toml",
                "evaluate model.leadscore -c csv/leadscore.toml -o out.html",
            ],
        ),
        (
            "csv/touches.csv",
            &[
                "features -c csv/leadscore.toml -o out.parquet",
                "rules score rules.toml -c csv/leadscore.toml -o out.csv",
            ],
        ),
        (
            "csv/accounts.csv",
            &["score model.leadscore -c csv/leadscore.toml -o out.csv"],
        ),
        (
            "csv/stages.csv",
            &["recalibrate model.leadscore -c csv/leadscore.toml -o out.leadscore"],
        ),
        (
            "csv/leadscore.toml",
            &[
                "score model.leadscore -c csv/leadscore.toml -o out.csv",
                "features -c csv/leadscore.toml --describe",
            ],
        ),
        (
            "parquet/leads.parquet",
            &[
                "score model.leadscore -c parquet/leadscore.toml -o out.csv --memory 400MB",
                "check -c parquet/leadscore.toml",
            ],
        ),
        (
            "parquet/touches.parquet",
            &[
                "features -c parquet/leadscore.toml -o out.csv",
                "explain model.leadscore L00000007 -c parquet/leadscore.toml",
            ],
        ),
        (
            "parquet/deals.parquet",
            &["evaluate model.leadscore -c parquet/leadscore.toml -o out.html"],
        ),
        (
            "model.leadscore",
            &[
                "inspect model.leadscore",
                "score model.leadscore -c csv/leadscore.toml -o out.csv",
                "export onnx model.leadscore -o out.onnx",
            ],
        ),
        (
            "rules.toml",
            &[
                "rules check rules.toml -c csv/leadscore.toml",
                "rules history rules.toml -c csv/leadscore.toml -o out.csv",
            ],
        ),
        (
            "csv/web_sessions.csv",
            &[
                "check -c csv/leadscore.toml --json",
                "export sql model.leadscore --features --dialect duckdb -c csv/leadscore.toml -o out.sql",
            ],
        ),
    ];
    let seeds: Vec<Vec<u8>> = targets
        .iter()
        .map(|(name, _)| std::fs::read(at(name)).expect("there"))
        .collect();
    let mut random = Random(12);
    try_door("command", n_tries(40), |number| {
        let which = number % targets.len();
        let (name, lines) = targets[which];
        let line: Vec<&str> = lines[random.below(lines.len())].split(' ').collect();
        std::fs::write(at(name), mutated(&mut random, &seeds[which], &[])).expect("room");
        let output = leadscore(folder.path(), &line);
        std::fs::write(at(name), &seeds[which]).expect("room");
        let text = String::from_utf8_lossy(&output.stderr);
        assert!(
            matches!(output.status.code(), Some(0..=2)),
            "{line:?}: {:?} {text}",
            output.status
        );
        assert!(!text.contains("panicked"), "{line:?}: {text}");
        assert!(
            output.status.success() || !text.trim().is_empty() || !output.stdout.is_empty(),
            "{line:?}: silent"
        );
        output.status.success()
    });
}
