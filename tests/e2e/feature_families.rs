//! Every family of features against plain loops over unsorted rows, over random companies with ties
//! and late records.
#![allow(missing_docs, reason = "tests")]

use std::sync::Arc;

use leadscore_config::{FamilyChoice, FeaturesConfig};
use leadscore_core::{
    AttributeTable, CalendarPart, EventFilter, Family, FeatureSource, FeatureSpec, PeerState,
    Precision, Snapshot, Span, Stamp, Statistic, Timestamp,
};
use leadscore_dataset::{
    Activities, Attribute, Column, EventRows, History, HistoryChange, KindColumn, LeadOutcome,
    Leads, Lookup, LookupRows, MISSING, Tables, ValueColumn, Versions,
};
use leadscore_features::{compute, plan};
use proptest::prelude::*;

const HALF_DAY: i64 = 43_200_000_000;
const N_LEADS: u32 = 7;
const N_ACCOUNTS: u32 = 3;
const KINDS: [&str; 4] = ["call", "mail", "meeting", "page"];
const DEVICES: [&str; 2] = ["desk", "phone"];

fn moment(half_days: i64) -> Timestamp {
    Timestamp::from_micros(
        Timestamp::from_ymd(2022, 1, 1).expect("exists").micros() + half_days * HALF_DAY,
    )
}

/// An event as a row of a file. Values are multiples of a quarter, so that plain sums are exact
/// too.
#[derive(Debug, Clone)]
struct Event {
    owner: u32,
    at: i64,
    delay: i64,
    kind: Option<usize>,
    device: Option<usize>,
    value: Option<i32>,
}

impl Event {
    fn visible(&self) -> i64 {
        self.at + self.delay
    }

    fn value(&self) -> Option<f64> {
        self.value.map(|value| f64::from(value) / 4.0)
    }
}

#[derive(Debug, Clone)]
struct Company {
    created: Vec<i64>,
    accounts: Vec<Option<u32>>,
    /// When each closed, and whether won.
    closed: Vec<Option<(i64, bool)>>,
    web: Vec<Event>,
    news: Vec<Event>,
    /// Lead, time, stage.
    stages: Vec<(u32, i64, usize)>,
    /// Account, time, staff.
    staff: Vec<(u32, i64, i32)>,
    snapshots: Vec<(u32, i64)>,
}

fn code(level: Option<usize>) -> u32 {
    level.map_or(MISSING, |level| level as u32)
}

fn activities(
    name: &str,
    events: &[Event],
    accounts: Option<&[Option<u32>]>,
    has_two_clocks: bool,
) -> Activities {
    let rows = EventRows {
        owners: events.iter().map(|event| event.owner).collect(),
        at: events.iter().map(|event| moment(event.at)).collect(),
        visible: has_two_clocks
            .then(|| events.iter().map(|event| moment(event.visible())).collect()),
        kinds: vec![
            KindColumn {
                name: "kind".to_owned(),
                codes: events.iter().map(|event| code(event.kind)).collect(),
                levels: KINDS.map(str::to_owned).to_vec(),
                tokenizer: None,
            },
            KindColumn {
                name: "device".to_owned(),
                codes: events.iter().map(|event| code(event.device)).collect(),
                levels: DEVICES.map(str::to_owned).to_vec(),
                tokenizer: None,
            },
        ],
        values: vec![ValueColumn {
            name: "value".to_owned(),
            values: events
                .iter()
                .map(|event| event.value().unwrap_or(f64::NAN))
                .collect(),
        }],
    };
    match accounts {
        None => Activities::new(name, None, N_LEADS as usize, rows),
        Some(accounts) => Activities::new(
            name,
            Some(
                accounts
                    .iter()
                    .map(|account| account.unwrap_or(MISSING))
                    .collect(),
            ),
            N_ACCOUNTS as usize,
            rows,
        ),
    }
}

/// Offsets, times and values of dated rows, sorted by owner and time; of equal times the last row
/// holds.
fn dated<T: Copy + Ord>(n: u32, rows: &[(u32, i64, T)]) -> (Vec<usize>, Vec<Timestamp>, Vec<T>) {
    let mut rows = rows.to_vec();
    rows.sort_unstable();
    let offsets = (0..=n)
        .map(|owner| rows.partition_point(|row| row.0 < owner))
        .collect();
    (
        offsets,
        rows.iter().map(|row| moment(row.1)).collect(),
        rows.iter().map(|row| row.2).collect(),
    )
}

