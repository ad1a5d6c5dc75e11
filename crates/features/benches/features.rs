//! The sweep over events: from sorted events in memory to the features of each lead's snapshots.

use std::collections::BTreeMap;
use std::sync::Arc;

use divan::Bencher;
use leadscore_config::FeaturesConfig;
use leadscore_core::{FeatureSpec, Precision, Snapshot, Span, Stamp, Timestamp};
use leadscore_dataset::{
    Activities, EventRows, History, KindColumn, LeadOutcome, Leads, Tables, ValueColumn,
};
use leadscore_features::{compute, plan};

fn main() {
    divan::main();
}

const DAY: i64 = 86_400_000_000;
const N_LEADS: u32 = 2_000;
const EVENTS_OF_A_LEAD: u32 = 100;
/// In days.
const LAST_DAY: i64 = 360;

/// Whole numbers below 2⁵³, the same in every run.
fn draws() -> impl FnMut() -> u64 {
    let mut state = 88_172_645_463_325_252_u64;
    move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state >> 11
    }
}

/// Events of every lead in a year, of four kinds and with a number; entered up to ten days later
/// where that is asked for.
fn events(are_late: bool) -> Activities {
    let mut draw = draws();
    let n = N_LEADS * EVENTS_OF_A_LEAD;
    let owners = (0..n).map(|event| event / EVENTS_OF_A_LEAD).collect();
    let at: Vec<Timestamp> = (0..n)
        .map(|_| Timestamp::from_micros((draw() % (LAST_DAY * DAY) as u64) as i64))
        .collect();
    let visible = are_late.then(|| {
        at.iter()
            .map(|at| Timestamp::from_micros(at.micros() + (draw() % 10) as i64 * DAY))
            .collect()
    });
    let kinds = KindColumn {
        name: "kind".to_owned(),
        codes: (0..n).map(|_| (draw() % 4) as u32).collect(),
        levels: ["call", "demo", "mail", "visit"]
            .map(str::to_owned)
            .to_vec(),
        tokenizer: None,
    };
    let pages = ValueColumn {
        name: "pages".to_owned(),
        values: (0..n).map(|_| (draw() % 50) as f64).collect(),
    };
    let rows = EventRows {
        owners,
        at,
        visible,
        kinds: vec![kinds],
        values: vec![pages],
    };
    Activities::new("web", None, N_LEADS as usize, rows)
}

/// Leads from the first day with these events, nothing else.
fn tables(events: Activities) -> Tables {
    let n = N_LEADS as usize;
    let born = Stamp::new(Timestamp::from_micros(0), Precision::Instant);
    Tables {
        leads: Arc::new(Leads {
            id_column: "id".to_owned(),
            ids: (0..n).map(|lead| format!("L{lead:04}")).collect(),
            created: vec![Some(born); n],
            order: None,
            attributes: Vec::new(),
            manual_score: None,
            accounts: None,
            account_names: Vec::new(),
            entity_hashes: None,
            recorded: None,
        }),
        lookups: Arc::new(Vec::new()),
        activities: Arc::new(vec![events]),
        outcomes: vec![LeadOutcome::default(); n],
        history: Arc::new(History {
            attributes: Vec::new(),
        }),
        courses: None,
        is_flat: false,
        observation_end: Timestamp::from_micros(LAST_DAY * DAY),
        silent: None,
        entry_lag: Span::from_days(0),
        ends: Vec::new(),
        matched: BTreeMap::new(),
        seen: BTreeMap::new(),
        notes: Vec::new(),
    }
}

/// Every lead at the end of each of twelve months.
fn snapshots() -> Vec<Snapshot> {
    (1..=12)
        .flat_map(|month| {
            (0..N_LEADS).map(move |lead| Snapshot {
                lead,
                at: Timestamp::from_micros(30 * month * DAY),
            })
        })
        .collect()
}

fn sweep(bencher: Bencher<'_, '_>, are_late: bool) {
    let tables = tables(events(are_late));
    let snapshots = snapshots();
    let specs: Vec<FeatureSpec> = plan(&tables, &FeaturesConfig::default(), &snapshots)
        .specs
        .into_iter()
        .filter(|spec| spec.source.events().is_some())
        .collect();
    assert!(specs.len() > 10, "{} features of events", specs.len());
    bencher.bench_local(|| compute(&tables, &specs, &snapshots).expect("the tables have all"));
}

#[divan::bench(name = "sweep/200_000_events_x_24_000_snapshots")]
fn in_order(bencher: Bencher<'_, '_>) {
    sweep(bencher, false);
}

/// Events that were entered late: one walk for each snapshot.
#[divan::bench(name = "sweep_of_late_records/200_000_events_x_24_000_snapshots")]
fn late(bencher: Bencher<'_, '_>) {
    sweep(bencher, true);
}
