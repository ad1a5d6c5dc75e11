//! The look-ahead test of `check`: it passes what is right, and catches what reads one event too far.
#![allow(missing_docs, reason = "tests")]

use leadscore_config::{Config, FamilyChoice};
use leadscore_core::{Snapshot, Span, Timestamp};
use leadscore_dataset::{LoadOptions, Tables};
use leadscore_features::{
    FeaturesError, LookAheadFindings, compute, labelled_snapshots, look_ahead_test, plan,
};
use leadscore_io::load;
use leadscore_tests::{leadscore, real_project, small_crm, succeed};

fn all_families(config: &mut Config) {
    config.features.families = vec![FamilyChoice::All];
}

fn tables_of(folder: &std::path::Path) -> (Config, Tables) {
    let text = std::fs::read_to_string(folder.join("leadscore.toml")).expect("the config is there");
    let mut config = Config::parse(&text).expect("the config is right");
    all_families(&mut config);
    let tables = load(&config, folder, &LoadOptions::default()).expect("the tables are right");
    (config, tables)
}

/// The whole road, with each snapshot looked at through `see`, which says where its features are
/// computed.
fn test(
    config: &Config,
    tables: &Tables,
    see: impl Fn(&Tables, Snapshot) -> Timestamp,
) -> LookAheadFindings {
    let (labelled, _) = labelled_snapshots(tables, &config.snapshots, None).expect("few");
    look_ahead_test(tables, &labelled.snapshots, |tables, snapshots| {
        let seen: Vec<Snapshot> = snapshots
            .iter()
            .map(|&snapshot| Snapshot {
                at: see(tables, snapshot),
                ..snapshot
            })
            .collect();
        let specs = plan(tables, &config.features, &seen).specs;
        let matrix = compute(tables, &specs, &seen)?;
        // What was computed too late is said to be of the snapshot.
        let columns = (0..specs.len())
            .map(|idx| (specs[idx].clone(), matrix.levels(idx).to_vec()))
            .collect();
        let buffer = (0..specs.len())
            .flat_map(|idx| matrix.column(idx).to_vec())
            .collect();
        Ok::<_, FeaturesError>(leadscore_core::FeatureMatrix::from_buffer(
            snapshots.to_vec(),
            columns,
            buffer,
        )?)
    })
    .expect("computable")
}

/// The first moment at which the lead's next event is visible too.
fn one_event_too_far(tables: &Tables, snapshot: Snapshot) -> Timestamp {
    let activities = &tables.activities[0];
    let next = activities
        .events_of(snapshot.lead as usize)
        .map(|event| activities.rows.at[event])
        .find(|&at| at >= snapshot.at);
    next.map_or(snapshot.at, |next| {
        Timestamp::from_micros(next.micros() + 1)
    })
}

#[test]
fn a_feature_that_reads_one_event_too_far_is_caught() {
    let folder = small_crm();
    // Visits after the snapshots, so that there is something to read too early.
    let mut visits = std::fs::read_to_string(folder.path().join("visits.csv")).expect("there");
    for number in 0..240 {
        visits.push_str(&format!(
            "L{number},2020-{:02}-{:02}T09:00:00,page\n",
            2 + number % 6,
            5 + number % 20
        ));
    }
    std::fs::write(folder.path().join("visits.csv"), visits).expect("room");
    let (config, tables) = tables_of(folder.path());
    let right = test(&config, &tables, |_, snapshot| snapshot.at);
    assert!(
        right.n_altered > 200 && right.n_snapshots > 100,
        "{right:?}"
    );
    assert_eq!(right.leaks, []);
    let wrong = test(&config, &tables, one_event_too_far);
    let named: Vec<&str> = wrong
        .leaks
        .iter()
        .map(|leak| leak.feature.as_str())
        .collect();
    assert!(
        named.contains(&"visits.count.ever") && named.contains(&"visits.recency"),
        "{named:?}"
    );
    // The mildest leak there is: events at the very moment of the snapshot.
    let inclusive = test(&config, &tables, |_, snapshot| {
        Timestamp::from_micros(snapshot.at.micros() + 1)
    });
    assert!(
        inclusive
            .leaks
            .iter()
            .any(|leak| leak.feature == "visits.count.ever"),
        "{inclusive:?}"
    );
}

#[test]
fn check_runs_it_on_simulated_data() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    succeed(
        folder.path(),
        &["simulate", "--leads", "3000", "--out", "crm"],
    );
    let config = folder.path().join("crm/leadscore.toml");
    let text = std::fs::read_to_string(&config).expect("there");
    // Accounts are shared, so that all leads are cut at the same moments.
    let text = text.replace(
        "[lookups.accounts]",
        "account = \"account_id\"\n\n[lookups.accounts]",
    ) + "\n[features]\nfamilies = [\"all\"]\n";
    std::fs::write(config, text).expect("room");
    let found: serde_json::Value = serde_json::from_str(&succeed(
        folder.path(),
        &["check", "-c", "crm/leadscore.toml", "--json"],
    ))
    .expect("JSON");
    assert!(
        found["look_ahead"]["n_altered"].as_u64().expect("a number") > 10_000,
        "{}",
        found["look_ahead"]
    );
    assert_eq!(found["look_ahead"]["leaks"], serde_json::json!([]));
    assert!(found["n_features"].as_u64().expect("a number") > 200);
}

#[test]
#[ignore = "needs LEADSCORE_REAL_DATA"]
fn check_runs_it_on_real_data() {
    let folder = real_project(
        "bpi2012",
        &[
            "bpi2012-w-events/prepared/leads.csv",
            "bpi2012-w-events/prepared/events.csv",
            "bpi2012-w-events/prepared/outcomes.csv",
        ],
    );
    let (config, tables) = tables_of(folder.path());
    let right = test(&config, &tables, |_, snapshot| snapshot.at);
    assert!(
        right.n_altered > 30_000 && right.leaks.is_empty(),
        "{right:?}"
    );
    let wrong = test(&config, &tables, |_, snapshot| {
        snapshot.at + Span::from_days(1)
    });
    assert!(!wrong.leaks.is_empty());
    let output = leadscore(folder.path(), &["check"]);
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(text.contains("no feature changed by a bit"), "{text}");
}