fn tables(company: &Company) -> Tables {
    let outcomes = company.closed.iter().map(|closed| LeadOutcome {
        reopened: false,
        closed: closed.map(|(at, _)| moment(at)),
        won: closed
            .filter(|(_, is_won)| *is_won)
            .map(|(at, _)| moment(at)),
        ..LeadOutcome::default()
    });
    let (offsets, known, stages) = dated(N_LEADS, &company.stages);
    let stage = HistoryChange {
        attribute: "stage".to_owned(),
        offsets,
        known,
        values: Column::Category {
            codes: stages.iter().map(|&stage| stage as u32).collect(),
            levels: KINDS.map(str::to_owned).to_vec(),
        },
        before: Vec::new(),
    };
    let (offsets, known, staff) = dated(N_ACCOUNTS, &company.staff);
    let accounts: Vec<u32> = company
        .accounts
        .iter()
        .map(|account| account.unwrap_or(MISSING))
        .collect();
    Tables {
        leads: Arc::new(Leads {
            id_column: "id".to_owned(),
            ids: (0..N_LEADS).map(|lead| format!("L{lead}")).collect(),
            created: company
                .created
                .iter()
                .map(|&at| Some(Stamp::new(moment(at), Precision::Instant)))
                .collect(),
            order: None,
            attributes: vec![Attribute {
                name: "stage".to_owned(),
                tokenizer: None,
                column: Column::Category {
                    codes: vec![MISSING; N_LEADS as usize],
                    levels: vec![],
                },
            }],
            manual_score: None,
            accounts: Some(accounts.clone()),
            account_names: Vec::new(),
            entity_hashes: None,
            recorded: None,
        }),
        lookups: Arc::new(vec![Lookup {
            name: "firm".to_owned(),
            entry_of_lead: accounts,
            rows: Arc::new(LookupRows {
                versions: Some(Versions { offsets, known }),
                attributes: vec![Attribute {
                    name: "staff".to_owned(),
                    tokenizer: None,
                    column: Column::Number(staff.iter().map(|&staff| f64::from(staff)).collect()),
                }],
            }),
        }]),
        activities: Arc::new(vec![
            activities("news", &company.news, Some(&company.accounts), false),
            activities("web", &company.web, None, true),
        ]),
        outcomes: outcomes.collect(),
        history: Arc::new(History {
            attributes: vec![stage],
        }),
        courses: None,
        is_flat: false,
        silent: None,
        observation_end: moment(10_000),
        entry_lag: Span::ZERO,
        ends: Vec::new(),
        matched: std::collections::BTreeMap::new(),
        seen: std::collections::BTreeMap::new(),
        notes: Vec::new(),
    }
}

fn days(half_days: i64) -> f64 {
    half_days as f64 / 2.0
}

fn half_days(span: Span) -> i64 {
    span.micros() / HALF_DAY
}

fn is_of(event: &Event, filter: &EventFilter) -> bool {
    let cell = |column: &str| match column {
        "kind" => event.kind.map(|kind| KINDS[kind]),
        _ => event.device.map(|device| DEVICES[device]),
    };
    match filter {
        EventFilter::All => true,
        EventFilter::Is(column, value) => cell(column) == Some(value),
        EventFilter::Other { column, named } => {
            cell(column).is_some_and(|value| !named.iter().any(|name| name == value))
        }
        EventFilter::Each(pairs) => pairs
            .iter()
            .all(|(column, value)| cell(column) == Some(value)),
        EventFilter::Has { .. } => unreachable!("compared in tokens.rs"),
    }
}

/// The statistic over the events that are visible, by its definition and nothing cleverer.
fn slow_statistic(
    seen: &[&Event],
    filter: &EventFilter,
    window: Option<Span>,
    statistic: &Statistic,
    at: i64,
    created: i64,
) -> Expected {
    let inside = |event: &&&Event| window.is_none_or(|window| event.at >= at - half_days(window));
    let of: Vec<&Event> = seen
        .iter()
        .filter(|event| is_of(event, filter))
        .copied()
        .collect();
    let within: Vec<&Event> = of.iter().filter(inside).copied().collect();
    let values: Vec<f64> = within.iter().filter_map(|event| event.value()).collect();
    let mut times: Vec<i64> = of.iter().map(|event| event.at).collect();
    times.sort_unstable();
    let gaps: Vec<i64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let or_nan = |value: Option<f64>| value.unwrap_or(f64::NAN);
    Expected::Number(match statistic {
        Statistic::Count => within.len() as f64,
        Statistic::Sum(_) => values.iter().sum(),
        Statistic::Mean(_) => values.iter().sum::<f64>() / values.len() as f64,
        Statistic::Max(_) => or_nan(values.iter().copied().reduce(f64::max)),
        Statistic::ActiveDays => {
            let mut dates: Vec<i64> = within.iter().map(|event| event.at.div_euclid(2)).collect();
            dates.sort_unstable();
            dates.dedup();
            dates.len() as f64
        }
        Statistic::RecencyDays => or_nan(times.last().map(|last| days(at - last))),
        Statistic::FirstDays => or_nan(times.first().map(|first| days(at - first))),
        Statistic::Decayed(half_life) => of
            .iter()
            .map(|event| 0.5_f64.powf(days(at - event.at) / half_life.days()))
            .sum(),
        Statistic::Trend => {
            let length = half_days(window.expect("a trend has a window"));
            let count = |from: i64, to: i64| {
                of.iter()
                    .filter(|event| event.at >= from && event.at < to)
                    .count() as f64
            };
            count(at - length, at) - count(at - 2 * length, at - length)
        }
        Statistic::Share => within.len() as f64 / seen.iter().filter(inside).count() as f64,
        Statistic::MeanGapDays => {
            gaps.iter().map(|&gap| days(gap)).sum::<f64>() / gaps.len() as f64
        }
        Statistic::MaxGapDays => or_nan(gaps.iter().max().map(|&gap| days(gap))),
        Statistic::ReplyDays => or_nan(
            times
                .iter()
                .find(|&&time| time >= created)
                .map(|time| days(time - created)),
        ),
        Statistic::Follows(after) => {
            let follows = seen
                .iter()
                .filter(|event| is_of(event, after))
                .any(|first| of.iter().any(|second| first.at < second.at));
            f64::from(u8::from(follows))
        }
        Statistic::LatestValue(_) => {
            let latest = of
                .iter()
                .filter(|event| event.value.is_some())
                .max_by_key(|event| {
                    (
                        event.at,
                        event.visible(),
                        code(event.kind),
                        code(event.device),
                        event.value,
                    )
                });
            or_nan(latest.and_then(|event| event.value()))
        }
        Statistic::LatestKind(column) => {
            let latest = of.iter().max_by_key(|event| {
                (
                    event.at,
                    event.visible(),
                    code(event.kind),
                    code(event.device),
                    event.value.map_or(i32::MAX, |value| value),
                )
            });
            let level = latest.and_then(|event| {
                if column == "kind" {
                    event.kind.map(|kind| KINDS[kind])
                } else {
                    event.device.map(|device| DEVICES[device])
                }
            });
            return Expected::Level(level.map(str::to_owned));
        }
    })
}

#[derive(Debug, Clone, PartialEq)]
enum Expected {
    Number(f64),
    Level(Option<String>),
}

fn slow_value(company: &Company, spec: &FeatureSpec, lead: u32, at: i64) -> Expected {
    let number = Expected::Number;
    let account = company.accounts[lead as usize];
    let visible = |events: &'_ [Event], owners: &dyn Fn(u32) -> bool| -> Vec<Event> {
        events
            .iter()
            .filter(|event| owners(event.owner) && event.at < at && event.visible() < at)
            .cloned()
            .collect()
    };
    let created = company.created[lead as usize];
    let stages = || {
        company
            .stages
            .iter()
            .filter(|row| row.0 == lead && row.1 < at)
    };
    let peers = || {
        (0..N_LEADS).filter(|&other| {
            other != lead && account.is_some() && company.accounts[other as usize] == account
        })
    };
    match &spec.source {
        FeatureSource::Attribute {
            table: AttributeTable::Leads,
            ..
        } => Expected::Level(stages().max().map(|row| KINDS[row.2].to_owned())),
        FeatureSource::Attribute { .. } => number(
            company
                .staff
                .iter()
                .filter(|row| Some(row.0) == account && row.1 < at)
                .max()
                .map_or(f64::NAN, |row| f64::from(row.2)),
        ),
        FeatureSource::Token { .. } | FeatureSource::TokenCount { .. } => {
            unreachable!("compared in tokens.rs")
        }
        FeatureSource::DaysUntil { .. } => unreachable!("compared in days.rs"),
        FeatureSource::TimesClosed | FeatureSource::ReopenedDays => {
            unreachable!("compared in logs.rs")
        }
        FeatureSource::Created(part) => calendar(*part, moment(created)),
        FeatureSource::Snapshot(part) => calendar(*part, moment(at)),
        FeatureSource::AgeDays => number(days(at - created)),
        FeatureSource::AgeWeekdays => {
            // Half-day by half-day, those of Saturdays and Sundays left out.
            let half = |number: i64| usize::from(moment(number).weekday() < 5);
            let (first, last) = (at.min(created), at.max(created));
            number(
                (first..last).map(half).sum::<usize>() as f64 / 2.0
                    * if at < created { -1.0 } else { 1.0 },
            )
        }
        FeatureSource::AttributeAge { .. } => {
            let mut rows: Vec<_> = stages().collect();
            rows.sort_unstable();
            let Some(last) = rows.last() else {
                return number(f64::NAN);
            };
            let since = rows
                .iter()
                .rev()
                .take_while(|row| row.2 == last.2)
                .last()
                .expect("the last one is the same as itself");
            number(days(at - since.1))
        }
        FeatureSource::AttributeChanges { .. } => number(stages().count() as f64),
        FeatureSource::Activity {
            table,
            kind,
            window,
            statistic,
        } => {
            let seen = if table == "web" {
                visible(&company.web, &|owner| owner == lead)
            } else {
                // News are recorded when they happen.
                let news: Vec<Event> = company
                    .news
                    .iter()
                    .map(|event| Event {
                        delay: 0,
                        ..event.clone()
                    })
                    .collect();
                visible(&news, &|owner| Some(owner) == account)
            };
            slow_statistic(
                &seen.iter().collect::<Vec<_>>(),
                kind,
                *window,
                statistic,
                at,
                created,
            )
        }
        FeatureSource::Peers {
            kind,
            window,
            statistic,
            ..
        } => {
            if account.is_none() {
                return number(f64::NAN);
            }
            // Whose lead it is was known when the lead was created.
            let seen = visible(&company.web, &|owner| {
                peers().any(|peer| peer == owner && company.created[peer as usize] < at)
            });
            slow_statistic(
                &seen.iter().collect::<Vec<_>>(),
                kind,
                *window,
                statistic,
                at,
                created,
            )
        }
        FeatureSource::PeerLeads(state) => {
            if account.is_none() {
                return number(f64::NAN);
            }
            let is_in_state = |peer: &u32| {
                let closed = company.closed[*peer as usize].filter(|(closed, _)| *closed < at);
                // What became of a lead nobody knows before the lead.
                if company.created[*peer as usize] >= at {
                    return false;
                }
                match state {
                    PeerState::Open => closed.is_none(),
                    PeerState::Won => closed.is_some_and(|(_, is_won)| is_won),
                    PeerState::Lost => closed.is_some_and(|(_, is_won)| !is_won),
                }
            };
            number(peers().filter(is_in_state).count() as f64)
        }
    }
}

fn calendar(part: CalendarPart, at: Timestamp) -> Expected {
    let naive = at.naive().expect("within the calendar");
    match part {
        CalendarPart::Weekday => Expected::Level(Some(naive.format("%A").to_string())),
        CalendarPart::Month => Expected::Level(Some(naive.format("%B").to_string())),
        CalendarPart::DayOfMonth => {
            Expected::Number(naive.format("%d").to_string().parse().expect("a day"))
        }
        CalendarPart::Hour => {
            Expected::Number(naive.format("%H").to_string().parse().expect("an hour"))
        }
    }
}

fn config() -> FeaturesConfig {
    FeaturesConfig {
        families: vec![FamilyChoice::All],
        windows: ["12h", "3d", "10d"]
            .map(|text| text.parse().expect("a span"))
            .to_vec(),
        half_lives: vec![Span::from_days(6)],
        max_kinds: 2,
        ..FeaturesConfig::default()
    }
}

fn snapshots(company: &Company) -> Vec<Snapshot> {
    company
        .snapshots
        .iter()
        .map(|&(lead, at)| Snapshot {
            lead,
            at: moment(at),
        })
        .collect()
}

fn check_company(company: &Company) {
    let tables = tables(company);
    let keys = snapshots(company);
    let specs = plan(&tables, &config(), &keys).specs;
    let matrix = compute(&tables, &specs, &keys).expect("computable");
    for (idx, spec) in specs.iter().enumerate() {
        for (row, &(lead, at)) in company.snapshots.iter().enumerate() {
            let found = matrix.values()[[row, idx]];
            match slow_value(company, spec, lead, at) {
                Expected::Level(level) => assert_eq!(
                    matrix.level(row, idx),
                    level.as_deref(),
                    "{} of lead {lead} at {at}",
                    spec.name
                ),
                Expected::Number(expected) => {
                    let is_inexact = spec.name.contains("decay") || spec.name.contains("gap_mean");
                    // Powers and means are rounded in another order; everything else is equal to
                    // the bit.
                    let tolerance = if is_inexact {
                        1e-12 * expected.abs()
                    } else {
                        0.0
                    };
                    let equal = found == expected
                        || (found - expected).abs() <= tolerance
                        || found.is_nan() && expected.is_nan();
                    assert!(
                        equal,
                        "{} of lead {lead} at {at}: {found}, expected {expected}",
                        spec.name
                    );
                }
            }
        }
    }
}

fn event(n_owners: u32) -> impl Strategy<Value = Event> {
    // Times on a grid of half-days, so that ties and events on window edges are common.
    (
        0..n_owners,
        0..60_i64,
        prop_oneof![4 => Just(0_i64), 1 => 1..30_i64],
        prop::option::of(0..4_usize),
        prop::option::of(0..2_usize),
        prop::option::of(-40..40_i32),
    )
        .prop_map(|(owner, at, delay, kind, device, value)| Event {
            owner,
            at,
            delay,
            kind,
            device,
            value,
        })
}

fn company() -> impl Strategy<Value = Company> {
    let leads = N_LEADS as usize;
    (
        prop::collection::vec(0..40_i64, leads),
        prop::collection::vec(prop::option::of(0..N_ACCOUNTS), leads),
        prop::collection::vec(prop::option::of((0..40_i64, any::<bool>())), leads),
        prop::collection::vec(event(N_LEADS - 1), 0..60),
        prop::collection::vec(event(N_ACCOUNTS), 0..20),
        prop::collection::vec((0..N_LEADS, 0..60_i64, 0..3_usize), 0..20),
        prop::collection::btree_map((0..N_ACCOUNTS, 0..60_i64), 0..90_i32, 0..8),
        prop::collection::vec((0..N_LEADS, 0..70_i64), 1..25),
    )
        .prop_map(
            |(created, accounts, closed, web, news, stages, staff, snapshots)| Company {
                // A lead closes after it was created.
                closed: closed
                    .iter()
                    .zip(&created)
                    .map(|(closed, created)| {
                        closed.map(|(after, is_won)| (created + after, is_won))
                    })
                    .collect(),
                created,
                accounts,
                web,
                news,
                stages,
                staff: staff
                    .into_iter()
                    .map(|((account, at), staff)| (account, at, staff))
                    .collect(),
                snapshots,
            },
        )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_family_equals_plain_loops(company in company()) {
        check_company(&company);
    }

    /// Threads, the order of snapshots and which other snapshots are asked for change no bit.
    #[test]
    fn a_snapshot_has_one_value(company in company()) {
        let tables = tables(&company);
        let keys = snapshots(&company);
        let specs = plan(&tables, &config(), &keys).specs;
        let whole = compute(&tables, &specs, &keys).expect("computable");
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().expect("a pool");
        prop_assert!(whole.bit_equal(&pool.install(|| compute(&tables, &specs, &keys)).expect("computable")));
        for (row, &key) in keys.iter().enumerate() {
            let alone = compute(&tables, &specs, &[key]).expect("computable");
            for (idx, spec) in specs.iter().enumerate() {
                if whole.is_category(idx) {
                    prop_assert_eq!(whole.level(row, idx), alone.level(0, idx));
                } else {
                    prop_assert_eq!(whole.values()[[row, idx]].to_bits(), alone.values()[[0, idx]].to_bits(), "{}", spec.name);
                }
            }
        }
    }
}

/// The reference must itself see every family, or it would agree about nothing.
#[test]
fn every_family_is_compared() {
    let event = |owner, at, kind, device| Event {
        owner,
        at,
        delay: 0,
        kind: Some(kind),
        device: Some(device),
        value: Some(3),
    };
    let company = Company {
        created: vec![0; N_LEADS as usize],
        accounts: vec![Some(0); N_LEADS as usize],
        closed: vec![None; N_LEADS as usize],
        web: (0..24)
            .map(|number| {
                event(
                    number % 6,
                    i64::from(number),
                    number as usize % 4,
                    number as usize % 2,
                )
            })
            .collect(),
        news: vec![event(0, 4, 1, 1)],
        stages: vec![(0, 1, 1)],
        staff: vec![(0, 1, 5)],
        snapshots: vec![(0, 30), (1, 1_600)],
    };
    check_company(&company);
    let tables = tables(&company);
    // Those of logs are compared in logs.rs.
    for family in Family::ALL
        .into_iter()
        .filter(|family| *family != Family::Reopened)
    {
        let config = FeaturesConfig {
            families: vec![FamilyChoice::One(family)],
            ..config()
        };
        assert!(
            !plan(&tables, &config, &snapshots(&company))
                .specs
                .is_empty(),
            "{} makes no feature",
            family.name()
        );
    }
}

/// The examples in the dictionary of families, which were worked by hand.
#[test]
fn examples_hold() {
    // Hours of January.
    let event =
        |day: i64, hour: i64, kind: usize, value: Option<i32>| (day * 24 + hour, kind, value);
    let events = [
        event(2, 10, 3, Some(2)),
        event(2, 15, 3, Some(4)),
        event(12, 0, 1, None),
        event(24, 12, 3, Some(6)),
    ];
    let at = |hours: i64| {
        Timestamp::from_micros(
            Timestamp::from_ymd(2022, 1, 1).expect("exists").micros() + hours * 3_600_000_000,
        )
    };
    let rows = EventRows {
        owners: vec![0; events.len()],
        at: events.iter().map(|event| at(event.0)).collect(),
        visible: None,
        kinds: vec![KindColumn {
            name: "kind".to_owned(),
            codes: events.iter().map(|event| event.1 as u32).collect(),
            levels: KINDS.map(str::to_owned).to_vec(),
            tokenizer: None,
        }],
        values: vec![ValueColumn {
            name: "value".to_owned(),
            values: events
                .iter()
                .map(|event| event.2.map_or(f64::NAN, f64::from))
                .collect(),
        }],
    };
    let tables = Tables {
        leads: Arc::new(Leads {
            id_column: "id".to_owned(),
            ids: vec!["L0".to_owned()],
            created: vec![Some(Stamp::new(at(0), Precision::Instant))],
            order: None,
            attributes: Vec::new(),
            manual_score: None,
            accounts: None,
            account_names: Vec::new(),
            entity_hashes: None,
            recorded: None,
        }),
        lookups: Arc::default(),
        activities: Arc::new(vec![Activities::new("web", None, 1, rows)]),
        outcomes: vec![LeadOutcome::default()],
        history: Arc::default(),
        courses: None,
        is_flat: false,
        silent: None,
        observation_end: at(10_000),
        entry_lag: Span::ZERO,
        ends: Vec::new(),
        matched: std::collections::BTreeMap::new(),
        seen: std::collections::BTreeMap::new(),
        notes: Vec::new(),
    };
    let keys = [Snapshot {
        lead: 0,
        at: at(30 * 24),
    }];
    let config = FeaturesConfig {
        families: vec![FamilyChoice::All],
        windows: ["7d", "14d"]
            .map(|text| text.parse().expect("a span"))
            .to_vec(),
        half_lives: vec![Span::from_days(6)],
        ..FeaturesConfig::default()
    };
    // Everything that can be seen began 27.6 days before, so a window of 30 days is asked for
    // outside the plan.
    let mut specs = plan(&tables, &config, &keys).specs;
    for spec in specs.clone() {
        if let FeatureSource::Activity {
            window: Some(window),
            table,
            kind,
            statistic,
        } = spec.source
            && window == Span::from_days(14)
        {
            let source = FeatureSource::Activity {
                window: Some(Span::from_days(30)),
                table,
                kind,
                statistic,
            };
            specs.push(FeatureSpec {
                name: spec.name.replace("14d", "30d"),
                source,
                ..spec
            });
        }
    }
    let matrix = compute(&tables, &specs, &keys).expect("computable");
    for family in Family::ALL {
        let Some((name, expected)) = family.example() else {
            continue;
        };
        let idx = specs
            .iter()
            .position(|spec| spec.name == name)
            .unwrap_or_else(|| panic!("no feature {name}"));
        assert_eq!(matrix.values()[[0, idx]], expected, "{name}");
    }
}
